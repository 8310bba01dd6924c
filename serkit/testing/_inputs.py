"""Inputs of the right shape for any estimator."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from serkit.utils import AudioTransformer, FrameTransformer, as_ragged, is_ragged

__all__ = ["input_kind", "make_input", "one_by_one"]

Kind = Literal["audio", "frames", "functionals"]


def input_kind(estimator: Any) -> Kind:
    """Say which of the three shapes of X an estimator takes.

    Parameters
    ----------
    estimator : estimator
        An instance of an estimator of serkit.

    Returns
    -------
    kind : {"audio", "frames", "functionals"}

    Examples
    --------
    >>> from serkit.preprocessing import WienerFilter
    >>> from serkit.testing import input_kind
    >>> input_kind(WienerFilter())
    'audio'
    """
    params = estimator.get_params(deep=False)
    if isinstance(estimator, Pipeline):
        return input_kind(estimator.steps[0][1])
    if hasattr(estimator, "_input_kind"):
        return estimator._input_kind
    for inner in ("transformer", "estimator"):
        if hasattr(params.get(inner), "fit"):
            return input_kind(params[inner])
    if params.get("input") in ("audio", "frames"):
        return params["input"]
    if isinstance(estimator, AudioTransformer):
        return "audio"
    if isinstance(estimator, FrameTransformer):
        return "frames"
    return "functionals"


def make_input(
    estimator: Any,
    *,
    ragged: bool = False,
    equal_lengths: bool = False,
    length: float = 1.0,
    n_utterances: int = 8,
    seed: int = 0,
) -> np.ndarray:
    """Make an input that an estimator takes.

    Parameters
    ----------
    estimator : estimator
        For whom.
    ragged : bool, default=False
        Utterances of unequal lengths in a 1-D object array.
    equal_lengths : bool, default=False
        Ragged, but with equal lengths.
    length : float, default=1.0
        Factor on the usual length.
    n_utterances : int, default=8
        Number of utterances.
    seed : int, default=0
        Seed of the values.

    Returns
    -------
    X : ndarray
        Audio, frames of three bins (or of those that the estimator has been
        fitted on before), without negative values if the estimator takes none, or
        functionals.
    """
    rng = np.random.default_rng(seed)
    kind = input_kind(estimator)
    if kind == "functionals":
        return rng.normal(size=(n_utterances, 6))
    base = int(length * (320 if kind == "audio" else 24))
    unequal = ragged and not equal_lengths
    lengths = base + (np.arange(n_utterances) if unequal else np.zeros(n_utterances, dtype=int))
    if kind == "audio":
        signals = [_tone(rng, int(n)) for n in lengths]
    else:
        given = estimator.get_params(deep=False).values()
        n_bins = next((part.n_bins_in_ for part in given if hasattr(part, "n_bins_in_")), 3)
        signals = [rng.normal(size=(1, n_bins, n)).astype(np.float32) for n in lengths]
        if get_tags(estimator).input_tags.positive_only:
            signals = [np.abs(signal) for signal in signals]
    return as_ragged(signals) if ragged else np.stack(signals)


def one_by_one(function: Callable[[Any], Any], X: np.ndarray) -> np.ndarray:
    """Apply a function to utterances one at a time and join the results.

    Parameters
    ----------
    function : callable
        Takes a ragged array of one utterance.
    X : ndarray of shape (n_utterances,), dtype=object
        Ragged audio or frames.

    Returns
    -------
    outputs : ndarray
        Ragged or numeric, as the function returns.
    """
    outputs = [function(X[row : row + 1]) for row in range(len(X))]
    if is_ragged(outputs[0]):
        return as_ragged([output[0] for output in outputs])
    return np.concatenate(outputs)


def _tone(rng: np.random.Generator, n_samples: int) -> np.ndarray:
    """Return a harmonic tone in noise, so that voiced features are defined."""
    time = np.arange(n_samples) / 16000
    f0 = rng.uniform(100, 300)
    tone = sum(np.sin(2 * np.pi * f0 * k * time) / k for k in range(1, 6))
    return (0.2 * tone + 0.01 * rng.normal(size=n_samples)).astype(np.float32)
