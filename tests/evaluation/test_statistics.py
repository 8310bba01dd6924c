from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from serkit.evaluation import (
    correct_p_values,
    corrected_resampled_t_test,
    holm_correction,
    paired_test,
    rank_systems,
)


def test_permutation_p_is_that_of_all_sign_flips():
    rng = np.random.default_rng(0)
    a, b = rng.uniform(size=7), rng.uniform(size=7)
    observed = abs(np.mean(a - b))
    flipped = [abs(np.mean((a - b) * signs)) for signs in product([1, -1], repeat=7)]
    test = paired_test(a, b)
    assert test.p_permutation == np.mean(np.array(flipped) >= observed - 1e-12)
    assert test.difference == pytest.approx(np.mean(a - b))
    assert test.p_wilcoxon == stats.wilcoxon(a - b).pvalue


def test_random_sign_flips_come_close_to_all_of_them_and_repeat():
    rng = np.random.default_rng(1)
    a, b = rng.uniform(size=12), rng.uniform(size=12) - 0.15
    exact = paired_test(a, b).p_permutation
    drawn = [paired_test(a, b, n_resamples=2000).p_permutation for _ in range(2)]
    assert drawn[0] == drawn[1] != exact
    assert drawn[0] == pytest.approx(exact, abs=0.03)


def test_equal_systems_do_not_differ():
    scores = np.array([0.1 + 0.2, 0.5, 0.7])
    assert paired_test(scores, [0.3, 0.5, 0.7]) == (3, 0.0, 1.0, 1.0, 0.0, 0.0)


def test_scores_that_do_not_match_are_refused():
    with pytest.raises(ValueError, match="one score per speaker"):
        paired_test([0.1, 0.2], [0.1])


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_are_refused(wrong):
    complete, holed = [0.1, 0.2, 0.4, 0.3], [0.3, 0.1, wrong, wrong]
    message = "2 {}s have scores that are missing or infinite, the first in position 2"
    for pair in ((complete, holed), (holed, complete), (holed, holed)):
        with pytest.raises(ValueError, match=message.format("speaker")):
            paired_test(*pair)
        with pytest.raises(ValueError, match=message.format("fold")):
            corrected_resampled_t_test(*pair, n_train=4, n_test=1)


def test_holm_by_hand():
    # Sorted 0.005, 0.01, 0.03, 0.04 times 4, 3, 2, 1, never falling.
    corrected = holm_correction([0.01, 0.04, 0.03, 0.005])
    np.testing.assert_allclose(corrected, [0.03, 0.06, 0.06, 0.02])
    assert holm_correction([0.9, 0.8]).max() == 1


@pytest.mark.parametrize("wrong", [np.nan, -0.1, 1.1])
def test_holm_refuses_what_is_no_p_value(wrong):
    with pytest.raises(ValueError, match="from 0 to 1"):
        holm_correction([0.1, wrong])


def test_bh_by_hand_and_missing_tests_are_not_counted():
    p = [0.01, np.nan, 0.04, 0.03, 0.005]
    corrected = correct_p_values(p, method="benjamini-hochberg")
    # Sorted 0.005, 0.01, 0.03, 0.04 times 4/1, 4/2, 4/3, 4/4, never rising.
    np.testing.assert_allclose(corrected, [0.02, np.nan, 0.04, 0.04, 0.02])
    np.testing.assert_allclose(correct_p_values(p), [0.03, np.nan, 0.06, 0.06, 0.02])
    assert correct_p_values([], "benjamini-hochberg").size == 0
    with pytest.raises(ValueError, match="method must be one of"):
        correct_p_values(p, method="bonferroni")


def test_effect_sizes_by_hand():
    test = paired_test([0.7, 0.8, 0.6, 0.5, 0.9], [0.6, 0.5, 0.8, 0.5, 0.5])
    differences = np.array([0.1, 0.3, -0.2, 0, 0.4])
    # J(4) = Γ(2) / (√2 Γ(3/2))
    j = 1 / (np.sqrt(2) * np.sqrt(np.pi) / 2)
    assert test.hedges_g == pytest.approx(j * differences.mean() / differences.std(ddof=1))
    # Ranks 1, 3 and 4 against 2.
    assert test.rank_biserial == pytest.approx((8 - 2) / 10)


def test_effect_sizes_without_deviation_or_speakers():
    same = paired_test([0.75, 0.5, 1.0], [0.5, 0.25, 0.75])
    assert same[4:] == (np.inf, 1.0)
    assert np.isnan(paired_test([0.7, 0.5], [0.6, 0.6]).hedges_g)
    assert paired_test([0.6], [0.8]).rank_biserial == -1


