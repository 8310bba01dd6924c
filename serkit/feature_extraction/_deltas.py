"""Derivatives of frames along time."""

import warnings
from dataclasses import dataclass
from functools import reduce
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from scipy.ndimage import correlate1d
from scipy.signal import savgol_coeffs
from sklearn.utils._param_validation import Interval, StrOptions

from serkit.utils import FrameTransformer, SignalWarning, name_rows

__all__ = ["Deltas"]

#: What each world means by deltas; explicit parameters win.
_CONVENTIONS: dict[str, dict[str, Any]] = {
    "librosa": {"width": 9, "higher_order": "savgol", "mode": "interp"},
    "torchaudio": {"width": 5, "higher_order": "delta_of_delta", "mode": "nearest"},
    "htk": {"width": 5, "higher_order": "delta_of_delta", "mode": "nearest"},
    "kaldi": {"width": 5, "higher_order": "composed", "mode": "nearest"},
}


class Deltas(FrameTransformer):
    r"""Append the derivatives of every bin along time.

    The first derivative is the regression slope over ``width`` frames,

    .. math:: d_t = \frac{\sum_{n=1}^{N} n (x_{t+n} - x_{t-n})}{2 \sum_{n=1}^{N} n^2},
              \qquad \text{width} = 2 N + 1,

    on which librosa, torchaudio, HTK and Kaldi agree inside an utterance. They
    differ at its edges and in the derivatives of higher order.

    Parameters
    ----------
    order : int, default=2
        Highest derivative; 2 appends Δ and ΔΔ.
    width : int or "auto", default="auto"
        Frames per regression, an odd number.
    axis : {"channel", "bin"}, default="channel"
        Where the derivatives go: behind the channels, as networks of three
        channels want them, or behind the bins.
    convention : {"librosa", "torchaudio", "htk", "kaldi"}, default="librosa"
        Sets what is "auto". librosa: width 9, "savgol", "interp"; torchaudio
        and HTK: width 5, "delta_of_delta", "nearest"; Kaldi: width 5,
        "composed", "nearest".
    higher_order : {"savgol", "delta_of_delta", "composed"} or "auto", default="auto"
        "savgol" fits a polynomial of degree k for the k-th derivative;
        "delta_of_delta" takes the delta of the derivative before;
        "composed" does so with one filter, which differs at the edges, where
        the frames are continued instead of their deltas.
    mode : {"interp", "nearest", "mirror", "constant"} or "auto", default="auto"
        How the edges are treated: "interp" fits the polynomial to the outermost
        ``width`` frames, "nearest" repeats the edge frame, "mirror" reflects
        about it, "constant" continues with zeros.
    n_jobs : int or None, default=None
        Number of parallel jobs over utterances.
    verbose : int or bool, default=0
        Show a progress bar when positive.

    Attributes
    ----------
    n_channels_in_ : int
        Number of channels seen in ``fit``.
    n_bins_in_ : int
        Number of bins seen in ``fit``.
    n_features_in_ : int
        Number of frames seen in ``fit``; only for 2-D numeric input.

    See Also
    --------
    MFCC : Cepstral coefficients, which deltas usually follow.

    Notes
    -----
    An utterance with fewer frames than ``mode="interp"`` needs is treated with
    "nearest"; a :class:`~serkit.utils.SignalWarning` names it.

    References
    ----------
    .. [1] S. Young et al., "The HTK Book", version 3.4, Cambridge University,
       2006, section 5.9.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.feature_extraction import Deltas
    >>> frames = np.arange(6, dtype=np.float32).reshape(1, 1, 1, 6) ** 2
    >>> Deltas(width=3).fit_transform(frames)[0, :, 0]
    array([[ 0.,  1.,  4.,  9., 16., 25.],
           [ 2.,  2.,  4.,  6.,  8.,  8.],
           [ 2.,  2.,  2.,  2.,  2.,  2.]], dtype=float32)
    """

    _parameter_constraints: ClassVar[dict] = {
        **FrameTransformer._parameter_constraints,
        "order": [Interval(Integral, 1, None, closed="left")],
        "width": [Interval(Integral, 3, None, closed="left"), StrOptions({"auto"})],
        "axis": [StrOptions({"channel", "bin"})],
        "convention": [StrOptions(set(_CONVENTIONS))],
        "higher_order": [StrOptions({"auto", "savgol", "delta_of_delta", "composed"})],
        "mode": [StrOptions({"auto", "interp", "nearest", "mirror", "constant"})],
    }

    def __init__(
        self,
        order=2,
        width="auto",
        *,
        axis="channel",
        convention="librosa",
        higher_order="auto",
        mode="auto",
        n_jobs=None,
        verbose=0,
    ):
        self.order = order
        self.width = width
        self.axis = axis
        self.convention = convention
        self.higher_order = higher_order
        self.mode = mode
        self.n_jobs = n_jobs
        self.verbose = verbose

    def _apply(self, kernel: Any, X: Any) -> np.ndarray:
        frames, restore = self._check_input(X, reset=False)
        short = [row for row, item in enumerate(frames) if item.shape[-1] < kernel.shortest]
        if short:
            warnings.warn(
                SignalWarning(
                    f"{name_rows(short)} of fewer than the {kernel.shortest} frames that "
                    'mode="interp" needs: the edge frames are repeated instead'
                ),
                stacklevel=3,
            )
        return restore(self._map(kernel, frames))

    def _make_kernel(self) -> "_Deltas":
        chosen = dict(_CONVENTIONS[self.convention])
        for name in chosen:
            if getattr(self, name) != "auto":
                chosen[name] = getattr(self, name)
        width, higher_order, mode = chosen["width"], chosen["higher_order"], chosen["mode"]
        if width % 2 == 0:
            raise ValueError(f"width must be odd, got {width}")
        if higher_order == "savgol" and width <= self.order:
            raise ValueError(
                f"a derivative of order {self.order} needs width > {self.order}, got {width}"
            )
        return _Deltas(
            _filters(width, self.order, higher_order),
            recursive=higher_order == "delta_of_delta",
            mode=mode,
            axis=0 if self.axis == "channel" else 1,
        )


