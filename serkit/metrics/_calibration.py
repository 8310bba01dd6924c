"""Whether posteriors can be taken at their word."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import check_array, check_consistent_length, column_or_1d

__all__ = ["expected_calibration_error", "reliability_bins"]


def reliability_bins(
    y_true: Any, y_prob: Any, *, labels: Any = None, n_bins: int = 15, strategy: str = "uniform"
) -> pd.DataFrame:
    """Compare how sure a classifier is of the class it names with how often it is right.

    Parameters
    ----------
    y_true : array-like of shape (n_utterances,)
        True emotions.
    y_prob : array-like of shape (n_utterances, n_classes)
        Posteriors of the classes; an utterance is taken for the most probable.
    labels : array-like of shape (n_classes,), default=None
        The classes of the columns, ``classes_`` of a classifier; ``None`` is
        those of `y_true`, sorted.
    n_bins : int, default=15
        Number of bins.
    strategy : {"uniform", "quantile"}, default="uniform"
        Bins of equal width in [0, 1], or of about equally many utterances.

    Returns
    -------
    bins : DataFrame
        One row per bin that has utterances: its edges ``low`` and ``high``, of
        which the latter belongs to it, the mean posterior of the classes named
        (``confidence``), the share of utterances named rightly (``accuracy``),
        and ``n_utterances``.

    Raises
    ------
    ValueError
        If the posteriors are none, or do not fit the classes.

    See Also
    --------
    expected_calibration_error : What the bins come to in one number.
    serkit.inspection.ReliabilityDisplay : Draws them.

    References
    ----------
    .. [1] C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On Calibration of Modern
       Neural Networks", ICML, 2017.

    Examples
    --------
    >>> from serkit.metrics import reliability_bins
    >>> y_prob = [[0.9, 0.1], [0.8, 0.2], [0.4, 0.6]]
    >>> reliability_bins(["anger", "joy", "joy"], y_prob, n_bins=2)
       low  high  confidence  accuracy  n_utterances
    0  0.5   1.0    0.766667  0.666667             3
    """
    confidence, right = _confidence(y_true, y_prob, labels)
    if n_bins < 1:
        raise ValueError(f"n_bins is 1 or more, not {n_bins}")
    edges = np.linspace(0, 1, n_bins + 1)
    if strategy == "quantile":
        edges = np.unique(np.quantile(confidence, edges))
        edges = np.repeat(edges, 2) if len(edges) == 1 else edges
    elif strategy != "uniform":
        raise ValueError(f'strategy is "uniform" or "quantile", not {strategy!r}')
    number = np.searchsorted(edges[1:-1], confidence)
    grouped = pd.DataFrame({"confidence": confidence, "accuracy": right}).groupby(number)
    bins = grouped.mean().assign(n_utterances=grouped.size())
    bins.insert(0, "low", edges[:-1][bins.index])
    bins.insert(1, "high", edges[1:][bins.index])
    return bins.reset_index(drop=True)


def expected_calibration_error(
    y_true: Any, y_prob: Any, *, labels: Any = None, n_bins: int = 15, strategy: str = "uniform"
) -> float:
    """Compute by how much a classifier is, on average, surer than it is right, or less sure.

    Utterances are sorted into bins by the posterior of the class they are taken
    for. Of every bin the difference between its mean posterior and its accuracy
    counts, by its share of the utterances.

    Parameters
    ----------
    y_true : array-like of shape (n_utterances,)
        True emotions.
    y_prob : array-like of shape (n_utterances, n_classes)
        Posteriors of the classes; an utterance is taken for the most probable.
    labels : array-like of shape (n_classes,), default=None
        The classes of the columns, ``classes_`` of a classifier; ``None`` is
        those of `y_true`, sorted.
    n_bins : int, default=15
        Number of bins. The error grows with it, for few utterances in a bin are
        right as often as chance has it.
    strategy : {"uniform", "quantile"}, default="uniform"
        Bins of equal width in [0, 1], or of about equally many utterances.

    Returns
    -------
    error : float
        In [0, 1]; 0 for posteriors that say how often they are right.

    Raises
    ------
    ValueError
        If the posteriors are none, or do not fit the classes.

    See Also
    --------
    reliability_bins : The bins one by one.
    sklearn.calibration.CalibratedClassifierCV : Makes posteriors better.

    References
    ----------
    .. [1] C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On Calibration of Modern
       Neural Networks", ICML, 2017.

    Examples
    --------
    >>> from serkit.metrics import expected_calibration_error
    >>> y_prob = [[0.9, 0.1], [0.8, 0.2], [0.4, 0.6]]
    >>> round(expected_calibration_error(["anger", "joy", "joy"], y_prob, n_bins=2), 3)
    0.1
    """
    bins = reliability_bins(y_true, y_prob, labels=labels, n_bins=n_bins, strategy=strategy)
    gaps = (bins["confidence"] - bins["accuracy"]).abs()
    return float(np.average(gaps, weights=bins["n_utterances"]))


def _confidence(y_true: Any, y_prob: Any, labels: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the posterior of the class that every utterance is taken for, and if it is right."""
    y_true, y_prob = column_or_1d(y_true), check_array(y_prob, dtype=np.float64)
    check_consistent_length(y_true, y_prob)
    labels = np.unique(y_true) if labels is None else column_or_1d(labels)
    if y_prob.shape[1] != len(labels):
        raise ValueError(
            f"y_prob has {y_prob.shape[1]} columns for the {len(labels)} classes "
            f"{labels.tolist()}; pass labels=classifier.classes_"
        )
    # Networks have them in single precision, text files in few digits.
    if y_prob.min() < 0 or not np.allclose(y_prob.sum(axis=1), 1, atol=1e-3):
        raise ValueError(
            "y_prob holds posteriors, from 0 to 1 and with the sum 1 in every row; these are none"
        )
    best = y_prob.argmax(axis=1)
    return np.minimum(y_prob[np.arange(len(best)), best], 1.0), labels[best] == y_true
