import json
import os
import time

import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import SMOTE
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from serkit.datasets import Corpus
from serkit.evaluation import HoldoutSearchCV, compare
from serkit.feature_extraction import CachedTransformer, TemporalPooling
from serkit.metrics import uar_scorer
from serkit.model_selection import LeaveSpeakersOut, SpeakerLeakageError
from serkit.pipeline import make_pipeline as make_sampling_pipeline
from serkit.preprocessing import SpeakerStandardizer
from serkit.utils import FrameTransformer

TIMES = ["fit_time", "predict_time"]


def run(features, pipelines, **kwargs):
    corpus, X = features
    return compare(corpus, pipelines, X=kwargs.pop("X", X), verbose=0, **kwargs)


def entries(folder):
    return {path.name: path.stat().st_mtime_ns for path in (folder / "folds").glob("*.json")}


def test_equals_a_loop_by_hand(features):
    corpus, X = features
    model = make_pipeline(StandardScaler(), LogisticRegression())
    result = run(features, {"model": model})
    for speaker in ("s1", "s2", "s3", "s4"):
        test = corpus.speakers == speaker
        model.fit(X[~test], corpus.y[~test])
        found = result.predictions.query("speaker == @speaker")
        assert found["row"].tolist() == np.flatnonzero(test).tolist()
        assert found["y_pred"].tolist() == model.predict(X[test]).tolist()
        scores = found[[f"score[{label}]" for label in model.classes_]]
        np.testing.assert_allclose(scores, model.predict_proba(X[test]), rtol=1e-9)


def test_scores_the_training_utterances_when_asked(features, tmp_path):
    corpus, X = features
    pipelines = {"tree": DecisionTreeClassifier(random_state=0), "stump": DummyClassifier()}
    options = {"X": X, "verbose": 0, "results_dir": tmp_path}
    plain = compare(corpus, pipelines, **options)
    assert "train UAR" not in plain.table()
    result = compare(corpus, pipelines, return_train_score=True, **options)
    assert result.table()["train UAR"].to_dict() == {"tree": 1.0, "stump": pytest.approx(1 / 3)}
    assert "100.0%" in str(result)
    assert result.folds["UAR"].tolist() == plain.folds["UAR"].tolist()


def test_finds_its_results_again_and_computes_only_what_is_missing(features, tmp_path):
    pipelines = {"a": LogisticRegression(), "b": DummyClassifier()}
    first = run(features, pipelines, results_dir=tmp_path)
    kept = entries(tmp_path)
    assert len(kept) == 8
    broken, lost, *_ = sorted(kept)
    (tmp_path / "folds" / broken).write_text('{"key": "cut o')
    (tmp_path / "folds" / lost).unlink()
    second = run(features, pipelines, results_dir=tmp_path)
    changed = {name for name, written in entries(tmp_path).items() if kept.get(name) != written}
    assert changed == {broken, lost}
    pd.testing.assert_frame_equal(first.predictions, second.predictions)
    pd.testing.assert_frame_equal(first.folds.drop(columns=TIMES), second.folds.drop(columns=TIMES))


def test_what_changes_a_result_changes_its_key(features, tmp_path):
    corpus, X = features

    def n_entries(pipeline=None, *, corpus=corpus, X=X, **kwargs):
        pipeline = pipeline or LogisticRegression()
        compare(corpus, {"any": pipeline}, X=X, results_dir=tmp_path, verbose=0, **kwargs)
        return len(entries(tmp_path))

    assert n_entries() == 4
    assert n_entries(n_jobs=2) == 4
    assert n_entries(LogisticRegression(verbose=0)) == 4
    assert n_entries(LogisticRegression(C=2)) == 8
    assert n_entries(seeds=[1]) == 12
    assert n_entries(X=X + 1e-9) == 16
    swapped = corpus.map_labels({"anger": "calm", "calm": "anger"})
    assert n_entries(corpus=swapped) == 20
    assert n_entries(cv=LeaveSpeakersOut(2)) == 22


def test_versions_are_part_of_the_key(features, tmp_path, monkeypatch):
    run(features, {"any": DummyClassifier()}, results_dir=tmp_path)
    monkeypatch.setattr("serkit.__version__", "0.0.0+other")
    run(features, {"any": DummyClassifier()}, results_dir=tmp_path)
    assert len(entries(tmp_path)) == 8
    stored = [json.loads(path.read_text()) for path in (tmp_path / "folds").iterdir()]
    assert len({entry["about"]["code"]["serkit"] for entry in stored}) == 2


