"""A picture of whether posteriors can be taken at their word."""

from typing import Any

import pandas as pd

from serkit.evaluation import ComparisonResult
from serkit.inspection._drawing import GREY, axes_and_figure, colors
from serkit.metrics import expected_calibration_error, reliability_bins

__all__ = ["ReliabilityDisplay"]


class ReliabilityDisplay:
    """Draw how often a classifier is right, against how sure it is.

    Use :meth:`from_estimator`, :meth:`from_predictions` or :meth:`from_result` to
    make one. A bar is the share of utterances that were named rightly, among those
    of which the most probable class had a posterior within the bin; the bar is
    the paler, the fewer these are. Bars below the diagonal are of a classifier that is
    too sure; the hatched part is what is lacking, or too much.

    Parameters
    ----------
    bins : DataFrame
        That of :func:`~serkit.metrics.reliability_bins`.
    error : float
        The expected calibration error, for the caption.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure.
    bars_ : matplotlib BarContainer
        The share of right utterances, by bin.
    gaps_ : matplotlib BarContainer
        What lies between the bars and the mean posterior of their bins.

    See Also
    --------
    serkit.metrics.expected_calibration_error : What the bars come to in one number.
    sklearn.calibration.CalibrationDisplay : Draws one class against the others.

    References
    ----------
    .. [1] C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On Calibration of Modern
       Neural Networks", ICML, 2017.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from serkit.inspection import ReliabilityDisplay
    >>> y_prob = [[0.9, 0.1], [0.8, 0.2], [0.4, 0.6]]
    >>> display = ReliabilityDisplay.from_predictions(["anger", "joy", "joy"], y_prob, n_bins=5)
    >>> [float(bar.get_height()) for bar in display.bars_]
    [1.0, 0.0, 1.0]
    """

    def __init__(self, bins, error):
        self.bins = bins
        self.error = error

    def plot(
        self, ax: Any = None, *, name: str | None = None, **bar_kw: Any
    ) -> "ReliabilityDisplay":
        """Draw the bars.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where; ``None`` makes a figure.
        name : str or None, default=None
            A title.
        **bar_kw : dict
            Handed to ``bar`` of matplotlib.

        Returns
        -------
        display : ReliabilityDisplay
        """
        self.ax_, self.figure_ = axes_and_figure(self, ax, size=(4.4, 4.4))
        bins = self.bins
        place = {"x": bins["low"], "width": bins["high"] - bins["low"], "align": "edge"}
        blue, red = colors(2)
        style = {"color": blue, "edgecolor": "white", "linewidth": 0.8} | bar_kw
        self.bars_ = self.ax_.bar(height=bins["accuracy"], **place, **style)
        shares = bins["n_utterances"] / bins["n_utterances"].max()
        for bar, share in zip(self.bars_, shares, strict=True):
            bar.set_alpha(0.25 + 0.75 * share)
        self.gaps_ = self.ax_.bar(
            height=bins["confidence"] - bins["accuracy"],
            bottom=bins["accuracy"],
            **place,
            facecolor="none",
            edgecolor=red,
            hatch="////",
            linewidth=0.8,
            label="gap to the mean posterior",
        )
        self.ax_.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1)
        caption = f"ECE = {100 * self.error:.1f} %, {bins['n_utterances'].sum()} utterances"
        small = dict.fromkeys(("fontsize", "title_fontsize"), "small")
        self.ax_.legend(title=caption, loc="upper left", frameon=False, **small)
        self.ax_.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", title=name)
        self.ax_.set(xlabel="posterior of the class named", ylabel="share named rightly")
        return self

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        n_bins: int = 10,
        strategy: str = "uniform",
        ax: Any = None,
        name: str | None = None,
        **bar_kw: Any,
    ) -> "ReliabilityDisplay":
        """Draw a fitted classifier.

        Parameters
        ----------
        estimator : classifier
            Fitted, with ``predict_proba``.
        X : audio, frames or functionals
            Utterances of speakers whom it does not know.
        y : array-like of shape (n_utterances,)
            Their emotions.
        n_bins : int, default=10
            Number of bins.
        strategy : {"uniform", "quantile"}, default="uniform"
            Bins of equal width, or of about equally many utterances.
        ax : matplotlib Axes or None, default=None
            Where; ``None`` makes a figure.
        name : str or None, default=None
            A title.
        **bar_kw : dict
            Handed to ``bar`` of matplotlib.

        Returns
        -------
        display : ReliabilityDisplay
        """
        style = {"n_bins": n_bins, "strategy": strategy, "ax": ax, "name": name, **bar_kw}
        y_prob = estimator.predict_proba(X)
        return cls.from_predictions(y, y_prob, labels=estimator.classes_, **style)

    @classmethod
    def from_predictions(
        cls,
        y_true: Any,
        y_prob: Any,
        *,
        labels: Any = None,
        n_bins: int = 10,
        strategy: str = "uniform",
        ax: Any = None,
        name: str | None = None,
        **bar_kw: Any,
    ) -> "ReliabilityDisplay":
        """Draw posteriors that are known.

        Parameters
        ----------
        y_true : array-like of shape (n_utterances,)
            True emotions.
        y_prob : array-like of shape (n_utterances, n_classes)
            Posteriors of the classes.
        labels : array-like of shape (n_classes,) or None, default=None
            The classes of the columns; ``None`` is those of `y_true`, sorted.
        n_bins : int, default=10
            Number of bins.
        strategy : {"uniform", "quantile"}, default="uniform"
            Bins of equal width, or of about equally many utterances.
        ax : matplotlib Axes or None, default=None
            Where; ``None`` makes a figure.
        name : str or None, default=None
            A title.
        **bar_kw : dict
            Handed to ``bar`` of matplotlib.

        Returns
        -------
        display : ReliabilityDisplay
        """
        options = {"labels": labels, "n_bins": n_bins, "strategy": strategy}
        bins = reliability_bins(y_true, y_prob, **options)
        error = expected_calibration_error(y_true, y_prob, **options)
        return cls(bins, error).plot(ax, name=name, **bar_kw)

    @classmethod
    def from_result(
        cls,
        result: ComparisonResult,
        pipeline: str,
        *,
        n_bins: int = 10,
        strategy: str = "uniform",
        ax: Any = None,
        name: str | None = None,
        **bar_kw: Any,
    ) -> "ReliabilityDisplay":
        """Draw a pipeline of a comparison, all folds and seeds together.

        Parameters
        ----------
        result : ComparisonResult
            Made by :func:`~serkit.evaluation.compare`.
        pipeline : str
            Name of a pipeline with posteriors.
        n_bins : int, default=10
            Number of bins.
        strategy : {"uniform", "quantile"}, default="uniform"
            Bins of equal width, or of about equally many utterances.
        ax : matplotlib Axes or None, default=None
            Where; ``None`` makes a figure.
        name : str or None, default=None
            A title; ``None`` takes that of the pipeline.
        **bar_kw : dict
            Handed to ``bar`` of matplotlib.

        Returns
        -------
        display : ReliabilityDisplay

        Raises
        ------
        ValueError
            If there is no such pipeline, or if it has no posteriors.
        """
        if pipeline not in result.pipelines:
            raise ValueError(f"there is no pipeline {pipeline!r}; there are {result.pipelines}")
        rows = result.predictions[result.predictions["pipeline"] == pipeline]
        if not (rows["score_method"] == "predict_proba").all():
            raise ValueError(
                f"pipeline {pipeline!r} has no posteriors; of an SVM, CalibratedClassifierCV of "
                "scikit-learn makes some"
            )
        y_prob = _posteriors(rows)
        return cls.from_predictions(
            rows["y_true"].astype(str).to_numpy(),
            y_prob.to_numpy(),
            labels=y_prob.columns.to_numpy(),
            n_bins=n_bins,
            strategy=strategy,
            ax=ax,
            name=pipeline if name is None else name,
            **bar_kw,
        )


def _posteriors(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of posteriors, by class; of a class that a fold lacks it is zero."""
    columns = rows.filter(regex=r"^score\[.*\]$").dropna(axis="columns", how="all").fillna(0.0)
    return columns.rename(columns=lambda name: name.removeprefix("score[").removesuffix("]"))
