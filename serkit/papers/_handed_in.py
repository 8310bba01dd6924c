"""What a user hands in: corpora of speech, and noises to add to it; or made ones."""

import os
from collections.abc import Mapping
from copy import copy
from pathlib import Path
from typing import Any

import numpy as np

from serkit.datasets import Corpus, load_corpus, make_emotional_speech
from serkit.utils import is_path

__all__ = ["made_corpora", "made_noises", "made_speech", "sort_out"]

#: Names of what is added to speech.
NOISES = ("musan", "noise")

_AUDIO = (".wav", ".flac")
#: Names of the made corpora that stand in for real ones at scale "smoke".
_MADE = ("one", "other")


def sort_out(corpora: Mapping[str, Any]) -> tuple[dict[str, Corpus], list[Any]]:
    """Return corpora of speech by name, and noises, a file or a waveform each.

    Parameters
    ----------
    corpora : dict of str to Corpus or path-like
        By name; ``"musan"`` and ``"noise"`` hold noises.

    Returns
    -------
    speech : dict of str to Corpus
        Named as they were handed in.
    noises : list of path or ndarray

    Raises
    ------
    ValueError
        If there is no such corpus, or no noise in a folder of noises.
    """
    speech = {name: _load(name, given) for name, given in corpora.items() if name not in NOISES}
    noises = [
        noise for name in NOISES if name in corpora for noise in _load_noises(name, corpora[name])
    ]
    return speech, noises


def _load(name: str, corpus: Any) -> Corpus:
    if not isinstance(corpus, Corpus):
        is_table = os.fspath(corpus).endswith(".csv")
        corpus = load_corpus(corpus) if is_table else load_corpus(name, corpus)
    corpus = copy(corpus)
    corpus.name = name
    return corpus


def _load_noises(name: str, noises: Any) -> list[Any]:
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


def made_corpora() -> dict[str, Any]:
    """Return two small corpora and noises."""
    speech = {name: made_speech(seed=seed, name=name) for seed, name in enumerate(_MADE)}
    return {**speech, "noise": made_noises()}


def made_speech(n_speakers: int = 6, *, seed: int = 0, name: str = "synthetic") -> Corpus:
    """Return a small corpus that stands in for real ones at scale "smoke"."""
    corpus = make_emotional_speech(n_speakers, n_sentences=2, random_state=seed)
    corpus.name = name
    return corpus


def made_noises(n_noises: int = 4, *, seed: int = 0) -> list[np.ndarray]:
    """Return seconds of noise, each darker than the one before."""
    rng = np.random.default_rng(seed)
    return [
        np.convolve(0.1 * rng.normal(size=16000), np.ones(width) / width, "same").astype(np.float32)
        for width in range(1, n_noises + 1)
    ]
