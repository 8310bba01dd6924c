"""A picture of which systems differ, by their ranks."""

from typing import Any

import numpy as np
import pandas as pd

from serkit.evaluation import rank_systems
from serkit.inspection._drawing import axes_and_figure

__all__ = ["CriticalDifferenceDisplay"]

#: In units of the axis below it: where the lowest bar may be, and the distance of what follows.
_STEP = 0.5


class CriticalDifferenceDisplay:
    """Draw systems at their mean ranks, and join those between which no difference is shown.

    Use :meth:`from_ranks` or :meth:`from_scores` to make one. The best system is
    at the right. A heavy bar joins systems whose mean ranks differ by less than
    the critical difference, of which the length is drawn above.

    Parameters
    ----------
    average_ranks : Series
        Mean rank of every system, by its name; 1 is the best.
    critical_difference : float
        The difference of two mean ranks from which on it counts.
    p_value : float or None, default=None
        Of the test whether any systems differ, for the caption.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure.
    labels_ : dict of str to matplotlib Text
        The names, by system.
    groups_ : list of tuple of str
        The systems that every bar joins, from best to worst.
    bars_ : list of matplotlib Line2D
        The bars.

    References
    ----------
    .. [1] J. Demšar, "Statistical Comparisons of Classifiers over Multiple Data Sets",
       Journal of Machine Learning Research 7, 2006, pp. 1-30.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> import pandas as pd
    >>> from serkit.inspection import CriticalDifferenceDisplay
    >>> ranks = pd.Series({"SVM": 1.4, "CRNN": 2.1, "ACRNN": 2.9, "chance": 3.6})
    >>> display = CriticalDifferenceDisplay.from_ranks(ranks, 0.9)
    >>> display.groups_
    [('SVM', 'CRNN'), ('CRNN', 'ACRNN'), ('ACRNN', 'chance')]
    """

    def __init__(self, average_ranks, critical_difference, *, p_value=None):
        self.average_ranks = average_ranks
        self.critical_difference = critical_difference
        self.p_value = p_value

    def plot(
        self, ax: Any = None, *, name: str | None = None, **bar_kw: Any
    ) -> "CriticalDifferenceDisplay":
        """Draw the systems.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where; ``None`` makes a figure of a height that suits.
        name : str or None, default=None
            A title.
        **bar_kw : dict
            Handed to ``plot`` of matplotlib for the bars.

        Returns
        -------
        display : CriticalDifferenceDisplay
        """
        ranks = pd.Series(self.average_ranks).sort_values(kind="stable")
        self.groups_ = _groups(ranks, self.critical_difference)
        n_systems = len(ranks)
        first_label = -_STEP * (len(self.groups_) + 1.5)
        depth = first_label - (n_systems + 1) // 2
        self.ax_, self.figure_ = axes_and_figure(self, ax, size=(7, 0.9 + 0.28 * (2 - depth)))
        self._draw_scale(n_systems)
        self.bars_ = []
        style = {"color": "black", "linewidth": 4, "solid_capstyle": "butt"} | bar_kw
        for level, group in enumerate(self.groups_, start=1):
            ends = np.array([ranks[group[0]] - 0.03, ranks[group[-1]] + 0.03])
            self.bars_ += self.ax_.plot(ends, [-_STEP * level] * 2, **style)
        self._draw_labels(ranks, first_label)
        margin = 0.42 * max(n_systems - 1, 1)
        self.ax_.set(xlim=(n_systems + margin, 1 - margin), ylim=(depth + 0.4, 2.4))
        self.ax_.set_axis_off()
        if name is not None:
            self.ax_.set_title(name)
        return self

    def _draw_scale(self, n_systems: int) -> None:
        """Draw the scale of ranks and, above it, the critical difference."""
        line = {"color": "black", "linewidth": 0.9}
        self.ax_.plot([1, n_systems], [0, 0], **line)
        for rank in range(1, n_systems + 1):
            self.ax_.plot([rank, rank], [0, 0.2], **line)
            self.ax_.text(rank, 0.3, str(rank), ha="center", va="bottom", fontsize="small")
        length, y = self.critical_difference, 1.5
        for ends, heights in (
            ([n_systems, n_systems - length], [y, y]),
            ([n_systems] * 2, [y - 0.12, y + 0.12]),
            ([n_systems - length] * 2, [y - 0.12, y + 0.12]),
        ):
            self.ax_.plot(ends, heights, **line)
        caption = f"CD = {length:.2f}"
        if self.p_value is not None:
            small = f"{self.p_value:.3f}" if self.p_value >= 0.001 else "< 0.001"
            caption += f"   Friedman p {small if small[0] == '<' else '= ' + small}"
        self.ax_.text(n_systems, y + 0.25, caption, ha="left", va="bottom", fontsize="small")

    def _draw_labels(self, ranks: pd.Series, first: float) -> None:
        """Write the better half at the right, the other at the left, the outermost lowest."""
        n_systems = len(ranks)
        n_right = (n_systems + 1) // 2
        self.labels_: dict[str, Any] = {}
        gap = 0.06 * max(n_systems - 1, 1)
        for place, (system, rank) in enumerate(ranks.items()):
            at_right = place < n_right
            level = place if at_right else n_systems - 1 - place
            x, y = (1 - gap, first - level) if at_right else (n_systems + gap, first - level)
            self.ax_.plot([rank, rank, x], [0, y, y], color="black", linewidth=0.9)
            towards = -gap / 5 if at_right else gap / 5
            self.labels_[system] = self.ax_.text(
                x + towards,
                y,
                f"{system} ({rank:.2f})".replace("$", r"\$"),
                ha="left" if at_right else "right",
                va="center",
                fontsize="small",
            )

    @classmethod
    def from_ranks(
        cls,
        average_ranks: Any,
        critical_difference: float,
        *,
        p_value: float | None = None,
        ax: Any = None,
        name: str | None = None,
        **bar_kw: Any,
    ) -> "CriticalDifferenceDisplay":
        """Draw ranks that are known.

        Parameters
        ----------
        average_ranks : Series or dict of str to float
            Mean rank of every system, by its name; 1 is the best.
        critical_difference : float
            The difference of two mean ranks from which on it counts.
        p_value : float or None, default=None
            Of the test whether any systems differ, for the caption.
        ax : matplotlib Axes or None, default=None
            Where; ``None`` makes a figure of a height that suits.
        name : str or None, default=None
            A title.
        **bar_kw : dict
            Handed to ``plot`` of matplotlib for the bars.

        Returns
        -------
        display : CriticalDifferenceDisplay

        Raises
        ------
        ValueError
            If there are fewer than two systems, or if what is given are no ranks.
        """
        ranks = pd.Series(average_ranks, dtype=float)
        if len(ranks) < 2 or not ranks.between(1, len(ranks)).all():
            raise ValueError(
                f"mean ranks of n systems, two or more, are from 1 to n; these are {ranks.tolist()}"
            )
        if not critical_difference > 0:
            raise ValueError(f"the critical difference is above 0, not {critical_difference}")
        return cls(ranks, critical_difference, p_value=p_value).plot(ax, name=name, **bar_kw)

    @classmethod
    def from_scores(
        cls,
        scores: pd.DataFrame,
        *,
        alpha: float = 0.05,
        higher_is_better: bool = True,
        ax: Any = None,
        name: str | None = None,
        **bar_kw: Any,
    ) -> "CriticalDifferenceDisplay":
        """Rank systems by their scores, and draw them.

        Parameters
        ----------
        scores : DataFrame of shape (n_blocks, n_systems)
            A row per speaker (or fold, or corpus), a column per system, three of
            these or more.
        alpha : float, default=0.05
            Probability that alike systems are told apart somewhere.
        higher_is_better : bool, default=True
            Whether the highest score has the rank 1.
        ax : matplotlib Axes or None, default=None
            Where; ``None`` makes a figure of a height that suits.
        name : str or None, default=None
            A title.
        **bar_kw : dict
            Handed to ``plot`` of matplotlib for the bars.

        Returns
        -------
        display : CriticalDifferenceDisplay
        """
        ranking = rank_systems(scores, alpha=alpha, higher_is_better=higher_is_better)
        return cls.from_ranks(
            ranking.average_ranks,
            ranking.critical_difference,
            p_value=ranking.p_friedman,
            ax=ax,
            name=name,
            **bar_kw,
        )


def _groups(ranks: pd.Series, critical_difference: float) -> list[tuple[str, ...]]:
    """Return the largest sets of neighbours that differ by less than the critical difference."""
    values, groups, last_end = ranks.to_numpy(), [], 0
    for start in range(len(values)):
        end = int(np.searchsorted(values, values[start] + critical_difference))
        if end - start > 1 and end > last_end:
            groups.append(tuple(ranks.index[start:end]))
            last_end = end
    return groups
