"""TESS, the Toronto Emotional Speech Set."""

import os
from itertools import product
from pathlib import Path

from serkit.datasets._corpus import Corpus
from serkit.datasets._layout import audio_files, folder_with, read_named_files

__all__ = ["load_tess"]

EMOTIONS = {
    "angry": "anger",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happiness",
    "neutral": "neutral",
    "ps": "surprise",
    "sad": "sadness",
}
SPEAKERS = ("OAF", "YAF")
N_WORDS = 200


def load_tess(
    root: str | os.PathLike,
    *,
    on_missing: str = "error",
    n_jobs: int | None = None,
    verbose: int | bool = 0,
) -> Corpus:
    """Load TESS, the Toronto Emotional Speech Set [1]_.

    2800 utterances in English of two actresses, 64 and 26 years old, who say 200
    words ("Say the word back") in seven emotions. The files are those of
    https://doi.org/10.5683/SP2/E8H2MF, like ``OAF_back_angry.wav``, whose names hold
    speaker, word and emotion (``ps`` is pleasant surprise). They lie in one folder,
    as read by
    https://github.com/Strong-AI-Lab/emotion/blob/master/datasets/TESS/process.py,
    or in folders like ``OAF_angry``, as in
    https://www.kaggle.com/datasets/ejlok1/toronto-emotional-speech-set-tess.

    Parameters
    ----------
    root : path-like
        The folder of the files or of their folders, or the one above it. Files may
        be WAV or FLAC.
    on_missing : {"error", "warn", "ignore"}, default="error"
        What to do about missing files and about audio files that do not belong to
        the corpus; both are left out.
    n_jobs : int or None, default=None
        Number of parallel jobs that read headers for the durations.
    verbose : int or bool, default=0
        Show a progress bar when positive.

    Returns
    -------
    corpus : Corpus
        Named ``"tess"``; speakers are ``"OAF"`` and ``"YAF"``, the older and the
        younger actress, and ``sentence`` is the word.

    Raises
    ------
    FileNotFoundError
        If the folder, or with ``on_missing="error"`` a file, is missing.
    ValueError
        If other audio files lie there and ``on_missing="error"``.

    Notes
    -----
    With two speakers, a test speaker leaves one to train on and none to validate on.
    Published scores near 100 % are those of random splits. ``OA_bite_neutral.wav``,
    which lacks a letter, is known.

    References
    ----------
    .. [1] M. K. Pichora-Fuller and K. Dupuis, "Toronto emotional speech set (TESS)",
       University of Toronto, 2010.

    Examples
    --------
    >>> from serkit.datasets import load_tess
    >>> corpus = load_tess("path/to/TESS")  # doctest: +SKIP
    """
    folder = folder_with("tess", root, "[OY]AF_*")
    files = audio_files([folder, *(place for place in folder.glob("[OY]AF_*") if place.is_dir())])
    return read_named_files(
        "tess",
        folder,
        files,
        _parse,
        _expected(files),
        key=_key,
        on_missing=on_missing,
        n_jobs=n_jobs,
        verbose=verbose,
    )


def _key(file: Path) -> str:
    return "OAF_bite_neutral" if file.stem == "OA_bite_neutral" else file.stem


def _expected(files: list[Path]) -> dict[str, None]:
    """Return the names of all files, as far as their words are known."""
    fields = [_key(file).split("_") for file in files]
    words = {
        parts[1]
        for parts in fields
        if len(parts) == 3 and parts[0] in SPEAKERS and parts[2] in EMOTIONS
    }
    names = map("_".join, product(SPEAKERS, sorted(words), EMOTIONS))
    lacking = [f"all of {N_WORDS - len(words)} more words"] if 0 < len(words) < N_WORDS else []
    return dict.fromkeys([*names, *lacking])


def _parse(stem: str) -> dict[str, str]:
    speaker, word, emotion = stem.split("_")
    return {
        "speaker": speaker,
        "gender": "female",
        "emotion": EMOTIONS[emotion],
        "sentence": word,
    }
