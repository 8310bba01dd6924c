"""A picture of what a network attends to."""

from typing import Any

import numpy as np
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import check_is_fitted

from serkit.modules import find_part
from serkit.utils import import_optional, last_step, up_to_last_step

__all__ = ["AttentionDisplay"]

#: The part of a network that says how much every frame counts.
_ATTENTION = "recurrence.attention.weights"


class AttentionDisplay:
    """Draw how much every part of an utterance counts.

    Use :meth:`from_estimator` or :meth:`from_weights` to make one. The weights
    are drawn over time, with a dotted line where all would be equal; behind them
    the frames of the utterance, if they are known.

    Parameters
    ----------
    weights : ndarray of shape (n_weights,)
        The weights of one utterance, in order of time.
    frames_per_weight : int, default=1
        Number of frames that share a weight.
    frames : ndarray of shape (n_channels, n_bins, n_frames) or None, default=None
        The utterance, of which the first channel is drawn.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes with the frames, or with the weights alone.
    figure_ : matplotlib Figure
        The figure.
    line_ : matplotlib StepPatch
        The weights.
    image_ : matplotlib AxesImage or None
        The frames.

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
    """

    def __init__(self, weights, *, frames_per_weight=1, frames=None):
        self.weights = weights
        self.frames_per_weight = frames_per_weight
        self.frames = frames

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
        pyplot = import_optional("matplotlib.pyplot", extra="plot", caller=type(self).__name__)
        ax = pyplot.subplots()[1] if ax is None else ax
        self.ax_, self.figure_, self.image_ = ax, ax.figure, None
        edges = np.arange(len(self.weights) + 1) * self.frames_per_weight
        if self.frames is not None:
            bins = np.asarray(self.frames)[0]
            extent = (0, bins.shape[1], -0.5, len(bins) - 0.5)
            self.image_ = ax.imshow(
                bins, origin="lower", aspect="auto", extent=extent, cmap="Greys", alpha=0.6
            )
            ax.set_ylabel("bin")
            ax = ax.twinx()
        line_kw = {"color": "#D55E00", "linewidth": 1.5, "baseline": None} | line_kw
        self.line_ = ax.stairs(self.weights, edges, **line_kw)
        ax.hlines(1 / len(self.weights), 0, edges[-1], color="#666666", linestyle=":", linewidth=1)
        ax.set(ylabel="weight", ylim=(0, None))
        self.ax_.set(xlabel="frame", title=name)
        return self

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        utterance: int = 0,
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
        """
        utterance = range(len(X))[utterance]
        X = up_to_last_step(estimator, _safe_indexing(X, [utterance]))
        network = last_step(estimator)
        _check_attends(network)
        (weights,), (frames,) = network.activations(X, _ATTENTION), X
        display = cls(
            np.ravel(weights),
            frames_per_weight=network.net_.module_.min_shape[1],
            frames=np.reshape(frames, (-1, network.n_bins_in_, np.shape(frames)[-1])),
        )
        return display.plot(ax, name=name, **line_kw)

    @classmethod
    def from_weights(
        cls,
        weights: Any,
        *,
        frames_per_weight: int = 1,
        frames: Any = None,
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
            If the weights are not those of one utterance.
        """
        weights = np.asarray(weights, dtype=float)
        if weights.ndim != 1:
            raise ValueError(
                f"the weights of one utterance are drawn, (n_weights,), not {weights.shape}"
            )
        display = cls(weights, frames_per_weight=frames_per_weight, frames=frames)
        return display.plot(ax, name=name, **line_kw)


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
