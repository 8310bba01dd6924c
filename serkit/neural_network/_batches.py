"""Utterances on their way into a network, and its outputs on their way back."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import InputTags
from sklearn.utils.validation import validate_data
from torch import Tensor, nn

from serkit.utils import is_ragged, name_rows

__all__ = ["UtteranceTags", "check_functionals", "fit_lengths", "separate", "tap"]


@dataclass
class UtteranceTags(InputTags):
    """Tags of what a network takes."""

    #: It brings all utterances to one length.
    fixed_length: bool = False


def check_functionals(estimator: Any, X: Any, *, reset: bool) -> np.ndarray:
    """Validate functionals, and say what to do with anything else.

    Parameters
    ----------
    estimator : estimator
        For whom; what it saw in ``fit`` is set on it.
    X : functionals
        The utterances.
    reset : bool
        True in ``fit``.

    Returns
    -------
    X : ndarray of shape (n_utterances, n_features), float32
    """
    if getattr(X, "ndim", 2) > 2 or (is_ragged(X) and np.ndim(next(iter(X))) != 1):
        raise ValueError(
            f"{type(estimator).__name__} takes functionals, numbers of shape (n_utterances, "
            "n_features): put TemporalPooling behind frames, or use CRNNClassifier"
        )
    X = validate_data(estimator, X, reset=reset, dtype=np.float32)
    if reset:
        estimator.n_channels_in_, estimator.n_bins_in_ = 1, X.shape[1]
    return X


def fit_lengths(
    utterances: list[np.ndarray],
    rows: np.ndarray,
    *,
    n_frames: int | None,
    min_shape: tuple[int, int],
    name: str,
) -> list[np.ndarray]:
    """Bring frames to the shape that a network takes: cut at the end, or padded by zeros.

    Parameters
    ----------
    utterances : list of ndarray of shape (n_channels, n_bins, n_frames)
        The utterances.
    rows : ndarray of int
        Those to return.
    n_frames : int or None
        The only length that the network takes; ``None`` if it takes any.
    min_shape : tuple of int
        The least (n_bins, n_frames) that it takes.
    name : str
        Of the estimator, for the warning that counts what was cut.

    Returns
    -------
    fitted : list of ndarray
        One array per row.
    """
    least_bins, least_frames = min_shape
    fitted, cut = [], []
    for row in rows:
        utterance = utterances[row]
        length = utterance.shape[-1]
        target = max(least_frames, length if n_frames is None else n_frames)
        if length > target:
            cut.append(int(row))
            utterance = utterance[..., :target]
        missing = (max(0, least_bins - utterance.shape[1]), max(0, target - length))
        if any(missing):
            utterance = np.pad(utterance, ((0, 0), (0, missing[0]), (0, missing[1])))
        fitted.append(utterance)
    if cut:
        warnings.warn(
            f"{name_rows(cut)} longer than {n_frames} frames, the longest that {name} was fitted "
            f"on, {'was' if len(cut) == 1 else 'were'} cut",
            UserWarning,
            stacklevel=6,
        )
    return fitted


def tap(network: nn.Module, stage: nn.Module, **inputs: Tensor) -> Any:
    """Run a network and return what one of its stages made."""
    caught: list[Any] = []
    handle = stage.register_forward_hook(lambda _stage, _inputs, output: caught.append(output))
    try:
        network(**inputs)
    finally:
        handle.remove()
    return caught[0]


def separate(output: Any) -> list[np.ndarray]:
    """Return one array per utterance; those that have a time axis as frames, without padding."""
    if not isinstance(output, tuple):
        return list(output.float().cpu().numpy())
    values, lengths = output
    if values.ndim == 3:
        values = values.transpose(1, 2)[:, None]
    values = values.float().cpu().numpy()
    if lengths is None:
        return list(values)
    return [value[..., :length] for value, length in zip(values, lengths.tolist(), strict=True)]
