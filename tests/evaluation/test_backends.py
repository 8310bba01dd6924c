"""The same result under any backend of joblib."""

import os

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from serkit.datasets import make_emotional_speech
from serkit.evaluation import compare
from serkit.evaluation._run import _Failure
from serkit.evaluation._store import ResultsStore
from serkit.feature_extraction import MFCC, CachedTransformer, TemporalPooling
from serkit.metrics import uar_scorer
from serkit.model_selection import LeaveSpeakersOut
from serkit.neural_network import MLPClassifier

PIPELINES = {
    "model": make_pipeline(MFCC(n_mfcc=5), TemporalPooling(), LogisticRegression()),
    "chance": DummyClassifier(strategy="stratified"),
}


@pytest.fixture(scope="module")
def corpus():
    return make_emotional_speech(3, ["anger", "sadness"], n_sentences=2, random_state=0)


@pytest.fixture(scope="module")
def sequential(corpus):
    return compare(corpus, PIPELINES, verbose=0).predictions


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_backends_of_one_machine(corpus, sequential, backend, tmp_path):
    with joblib.parallel_config(backend=backend, n_jobs=2):
        result = compare(corpus, PIPELINES, results_dir=tmp_path, verbose=0)
    pd.testing.assert_frame_equal(result.predictions, sequential)
    assert len(list((tmp_path / "folds").glob("*.json"))) == 6


@pytest.fixture(scope="module")
def dask(forkserver):
    """Two workers of dask, which stand in another folder than the tests."""
    config = pytest.importorskip("dask.config")
    distributed = pytest.importorskip("distributed")
    options = {"threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with (
        config.set({"distributed.worker.multiprocessing-method": "forkserver"}),
        distributed.LocalCluster(2, **options) as cluster,
        distributed.Client(cluster) as client,
    ):
        client.run(os.chdir, os.sep)
        yield client


def test_dask(corpus, sequential, dask, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for found in (0, 6):
        assert len(list(tmp_path.glob("results/folds/*.json"))) == found
        with joblib.parallel_config(backend="dask"):
            result = compare(corpus, PIPELINES, results_dir="results", verbose=0)
        pd.testing.assert_frame_equal(result.predictions, sequential)


def test_the_same_grid_search_on_dask(corpus, dask, tmp_path):
    """Nothing in the search, nor in a step with a cache of its own, knows of the cluster."""

    def score(estimator, X, y):
        return {"uar": uar_scorer(estimator, X, y), "process": os.getpid()}

    features = CachedTransformer(make_pipeline(MFCC(n_mfcc=5), TemporalPooling()), tmp_path)
    network = MLPClassifier((4,), max_epochs=3, random_state=0)
    pipeline = Pipeline([("features", features), ("scale", StandardScaler()), ("model", SVC())])
    grid = [
        {"model__C": [0.01, 1.0]},
        {"model": [network], "model__lr": [1e-3, 0.1]},
        {"model": [LogisticRegression()], "features__transformer__mfcc__n_mfcc": [3, 5]},
    ]
    search = GridSearchCV(pipeline, grid, cv=LeaveSpeakersOut(1), scoring=score, refit="uar")
    expected = clone(search).fit(corpus.audio, corpus.y, groups=corpus.speakers)
    with joblib.parallel_config(backend="dask"):
        got = search.fit(corpus.audio, corpus.y, groups=corpus.speakers)
    processes = [got.cv_results_[f"split{split}_test_process"] for split in range(3)]
    assert set(np.ravel(processes)) <= set(dask.run(os.getpid).values())
    assert got.best_index_ == expected.best_index_
    assert str(got.best_params_) == str(expected.best_params_)
    splits = [f"split{split}_test_uar" for split in range(3)]
    for name in (*splits, "mean_test_uar", "rank_test_uar"):
        np.testing.assert_array_equal(got.cv_results_[name], expected.cv_results_[name])
    np.testing.assert_array_equal(got.predict(corpus.audio), expected.predict(corpus.audio))


def test_errors_come_home_from_dask(corpus, dask):
    wrong = {"wrong": LogisticRegression(), "chance": DummyClassifier()}
    X = np.full((len(corpus), 1), np.nan)
    with joblib.parallel_config(backend="dask"):
        with pytest.raises(ValueError, match="NaN") as caught:
            compare(corpus, wrong, X=X, verbose=0)
        # Whichever fold fails first.
        assert "in pipeline 'wrong', fold " in caught.value.__notes__[0]
        with pytest.warns(FitFailedWarning, match="'wrong', fold .*; the other folds go on"):
            result = compare(corpus, wrong, X=X, on_error="warn", verbose=0)
    assert result.pipelines == ["chance"]


def test_errors_that_cannot_be_pickled_are_named():
    try:
        raise LookupError("this and that")
    except LookupError as error:
        error.add_note("in a fold")
        error.callback = lambda: None
        failure = _Failure.of(error, elsewhere=True)
    restored = failure.restored()
    assert str(restored) == "LookupError: this and that"
    assert restored.__notes__ == ["in a fold"]
    assert "test_backends.py" in str(restored.__cause__)


def test_what_a_worker_cannot_store_is_stored_at_home(corpus, tmp_path, monkeypatch):
    save, tried = ResultsStore.save, set()

    def save_at_home(store, key, record, *, about):
        if key not in tried:
            tried.add(key)
            raise FileNotFoundError("no such folder on this machine")
        save(store, key, record, about=about)

    monkeypatch.setattr(ResultsStore, "save", save_at_home)
    compare(corpus, {"any": DummyClassifier()}, results_dir=tmp_path, verbose=0)
    assert len(list((tmp_path / "folds").glob("*.json"))) == len(tried) == 3
