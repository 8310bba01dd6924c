"""Fréchet distance: closed forms, singular covariances, and the layer of a network."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.linalg import sqrtm
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from serkit.metrics import frechet_distance, frechet_emotion_distance
from serkit.neural_network import MLPClassifier

RNG = np.random.default_rng(0)


def random_gaussian(n_features=5, rank=None):
    factors = RNG.normal(size=(n_features, rank or 2 * n_features))
    return RNG.normal(size=n_features), factors @ factors.T


@pytest.mark.parametrize("rank", [None, 2, 1])
def test_equal_gaussians_have_no_distance(rank):
    mu, cov = random_gaussian(rank=rank)
    assert 0 <= frechet_distance(mu, cov, mu, cov) < 1e-12


def test_equal_covariances_leave_the_squared_distance_of_means():
    (mu1, cov), (mu2, _) = random_gaussian(), random_gaussian()
    assert_allclose(frechet_distance(mu1, cov, mu2, cov), np.sum((mu1 - mu2) ** 2))


def test_diagonal_covariances_differ_by_their_roots():
    a, b = RNG.uniform(0, 4, size=(2, 6))
    a[0] = b[1] = 0
    found = frechet_distance(np.zeros(6), np.diag(a), np.zeros(6), np.diag(b))
    assert_allclose(found, np.sum((np.sqrt(a) - np.sqrt(b)) ** 2))


def test_it_is_the_printed_formula_and_symmetric():
    (mu1, cov1), (mu2, cov2) = random_gaussian(), random_gaussian()
    printed = np.sum((mu1 - mu2) ** 2) + np.trace(cov1 + cov2 - 2 * sqrtm(cov1 @ cov2).real)
    assert_allclose(frechet_distance(mu1, cov1, mu2, cov2), printed)
    assert_allclose(frechet_distance(mu2, cov2, mu1, cov1), printed)


def test_singular_covariances_are_the_limit_of_regular_ones():
    (mu, cov1), (_, cov2) = random_gaussian(rank=2), random_gaussian(rank=3)
    regular = [cov + 1e-12 * np.eye(5) for cov in (cov1, cov2)]
    found = frechet_distance(mu, cov1, mu, cov2)
    assert isinstance(found, float)
    assert_allclose(found, frechet_distance(mu, regular[0], mu, regular[1]), rtol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0, 0], np.eye(3), [0, 0], np.eye(2)), r"cov1 .* got \(2,\) and \(3, 3\)"),
        (([0], 1.0, [0], [[1.0]]), "cov1"),
        (([0, 0], np.eye(2), [0], np.eye(1)), "mu1 has 2 features, mu2 has 1"),
        (([0, 0], np.eye(2), [0, np.nan], np.eye(2)), "mu2 or cov2 has NaN"),
        (([0, 0], [[1, 2], [0, 1]], [0, 0], np.eye(2)), "cov1 is not symmetric"),
        (([0, 0], np.eye(2), [0, 0], np.diag([1, -1])), "cov2 has the eigenvalue -1"),
    ],
    ids=["shapes", "number", "features", "nan", "asymmetric", "negative"],
)
def test_what_is_no_gaussian_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        frechet_distance(*arguments)


@pytest.fixture(scope="module")
def rows():
    return np.random.default_rng(1).normal(size=(40, 4)) * [1, 10, 100, 1] + [0, 5, -50, 2]


@pytest.fixture(scope="module")
def network(rows):
    y = np.where(rows[:, 0] > 0, "joy", "calm")
    mlp = MLPClassifier((6, 5, 3), dropout=0, max_epochs=2, random_state=0)
    return make_pipeline(StandardScaler(), mlp).fit(rows, y)


@pytest.mark.parametrize(
    ("layer", "stage"), [(3, "hidden3"), (1, "hidden1"), ("hidden2", "hidden2")]
)
def test_the_gaussians_are_those_of_the_layer(network, rows, layer, stage):
    other = rows[::2] + 1
    values = [network[-1].activations(network[0].transform(X), stage) for X in (rows, other)]
    gaussians = [f(v.astype(float)) for v in values for f in (lambda v: v.mean(0), covariance)]
    expected = frechet_distance(*gaussians)
    assert expected > 0
    for extractor in (network, FrozenEstimator(network)):
        found = frechet_emotion_distance(rows, other, extractor, layer=layer)
        assert_allclose(found, expected, rtol=1e-6)
    alone = frechet_emotion_distance(
        *(network[0].transform(X) for X in (rows, other)), network[-1], layer=layer
    )
    assert_allclose(alone, expected, rtol=1e-6)


def covariance(values):
    centred = values - values.mean(axis=0)
    return centred.T @ centred / (len(values) - 1)


def test_a_dead_layer_gives_a_distance(network, rows):
    """Units that are always zero make singular covariances."""
    far = np.tile([1e3, 1e3, 1e3, 1e3], (5, 1))
    assert np.isfinite(frechet_emotion_distance(rows, far, network))


@pytest.mark.parametrize(
    ("X_synth", "message"),
    [
        (np.zeros((5, 3)), r"same features; X_real has shape \(40, 4\)"),
        (np.zeros((1, 4)), "two rows or more; X_synth has 1"),
    ],
    ids=["features", "rows"],
)
def test_rows_that_cannot_be_compared_are_refused(network, rows, X_synth, message):
    with pytest.raises(ValueError, match=message):
        frechet_emotion_distance(rows, X_synth, network)


def test_a_layer_that_is_not_there_is_refused(network, rows):
    with pytest.raises(ValueError, match="hidden4"):
        frechet_emotion_distance(rows, rows, network, layer=4)


def test_an_extractor_without_activations_is_refused(rows):
    with pytest.raises(TypeError, match="with activations.*got StandardScaler"):
        frechet_emotion_distance(rows, rows, StandardScaler().fit(rows))
