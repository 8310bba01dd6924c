"""Corpora by name."""

import os

from serkit.datasets._corpus import Corpus
from serkit.datasets._emodb import load_emodb
from serkit.datasets._nemo import load_nemo
from serkit.datasets._ravdess import load_ravdess

__all__ = ["load_corpus"]


def load_corpus(name: str, root: str | os.PathLike) -> Corpus:
    """Load."""
    return {"emodb": load_emodb, "ravdess": load_ravdess, "nemo": load_nemo}[name](root)
