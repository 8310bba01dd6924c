"""Corpora by name."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from serkit.datasets._corpus import Corpus
from serkit.datasets._emodb import load_emodb
from serkit.datasets._enterface import load_enterface
from serkit.datasets._iemocap import load_iemocap
from serkit.datasets._manifest import load_manifest
from serkit.datasets._msp_improv import load_msp_improv
from serkit.datasets._musan import load_musan
from serkit.datasets._nemo import load_nemo
from serkit.datasets._omg_empathy import load_omg_empathy
from serkit.datasets._ravdess import load_ravdess
from serkit.datasets._tess import load_tess

__all__ = ["load_corpus"]

LOADERS: dict[str, Callable[..., Corpus]] = {
    "emodb": load_emodb,
    "enterface": load_enterface,
    "iemocap": load_iemocap,
    "msp_improv": load_msp_improv,
    "musan": load_musan,
    "nemo": load_nemo,
    "omg_empathy": load_omg_empathy,
    "ravdess": load_ravdess,
    "tess": load_tess,
}


def load_corpus(
    name: str | os.PathLike, /, root: str | os.PathLike | None = None, **options: Any
) -> Corpus:
    """Load a corpus by its name, or one that a table describes.

    Parameters
    ----------
    name : {"emodb", "enterface", "iemocap", "msp_improv", "musan", "nemo", \
"omg_empathy", "ravdess", "tess"} or path-like
        Which corpus it is, or the path of a table for :func:`load_manifest`.
    root : path-like or None, default=None
        The folder of the corpus. ``None`` is allowed of tables only, whose folder it
        is then.
    **options : object
        Further arguments of the loader, which is named after the corpus:
        :func:`load_emodb` and so on.

    Returns
    -------
    corpus : Corpus

    Raises
    ------
    ValueError
        If there is neither a corpus nor a table of that name, or if `root` is
        missing.

    Examples
    --------
    >>> from serkit.datasets import load_corpus
    >>> corpus = load_corpus("iemocap", "path/to/IEMOCAP", part="scripted")  # doctest: +SKIP
    >>> corpus = load_corpus("table.csv")  # doctest: +SKIP
    """
    if name in LOADERS:
        if root is None:
            raise ValueError(
                f"where is {name}? Give its folder: --data PATH on the command line, root in Python"
            )
        return LOADERS[str(name)](root, **options)
    if not Path(name).is_file():
        raise ValueError(
            f"{os.fspath(name)!r} is no corpus: give {', '.join(LOADERS)}, or an existing CSV file"
        )
    return load_manifest(name, root=root, **options)
