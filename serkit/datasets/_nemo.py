"""nEMO, emotional speech in Polish."""

import csv
import os
from pathlib import Path

import pandas as pd

from serkit.datasets._corpus import Corpus
from serkit.datasets._layout import (
    INDEX,
    audio_files,
    existing_folder,
    read_index,
    read_named_files,
)

__all__ = ["load_nemo"]

SHEET = "data.tsv"
WOMEN = ("EB0", "IC0", "KD0", "MK0")


def load_nemo(
    root: str | os.PathLike,
    *,
    on_missing: str = "error",
    n_jobs: int | None = None,
    verbose: int | bool = 0,
) -> Corpus:
    """Load nEMO, emotional speech in Polish [1]_.

    4481 utterances of nine actors in six emotions. The layout is that of
    https://github.com/amu-cai/nEMO: a table ``data.tsv`` and files like
    ``samples/EB0_anger_10.wav``, whose names hold speaker, emotion and the
    number of the sentence.

    Parameters
    ----------
    root : path-like
        The folder with ``data.tsv`` and ``samples``; or a folder with a part of
        the files and an ``index.csv`` that lists them in its column ``file``.
        Files may be WAV or FLAC.
    on_missing : {"error", "warn", "ignore"}, default="error"
        What to do about files that the table lists and that are missing, and
        about audio files that it does not list; both are left out.
    n_jobs : int or None, default=None
        Number of parallel jobs that read headers for the durations.
    verbose : int or bool, default=0
        Show a progress bar when positive.

    Returns
    -------
    corpus : Corpus
        Named ``"nemo"``; the emotion called surprised there is ``"surprise"``.

    Raises
    ------
    FileNotFoundError
        If the folder, its table, or with ``on_missing="error"`` a file, is
        missing.
    ValueError
        If other audio files lie there and ``on_missing="error"``.

    Notes
    -----
    Speaker MP0 has about half as many files as the others, unequally over the
    emotions.

    References
    ----------
    .. [1] I. Christop, "nEMO: Dataset of Emotional Speech in Polish",
       LREC-COLING 2024, pp. 12111-12116.

    Examples
    --------
    >>> from serkit.datasets import load_nemo
    >>> corpus = load_nemo("path/to/nEMO")  # doctest: +SKIP
    """
    folder = existing_folder(root)
    samples = folder / "samples"
    return read_named_files(
        "nemo",
        folder,
        audio_files([samples if samples.is_dir() else folder]),
        _parse,
        dict.fromkeys(_listed_stems(folder)),
        on_missing=on_missing,
        n_jobs=n_jobs,
        verbose=verbose,
    )


def _listed_stems(folder: Path) -> list[str]:
    if (folder / SHEET).is_file():
        # The sentences in it contain quotation marks that quote nothing.
        sheet = pd.read_csv(folder / SHEET, sep="\t", dtype=str, quoting=csv.QUOTE_NONE)
        names = sheet["file_id"]
    elif (folder / INDEX).is_file():
        names = read_index(folder)["file"]
    else:
        raise FileNotFoundError(f"{folder} has neither {SHEET} nor {INDEX}, which list the files")
    return [Path(name.strip()).stem for name in names]


def _parse(stem: str) -> dict[str, str]:
    speaker, emotion, sentence = stem.split("_")
    return {
        "speaker": speaker,
        "gender": "female" if speaker in WOMEN else "male",
        "emotion": "surprise" if emotion == "surprised" else emotion,
        "sentence": sentence,
    }
