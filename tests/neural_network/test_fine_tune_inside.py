"""Fine-tuning follows a network into pipelines, searches, segments and cross-validation."""

import numpy as np
import pytest
import torch
from imblearn.over_sampling import RandomOverSampler
from sklearn import config_context
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.preprocessing import StandardScaler

from serkit.feature_extraction import FrameScaler
from serkit.model_selection import LeaveSpeakersOut
from serkit.neural_network import (
    CRNNClassifier,
    DomainAdversarialClassifier,
    FineTuneClassifier,
    MLPClassifier,
    SegmentAggregationClassifier,
)
from serkit.pipeline import make_pipeline
from serkit.preprocessing import FixedLengthSegmenter, SpeakerStandardizer


@pytest.fixture
def source(corpus, tiny):
    return CRNNClassifier(**tiny).fit(corpus.X, corpus.y)


@pytest.fixture
def target(corpus):
    """Other utterances of other speakers: the same, louder and shifted."""
    corpus.X = np.array([2 * x + 1 for x in corpus.X] + [None], dtype=object)[:-1]
    return corpus


def state(network):
    return {name: value.clone() for name, value in network.net_.module_.state_dict().items()}


def changed(before, after):
    return {name for name in before if not torch.equal(before[name], after[name])}


def tune(source, **options):
    options = {"lr": 0.1, "max_epochs": 2, "random_state": 0} | options
    return FineTuneClassifier(FrozenEstimator(source), **options)


@pytest.fixture
def mlp():
    return MLPClassifier((4,), batch_size=8, max_epochs=2, random_state=0)


@pytest.mark.parametrize("statistics", ["source", "target"])
def test_statistics_of_the_transformers(functionals, mlp, statistics):
    pipeline = make_pipeline(StandardScaler(), mlp).fit(functionals.X, functionals.y)
    other = 3 * functionals.X + 7
    tuned = tune(pipeline, statistics=statistics).fit(other, functionals.y)
    scaler = tuned.estimator_[0]
    expected = StandardScaler().fit(functionals.X if statistics == "source" else other)
    np.testing.assert_array_equal(scaler.mean_, expected.mean_)
    np.testing.assert_array_equal(pipeline[0].mean_, StandardScaler().fit(functionals.X).mean_)
    by_hand = tuned.network_.predict_proba(expected.transform(other))
    np.testing.assert_array_equal(tuned.predict_proba(other), by_hand)


@pytest.mark.parametrize("statistics", ["source", "target"])
def test_speakers_reach_the_transformers(functionals, mlp, statistics):
    """Speakers whom a scaler has not heard are scaled by themselves."""
    X, y, speakers = functionals.X, functionals.y, functionals.speakers
    with config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(SpeakerStandardizer(), mlp).fit(X, y, speakers=speakers)
    new = np.array([f"new {speaker}" for speaker in speakers], dtype=object)
    tuned = tune(pipeline, statistics=statistics).fit(X, y, speakers=new)
    alike = tuned.predict_proba(10 * X, speakers=np.char.add(new.astype(str), "er"))
    np.testing.assert_allclose(alike, tuned.predict_proba(X, speakers=new), atol=1e-5)


def test_samplers_act_on_what_is_tuned_on(functionals, mlp):
    pipeline = make_pipeline(StandardScaler(), RandomOverSampler(random_state=0), mlp)
    pipeline.fit(functionals.X, functionals.y)
    rows = np.r_[0:24:2, 1:9:2]  # 12 of one class, 4 of the other
    before = state(pipeline[-1])
    tuned = tune(pipeline, validation=None).fit(functionals.X[rows], functionals.y[rows])
    assert len(tuned.estimator_[1].sample_indices_) == 24
    assert changed(before, state(tuned.network_))


def test_a_network_in_a_search(functionals, mlp):
    grid = {"mlpclassifier__lr": [0.01, 0.001]}
    search = GridSearchCV(make_pipeline(StandardScaler(), mlp), grid, cv=2)
    search.fit(functionals.X, functionals.y)
    before = state(search.best_estimator_[-1])
    tuned = tune(search).fit(functionals.X, functionals.y)
    names = changed(before, state(tuned.network_))
    assert names == {name for name in before if name.startswith("head")}
    assert changed(before, state(search.best_estimator_[-1])) == set()


