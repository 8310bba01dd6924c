import pickle
from collections import Counter

import imblearn.over_sampling
import numpy as np
import pytest
from sklearn.base import clone

from serkit.over_sampling import AppendUniform, GANSampler, GaussianGenerator, RandomOverSampler

Y = np.array(["joy"] * 8 + ["sad"] * 5 + ["anger"] * 6)
X = np.random.default_rng(0).normal(size=(19, 3))
SAMPLERS = {
    "GANSampler": GANSampler(GaussianGenerator()),
    "RandomOverSampler": RandomOverSampler(),
    "SMOTE": imblearn.over_sampling.SMOTE(k_neighbors=2),
    "imbalanced-learn's RandomOverSampler": imblearn.over_sampling.RandomOverSampler(),
}


@pytest.mark.parametrize(
    ("n_synthetic", "totals"),
    [
        (0, {"anger": 6, "joy": 8, "sad": 5}),
        (2, {"anger": 7, "joy": 9, "sad": 5}),
        (6, {"anger": 8, "joy": 10, "sad": 7}),
    ],
)
@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_adds_equal_shares(name, n_synthetic, totals):
    sampler = clone(SAMPLERS[name]).set_params(
        sampling_strategy=AppendUniform(n_synthetic), random_state=0
    )
    X_res, y_res = sampler.fit_resample(X, Y)
    assert Counter(y_res.tolist()) == totals
    assert len(X_res) == 19 + n_synthetic
    np.testing.assert_array_equal(X_res[:19], X)


@pytest.mark.parametrize("n_synthetic", range(7))
def test_shares_sum_to_what_is_asked_for(n_synthetic):
    totals = AppendUniform(n_synthetic)(list(Y))
    assert sum(totals.values()) == 19 + n_synthetic


def test_numbers_as_classes():
    assert AppendUniform(3)(np.array([1, 0, 1])) == {0: 3, 1: 3}


def test_is_a_value():
    one = AppendUniform(6)
    assert one == pickle.loads(pickle.dumps(one)) == AppendUniform(n_synthetic=6)
    assert one != AppendUniform(7)
    assert repr(one) == "AppendUniform(n_synthetic=6)"
    assert clone(GANSampler(sampling_strategy=one)).sampling_strategy == one


@pytest.mark.parametrize("n_synthetic", [-1, 2.5, "6"])
def test_wrong_number(n_synthetic):
    with pytest.raises(ValueError, match="n_synthetic must be an int of 0 or more"):
        AppendUniform(n_synthetic)
