import warnings

import numpy as np
import pytest
from sklearn import config_context
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import check_estimator

from serkit.evaluation import HoldoutSearchCV
from serkit.metrics import uar_score, uar_scorer
from serkit.model_selection import LeaveSpeakersOut
from serkit.preprocessing import SpeakerStandardizer

GRID = {"C": [1e-5, 0.1, 10.0]}


@pytest.fixture
def train(features):
    """Training part of a fold: speakers s2 to s4; s4 is before the missing s1."""
    corpus, X = features
    rows = corpus.speakers != "s1"
    return X[rows], corpus.y[rows], corpus.speakers[rows]


@pytest.mark.filterwarnings("ignore")
def test_passes_scikit_learns_checks():
    search = HoldoutSearchCV(LogisticRegression(), {"C": [0.1, 1]}, cv=StratifiedKFold(2))
    results = check_estimator(search, on_fail=None)
    assert len(results) > 50
    assert [r["check_name"] for r in results if r["status"] == "failed"] == []


@pytest.mark.parametrize("refit", ["train", "train+validation"])
def test_keeps_the_candidate_that_is_best_on_the_held_out_speakers(train, refit):
    X, y, speakers = train
    cv = LeaveSpeakersOut(1).inner(["s1", "s2", "s3", "s4"])
    search = HoldoutSearchCV(SVC(), GRID, cv=cv, refit=refit).fit(X, y, groups=speakers)
    held_out = speakers == "s4"
    assert search.validation_rows_.tolist() == np.flatnonzero(held_out).tolist()
    models = [SVC(C=C).fit(X[~held_out], y[~held_out]) for C in GRID["C"]]
    scores = [uar_score(y[held_out], model.predict(X[held_out])) for model in models]
    assert search.best_score_ == max(scores)
    assert search.best_params_ == {"C": GRID["C"][int(np.argmax(scores))]}
    expected = models[int(np.argmax(scores))]
    if refit == "train+validation":
        expected = SVC(**search.best_params_).fit(X, y)
    np.testing.assert_array_equal(search.decision_function(X), expected.decision_function(X))
    assert search.classes_.tolist() == expected.classes_.tolist()


def test_refit_on_everything_is_grid_search(train):
    X, y, speakers = train
    cv = LeaveSpeakersOut(1).inner(["s1", "s2", "s3", "s4"])
    ours = HoldoutSearchCV(SVC(), GRID, cv=cv, refit="train+validation")
    theirs = GridSearchCV(SVC(), GRID, cv=cv, scoring=uar_scorer)
    ours.fit(X, y, groups=speakers)
    theirs.fit(X, y, groups=speakers)
    assert ours.best_params_ == theirs.best_params_
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))


@pytest.mark.parametrize("routing", [False, True])
def test_hands_speakers_on(train, routing):
    X, y, speakers = train
    pipeline = make_pipeline(SpeakerStandardizer(unseen="global"), SVC())
    search = HoldoutSearchCV(pipeline, {"svc__C": [0.1, 1.0]}, cv=LeaveSpeakersOut(1))
    if not routing:
        search.set_params(scoring=lambda model, X, y: 0.0)
        search.fit(X, y, groups=speakers, speakerstandardizer__speakers=speakers)
        assert search.best_estimator_[0].speakers_.tolist() == ["s3", "s4"]
        return
    with config_context(enable_metadata_routing=True):
        search.fit(X, y, groups=speakers, speakers=speakers)
        assert search.best_estimator_[0].speakers_.tolist() == ["s3", "s4"]
        y_pred = search.predict(X, speakers=speakers)
        assert search.score(X, y, speakers=speakers) == uar_score(y, y_pred)


def test_holds_out_a_fifth_of_the_speakers_by_default(train):
    X, y, speakers = train
    search = HoldoutSearchCV(SVC(), GRID).fit(X, y, groups=speakers)
    assert len(set(speakers[search.validation_rows_])) == 1


def test_has_only_the_methods_of_its_estimator(train):
    X, y, speakers = train
    search = HoldoutSearchCV(SVC(), GRID).fit(X, y, groups=speakers)
    assert hasattr(search, "decision_function")
    assert not hasattr(search, "predict_proba")


@pytest.mark.filterwarnings("ignore:The groups parameter is ignored")
def test_a_speaker_on_both_sides_is_warned_of(train):
    X, y, speakers = train
    search = HoldoutSearchCV(SVC(), GRID, cv=StratifiedKFold(2))
    with pytest.warns(UserWarning, match="speakers on both sides"):
        search.fit(X, y, groups=speakers)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        search.set_params(cv=LeaveSpeakersOut(1)).fit(X, y, groups=speakers)
