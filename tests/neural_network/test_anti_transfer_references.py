"""References never change, are trained where they are not fitted, and know no test speaker."""

import warnings

import numpy as np
import pytest
import torch
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import LeaveOneGroupOut, cross_validate

from serkit.feature_extraction import FrameScaler
from serkit.neural_network import (
    AntiTransferClassifier,
    CRNNClassifier,
    CRNNRegressor,
    FineTuneClassifier,
)
from serkit.over_sampling import LeakageWarning
from serkit.pipeline import make_pipeline


@pytest.fixture
def crnn(tiny):
    return CRNNClassifier(n_conv_layers=2, **tiny)


@pytest.fixture
def reference(crnn, corpus):
    """A network that tells the speakers of another corpus apart."""
    other = [x + 1 for x in corpus.X]
    return clone(crnn).fit(other, np.char.add("other-", corpus.speakers.astype(str)))


def state(network):
    return {name: value.clone() for name, value in network.net_.module_.state_dict().items()}


def same(before, after):
    return {name for name in before if torch.equal(before[name], after[name])}


# The reference.


def test_the_reference_never_changes(crnn, reference, corpus):
    before, history = state(reference), reference.history_.copy()
    frozen = FrozenEstimator(reference)
    against = AntiTransferClassifier(crnn, frozen, layers=2)
    against.fit(corpus.X, corpus.y, speakers=corpus.speakers)
    assert against.references_ == [reference]
    assert clone(against).reference.estimator is reference
    scores = cross_validate(
        against,
        corpus.X,
        corpus.y,
        groups=corpus.speakers,
        cv=LeaveOneGroupOut(),
        return_estimator=True,
        error_score="raise",
    )
    assert all(fold.reference.estimator is reference for fold in scores["estimator"])
    assert same(before, state(reference)) == before.keys()
    assert all(weights.requires_grad for weights in reference.net_.module_.parameters())
    assert not any(part._forward_hooks for part in reference.net_.module_.modules())
    assert history.equals(reference.history_)


def test_an_unfitted_reference_learns_the_speakers(crnn, corpus):
    speakers = corpus.speakers.copy()
    speakers[:2] = None
    against = AntiTransferClassifier(crnn, crnn).fit(corpus.X, corpus.y, speakers=speakers)
    assert not hasattr(crnn, "net_")
    (reference,) = against.references_
    assert list(reference.classes_) == ["a", "b", "c", "d"]
    assert len(reference._fit_rows) == 22
    assert reference.history_.columns.str.startswith("train").any()


def test_an_unfitted_reference_learns_what_it_is_told(crnn, corpus):
    sentences = np.tile(["s1", "s2", "s3"], 8)
    against = AntiTransferClassifier(crnn, [crnn, crnn])
    both = np.column_stack([sentences, corpus.speakers])
    against.fit(corpus.X, corpus.y, speakers=corpus.speakers, reference_y=both)
    first, second = against.references_
    assert list(first.classes_) == ["s1", "s2", "s3"]
    assert list(second.classes_) == ["a", "b", "c", "d"]
    assert "valid_uar" in first.history_  # speakers were held out


def test_in_a_cross_validation_the_reference_knows_no_test_speaker(crnn, corpus):
    crnn.set_params(max_epochs=1)
    against = make_pipeline(FrameScaler(), AntiTransferClassifier(crnn, crnn))
    with config_context(enable_metadata_routing=True):
        scores = cross_validate(
            against,
            corpus.X,
            corpus.y,
            cv=LeaveOneGroupOut(),
            params={"groups": corpus.speakers, "speakers": corpus.speakers},
            return_estimator=True,
            error_score="raise",
        )
        routed = clone(against).fit(corpus.X, corpus.y, reference_y=np.tile(["s", "t"], 12))
    known = [set(fold[-1].references_[0].classes_) for fold in scores["estimator"]]
    assert known == [{"b", "c", "d"}, {"a", "c", "d"}, {"a", "b", "d"}, {"a", "b", "c"}]
    assert list(routed[-1].references_[0].classes_) == ["s", "t"]