def _filters(width: int, order: int, higher_order: str) -> tuple[np.ndarray, ...]:
    if higher_order == "savgol":
        return tuple(
            savgol_coeffs(width, degree, deriv=degree, use="dot") for degree in range(1, order + 1)
        )
    regression = savgol_coeffs(width, 1, deriv=1, use="dot")
    if higher_order == "delta_of_delta":
        return (regression,) * order
    return tuple(reduce(np.convolve, [regression] * degree) for degree in range(1, order + 1))


@dataclass(frozen=True)
class _Deltas:
    filters: tuple[np.ndarray, ...]
    recursive: bool
    mode: str
    axis: int

    @property
    def shortest(self) -> int:
        return max(map(len, self.filters)) if self.mode == "interp" else 1

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        mode = self.mode if frames.shape[-1] >= self.shortest else "nearest"
        parts = [frames]
        for taps in self.filters:
            parts.append(_correlate(parts[-1] if self.recursive else frames, taps, mode))
        return np.concatenate(parts, axis=self.axis)


def _correlate(frames: np.ndarray, taps: np.ndarray, mode: str) -> np.ndarray:
    if mode != "interp":
        return correlate1d(frames, taps, axis=-1, mode=mode)
    # The k-th derivative of a polynomial of degree k is constant: at the edges
    # the fit gives the value at the middle of the outermost window.
    derivative = correlate1d(frames, taps, axis=-1, mode="nearest")
    half = len(taps) // 2
    derivative[..., :half] = derivative[..., half : half + 1]
    derivative[..., -half:] = derivative[..., -half - 1 : -half]
    return derivative
