"""Pictures of a score over something that was varied: kernel heights, speakers."""

from itertools import cycle
from typing import Any

import pandas as pd
from scipy.ndimage import median_filter

from serkit.inspection._drawing import (
    MARKERS,
    axes_and_figure,
    colors,
    draw_band,
    finish_curves,
    score_summary,
)

__all__ = ["KernelHeightDisplay", "SpeakerCurveDisplay"]


class SpeakerCurveDisplay:
    """Draw a score against the number of speakers who were trained on.

    Use :meth:`from_table` to make one. A line is the mean over folds, its band one
    standard deviation of the folds to either side; seeds and repeats are averaged
    before.

    Parameters
    ----------
    table : DataFrame
        The columns ``pipeline``, ``n_speakers``, ``mean`` and ``std``.
    metric : str, default="UAR"
        Name of the score.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure.
    lines_ : dict of str to matplotlib Line2D
        The means, by pipeline.
    bands_ : dict of str to matplotlib FillBetweenPolyCollection
        The bands around them.

    See Also
    --------
    speaker_learning_curve : Makes the table.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> import pandas as pd
    >>> from serkit.inspection import SpeakerCurveDisplay
    >>> rows = [("SVM", 2, 0, 0.41), ("SVM", 2, 1, 0.47), ("SVM", 8, 0, 0.58), ("SVM", 8, 1, 0.6)]
    >>> table = pd.DataFrame(rows, columns=["pipeline", "n_speakers", "fold", "UAR"])
    >>> display = SpeakerCurveDisplay.from_table(table)
    >>> display.lines_["SVM"].get_ydata()
    array([0.44, 0.59])
    """

    def __init__(self, table, *, metric="UAR"):
        self.table = table
        self.metric = metric

    def plot(
        self,
        ax: Any = None,
        *,
        name: str | None = None,
        chance: float | None = None,
        **line_kw: Any,
    ) -> "SpeakerCurveDisplay":
        """Draw the lines.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where; ``None`` makes a figure.
        name : str or None, default=None
            A title.
        chance : float or None, default=None
            Score of guessing, a dotted line.
        **line_kw : dict
            Handed to ``plot`` of matplotlib.

        Returns
        -------
        display : SpeakerCurveDisplay
        """
        self.ax_, self.figure_ = axes_and_figure(self, ax)
        self.lines_: dict[str, Any] = {}
        self.bands_: dict[str, Any] = {}
        groups = self.table.groupby("pipeline", sort=False)
        for (label, line), color, marker in zip(
            groups, colors(groups.ngroups), cycle(MARKERS), strict=False
        ):
            line = line.sort_values("n_speakers")
            style = {"color": color, "marker": marker, "label": str(label)} | line_kw
            self.lines_[label], self.bands_[label] = draw_band(
                self.ax_, line["n_speakers"], line["mean"], line["std"], **style
            )
        finish_curves(self.ax_, chance=chance)
        self.ax_.set_xticks(sorted(self.table["n_speakers"].unique()))
        self.ax_.set(xlabel="speakers trained on", ylabel=self.metric, title=name)
        return self

    @classmethod
    def from_table(
        cls,
        table: pd.DataFrame,
        *,
        metric: str = "UAR",
        chance: float | None = None,
        ax: Any = None,
        name: str | None = None,
        **line_kw: Any,
    ) -> "SpeakerCurveDisplay":
        """Draw the table of a learning curve.

        Parameters
        ----------
        table : DataFrame
            That of :func:`speaker_learning_curve`, with a row per ``pipeline``,
            ``n_speakers`` and ``fold``.
        metric : str, default="UAR"
            The column with the score.
        chance : float or None, default=None
            Score of guessing, a dotted line.
        ax : matplotlib Axes or None, default=None
            Where; ``None`` makes a figure.
        name : str or None, default=None
            A title.
        **line_kw : dict
            Handed to ``plot`` of matplotlib.

        Returns
        -------
        display : SpeakerCurveDisplay

        Raises
        ------
        ValueError
            If the table lacks what is to be drawn.
        """
        display = cls(score_summary(table, ["pipeline", "n_speakers"], metric), metric=metric)
        return display.plot(ax, name=name, chance=chance, **line_kw)


