import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GroupKFold, cross_val_score

from serkit.metrics import concordance_correlation_coefficient, sequence_ccc_scorer
from serkit.model_selection import LeaveSpeakersOut
from serkit.neural_network import BiGRURegressor, WeightedAverageFusion
from serkit.utils import as_ragged

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
Y = X @ RNG.normal(size=(3, 5)) + 0.3 * RNG.normal(size=(40, 5))
SPEAKERS = np.repeat(np.array(["a", "b", "c", "d"], dtype=object), 10)


class Column(RegressorMixin, BaseEstimator):
    """Answers with a multiple of a column, and remembers what it was fitted on."""

    __metadata_request__fit = {"speakers": True}  # noqa: RUF012

    def __init__(self, column=0, factor=1.0):
        self.column = column
        self.factor = factor

    def fit(self, X, y, speakers=None):
        self.speakers_ = speakers
        return self

    def predict(self, X):
        return self.factor * np.asarray(X)[:, self.column]


def test_weights_are_the_scores_on_speakers_held_out():
    y = X[:, 0]
    estimators = [("right", Column()), ("half", Column(factor=0.5)), ("wrong", Column(factor=-1))]
    fusion = WeightedAverageFusion(estimators, validation=LeaveSpeakersOut())
    fusion.fit(X, y, speakers=SPEAKERS)
    held_out = y[SPEAKERS == "a"]
    half = concordance_correlation_coefficient(held_out, 0.5 * held_out)
    wrong = concordance_correlation_coefficient(held_out, -held_out)
    np.testing.assert_allclose(fusion.scores_, [1, half, wrong])
    np.testing.assert_allclose(fusion.weights_, np.array([1, half, 0]) / (1 + half))
    np.testing.assert_allclose(fusion.predict(X), (1 + half * 0.5) / (1 + half) * y)


def test_all_are_fitted_anew_on_all_training_rows():
    fusion = WeightedAverageFusion([("one", Column()), ("ridge", Ridge())], random_state=0)
    fusion.fit(X, X[:, 0], speakers=SPEAKERS)
    np.testing.assert_array_equal(fusion.named_estimators_.one.speakers_, SPEAKERS)
    ridge = Ridge().fit(X, X[:, 0])
    np.testing.assert_allclose(fusion.named_estimators_.ridge.coef_, ridge.coef_)


def test_what_learns_by_heart_gets_no_weight():
    class Memory(Column):
        def fit(self, X, y, speakers=None):
            self.known_ = {tuple(x): target for x, target in zip(X, y, strict=True)}
            return self

        def predict(self, X):
            return np.array([self.known_.get(tuple(x), 0.0) for x in X])

    y = X[:, 0]
    fusion = WeightedAverageFusion([("memory", Memory()), ("linear", LinearRegression())])
    fusion.fit(X, y, speakers=SPEAKERS)
    np.testing.assert_allclose(fusion.weights_, [0, 1])


@pytest.mark.parametrize(
    ("weights", "expected"), [(None, [0.5, 0.5]), ((3, 1), [0.75, 0.25])], ids=["equal", "given"]
)
def test_given_weights(weights, expected):
    estimators = [("ridge", Ridge(10)), ("mean", DummyRegressor())]
    fusion = WeightedAverageFusion(estimators, weights=weights).fit(X, Y)
    assert not hasattr(fusion, "scores_")
    predictions = [Ridge(10).fit(X, Y).predict(X), np.tile(Y.mean(0), (40, 1))]
    np.testing.assert_allclose(fusion.predict(X), np.average(predictions, axis=0, weights=expected))


def test_dropped_regressors_have_no_weight():
    estimators = [("ridge", Ridge()), ("mean", DummyRegressor()), ("linear", LinearRegression())]
    fusion = WeightedAverageFusion(estimators, weights=[1, 9, 3]).set_params(mean="drop")
    fusion.fit(X, Y)
    np.testing.assert_allclose(fusion.weights_, [0.25, 0.75])
    assert list(fusion.named_estimators_) == ["ridge", "linear"]


def test_sequences_of_networks_through_cross_validation():
    frames = as_ragged(np.repeat(x[None, :, None], 4 + row % 3, axis=2) for row, x in enumerate(X))
    y = np.tanh(Y)
    settings = {"max_epochs": 25, "lr": 0.02, "patience": None, "validation": None}
    gru = BiGRURegressor(8, random_state=0, **settings)
    estimators = [("gru", gru), ("mean", DummyRegressor())]
    fusion = WeightedAverageFusion(estimators, metric="sequence_ccc", random_state=0)
    scores = cross_val_score(
        fusion, frames, y, groups=SPEAKERS, cv=GroupKFold(2), scoring=sequence_ccc_scorer,
        params={"speakers": SPEAKERS},
    )  # fmt: skip
    assert (scores > 0.3).all()


def test_no_use_at_all_is_told():
    estimators = [("one", Column(factor=-1)), ("two", Column(factor=-2))]
    fusion = WeightedAverageFusion(estimators, random_state=0)
    with pytest.warns(UserWarning, match="no regressor has a score above 0") as caught:
        fusion.fit(X, X[:, 0], speakers=SPEAKERS)
    assert caught[0].filename == __file__
    np.testing.assert_allclose(fusion.weights_, 0.5)


def test_an_undefined_score_counts_as_zero_and_is_told():
    def correlation(y_true, y_pred):
        with np.errstate(invalid="ignore"):
            return np.corrcoef(y_true[:, 0], y_pred[:, 0])[0, 1]

    estimators = [("zero", Column(factor=0)), ("right", Column())]
    fusion = WeightedAverageFusion(estimators, metric=correlation, random_state=0)
    with pytest.warns(UserWarning, match=r"undefined of 'zero' \(nan\) and counts as 0") as caught:
        fusion.fit(X, X[:, 0], speakers=SPEAKERS)
    assert caught[0].filename == __file__
    np.testing.assert_array_equal(fusion.weights_, [0, 1])
    np.testing.assert_allclose(fusion.predict(X), X[:, 0])


def test_without_speakers_rows_are_split_with_a_warning():
    with pytest.warns(UserWarning, match="speakers are not given: those held out are of"):
        WeightedAverageFusion([("ridge", Ridge())], random_state=0).fit(X, Y)


@pytest.mark.parametrize(
    ("weights", "message"),
    [([1], "1 weights for 2"), ([1, -1], "0 or more"), ([0, 0], "not all 0")],
    ids=["number", "negative", "zero"],
)
def test_wrong_weights(weights, message):
    estimators = [("ridge", Ridge()), ("mean", DummyRegressor())]
    with pytest.raises(ValueError, match=message):
        WeightedAverageFusion(estimators, weights=weights).fit(X, Y)