def test_resampled_t_is_the_formula_and_near_the_paired_t_for_small_tests():
    rng = np.random.default_rng(0)
    a, b = rng.uniform(size=10), rng.uniform(size=10)
    test = corrected_resampled_t_test(a, b, n_train=90, n_test=10)
    d = a - b
    t = d.mean() / np.sqrt((1 / 10 + 10 / 90) * d.var(ddof=1))
    assert test == pytest.approx((10, d.mean(), t, 2 * stats.t(9).sf(abs(t))))
    usual = stats.ttest_rel(a, b)
    tiny = corrected_resampled_t_test(a, b, n_train=1e9, n_test=1)
    assert tiny[2:] == pytest.approx((usual.statistic, usual.pvalue))
    assert test.p_value > usual.pvalue


def test_resampled_t_does_not_find_differences_of_equal_learners():
    # Two learners that guess; their training parts overlap, so folds are alike.
    rng = np.random.default_rng(0)
    p = []
    for _ in range(300):
        shared = rng.normal(0, np.sqrt(0.2), size=1)  # between folds, as by theory
        d = shared + rng.normal(0, 1, size=10) * np.sqrt(0.8)
        p.append(corrected_resampled_t_test(d, np.zeros(10), n_train=4, n_test=1).p_value)
    assert np.mean(np.array(p) < 0.05) < 0.08


def test_resampled_t_at_the_edges():
    assert corrected_resampled_t_test([0.5, 0.6], [0.5, 0.6], n_train=4, n_test=1).p_value == 1
    steady = corrected_resampled_t_test([0.75, 1.0], [0.5, 0.75], n_train=4, n_test=1)
    assert steady[2:] == (np.inf, 0)
    assert np.isnan(corrected_resampled_t_test([0.5], [0.4], n_train=4, n_test=1).p_value)
    with pytest.raises(ValueError, match="one score per fold"):
        corrected_resampled_t_test([0.5, 0.6], [0.5], n_train=4, n_test=1)
    with pytest.raises(ValueError, match="must be positive"):
        corrected_resampled_t_test([0.5, 0.6], [0.5, 0.4], n_train=0, n_test=1)


# Table 6 of Demšar (2006): AUC of four trees on fourteen data sets. It ranks two that look alike
# when rounded, in the last but one.
DEMSAR = """
0.763 0.768 0.771 0.798  0.599 0.591 0.590 0.569  0.954 0.971 0.968 0.967
0.628 0.661 0.654 0.657  0.882 0.888 0.886 0.898  0.936 0.931 0.916 0.931
0.661 0.668 0.609 0.685  0.583 0.583 0.563 0.625  0.775 0.838 0.866 0.875
1.000 1.000 1.000 1.000  0.940 0.962 0.965 0.962  0.619 0.666 0.614 0.669
0.972 0.981 0.9751 0.975  0.957 0.978 0.946 0.970
"""


def test_ranks_are_those_of_demsar():
    systems = ["C4.5", "C4.5+m", "C4.5+cf", "C4.5+m+cf"]
    scores = pd.DataFrame(np.array(DEMSAR.split(), float).reshape(14, 4), columns=systems)
    ranks = rank_systems(scores)
    assert ranks.average_ranks.round(3).to_dict() == {
        "C4.5+m+cf": 1.964,
        "C4.5+m": 2.0,
        "C4.5+cf": 2.893,
        "C4.5": 3.143,
    }
    assert list(ranks.average_ranks.index) == ["C4.5+m+cf", "C4.5+m", "C4.5+cf", "C4.5"]
    assert ranks.critical_difference == pytest.approx(1.25, abs=0.005)
    assert ranks.n_blocks == 14
    assert ranks.p_friedman == pytest.approx(stats.friedmanchisquare(*scores.T.values).pvalue)
    lower = rank_systems(scores, higher_is_better=False, alpha=0.1).average_ranks
    assert lower["C4.5"] == pytest.approx(5 - 3.143, abs=0.001)


def test_ranks_of_equal_systems_and_of_too_few():
    equal = rank_systems(pd.DataFrame({"a": [0.3, 0.5], "b": [0.1 + 0.2, 0.5], "c": [0.3, 0.5]}))
    assert equal.average_ranks.tolist() == [2, 2, 2]
    assert equal.p_friedman == 1
    with pytest.raises(ValueError, match="three systems and two blocks"):
        rank_systems(pd.DataFrame({"a": [0.3, 0.5], "b": [0.1, 0.2]}))
    holed = pd.DataFrame({"a": [0.3, 0.5], "b": [0.1, np.nan], "c": [0.3, 0.5]}, index=["s1", "s2"])
    with pytest.raises(ValueError, match="1 scores are missing, the first of system 'b' in block"):
        rank_systems(holed)
