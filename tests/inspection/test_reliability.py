import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from serkit.datasets import Corpus
from serkit.evaluation import compare
from serkit.inspection import ReliabilityDisplay
from serkit.metrics import expected_calibration_error, reliability_bins

pytestmark = pytest.mark.usefixtures("pyplot")


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    y = np.array(["anger", "calm", "joy"] * 40)
    X = rng.normal(size=(120, 3)) + np.eye(3)[np.arange(120) % 3]
    return X, y


@pytest.fixture
def classifier(data):
    return LogisticRegression().fit(*data)


def test_a_bar_is_the_share_of_right_utterances(data, classifier):
    X, y = data
    display = ReliabilityDisplay.from_estimator(classifier, X, y, n_bins=5, name="LR")
    bins = reliability_bins(y, classifier.predict_proba(X), n_bins=5)
    assert [bar.get_height() for bar in display.bars_] == bins["accuracy"].tolist()
    assert [bar.get_x() for bar in display.bars_] == bins["low"].tolist()
    tops = [bar.get_y() + bar.get_height() for bar in display.gaps_]
    np.testing.assert_allclose(tops, bins["confidence"])
    palest = min(display.bars_, key=lambda bar: bar.get_alpha())
    assert list(display.bars_).index(palest) == bins["n_utterances"].idxmin()
    error = expected_calibration_error(y, classifier.predict_proba(X), n_bins=5)
    caption = display.ax_.get_legend().get_title().get_text()
    assert caption == f"ECE = {100 * error:.1f} %, 120 utterances"
    assert display.ax_.get_title() == "LR"


def test_a_comparison_is_drawn_with_all_its_folds(data):
    X, y = data
    corpus = Corpus(
        {"speaker": np.repeat(list("abcd"), 30), "emotion": y},
        waveforms=[np.zeros(1)] * 120,
        sampling_rate=16000,
    )
    from sklearn.svm import SVC

    models = {"LR": LogisticRegression(), "SVM": SVC()}
    result = compare(corpus, models, X=X, verbose=0)
    display = ReliabilityDisplay.from_result(result, "LR", n_bins=4)
    assert display.bins["n_utterances"].sum() == 120
    rows = result.predictions.query("pipeline == 'LR'")
    columns = [f"score[{label}]" for label in ("anger", "calm", "joy")]
    expected = reliability_bins(rows["y_true"].to_numpy(str), rows[columns], n_bins=4)
    pd.testing.assert_frame_equal(display.bins, expected)
    assert display.ax_.get_title() == "LR"
    with pytest.raises(ValueError, match="'SVM' has no posteriors.*CalibratedClassifierCV"):
        ReliabilityDisplay.from_result(result, "SVM")
    with pytest.raises(ValueError, match="no pipeline 'MLP'"):
        ReliabilityDisplay.from_result(result, "MLP")


def test_a_class_that_a_fold_has_not_trained_on_counts_as_zero(data):
    X, y = data
    speakers = np.repeat(list("abcd"), 30)
    kept = ~np.isin(speakers, list("bcd")) | (y != "joy")  # joy is in the speech of a alone
    corpus = Corpus(
        {"speaker": speakers[kept], "emotion": y[kept]},
        waveforms=[np.zeros(1)] * kept.sum(),
        sampling_rate=16000,
    )
    result = compare(corpus, {"LR": LogisticRegression()}, X=X[kept], verbose=0)
    display = ReliabilityDisplay.from_result(result, "LR")
    assert display.bins["n_utterances"].sum() == kept.sum()


def test_the_axes_given_are_used(pyplot, data, classifier):
    _, ax = pyplot.subplots()
    display = ReliabilityDisplay.from_estimator(classifier, *data, ax=ax, color="black")
    assert display.ax_ is ax
    assert display.bars_[0].get_facecolor()[:3] == (0, 0, 0)
    assert display.plot().ax_ is not ax
