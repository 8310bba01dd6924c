"""A picture of what a network attends to."""

from typing import Any

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import check_is_fitted

from serkit.feature_extraction import CachedTransformer
from serkit.inspection._drawing import axes_and_figure
from serkit.modules import find_part
from serkit.utils import last_step, up_to_last_step

__all__ = ["AttentionDisplay"]

#: The part of a network that says how much every frame counts.
_ATTENTION = "recurrence.attention.weights"


class AttentionDisplay:
    """Draw how much every part of an utterance counts.

    Use :meth:`from_estimator` or :meth:`from_weights` to make one. The weights
    are drawn over time, with a dotted line where all would be equal; behind them
    the frames of the utterance or its waveform, if they are known. Time is in
    seconds if it is known how far apart frames are.

    Parameters
    ----------
    weights : ndarray of shape (n_weights,)
        The weights of one utterance, in order of time.
    frames_per_weight : int, default=1
        Number of frames that share a weight.
    frames : ndarray of shape (n_channels, n_bins, n_frames) or None, default=None
        The utterance, of which the first channel is drawn.
    waveform : ndarray of shape (n_samples,) or None, default=None
        The utterance, drawn in place of its frames.
    hop_length : int or None, default=None
        Number of samples from one frame to the next; ``None`` draws over frames.
    sampling_rate : int or None, default=None
        Sampling rate in Hz, given with `hop_length`.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes with the frames or the waveform, or with the weights alone.
    figure_ : matplotlib Figure
        The figure.
    line_ : matplotlib StepPatch
        The weights.
    image_ : matplotlib AxesImage or None
        The frames.
    waveform_ : matplotlib Line2D or None
        The waveform.

    See Also
    --------
    serkit.neural_network.ACRNNClassifier : Has attention over time.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from serkit.inspection import AttentionDisplay
    >>> display = AttentionDisplay.from_weights([0.1, 0.6, 0.3], frames_per_weight=2)
    >>> display.ax_.get_xlabel()
    'frame'
    >>> display = AttentionDisplay.from_weights(
    ...     [0.1, 0.6, 0.3], frames_per_weight=2, hop_length=160, sampling_rate=16000
    ... )
    >>> display.line_.get_data().edges
    array([0.  , 0.02, 0.04, 0.06])
    """

    def __init__(
        self,
        weights,
        *,
        frames_per_weight=1,
        frames=None,
        waveform=None,
        hop_length=None,
        sampling_rate=None,
    ):
        self.weights = weights
        self.frames_per_weight = frames_per_weight
        self.frames = frames
        self.waveform = waveform
        self.hop_length = hop_length
        self.sampling_rate = sampling_rate

    def plot(
        self, ax: Any = None, *, name: str | None = None, **line_kw: Any
    ) -> "AttentionDisplay":
        """Draw the weights.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where; ``None`` makes a figure.
        name : str or None, default=None
            A title.
        **line_kw : dict
            Handed to ``stairs`` of matplotlib.

        Returns
        -------
        display : AttentionDisplay
        """
        ax, self.figure_ = axes_and_figure(self, ax)
        self.ax_, self.image_, self.waveform_ = ax, None, None
        in_seconds = self.hop_length is not None
        per_frame = self.hop_length / self.sampling_rate if in_seconds else 1
        edges = np.arange(len(self.weights) + 1) * self.frames_per_weight * per_frame
        if self.waveform is not None or self.frames is not None:
            if self.waveform is not None:
                self._draw_waveform(ax)
            else:
                self._draw_frames(ax, per_frame)
            ax = ax.twinx()
        line_kw = {"color": "#D55E00", "linewidth": 1.5, "baseline": None} | line_kw
        self.line_ = ax.stairs(self.weights, edges, **line_kw)
        ax.hlines(1 / len(self.weights), 0, edges[-1], color="#666666", linestyle=":", linewidth=1)
        ax.set(ylabel="weight", ylim=(0, None))
        self.ax_.set(xlabel="time, s" if in_seconds else "frame", title=name)
        return self

    def _draw_frames(self, ax: Any, per_frame: float) -> None:
        bins = np.asarray(self.frames)[0]
        extent = (0, bins.shape[1] * per_frame, -0.5, len(bins) - 0.5)
        self.image_ = ax.imshow(
            bins, origin="lower", aspect="auto", extent=extent, cmap="Greys", alpha=0.6
        )
        ax.set_ylabel("bin")

    def _draw_waveform(self, ax: Any) -> None:
        waveform = np.asarray(self.waveform)
        time = np.arange(len(waveform)) / self.sampling_rate
        (self.waveform_,) = ax.plot(time, waveform, color="#B0B0B0", linewidth=0.5)
        peak = np.abs(waveform).max() or 1
        ax.set(ylabel="amplitude", xlim=(0, time[-1]), ylim=(-1.05 * peak, 1.05 * peak))

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        utterance: int = 0,
        background: str = "frames",
        hop_length: int | None = None,
        sampling_rate: int | None = None,
        ax: Any = None,
        name: str | None = None,
        **line_kw: Any,
    ) -> "AttentionDisplay":
        """Draw what a fitted network attends to in an utterance.

        Parameters
        ----------
        estimator : estimator
            A fitted network with attention over time, which is an
            :class:`~serkit.neural_network.ACRNNClassifier` or has one for its
            encoder, or a pipeline that ends in it.
        X : audio or frames
            Utterances that the estimator takes.
        utterance : int, default=0
            Which of them is drawn.
        background : {"frames", "waveform"}, default="frames"
            What is drawn behind the weights: what the network gets, or the audio
            of which a pipeline makes frames.
        hop_length : int or None, default=None
            Number of samples from one frame to the next. ``None`` is that of the
            step of the pipeline that makes frames of audio; without one, time is
            counted in frames.
        sampling_rate : int or None, default=None
            Sampling rate in Hz; ``None`` is that of the same step.
        ax : matplotlib Axes or None, default=None
            Where; ``None`` makes a figure.
        name : str or None, default=None
            A title.
        **line_kw : dict
            Handed to ``stairs`` of matplotlib.

        Returns
        -------
        display : AttentionDisplay

        Raises
        ------
        TypeError
            If the network has no attention over time.
        ValueError
            If the waveform is to be drawn, and no step makes frames of audio.
        """
        if background not in ("frames", "waveform"):
            raise ValueError(f'background is "frames" or "waveform", not {background!r}')
        utterance = range(len(X))[utterance]
        audio = _safe_indexing(X, [utterance])
        X = up_to_last_step(estimator, audio)
        network = last_step(estimator)
        _check_attends(network)
        waveform, *rates = _audio_behind(estimator, audio) or (None, None, None)
        if background == "waveform" and waveform is None:
            raise ValueError(
                "there is no waveform to draw: the pipeline has no step that makes frames of "
                "audio, such as LogMelSpectrogram"
            )
        hop_length, sampling_rate = (
            own if given is None else given
            for own, given in zip(rates, (hop_length, sampling_rate), strict=True)
        )
        (weights,), (frames,) = network.activations(X, _ATTENTION), X
        display = cls(
            np.ravel(weights),
            frames_per_weight=network.net_.module_.min_shape[1],
            frames=np.reshape(frames, (-1, network.n_bins_in_, np.shape(frames)[-1])),
            waveform=waveform if background == "waveform" else None,
            **_check_rates(hop_length, sampling_rate),
        )
        return display.plot(ax, name=name, **line_kw)

    @classmethod
    def from_weights(
        cls,
        weights: Any,
        *,
        frames_per_weight: int = 1,
        frames: Any = None,
        waveform: Any = None,
        hop_length: int | None = None,
        sampling_rate: int | None = None,
        ax: Any = None,
        name: str | None = None,
        **line_kw: Any,
    ) -> "AttentionDisplay":
        """Draw weights that are known.

        Parameters
        ----------
        weights : array-like of shape (n_weights,)
            The weights of one utterance, in order of time.
        frames_per_weight : int, default=1
            Number of frames that share a weight.
        frames : ndarray of shape (n_channels, n_bins, n_frames) or None, default=None
            The utterance, of which the first channel is drawn.
        waveform : array-like of shape (n_samples,) or None, default=None
            The utterance, drawn in place of its frames.
        hop_length : int or None, default=None
            Number of samples from one frame to the next; ``None`` draws over frames.
        sampling_rate : int or None, default=None
            Sampling rate in Hz, given with `hop_length`.
        ax : matplotlib Axes or None, default=None
            Where; ``None`` makes a figure.
        name : str or None, default=None
            A title.
        **line_kw : dict
            Handed to ``stairs`` of matplotlib.

        Returns
        -------
        display : AttentionDisplay

        Raises
        ------
        ValueError
            If the weights are not those of one utterance, or if of `hop_length` and
            `sampling_rate` one is missing.
        """
        weights = np.asarray(weights, dtype=float)
        if weights.ndim != 1:
            raise ValueError(
                f"the weights of one utterance are drawn, (n_weights,), not {weights.shape}"
            )
        rates = _check_rates(hop_length, sampling_rate)
        if waveform is not None and hop_length is None:
            raise ValueError("over a waveform time is in seconds: give hop_length, sampling_rate")
        display = cls(
            weights,
            frames_per_weight=frames_per_weight,
            frames=frames,
            waveform=waveform,
            **rates,
        )
        return display.plot(ax, name=name, **line_kw)


