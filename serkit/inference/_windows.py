"""Windows of recordings, and what a model says of each."""

from typing import Any

import numpy as np
import pandas as pd

from serkit.inference._model import FittedModel
from serkit.preprocessing import Resampler
from serkit.utils import as_ragged

__all__ = ["check_window", "window_bounds", "window_posteriors"]

#: Windows that are in memory together.
_BATCH_SIZE = 32


def window_posteriors(
    model: Any,
    waveform: Any,
    *,
    sampling_rate: int = 16000,
    window_length: int,
    hop_length: int | None = None,
) -> pd.DataFrame:
    """Say how probable every class is in every window of a recording in memory.

    Windows begin at every `hop_length`-th sample for as long as they fit. If
    samples are left behind the last one, one more window ends with the
    recording. A recording shorter than a window is one window, and is not padded.
    Every window is resampled, if need be, and classified by itself.

    Parameters
    ----------
    model : classifier
        A fitted classifier with ``predict_proba``, or a pipeline that ends in one.
    waveform : array-like of shape (n_samples,)
        The recording.
    sampling_rate : int, default=16000
        Its sampling rate in Hz. If the steps of the model ask for another one,
        the windows are resampled to it.
    window_length : int
        Length of a window in samples of `waveform`.
    hop_length : int or None, default=None
        Samples from the start of a window to the start of the next; ``None``
        lays them side by side.

    Returns
    -------
    posteriors : DataFrame
        One row per window: "start" and "end" in seconds, and one column per class.

    Raises
    ------
    TypeError
        If the model has no ``predict_proba``.
    ValueError
        If the waveform is not one-dimensional or empty, or a length is not
        positive.

    See Also
    --------
    iter_predictions : Does so for files, without holding them in memory.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from serkit.feature_extraction import MFCC, TemporalPooling
    >>> from serkit.inference import window_posteriors
    >>> rng = np.random.default_rng(0)
    >>> X = [scale * rng.normal(size=8000) for scale in (0.01, 0.2)]
    >>> model = make_pipeline(MFCC(), TemporalPooling(), LogisticRegression())
    >>> model = model.fit(X, ["calm", "anger"])
    >>> table = window_posteriors(model, np.concatenate(X), window_length=8000)
    >>> table.round(2)
       start  end  anger  calm
    0    0.0  0.5    0.0   1.0
    1    0.5  1.0    1.0   0.0
    """
    if not hasattr(model, "predict_proba"):
        raise TypeError(f"{type(model).__name__} has no predict_proba, so it knows no posteriors")
    fitted = FittedModel.of(model, use_cache=False)
    waveform = np.asarray(waveform)
    if waveform.ndim != 1 or not len(waveform):
        raise ValueError(
            f"waveform has shape {waveform.shape}; give one channel with one sample or more"
        )
    window_length, hop_length = check_window(window_length, hop_length)
    bounds = window_bounds(len(waveform), window_length, hop_length)
    target = sampling_rate if fitted.sampling_rate is None else fitted.rate_of_windows
    resampler = Resampler(sampling_rate, target_sampling_rate=target)
    posteriors: list[Any] = []
    for first in range(0, len(bounds), _BATCH_SIZE):
        windows = [waveform[start:stop] for start, stop in bounds[first : first + _BATCH_SIZE]]
        X = as_ragged(windows) if target == sampling_rate else resampler.transform(windows)
        posteriors.append(fitted.predict(X).of_classes)
    table = pd.DataFrame(bounds / sampling_rate, columns=["start", "end"])
    return table.join(pd.DataFrame(np.concatenate(posteriors), columns=fitted.classes))


def check_window(window_length: int, hop_length: int | None) -> tuple[int, int]:
    """Return both lengths in samples; side by side if no hop is given."""
    hop_length = window_length if hop_length is None else hop_length
    for name, length in (("window_length", window_length), ("hop_length", hop_length)):
        if length != int(length) or length < 1:
            raise ValueError(f"{name}={length!r}: it is a number of samples, 1 or more")
    return int(window_length), int(hop_length)


def window_bounds(n_samples: int, window_length: int, hop_length: int) -> np.ndarray:
    """Return the first sample of every window and the one behind its last, row by row."""
    if n_samples <= window_length:
        return np.array([[0, n_samples]])
    starts = np.arange(0, n_samples - window_length + 1, hop_length)
    if starts[-1] + window_length < n_samples:
        starts = np.append(starts, n_samples - window_length)
    return np.column_stack([starts, starts + window_length])
