import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.dummy import DummyClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from serkit.datasets import Corpus
from serkit.evaluation import HoldoutSearchCV, compare
from serkit.evaluation._checks import find_crossing, warn_of_known_speakers
from serkit.feature_extraction import MFCC, CachedTransformer, TemporalPooling
from serkit.model_selection import LeaveSpeakersOut, SpeakerHoldout
from serkit.neural_network import (
    AntiTransferClassifier,
    MLPClassifier,
    SegmentAggregationClassifier,
)
from serkit.over_sampling import LeakageWarning
from serkit.preprocessing import FixedLengthSegmenter, PreEmphasis, Resampler

GRID = {"C": [0.1, 1.0]}
MODEL = LogisticRegression()
CROSSING = {
    "default": GridSearchCV(MODEL, GRID),
    "rows": GridSearchCV(MODEL, GRID, cv=KFold(2)),
    "holdout": HoldoutSearchCV(MODEL, GRID, cv=KFold(5)),
    "pairs": GridSearchCV(MODEL, GRID, cv=[(np.arange(6, 36), np.arange(6))]),
    "in a pipeline": make_pipeline(StandardScaler(), GridSearchCV(MODEL, GRID)),
    "without search": CalibratedClassifierCV(MODEL),
}


@pytest.mark.parametrize("name", CROSSING)
def test_tuning_across_speakers_is_named(features, name, tmp_path):
    corpus, X = features
    pipelines = {"tuned": CROSSING[name], "plain": MODEL}
    with pytest.warns(UserWarning, match="inner splits of 'tuned':") as caught:
        result = compare(corpus, pipelines, X=X, verbose=0)
    assert sum("inner splits" in str(warning.message) for warning in caught) == 1
    assert result.table()["tuned across speakers"].tolist() == [True, False]
    assert "tuned †" in str(result)
    assert "plain †" not in str(result)
    assert "† tuned across speakers: tuned" in result.to_html(tmp_path / "r.html").read_text()


@pytest.mark.parametrize("cv", [LeaveSpeakersOut(1), GroupKFold(2)])
def test_tuning_on_other_speakers_is_not_marked(features, cv):
    corpus, X = features
    pipelines = {
        "grid": GridSearchCV(MODEL, GRID, cv=cv),
        "holdout": HoldoutSearchCV(MODEL, GRID, cv=cv),
        "default": HoldoutSearchCV(MODEL, GRID),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = compare(corpus, pipelines, X=X, verbose=0)
    assert "†" not in str(result)


def test_a_random_state_inside_is_left_where_it_is(features):
    corpus, X = features
    cv = KFold(2, shuffle=True, random_state=np.random.RandomState(0))
    before = cv.random_state.get_state()[1].copy()
    with pytest.warns(UserWarning, match="inner splits"):
        compare(corpus, {"g": GridSearchCV(MODEL, GRID, cv=cv)}, X=X, verbose=0)
    np.testing.assert_array_equal(cv.random_state.get_state()[1], before)


def test_rows_of_the_corpus_inside_a_search_are_refused(features):
    corpus, X = features
    search = GridSearchCV(MODEL, GRID, cv=[(np.arange(12, 36), np.arange(36, 48))])
    with pytest.raises(ValueError, match="inside pipeline 'g' names row 47, but a fold trains on"):
        compare(corpus, {"g": search}, X=X, verbose=0)


def spoken(rate):
    rng = np.random.default_rng(0)
    return Corpus(
        {"speaker": list("aabbcc"), "emotion": ["x", "y"] * 3},
        waveforms=list(rng.uniform(-0.1, 0.1, size=(6, 4000))),
        sampling_rate=rate,
    )


def test_the_rate_of_the_waveforms_is_that_of_the_pipeline():
    mfcc = make_pipeline(MFCC(n_mels=20), TemporalPooling())
    pipelines = {
        "plain": make_pipeline(PreEmphasis(), mfcc, MODEL),
        "cached": make_pipeline(CachedTransformer(mfcc), MODEL),
        "search": HoldoutSearchCV(make_pipeline(mfcc, MODEL), {"logisticregression__C": [1]}),
    }
    for name, pipeline in pipelines.items():
        with pytest.raises(ValueError, match=f"8000 Hz, pipeline '{name}' expects 16000 Hz"):
            compare(spoken(8000), {name: pipeline}, verbose=0)
    resampled = make_pipeline(Resampler(8000, target_sampling_rate=16000), mfcc, MODEL)
    assert len(compare(spoken(8000), {"resampled": resampled}, verbose=0).table()) == 1
    assert len(compare(spoken(16000), pipelines, verbose=0).table()) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pipelines": {}}, "with one or more"),
        ({"pipelines": [MODEL]}, "must be a dict"),
        ({"pipelines": {1: MODEL}}, "names of pipelines are str, got 1"),
        ({"pipelines": {"r": LinearRegression()}}, "'r' is no classifier"),
        ({"pipelines": {"s": StandardScaler()}}, "'s' is no classifier"),
        ({"seeds": []}, "one or more different integers"),
        ({"seeds": [1, 1]}, "one or more different integers"),
        ({"cv": []}, "makes no folds"),
        ({"cv": [([0], [1], [2])]}, "fold 0 has 3 parts"),
        ({"cv": [(np.arange(36), [])]}, "test part of fold 0 is empty"),
    ],
)
def test_wrong_arguments_are_named_at_once(features, arguments, message):
    corpus, X = features
    with pytest.raises((TypeError, ValueError), match=message):
        compare(corpus, **{"pipelines": {"m": DummyClassifier()}, "X": X, **arguments})


