"""The three shapes of X: audio, frames, functionals; and what comes in goes out.

A *ragged* container (list or 1-D object array, one array per utterance) stays
ragged, a numeric array stays numeric. Only the type of the container decides,
never the lengths of what is in it: a fitted pipeline takes clips of any length.
"""

import os
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from sklearn.utils.validation import check_array, validate_data

from serkit.utils._rows import SignalWarning, name_rows

__all__ = [
    "AudioSegment",
    "as_ragged",
    "check_audio",
    "check_frames",
    "is_path",
    "is_ragged",
    "stack",
]

Restore = Callable[[Iterable[np.ndarray]], np.ndarray]


@dataclass(frozen=True)
class AudioSegment:
    """A part of an audio file.

    Parameters
    ----------
    file : str or path-like
        The audio file.
    start : float, default=0.0
        Where the part begins, in seconds.
    end : float or None, default=None
        Where it ends, in seconds; ``None`` is the end of the file.
    """

    file: str | os.PathLike
    start: float = 0.0
    end: float | None = None

    def __str__(self) -> str:
        end = "end" if self.end is None else f"{self.end:g} s"
        return f"{self.file} [{self.start:g} s to {end}]"


def is_path(item: Any) -> bool:
    """Say whether an item of audio is a file, or a part of one, rather than a waveform.

    Parameters
    ----------
    item : object
        One utterance.

    Returns
    -------
    answer : bool
    """
    return isinstance(item, str | os.PathLike | AudioSegment)


def is_ragged(X: Any) -> bool:
    """Say whether X holds one object per utterance rather than one numeric array.

    Parameters
    ----------
    X : object
        Audio or frames.

    Returns
    -------
    answer : bool
        True for lists, tuples, series and 1-D object arrays of arrays or
        paths. A list of lists of numbers is numeric, as in scikit-learn.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.utils import is_ragged
    >>> is_ragged([np.zeros(3), np.zeros(3)]), is_ragged(np.zeros((2, 3)))
    (True, False)
    """
    if isinstance(X, list | tuple):
        first: Any = X[0] if X else None
        return is_path(first) or (hasattr(first, "__array__") and np.ndim(first) > 0)
    dtype = getattr(X, "dtype", None)
    if dtype is None or getattr(X, "ndim", None) != 1:
        return False
    return getattr(dtype, "kind", "O") in "OUT"


def as_ragged(items: Iterable[Any]) -> np.ndarray:
    """Put items into a 1-D object array, whatever their lengths.

    Parameters
    ----------
    items : iterable
        One object per utterance.

    Returns
    -------
    ragged : ndarray of shape (n_utterances,), dtype=object
        Never collapses into a numeric array when all lengths agree.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.utils import as_ragged
    >>> as_ragged([np.zeros(2), np.zeros(2)]).shape
    (2,)
    """
    items = list(items)
    ragged = np.empty(len(items), dtype=object)
    for i, item in enumerate(items):
        ragged[i] = item
    return ragged


def stack(outputs: Iterable[np.ndarray], *, length: int) -> np.ndarray:
    """Stack arrays of one shape as they come, without holding them twice.

    Parameters
    ----------
    outputs : iterable of ndarray
        Arrays of equal shape and type.
    length : int
        How many there are, at least one.

    Returns
    -------
    stacked : ndarray of shape (length, ...)

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.utils import stack
    >>> stack((np.full(2, i) for i in range(3)), length=3).shape
    (3, 2)
    """
    outputs = iter(outputs)
    first = next(outputs)
    stacked = np.empty((length, *np.shape(first)), dtype=np.asarray(first).dtype)
    stacked[0] = first
    for i, output in enumerate(outputs, start=1):
        stacked[i] = output
    return stacked


def check_audio(
    estimator: Any, X: Any, *, reset: bool, allow_paths: bool = False
) -> tuple[list[Any], Restore]:
    """Validate audio and return its waveforms with the way back to its container.

    Parameters
    ----------
    estimator : estimator
        For whom; ``n_features_in_`` is set on it for numeric input only.
    X : audio
        List or 1-D object array of 1-D waveforms, or a numeric array of shape
        (n_utterances, n_samples). int16 is scaled by 1/32768.
    reset : bool
        True in ``fit``.
    allow_paths : bool, default=False
        Let paths and :class:`AudioSegment` through as they are.

    Returns
    -------
    waveforms : list of ndarray of shape (n_samples,)
        float32 or float64 as given; other types become float64.
    restore : callable
        Turns one array per utterance into the kind of container X was.

    Raises
    ------
    ValueError
        If an utterance is empty, not one-dimensional, or has NaN or infinity.
    TypeError
        If paths are given where they are not allowed.
    """
    if not is_ragged(X):
        X = _validate_numeric(estimator, X, reset=reset)
        waveforms = list(X)
        _check_signals(waveforms)
        return waveforms, partial(stack, length=len(waveforms))
    if reset:
        _forget_features(estimator)
    waveforms = []
    for row, item in enumerate(X):
        if is_path(item):
            if not allow_paths:
                raise TypeError(
                    f"utterance {row} is a path ({item}), but {type(estimator).__name__} takes "
                    "waveforms: put an AudioLoader before it"
                )
            waveforms.append(item)
            continue
        waveform = _as_float(np.asarray(item))
        if waveform.ndim != 1:
            raise ValueError(
                f"utterance {row} has shape {waveform.shape}; a waveform is one-dimensional: "
                "average the channels first (AudioLoader does so for files)"
            )
        waveforms.append(waveform)
    _check_signals(waveforms)
    return waveforms, as_ragged


