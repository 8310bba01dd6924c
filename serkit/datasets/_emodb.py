"""Emo-DB, the Berlin Database of Emotional Speech."""

import os
from functools import cache
from importlib.resources import files

from serkit.datasets._corpus import Corpus
from serkit.datasets._layout import audio_files, existing_folder, read_named_files

__all__ = ["load_emodb"]

EMOTIONS = {
    "A": "fear",
    "E": "disgust",
    "F": "happiness",
    "L": "boredom",
    "N": "neutral",
    "T": "sadness",
    "W": "anger",
}
MEN = ("03", "10", "11", "12", "15")


def load_emodb(
    root: str | os.PathLike,
    *,
    on_missing: str = "error",
    n_jobs: int | None = None,
    verbose: int | bool = 0,
) -> Corpus:
    """Load Emo-DB, the Berlin Database of Emotional Speech [1]_.

    535 utterances in German of ten actors in seven emotions. The layout is
    that of ``download.zip`` from http://emodb.bilderbar.info: files like
    ``wav/03a01Fa.wav``, whose names hold the speaker (``03``), the sentence
    (``a01``), the first letter of the German word for the emotion (``F``) and
    the version (``a``).

    Parameters
    ----------
    root : path-like
        The unpacked archive, or the folder with the files itself. They may be
        WAV or FLAC.
    on_missing : {"error", "warn", "ignore"}, default="error"
        What to do about missing files and about audio files that do not belong
        to the corpus; both are left out.
    n_jobs : int or None, default=None
        Number of parallel jobs that read headers for the durations.
    verbose : int or bool, default=0
        Show a progress bar when positive.

    Returns
    -------
    corpus : Corpus
        Named ``"emodb"``, with an additional column ``version``.

    Raises
    ------
    FileNotFoundError
        If the folder, or with ``on_missing="error"`` a file, is missing.
    ValueError
        If other audio files lie there and ``on_missing="error"``.

    See Also
    --------
    fetch_emodb : Download the corpus first.

    Notes
    -----
    The emotions are far from equally frequent, and neither are they within a
    speaker: speaker 08 has no disgust, others have one or two files of an
    emotion. Every file was scaled to full range by its makers.

    References
    ----------
    .. [1] F. Burkhardt, A. Paeschke, M. Rolfes, W. F. Sendlmeier and B. Weiss,
       "A Database of German Emotional Speech", Interspeech 2005, pp. 1517-1520.

    Examples
    --------
    >>> from serkit.datasets import load_emodb
    >>> corpus = load_emodb("path/to/emodb")  # doctest: +SKIP
    """
    folder = existing_folder(root)
    wav = folder / "wav"
    return read_named_files(
        "emodb",
        folder,
        audio_files([wav if wav.is_dir() else folder]),
        _parse,
        _all_stems(),
        on_missing=on_missing,
        n_jobs=n_jobs,
        verbose=verbose,
    )


def _parse(stem: str) -> dict[str, str]:
    speaker = stem[:2]
    return {
        "speaker": speaker,
        "gender": "male" if speaker in MEN else "female",
        "emotion": EMOTIONS[stem[5]],
        "sentence": stem[2:5],
        "version": stem[6:],
    }


@cache
def _all_stems() -> dict[str, None]:
    """Return the names of all files: ``03a01 Fa Nc`` stands for ``03a01Fa`` and ``03a01Nc``."""
    lines = files("serkit.datasets").joinpath("_emodb_files.txt").read_text("ascii").splitlines()
    said = (line.split() for line in lines)
    return dict.fromkeys(sentence + how for sentence, *ways in said for how in ways)
