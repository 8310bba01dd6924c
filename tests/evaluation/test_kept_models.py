"""Fitted models of folds, kept beside their records."""

import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import serkit
from serkit.datasets import make_emotional_speech
from serkit.evaluation import benchmark, compare
from serkit.feature_extraction import MFCC, FrameScaler, LogMelSpectrogram, TemporalPooling
from serkit.metrics import uar_scorer
from serkit.model_selection import LeaveSpeakersOut
from serkit.neural_network import CRNNClassifier
from serkit.persistence import ModelFileError, _registry, register
from serkit.pipeline import make_pipeline as make_sampling_pipeline
from serkit.preprocessing import AudioLoader


def files(folder):
    return {path.name: path.stat().st_mtime_ns for path in (folder / "models").iterdir()}


def run(features, pipelines, folder, **options):
    corpus, X = features
    return compare(corpus, pipelines, X=X, results_dir=folder, verbose=0, **options)


def test_a_kept_model_predicts_from_audio_what_its_fold_says(tmp_path):
    corpus = make_emotional_speech(n_speakers=4, n_sentences=1, random_state=0)
    vectors = AudioLoader(), MFCC(n_mfcc=5), TemporalPooling(), StandardScaler()
    crnn = CRNNClassifier(n_filters=4, rnn_hidden_size=4, max_epochs=1)
    pipelines = {
        "SVM": make_pipeline(*vectors, SVC()),
        "search": GridSearchCV(
            make_pipeline(*vectors, SVC()),
            {"svc__C": [0.1, 1.0]},
            cv=LeaveSpeakersOut(1),
            scoring=uar_scorer,
        ),
        "CRNN": make_sampling_pipeline(LogMelSpectrogram(n_mels=8), FrameScaler(), crnn),
    }
    result = compare(
        corpus,
        pipelines,
        cv=LeaveSpeakersOut(2),
        results_dir=tmp_path,
        keep_models=True,
        verbose=0,
    )
    records = {path.stem for path in (tmp_path / "folds").glob("*.json")}
    assert {path.stem for path in (tmp_path / "models").iterdir()} == records
    assert len(result.models) == len(result.folds) == 6
    for (pipeline, seed, fold), path in result.models.items():
        assert path.parent == tmp_path / "models"
        model = result.load_model(pipeline, fold, seed=seed)
        known = result.predictions.query("pipeline == @pipeline and fold == @fold")
        audio = corpus.audio[known["row"]]
        assert model.predict(audio).tolist() == known["y_pred"].tolist()
        if known["score_method"].iloc[0] == "predict_proba":
            scores = known[[f"score[{label}]" for label in model.classes_]]
            assert_allclose(model.predict_proba(audio), scores, atol=1e-6)
    assert result.load_model("search")[-1].C in (0.1, 1.0)


def test_folds_without_a_model_are_fitted_again(features, tmp_path):
    pipelines = {"Bayes": GaussianNB(), "logistic": LogisticRegression()}
    first = run(features, pipelines, tmp_path)
    assert not (tmp_path / "models").exists()
    with pytest.raises(ValueError, match=r"no model of pipeline 'Bayes', fold 0.*keep_models=True"):
        first.load_model("Bayes")
    second = run(features, pipelines, tmp_path, keep_models=True)
    kept = files(tmp_path)
    assert len(kept) == 8
    lost = min(kept)
    (tmp_path / "models" / lost).unlink()
    third = run(features, pipelines, tmp_path, keep_models=True)
    assert {name for name, at in files(tmp_path).items() if kept[name] != at} == {lost}
    for result in (second, third):
        assert result.predictions.equals(first.predictions)
    # What was kept once is found without being asked for.
    assert run(features, pipelines, tmp_path).models.keys() == third.models.keys()
    assert isinstance(third.load_model("Bayes", 3), GaussianNB)


def test_what_cannot_be_kept_is_said_and_not_fitted_again(features, tmp_path):
    pipelines = {"boosting": HistGradientBoostingClassifier(max_iter=2), "Bayes": GaussianNB()}
    with pytest.warns(UserWarning, match="'boosting' are not kept: .*TreePredictor"):
        first = run(features, pipelines, tmp_path, keep_models=True)
    assert {pipeline for pipeline, *_ in first.models} == {"Bayes"}
    at = {path: path.stat().st_mtime_ns for path in (tmp_path / "folds").iterdir()}
    with pytest.warns(UserWarning, match="'boosting' are not kept"):
        second = run(features, pipelines, tmp_path, keep_models=True)
    assert at == {path: path.stat().st_mtime_ns for path in (tmp_path / "folds").iterdir()}
    assert second.predictions.equals(first.predictions)


class Twice(TransformerMixin, BaseEstimator):
    """A step that serkit does not know."""

    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        return 2 * np.asarray(X)


def test_models_are_kept_once_the_advice_is_followed(features, tmp_path, monkeypatch):
    bayes, own = {"Bayes": GaussianNB()}, {"own": make_pipeline(Twice(), GaussianNB())}
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "skops.io", None)
        with pytest.warns(UserWarning, match="'Bayes' are not kept: .*pip install"):
            first = run(features, bayes, tmp_path, keep_models=True)
    assert not first.models
    assert len(run(features, bayes, tmp_path, keep_models=True).models) == 4
    with pytest.warns(UserWarning, match=r"'own' are not kept: .*register\("):
        first = run(features, own, tmp_path, keep_models=True)
    monkeypatch.setattr(_registry, "_REGISTERED", {})
    register(Twice, name="tests:Twice-of-comparisons")
    second = run(features, own, tmp_path, keep_models=True)
    assert len(second.models) == 4
    assert second.predictions.equals(first.predictions)
    assert isinstance(second.load_model("own")[0], Twice)


def test_models_are_kept_by_workers_too(features, tmp_path):
    here = run(features, {"Bayes": GaussianNB()}, tmp_path / "here", keep_models=True)
    there = run(features, {"Bayes": GaussianNB()}, tmp_path / "there", keep_models=True, n_jobs=2)
    assert files(tmp_path / "here").keys() == files(tmp_path / "there").keys()
    _, X = features
    expected = here.load_model("Bayes", 1).predict_proba(X)
    np.testing.assert_array_equal(there.load_model("Bayes", 1).predict_proba(X), expected)


def test_a_damaged_model_is_named(features, tmp_path):
    result = run(features, {"Bayes": GaussianNB()}, tmp_path, keep_models=True)
    path = result.models["Bayes", 0, 2]
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(ModelFileError, match=path.name):
        result.load_model("Bayes", 2)


def test_a_folder_is_needed(features):
    corpus, X = features
    with pytest.raises(ValueError, match="keep_models=True needs a results_dir"):
        compare(corpus, {"Bayes": GaussianNB()}, X=X, keep_models=True)
    with pytest.raises(ValueError, match="keep_models=True needs a results_dir"):
        benchmark([corpus], {"Bayes": GaussianNB()}, X={"tiny": X}, keep_models=True)


def test_benchmarks_keep_the_models_of_every_cell(features, tmp_path):
    corpus, X = features
    result = benchmark(
        [corpus],
        {"Bayes": GaussianNB()},
        {"one": LeaveSpeakersOut(1), "two": LeaveSpeakersOut(2)},
        X={"tiny": X},
        results_dir=tmp_path,
        keep_models=True,
        verbose=0,
    )
    assert len(files(tmp_path)) == 6
    cell = result.results["tiny", "two"]
    assert serkit.load(cell.models["Bayes", 0, 1]).predict(X).shape == (48,)
