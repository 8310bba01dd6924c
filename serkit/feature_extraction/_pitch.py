"""Pitch by normalised cross-correlation and the cheapest path through its lags."""

from dataclasses import dataclass, field

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import firwin, resample_poly

__all__ = ["PitchTracker"]

#: Rate of the low-passed signal in Hz, at least, and the edge of the low-pass.
_REDUCED_RATE = 4000
_LOWPASS = 1000
#: Ratio of neighbouring lags; peaks are interpolated between them.
_LAG_RATIO = 1.01
#: Lags on either side that an interpolated correlation is made of.
_REACH = 5
#: Energy added to products of energies, in those of the average frame: quiet
#: frames get flat correlations and follow their neighbours.
_BALLAST = 7000.0
#: Cost of a change per squared natural logarithm of the ratio of two lags.
_CHANGE_COST = 0.1
#: Frequency in Hz whose period gets no credit; shorter lags are preferred a little.
_SOFT_MIN = 10.0


@dataclass(frozen=True, eq=False)
class PitchTracker:
    """Estimate the pitch of one waveform, frame by frame.

    Every frame gets a pitch, voiced or not; the correlation at that lag tells
    how periodic it is. A frame is compared with the signal before and after it
    alike, so that the estimate belongs to the middle of the frame.

    Parameters
    ----------
    sampling_rate : int
        Sampling rate of the waveform in Hz.
    win_length : int
        Length of a frame in samples.
    hop_length : int
        Samples from one frame to the next; the first begins at the first sample.
    f_min, f_max : float
        Range of the pitch in Hz.

    References
    ----------
    .. [1] P. Ghahremani, B. BabaAli, D. Povey, K. Riedhammer, J. Trmal and
       S. Khudanpur, "A pitch extraction algorithm tuned for automatic speech
       recognition", Proc. ICASSP 2014, pp. 2494-2498, section 2.
    .. [2] D. Talkin, "A robust algorithm for pitch tracking (RAPT)", in Speech
       Coding and Synthesis, Elsevier, 1995, pp. 495-518.
    """

    sampling_rate: int
    win_length: int
    hop_length: int
    f_min: float
    f_max: float
    _lowpass: np.ndarray = field(init=False, repr=False)
    _lags: np.ndarray = field(init=False, repr=False)
    _interpolation: np.ndarray = field(init=False, repr=False)
    _change_costs: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        n_lags = int(np.log(self.f_max / self.f_min) / np.log(_LAG_RATIO)) + 2
        lags = self.rate / np.geomspace(self.f_max, self.f_min, n_lags)
        steps = np.log(lags)[:, None] - np.log(lags)
        shared = {
            "_lowpass": _lowpass(self.sampling_rate),
            "_lags": lags,
            "_interpolation": _sinc_interpolation(lags, self._max_lag),
            "_change_costs": (_CHANGE_COST * steps**2).astype(np.float32),
        }
        for name, value in shared.items():
            object.__setattr__(self, name, value)

    @property
    def decimation(self) -> int:
        """Number of samples that one sample of the reduced signal stands for."""
        return max(1, self.sampling_rate // _REDUCED_RATE)

    @property
    def rate(self) -> float:
        """Sampling rate of the reduced signal in Hz."""
        return self.sampling_rate / self.decimation

    @property
    def _max_lag(self) -> int:
        return int(self.rate / self.f_min) + 1 + _REACH

    def __call__(self, waveform: np.ndarray, n_frames: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the pitch of every frame in Hz, and the correlation at it.

        Parameters
        ----------
        waveform : ndarray of shape (n_samples,)
            The waveform.
        n_frames : int
            Number of frames.

        Returns
        -------
        pitch : ndarray of shape (n_frames,)
            In Hz.
        nccf : ndarray of shape (n_frames,)
            Normalised cross-correlation at that lag, in [-1, 1]; 0 in silence.
        """
        reduced = resample_poly(
            waveform.astype(np.float64), 1, self.decimation, window=self._lowpass
        )
        products, energies, ballast = self._correlate(reduced, n_frames)
        nccf = _normalise(products, energies, 0.0) @ self._interpolation
        with_ballast = _normalise(products, energies, ballast) @ self._interpolation
        credit = 1 - _SOFT_MIN / self.rate * self._lags
        path = cheapest_path(1 - with_ballast * credit, self._change_costs)
        return self._refine(nccf, path)

    def _correlate(
        self, reduced: np.ndarray, n_frames: int
    ) -> tuple[np.ndarray, np.ndarray, float]:
        """Correlate the middle of each segment with all of it.

        Returns the sums of products at lags -max_lag to max_lag, the products
        of the energies, and the energy of ballast.
        """
        window = max(2, round(self.win_length / self.decimation))
        length = window + 2 * self._max_lag
        starts = np.rint(np.arange(n_frames) * self.hop_length / self.decimation).astype(int)
        padded = np.zeros(max(starts[-1] + length, len(reduced) + self._max_lag))
        padded[self._max_lag : self._max_lag + len(reduced)] = reduced
        segments = np.lib.stride_tricks.sliding_window_view(padded, length)[starts]
        segments = segments - segments.mean(axis=1, keepdims=True)
        middles = segments[:, self._max_lag : self._max_lag + window]

        size = next_fast_len(length, real=True)
        spectra = rfft(segments, size) * rfft(middles, size).conj()
        products = irfft(spectra, size)[:, : 2 * self._max_lag + 1]

        sums = np.cumsum(np.pad(segments**2, ((0, 0), (1, 0))), axis=1)
        energies = sums[:, window:] - sums[:, :-window]
        energies = np.maximum(energies * energies[:, [self._max_lag]], 0)
        ballast = _BALLAST * (reduced.var() * window) ** 2
        return products, energies, ballast

    def _refine(self, nccf: np.ndarray, path: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Move from the lags of the path to the tops of parabolas through their neighbours."""
        rows = np.arange(len(path))
        inner = np.clip(path, 1, nccf.shape[1] - 2)
        around = nccf[rows[:, None], inner[:, None] + np.arange(-1, 2)]
        # The path may lag one step behind the peak: change costs.
        inner = np.clip(inner + around.argmax(axis=1) - 1, 1, nccf.shape[1] - 2)
        left, top, right = (nccf[rows, inner + step] for step in (-1, 0, 1))
        bend = left - 2 * top + right
        is_peak = (top >= left) & (top >= right) & (bend < 0)
        shift = np.zeros(len(path))
        np.divide(0.5 * (left - right), bend, out=shift, where=is_peak)
        index = np.where(is_peak, inner, path)
        lags = self._lags[index] * (self._lags[1] / self._lags[0]) ** shift
        value = nccf[rows, index] - 0.25 * (left - right) * shift
        return self.rate / lags, np.clip(value, -1, 1)


def cheapest_path(costs: np.ndarray, change_costs: np.ndarray) -> np.ndarray:
    """Find the path through the frames with the least sum of costs.

    Parameters
    ----------
    costs : ndarray of shape (n_frames, n_states)
        Cost of each state in each frame.
    change_costs : ndarray of shape (n_states, n_states)
        Cost of a change from the state of the column to that of the row.

    Returns
    -------
    path : ndarray of shape (n_frames,)
        Index of the state of each frame.
    """
    costs = costs.astype(np.float32)
    n_frames, n_states = costs.shape
    before = np.zeros((n_frames, n_states), dtype=np.intp)
    states = np.arange(n_states)
    total = costs[0]
    candidates = np.empty_like(change_costs)
    for frame in range(1, n_frames):
        np.add(change_costs, total, out=candidates)
        before[frame] = candidates.argmin(axis=1)
        total = candidates[states, before[frame]] + costs[frame]
        total -= total.min()  # Sums over long signals would lose their last digits.
    path = np.empty(n_frames, dtype=np.intp)
    path[-1] = total.argmin()
    for frame in range(n_frames - 1, 0, -1):
        path[frame - 1] = before[frame, path[frame]]
    return path


def _normalise(products: np.ndarray, energies: np.ndarray, ballast: float) -> np.ndarray:
    """Divide by the energies, after folding the lags before and after a frame together."""
    middle = products.shape[1] // 2
    norms = np.sqrt(energies + ballast)
    numerator = products[:, middle:] + products[:, middle::-1]
    denominator = norms[:, middle:] + norms[:, middle::-1]
    floor = 1e-10 * denominator.max()
    out = np.zeros_like(numerator)
    return np.divide(numerator, denominator, out=out, where=denominator > floor)


def _sinc_interpolation(lags: np.ndarray, max_lag: int) -> np.ndarray:
    """Return the matrix (max_lag + 1, n_lags) from whole lags to others."""
    distance = lags - np.arange(max_lag + 1)[:, None]
    taper = np.where(abs(distance) < _REACH, 0.5 + 0.5 * np.cos(np.pi * distance / _REACH), 0)
    weights = np.sinc(distance) * taper
    return weights / weights.sum(axis=0)


def _lowpass(sampling_rate: int) -> np.ndarray:
    """Return a low-pass filter that reaches over four periods of its edge on either side."""
    reach = 4 * max(1, round(sampling_rate / _LOWPASS))
    edge = min(_LOWPASS, 0.49 * sampling_rate)
    return firwin(2 * reach + 1, edge, fs=sampling_rate)
