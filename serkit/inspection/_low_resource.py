"""A picture of what synthetic rows add where real ones are few."""

from collections.abc import Sequence
from itertools import cycle
from numbers import Integral
from typing import Any

import pandas as pd

from serkit.inspection._drawing import (
    GREY,
    MARKERS,
    axes_and_figure,
    colors,
    draw_band,
    finish_curves,
)

__all__ = ["LowResourceDisplay"]

_COLUMNS = ("system", "n_synthetic", "fraction", "repeat", "speaker")
_BASELINE = "real only"


class LowResourceDisplay:
    """Draw a score against the share of real rows that were trained on.

    Use :meth:`from_table` to make one. A line is the mean over repeats, its band
    one standard deviation of the repeats to either side; the dashed grey line is
    that of real rows alone.

    Parameters
    ----------
    table : DataFrame
        The means and standard deviations, in the columns ``mean`` and ``std``,
        by ``system``, ``n_synthetic`` and ``fraction``.
    metric : str, default="UAR"
        Name of the score.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure.
    lines_ : dict of str to matplotlib Line2D
        The means, by their label in the legend.
    bands_ : dict of str to matplotlib FillBetweenPolyCollection
        The bands around them.

    See Also
    --------
    serkit.evaluation.low_resource_curve : Makes the table.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> import pandas as pd
    >>> from serkit.inspection import LowResourceDisplay
    >>> rows = [("real only", 0, 0.1, 0.45), ("real only", 0, 1.0, 0.61)]
    >>> rows += [("SMOTE", 600, 0.1, 0.49), ("SMOTE", 600, 1.0, 0.60)]
    >>> table = pd.DataFrame(rows, columns=["system", "n_synthetic", "fraction", "UAR"])
    >>> display = LowResourceDisplay.from_table(table.assign(repeat=0, speaker="all"))
    >>> list(display.lines_)
    ['real only', 'SMOTE, 600 synthetic']
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
    ) -> "LowResourceDisplay":
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
        display : LowResourceDisplay
        """
        ax, self.figure_ = axes_and_figure(self, ax)
        self.ax_ = ax
        self.lines_: dict[str, Any] = {}
        self.bands_: dict[str, Any] = {}
        augmented = self.table[self.table["system"] != _BASELINE]
        # Where there is one system only, its numbers of synthetic rows have the colours.
        told = "system" if augmented["system"].nunique() > 1 else "n_synthetic"
        color_of = dict(
            zip(augmented[told].unique(), colors(augmented[told].nunique()), strict=True)
        )
        marker_of = dict(zip(augmented["n_synthetic"].unique(), cycle(MARKERS), strict=False))
        for (system, n_synthetic), line in self.table.groupby(
            ["system", "n_synthetic"], sort=False
        ):
            if system == _BASELINE:
                label, style = system, {"color": GREY, "linestyle": "--"}
            else:
                label = f"{system}, {n_synthetic} synthetic"
                style = {"color": color_of[line[told].iloc[0]], "marker": marker_of[n_synthetic]}
            self._draw(label, line, **style | line_kw)
        finish_curves(ax, chance=chance)
        ax.set(xlabel="real rows, %", ylabel=self.metric, title=name)
        return self

    def _draw(self, label: str, line: pd.DataFrame, **style: Any) -> None:
        self.lines_[label], self.bands_[label] = draw_band(
            self.ax_, 100 * line["fraction"], line["mean"], line["std"], label=label, **style
        )

    @classmethod
    def from_table(
        cls,
        table: pd.DataFrame,
        *,
        metric: str = "UAR",
        n_synthetic: int | Sequence[int] | None = None,
        systems: str | Sequence[str] | None = None,
        chance: float | None = None,
        ax: Any = None,
        name: str | None = None,
        **line_kw: Any,
    ) -> "LowResourceDisplay":
        """Draw the table of a low-resource experiment.

        Parameters
        ----------
        table : DataFrame
            That of :func:`serkit.evaluation.low_resource_curve`, with a row per
            ``system``, ``n_synthetic``, ``fraction``, ``repeat`` and ``speaker``;
            the rows of the speaker "all" are drawn.
        metric : str, default="UAR"
            The column with the score.
        n_synthetic : int, sequence of int or None, default=None
            The numbers of synthetic rows that are drawn; ``None`` draws all.
        systems : str, sequence of str or None, default=None
            The systems that are drawn; ``None`` draws all. The line of real rows
            alone is always there.
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
        display : LowResourceDisplay

        Raises
        ------
        ValueError
            If the table lacks what is to be drawn.
        """
        if missing := [column for column in (*_COLUMNS, metric) if column not in table]:
            raise ValueError(f"the table has no columns {missing}; it has {list(table.columns)}")
        table = table[table["speaker"] == "all"]
        if table.empty:
            raise ValueError('the table has no rows of the speaker "all"')
        if table.duplicated(["system", "n_synthetic", "fraction", "repeat"]).any():
            raise ValueError(
                "the table has several rows of the same repeat; draw one experiment at a time"
            )
        table = _select(_select(table, "system", systems), "n_synthetic", n_synthetic)
        scores = table.groupby(["system", "n_synthetic", "fraction"], sort=False)[metric]
        # A single repeat has no standard deviation, and its line no band.
        summary = scores.agg(["mean", "std"]).fillna({"std": 0.0}).reset_index()
        display = cls(summary.sort_values("fraction", kind="stable"), metric=metric)
        return display.plot(ax, name=name, chance=chance, **line_kw)


def _select(table: pd.DataFrame, column: str, wanted: Any) -> pd.DataFrame:
    """Keep what is wanted, and the real rows alone."""
    if wanted is None:
        return table
    wanted = [wanted] if isinstance(wanted, (str, Integral)) else list(wanted)
    known = table[column].unique().tolist()
    if unknown := [value for value in wanted if value not in known]:
        raise ValueError(f"the table has no {column} {unknown}; it has {known}")
    return table[table[column].isin(wanted) | (table["system"] == _BASELINE)]
