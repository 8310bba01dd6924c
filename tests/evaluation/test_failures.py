"""Folds that fail do not take the others with them."""

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from serkit.datasets import Corpus
from serkit.evaluation import benchmark, compare
from serkit.feature_extraction import TemporalPooling


@pytest.fixture
def holed(features):
    """Features of s2 that are missing: a model that is trained on others cannot predict them."""
    corpus, X = features
    return corpus, np.where((corpus.speakers == "s2")[:, None], np.nan, X)


class Careless(GaussianNB):
    """Takes what is missing for 0 in training, and fails on it in a test."""

    def fit(self, X, y):
        return super().fit(np.nan_to_num(X), y)


PIPELINES = {"good": DummyClassifier(), "bad": Careless(), "best": DummyClassifier()}


def entries(folder):
    return set((folder / "folds").glob("*.json"))


def test_an_error_is_raised_at_once_if_nothing_is_kept(holed):
    corpus, X = holed
    with pytest.raises(ValueError, match="NaN") as caught:
        compare(corpus, PIPELINES, X=X, verbose=0)
    notes = ["in pipeline 'bad', fold 1 (test speakers s2)", "on tiny, LeaveSpeakersOut(1)"]
    assert caught.value.__notes__ == notes


def test_an_error_is_raised_after_all_else_is_kept(holed, tmp_path):
    corpus, X = holed
    both = {"bad": Careless(), "worse": LogisticRegression(), "good": DummyClassifier()}
    with (
        pytest.warns(FitFailedWarning, match="in pipeline .*, fold .*; the other folds go on"),
        pytest.raises(ValueError, match="NaN") as caught,
    ):
        compare(corpus, both, X=X, results_dir=tmp_path, verbose=0)
    assert caught.value.__notes__[0] == "in pipeline 'bad', fold 1 (test speakers s2)"
    assert caught.value.__notes__[-1] == "(4 more folds failed; what was finished is kept)"
    assert len(entries(tmp_path)) == 4 - 1 + 4


def test_a_failed_fold_is_missing_and_named(holed, tmp_path):
    corpus, X = holed
    with pytest.warns(FitFailedWarning):
        result = compare(corpus, PIPELINES, X=X, on_error="warn", verbose=0)
    assert result.folds.groupby("pipeline")["fold"].apply(list).to_dict() == {
        "good": [0, 1, 2, 3],
        "bad": [0, 2, 3],
        "best": [0, 1, 2, 3],
    }
    assert [failure[:3] for failure in result.failures] == [("bad", 0, 1)]
    tests = result.paired_tests().set_index(["first", "second"])
    assert tests["speakers"].tolist() == [3, 4, 3]
    shared = result.predictions.query("speaker != 's2'")
    pooled = shared.groupby("pipeline").apply(lambda p: (p["y_true"] == p["y_pred"]).mean())
    found = result.paired_tests("WA").set_index(["first", "second"])["pooled difference"]
    assert found["good", "bad"] == pytest.approx(pooled["good"] - pooled["bad"])
    page = result.to_html(tmp_path / "report.html").read_text(encoding="utf-8")
    for text in (str(result), page):
        assert "bad ‡" in text
        assert "without 1 failed fits" in text
        assert "Input X contains NaN" in text


def test_only_what_failed_is_tried_again(holed, tmp_path):
    corpus, X = holed
    options = {"X": X, "results_dir": tmp_path, "on_error": "warn", "verbose": 0}
    with pytest.warns(FitFailedWarning):
        first = compare(corpus, PIPELINES, **options)
    before = {path: path.stat().st_mtime_ns for path in entries(tmp_path)}
    with pytest.warns(FitFailedWarning):
        second = compare(corpus, PIPELINES, **options)
    assert {path: path.stat().st_mtime_ns for path in entries(tmp_path)} == before
    pd.testing.assert_frame_equal(first.predictions, second.predictions)


def test_a_pipeline_without_results_is_named_too(holed):
    corpus, X = holed
    pipelines = {"good": DummyClassifier(), "bad": LogisticRegression()}
    with pytest.warns(FitFailedWarning):
        result = compare(corpus, pipelines, X=X, on_error="warn", verbose=0)
    assert result.pipelines == ["good"]
    assert "‡ bad has no results: ValueError: Input X contains NaN" in str(result)


@pytest.mark.parametrize(
    "run",
    [
        compare,
        lambda corpus, *args, X, **kwargs: benchmark([corpus], *args, X={corpus.name: X}, **kwargs),
    ],
    ids=["compare", "benchmark"],
)
def test_if_nothing_worked_the_error_is_raised(holed, run):
    corpus, X = holed
    with (
        pytest.warns(FitFailedWarning),
        pytest.raises(ValueError, match="NaN"),
    ):
        run(corpus, {"bad": LogisticRegression()}, X=X, on_error="warn", verbose=0)


