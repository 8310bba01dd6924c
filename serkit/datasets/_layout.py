"""Read a corpus whose labels are in the names of its files."""

import os
import warnings
from collections.abc import Callable, Collection, Iterable
from functools import partial
from pathlib import Path

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
    "read_index",
    "read_named_files",
    "report_mismatch",
]

INDEX = "index.csv"


def existing_folder(root: str | os.PathLike) -> Path:
    """Return the absolute path of a folder that has to exist."""
    folder = Path(root).expanduser().absolute()
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}")
    return folder


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


def read_named_files(
    name: str,
    root: Path,
    files: Iterable[Path],
    parse: Callable[[str], dict[str, str]],
    expected: Collection[str],
    *,
    on_missing: str,
    n_jobs: int | None,
    verbose: int | bool,
) -> Corpus:
    """Make a corpus of the files whose stems are expected, labelled by their names."""
    rows, foreign = {}, []
    for file in files:
        relative = file.relative_to(root).as_posix()
        if file.stem in expected:
            rows[file.stem] = {"file": relative, **parse(file.stem)}
        else:
            foreign.append(relative)
    if not rows:
        raise FileNotFoundError(
            f"no file of {name} is in {root}; files such as {next(iter(expected), '?')}.wav are "
            "expected there"
        )
    missing = [stem for stem in expected if stem not in rows]
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
