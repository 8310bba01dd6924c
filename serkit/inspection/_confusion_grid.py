"""Confusion matrices side by side."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import ConfusionMatrixDisplay, confusion_matrix
from sklearn.utils.multiclass import unique_labels

from serkit.evaluation import ComparisonResult
from serkit.inspection._drawing import grid_of_axes

__all__ = ["ConfusionGridDisplay"]


class ConfusionGridDisplay:
    """Draw what is taken for what, by several pipelines or in several folds.

    Use :meth:`from_result` or :meth:`from_predictions` to make one. A cell has the
    share of the utterances of its row in percent; the diagonal is the recall, of
    which the mean is the UAR.

    Parameters
    ----------
    counts : dict of str to DataFrame
        Number of utterances by true (rows) and predicted class (columns), the same
        classes in each; by the title of the panel.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes, of shape (n_panels,)
        The axes.
    figure_ : matplotlib Figure
        The figure.
    displays_ : dict of str to sklearn.metrics.ConfusionMatrixDisplay
        The panels by their titles.

    See Also
    --------
    sklearn.metrics.ConfusionMatrixDisplay : Draws one of them.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from serkit.inspection import ConfusionGridDisplay
    >>> y_true = ["anger", "anger", "joy", "joy"]
    >>> predictions = {"SVM": ["anger", "joy", "joy", "joy"], "CRNN": ["joy", "joy", "joy", "joy"]}
    >>> display = ConfusionGridDisplay.from_predictions(y_true, predictions)
    >>> display.displays_["SVM"].confusion_matrix
    array([[0.5, 0.5],
           [0. , 1. ]])
    """

    def __init__(self, counts):
        self.counts = counts

    def plot(
        self,
        axes: Any = None,
        *,
        n_columns: int | None = None,
        cmap: Any = "Blues",
        **image_kw: Any,
    ) -> "ConfusionGridDisplay":
        """Draw the matrices.

        Parameters
        ----------
        axes : sequence of matplotlib Axes or None, default=None
            One for each; ``None`` makes a figure.
        n_columns : int or None, default=None
            Number of panels beside each other in that figure; ``None`` is four at
            most.
        cmap : str or matplotlib Colormap, default="Blues"
            The colours.
        **image_kw : dict
            Handed to ``imshow`` of matplotlib.

        Returns
        -------
        display : ConfusionGridDisplay
        """
        n_panels = len(self.counts)
        if n_columns is None:  # as even rows as there can be
            n_columns = -(-n_panels // -(-n_panels // 4))
        n_columns = min(n_columns, n_panels)
        n_classes = len(next(iter(self.counts.values())))
        side = 1.1 + 0.42 * n_classes
        self.axes_, self.figure_ = grid_of_axes(
            self,
            axes,
            (-(-n_panels // n_columns), n_columns),
            panel=(side + 0.3, side + 0.3),
            n_panels=n_panels,
        )
        self.displays_: dict[str, Any] = {}
        for place, (title, counts) in enumerate(self.counts.items()):
            ax = self.axes_[place]
            display = _draw(ax, counts, cmap, image_kw)
            ax.set_title(title, fontsize="medium")
            if place % n_columns:
                ax.set(ylabel="", yticklabels=[])
            if place + n_columns < n_panels:
                ax.set(xlabel="", xticklabels=[])
            self.displays_[title] = display
        return self

    @classmethod
    def from_predictions(
        cls,
        y_true: Any,
        predictions: Mapping[str, Any],
        *,
        labels: Any = None,
        axes: Any = None,
        n_columns: int | None = None,
        cmap: Any = "Blues",
        **image_kw: Any,
    ) -> "ConfusionGridDisplay":
        """Draw predictions of the same utterances.

        Parameters
        ----------
        y_true : array-like of shape (n_utterances,)
            True emotions.
        predictions : dict of str to array-like of shape (n_utterances,)
            Predicted emotions, by the title of the panel.
        labels : array-like of shape (n_classes,) or None, default=None
            The classes in their order; ``None`` is all, sorted.
        axes : sequence of matplotlib Axes or None, default=None
            One for each; ``None`` makes a figure.
        n_columns : int or None, default=None
            Number of panels beside each other in that figure; ``None`` is four at
            most.
        cmap : str or matplotlib Colormap, default="Blues"
            The colours.
        **image_kw : dict
            Handed to ``imshow`` of matplotlib.

        Returns
        -------
        display : ConfusionGridDisplay
        """
        labels = unique_labels(y_true, *predictions.values()) if labels is None else labels
        counts = {title: _count(y_true, y_pred, labels) for title, y_pred in predictions.items()}
        return cls._drawn(counts, axes=axes, n_columns=n_columns, cmap=cmap, **image_kw)

    @classmethod
    def from_result(
        cls,
        result: ComparisonResult,
        *,
        pipelines: str | Sequence[str] | None = None,
        by: str | None = None,
        labels: Any = None,
        axes: Any = None,
        n_columns: int | None = None,
        cmap: Any = "Blues",
        **image_kw: Any,
    ) -> "ConfusionGridDisplay":
        """Draw a comparison.

        Parameters
        ----------
        result : ComparisonResult
            Made by :func:`~serkit.evaluation.compare`. Several seeds are added up.
        pipelines : str, sequence of str or None, default=None
            The pipelines that are drawn; ``None`` draws all.
        by : {"fold", "speaker"} or None, default=None
            Draw a panel for each of these; ``None`` one for all predictions.
        labels : array-like of shape (n_classes,) or None, default=None
            The classes in their order; ``None`` is all, sorted.
        axes : sequence of matplotlib Axes or None, default=None
            One for each; ``None`` makes a figure.
        n_columns : int or None, default=None
            Number of panels beside each other in that figure; ``None`` is four at
            most.
        cmap : str or matplotlib Colormap, default="Blues"
            The colours.
        **image_kw : dict
            Handed to ``imshow`` of matplotlib.

        Returns
        -------
        display : ConfusionGridDisplay

        Raises
        ------
        ValueError
            If there is no such pipeline.
        """
        if by not in (None, "fold", "speaker"):
            raise ValueError(f'by is "fold", "speaker" or None, not {by!r}')
        pipelines = [pipelines] if isinstance(pipelines, str) else pipelines
        pipelines = result.pipelines if pipelines is None else list(pipelines)
        if unknown := [name for name in pipelines if name not in result.pipelines]:
            raise ValueError(f"there are no pipelines {unknown}; there are {result.pipelines}")
        labels = result.labels if labels is None else labels
        counts = {}
        for name in pipelines:
            rows = result.predictions[result.predictions["pipeline"] == name]
            groups = [(None, rows)] if by is None else rows.groupby(by)
            for key, group in groups:
                title = name if by is None else f"{by} {key}"
                title = f"{name}, {title}" if by and len(pipelines) > 1 else title
                counts[title] = _count(group["y_true"], group["y_pred"], labels)
        return cls._drawn(counts, axes=axes, n_columns=n_columns, cmap=cmap, **image_kw)

    @classmethod
    def _drawn(cls, counts: dict[str, pd.DataFrame], *, axes: Any, **style: Any) -> Any:
        if not counts:
            raise ValueError("there is nothing to draw: no predictions are given")
        return cls(counts).plot(axes, **style)


def _count(y_true: Any, y_pred: Any, labels: Any) -> pd.DataFrame:
    y_true, y_pred = (np.asarray(y).tolist() for y in (y_true, y_pred))
    labels = np.asarray(labels).tolist()
    counts = confusion_matrix(y_true, y_pred, labels=labels)
    return pd.DataFrame(counts, index=labels, columns=labels)


def _draw(ax: Any, counts: pd.DataFrame, cmap: Any, image_kw: dict) -> ConfusionMatrixDisplay:
    """Draw one matrix, with shares in percent in its cells."""
    matrix = counts.to_numpy(dtype=float)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    labels = [str(label).replace("$", r"\$") for label in counts.index]
    display = ConfusionMatrixDisplay(shares, display_labels=labels)
    image_kw = {"vmin": 0, "vmax": 1} | image_kw
    display.plot(ax=ax, cmap=cmap, colorbar=False, im_kw=image_kw)
    for (row, column), text in np.ndenumerate(display.text_):
        text.set_text(f"{100 * shares[row, column]:.0f}")
        text.set_fontsize("small")
        red, green, blue, _ = display.im_.to_rgba(shares[row, column])
        is_dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.55
        text.set_color("white" if is_dark else "black")
    ax.tick_params(length=0, labelsize="small")
    for label in ax.get_xticklabels():
        label.set(rotation=45, ha="right", rotation_mode="anchor")
    ax.set(xlabel="predicted", ylabel="true")
    ax.spines[:].set_visible(False)
    return display
