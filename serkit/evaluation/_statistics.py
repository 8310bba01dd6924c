"""Paired tests over speakers."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import permutation_test, wilcoxon

__all__ = ["PairedTest", "holm_correction", "paired_test"]


class PairedTest(NamedTuple):
    """Outcome of :func:`paired_test`.

    Parameters
    ----------
    n_speakers : int
        Number of pairs.
    difference : float
        Mean difference, first minus second.
    p_permutation : float
        Two-sided p-value of the sign-flip permutation test.
    p_wilcoxon : float
        Two-sided p-value of Wilcoxon's signed-rank test.
    """

    n_speakers: int
    difference: float
    p_permutation: float
    p_wilcoxon: float


def paired_test(
    first: ArrayLike, second: ArrayLike, *, n_resamples: int = 99_999, random_state: int = 0
) -> PairedTest:
    """Test whether two systems differ, given one score of each per speaker.

    Utterances of one speaker are not independent, speakers are: the speaker is
    the unit of both tests.

    Parameters
    ----------
    first, second : array-like of shape (n_speakers,)
        Scores of the same speakers, in the same order.
    n_resamples : int, default=99_999
        All sign flips are enumerated if there are no more than this many,
        otherwise so many are drawn at random.
    random_state : int, default=0
        Seed of the random sign flips.

    Returns
    -------
    test : PairedTest
        ``n_speakers``, mean ``difference`` (first minus second),
        ``p_permutation`` of the two-sided sign-flip permutation test of the mean
        difference, ``p_wilcoxon`` of the two-sided signed-rank test.

    See Also
    --------
    holm_correction : Corrects the p-values of several tests.

    Notes
    -----
    With n speakers no p-value of the permutation test is below ``2 / 2**n``.

    Examples
    --------
    >>> from serkit.evaluation import paired_test
    >>> test = paired_test([0.7, 0.8, 0.6, 0.9], [0.6, 0.6, 0.5, 0.7])
    >>> test.n_speakers, round(test.difference, 2), test.p_permutation
    (4, 0.15, 0.125)
    """
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if a.ndim != 1 or a.shape != b.shape or not len(a):
        raise ValueError(
            f"one score per speaker is needed for both systems; got shapes {a.shape} and {b.shape}"
        )
    # Scores of equal recalls may differ in the last bit; that is no difference.
    differences = np.where(np.isclose(a, b, rtol=0, atol=1e-12), 0.0, a - b)
    if len(differences) < 2 or not differences.any():
        return PairedTest(len(differences), float(differences.mean()), 1.0, 1.0)
    permutation = permutation_test(
        (differences, np.zeros_like(differences)),
        _mean_difference,
        permutation_type="samples",
        vectorized=True,
        n_resamples=n_resamples,
        batch=10_000,
        rng=np.random.default_rng(random_state),
    )
    return PairedTest(
        len(differences),
        float(differences.mean()),
        float(permutation.pvalue),
        float(wilcoxon(differences).pvalue),
    )


def _mean_difference(first: np.ndarray, second: np.ndarray, axis: int) -> np.ndarray:
    return np.mean(first - second, axis=axis)


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
    p = np.asarray(p_values, dtype=float)
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"p-values are numbers from 0 to 1, got {p}")
    order = np.argsort(p)
    stepwise = p[order] * np.arange(len(p), 0, -1)
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(np.maximum.accumulate(stepwise), 1)
    return corrected