def test_code_of_the_user_is_part_of_the_key(features, tmp_path, load_own):
    counts = []
    for file, offset in [("a.py", 1), ("b.py", 1), ("c.py", 2)]:
        own = load_own(tmp_path / file, offset)
        run(features, {"own": own}, results_dir=tmp_path)
        counts.append(len(entries(tmp_path)))
    assert counts == [4, 4, 8]


def test_seeds_set_every_random_state(features):
    network = MLPClassifier((3,), max_iter=3, random_state=5)
    with pytest.warns(UserWarning, match="hasn't converged"):
        kept = run(features, {"net": network})
    with pytest.warns(UserWarning, match="hasn't converged"):
        both = run(features, {"net": network}, seeds=[5, 6])
    scores = [f"score[{label}]" for label in ("anger", "calm", "fear")]
    by_seed = dict(list(both.predictions.groupby("seed")))
    np.testing.assert_array_equal(by_seed[5][scores], kept.predictions[scores])
    assert not np.allclose(by_seed[5][scores], by_seed[6][scores])
    assert len(both.table()) == 1
    assert both.table()["folds"].tolist() == [4]


def test_speakers_on_both_sides_are_refused_or_named(features):
    cv = KFold(2, shuffle=True, random_state=0)
    with pytest.raises(SpeakerLeakageError) as caught:
        run(features, {"any": DummyClassifier()}, cv=cv)
    assert "allow_speaker_overlap" in caught.value.__notes__[0]
    result = run(features, {"any": DummyClassifier()}, cv=cv, allow_speaker_overlap=True)
    assert "speaker-DEPENDENT" in result.table()["protocol"].item()
    assert "speaker-DEPENDENT" in str(result)


def test_utterances_need_speaker_and_emotion(features):
    _, X = features
    corpus = Corpus(
        {"speaker": ["a", None], "emotion": ["x", "y"]},
        waveforms=[np.zeros(1)] * 2,
        sampling_rate=16000,
    )
    with pytest.raises(ValueError, match="1 utterances have no speaker"):
        compare(corpus, {"any": DummyClassifier()}, X=X[:2])


def test_speakers_reach_the_steps_that_want_them(features):
    corpus, X = features
    shifted = X + 50 * np.unique(corpus.speakers, return_inverse=True)[1][:, None]
    pipelines = {
        "own": make_pipeline(SpeakerStandardizer(), LogisticRegression()),
        "global": make_pipeline(SpeakerStandardizer(unseen="global"), LogisticRegression()),
    }
    table = run(features, pipelines, X=shifted).table()
    assert table["transductive"].tolist() == ["SpeakerStandardizer(unseen='own')", ""]
    assert table.loc["own", "UAR"] > table.loc["global", "UAR"] + 0.1


@pytest.mark.parametrize("search", [GridSearchCV, HoldoutSearchCV])
def test_searches_tune_on_the_validation_speakers_of_the_fold(features, search):
    corpus, _ = features
    cv = LeaveSpeakersOut(1)
    pipeline = make_pipeline(SpeakerStandardizer(), LogisticRegression())
    grid = {"logisticregression__C": [1e-6, 1.0]}
    tuned = search(pipeline, grid, cv=cv.inner(corpus.speakers), scoring=uar_scorer)
    result = run(features, {"tuned": tuned}, cv=cv)
    assert set(result.folds["best_params"]) <= {
        "logisticregression__C=1e-06",
        "logisticregression__C=1.0",
    }
    assert result.table()["transductive"].item() == "SpeakerStandardizer(unseen='own')"


class Counting(FrameTransformer):
    """Frames as they are, counting the utterances in a file."""

    def __init__(self, file, n_jobs=None, verbose=0):
        self.file = file
        self.n_jobs = n_jobs
        self.verbose = verbose

    def _make_kernel(self):
        return self._count

    def _count(self, frames):
        with open(self.file, "a") as file:
            file.write(".")
        return frames


@pytest.mark.parametrize("own_cache", [False, True])
def test_stateless_steps_run_once_per_utterance(features, tmp_path, own_cache):
    _, X = features
    frames = [
        row[None, None].astype(np.float32) + np.arange(3)[None, None, :, None][..., 0]
        for row in X[:, :1]
    ]
    counter = tmp_path / "count"
    counting = Counting(str(counter))
    step = CachedTransformer(counting, tmp_path / "own") if own_cache else counting
    steps = [step, TemporalPooling(), StandardScaler()]
    pipelines = {
        "a": make_pipeline(*steps, LogisticRegression()),
        "b": make_pipeline(*steps, DummyClassifier()),
        "grid": HoldoutSearchCV(
            make_pipeline(*steps, LogisticRegression()),
            {"logisticregression__C": [0.1, 1]},
            cv=LeaveSpeakersOut(1),
        ),
    }
    run(features, pipelines, X=frames, results_dir=tmp_path / "results")
    n_first = len(counter.read_text())
    assert n_first in (48, 49)  # the first utterance may also show the names
    more = {"c": make_pipeline(*steps, LogisticRegression(C=3))}
    run(features, more, X=frames, results_dir=tmp_path / "results")
    assert len(counter.read_text()) <= n_first + 1


