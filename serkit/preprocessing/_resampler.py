"""Change of the sampling rate."""

from collections.abc import Callable
from functools import partial
from numbers import Integral
from typing import ClassVar

import numpy as np
import soxr
from sklearn.utils._param_validation import Interval, StrOptions

from serkit.utils import WaveformTransformer

__all__ = ["QUALITIES", "Resampler", "resample"]

QUALITIES = StrOptions({"QQ", "LQ", "MQ", "HQ", "VHQ"})


class Resampler(WaveformTransformer):
    """Bring every waveform from one sampling rate to another.

    An utterance of n samples has ceil(n * target / original) samples
    afterwards, as librosa counts them. Files are resampled by
    :class:`AudioLoader` already.

    Parameters
    ----------
    sampling_rate : int, default=16000
        Sampling rate of the input in Hz.
    target_sampling_rate : int, default=16000
        Sampling rate of the output in Hz.
    quality : {"QQ", "LQ", "MQ", "HQ", "VHQ"}, default="HQ"
        Quality of soxr, from quick to very high.
    n_jobs : int or None, default=None
        Number of parallel jobs over utterances.
    verbose : int or bool, default=0
        Show a progress bar when positive.

    Attributes
    ----------
    n_features_in_ : int
        Number of samples seen in ``fit``; only for numeric input.

    See Also
    --------
    AudioLoader : Reads files of any sampling rate.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.preprocessing import Resampler
    >>> Resampler(48000, target_sampling_rate=16000).fit_transform(np.ones((2, 4800))).shape
    (2, 1600)
    """

    _parameter_constraints: ClassVar[dict] = {
        **WaveformTransformer._parameter_constraints,
        "sampling_rate": [Interval(Integral, 1, None, closed="left")],
        "target_sampling_rate": [Interval(Integral, 1, None, closed="left")],
        "quality": [QUALITIES],
    }

    def __init__(
        self,
        sampling_rate=16000,
        *,
        target_sampling_rate=16000,
        quality="HQ",
        n_jobs=None,
        verbose=0,
    ):
        self.sampling_rate = sampling_rate
        self.target_sampling_rate = target_sampling_rate
        self.quality = quality
        self.n_jobs = n_jobs
        self.verbose = verbose

    def _make_kernel(self) -> Callable[[np.ndarray], np.ndarray]:
        return partial(
            resample,
            rate=self.sampling_rate,
            target=self.target_sampling_rate,
            quality=self.quality,
        )


def resample(waveform: np.ndarray, *, rate: int, target: int, quality: str) -> np.ndarray:
    """Resample one waveform; its dtype is kept."""
    if rate == target:
        return waveform
    resampled = soxr.resample(waveform, rate, target, quality=quality)
    n_samples = -(-len(waveform) * target // rate)
    # soxr rounds the length; what it leaves out at the very end is at most one sample.
    return np.pad(resampled[:n_samples], (0, max(0, n_samples - len(resampled))))
