"""OMG-Empathy, valence over time while listening to stories."""

import os
import warnings
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from serkit.datasets._corpus import Corpus
from serkit.datasets._layout import existing_folder, read_named_files
from serkit.datasets._table import listed
from serkit.datasets._video import refuse_videos
from serkit.utils import as_ragged

__all__ = ["load_omg_empathy", "read_valence"]

RATE = 25  # values per second, one per frame of the video
PARTITIONS = {
    "1": "validation",
    "2": "train",
    "3": "test",
    "4": "train",
    "5": "train",
    "6": "test",
    "7": "test",
    "8": "train",
}
TOLERANCE = 1.0  # seconds by which audio and annotation may differ without a warning


def load_omg_empathy(
    root: str | os.PathLike,
    *,
    on_missing: str = "error",
    n_jobs: int | None = None,
    verbose: int | bool = 0,
) -> Corpus:
    """Load the audio of OMG-Empathy [1]_.

    80 conversations in English, of five minutes on average: ten listeners hear
    eight stories, and say afterwards, at every moment, how they felt. The layout is
    that of https://github.com/knowledgetechnologyuhh/OMGEmpathyChallenge: videos
    ``Subject_1_Story_2.mp4``, and for each, in a folder ``Annotations``, a file
    ``Subject_1_Story_2.csv`` with the header ``valence`` and one line per frame, 25
    per second. Audio must have been extracted from the videos, to WAV or FLAC files
    of the same name (``Subject_1_Story_2.wav``, or ``Subject_1_Story_2.mp4.wav`` as
    by the script there). Folders may be nested in any way; the story tells whether a
    conversation is for training (2, 4, 5, 8), validation (1) or test (3, 6, 7).

    Parameters
    ----------
    root : path-like
        A folder that holds all of it.
    on_missing : {"error", "warn", "ignore"}, default="error"
        What to do about conversations whose audio or annotation is missing, and
        about other audio files; they are left out.
    n_jobs : int or None, default=None
        Number of parallel jobs that read headers for the durations.
    verbose : int or bool, default=0
        Show a progress bar when positive.

    Returns
    -------
    corpus : Corpus
        Named ``"omg_empathy"``, without emotions: :func:`read_valence` returns the
        annotations. The ``speaker`` is the listener, ``"Subject_1"``, whose valence
        it is; the one who tells the story speaks most of the time. ``partition`` is
        ``"train"``, ``"validation"`` or ``"test"``; additional columns are ``story``
        and ``annotation``, the path of a file.

    Raises
    ------
    FileNotFoundError
        If the folder is missing, if there are only videos, or with
        ``on_missing="error"`` if a conversation is missing.
    ValueError
        If an annotation cannot be read or is there twice, or if other audio files
        lie there and ``on_missing="error"``.

    Warns
    -----
    UserWarning
        If the audio lasts more than a second longer or shorter than the annotation.

    See Also
    --------
    read_valence : The annotations.
    serkit.neural_network.BiGRURegressor : Learns them from slices.

    Notes
    -----
    ``end`` is set to the last value of the annotation, or that for which there still
    is audio, so that ``audio`` and annotation are of one length: 640 samples at
    16 kHz per value.

    References
    ----------
    .. [1] P. Barros, N. Churamani, A. Lim and S. Wermter, "The OMG-Empathy Dataset:
       Evaluating the Impact of Affective Behavior in Storytelling", 8th International
       Conference on Affective Computing and Intelligent Interaction (ACII), 2019.

    Examples
    --------
    >>> from serkit.datasets import load_omg_empathy
    >>> corpus = load_omg_empathy("path/to/OMG_Empathy2019")  # doctest: +SKIP
    """
    folder = existing_folder(root)
    files = sorted(
        file
        for file in folder.rglob("*")
        if file.suffix.lower() in (".wav", ".flac") and not file.name.startswith(".")
    )
    if not files:
        refuse_videos("omg_empathy", folder, ".mp4")
    annotations = _find_annotations(folder)
    expected = dict.fromkeys(_all_keys())
    corpus = read_named_files(
        "omg_empathy",
        folder,
        [file for file in files if _key(file) in annotations or _key(file) not in expected],
        _parse,
        expected,
        key=_key,
        on_missing=on_missing,
        n_jobs=n_jobs,
        verbose=verbose,
    )
    return _align(corpus, annotations)


