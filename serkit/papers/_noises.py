"""Noises that a user hands in, or made ones."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from serkit.datasets import Corpus, load_corpus
from serkit.utils import is_path

__all__ = ["NOISES", "load_noises", "made_noises"]

#: Names of what is added to speech, among the corpora that are handed in.
NOISES = ("musan", "noise")

_AUDIO = (".wav", ".flac")


def load_noises(name: str, noises: Any) -> Sequence[Any]:
    """Return what is added to speech, a file or a waveform each.

    Parameters
    ----------
    name : {"musan", "noise"}
        The noises of a corpus that is loaded by name, or those of any folder.
    noises : path-like, Corpus or sequence of ndarray
        The folder; or what was found there before.

    Returns
    -------
    noises : sequence of path or ndarray

    Raises
    ------
    ValueError
        If there is none.
    """
    if is_path(noises) and name == "musan":
        noises = load_corpus(name, noises)
    if isinstance(noises, Corpus):
        return list(noises.audio)
    if not is_path(noises):
        return list(noises)
    found = sorted(file for file in Path(noises).rglob("*") if file.suffix.lower() in _AUDIO)
    if not found:
        raise ValueError(f"{name}: there is no WAV or FLAC file in {noises}")
    return found


def made_noises(n_noises: int = 4, *, seed: int = 0) -> list[np.ndarray]:
    """Return seconds of noise, each darker than the one before."""
    rng = np.random.default_rng(seed)
    return [
        np.convolve(0.1 * rng.normal(size=16000), np.ones(width) / width, "same").astype(np.float32)
        for width in range(1, n_noises + 1)
    ]
