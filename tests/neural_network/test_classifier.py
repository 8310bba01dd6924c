"""Weights of classes and utterances, against the loss computed by hand."""

import numpy as np
import pytest

from serkit.neural_network import MLPClassifier


def one_step(**parameters):
    """Return a network that takes one step too small to move its weights."""
    return MLPClassifier(
        (4,), dropout=0.0, lr=1e-30, batch_size=100, max_epochs=1, random_state=0, **parameters
    )


def weighted_loss(fitted, X, y, weight):
    proba = fitted.predict_proba(X)[np.arange(len(y)), np.searchsorted(fitted.classes_, y)]
    return np.average(-np.log(proba), weights=weight)


@pytest.fixture
def unbalanced(functionals):
    rows = np.r_[1:24:2, 0:8:2]
    return functionals.X[rows], functionals.y[rows], functionals.speakers[rows]


@pytest.mark.parametrize(
    ("class_weight", "of_anger", "of_joy"),
    [("balanced", 16 / (2 * 4), 16 / (2 * 12)), ({"anger": 5.0}, 5.0, 1.0), (None, 1.0, 1.0)],
)
@pytest.mark.parametrize("weigh_rows", [False, True])
def test_loss_is_weighted(unbalanced, class_weight, of_anger, of_joy, weigh_rows):
    X, y, _ = unbalanced
    weight = np.arange(16) / 4 if weigh_rows else np.ones(16)
    mlp = one_step(class_weight=class_weight)
    mlp.fit(X, y, sample_weight=weight if weigh_rows else None)
    of_class = np.where(y == "anger", of_anger, of_joy)
    expected = weighted_loss(mlp, X, y, weight * of_class)
    assert mlp.history_["train_loss"][0] == pytest.approx(expected, rel=1e-5)


def test_balance_is_that_of_the_training_rows(unbalanced):
    """Speaker "a" is held out, and validated on with the same weights."""
    X, y, speakers = unbalanced

    class First:
        def split(self, X, y=None, groups=None):
            yield np.flatnonzero(groups != "a"), np.flatnonzero(groups == "a")

    mlp = one_step(class_weight="balanced", validation=First()).fit(X, y, speakers=speakers)
    train = speakers != "a"
    counts = {emotion: (y[train] == emotion).sum() for emotion in mlp.classes_}
    weight = np.array([train.sum() / (2 * counts[emotion]) for emotion in y])
    for column, rows in (("train_loss", train), ("valid_loss", ~train)):
        expected = weighted_loss(mlp, X[rows], y[rows], weight[rows])
        assert mlp.history_[column][0] == pytest.approx(expected, rel=1e-5)


def test_weight_of_a_class_that_is_only_validated_on(functionals):
    y = np.where(functionals.speakers == "a", "disgust", functionals.y)
    y[0] = "anger"

    class First:
        def split(self, X, y=None, groups=None):
            yield np.flatnonzero(groups != "a"), np.flatnonzero(groups == "a")

    for class_weight in ({"disgust": 2.0, "joy": 3.0}, "balanced"):
        mlp = MLPClassifier((4,), max_epochs=1, class_weight=class_weight, validation=First())
        mlp.fit(functionals.X, y, speakers=functionals.speakers)
        assert np.isfinite(mlp.history_["valid_loss"]).all()


def test_weight_of_an_unknown_class_is_named(functionals):
    mlp = MLPClassifier((4,), class_weight={"angr": 2.0})
    with pytest.raises(ValueError, match="anger.* not in class_weight"):
        mlp.fit(functionals.X, functionals.y)


def test_rows_of_weight_zero_teach_nothing(functionals, assert_equal_fits):
    X, y = functionals.X, functionals.y
    weight = np.ones(24)
    weight[[3, 8]] = 0
    mlps = []
    for garbage in (0, 100):
        X[[3, 8]] = garbage
        mlp = MLPClassifier((4,), dropout=0.0, batch_size=6, max_epochs=3, random_state=0)
        mlps.append(mlp.fit(X, y, sample_weight=weight))
    assert_equal_fits(*mlps)


def test_negative_weights_are_refused(functionals):
    with pytest.raises(ValueError, match="[Nn]egative"):
        MLPClassifier((4,)).fit(functionals.X, functionals.y, sample_weight=-np.ones(24))


def test_posteriors_are_in_single_precision_and_sum_to_one(functionals):
    mlp = MLPClassifier((4,), max_epochs=1).fit(functionals.X, functionals.y)
    posteriors = mlp.predict_proba(functionals.X)
    assert posteriors.dtype == np.float32
    np.testing.assert_allclose(posteriors.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(
        mlp.predict(functionals.X), mlp.classes_[posteriors.argmax(axis=1)]
    )