def read_valence(corpus: Corpus) -> np.ndarray:
    """Return the valence of every conversation of OMG-Empathy, over time.

    Parameters
    ----------
    corpus : Corpus
        What :func:`load_omg_empathy` returned, or a part of it.

    Returns
    -------
    valence : ndarray of shape (n_conversations,), dtype=object
        One 1-D array per conversation, 25 values per second, for as long as its
        ``audio`` lasts.

    Raises
    ------
    ValueError
        If the corpus has no annotations over time, or one cannot be read.

    See Also
    --------
    serkit.preprocessing.FixedLengthSegmenter : Cuts audio and valence into slices.
    serkit.neural_network.join_slices : Puts predictions of slices together again.

    Examples
    --------
    Slices of 8 seconds, as :class:`~serkit.neural_network.BiGRURegressor` takes them:

    >>> from serkit.datasets import load_omg_empathy, read_valence
    >>> from serkit.preprocessing import AudioLoader, FixedLengthSegmenter
    >>> corpus = load_omg_empathy("path/to/OMG_Empathy2019")  # doctest: +SKIP
    >>> audio = AudioLoader().fit_transform(corpus.audio)  # doctest: +SKIP
    >>> X, parents = FixedLengthSegmenter(128000, hop=102400).split(audio)  # doctest: +SKIP
    >>> y, _ = FixedLengthSegmenter(200, hop=160).split(read_valence(corpus))  # doctest: +SKIP
    """
    table = corpus.table
    if "annotation" not in table:
        raise ValueError(
            f"{corpus.name or 'the corpus'} has no column 'annotation' with files of valence over "
            "time; load_omg_empathy makes it"
        )
    lengths = (table["end"] * RATE).round().astype(int)
    return as_ragged(
        _read_annotation(Path(file))[:length]
        for file, length in zip(table["annotation"], lengths, strict=True)
    )


def _key(file: Path) -> str:
    """Return ``Subject_1_Story_2``, also of ``Subject_1_Story_2.mp4.wav``."""
    return file.stem.removesuffix(".mp4")


def _all_keys() -> list[str]:
    pairs = product(range(1, 11), PARTITIONS)
    return [f"Subject_{subject}_Story_{story}" for subject, story in pairs]


def _parse(key: str) -> dict[str, str]:
    speaker, story = key.split("_Story_")
    return {"speaker": speaker, "story": story, "partition": PARTITIONS[story]}


def _find_annotations(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for file in sorted(folder.rglob("Annotations/Subject_*_Story_*.csv")):
        first = found.setdefault(file.stem, file)
        if first.read_bytes() != file.read_bytes():
            raise ValueError(f"{file.stem} has two annotations, {first} and {file}")
    return found


def _align(corpus: Corpus, annotations: dict[str, Path]) -> Corpus:
    """Return the corpus with annotations, and audio that ends where they do."""
    table = corpus.table
    keys = [_key(Path(file)) for file in table["file"]]
    n_values = np.array([len(_read_annotation(annotations[key])) for key in keys])
    annotated = n_values / RATE
    lasting = table["duration"].to_numpy()
    lasting = np.where(np.isnan(lasting), annotated, lasting)  # the header could not be read
    unlike = [
        f"{key} ({audio:.1f} s of audio, {valence:.1f} s of valence)"
        for key, audio, valence in zip(keys, lasting, annotated, strict=True)
        if abs(audio - valence) > TOLERANCE
    ]
    if unlike:
        warnings.warn(
            "omg_empathy: audio and annotation differ in length, and the shorter is used: "
            f"{listed(unlike)}",
            UserWarning,
            stacklevel=3,
        )
    end = np.minimum(n_values, np.floor(lasting * RATE + 1e-6)) / RATE
    table = table.assign(annotation=[str(annotations[key]) for key in keys], end=end, duration=end)
    return Corpus(table, root=corpus.root, name=corpus.name)


def _read_annotation(file: Path) -> np.ndarray:
    try:
        text = pd.read_csv(file, dtype=str, skip_blank_lines=False, encoding="utf-8-sig")
    except ValueError as error:  # empty, ragged or in another encoding
        raise ValueError(f"{file} cannot be read as a column of valence: {error}") from error
    column = next((name for name in text if name.strip() == "valence"), None)
    if column is None or text[column].isna().all():
        raise ValueError(f"{file} is no column of numbers below the header 'valence'")
    cells = text[column].loc[: text[column].last_valid_index()]  # blank lines may follow
    values = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=float)
    wrong = np.flatnonzero(~np.isfinite(values))
    if len(wrong):
        raise ValueError(f"{file}, line {wrong[0] + 2}: {cells[wrong[0]]!r} is no valence")
    return values
