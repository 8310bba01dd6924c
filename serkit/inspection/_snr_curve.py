"""A picture of what noise costs."""

from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd

from serkit.inspection._drawing import (
    GREY,
    MARKERS,
    axes_and_figure,
    colors,
    draw_band,
    finish_curves,
    score_summary,
)

__all__ = ["SNRCurveDisplay"]

_LINES = ("-", "--", "-.", ":")


class SNRCurveDisplay:
    """Draw a score against the signal-to-noise ratio of the speech tested.

    Use :meth:`from_table` to make one. A line is the mean over folds, its band one
    standard deviation of the folds to either side; seeds are averaged before.
    Clean speech stands at the right, apart from the scale. Colour and marker tell
    pipelines apart, and the dashes kinds of noise.

    Parameters
    ----------
    table : DataFrame
        The columns ``pipeline``, ``noise``, ``snr`` (dB; infinite for clean
        speech), ``mean`` and ``std``.
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
    clean_ : dict of str to matplotlib ErrorbarContainer
        The means on clean speech, with the same deviation.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> import pandas as pd
    >>> from serkit.inspection import SNRCurveDisplay
    >>> rows = [("SVM", 0, 0.3), ("SVM", 10, 0.5), ("SVM", float("inf"), 0.6)]
    >>> table = pd.DataFrame(rows, columns=["pipeline", "snr", "UAR"]).assign(fold=0)
    >>> display = SNRCurveDisplay.from_table(table)
    >>> [tick.get_text() for tick in display.ax_.get_xticklabels()]
    ['0', '10', 'clean']
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
    ) -> "SNRCurveDisplay":
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
        display : SNRCurveDisplay
        """
        self.ax_, self.figure_ = axes_and_figure(self, ax)
        self.lines_: dict[str, Any] = {}
        self.bands_: dict[str, Any] = {}
        self.clean_: dict[str, Any] = {}
        ratios = np.unique(self.table["snr"])
        finite = ratios[np.isfinite(ratios)]
        clean_at = finite[-1] + max(np.diff(finite), default=5.0)
        pipelines, noises = self.table["pipeline"].unique(), self.table["noise"].unique()
        noises = [noise for noise in noises if noise]
        # Beside each other, for equal scores would hide each other.
        shifts = 0.08 * (clean_at - finite[-1]) * (np.arange(len(pipelines)) - len(pipelines) // 2)
        for pipeline, color, marker, shift in zip(
            pipelines, colors(len(pipelines)), cycle(MARKERS), shifts, strict=False
        ):
            of_pipeline = self.table[self.table["pipeline"] == pipeline].sort_values("snr")
            clean = of_pipeline[np.isinf(of_pipeline["snr"])]
            for noise, dashes in zip(noises or [""], cycle(_LINES), strict=False):
                line = of_pipeline[np.isfinite(of_pipeline["snr"])]
                line = line[line["noise"] == noise]
                if line.empty:
                    continue
                label = f"{pipeline}, {noise}" if len(noises) > 1 else str(pipeline)
                style = {"color": color, "marker": marker, "linestyle": dashes, "label": label}
                self.lines_[label], self.bands_[label] = draw_band(
                    self.ax_, line["snr"], line["mean"], line["std"], **(style | line_kw)
                )
            # Clean speech has no kind of noise; if it has one all the same, the means are one.
            if not clean.empty:
                style = {"color": color, "marker": marker, "linestyle": "", "capsize": 3}
                self.clean_[pipeline] = self.ax_.errorbar(
                    clean_at + shift, clean["mean"].mean(), clean["std"].mean(), **style
                )
        self._mark(finite, clean_at, chance)
        self.ax_.set(xlabel="signal-to-noise ratio, dB", ylabel=self.metric, title=name)
        return self

    def _mark(self, finite: np.ndarray, clean_at: float, chance: float | None) -> None:
        """Set the ticks, and what stands beside the lines."""
        ticks, labels = finite.tolist(), [f"{ratio:g}" for ratio in finite]
        if self.clean_:
            ticks, labels = [*ticks, clean_at], [*labels, "clean"]
            self.ax_.axvline((finite[-1] + clean_at) / 2, color=GREY, linewidth=0.5)
        self.ax_.set_xticks(ticks, labels)
        finish_curves(self.ax_, chance=chance)

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
    ) -> "SNRCurveDisplay":
        """Draw scores of speech in noise.

        Parameters
        ----------
        table : DataFrame
            One row per ``pipeline``, ``snr`` (dB; infinite for clean speech) and
            ``fold``, and per ``noise``, if it has that column.
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
        display : SNRCurveDisplay

        Raises
        ------
        ValueError
            If the table lacks what is to be drawn.
        """
        if "noise" not in table:
            table = table.assign(noise="")
        elif "snr" in table:
            table = table.assign(noise=table["noise"].where(np.isfinite(table["snr"]), ""))
        summary = score_summary(table, ["pipeline", "noise", "snr"], metric)
        if not np.isfinite(summary["snr"]).any():
            raise ValueError("all rows are of clean speech, and a curve needs noise: a finite snr")
        return cls(summary, metric=metric).plot(ax, name=name, chance=chance, **line_kw)