def test_steps_that_a_search_varies_are_not_taken_out(features):
    _, X = features
    frames = [row[:1, None, None] * np.arange(1, 4, dtype=np.float32) for row in X]
    pipeline = make_pipeline(TemporalPooling(), LogisticRegression())
    grid = {"temporalpooling__statistics": [("mean",), ("std",)]}
    search = HoldoutSearchCV(pipeline, grid, cv=LeaveSpeakersOut(1))
    result = run(features, {"search": search}, X=frames)
    assert result.folds["best_params"].str.startswith("temporalpooling__statistics=").all()


def test_samplers_act_on_training_parts_and_speakers_follow(features):
    corpus, X = features
    rows = np.flatnonzero((corpus.y != "fear") | (np.arange(48) % 2 == 0))
    corpus, X = corpus[rows], X[rows]
    shifted = X + 50 * np.unique(corpus.speakers, return_inverse=True)[1][:, None]
    steps = SpeakerStandardizer(), SMOTE(random_state=0, k_neighbors=2), LogisticRegression()
    pipelines = {"SMOTE": make_sampling_pipeline(*steps), "none": make_pipeline(*steps[::2])}
    result = compare(corpus, pipelines, X=shifted, verbose=0)
    assert result.predictions.query("pipeline == 'SMOTE'")["row"].tolist() == list(range(len(X)))
    assert (result.table()["UAR"] > 0.5).all()
    scores = result.predictions.pivot(index="row", columns="pipeline", values="score[fear]")
    assert scores["SMOTE"].mean() > scores["none"].mean() + 0.02


def test_data_frames_equal_arrays(features):
    _, X = features
    frame = pd.DataFrame(X, columns=list("abcd"), index=np.arange(48)[::-1])
    model = {"model": make_pipeline(StandardScaler(), LogisticRegression())}
    pd.testing.assert_frame_equal(
        run(features, model, X=frame).predictions, run(features, model).predictions
    )


def test_labels_may_be_numbers(features, tmp_path):
    corpus, X = features
    table = corpus.table[["speaker"]].assign(emotion=[i % 3 for i in range(48)])
    corpus = Corpus(table, waveforms=list(corpus.audio), sampling_rate=16000)
    for _ in range(2):
        result = run((corpus, X), {"model": LogisticRegression()}, results_dir=tmp_path)
        assert result.table()["UAR"].item() > 0.5
        assert result.confusion("model").to_numpy().sum() == 48


class Bare(BaseEstimator):
    """Has decision values but does not say of which classes."""

    def fit(self, X, y):
        self.fitted_ = True
        return self

    def predict(self, X):
        return np.full(len(X), "calm", dtype=object)

    def decision_function(self, X):
        return np.zeros((len(X), 3))


def test_classifiers_need_no_classes(features):
    result = run(features, {"bare": Bare()})
    assert result.predictions["score_method"].isna().all()


def test_without_a_store_nothing_has_to_be_digestible(features, tmp_path):
    generator = (i for i in range(3))  # cannot be pickled
    search = GridSearchCV(
        LogisticRegression(),
        {"C": [0.1, 1.0]},
        cv=LeaveSpeakersOut(1),
        scoring=lambda model, X, y: float(model.C) if generator else 0.0,
    )
    result = run(features, {"search": search})
    assert set(result.folds["best_params"]) == {"C=1.0"}


def test_a_resumed_run_says_what_it_found(features, tmp_path, capsys):
    corpus, X = features
    for pipelines in ({"a": DummyClassifier()}, {"a": DummyClassifier(), "b": GaussianNB()}):
        compare(corpus, pipelines, X=X, results_dir=tmp_path)
    assert f"4 of 8 folds found in {tmp_path}" in capsys.readouterr().err


@pytest.mark.parametrize("inside", ["folds", "models"])
def test_old_temporary_files_are_swept(features, tmp_path, inside):
    (tmp_path / inside).mkdir()
    old, young = tmp_path / inside / ".old.serkit.ab.part", tmp_path / inside / ".young.part"
    for path in (old, young):
        path.touch()
    os.utime(old, (time.time() - 2 * 86400,) * 2)
    run(features, {"a": DummyClassifier()}, results_dir=tmp_path)
    assert young.exists()
    assert not old.exists()