def test_an_empty_corpus_is_refused(features):
    corpus, X = features
    with pytest.raises(ValueError, match="no utterances"):
        compare(corpus[np.zeros(48, bool)], {"m": DummyClassifier()}, X=X[:0])


def of_segments(inner):
    return SegmentAggregationClassifier(inner, FixedLengthSegmenter(4), aggregate="vote")


@pytest.mark.parametrize(
    ("inner", "found"),
    [
        (GridSearchCV(MODEL, GRID, cv=KFold(2)), True),
        (make_pipeline(StandardScaler(), CalibratedClassifierCV(MODEL, cv=2)), True),
        (GridSearchCV(MODEL, GRID, cv=[(np.arange(6), np.arange(6, 12))]), True),
        (GridSearchCV(MODEL, GRID, cv=[(np.arange(50), np.arange(50, 99))]), True),
        (MLPClassifier(validation=KFold(2)), True),
        (GridSearchCV(MODEL, GRID, cv=LeaveSpeakersOut()), False),
        (CalibratedClassifierCV(MODEL, cv=GroupKFold(2)), False),
        (MLPClassifier(validation=SpeakerHoldout(random_state=0)), False),
        (MLPClassifier(validation=0.3), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_splits_of_segments_are_not_taken_for_splits_of_utterances(inner, found):
    """Two halves of the utterances have other speakers, two halves of the segments have not."""
    y, speakers = np.array(["a", "b"] * 6), np.repeat(list("stuv"), 3).astype(object)
    pipelines = {"p": make_pipeline(StandardScaler(), of_segments(inner))}
    folds = [(np.arange(12), np.arange(12))]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert find_crossing(pipelines, folds, y, speakers) == (("p",) if found else ())
    assert len(caught) == found


class NeedsFeatures:
    """A splitter that looks at X, and knows no groups."""

    def split(self, X, y=None):
        yield np.flatnonzero(X[:, 0] > 0), np.flatnonzero(X[:, 0] <= 0)

    def get_n_splits(self, X=None, y=None, groups=None):
        return 1


class Cut(TransformerMixin, BaseEstimator):
    """Has a parameter named cv that is no splitter."""

    def __init__(self, cv=None):
        self.cv = cv


@pytest.mark.parametrize("cv", [None, [0.3, 0.4]])
def test_only_searches_split(cv):
    y, speakers = np.array(["a", "b"] * 4), np.array(list("sttssstt"), dtype=object)
    rows = np.arange(8)
    searches = {
        "splitter": GridSearchCV(LogisticRegression(), {"C": [1.0]}, cv=NeedsFeatures()),
        "parameter": make_pipeline(Cut(cv), LogisticRegression()),
    }
    assert find_crossing(searches, [(rows, rows)], y, speakers) == ()


@pytest.mark.parametrize(
    ("validation", "found"),
    [(KFold(3), ("network",)), (SpeakerHoldout(random_state=0), ()), (0.2, ()), ("auto", ())],
)
def test_validation_of_a_network_is_looked_at(validation, found):
    rows = np.arange(12)
    y, speakers = np.array(["anger", "calm"] * 6), np.repeat(list("abcd"), 3).astype(object)
    network = make_pipeline(StandardScaler(), MLPClassifier(validation=validation))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert find_crossing({"network": network}, [(rows, rows)], y, speakers) == found
    assert len(caught) == len(found)


def frozen_network(features, speakers=None):
    corpus, X = features
    network = MLPClassifier((4,), max_epochs=1, patience=None, random_state=0)
    speakers = corpus.speakers if speakers is None else speakers
    return FrozenEstimator(network.fit(X, corpus.y, speakers=speakers))


def test_a_frozen_network_that_knows_test_speakers_is_warned_of(features):
    corpus, X = features
    known = frozen_network(features)
    pipelines = {
        "frozen": make_pipeline(known, MODEL),
        "deep": make_pipeline(FrozenEstimator(make_pipeline("passthrough", known)), MODEL),
    }
    with pytest.warns(LeakageWarning) as caught:
        compare(corpus, pipelines, X=X, verbose=0)
    found = [str(warning.message) for warning in caught if warning.category is LeakageWarning]
    assert [message.partition(" was")[0] for message in found] == [
        "the frozen MLPClassifier in pipeline 'frozen'",
        "the frozen MLPClassifier in pipeline 'deep'",
    ]
    assert all("the speakers s1, s2, s3, s4, and" in message for message in found)


def test_networks_of_other_speakers_are_not_warned_of(features):
    corpus, _ = features
    speakers = np.asarray(corpus.speakers)
    of_another_corpus = np.where(speakers == "s1", "other", speakers)
    unfrozen = clone(frozen_network(features).estimator)
    pipelines = {
        "other": make_pipeline(frozen_network(features, of_another_corpus), MODEL),
        "fitted anew": make_pipeline(unfrozen, MODEL),
        "checks itself": AntiTransferClassifier(unfrozen, frozen_network(features)),
    }
    rows = np.arange(len(speakers))
    folds = [(rows[speakers != name], rows[speakers == name]) for name in np.unique(speakers)]
    trained_on = make_pipeline(frozen_network(features, ["s1"] * len(rows)), MODEL)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_known_speakers(pipelines, folds, speakers)
        warn_of_known_speakers({"of the training part": trained_on}, folds[1:], speakers)
