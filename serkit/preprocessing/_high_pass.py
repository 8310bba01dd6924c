"""Removal of low frequencies."""

from collections.abc import Callable
from functools import partial
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from scipy.signal import butter, sosfilt, sosfiltfilt
from sklearn.utils._param_validation import Interval

from serkit.utils import WaveformTransformer

__all__ = ["HighPassFilter"]


class HighPassFilter(WaveformTransformer):
    """Remove what is below a cutoff frequency with a Butterworth filter.

    Parameters
    ----------
    cutoff : float, default=100.0
        Frequency in Hz at which one pass of the filter damps by 3 dB.
    order : int, default=8
        Order of the filter: the slope is `order` times 6 dB per octave.
    sampling_rate : int, default=16000
        Sampling rate of the input in Hz.
    zero_phase : bool, default=True
        Filter forwards and backwards, which keeps the phase and doubles the
        damping in dB; otherwise forwards only, from rest.
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
    PreEmphasis : Raises high frequencies gently.

    References
    ----------
    .. [1] E. Guizzo, "Enhancing the Generalization of Convolutional Neural Networks
       for Speech Emotion Recognition", PhD thesis, City, University of London,
       2023, section 3.2.1.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.preprocessing import HighPassFilter
    >>> time = np.arange(16000) / 16000
    >>> hum = 0.5 * np.sin(2 * np.pi * 50 * time)
    >>> (filtered,) = HighPassFilter(cutoff=100.0).fit_transform([hum])
    >>> bool(np.abs(filtered[2000:-2000]).max() < 1e-4)
    True
    """

    _parameter_constraints: ClassVar[dict] = {
        **WaveformTransformer._parameter_constraints,
        "cutoff": [Interval(Real, 0, None, closed="neither")],
        "order": [Interval(Integral, 1, None, closed="left")],
        "sampling_rate": [Interval(Integral, 1, None, closed="left")],
        "zero_phase": ["boolean"],
    }

    def __init__(
        self,
        cutoff=100.0,
        order=8,
        *,
        sampling_rate=16000,
        zero_phase=True,
        n_jobs=None,
        verbose=0,
    ):
        self.cutoff = cutoff
        self.order = order
        self.sampling_rate = sampling_rate
        self.zero_phase = zero_phase
        self.n_jobs = n_jobs
        self.verbose = verbose

    def _make_kernel(self) -> Callable[[np.ndarray], np.ndarray]:
        if self.cutoff >= self.sampling_rate / 2:
            raise ValueError(
                f"cutoff={self.cutoff:g} Hz has to be below half of the sampling rate "
                f"({self.sampling_rate / 2:g} Hz)"
            )
        sections = butter(self.order, self.cutoff, "highpass", fs=self.sampling_rate, output="sos")
        return partial(_filter, sections=sections, zero_phase=self.zero_phase)


def _filter(waveform: np.ndarray, *, sections: np.ndarray, zero_phase: bool) -> np.ndarray:
    if zero_phase:
        # As scipy's default, which refuses signals that are not longer than it.
        padding = 3 * (2 * len(sections) + 1 - (sections[:, 5] == 0).sum())
        filtered = sosfiltfilt(sections, waveform, padlen=min(padding, len(waveform) - 1))
    else:
        filtered = sosfilt(sections, waveform)
    return filtered.astype(waveform.dtype, copy=False)
