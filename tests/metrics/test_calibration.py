import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from serkit.metrics import expected_calibration_error, reliability_bins

LABELS = np.array(["anger", "calm", "joy"])


@pytest.fixture
def predictions():
    rng = np.random.default_rng(0)
    y_prob = rng.dirichlet([0.6, 0.6, 0.6], size=500)
    return LABELS[rng.integers(3, size=500)], y_prob


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
@pytest.mark.parametrize("n_bins", [5, 15])
def test_the_curve_is_that_of_scikit_learn(predictions, strategy, n_bins):
    y_true, y_prob = predictions
    right = LABELS[y_prob.argmax(axis=1)] == y_true
    share, confidence = calibration_curve(
        right, y_prob.max(axis=1), n_bins=n_bins, strategy=strategy
    )
    bins = reliability_bins(y_true, y_prob, n_bins=n_bins, strategy=strategy)
    np.testing.assert_allclose(bins["accuracy"], share)
    np.testing.assert_allclose(bins["confidence"], confidence)
    assert bins["n_utterances"].sum() == 500
    assert (bins["confidence"] <= bins["high"]).all()
    assert (bins["confidence"] >= bins["low"]).all()


def test_the_error_is_the_mean_gap_by_share_of_utterances():
    y_prob = np.array([[0.9, 0.1]] * 8 + [[0.4, 0.6]] * 2)
    y_true = ["anger"] * 6 + ["calm"] * 2 + ["anger", "calm"]
    gaps = 0.8 * abs(0.9 - 0.75) + 0.2 * abs(0.6 - 0.5)
    assert expected_calibration_error(y_true, y_prob) == pytest.approx(gaps)


def test_posteriors_that_keep_their_word_have_no_error():
    rng = np.random.default_rng(0)
    y_prob = rng.dirichlet(np.ones(3), size=20_000)
    y_true = LABELS[(y_prob.cumsum(axis=1) < rng.random((20_000, 1))).sum(axis=1)]
    assert expected_calibration_error(y_true, y_prob) < 0.02
    surer = y_prob**4 / (y_prob**4).sum(axis=1, keepdims=True)
    assert expected_calibration_error(y_true, surer) > 0.15


def test_bins_of_equal_number_and_of_equal_posteriors():
    y_true = np.array(["anger", "calm"] * 20)
    p = np.linspace(0.51, 0.9, 40)
    bins = reliability_bins(y_true, np.c_[p, 1 - p], n_bins=4, strategy="quantile")
    assert bins["n_utterances"].tolist() == [10] * 4
    same = reliability_bins(y_true, [[0.7, 0.3]] * 40, n_bins=4, strategy="quantile")
    assert len(same) == 1
    assert same.loc[0, ["confidence", "accuracy", "n_utterances"]].tolist() == pytest.approx(
        [0.7, 0.5, 40]
    )


def test_a_class_that_nobody_tested_is_named(predictions):
    y_true, y_prob = predictions
    known = y_true != "joy"
    with pytest.raises(ValueError, match="3 columns for the 2 classes .*labels=classifier.classes"):
        reliability_bins(y_true[known], y_prob[known])
    bins = reliability_bins(y_true[known], y_prob[known], labels=LABELS)
    assert bins["n_utterances"].sum() == known.sum()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y_prob": [[2.0, -1.0]]}, "from 0 to 1 and with the sum 1"),
        ({"y_prob": [[0.2, 0.1]]}, "with the sum 1"),
        ({"n_bins": 0}, "n_bins is 1 or more, not 0"),
        ({"strategy": "width"}, '"uniform" or "quantile", not \'width\''),
        ({"y_true": ["anger"] * 2}, "inconsistent"),
    ],
)
def test_what_are_no_posteriors_is_refused(change, message):
    given = {"y_true": ["anger"], "y_prob": [[0.7, 0.3]], "labels": ["anger", "calm"]}
    with pytest.raises(ValueError, match=message):
        expected_calibration_error(**given | change)
