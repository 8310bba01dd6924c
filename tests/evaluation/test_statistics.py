from itertools import product

import numpy as np
import pytest
from scipy import stats

from serkit.evaluation import holm_correction, paired_test


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


def test_holm_by_hand():
    # Sorted 0.005, 0.01, 0.03, 0.04 times 4, 3, 2, 1, never falling.
    corrected = holm_correction([0.01, 0.04, 0.03, 0.005])
    np.testing.assert_allclose(corrected, [0.03, 0.06, 0.06, 0.02])
    assert holm_correction([0.9, 0.8]).max() == 1


@pytest.mark.parametrize("wrong", [np.nan, -0.1, 1.1])
def test_holm_refuses_what_is_no_p_value(wrong):
    with pytest.raises(ValueError, match="from 0 to 1"):
        holm_correction([0.1, wrong])
