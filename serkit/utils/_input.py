"""Validation of audio and frames, utterance by utterance."""

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from sklearn.utils.validation import check_array, validate_data

from serkit.utils._containers import (
    ChangedAudio,
    Restore,
    as_ragged,
    check_container,
    is_path,
    is_ragged,
    stack,
)
from serkit.utils._rows import SignalWarning, at_row, name_rows

__all__ = ["check_audio", "check_columns", "check_frames", "forget_features"]


def check_audio(
    estimator: Any,
    X: Any,
    *,
    reset: bool,
    allow_paths: bool = False,
    levels: bool = True,
) -> tuple[Any, Restore]:
    """Validate audio and return its waveforms with the way back to its container.

    Parameters
    ----------
    estimator : estimator
        For whom; ``n_features_in_`` is set on it for numeric input only.
    X : audio
        List or 1-D object array of 1-D waveforms, or a numeric array of shape
        (n_utterances, n_samples). int16 is scaled by 1/32768. Waveforms may be
        :class:`ChangedAudio`.
    reset : bool
        True in ``fit``.
    allow_paths : bool, default=False
        Let paths, :class:`AudioSegment` and :class:`ChangedAudio` through as
        they are.
    levels : bool, default=True
        Warn of samples beyond [-1, 1], as steps do whose values depend on it.

    Returns
    -------
    waveforms : sequence of ndarray of shape (n_samples,)
        float32 or float64 as given; other types become float64. Where some are
        :class:`ChangedAudio`, these are changed every time they are taken.
    restore : callable
        Turns one array per utterance into the kind of container X was.

    Raises
    ------
    ValueError
        If an utterance is empty, not one-dimensional, or has NaN or infinity.
    TypeError
        If X is no container of utterances, an utterance is no waveform, or
        paths are given where they are not allowed.

    Warns
    -----
    SignalWarning
        Of silence and levels, unless `reset`: what a step is fitted on it gets
        again.
    """
    if check_container(X):
        if reset:
            forget_features(estimator)
        waveforms = [
            item if allow_paths and is_path(item) else _as_waveform(estimator, row, item)
            for row, item in enumerate(X)
        ]
        restore: Restore = as_ragged
    else:
        waveforms = list(_validate_numeric(estimator, X, reset=reset))
        restore = partial(stack, length=len(waveforms))
    silent, loud = _silent_and_loud(waveforms)
    if not reset:
        _warn(silent, loud if levels else [])
    if not allow_paths and any(isinstance(item, ChangedAudio) for item in waveforms):
        return _ReadWaveforms(waveforms, getattr(estimator, "sampling_rate", None)), restore
    return waveforms, restore


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
    TypeError
        If X is no container of utterances, or an utterance is not an array.
    """
    if check_container(X):
        if reset:
            forget_features(estimator)
        frames = [_as_frames(row, item) for row, item in enumerate(X)]
        restore: Restore = as_ragged
    else:
        ndim = np.asarray(X).ndim
        if ndim in (3, 4):
            X = check_array(X, dtype=np.float32, allow_nd=True, ensure_all_finite=False)
            if reset:
                forget_features(estimator)
        else:
            X = validate_data(estimator, X, reset=reset, dtype=np.float32, ensure_all_finite=False)[
                :, None, None, :
            ]
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
    # A data frame has no dtype of its own.
    is_int16 = hasattr(X, "__array__") and np.asarray(X).dtype == np.int16
    X = validate_data(
        estimator,
        X,
        reset=reset,
        dtype=np.float32 if is_int16 else (np.float64, np.float32),
        ensure_all_finite=False,
    )
    return X / np.float32(32768) if is_int16 else X


def forget_features(estimator: Any) -> None:
    """Delete what an earlier ``fit`` on numeric input has set.

    Parameters
    ----------
    estimator : estimator
        Fitted or not.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.preprocessing import StandardScaler
    >>> from serkit.utils import forget_features
    >>> scaler = StandardScaler().fit(np.eye(2))
    >>> forget_features(scaler)
    >>> hasattr(scaler, "n_features_in_")
    False
    """
    for name in ("n_features_in_", "feature_names_in_"):
        if hasattr(estimator, name):
            delattr(estimator, name)


def check_columns(estimator: Any, X: Any, *, reset: bool) -> None:
    """Remember or compare the columns of X for an estimator that hands X on to another.

    Parameters
    ----------
    estimator : estimator
        For whom; ``n_features_in_`` is set on it for 2-D numeric input only.
    X : audio, frames or functionals
        The utterances. Of ragged ones, and of frames, nothing is remembered, for
        rows of any length are welcome.
    reset : bool
        True in ``fit``.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.svm import SVC
    >>> from serkit.utils import check_columns
    >>> outer = SVC()
    >>> check_columns(outer, np.eye(3), reset=True)
    >>> outer.n_features_in_
    3
    """
    if reset:
        forget_features(estimator)
    if is_ragged(X) or (X.ndim if hasattr(X, "ndim") else np.asarray(X).ndim) > 2:
        return
    # What the values may be depends on the estimator inside.
    options = {"dtype": None, "accept_sparse": True, "ensure_all_finite": False}
    validate_data(estimator, X, reset=reset, **options)


@dataclass(frozen=True)
class _ReadWaveforms(Sequence):
    """Waveforms, of which some are changed when they are taken, one at a time."""

    items: list[Any]
    sampling_rate: int | None

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, row: Any) -> Any:
        if isinstance(row, slice):
            return [self[one] for one in range(*row.indices(len(self)))]
        with at_row(row):
            return self._read(self.items[row])

    def _read(self, item: Any) -> np.ndarray:
        if isinstance(item, ChangedAudio):
            return item.change(self._read(item.source), self.sampling_rate)
        return item


def _as_waveform(estimator: Any, row: int, item: Any) -> Any:
    if isinstance(item, ChangedAudio) and item.in_memory:
        return item
    if is_path(item):
        raise TypeError(
            f"utterance {row} is a path ({item}), but {type(estimator).__name__} takes waveforms: "
            "put an AudioLoader before it"
        )
    waveform = _as_array(row, item, "a waveform")
    if waveform.dtype.kind not in "biuf":
        raise ValueError(f"utterance {row}: a waveform holds real numbers, not {waveform.dtype}")
    if waveform.ndim != 1:
        raise ValueError(
            f"utterance {row} has shape {waveform.shape}; a waveform is one-dimensional: "
            "average the channels first (AudioLoader does so for files)"
        )
    if waveform.dtype == np.int16:
        return waveform.astype(np.float32) / np.float32(32768)
    if waveform.dtype in (np.float32, np.float64):
        return waveform
    return waveform.astype(np.float64)


def _as_array(row: int, item: Any, expected: str) -> np.ndarray:
    array = np.asarray(item)
    if array.ndim == 0:
        raise TypeError(f"utterance {row} is of type {type(item).__name__}, not {expected}")
    return array


def _silent_and_loud(waveforms: list[Any]) -> tuple[list[int], list[int]]:
    """Return the rows of silence and of samples beyond [-1, 1]; refuse what has no samples."""
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
    return silent, loud


def _warn(silent: list[int], loud: list[int]) -> None:
    # With stacklevel=1 the place is that of all steps, so that Python's default
    # filter shows the same warning once, not at every step of a pipeline.
    if silent:
        warnings.warn(SignalWarning(f"{_rows(silent)} only zeros (silence)"), stacklevel=1)
    if loud:
        warnings.warn(
            SignalWarning(
                f"{_rows(loud)} samples beyond [-1, 1]; levels in decibels and openSMILE features "
                "assume that range (16-bit integers are scaled to it, other integers are not)"
            ),
            stacklevel=1,
        )


def _rows(rows: list[int]) -> str:
    """Say which utterances something holds for: 'utterances 1, 2 and 9 more contain'."""
    return f"{name_rows(rows)} contain{'s' if len(rows) == 1 else ''}"


def _as_frames(row: int, item: Any) -> np.ndarray:
    if is_path(item):
        raise TypeError(f"utterance {row} is a path ({item}) where frames are expected")
    frames = _as_array(row, item, "an array of frames").astype(np.float32, copy=False)
    if frames.ndim == 2:
        frames = frames[None]
    if frames.ndim != 3:
        raise ValueError(
            f"utterance {row} has shape {frames.shape}; frames have the axes (n_channels, n_bins, "
            "n_frames): put LogMelSpectrogram, MFCC or Spectrogram before this step"
        )
    return frames


def _check_shapes(estimator: Any, frames: list[np.ndarray], *, reset: bool) -> None:
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
