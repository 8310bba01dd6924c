"""Spectrograms on their way into a network that takes magnitudes of one size."""

import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np

from serkit.utils import name_rows

__all__ = ["check_magnitudes", "greatest_magnitude", "scale_magnitudes"]


def check_magnitudes(estimator: Any, utterances: list[np.ndarray], *, reset: bool) -> None:
    """Refuse frames that are no magnitudes of one channel, and warn of what is left out.

    The estimator has the parameters `n_bins` and `n_frames`, and once it is fitted
    `n_frames_`. One more bin than `n_bins` is the Nyquist frequency.
    """
    name = type(estimator).__name__
    if reset:
        _check_sizes(estimator, name)
    negative = [row for row, frames in enumerate(utterances) if frames.min() < 0]
    if negative:
        raise ValueError(
            f"Negative values in data passed to {name}, in {name_rows(negative)}: it takes "
            "magnitudes, as of Spectrogram(power=1.0), not their logarithm"
        )
    n_frames = estimator.n_frames if reset else estimator.n_frames_
    cut = [row for row, frames in enumerate(utterances) if frames.shape[-1] > n_frames]
    if cut:
        warnings.warn(
            f"{name_rows(cut)} longer than n_frames={n_frames} {'was' if len(cut) == 1 else 'were'}"
            " cut; FixedLengthSegmenter makes segments",
            UserWarning,
            stacklevel=5,
        )


def _check_sizes(estimator: Any, name: str) -> None:
    n_bins, found = estimator.n_bins, estimator.n_bins_in_
    if estimator.n_channels_in_ != 1:
        raise ValueError(
            f"{name} takes spectrograms of one channel; X has {estimator.n_channels_in_}"
        )
    if found > n_bins + 1:
        raise ValueError(
            f"X has {found} bins, and {name} reads n_bins={n_bins} and drops one at most: set "
            f"n_bins={found // 2 * 2}, or make fewer bins, as by Spectrogram(n_fft={2 * n_bins})"
        )
    if found < n_bins - 1:
        warnings.warn(
            f"X has {found} bins, so the others up to n_bins={n_bins} are zeros; "
            f"n_bins={found + found % 2} makes {name} smaller",
            UserWarning,
            stacklevel=6,
        )


def greatest_magnitude(
    utterances: list[np.ndarray], rows: Iterable[int], shape: tuple[int, int]
) -> float:
    """Return the greatest value of some utterances, of bins and frames up to a size."""
    n_bins, n_frames = shape
    greatest = max(float(utterances[row][:, :n_bins, :n_frames].max()) for row in rows)
    if greatest == 0:
        raise ValueError("all training utterances are silent: their magnitudes are zeros")
    return greatest


def scale_magnitudes(
    utterances: list[np.ndarray], rows: Any, shape: tuple[int, int], greatest: float
) -> np.ndarray:
    """Return some utterances as one array of that size, padded by zeros, in [0, 1]."""
    n_bins, n_frames = shape
    scaled = np.zeros((len(rows), 1, n_bins, n_frames), dtype=np.float32)
    for place, row in zip(scaled, rows, strict=True):
        read = utterances[row][:, :n_bins, :n_frames]
        np.divide(read, greatest, out=place[:, : read.shape[1], : read.shape[2]])
    return np.minimum(scaled, 1, out=scaled)
