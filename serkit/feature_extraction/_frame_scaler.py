"""Frames on a common scale."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any, ClassVar

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted

from serkit.utils import FrameTransformer

__all__ = ["FrameScaler"]


class FrameScaler(FrameTransformer):
    """Bring frames to a common scale, of every bin by itself or of all together.

    Parameters
    ----------
    scope : {"corpus", "utterance"}, default="corpus"
        Over which frames the statistics are taken: all frames seen in ``fit``,
        or those of the utterance itself (cepstral mean and variance
        normalization), which needs no fit.
    method : {"standard", "max"}, default="standard"
        Subtract the mean and divide by the standard deviation, or divide by the
        largest magnitude, which leaves zeros as they are.
    per : {"bin", "all"}, default="bin"
        What has statistics of its own: every bin of every channel; or all have
        the same, so that the shape of a spectrum stays.
    with_mean : bool, default=True
        Subtract the mean; for ``method="standard"`` only.
    with_std : bool, default=True
        Divide by the standard deviation; for ``method="standard"`` only. A bin
        that does not vary is left at its scale.
    clip : bool, default=False
        Cut off what is beyond [-1, 1]; for ``method="max"`` only, where the
        utterances of ``fit`` are within.
    n_jobs : int or None, default=None
        Number of parallel jobs over utterances.
    verbose : int or bool, default=0
        Show a progress bar when positive.

    Attributes
    ----------
    mean_ : ndarray of shape (n_channels, n_bins) or (1, 1), or None
        Mean over all frames, each frame with the same weight; of shape (1, 1)
        if `per` is "all". ``None`` if none is subtracted; absent if `scope` is
        "utterance".
    scale_ : ndarray of shape (n_channels, n_bins) or (1, 1), or None
        What is divided by. ``None`` if nothing is; absent if `scope` is
        "utterance".
    n_channels_in_ : int
        Number of channels seen in ``fit``.
    n_bins_in_ : int
        Number of bins seen in ``fit``.
    n_features_in_ : int
        Number of frames seen in ``fit``; only for 2-D numeric input.

    See Also
    --------
    serkit.preprocessing.SpeakerStandardizer : Standardizes functionals per speaker.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.feature_extraction import FrameScaler
    >>> frames = [np.array([[[1.0, 3.0]]]), np.array([[[5.0, 7.0, 9.0]]])]
    >>> scaler = FrameScaler().fit(frames)
    >>> scaler.mean_
    array([[5.]])
    >>> scaler.transform(frames)[1].round(2)
    array([[[0.  , 0.71, 1.41]]], dtype=float32)
    >>> FrameScaler(method="max").fit_transform(frames)[0].round(2)
    array([[[0.11, 0.33]]], dtype=float32)
    """

    _parameter_constraints: ClassVar[dict] = {
        **FrameTransformer._parameter_constraints,
        "scope": [StrOptions({"corpus", "utterance"})],
        "method": [StrOptions({"standard", "max"})],
        "per": [StrOptions({"bin", "all"})],
        "with_mean": ["boolean"],
        "with_std": ["boolean"],
        "clip": ["boolean"],
    }

    def __init__(
        self,
        scope="corpus",
        *,
        method="standard",
        per="bin",
        with_mean=True,
        with_std=True,
        clip=False,
        n_jobs=None,
        verbose=0,
    ):
        self.scope = scope
        self.method = method
        self.per = per
        self.with_mean = with_mean
        self.with_std = with_std
        self.clip = clip
        self.n_jobs = n_jobs
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> "FrameScaler":
        """Learn what to subtract and what to divide by.

        Parameters
        ----------
        X : frames
            The training utterances.
        y : None
            Ignored.

        Returns
        -------
        self : object
        """
        frames, _ = self._check_input(X, reset=True)
        if self.scope == "corpus":
            self.mean_, self.scale_ = self._statistics()(frames)
        return self

    def _statistics(self) -> "_Statistics":
        return _Statistics(self.method, self.per, self.with_mean, self.with_std)

    def _make_kernel(self) -> Callable[[np.ndarray], np.ndarray]:
        if self.scope == "utterance":
            return partial(_rescale_by_own, statistics=self._statistics())
        check_is_fitted(self)
        clip = self.clip and self.method == "max"
        return partial(_rescale, mean=self.mean_, scale=self.scale_, clip=clip)

    def __sklearn_is_fitted__(self) -> bool:
        return self.scope == "utterance" or hasattr(self, "scale_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = self.scope == "corpus"
        return tags


@dataclass(frozen=True)
class _Statistics:
    """From utterances to what is subtracted from them and what they are divided by."""

    method: str
    per: str
    with_mean: bool
    with_std: bool

    def __call__(self, utterances: list[np.ndarray]) -> tuple[np.ndarray | None, np.ndarray | None]:
        if self.method == "max":
            return None, self._largest(utterances)
        mean, variance = _moments(utterances)
        if self.per == "all":
            # All bins have equally many frames: within bins and between them add up.
            variance = np.atleast_2d(variance.mean() + mean.var())
            mean = np.atleast_2d(mean.mean())
        return mean if self.with_mean else None, _scale(mean, variance) if self.with_std else None

    def _largest(self, utterances: list[np.ndarray]) -> np.ndarray:
        over = -1 if self.per == "bin" else None
        largest = reduce(np.maximum, (np.abs(frames).max(axis=over) for frames in utterances))
        largest = np.atleast_2d(largest).astype(np.float64)
        return np.where(largest > 0, largest, 1.0)


def _moments(utterances: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and variance over all frames, merging utterance after utterance."""
    count = 0
    mean = np.zeros(utterances[0].shape[:2])
    squares = np.zeros_like(mean)
    for frames in utterances:
        n_frames = frames.shape[-1]
        own_mean = frames.mean(axis=-1, dtype=np.float64)
        own_squares = np.square(frames - own_mean[..., None]).sum(axis=-1)
        step = own_mean - mean
        total = count + n_frames
        squares += own_squares + step**2 * (count * n_frames / total)
        mean += step * (n_frames / total)
        count = total
    return mean, squares / count


def _scale(mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    scale = np.sqrt(variance)
    # Below the resolution of float32 there is only rounding, no variation.
    scale[scale <= np.finfo(np.float32).eps * np.abs(mean)] = 1.0
    return scale


def _rescale(
    frames: np.ndarray, *, mean: np.ndarray | None, scale: np.ndarray | None, clip: bool = False
) -> np.ndarray:
    scaled = frames.astype(np.float32)
    if mean is not None:
        scaled -= mean[..., None].astype(np.float32)
    if scale is not None:
        scaled /= scale[..., None].astype(np.float32)
    return np.clip(scaled, -1, 1, out=scaled) if clip else scaled


def _rescale_by_own(frames: np.ndarray, *, statistics: _Statistics) -> np.ndarray:
    mean, scale = statistics([frames])
    return _rescale(frames, mean=mean, scale=scale)
