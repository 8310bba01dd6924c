"""Utterances and labels unlike those of a corpus, to be put where nobody may look."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile
from scipy.signal import lfilter
from scipy.sparse import issparse

from serkit.utils import AudioSegment, as_ragged, check_container, is_path, open_audio

__all__ = ["poison_labels", "poison_rows"]

_DEVIATIONS = 10  # how far from the mean poisoned numbers lie
_SYLLABLE = 4000  # samples


def poison_rows(
    X: Any, rows: np.ndarray, *, folder: Path, random_state: np.random.RandomState
) -> Any:
    """Return a copy in which some rows hold something very different.

    Numbers lie about ten standard deviations off, their mean is elsewhere;
    utterances of a length of their own are half as long again; speech becomes
    noise in the rhythm of syllables. Types, names of columns and of files stay.

    Parameters
    ----------
    X : audio, frames or functionals
        The utterances.
    rows : ndarray of int
        Which of them are exchanged; none gives the copy that others compare with.
    folder : Path
        Where files are written that take the place of files.
    random_state : RandomState
        Where noise comes from.
    """
    if issparse(X):
        raise TypeError("X is sparse, and so are no features of speech; give X.toarray()")
    if not check_container(X):
        return _poison_numbers(X, rows, random_state)
    X = as_ragged(X)
    shapes = {np.shape(item) for item in X if not is_path(item)}
    growth = 1 if len(shapes) == 1 else 1.5
    for row in rows:
        if is_path(X[row]):
            X[row] = _other_file(X[row], folder / str(row), random_state)
        else:
            X[row] = _other_utterance(np.asarray(X[row]), growth, random_state)
    return X


def poison_labels(y: np.ndarray, rows: np.ndarray, *, shift: int) -> np.ndarray:
    """Return labels of which those of some rows are wrong, each and every one.

    Parameters
    ----------
    y : ndarray of shape (n_utterances, ...)
        Classes or numbers.
    rows : ndarray of int
        Which of them are exchanged.
    shift : int
        By how many classes; other shifts make other mistakes.
    """
    y = y.copy()
    if y.dtype.kind == "f":
        y[rows] = y.mean(axis=0) - (1 + shift) * (y[rows] - y.mean(axis=0)) + y.std(axis=0)
        return y
    codes, classes = pd.factorize(y)
    steps = 1 + (shift - 1) % max(1, len(classes) - 1)
    y[rows] = classes[(codes[rows] + steps) % len(classes)]
    return y


def _poison_numbers(X: Any, rows: np.ndarray, random_state: np.random.RandomState) -> Any:
    values = np.array(X)
    if values.dtype.kind not in "fiu":
        raise TypeError(
            f"X is of type {values.dtype}; utterances to be exchanged are audio, frames or numbers"
        )
    columns = values[0].shape
    mean, spread = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
    spread = np.where(spread > 0, spread, np.maximum(np.abs(mean), 1))
    side = random_state.choice([-1, 1], size=columns)
    noise = _DEVIATIONS * side + random_state.normal(size=(len(rows), *columns))
    poisoned = mean + spread * noise
    if values.dtype.kind in "iu":
        limits = np.iinfo(values.dtype)
        poisoned = np.rint(poisoned).clip(limits.min, limits.max)
    values[rows] = poisoned
    if hasattr(X, "columns"):
        return pd.DataFrame(values, index=X.index, columns=X.columns).astype(X.dtypes)
    return values


def _other_utterance(
    item: np.ndarray, growth: float, random_state: np.random.RandomState
) -> np.ndarray:
    """Return noise of the kind of an utterance, audio or frames."""
    length = int(np.ceil(item.shape[-1] * growth))
    if item.ndim > 1:
        mean, spread = item.mean(), item.std() or 1.0
        noise = _DEVIATIONS + random_state.normal(size=(*item.shape[:-1], length))
        return (mean + spread * noise).astype(item.dtype)
    full_scale = np.iinfo(item.dtype).max if item.dtype.kind == "i" else 1.0
    return (full_scale * _make_noise(length, random_state)).astype(item.dtype)


def _other_file(
    item: Any, folder: Path, random_state: np.random.RandomState
) -> Path | AudioSegment | str:
    """Write noise into a file of the same name elsewhere."""
    with open_audio(item) as audio:
        n_samples, rate = audio.n_samples, audio.sampling_rate
    is_segment = isinstance(item, AudioSegment)
    path = folder / Path(item.file if is_segment else item).name
    folder.mkdir(parents=True, exist_ok=True)
    noise = _make_noise(int(np.ceil(1.5 * n_samples)), random_state)
    soundfile.write(path, noise, rate)
    if is_segment:
        return AudioSegment(path)
    return str(path) if isinstance(item, str) else path


def _make_noise(length: int, random_state: np.random.RandomState) -> np.ndarray:
    """Return noise with less and less energy towards high frequencies, near full scale."""
    rhythm = 1.01 - np.cos(2 * np.pi * np.arange(length) / _SYLLABLE)
    noise = rhythm * lfilter([1.0], [1.0, -0.9], random_state.normal(size=length))
    return 0.9 * noise / np.abs(noise).max()
