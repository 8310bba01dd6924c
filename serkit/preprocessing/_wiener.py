"""Adaptive Wiener smoothing of waveforms."""

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from scipy.ndimage import uniform_filter1d
from sklearn.utils._param_validation import Interval

from serkit.utils import WaveformTransformer

__all__ = ["WienerFilter"]


class WienerFilter(WaveformTransformer):
    """Smooth every waveform with an adaptive Wiener filter.

    Where the local variance is near the noise level a sample is drawn towards
    the local mean, elsewhere it stays. Values equal :func:`scipy.signal.wiener`;
    silence, on which that function divides by zero, stays silence.

    Put it before padding: the noise level is a mean over the whole signal.

    Parameters
    ----------
    size : int, default=3
        Length of the window in samples; an odd number.
    noise : float or None, default=None
        Noise power; ``None`` takes the mean of the local variances.
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
    SilenceTrimmer : Cuts silence at the ends.

    References
    ----------
    .. [1] B. Leow Xuan Zhen, "Speaker-Invariant Speech Emotion Recognition with
       Domain Adversarial Training", Nanyang Technological University, 2021,
       section 3.1.2.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.preprocessing import WienerFilter
    >>> WienerFilter(size=3).fit_transform(np.array([[0.0, 0.8, 0.0, 0.0]])).round(2)
    array([[0.2, 0.4, 0.2, 0. ]])
    """

    _parameter_constraints: ClassVar[dict] = {
        **WaveformTransformer._parameter_constraints,
        "size": [Interval(Integral, 1, None, closed="left")],
        "noise": [None, Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, size=3, noise=None, *, n_jobs=None, verbose=0):
        self.size = size
        self.noise = noise
        self.n_jobs = n_jobs
        self.verbose = verbose

    def _make_kernel(self) -> Callable[[np.ndarray], np.ndarray]:
        if self.size % 2 == 0:
            raise ValueError(f"size must be odd, got {self.size}")
        return _Wiener(self.size, self.noise)


@dataclass(frozen=True)
class _Wiener:
    size: int
    noise: float | None

    def __call__(self, waveform: np.ndarray) -> np.ndarray:
        # One block for all steps: given back and taken again step by step, large
        # arrays cost more in page faults than in arithmetic.
        x, mean, variance, square = np.empty((4, len(waveform)))
        x[:] = waveform
        uniform_filter1d(x, self.size, mode="constant", output=mean)
        np.multiply(x, x, out=square)
        uniform_filter1d(square, self.size, mode="constant", output=variance)
        variance -= np.multiply(mean, mean, out=square)
        noise = variance.mean() if self.noise is None else self.noise
        if noise <= 0:
            return waveform
        # mean + (1 - gain) * (x - mean), where gain = min(1, noise / variance)
        gain = np.divide(noise, np.maximum(variance, noise, out=variance), out=variance)
        filtered = np.subtract(mean, x, out=mean)
        filtered *= gain
        filtered += x
        return filtered.astype(waveform.dtype)
