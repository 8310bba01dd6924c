import numpy as np
import pytest

from serkit.metrics import ccc_scorer, concordance_correlation_coefficient
from serkit.model_selection import LeaveSpeakersOut
from serkit.neural_network import CRNNRegressor
from serkit.utils import as_ragged


@pytest.fixture
def levels(corpus):
    """Utterances whose mean is their target, in a unit of its own."""
    rng = np.random.default_rng(0)
    level = rng.uniform(-1, 1, size=len(corpus.X))
    X = as_ragged(
        value + 0.1 * rng.normal(size=x.shape) for value, x in zip(level, corpus.X, strict=True)
    )
    return X, 300 + 50 * level, corpus.speakers


def test_it_learns_in_the_unit_of_the_target(levels, tiny):
    X, y, _ = levels
    training = {"dropout": 0.0, "conv_dropout": 0.0, "lr": 0.02, "max_epochs": 40}
    crnn = CRNNRegressor(**(tiny | training)).fit(X, y)
    assert crnn.score(X, y) > 0.7


@pytest.mark.parametrize("n_targets", [None, 1, 2])
def test_predictions_have_the_shape_of_the_targets(levels, tiny, n_targets):
    X, y, _ = levels
    y = y if n_targets is None else np.column_stack([y, -y][:n_targets])
    y_pred = CRNNRegressor(**tiny).fit(X, y).predict(X)
    assert y_pred.shape == y.shape
    assert y_pred.dtype == np.float64


def test_validation_is_by_loss(levels, tiny):
    X, y, speakers = levels
    validation = LeaveSpeakersOut()
    training = {"validation": validation, "max_epochs": 5, "lr": 0.05}
    crnn = CRNNRegressor(**(tiny | training)).fit(X, y, speakers=speakers)
    assert "valid_uar" not in crnn.history_
    assert crnn.best_epoch_ == crnn.history_["valid_loss"].argmin()
    # The best weights are back: they make the loss that was recorded, in standard scores.
    train = speakers != "a"
    errors = (crnn.predict(X[~train]) - y[~train]) / y[train].std()
    assert crnn.history_["valid_loss"].min() == pytest.approx((errors**2).mean(), rel=1e-4)


def test_a_constant_target_is_predicted(levels, tiny):
    X, _, _ = levels
    y_pred = CRNNRegressor(**tiny).fit(X, np.full(24, 7.0)).predict(X)
    np.testing.assert_allclose(y_pred, 7, atol=2)


def test_warm_start_keeps_the_scale_and_the_number_of_targets(levels, tiny):
    X, y, _ = levels
    crnn = CRNNRegressor(**tiny, warm_start=True).fit(X, y)
    before = crnn.predict(X)
    crnn.set_params(lr=1e-30).fit(X[:8], y[:8] + 1000)
    np.testing.assert_allclose(crnn.predict(X).mean(), before.mean(), atol=50)
    with pytest.raises(ValueError, match="y has 2 targets, the last fit had 1"):
        crnn.fit(X, np.column_stack([y, y]))


@pytest.mark.parametrize(
    ("y", "message"), [(["joy"] * 24, "convert string"), ([np.nan] * 24, "NaN")]
)
def test_bad_targets_are_refused(levels, tiny, y, message):
    with pytest.raises(ValueError, match=message):
        CRNNRegressor(**tiny).fit(levels[0], y)


def test_concordance_rises(levels, tiny):
    X, y, _ = levels
    training = {"dropout": 0.0, "conv_dropout": 0.0, "lr": 0.02, "max_epochs": 40, "batch_size": 24}
    crnn = CRNNRegressor(loss="ccc", **(tiny | training)).fit(X, y)
    losses = crnn.history_["train_loss"]
    assert losses.iloc[-1] < 0.2 < losses.iloc[0]
    assert ccc_scorer(crnn, X, y) > 0.8


def test_valid_loss_is_the_concordance_over_all_validation_utterances(levels, tiny):
    X, y, speakers = levels
    targets = np.column_stack([y, -y / 9])
    weight = np.where(np.arange(len(y)) % 3, 1.0, 0.0)
    settings = {"max_epochs": 5, "lr": 0.05, "batch_size": 2}
    crnn = CRNNRegressor(loss="ccc", validation=LeaveSpeakersOut(), **(tiny | settings))
    crnn.fit(X, targets, speakers=speakers, sample_weight=weight)
    valid = speakers == "a"
    ccc = concordance_correlation_coefficient(
        targets[valid], crnn.predict(X[valid]), sample_weight=weight[valid]
    )
    assert crnn.history_["valid_loss"].min() == pytest.approx(1 - ccc, abs=1e-5)


def test_concordance_does_not_depend_on_the_unit(levels, tiny):
    X, y, _ = levels
    ours = CRNNRegressor(loss="ccc", **tiny).fit(X, y)
    others = CRNNRegressor(loss="ccc", **tiny).fit(X, 5 + 0.01 * y)
    np.testing.assert_allclose(
        ours.history_["train_loss"], others.history_["train_loss"], rtol=1e-4
    )
    np.testing.assert_allclose(5 + 0.01 * ours.predict(X), others.predict(X), rtol=1e-4)


def test_one_utterance_has_no_concordance(levels, tiny):
    X, y, _ = levels
    with pytest.raises(ValueError, match="set batch_size to 2 or more"):
        CRNNRegressor(loss="ccc", **(tiny | {"batch_size": 1})).fit(X, y)
