import numpy as np
import pytest
from sklearn.model_selection import GroupKFold, cross_validate
from sklearn.utils import get_tags

from serkit.metrics import sequence_ccc_score, sequence_ccc_scorer
from serkit.model_selection import LeaveSpeakersOut
from serkit.neural_network import BiGRURegressor, SequenceCNNRegressor
from serkit.utils import as_ragged

TRAINING = {"dropout": 0.0, "lr": 0.01, "max_epochs": 40, "patience": None, "random_state": 0}


def make_gru(**changes):
    return BiGRURegressor(16, **(TRAINING | changes))


def make_cnn(**changes):
    return SequenceCNNRegressor(
        (4,), kernel_sizes=((3, 3),), pool_size=(1, 2), **(TRAINING | changes)
    )


BOTH = pytest.mark.parametrize("make", [make_gru, make_cnn], ids=["gru", "cnn"])


@pytest.fixture(scope="module")
def slices():
    """Slices of 12 frames with a value per two of them, which the first bin tells."""
    rng = np.random.default_rng(0)
    start, slope = rng.uniform(-0.5, 0.5, size=(2, 60, 1))
    y = start + slope * np.linspace(-1, 1, 6)
    X = 0.1 * rng.normal(size=(60, 1, 2, 12))
    X[:, 0, 0] += 3 * np.repeat(y, 2, axis=1)
    speakers = np.repeat(np.array(["a", "b", "c"], dtype=object), 20)
    return X.astype(np.float32), y, speakers


@BOTH
def test_concordance_rises_on_other_speakers(slices, make):
    X, y, speakers = slices
    scores = cross_validate(
        make(), X, y, groups=speakers, cv=GroupKFold(3), scoring=sequence_ccc_scorer,
        return_estimator=True,
    )  # fmt: skip
    assert (scores["test_score"] > 0.5).all()
    for fitted in scores["estimator"]:
        losses = fitted.history_["train_loss"]
        assert losses.iloc[-1] < 0.5 * losses.iloc[0]


@BOTH
def test_the_best_epoch_is_that_of_the_best_concordance(slices, make):
    X, y, speakers = slices
    fitted = make(max_epochs=6, validation=LeaveSpeakersOut(), batch_size=7)
    fitted.fit(X, y, speakers=speakers)
    valid = speakers == "a"
    score = sequence_ccc_score(y[valid], fitted.predict(X[valid]))
    assert fitted.history_["valid_loss"].min() == pytest.approx(1 - score, abs=1e-5)


@BOTH
def test_targets_keep_their_unit(slices, make):
    X, y, _ = slices
    fitted = make(max_epochs=1).fit(X, y)
    assert fitted.target_range_ == (-1, 1)
    np.testing.assert_array_equal(fitted._target_mean, np.zeros(6))
    np.testing.assert_array_equal(fitted._target_scale, np.ones(6))


@BOTH
def test_the_range_of_the_training_rows_is_one_for_all_steps(slices, make):
    X, y, speakers = slices
    y = y.copy()
    y[0, 0] = 99  # of a validation speaker
    fitted = make(max_epochs=1, target_range=None, validation=LeaveSpeakersOut())
    fitted.fit(X, y, speakers=speakers)
    train = y[speakers != "a"]
    assert fitted.target_range_ == pytest.approx((train.min(), train.max()))
    assert len(set(fitted._target_scale)) == len(set(fitted._target_mean)) == 1


def test_convolutions_predict_within_the_range(slices):
    X, y, _ = slices
    fitted = make_cnn(target_range=(1, 5), loss="mse", max_epochs=1).fit(X, 2 * y + 3)
    y_pred = fitted.predict(1000 * X)
    assert y_pred.min() >= 1
    assert y_pred.max() <= 5
    assert np.ptp(y_pred) > 2


@BOTH
def test_training_goes_on_in_the_range_of_the_first_fit(slices, make):
    X, y, _ = slices
    fitted = make(max_epochs=1, target_range=(-2, 2), warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match=r"target_range is \(-4.0, 4.0\), but .* \(-2.0, 2.0\)"):
        fitted.set_params(target_range=[-4, 4]).fit(X, y)
    with pytest.raises(ValueError, match=r"values from .* goes on from one of \(-2.0, 2.0\)"):
        fitted.set_params(target_range=None).fit(X, 4 * y)
    assert len(fitted.fit(X, y).history_) == 2
    assert fitted.set_params(target_range=[-2, 2]).fit(X, y).target_range_ == (-2, 2)


@BOTH
def test_only_training_targets_are_held_against_their_range(slices, make):
    X, y, speakers = slices
    y = y.copy()
    y[0, 0] = 99  # of a validation speaker
    fitted = make(max_epochs=1, target_range=None, validation=LeaveSpeakersOut(), warm_start=True)
    fitted.fit(X, y, speakers=speakers).fit(X, y, speakers=speakers)
    assert len(fitted.history_) == 2


def test_padding_has_no_influence(slices):
    X, y, _ = slices
    X = as_ragged(x[..., : 12 - row % 5] for row, x in enumerate(X))
    fitted = make_gru(max_epochs=2, batch_size=8).fit(X, y)
    alone = np.concatenate([fitted.predict(X[row : row + 1]) for row in range(9)])
    np.testing.assert_allclose(fitted.predict(X[:9]), alone, atol=1e-6)


def test_tags():
    assert get_tags(make_cnn()).input_tags.fixed_length
    assert not get_tags(make_gru()).input_tags.fixed_length
    assert not get_tags(make_gru()).target_tags.single_output
    assert get_tags(make_gru(loss="mse")).target_tags.single_output


@BOTH
@pytest.mark.parametrize(
    ("changes", "target", "message"),
    [
        ({}, lambda y: y[:, 0], "y has one value per slice"),
        ({}, lambda y: 3 + y, r"beyond target_range=\(-1.0, 1.0\)"),
        ({"target_range": (1, 0)}, lambda y: y, r"two numbers, \(lowest, highest\)"),
        ({"target_range": (-1, 0, 1)}, lambda y: y, "target_range is two numbers"),
        ({"target_range": ("a", "b")}, lambda y: y, "target_range is two numbers"),
        ({"target_range": (-1, np.inf)}, lambda y: y, "target_range is two numbers"),
    ],
    ids=["one_value", "beyond", "reversed", "three", "words", "infinite"],
)
def test_wrong_targets_say_what_to_do(slices, make, changes, target, message):
    X, y, _ = slices
    with pytest.raises(ValueError, match=message):
        make(**changes).fit(X, target(y))


def test_one_value_per_slice_has_an_error_to_minimise(slices):
    X, y, _ = slices
    fitted = make_gru(loss="mse").fit(X, y[:, 0])
    assert fitted.predict(X).shape == (60,)
    assert fitted.score(X, y[:, 0]) > 0.5
