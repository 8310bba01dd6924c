"""Ranks of many systems over many blocks, and how far apart they have to be."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import friedmanchisquare, studentized_range

__all__ = ["SystemRanks", "rank_systems"]


class SystemRanks(NamedTuple):
    """Outcome of :func:`rank_systems`.

    Parameters
    ----------
    average_ranks : Series
        Mean rank of every system, the best first.
    critical_difference : float
        Two systems whose mean ranks are further apart differ.
    p_friedman : float
        p-value of Friedman's test that all systems are alike.
    n_blocks : int
        Number of blocks.
    """

    average_ranks: pd.Series
    critical_difference: float
    p_friedman: float
    n_blocks: int


def rank_systems(
    scores: pd.DataFrame, *, alpha: float = 0.05, higher_is_better: bool = True
) -> SystemRanks:
    """Rank three or more systems, with Friedman's test and Nemenyi's critical difference.

    In every block (a speaker, or a fold of a corpus) the systems are ranked, 1
    for the best; equal ones share their ranks. These are the data of a
    critical-difference diagram [1]_.

    Parameters
    ----------
    scores : DataFrame of shape (n_blocks, n_systems)
        A row for each block, a column for each system.
    alpha : float, default=0.05
        Probability that alike systems are told apart somewhere.
    higher_is_better : bool, default=True
        Whether the highest score has the rank 1.

    Returns
    -------
    ranks : SystemRanks
        ``average_ranks`` (best first), ``critical_difference``, ``p_friedman``
        and ``n_blocks``.

    Raises
    ------
    ValueError
        If there are less than three systems or two blocks, or a score is
        missing.

    See Also
    --------
    paired_test : Compares two systems.
    BenchmarkResult.ranks : Ranks the pipelines of a benchmark over its speakers.

    References
    ----------
    .. [1] J. Demšar, "Statistical Comparisons of Classifiers over Multiple Data
       Sets", Journal of Machine Learning Research 7, 2006, pp. 1-30.

    Examples
    --------
    >>> import pandas as pd
    >>> from serkit.evaluation import rank_systems
    >>> scores = pd.DataFrame(
    ...     {"SVM": [0.7, 0.6, 0.8, 0.7], "CRNN": [0.8, 0.7, 0.7, 0.8], "chance": [0.2] * 4}
    ... )
    >>> ranks = rank_systems(scores)
    >>> ranks.average_ranks
    CRNN      1.25
    SVM       1.75
    chance    3.00
    Name: average rank, dtype: float64
    >>> round(ranks.critical_difference, 2), round(ranks.p_friedman, 3)
    (1.66, 0.039)
    """
    scores = pd.DataFrame(scores)
    n_blocks, n_systems = scores.shape
    if n_systems < 3 or n_blocks < 2:
        raise ValueError(
            f"ranks need three systems and two blocks or more, got {n_systems} and {n_blocks}; "
            "two systems are compared by paired_test"
        )
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must be between 0 and 1, got {alpha!r}")
    missing = scores.isna().stack()
    if missing.any():
        block, system = missing.idxmax()
        raise ValueError(
            f"{missing.sum()} scores are missing, the first of system {system!r} in block "
            f"{block!r}; leave out systems, or blocks, that are not complete"
        )
    # Scores of equal recalls may differ in the last bit; that is no difference.
    ranks = scores.round(12).rank(axis=1, ascending=not higher_is_better)
    tied = (ranks.nunique(axis=1) == 1).all()
    p_friedman = 1.0 if tied else float(friedmanchisquare(*ranks.to_numpy().T).pvalue)
    quantile = studentized_range.ppf(1 - alpha, n_systems, np.inf) / np.sqrt(2)
    return SystemRanks(
        ranks.mean().sort_values(kind="stable").rename("average rank"),
        float(quantile * np.sqrt(n_systems * (n_systems + 1) / (6 * n_blocks))),
        p_friedman,
        n_blocks,
    )