def check_frames(estimator: Any, X: Any, *, reset: bool) -> tuple[list[np.ndarray], Restore]:
    """Validate frames and return them one by one with the way back to their container.

    Parameters
    ----------
    estimator : estimator
        For whom; ``n_channels_in_`` and ``n_bins_in_`` are set on it, and
        ``n_features_in_`` for 2-D numeric input.
    X : frames
        List or 1-D object array of arrays (n_channels, n_bins, n_frames), or a
        numeric array with those axes behind the first. Two axes per utterance
        mean one channel; one numeric axis means one bin.
    reset : bool
        True in ``fit``.

    Returns
    -------
    frames : list of ndarray of shape (n_channels, n_bins, n_frames), float32
    restore : callable
        Turns one array per utterance into the kind of container X was.

    Raises
    ------
    ValueError
        If an utterance is empty, has NaN or infinity, or other channels or
        bins than in ``fit``.
    """
    if is_ragged(X):
        if reset:
            _forget_features(estimator)
        frames = [_as_frames(row, item) for row, item in enumerate(X)]
        restore: Restore = as_ragged
    else:
        ndim = np.asarray(X).ndim
        if ndim in (3, 4):
            X = check_array(X, dtype=np.float32, allow_nd=True, ensure_all_finite=False)
            if reset:
                _forget_features(estimator)
        else:
            X = _validate_numeric(estimator, X, reset=reset).astype(np.float32, copy=False)
            X = X[:, None, None, :]
        frames = [item[None] if item.ndim == 2 else item for item in X]
        restore = _RestoreFrames(ndim, len(frames))
    _check_shapes(estimator, frames, reset=reset)
    bad = [row for row, item in enumerate(frames) if not np.isfinite(item).all()]
    if bad:
        raise ValueError(f"{_rows(bad)} NaN or infinity; remove or repair them first")
    return frames, restore


@dataclass(frozen=True)
class _RestoreFrames:
    """Stack frames into a numeric array, dropping axes that the input did not have."""

    ndim: int
    length: int

    def __call__(self, outputs: Iterable[np.ndarray]) -> np.ndarray:
        stacked = stack(outputs, length=self.length)
        if self.ndim <= 3 and stacked.shape[1] == 1:
            stacked = stacked[:, 0]
            if self.ndim == 2 and stacked.shape[1] == 1:
                stacked = stacked[:, 0]
        return stacked


def _validate_numeric(estimator: Any, X: Any, *, reset: bool) -> np.ndarray:
    scale = getattr(X, "dtype", None) == np.int16
    X = validate_data(
        estimator,
        X,
        reset=reset,
        dtype=(np.float64, np.float32),
        ensure_all_finite=False,
        ensure_min_features=1,
    )
    return X / 32768 if scale else X


def _forget_features(estimator: Any) -> None:
    for name in ("n_features_in_", "feature_names_in_"):
        if hasattr(estimator, name):
            delattr(estimator, name)


def _as_float(waveform: np.ndarray) -> np.ndarray:
    if waveform.dtype == np.int16:
        return waveform.astype(np.float32) / np.float32(32768)
    if waveform.dtype in (np.float32, np.float64):
        return waveform
    if waveform.dtype.kind not in "biuf":
        raise ValueError(f"a waveform holds real numbers, not {waveform.dtype}")
    return waveform.astype(np.float64)


def _check_signals(waveforms: list[Any]) -> None:
    silent, loud = [], []
    for row, waveform in enumerate(waveforms):
        if is_path(waveform):
            continue
        if waveform.size == 0:
            raise ValueError(f"utterance {row} has no samples; remove it")
        peak = max(waveform.max(), -waveform.min())
        if not np.isfinite(peak):
            raise ValueError(
                f"utterance {row} contains NaN or infinity; remove it or repair its samples"
            )
        if peak == 0:
            silent.append(row)
        elif peak > 1:
            loud.append(row)
    if silent:
        warnings.warn(f"{_rows(silent)} only zeros (silence)", SignalWarning, stacklevel=4)
    if loud:
        warnings.warn(
            f"{_rows(loud)} samples beyond [-1, 1]; levels in decibels and openSMILE features "
            "assume that range",
            SignalWarning,
            stacklevel=4,
        )


def _rows(rows: list[int]) -> str:
    """Say which utterances something holds for: 'utterances 1, 2 and 9 more contain'."""
    return f"{name_rows(rows)} contain{'s' if len(rows) == 1 else ''}"


def _as_frames(row: int, item: Any) -> np.ndarray:
    if is_path(item):
        raise TypeError(f"utterance {row} is a path ({item}) where frames are expected")
    frames = np.asarray(item, dtype=np.float32)
    if frames.ndim == 2:
        frames = frames[None]
    if frames.ndim != 3:
        raise ValueError(
            f"utterance {row} has shape {frames.shape}; frames have the axes (n_channels, n_bins, "
            "n_frames): put LogMelSpectrogram, MFCC or Spectrogram before this step"
        )
    return frames


def _check_shapes(estimator: Any, frames: list[np.ndarray], *, reset: bool) -> None:
    if not frames:
        raise ValueError("Found array with 0 sample(s) while a minimum of 1 is required.")
    if reset or not hasattr(estimator, "n_bins_in_"):
        n_channels, n_bins = frames[0].shape[:2]
    else:
        n_channels, n_bins = estimator.n_channels_in_, estimator.n_bins_in_
    for row, item in enumerate(frames):
        if 0 in item.shape:
            raise ValueError(f"utterance {row} has no frames (shape {item.shape}); remove it")
        if item.shape[:2] != (n_channels, n_bins):
            raise ValueError(
                f"utterance {row} has {item.shape[0]} channels and {item.shape[1]} bins, "
                f"but {n_channels} and {n_bins} are expected"
            )
    if reset:
        estimator.n_channels_in_, estimator.n_bins_in_ = n_channels, n_bins