class KernelHeightDisplay:
    """Draw a score against the height of the kernels of a network.

    Use :meth:`from_table` to make one. The thin line is the mean over folds, the
    heavy one its moving median.

    Parameters
    ----------
    table : DataFrame
        The columns ``condition``, ``height`` and ``mean``.
    metric : str, default="UAR"
        Name of the score.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure.
    lines_ : dict of str to matplotlib Line2D
        The means, by condition ("" if there is none).
    medians_ : dict of str to matplotlib Line2D
        Their moving medians.

    See Also
    --------
    kernel_height_sweep : Makes the table.

    References
    ----------
    .. [1] C.-W. Huang and S. Narayanan, "Characterizing Types of Convolution in Deep
       Convolutional Recurrent Neural Networks for Robust Speech Emotion Recognition",
       arXiv:1706.02901, 2017, figure 2.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> import pandas as pd
    >>> from serkit.inspection import KernelHeightDisplay
    >>> scores = {"height": [4, 5, 6, 7], "fold": 0, "UAR": [0.51, 0.60, 0.53, 0.55]}
    >>> display = KernelHeightDisplay.from_table(pd.DataFrame(scores), window=3)
    >>> display.medians_[""].get_ydata()
    array([0.51, 0.53, 0.55, 0.55])
    """

    def __init__(self, table, *, metric="UAR"):
        self.table = table
        self.metric = metric

    def plot(
        self, ax: Any = None, *, name: str | None = None, window: int = 5, **line_kw: Any
    ) -> "KernelHeightDisplay":
        """Draw the lines.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where; ``None`` makes a figure.
        name : str or None, default=None
            A title.
        window : int, default=5
            Number of heights of which the median is taken; at either end the last
            value is repeated.
        **line_kw : dict
            Handed to ``plot`` of matplotlib for the medians.

        Returns
        -------
        display : KernelHeightDisplay
        """
        self.ax_, self.figure_ = axes_and_figure(self, ax)
        self.lines_: dict[str, Any] = {}
        self.medians_: dict[str, Any] = {}
        groups = self.table.groupby("condition", sort=False)
        for (condition, line), color, marker in zip(
            groups, colors(groups.ngroups), cycle(MARKERS), strict=False
        ):
            line = line.sort_values("height")
            height, mean = line["height"].to_numpy(), line["mean"].to_numpy()
            thin = {"color": color, "marker": marker, "markersize": 3, "linewidth": 0.8}
            (self.lines_[condition],) = self.ax_.plot(height, mean, alpha=0.6, **thin)
            median = median_filter(mean, size=window, mode="nearest")
            style = {"color": color, "linewidth": 2.2}
            style["label"] = ", ".join(filter(None, [str(condition), f"median of {window}"]))
            (self.medians_[condition],) = self.ax_.plot(height, median, **(style | line_kw))
        finish_curves(self.ax_)
        self.ax_.xaxis.get_major_locator().set_params(integer=True)
        self.ax_.set(xlabel="kernel height, bins", ylabel=self.metric, title=name)
        return self

    @classmethod
    def from_table(
        cls,
        table: pd.DataFrame,
        *,
        metric: str = "UAR",
        window: int = 5,
        ax: Any = None,
        name: str | None = None,
        **line_kw: Any,
    ) -> "KernelHeightDisplay":
        """Draw the table of a sweep.

        Parameters
        ----------
        table : DataFrame
            That of :func:`kernel_height_sweep`, with a row per ``height`` and
            ``fold``; lines are drawn for every ``condition``, if it has that column.
        metric : str, default="UAR"
            The column with the score.
        window : int, default=5
            Number of heights of which the median is taken.
        ax : matplotlib Axes or None, default=None
            Where; ``None`` makes a figure.
        name : str or None, default=None
            A title.
        **line_kw : dict
            Handed to ``plot`` of matplotlib for the medians.

        Returns
        -------
        display : KernelHeightDisplay

        Raises
        ------
        ValueError
            If the table lacks what is to be drawn.
        """
        table = table if "condition" in table else table.assign(condition="")
        display = cls(score_summary(table, ["condition", "height"], metric), metric=metric)
        return display.plot(ax, name=name, window=window, **line_kw)
