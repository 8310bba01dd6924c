"""Where codes are drawn from."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import pdist

from serkit.over_sampling import GaussianMixturePrior, StandardNormalPrior


@pytest.mark.parametrize(
    ("n_classes", "n_dims", "apart"),
    [(4, 2, 5 * 2**0.5), (2, 2, 10.0), (7, 2, 4.339), (4, 6, 5 * 2**0.5), (3, 1, 5.0)],
)
def test_means_are_apart(n_classes, n_dims, apart):
    prior = GaussianMixturePrior().build(n_classes, n_dims)
    assert prior.means_.shape == (n_classes, n_dims)
    assert pdist(prior.means_).min() == pytest.approx(apart, rel=1e-3)


def test_as_many_dimensions_as_classes_make_them_orthogonal():
    means = GaussianMixturePrior(2.0).build(3, 3).means_
    np.testing.assert_array_equal(means, 2 * np.eye(3))


def test_draws_have_the_moments():
    torch.manual_seed(0)
    prior = GaussianMixturePrior(radius=3.0, scale=0.5).build(4, 2)
    codes = prior.sample(torch.full((20_000,), 1)).numpy()
    np.testing.assert_allclose(codes.mean(0), prior.means_[1], atol=0.02)
    np.testing.assert_allclose(np.cov(codes.T), prior.covariances_[1], atol=0.02)
    draws = StandardNormalPrior().build(4, 3).sample(torch.zeros(20_000, dtype=int)).numpy()
    np.testing.assert_allclose(draws.mean(0), 0, atol=0.03)
    np.testing.assert_allclose(np.cov(draws.T), np.eye(3), atol=0.03)


def test_bad_parameters():
    with pytest.raises(ValueError, match="'scale' parameter"):
        GaussianMixturePrior(scale=0).build(2, 2)
