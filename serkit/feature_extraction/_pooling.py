"""Statistics of frames over time."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
from sklearn.utils.validation import check_is_fitted

from serkit.feature_extraction._functionals import FunctionalsMixin, input_names
from serkit.utils import FrameTransformer

__all__ = ["TemporalPooling"]

Statistic = Callable[[np.ndarray], Any]


class TemporalPooling(FunctionalsMixin, FrameTransformer):
    """Describe every channel and bin by statistics over time.

    Utterances of any length become functionals of one size: for each statistic
    in turn all channels, and within a channel all bins.

    Parameters
    ----------
    statistics : iterable of str, default=("mean", "std")
        Any of "mean", "std", "min", "max", "range", "median", "iqr"
        (interquartile range), "skewness", "kurtosis" (0 for a normal
        distribution), "slope" (of the regression line, per frame), and
        percentiles as "p1", "p99" or "p2.5". Skewness, kurtosis and slope of
        a bin that does not vary, as in a single frame, are 0.
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
    OpenSmileFunctionals : Established sets of descriptors and statistics.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.feature_extraction import TemporalPooling
    >>> frames = [np.array([[[1.0, 3.0], [0.0, 0.0]]]), np.array([[[2.0], [5.0]]])]
    >>> pooling = TemporalPooling(("mean", "max")).fit(frames)
    >>> pooling.transform(frames)
    array([[2., 0., 3., 0.],
           [2., 5., 2., 5.]], dtype=float32)
    >>> pooling.get_feature_names_out()
    array(['c0_b0_mean', 'c0_b1_mean', 'c0_b0_max', 'c0_b1_max'], dtype=object)
    """

    _parameter_constraints: ClassVar[dict] = {
        **FrameTransformer._parameter_constraints,
        "statistics": ["array-like"],
    }

    def __init__(self, statistics=("mean", "std"), *, n_jobs=None, verbose=0):
        self.statistics = statistics
        self.n_jobs = n_jobs
        self.verbose = verbose

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Name the functionals by channel, bin and statistic, as in "c0_b3_mean".

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Checked as scikit-learn does, then ignored.

        Returns
        -------
        names : ndarray of shape (n_features,), dtype=object
        """
        check_is_fitted(self, "n_bins_in_")
        input_names(self, input_features)
        return np.array(
            [
                f"c{channel}_b{bin_}_{statistic}"
                for statistic in self.statistics
                for channel in range(self.n_channels_in_)
                for bin_ in range(self.n_bins_in_)
            ],
            dtype=object,
        )

    def _make_kernel(self) -> "_Pooling":
        if len(self.statistics) == 0:
            raise ValueError("statistics is empty; name at least one")
        return _Pooling(tuple(_parse(name) for name in self.statistics))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _skewness(frames: np.ndarray) -> np.ndarray:
    return np.mean(_standardized(frames) ** 3, axis=-1)


def _kurtosis(frames: np.ndarray) -> np.ndarray:
    z = _standardized(frames)
    # A bin that does not vary has no fourth moment to compare with a normal one.
    return np.where(z.any(axis=-1), np.mean(z**4, axis=-1) - 3, 0)


def _slope(frames: np.ndarray) -> np.ndarray:
    time = np.arange(frames.shape[-1]) - (frames.shape[-1] - 1) / 2
    return frames @ time / max(time @ time, 1.0)


def _iqr(frames: np.ndarray) -> np.ndarray:
    lower, upper = np.percentile(frames, (25, 75), axis=-1)
    return upper - lower


def _standardized(frames: np.ndarray) -> np.ndarray:
    mean = frames.mean(axis=-1, keepdims=True)
    std = frames.std(axis=-1, keepdims=True)
    varies = std > np.finfo(np.float32).eps * np.abs(mean)
    return np.divide(frames - mean, std, out=np.zeros_like(frames), where=varies)


_STATISTICS: dict[str, Statistic] = {
    "mean": partial(np.mean, axis=-1),
    "std": partial(np.std, axis=-1),
    "min": partial(np.min, axis=-1),
    "max": partial(np.max, axis=-1),
    "range": partial(np.ptp, axis=-1),
    "median": partial(np.median, axis=-1),
    "iqr": _iqr,
    "skewness": _skewness,
    "kurtosis": _kurtosis,
    "slope": _slope,
}


def _parse(name: str) -> Statistic:
    if name in _STATISTICS:
        return _STATISTICS[name]
    percentile = re.fullmatch(r"p(\d+(?:\.\d+)?)", str(name))
    if percentile is None or not 0 <= float(percentile[1]) <= 100:
        raise ValueError(
            f"unknown statistic {name!r}; choose from {', '.join(_STATISTICS)} or a percentile "
            'such as "p90"'
        )
    return partial(np.percentile, q=float(percentile[1]), axis=-1)


@dataclass(frozen=True)
class _Pooling:
    statistics: tuple[Statistic, ...]

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        frames = frames.astype(np.float64)
        return np.concatenate(
            [statistic(frames).ravel() for statistic in self.statistics], dtype=np.float32
        )
