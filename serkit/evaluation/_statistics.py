"""Paired tests and effect sizes over speakers."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln
from scipy.stats import permutation_test, rankdata, wilcoxon

__all__ = ["PairedTest", "paired_differences", "paired_test"]


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
    hedges_g : float
        Mean difference in standard deviations of the differences (Cohen's d_z),
        with Hedges' correction for few speakers; NaN with less than three.
    rank_biserial : float
        Matched rank-biserial correlation: 1 if the first is better for every
        speaker, -1 if the second is.
    """

    n_speakers: int
    difference: float
    p_permutation: float
    p_wilcoxon: float
    hedges_g: float
    rank_biserial: float


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
        difference, ``p_wilcoxon`` of the two-sided signed-rank test, and two
        effect sizes, ``hedges_g`` [1]_ and ``rank_biserial`` [2]_.

    Raises
    ------
    ValueError
        If there is not one score of each system per speaker, or one is not finite.

    See Also
    --------
    correct_p_values : Corrects the p-values of several tests.
    speaker_bootstrap : How large the difference may be.
    corrected_resampled_t_test : Takes folds for the unit, where there are few speakers.

    Notes
    -----
    With n speakers no p-value of the permutation test is below ``2 / 2**n``.

    References
    ----------
    .. [1] L. V. Hedges, "Distribution Theory for Glass's Estimator of Effect Size
       and Related Estimators", Journal of Educational Statistics 6(2), 1981,
       pp. 107-128.
    .. [2] D. S. Kerby, "The Simple Difference Formula: An Approach to Teaching
       Nonparametric Correlation", Comprehensive Psychology 3, 2014.

    Examples
    --------
    >>> from serkit.evaluation import paired_test
    >>> test = paired_test([0.7, 0.8, 0.6, 0.9], [0.6, 0.6, 0.5, 0.7])
    >>> test.n_speakers, round(test.difference, 2), test.p_permutation
    (4, 0.15, 0.125)
    >>> round(test.hedges_g, 2), test.rank_biserial
    (1.88, 1.0)
    """
    differences = paired_differences(first, second, unit="speaker")
    if len(differences) < 2 or not differences.any():
        return PairedTest(
            len(differences), float(differences.mean()), 1.0, 1.0, *_effect_sizes(differences)
        )
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
        *_effect_sizes(differences),
    )


def paired_differences(first: ArrayLike, second: ArrayLike, *, unit: str) -> np.ndarray:
    """Return first minus second, or raise if there is not a score of both per unit."""
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if a.ndim != 1 or a.shape != b.shape or not len(a):
        raise ValueError(
            f"one score per {unit} is needed for both systems; got shapes {a.shape} and {b.shape}"
        )
    missing = np.flatnonzero(~(np.isfinite(a) & np.isfinite(b)))
    if missing.size:
        one = missing[0]
        raise ValueError(
            f"{missing.size} {unit}s have scores that are missing or infinite, the first in "
            f"position {one}: {a[one]} and {b[one]}; leave out every {unit} that is not complete"
        )
    # Scores of equal recalls may differ in the last bit; that is no difference.
    return np.where(np.isclose(a, b, rtol=0, atol=1e-12), 0.0, a - b)


def _mean_difference(first: np.ndarray, second: np.ndarray, axis: int) -> np.ndarray:
    return np.mean(first - second, axis=axis)


def _effect_sizes(differences: np.ndarray) -> tuple[float, float]:
    """Return Hedges' g of the differences and their rank-biserial correlation."""
    if not differences.any():
        return 0.0, 0.0
    ranks = rankdata(np.abs(differences[differences != 0]))
    correlation = np.sum(ranks * np.sign(differences[differences != 0])) / ranks.sum()
    degrees = len(differences) - 1
    if degrees < 2:
        return np.nan, float(correlation)
    with np.errstate(divide="ignore"):  # equal differences: they have no deviation
        d_z = differences.mean() / differences.std(ddof=1)
    unbiased = np.exp(gammaln(degrees / 2) - gammaln((degrees - 1) / 2)) / np.sqrt(degrees / 2)
    return float(unbiased * d_z), float(correlation)