def test_several_references_have_their_turns(crnn, reference, corpus):
    second = clone(crnn).set_params(random_state=3).fit(corpus.X[:12], corpus.y[:12])
    frozen = [FrozenEstimator(reference), FrozenEstimator(second)]
    single = AntiTransferClassifier(crnn, frozen[0], layers=2).fit(corpus.X, corpus.y)
    dual = AntiTransferClassifier(crnn, frozen, layers=2).fit(corpus.X, corpus.y)
    first, last = dual.networks_
    assert last is dual.network_
    assert same(state(first), state(single.network_)) == state(first).keys()
    assert dual.n_initialized_ == [0, 12]  # a weight and five of a normalisation, twice
    follow = AntiTransferClassifier(
        crnn, frozen[1], layers=2, initialize=FrozenEstimator(single.network_)
    ).fit(corpus.X, corpus.y)
    assert same(state(follow.network_), state(last)) == state(last).keys()
    other = AntiTransferClassifier(crnn, frozen[::-1], layers=2).fit(corpus.X, corpus.y)
    assert same(state(other.network_), state(last)) < state(last).keys()


def test_references_inside_other_estimators(crnn, reference, corpus):
    tuned = FineTuneClassifier(FrozenEstimator(reference), max_epochs=1).fit(corpus.X, corpus.y)
    against = AntiTransferClassifier(crnn, FrozenEstimator(tuned), leakage="ignore")
    against.fit(corpus.X, corpus.y)
    assert against.references_ == [tuned.network_]
    number = CRNNRegressor(n_conv_layers=2, n_filters=4, rnn_hidden_size=4, max_epochs=1)
    number.fit([x + 9 for x in corpus.X], np.arange(24.0))
    AntiTransferClassifier(crnn, FrozenEstimator(number)).fit(corpus.X, corpus.y)


def test_references_that_are_not_frozen_or_not_networks(crnn, reference, corpus):
    def fit(*args, **options):
        return AntiTransferClassifier(crnn, *args, **options).fit(corpus.X, corpus.y)

    with pytest.raises(TypeError, match=r"forget what it has learnt; pass FrozenEstimator\(CRNN"):
        fit(reference)
    with pytest.raises(TypeError, match="initialize is a fitted CRNNClassifier"):
        fit(FrozenEstimator(reference), initialize=reference)
    with pytest.raises(NotFittedError, match="without FrozenEstimator it would be fitted here"):
        fit(FrozenEstimator(crnn))
    pipeline = make_pipeline(FrameScaler(), crnn)
    with pytest.raises(TypeError, match="not a Pipeline: pass its last step"):
        fit(FrozenEstimator(pipeline.fit(corpus.X, corpus.y)))
    with pytest.raises(ValueError, match="has to know what to tell: pass fit"):
        fit(clone(crnn))
    with pytest.raises(ValueError, match="two speakers or more apart.*there is 'a'"):
        AntiTransferClassifier(crnn, clone(crnn)).fit(corpus.X, corpus.y, speakers=["a"] * 24)
    with pytest.raises(ValueError, match="a label for each of 24 utterances"):
        AntiTransferClassifier(crnn, clone(crnn)).fit(corpus.X, corpus.y, reference_y=["a", "b"])


# What was seen before.


@pytest.fixture
def leaky(crnn, corpus):
    """A network that was trained on all speakers; the train rows are those of three of them."""
    corpus.train = corpus.speakers != "d"
    return (
        clone(crnn)
        .set_params(max_epochs=1)
        .fit(corpus.X, corpus.speakers, speakers=corpus.speakers)
    )


def fit_on_train(against, corpus, *, X=None, speakers=True):
    X = corpus.X if X is None else X
    speakers = corpus.speakers[corpus.train] if speakers else None
    rows = np.flatnonzero(corpus.train)
    return against.fit([X[row] for row in rows], corpus.y[rows], speakers=speakers)


