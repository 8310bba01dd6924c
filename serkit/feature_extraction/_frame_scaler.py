"""Standardization of frames."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted

from serkit.utils import FrameTransformer

__all__ = ["FrameScaler"]


class FrameScaler(FrameTransformer):
    """Standardize every channel and bin over frames.

    Parameters
    ----------
    scope : {"corpus", "utterance"}, default="corpus"
        Over which frames mean and standard deviation are taken: all frames seen
        in ``fit``, or those of the utterance itself (cepstral mean and variance
        normalization), which needs no fit.
    with_mean : bool, default=True
        Subtract the mean.
    with_std : bool, default=True
        Divide by the standard deviation. A bin that does not vary is left at
        its scale.
    n_jobs : int or None, default=None
        Number of parallel jobs over utterances.
    verbose : int or bool, default=0
        Show a progress bar when positive.

    Attributes
    ----------
    mean_ : ndarray of shape (n_channels, n_bins) or None
        Mean over all frames, each frame with the same weight. ``None`` if not
        `with_mean`; absent if `scope` is "utterance".
    scale_ : ndarray of shape (n_channels, n_bins) or None
        What is divided by. ``None`` if not `with_std`; absent if `scope` is
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
    """

    _parameter_constraints: ClassVar[dict] = {
        **FrameTransformer._parameter_constraints,
        "scope": [StrOptions({"corpus", "utterance"})],
        "with_mean": ["boolean"],
        "with_std": ["boolean"],
    }

    def __init__(self, scope="corpus", *, with_mean=True, with_std=True, n_jobs=None, verbose=0):
        self.scope = scope
        self.with_mean = with_mean
        self.with_std = with_std
        self.n_jobs = n_jobs
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> "FrameScaler":
        """Learn mean and scale of every channel and bin.

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
            mean, variance = _moments(frames)
            self.mean_ = mean if self.with_mean else None
            self.scale_ = _scale(mean, variance) if self.with_std else None
        return self

    def _make_kernel(self) -> Callable[[np.ndarray], np.ndarray]:
        if self.scope == "utterance":
            return _UtteranceScaler(self.with_mean, self.with_std)
        check_is_fitted(self)
        return _CorpusScaler(self.mean_, self.scale_)

    def __sklearn_is_fitted__(self) -> bool:
        return self.scope == "utterance" or hasattr(self, "scale_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = self.scope == "corpus"
        return tags


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


def _standardize(
    frames: np.ndarray, mean: np.ndarray | None, scale: np.ndarray | None
) -> np.ndarray:
    scaled = frames.astype(np.float32)
    if mean is not None:
        scaled -= mean[..., None].astype(np.float32)
    if scale is not None:
        scaled /= scale[..., None].astype(np.float32)
    return scaled


@dataclass(frozen=True)
class _CorpusScaler:
    mean: np.ndarray | None
    scale: np.ndarray | None

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        return _standardize(frames, self.mean, self.scale)


@dataclass(frozen=True)
class _UtteranceScaler:
    with_mean: bool
    with_std: bool

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        mean, variance = _moments([frames])
        return _standardize(
            frames,
            mean if self.with_mean else None,
            _scale(mean, variance) if self.with_std else None,
        )