@pytest.mark.parametrize("new_classes", [False, True])
def test_a_network_of_segments(corpus, tiny, new_classes):
    """The scaler of segments keeps to the source, the network goes on, its classes are known."""
    inner = make_pipeline(FrameScaler(), CRNNClassifier(**tiny))
    segments = SegmentAggregationClassifier(inner, FixedLengthSegmenter(6))
    pipeline = make_pipeline(FrameScaler(), segments).fit(corpus.X, corpus.y)
    before = state(segments.estimator_[-1])
    mean = segments.estimator_[0].mean_.copy()
    other = np.array([2 * x + 1 for x in corpus.X] + [None], dtype=object)[:-1]
    y = np.where(corpus.y == "joy", "fear", corpus.y) if new_classes else corpus.y
    tuned = tune(pipeline).fit(other, y, speakers=corpus.speakers)
    frozen = {name for name in before if not name.startswith("head")}
    after = state(tuned.network_)
    assert all(torch.equal(before[name], after[name]) for name in frozen)
    assert changed(before, after) == set(before) - frozen
    np.testing.assert_array_equal(tuned.estimator_[-1].estimator_[0].mean_, mean)
    assert tuned.classes_.tolist() == tuned.estimator_.classes_.tolist() == sorted(set(y))
    assert "valid_uar" in tuned.history_
    assert set(tuned.predict(other)) <= set(y)
    assert changed(before, state(segments.estimator_[-1])) == set()


def test_domain_adversarial_training_goes_on_with_other_speakers(corpus, tiny):
    dat = DomainAdversarialClassifier(**tiny).fit(corpus.X, corpus.y, speakers=corpus.speakers)
    before = state(dat)
    new = np.array([f"new {speaker}" for speaker in corpus.speakers], dtype=object)
    tuned = tune(dat, unfreeze=1).fit(corpus.X, corpus.y, speakers=new)
    assert set(tuned.network_.speakers_) < set(new)
    after = state(tuned.network_)
    assert all(torch.equal(before[name], after[name]) for name in before if "encoder" in name)


def test_tuning_in_a_cross_validation(source, target):
    """Folds make clones, and clones begin from the source."""
    with config_context(enable_metadata_routing=True):
        predicted = cross_val_predict(
            tune(source),
            target.X,
            target.y,
            cv=LeaveSpeakersOut(1),
            params={"speakers": target.speakers, "groups": target.speakers},
        )
    test = target.speakers == "a"
    by_hand = tune(source).fit(target.X[~test], target.y[~test], speakers=target.speakers[~test])
    assert predicted[test].tolist() == by_hand.predict(target.X[test]).tolist()


# Weights of utterances.


def test_weights_count_in_the_loss(source, target, assert_equal_fits):
    """Of utterances without weight, the class makes no difference."""
    weight = np.arange(24) % 3 > 0
    y = np.where(weight, target.y, "joy")
    fits = [tune(source).fit(target.X, labels, sample_weight=weight) for labels in (target.y, y)]
    assert_equal_fits(fits[0].network_, fits[1].network_)
    unweighted = tune(source).fit(target.X, target.y)
    assert changed(state(fits[0].network_), state(unweighted.network_))


def test_weights_of_utterances_are_those_of_their_segments(source, target, assert_equal_fits):
    segments = SegmentAggregationClassifier(source, FixedLengthSegmenter(6))
    segments.fit(target.X, target.y)
    weight = np.arange(24) % 3 > 0
    y = np.where(weight, target.y, "joy")
    fits = [tune(segments).fit(target.X, labels, sample_weight=weight) for labels in (target.y, y)]
    assert_equal_fits(fits[0].network_, fits[1].network_)


@pytest.mark.parametrize("statistics", ["source", "target"])
def test_weights_reach_a_step_that_requests_them(functionals, mlp, statistics):
    X, y, weight = functionals.X, functionals.y, np.arange(24) % 3 > 0
    pipeline = make_pipeline(StandardScaler(), mlp).fit(X, y)
    with pytest.raises(ValueError, match=r"Pipeline does not take it.*set_fit_request"):
        tune(pipeline, statistics=statistics).fit(X, y, sample_weight=weight)
    with config_context(enable_metadata_routing=True):
        pipeline[0].set_fit_request(sample_weight=False)
        pipeline[-1].set_fit_request(sample_weight=True)
    tuned = tune(pipeline, statistics=statistics)
    y_other = np.where(weight, y, "joy")
    one, other = (tuned.fit(X, labels, sample_weight=weight).network_ for labels in (y, y_other))
    assert not changed(state(one), state(other))