def test_a_reference_that_knows_test_speakers_is_flagged(crnn, leaky, corpus):
    crnn.set_params(max_epochs=1)
    against = AntiTransferClassifier(crnn, FrozenEstimator(leaky))
    with pytest.warns(LeakageWarning, match="trained on the speakers d and 6 utterances beside"):
        fit_on_train(against, corpus)
    scaled = [2 * x for x in corpus.X]
    with pytest.warns(LeakageWarning, match="trained on the speakers d beside"):
        fit_on_train(against, corpus, X=scaled)
    told = clone(crnn).fit(corpus.X, corpus.speakers)  # it was not told of speakers but by y
    with pytest.warns(LeakageWarning, match="trained on the speakers d beside"):
        fit_on_train(AntiTransferClassifier(crnn, FrozenEstimator(told)), corpus, X=scaled)
    with pytest.warns(LeakageWarning, match="trained on 6 utterances beside"):
        fit_on_train(against, corpus, speakers=False)
    with pytest.raises(ValueError, match="the speakers d"):
        fit_on_train(against.set_params(leakage="raise"), corpus)


def test_what_a_network_begins_with_is_flagged_too(crnn, leaky, reference, corpus):
    against = AntiTransferClassifier(
        crnn, FrozenEstimator(reference), initialize=FrozenEstimator(leaky), leakage="raise"
    )
    with pytest.raises(ValueError, match="the speakers d"):
        fit_on_train(against, corpus)


def test_predictions_of_what_the_reference_has_seen_are_flagged(crnn, leaky, corpus):
    crnn.set_params(max_epochs=1)
    test = [x for x, train in zip(corpus.X, corpus.train, strict=True) if not train]
    seen = clone(leaky).fit(test, corpus.y[~corpus.train])  # of the test utterances alone
    against = AntiTransferClassifier(crnn, FrozenEstimator(seen))
    with warnings.catch_warnings():
        warnings.simplefilter("error", LeakageWarning)
        fit_on_train(against, corpus)  # nothing in common
        against.predict([x for x, train in zip(corpus.X, corpus.train, strict=True) if train])
        against.predict([x + 1 for x in test])
    for method in (against.predict, against.predict_proba):
        with pytest.warns(LeakageWarning, match="trained on 6 of these 7 utterances"):
            method([*test, test[0] + 1])
    with pytest.raises(ValueError, match="6 of these 6"):
        against.set_params(leakage="raise").predict(test)
    with warnings.catch_warnings():
        warnings.simplefilter("error", LeakageWarning)
        against.set_params(leakage="ignore").predict(test)


def test_references_of_other_speech_are_not_flagged(crnn, reference, corpus):
    with warnings.catch_warnings():
        warnings.simplefilter("error", LeakageWarning)
        against = AntiTransferClassifier(crnn, FrozenEstimator(reference))
        against.fit(corpus.X, corpus.y, speakers=corpus.speakers).predict(corpus.X)
        AntiTransferClassifier(crnn, crnn).fit(
            corpus.X, corpus.y, speakers=corpus.speakers
        ).predict([x + 3 for x in corpus.X])


def test_a_network_remembers_what_it_was_trained_on(crnn, corpus):
    crnn.set_params(warm_start=True, max_epochs=1)
    crnn.fit(corpus.X[:12], corpus.y[:12], speakers=corpus.speakers[:12])
    assert (len(crnn._fit_rows), crnn._fit_speakers) == (12, ["a", "b"])
    crnn.fit(corpus.X[6:18], corpus.y[6:18], speakers=corpus.speakers[6:18])
    assert (len(crnn._fit_rows), crnn._fit_speakers) == (18, ["a", "b", "c"])
    crnn.set_params(warm_start=False).fit(corpus.X[:8], corpus.y[:8])
    assert (len(crnn._fit_rows), crnn._fit_speakers) == (8, [])
