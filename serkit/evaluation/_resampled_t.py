"""A t test over folds that knows that their training parts overlap."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from serkit.evaluation._statistics import paired_differences

__all__ = ["ResampledTTest", "corrected_resampled_t_test"]


class ResampledTTest(NamedTuple):
    """Outcome of :func:`corrected_resampled_t_test`.

    Parameters
    ----------
    n_folds : int
        Number of pairs.
    difference : float
        Mean difference, first minus second.
    statistic : float
        The value of t.
    p_value : float
        Two-sided p-value; NaN with less than two folds.
    """

    n_folds: int
    difference: float
    statistic: float
    p_value: float


def corrected_resampled_t_test(
    first: ArrayLike, second: ArrayLike, *, n_train: float, n_test: float
) -> ResampledTTest:
    """Test whether two systems differ, given one score of each per fold.

    Training parts of different folds share most of their utterances, so scores
    of folds vary less than those of independent trainings would. The usual t
    test overlooks that and finds differences where there are none; this one
    [1]_ enlarges the variance by ``n_test / n_train``.

    Parameters
    ----------
    first, second : array-like of shape (n_folds,)
        Scores on the same folds, in the same order; those of several seeds are
        averaged before.
    n_train : float
        Number of training utterances in a fold, the mean if they differ.
    n_test : float
        Number of test utterances in a fold, the mean if they differ.

    Returns
    -------
    test : ResampledTTest
        ``n_folds``, mean ``difference`` (first minus second), ``statistic`` (t
        with ``n_folds - 1`` degrees of freedom) and two-sided ``p_value``.

    Raises
    ------
    ValueError
        If there is not one score of each system per fold, one is not finite, or
        a number of utterances is not positive.

    See Also
    --------
    paired_test : Takes speakers for the unit.

    References
    ----------
    .. [1] C. Nadeau and Y. Bengio, "Inference for the Generalization Error",
       Machine Learning 52(3), 2003, pp. 239-281.

    Examples
    --------
    >>> from serkit.evaluation import corrected_resampled_t_test
    >>> first, second = [0.7, 0.8, 0.6, 0.9, 0.8], [0.6, 0.6, 0.5, 0.7, 0.8]
    >>> test = corrected_resampled_t_test(first, second, n_train=400, n_test=100)
    >>> round(test.statistic, 2), round(test.p_value, 3)
    (2.14, 0.099)
    """
    differences = paired_differences(first, second, unit="fold")
    if not (n_train > 0 and n_test > 0):
        raise ValueError(f"n_train and n_test must be positive, got {n_train!r} and {n_test!r}")
    n_folds, mean = len(differences), float(differences.mean())
    if n_folds < 2:
        return ResampledTTest(n_folds, mean, np.nan, np.nan)
    if not differences.any():
        return ResampledTTest(n_folds, mean, 0.0, 1.0)
    variance = differences.var(ddof=1) * (1 / n_folds + n_test / n_train)
    with np.errstate(divide="ignore"):  # the same difference in every fold
        statistic = np.float64(mean) / np.sqrt(variance)
    p_value = 2 * stats.t.sf(abs(statistic), n_folds - 1)
    return ResampledTTest(n_folds, mean, float(statistic), float(p_value))