def test_features_that_fail_take_only_their_pipelines(features):
    corpus, X = features
    frames = [row[:1, None, None] * np.ones(3, dtype=np.float32) for row in X]
    frames[5] = frames[5] * np.nan
    pipelines = {
        "bad": make_pipeline(TemporalPooling(), GaussianNB()),
        "good": DummyClassifier(),
    }
    with pytest.warns(FitFailedWarning, match="in features of bad"):
        result = compare(corpus, pipelines, X=frames, on_error="warn", verbose=0)
    assert result.pipelines == ["good"]
    assert len(result.failures) == 4
    with pytest.raises(ValueError, match="5") as caught:
        compare(corpus, pipelines, X=frames, verbose=0)
    assert "in features of bad" in caught.value.__notes__


def test_a_benchmark_keeps_the_other_cells(holed, tmp_path):
    corpus, X = holed
    other = Corpus(corpus.table, waveforms=list(corpus.audio), sampling_rate=16000, name="other")
    options = {"X": {"tiny": X, "other": np.nan_to_num(X)}, "verbose": 0}
    pipelines = {"good": DummyClassifier(), "bad": Careless()}
    with (
        pytest.warns(FitFailedWarning),
        pytest.raises(ValueError, match="NaN") as caught,
    ):
        benchmark([corpus, other], pipelines, results_dir=tmp_path, **options)
    assert "on tiny, LeaveSpeakersOut(1)" in caught.value.__notes__
    assert len(entries(tmp_path)) == 15
    with pytest.warns(FitFailedWarning):
        result = benchmark([corpus, other], pipelines, on_error="warn", **options)
    board = result.leaderboard()
    cells = [f"UAR {name}, LeaveSpeakersOut(1)" for name in ("tiny", "other")]
    assert board[cells].isna().to_dict("index") == {
        "good": dict.fromkeys(cells, False),
        "bad": dict(zip(cells, [True, False], strict=True)),
    }
    assert board[[f"{cell} low" for cell in cells]].isna().to_numpy().sum() == 1
    assert board["cells"].to_dict() == {"good": 2, "bad": 1}
    assert np.isnan(board.loc["bad", "mean rank"])
    failures = result.failures()
    assert failures[["corpus", "pipeline", "fold"]].values.tolist() == [["tiny", "bad", 1]]
    page = result.to_html(tmp_path / "report.html").read_text(encoding="utf-8")
    for text in (str(result), page):
        assert "bad ‡" in text
        assert "bad is missing from tiny, LeaveSpeakersOut(1): not ranked" in text
    with pytest.warns(FitFailedWarning):
        bare = benchmark([corpus, other], {"bad": LogisticRegression()}, on_error="warn", **options)
    assert "tiny, LeaveSpeakersOut(1): nothing worked: ValueError" in str(bare)


class Moody(GaussianNB):
    """Fails with one seed, on one speaker."""

    def __init__(self, random_state=None, priors=None, var_smoothing=1e-9):
        super().__init__(priors=priors, var_smoothing=var_smoothing)
        self.random_state = random_state

    def fit(self, X, y):
        if self.random_state == 1 and len(X) == 30:
            raise RuntimeError("not today")
        return super().fit(X, y)


def test_pairs_are_tested_on_the_fits_that_both_have(features):
    corpus, X = features
    rows = np.arange(6, 48)  # s1 has half as many: the others are trained on 30
    pipelines = {"all": DummyClassifier(strategy="stratified"), "some": Moody()}
    with pytest.warns(FitFailedWarning, match="not today"):
        result = compare(
            corpus[rows], pipelines, X=X[rows], seeds=[0, 1], on_error="warn", verbose=0
        )
    assert len(result.failures) == 3
    test = result.paired_tests("WA").iloc[0]
    shared = result.predictions.query("seed == 0 or speaker == 's1'")
    right = (shared["y_true"] == shared["y_pred"]).groupby(
        [shared["pipeline"], shared["speaker"], shared["seed"]]
    )
    per_speaker = right.mean().groupby(["pipeline", "speaker"]).mean().unstack(0)
    expected = (per_speaker["all"] - per_speaker["some"]).mean()
    assert test["WA difference"] == pytest.approx(expected)
    assert test["speakers"] == 4


def test_nothing_is_best_if_no_pipeline_has_all_cells(holed):
    corpus, X = holed
    other = Corpus(corpus.table, waveforms=list(corpus.audio), sampling_rate=16000, name="other")
    one_each = {"tiny": {"a": DummyClassifier()}, "other": {"b": DummyClassifier()}}
    result = benchmark(
        [corpus, other],
        lambda corpus, cv: one_each[corpus.name],
        X={"tiny": X, "other": X},
        verbose=0,
    )
    board = result.leaderboard()
    assert board[["mean rank", "p against best"]].isna().to_numpy().all()
    assert board["cells"].tolist() == [1, 1]
    assert "a is missing from other, LeaveSpeakersOut(1): not ranked" in str(result)


def test_what_to_do_with_errors_must_be_known(features):
    corpus, X = features
    with pytest.raises(ValueError, match="on_error must be"):
        compare(corpus, PIPELINES, X=X, on_error="ignore")
