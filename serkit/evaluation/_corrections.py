"""Correction of p-values for the number of tests."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import false_discovery_control

__all__ = ["CORRECTIONS", "correct_p_values", "holm_correction"]

#: Methods, and what they are called at the head of a column.
CORRECTIONS = {"holm": "Holm", "benjamini-hochberg": "BH"}


def correct_p_values(p_values: ArrayLike, method: str = "holm") -> np.ndarray:
    """Correct p-values of several tests for their number.

    Parameters
    ----------
    p_values : array-like of shape (n_tests,)
        The p-values; NaN stands for a test that could not be done, and is not
        counted.
    method : {"holm", "benjamini-hochberg"}, default="holm"
        "holm" [1]_ keeps the probability of one false finding or more;
        "benjamini-hochberg" [2]_ keeps the expected share of false ones among
        the findings, which fits a search through very many systems.

    Returns
    -------
    corrected : ndarray of shape (n_tests,)
        In the order given, at most 1.

    Raises
    ------
    ValueError
        If a p-value is not from 0 to 1, or the method unknown.

    References
    ----------
    .. [1] S. Holm, "A simple sequentially rejective multiple test procedure",
       Scandinavian Journal of Statistics 6(2), 1979, pp. 65-70.
    .. [2] Y. Benjamini and Y. Hochberg, "Controlling the False Discovery Rate: A
       Practical and Powerful Approach to Multiple Testing", Journal of the Royal
       Statistical Society B 57(1), 1995, pp. 289-300.

    Examples
    --------
    >>> from serkit.evaluation import correct_p_values
    >>> correct_p_values([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    >>> correct_p_values([0.01, 0.04, 0.03], method="benjamini-hochberg")
    array([0.03, 0.04, 0.04])
    """
    if method not in CORRECTIONS:
        raise ValueError(f"method must be one of {list(CORRECTIONS)}, got {method!r}")
    p = np.array(p_values, dtype=float)
    done = ~np.isnan(p)
    if method == "holm":
        p[done] = holm_correction(p[done])
    elif done.any():
        p[done] = false_discovery_control(_check(p[done]), method="bh")
    return p


def holm_correction(p_values: ArrayLike) -> np.ndarray:
    """Correct p-values of several tests so that the family-wise error holds.

    Parameters
    ----------
    p_values : array-like of shape (n_tests,)
        The p-values.

    Returns
    -------
    corrected : ndarray of shape (n_tests,)
        In the order given, at most 1.

    Raises
    ------
    ValueError
        If a p-value is not from 0 to 1.

    See Also
    --------
    correct_p_values : Does the same by several methods.

    References
    ----------
    .. [1] S. Holm, "A simple sequentially rejective multiple test procedure",
       Scandinavian Journal of Statistics 6(2), 1979, pp. 65-70.

    Examples
    --------
    >>> from serkit.evaluation import holm_correction
    >>> holm_correction([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """
    p = _check(p_values)
    order = np.argsort(p)
    stepwise = p[order] * np.arange(len(p), 0, -1)
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(np.maximum.accumulate(stepwise), 1)
    return corrected


def _check(p_values: ArrayLike) -> np.ndarray:
    p = np.asarray(p_values, dtype=float)
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"p-values are numbers from 0 to 1, got {p}")
    return p
