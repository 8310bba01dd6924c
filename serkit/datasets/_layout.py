"""Read a corpus of which it is known what files it has."""

import os
import warnings
from collections.abc import Callable, Collection, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from serkit.datasets._check import file_duration
from serkit.datasets._corpus import Corpus
from serkit.datasets._table import listed
from serkit.utils import parallel_map

__all__ = [
    "audio_files",
    "check_on_missing",
    "existing_folder",
    "fill_durations",
    "folder_with",
    "read_index",
    "read_named_files",
    "report_mismatch",
]

INDEX = "index.csv"
MAC_TWINS = "__MACOSX"


def existing_folder(root: str | os.PathLike) -> Path:
    """Return the absolute path of a folder that has to exist."""
    folder = Path(root).expanduser().absolute()
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}")
    return folder


def folder_with(name: str, root: str | os.PathLike, pattern: str) -> Path:
    """Return the folder in which a pattern is found: the given one, or the one inside it."""
    folder = existing_folder(root)
    if any(folder.glob(pattern)):
        return folder
    inside = [
        place
        for place in sorted(folder.iterdir())
        if place.is_dir() and place.name != MAC_TWINS and any(place.glob(pattern))
    ]
    if not inside:
        raise FileNotFoundError(
            f"no file of {name} is in {folder}; {pattern!r} is expected there, or one folder deeper"
        )
    if len(inside) > 1:
        raise ValueError(
            f"{name} is in {folder} more than once, in {listed(place.name for place in inside)}; "
            "give one of these folders"
        )
    return inside[0]


def audio_files(folders: Iterable[Path]) -> list[Path]:
    """Return the WAV and FLAC files that lie directly in the folders, sorted."""
    return sorted(
        file
        for folder in folders
        for file in folder.iterdir()
        # macOS packs a hidden twin "._name.wav" beside each file.
        if file.suffix.lower() in (".wav", ".flac") and not file.name.startswith(".")
    )


def read_index(root: Path) -> pd.DataFrame:
    """Return the table of files and durations that lies beside the files, or an empty one."""
    index = pd.DataFrame()
    if (root / INDEX).is_file():
        index = pd.read_csv(root / INDEX, dtype=str)
    return index.reindex(columns=["file", "duration_s"])


def file_stem(file: Path) -> str:
    """Return the name of a file without its suffix."""
    return file.stem


def read_named_files(
    name: str,
    root: Path,
    files: Iterable[Path],
    parse: Callable[[str], dict[str, Any]],
    expected: Collection[str],
    *,
    key: Callable[[Path], str] = file_stem,
    on_missing: str,
    n_jobs: int | None,
    verbose: int | bool,
) -> Corpus:
    """Make a corpus of the files that are expected by their key, which also tells their labels."""
    rows, foreign = {}, []
    for file in files:
        relative, label = file.relative_to(root).as_posix(), key(file)
        if label in expected and label not in rows:
            rows[label] = {"file": relative, **parse(label)}
        else:
            foreign.append(relative)
    if not rows:
        raise FileNotFoundError(
            f"no file of {name} is in {root}; files such as {next(iter(expected), '?')}.wav are "
            "expected there"
        )
    missing = [label for label in expected if label not in rows]
    report_mismatch(name, root, missing, foreign, n_expected=len(expected), on_missing=on_missing)
    table = pd.DataFrame(rows.values())
    index = read_index(root)
    durations = dict(zip(index["file"], index["duration_s"].astype(float), strict=True))
    table["duration"] = table["file"].map(durations)
    corpus = Corpus(table, root=root, name=name)
    return fill_durations(corpus, n_jobs=n_jobs, verbose=verbose)


def check_on_missing(on_missing: str) -> None:
    """Refuse anything but the three treatments."""
    if on_missing not in ("error", "warn", "ignore"):
        raise ValueError(f"on_missing must be 'error', 'warn' or 'ignore', got {on_missing!r}")


def report_mismatch(
    name: str,
    root: Path,
    missing: list[str],
    foreign: list[str],
    *,
    n_expected: int,
    on_missing: str,
) -> None:
    """Raise or warn if files are missing, or files are there that should not be."""
    check_on_missing(on_missing)
    findings = []
    if missing:
        findings.append(f"{len(missing)} of {n_expected} files are missing: {listed(missing)}")
    if foreign:
        findings.append(f"{len(foreign)} files do not belong to it: {listed(foreign)}")
    if not findings or on_missing == "ignore":
        return
    message = f"{name} in {root}: " + "; ".join(findings)
    if on_missing == "warn":
        warnings.warn(f"{message}. The rest is used.", UserWarning, stacklevel=4)
        return
    error = FileNotFoundError if missing else ValueError
    raise error(f"{message}. Use on_missing='warn' or 'ignore' to go on with the rest.")


def fill_durations(corpus: Corpus, *, n_jobs: int | None, verbose: int | bool) -> Corpus:
    """Return the corpus with missing durations taken from the headers of its files."""
    table = corpus.table
    unknown = table["duration"].isna()
    if not unknown.any():
        return corpus
    files = table.loc[unknown, "file"].unique()
    measured = parallel_map(
        partial(_duration_below, os.fspath(corpus.root or "")),
        files,
        n_jobs=n_jobs,
        verbose=verbose,
        description="Reading headers",
    )
    whole = table["file"].map(dict(zip(files, measured, strict=True))).astype(float)
    lasting = (whole - table["start"].fillna(0)).where(lambda seconds: seconds > 0, np.nan)
    table["duration"] = table["duration"].fillna(lasting)
    return Corpus(table, root=corpus.root, name=corpus.name)


def _duration_below(root: str, file: str) -> float:
    return file_duration(os.path.join(root, file))
