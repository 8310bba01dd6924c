"""A picture of where a network finds what it says."""

from typing import Any

import numpy as np
from sklearn.utils import _safe_indexing

from serkit.inspection._drawing import axes_and_figure
from serkit.inspection._grad_cam import grad_cam
from serkit.inspection._networks import network_and_input

__all__ = ["GradCAMDisplay"]

#: How much of the frames the highest values hide.
_OPACITY = 0.8


class GradCAMDisplay:
    """Draw what in the bins and frames of an utterance speaks for an output of a network.

    Use :meth:`from_estimator` to make one. The utterance is drawn in grey, and the
    map in colours over it, the more opaque the higher it is.

    Parameters
    ----------
    weights : ndarray of shape (n_bins, n_frames)
        The map of one utterance, as of :func:`grad_cam`.
    frames : ndarray of shape (n_channels, n_bins, n_frames) or None, default=None
        The utterance, of which the first channel is drawn.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure.
    image_ : matplotlib AxesImage or None
        The frames.
    overlay_ : matplotlib AxesImage
        The map.
    colorbar_ : matplotlib Colorbar or None
        The scale of the map.

    See Also
    --------
    grad_cam : Computes the maps.
    AttentionDisplay : Draws what a network with attention says itself.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> import numpy as np
    >>> from serkit.inspection import GradCAMDisplay
    >>> display = GradCAMDisplay(np.eye(4)).plot()
    >>> display.ax_.get_xlabel(), display.ax_.get_ylabel()
    ('frame', 'bin')
    """

    def __init__(self, weights, *, frames=None):
        self.weights = weights
        self.frames = frames

    def plot(
        self, ax: Any = None, *, name: str | None = None, colorbar: bool = True, **image_kw: Any
    ) -> "GradCAMDisplay":
        """Draw the map over the frames.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where; ``None`` makes a figure.
        name : str or None, default=None
            A title.
        colorbar : bool, default=True
            Draw the scale of the map beside it.
        **image_kw : dict
            Handed to ``imshow`` of matplotlib for the map.

        Returns
        -------
        display : GradCAMDisplay
        """
        self.ax_, self.figure_ = axes_and_figure(self, ax)
        weights = np.asarray(self.weights, dtype=float)
        n_bins, n_frames = weights.shape
        place = {
            "origin": "lower",
            "aspect": "auto",
            "extent": (0, n_frames, -0.5, n_bins - 0.5),
        }
        self.image_ = None
        if self.frames is not None:
            self.image_ = self.ax_.imshow(np.asarray(self.frames)[0], cmap="Greys", **place)
        highest = weights.max() or 1
        opacity = _OPACITY * weights / highest
        style = {"cmap": "YlOrRd", "alpha": opacity, "vmin": 0, "vmax": highest}
        self.overlay_ = self.ax_.imshow(weights, **place, **(style | image_kw))
        self.colorbar_ = None
        if colorbar:
            self.colorbar_ = self.figure_.colorbar(self.overlay_, ax=self.ax_, label="weight")
        self.ax_.set(xlabel="frame", ylabel="bin", title=name)
        return self

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        utterance: int = 0,
        layer: int | str | None = None,
        target: Any = None,
        ax: Any = None,
        name: str | None = None,
        colorbar: bool = True,
        **image_kw: Any,
    ) -> "GradCAMDisplay":
        """Draw the map of an utterance.

        Parameters
        ----------
        estimator : estimator
            A fitted network with convolutions, or what ends in one, as of
            :func:`grad_cam`.
        X : audio or frames
            Utterances that the estimator takes.
        utterance : int, default=0
            Which of them is drawn.
        layer : int, str or None, default=None
            A convolution by its number, or a stage by its name; ``None`` is the
            last convolution over bins and frames.
        target : label or None, default=None
            The class that the map is for; ``None`` is the predicted one.
        ax : matplotlib Axes or None, default=None
            Where; ``None`` makes a figure.
        name : str or None, default=None
            A title.
        colorbar : bool, default=True
            Draw the scale of the map beside it.
        **image_kw : dict
            Handed to ``imshow`` of matplotlib for the map.

        Returns
        -------
        display : GradCAMDisplay
        """
        utterance = range(len(X))[utterance]
        X = _safe_indexing(X, [utterance])
        network, X = network_and_input(estimator, X, caller="grad_cam")
        (weights,) = grad_cam(network, X, layer=layer, target=target)
        frames = np.reshape(next(iter(X)), (-1, *weights.shape))
        return cls(weights, frames=frames).plot(ax, name=name, colorbar=colorbar, **image_kw)