def _check_rates(hop_length: int | None, sampling_rate: int | None) -> dict[str, int | None]:
    if (hop_length is None) != (sampling_rate is None):
        raise ValueError(
            "give hop_length and sampling_rate, or neither; they are "
            f"{hop_length} and {sampling_rate}"
        )
    return {"hop_length": hop_length, "sampling_rate": sampling_rate}


def _audio_behind(estimator: Any, X: Any) -> tuple[np.ndarray, int, int] | None:
    """Return the waveform of which a step makes frames, the distance of these, and the rate."""
    if isinstance(estimator, FrozenEstimator):
        return _audio_behind(estimator.estimator, X)
    if isinstance(estimator, CachedTransformer):
        return _audio_behind(estimator.transformer, X)
    if isinstance(estimator, Pipeline):
        for number, (_, step) in enumerate(estimator.steps, start=1):
            found = _audio_behind(step, X)
            if found is not None or number == len(estimator):
                return found
            X = step.transform(X) if hasattr(step, "transform") else X
    if hasattr(estimator, "hop_length") and hasattr(estimator, "sampling_rate"):
        hop_length = estimator.hop_length
        if hop_length == "auto":
            hop_length = estimator._settings()["hop_length"]
        return np.asarray(next(iter(X))), hop_length, estimator.sampling_rate
    return None


def _check_attends(estimator: Any) -> None:
    name = type(estimator).__name__
    if hasattr(estimator, "segmenter"):
        raise TypeError(
            f"{name} attends to segments, not to utterances; draw a segment: segments, _ = "
            "model.segmenter.split(X), AttentionDisplay.from_estimator(model.estimator_, segments)"
        )
    check_is_fitted(estimator)
    try:
        find_part(estimator.net_.module_, _ATTENTION)
    except (AttributeError, ValueError):
        raise TypeError(f"{name} has no attention over time; ACRNNClassifier has") from None
