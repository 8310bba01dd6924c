"""Pictures of how well the parts of a network keep classes apart."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.utils import check_array, check_consistent_length

from serkit.inspection._drawing import class_styles, grid_of_axes, merge_style
from serkit.inspection._networks import choose_stages, network_and_input, stage_vectors
from serkit.metrics import cluster_inertia_ratio
from serkit.utils import import_optional

__all__ = ["LDADisplay"]


class LDADisplay:
    """Draw what the parts of a network make of utterances, as far as it tells classes apart.

    Use :meth:`from_estimator` or :meth:`from_vectors` to make one. Columns are
    parts of the network, rows are kinds of classes, such as emotions and speakers.
    Every panel has its own linear discriminant analysis, of which the first two
    components are drawn; of two classes there is one component, drawn along x, and
    the height of a point says nothing. The title is the
    :func:`~serkit.metrics.cluster_inertia_ratio` of the vectors themselves: the
    lower, the better the classes are separated.

    Parameters
    ----------
    projections : dict of (str, str) to ndarray of shape (n_utterances, 2)
        The points, by kind of classes and part of the network.
    labels : dict of str to ndarray of shape (n_utterances,)
        The classes, by their kind.
    ratios : dict of (str, str) to float
        The ratios, by kind of classes and part of the network.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes, of shape (n_kinds, n_stages)
        The axes.
    figure_ : matplotlib Figure
        The figure.
    scatter_ : dict of (str, str) to dict of object to matplotlib PathCollection
        The points, by kind of classes and part of the network, then by class.

    See Also
    --------
    module_probe : Tests on unseen speakers what these pictures show of those seen.
    EmbeddingDisplay : Draws vectors as they lie, without knowing of classes.

    Notes
    -----
    The analysis is fitted on the very utterances that are drawn: of many values
    and few utterances it separates any classes, even by lot. The ratio is not
    fitted, and is what can be compared.

    References
    ----------
    .. [1] C.-W. Huang and S. Narayanan, "Characterizing Types of Convolution in Deep
       Convolutional Recurrent Neural Networks for Robust Speech Emotion Recognition",
       arXiv:1706.02901, 2017, figures 3 to 8.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> import numpy as np
    >>> from serkit.inspection import LDADisplay
    >>> y = np.repeat(["anger", "joy", "sadness"], 10)
    >>> vectors = np.random.default_rng(0).normal(size=(30, 5)) + 4 * (y == "joy")[:, None]
    >>> display = LDADisplay.from_vectors({"CNN": vectors, "BLSTM": 2 * vectors}, {"emotion": y})
    >>> display.axes_.shape, list(display.scatter_["emotion", "CNN"])
    ((1, 2), ['anger', 'joy', 'sadness'])
    """

    def __init__(self, projections, labels, ratios):
        self.projections = projections
        self.labels = labels
        self.ratios = ratios

    def plot(self, axes: Any = None, *, annotate: bool = True, **scatter_kw: Any) -> "LDADisplay":
        """Draw the points.

        Parameters
        ----------
        axes : array-like of matplotlib Axes, of shape (n_kinds, n_stages), or None, default=None
            Where; ``None`` makes a figure.
        annotate : bool, default=True
            Write the name of every class at its centre.
        **scatter_kw : dict
            Handed to ``scatter`` of matplotlib.

        Returns
        -------
        display : LDADisplay
        """
        stages = list(dict.fromkeys(stage for _, stage in self.projections))
        shape = (len(self.labels), len(stages))
        axes, self.figure_ = grid_of_axes(
            self, axes, shape, panel=(3.2, 2.9), n_panels=len(self.projections)
        )
        self.axes_ = axes.reshape(shape)
        self.scatter_: dict[tuple[str, str], dict[Any, Any]] = {}
        for place, (kind, stage) in enumerate(self.projections):
            ax = axes[place]
            self.scatter_[kind, stage] = self._draw(ax, (kind, stage), annotate, scatter_kw)
            ratio = f"$\\rho$ = {self.ratios[kind, stage]:.3g}"
            ax.set_title(f"{stage}, {ratio}" if place < len(stages) else ratio, fontsize="medium")
            ax.set(xticks=[], yticks=[])
            if place % len(stages) == 0:
                ax.set_ylabel(kind)
        return self

    def _draw(self, ax: Any, panel: tuple[str, str], annotate: bool, style: dict) -> dict:
        points, y = self.projections[panel], self.labels[panel[0]]
        drawn = {}
        for label, look in class_styles(y).items():
            rows = y == label
            own = {**look, "s": 10, "linewidth": 0, "alpha": 0.6}
            drawn[label] = ax.scatter(*points[rows].T, label=label, **merge_style(own, style))
        if annotate:
            for label, look in class_styles(y).items():
                _write(ax, points[y == label].mean(axis=0), str(label), color=look["color"])
        ax.margins(0.12)
        return drawn

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        labels: Any,
        *,
        stages: Any = None,
        pooling: Any = "mean",
        axes: Any = None,
        annotate: bool = True,
        **scatter_kw: Any,
    ) -> "LDADisplay":
        """Draw what a fitted network makes of utterances.

        Parameters
        ----------
        estimator : estimator
            A fitted network, or what ends in one, such as a pipeline.
        X : audio, frames or functionals
            Utterances that the estimator takes; the paper draws those trained on.
        labels : array-like of shape (n_utterances,), or dict of str to such
            The classes, or several kinds of classes by name:
            ``{"emotion": y, "speaker": speakers}``.
        stages : str, sequence of str, dict of str to str, or None, default=None
            The parts, as of :class:`ModuleFeatureExtractor`; a dict gives them
            names of your own. ``None`` is "input", the ``stages_`` of the network
            without its head, and "output".
        pooling : str or iterable of str, default="mean"
            Statistics over time of what has one.
        axes : array-like of matplotlib Axes or None, default=None
            Where; ``None`` makes a figure.
        annotate : bool, default=True
            Write the name of every class at its centre.
        **scatter_kw : dict
            Handed to ``scatter`` of matplotlib.

        Returns
        -------
        display : LDADisplay
        """
        network, X = network_and_input(estimator, X, caller=cls.__name__)
        vectors = {
            name: stage_vectors(network, X, stage, pooling)
            for name, stage in choose_stages(network, stages).items()
        }
        return cls.from_vectors(vectors, labels, axes=axes, annotate=annotate, **scatter_kw)

    @classmethod
    def from_vectors(
        cls,
        vectors: Mapping[str, Any],
        labels: Any,
        *,
        axes: Any = None,
        annotate: bool = True,
        **scatter_kw: Any,
    ) -> "LDADisplay":
        """Draw vectors that are known.

        Parameters
        ----------
        vectors : dict of str to array-like of shape (n_utterances, n_values)
            The vectors of the same utterances, by the part that has made them.
        labels : array-like of shape (n_utterances,), or dict of str to such
            The classes, or several kinds of classes by name.
        axes : array-like of matplotlib Axes or None, default=None
            Where; ``None`` makes a figure.
        annotate : bool, default=True
            Write the name of every class at its centre.
        **scatter_kw : dict
            Handed to ``scatter`` of matplotlib.

        Returns
        -------
        display : LDADisplay

        Raises
        ------
        ValueError
            If there are fewer than two classes of a kind.
        """
        labels = labels if isinstance(labels, Mapping) else {"": labels}
        kinds = {kind: np.asarray(y) for kind, y in labels.items()}
        checked = {stage: check_array(X) for stage, X in vectors.items()}
        check_consistent_length(*kinds.values(), *checked.values())
        projections, ratios = {}, {}
        for kind, y in kinds.items():
            for stage, X in checked.items():
                ratios[kind, stage] = cluster_inertia_ratio(X, y)
                projections[kind, stage] = _project(X, y)
        return cls(projections, kinds, ratios).plot(axes, annotate=annotate, **scatter_kw)


def _project(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the first two discriminant components; beside a single one there are even heights."""
    n_components = min(2, len(np.unique(y)) - 1, X.shape[1])
    points = LinearDiscriminantAnalysis(n_components=n_components).fit_transform(X, y)
    if points.shape[1] < 2:
        # The same for the same number of utterances, and spread evenly over any subset.
        heights = np.arange(len(points)) * 0.618034 % 1
        points = np.column_stack([points[:, :1] if points.size else np.zeros(len(X)), heights])
    return points


def _write(ax: Any, place: np.ndarray, text: str, *, color: Any) -> None:
    effects = import_optional("matplotlib.patheffects", extra="plot", caller="LDADisplay")
    halo = [effects.withStroke(linewidth=2.5, foreground="white", alpha=0.85)]
    style = {"color": color, "fontsize": "small", "weight": "bold", "path_effects": halo}
    ax.annotate(text.replace("$", r"\$"), place, ha="center", va="center", **style)
