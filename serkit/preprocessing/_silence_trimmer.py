"""Removal of silence at both ends."""

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from serkit.utils import SignalWarning, WaveformTransformer, is_ragged, name_rows

__all__ = ["SilenceTrimmer"]

_FLOOR = 1e-5  # root mean squares below count as this one: -100 dB of full scale


class SilenceTrimmer(WaveformTransformer):
    """Cut silence at the beginning and at the end of every waveform.

    A frame is silent when its root mean square is `top_db` or more below the
    reference. Everything between the first and the last frame that is not
    stays, pauses as well. The interval is that of ``librosa.effects.trim``:
    frames are centred, the signal is continued with zeros.

    In a numeric array rows keep their length: what remains moves to the left,
    and zeros follow.

    Parameters
    ----------
    top_db : float, default=25
        How far below the reference silence begins, in dB.
    frame_length : int, default=2048
        Length of a frame in samples.
    hop_length : int, default=512
        Step from frame to frame in samples; cuts are at its multiples.
    ref : "max" or float, default="max"
        The reference: the loudest frame of the utterance, or a root mean square
        (1.0 is that of a square wave at full scale). Utterances that are silent
        throughout stay as they are; beside a fixed reference that gives a
        :class:`~serkit.utils.SignalWarning`.
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
    WienerFilter : Smooths noise.
    PadOrTruncate : Brings waveforms to one length.

    References
    ----------
    .. [1] B. Leow Xuan Zhen, "Speaker-Invariant Speech Emotion Recognition with
       Domain Adversarial Training", Nanyang Technological University, 2021,
       section 3.1.1.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.preprocessing import SilenceTrimmer
    >>> waveform = np.concatenate([np.zeros(8000), np.ones(4000), np.zeros(8000)])
    >>> (trimmed,) = SilenceTrimmer().fit_transform([waveform])
    >>> len(trimmed)
    6144
    """

    _parameter_constraints: ClassVar[dict] = {
        **WaveformTransformer._parameter_constraints,
        "top_db": [Interval(Real, 0, None, closed="neither")],
        "frame_length": [Interval(Integral, 1, None, closed="left")],
        "hop_length": [Interval(Integral, 1, None, closed="left")],
        "ref": [StrOptions({"max"}), Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        top_db=25,
        *,
        frame_length=2048,
        hop_length=512,
        ref="max",
        n_jobs=None,
        verbose=0,
    ):
        self.top_db = top_db
        self.frame_length = frame_length
        self.hop_length = hop_length
        self.ref = ref
        self.n_jobs = n_jobs
        self.verbose = verbose

    def _make_kernel(self) -> Callable[[np.ndarray], np.ndarray]:
        return _Trim(self.top_db, self.frame_length, self.hop_length, self.ref)

    def _apply(self, kernel: Callable[[np.ndarray], np.ndarray], X: Any) -> np.ndarray:
        waveforms, restore = self._check_input(X, reset=False)
        trimmed = list(self._map(kernel, waveforms))
        silent = [row for row, waveform in enumerate(trimmed) if not len(waveform)]
        if silent:
            warnings.warn(
                SignalWarning(f"{name_rows(silent)}: silent throughout, left whole"), stacklevel=3
            )
        for row in silent:
            trimmed[row] = waveforms[row]
        if is_ragged(X):
            return restore(trimmed)
        return restore(map(_followed_by_zeros, trimmed, map(len, waveforms)))


@dataclass(frozen=True)
class _Trim:
    top_db: float
    frame_length: int
    hop_length: int
    ref: str | float

    def __call__(self, waveform: np.ndarray) -> np.ndarray:
        level = np.maximum(self._levels(waveform), _FLOOR)
        reference = level.max() if isinstance(self.ref, str) else max(self.ref, _FLOOR)
        (loud,) = np.nonzero(level > reference * 10 ** (-self.top_db / 20))
        if not len(loud):
            return waveform[:0]
        return waveform[loud[0] * self.hop_length : (loud[-1] + 1) * self.hop_length]

    def _levels(self, waveform: np.ndarray) -> np.ndarray:
        """Return the root mean square of every frame, from sums over blocks of samples."""
        margin = self.frame_length // 2
        block = math.gcd(self.hop_length, self.frame_length, margin)
        blocks = np.pad(waveform, (0, -len(waveform) % block)).reshape(-1, block)
        energy = np.zeros(len(blocks) + 1)
        np.cumsum(np.vecdot(blocks, blocks), dtype=np.float64, out=energy[1:])
        last = len(waveform) + margin - self.frame_length
        begin = np.arange(-margin, last + 1, self.hop_length) // block
        end = np.minimum(begin + self.frame_length // block, len(blocks))
        return np.sqrt((energy[end] - energy[np.maximum(begin, 0)]) / self.frame_length)


def _followed_by_zeros(waveform: np.ndarray, length: int) -> np.ndarray:
    return np.pad(waveform, (0, length - len(waveform)))
