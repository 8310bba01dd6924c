"""Corpora of any origin, described by a table."""

import os
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from serkit.datasets._corpus import Corpus
from serkit.datasets._layout import check_on_missing, fill_durations, report_mismatch
from serkit.datasets._table import listed

__all__ = ["load_manifest"]

REQUIRED = ("file", "speaker", "emotion")


def load_manifest(
    path: str | os.PathLike | pd.DataFrame,
    *,
    root: str | os.PathLike | None = None,
    columns: Mapping[str, str] | None = None,
    name: str | None = None,
    on_missing: str = "error",
    n_jobs: int | None = None,
    verbose: int | bool = 0,
) -> Corpus:
    r"""Load a corpus that a table describes, one row per utterance.

    Parameters
    ----------
    path : path-like or DataFrame
        The table: Parquet (``.parquet``), tab-separated text (``.tsv``,
        ``.tab``) or comma-separated text with a header (any other name), in
        UTF-8. It has the columns ``file``, ``speaker`` and ``emotion``, and may
        have the others of :class:`Corpus`; further columns are kept. Text is
        read as it stands: speaker ``03`` stays ``"03"``; an empty field is
        missing. Paths may be those of Windows (``wav\1.wav``).
    root : path-like or None, default=None
        The folder that ``file`` is relative to; ``None`` is the folder of the
        table, or the working folder for a DataFrame.
    columns : dict of str to str or None, default=None
        New names of columns, such as ``{"duration_s": "duration"}``.
    name : str or None, default=None
        Name of the corpus; ``None`` takes that of the table file.
    on_missing : {"error", "warn", "ignore"}, default="error"
        What to do about utterances whose file is missing; they are left out.
    n_jobs : int or None, default=None
        Number of parallel jobs that read headers for missing durations.
    verbose : int or bool, default=0
        Show a progress bar when positive.

    Returns
    -------
    corpus : Corpus
        In the order of the table.

    Raises
    ------
    FileNotFoundError
        If the table, or with ``on_missing="error"`` an audio file, is missing.
    ValueError
        If the table cannot be read, has no rows, or lacks a required column.

    Examples
    --------
    >>> from serkit.datasets import load_manifest
    >>> corpus = load_manifest(  # doctest: +SKIP
    ...     "corpus/index.csv", columns={"duration_s": "duration"}
    ... )
    """
    check_on_missing(on_missing)
    if isinstance(path, pd.DataFrame):
        table = path
        root = Path.cwd() if root is None else root
    else:
        path = Path(path).expanduser().absolute()
        table = _read_table(path)
        root = path.parent if root is None else root
        name = path.stem if name is None else name
    table = _rename(table, columns or {})
    if table.empty:
        raise ValueError(f"{name or 'the manifest'} has no utterances, only columns")
    corpus = Corpus(table, root=root, name=name)
    present = _present(corpus)
    if not any(present):  # as in a table that was written on Windows
        table = corpus.table.assign(file=corpus.table["file"].str.replace("\\", "/"))
        corpus = Corpus(table, root=root, name=name)
        present = _present(corpus)
    missing = corpus.table.loc[[not there for there in present], "file"].unique()
    report_mismatch(
        name or "the manifest",
        Path(root),
        list(missing),
        [],
        n_expected=corpus.table["file"].nunique(),
        on_missing=on_missing,
    )
    return fill_durations(corpus[present], n_jobs=n_jobs, verbose=verbose)


def _read_table(path: Path) -> pd.DataFrame:
    suffix = path.suffix.lower()
    try:
        if suffix in (".parquet", ".pq"):
            return pd.read_parquet(path)
        return pd.read_csv(
            path,
            sep="\t" if suffix in (".tsv", ".tab") else ",",
            dtype=str,
            keep_default_na=False,
            na_values=[""],
            encoding="utf-8-sig",
        )
    except ValueError as error:  # empty, ragged or in another encoding
        raise ValueError(
            f"{path} cannot be read; a table is Parquet, or text in UTF-8: {error}"
        ) from error


def _rename(table: pd.DataFrame, columns: Mapping[str, str]) -> pd.DataFrame:
    unknown = [column for column in columns if column not in table]
    if unknown:
        raise ValueError(
            f"the table has no column {listed(unknown)} to rename; it has {listed(table.columns)}"
        )
    table = table.rename(columns=dict(columns))
    doubled = table.columns[table.columns.duplicated()]
    if len(doubled):
        raise ValueError(f"the column {listed(doubled)} would be there twice")
    lacking = [column for column in REQUIRED if column not in table]
    if lacking:
        raise ValueError(
            f"the table has no column {listed(lacking)}; it has {listed(table.columns)}: "
            "rename with columns={'old': 'new'}"
        )
    return table


def _present(corpus: Corpus) -> list[bool]:
    return [os.path.isfile(getattr(item, "file", item)) for item in corpus.audio]
