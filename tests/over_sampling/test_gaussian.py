import pickle
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from sklearn.covariance import ledoit_wolf
from sklearn.exceptions import NotFittedError

from serkit.over_sampling import GaussianGenerator

Y = np.array(["joy"] * 30 + ["sad"] * 20 + ["anger"] * 8)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(58, 4)) @ RNG.normal(size=(4, 4)) + 5 * (Y == "joy")[:, None]
CLASSES = ["anger", "joy", "sad"]


@pytest.fixture(scope="module")
def generator():
    return GaussianGenerator(random_state=0).fit(X, Y)


def counts(y):
    return {label: count for label, count in Counter(y.tolist()).items() if count}


@pytest.mark.parametrize("label", CLASSES)
def test_rows_have_mean_and_shrunk_covariance_of_their_class(generator, label):
    rows = X[Y == label]
    covariance, shrinkage = ledoit_wolf(rows)
    drawn, _ = generator.sample(200_000, label)
    scale = np.trace(covariance) / 4
    np.testing.assert_allclose(drawn.mean(axis=0), rows.mean(axis=0), atol=0.02 * scale**0.5)
    np.testing.assert_allclose(np.cov(drawn.T), covariance, atol=0.02 * scale)
    assert generator.shrinkage_[CLASSES.index(label)] == pytest.approx(shrinkage)
    assert 0.01 < shrinkage < 1


def test_more_features_than_rows_vary_in_every_direction():
    wide = RNG.normal(size=(6, 50))
    drawn, _ = GaussianGenerator(random_state=0).fit(wide, ["joy"] * 6).sample(100)
    assert np.linalg.matrix_rank(drawn - drawn.mean(axis=0)) == 50


@pytest.mark.parametrize("n_samples", [0, 1, 7, 12])
def test_classes_get_equal_shares(generator, n_samples):
    X_synth, y_synth = generator.sample(n_samples)
    assert X_synth.shape == (n_samples, 4)
    assert sorted(y_synth) == y_synth.tolist()
    shares = [n_samples // 3 + (k < n_samples % 3) for k in range(3)]
    assert [counts(y_synth).get(label, 0) for label in CLASSES] == shares


def test_default_number_of_rows(generator):
    assert len(generator.sample()[0]) == 1000


def test_a_label_asks_for_that_class(generator):
    assert counts(generator.sample(5, "sad")[1]) == {"sad": 5}


def test_a_dict_asks_for_its_counts(generator):
    wanted = {"sad": 3, "anger": 0, "joy": 2}
    _, y_synth = generator.sample(1000, wanted)
    assert y_synth.tolist() == ["joy"] * 2 + ["sad"] * 3


def test_multinomial_counts_are_drawn(generator):
    draws = [
        tuple(np.unique(generator.sample(90, class_balance="multinomial", random_state=seed)[1],
                        return_counts=True)[1])
        for seed in range(20)
    ]  # fmt: skip
    assert {sum(draw) for draw in draws} == {90}
    assert len(set(draws)) > 10
    np.testing.assert_allclose(np.mean(draws, axis=0), 30, atol=4)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"y": "fear"}, ValueError, r"does not know the classes \['fear'\], only \['anger', 'joy'"),
        ({"y": {"joy": 1, "fear": 2}}, ValueError, r"classes \['fear'\]"),
        ({"y": {"joy": -1}}, ValueError, "of 'joy' must not be negative, got -1"),
        ({"y": {"joy": 1.5}}, TypeError, "of 'joy' must be an int, got 1.5"),
        ({"y": ["joy", "sad"]}, TypeError, "None, one class, or a dict .* got list"),
        ({"n_samples": -3}, ValueError, "n_samples must not be negative, got -3"),
        ({"n_samples": 2.0}, TypeError, "n_samples must be an int, got 2.0"),
        ({"class_balance": "even"}, ValueError, '"stratified" or "multinomial", got \'even\''),
    ],
)
def test_wrong_arguments_are_named(generator, arguments, error, message):
    with pytest.raises(error, match=message):
        generator.sample(**arguments)


def test_seeds():
    fitted = GaussianGenerator(random_state=3).fit(X, Y)
    first = fitted.sample(9)[0]
    np.testing.assert_array_equal(first, fitted.sample(9)[0])
    np.testing.assert_array_equal(first, fitted.sample(9, random_state=3)[0])
    assert not np.isclose(first, fitted.sample(9, random_state=4)[0]).any()
    unseeded = GaussianGenerator().fit(X, Y)
    assert not np.isclose(unseeded.sample(9)[0], unseeded.sample(9)[0]).any()


def test_one_row_of_a_class_is_repeated():
    fitted = GaussianGenerator(random_state=0).fit(X[[0, 1, 2, 40]], Y[[0, 1, 2, 40]])
    np.testing.assert_array_equal(fitted.sample(3, "sad")[0], X[[40, 40, 40]])
    assert fitted.shrinkage_[1] == 0


@pytest.mark.parametrize("y", [np.arange(58) % 5, np.arange(58) % 2 == 0], ids=["int", "bool"])
def test_labels_keep_their_type(y):
    _, y_synth = GaussianGenerator(random_state=0).fit(X, y).sample(10)
    assert y_synth.dtype == y.dtype
    np.testing.assert_array_equal(np.unique(y_synth), np.unique(y))


def test_single_precision_stays():
    fitted = GaussianGenerator(random_state=0).fit(X.astype(np.float32), Y)
    assert fitted.sample(5)[0].dtype == fitted.means_.dtype == np.float32


def test_rows_are_remembered_in_any_order_and_precision(generator):
    order = RNG.permutation(58)
    other = GaussianGenerator().fit(X[order].astype(np.float32), Y[order])
    np.testing.assert_array_equal(generator.training_rows_, other.training_rows_)
    assert generator.training_rows_.dtype == np.uint64
    assert len(np.unique(generator.training_rows_)) == 58
    shifted = GaussianGenerator().fit(X + 1e-3, Y)
    assert not np.isin(shifted.training_rows_, generator.training_rows_).any()


def test_zeros_of_either_sign_are_one():
    rows = np.zeros((2, 3))
    digests = GaussianGenerator().fit(np.concatenate([rows, -rows]), [0, 0, 1, 1]).training_rows_
    assert len(set(digests)) == 1


def test_pickled_generator_draws_the_same(generator):
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(generator)).sample(5)[0], generator.sample(5)[0]
    )


def test_frames_of_pandas():
    frame = pd.DataFrame(X, columns=list("abcd"))
    fitted = GaussianGenerator(random_state=0).fit(frame, pd.Series(Y))
    assert list(fitted.feature_names_in_) == list("abcd")
    assert fitted.sample(4)[0].shape == (4, 4)


def test_must_be_fitted():
    with pytest.raises(NotFittedError):
        GaussianGenerator().sample(3)


def test_classes_are_needed():
    with pytest.raises(ValueError, match="Unknown label type"):
        GaussianGenerator().fit(X, X[:, 0])
