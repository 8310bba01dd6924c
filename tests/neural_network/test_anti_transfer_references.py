"""References never change, are trained where they are not fitted, and know no test speaker."""

import warnings
from itertools import combinations

import numpy as np
import pytest
import torch
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut, cross_validate

import serkit
from serkit.feature_extraction import FrameScaler
from serkit.model_selection import SpeakerHoldout
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
    speakers = np.char.add("other-", corpus.speakers.astype(str))
    return clone(crnn).set_params(validation=None).fit(other, speakers, speakers=speakers)


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


@pytest.mark.parametrize("told", ["default", "explicit", "second column", "one label"])
def test_speakers_that_are_told_apart_are_not_held_out(crnn, corpus, told):
    """All epochs count, for validation utterances would be of labels never trained on."""
    crnn.set_params(max_epochs=4, lr=0.01, patience=1, validation=SpeakerHoldout(random_state=0))
    sentences = np.tile(["s1", "s2", "s3"], 8)
    reference_y = {
        "default": None,
        "explicit": corpus.speakers,
        "second column": np.column_stack([sentences, corpus.speakers]),
        "one label": np.where(corpus.speakers == "d", "s4", sentences),
    }[told]
    n_references = 2 if told == "second column" else 1
    against = AntiTransferClassifier(crnn, [crnn] * n_references, layers=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        against.fit(corpus.X, corpus.y, speakers=corpus.speakers, reference_y=reference_y)
    reference = against.references_[-1]
    assert reference.best_epoch_ == 3
    assert "valid_uar" not in reference.history_
    assert "valid_uar" in against.history_
    if n_references == 2:
        assert "valid_uar" in against.references_[0].history_


def test_speakers_are_told_apart_wherever_they_are_said(crnn, corpus, assert_equal_fits):
    default, explicit = (
        AntiTransferClassifier(crnn, crnn).fit(
            corpus.X, corpus.y, speakers=corpus.speakers, reference_y=reference_y
        )
        for reference_y in (None, corpus.speakers)
    )
    assert_equal_fits(default.references_[0], explicit.references_[0])


@pytest.mark.parametrize("seed", [0, np.random.RandomState(0)], ids=["int", "generator"])
def test_networks_begin_with_weights_of_their_own(crnn, corpus, seed):
    crnn.set_params(lr=1e-12, max_epochs=1, random_state=seed)
    against = AntiTransferClassifier(crnn, [crnn, crnn], beta=0.1)
    against.fit(corpus.X, corpus.y, speakers=corpus.speakers)
    networks = [*against.references_, against.networks_[0]]
    weights = [next(iter(network.net_.module_.parameters())) for network in networks]
    for one, other in combinations(weights, 2):
        assert not torch.isclose(one, other, atol=1e-6).any()


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
    search = GridSearchCV(clone(crnn), {"lr": [0.01]}, cv=[(range(12), range(12, 24))])
    search.fit([x + 5 for x in corpus.X], corpus.y)
    against = AntiTransferClassifier(crnn, FrozenEstimator(search)).fit(corpus.X, corpus.y)
    assert against.references_ == [search.best_estimator_]
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
    with pytest.raises(ValueError, match="reference_y is what an unfitted.*leave it out"):
        AntiTransferClassifier(crnn, FrozenEstimator(reference)).fit(
            corpus.X, corpus.y, reference_y=corpus.speakers
        )
    with pytest.raises(ValueError, match="a label for each of 24 utterances"):
        AntiTransferClassifier(crnn, clone(crnn)).fit(corpus.X, corpus.y, reference_y=["a", "b"])


def test_a_reference_that_nothing_needs_is_not_trained(crnn, corpus):
    crnn.set_params(max_epochs=1)
    against = AntiTransferClassifier(crnn, [crnn, crnn], beta=0)
    assert against.fit(corpus.X, corpus.y).references_ == [None, None]
    assert against.n_initialized_ == [0, 12]
    against.set_params(initialize="reference")
    against.fit(corpus.X, corpus.y, speakers=corpus.speakers)
    assert list(against.references_[0].classes_) == ["a", "b", "c", "d"]
    assert against.references_[1] is None


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


def test_a_reference_of_which_nothing_can_be_told_is_flagged(crnn, corpus):
    crnn.set_params(max_epochs=1)
    corpus.train = corpus.speakers != "d"
    sentences = np.tile(["s1", "s2"], 12)
    reference = FrozenEstimator(clone(crnn).fit([2 * x for x in corpus.X], sentences))
    against = AntiTransferClassifier(crnn, reference)
    with pytest.warns(LeakageWarning, match="cannot be told.*Fit it with speakers=") as caught:
        fit_on_train(against, corpus)
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error", LeakageWarning)
        fit_on_train(against, corpus, speakers=False)


def test_one_complaint_is_enough(crnn, leaky, corpus):
    crnn.set_params(max_epochs=1)
    frozen = FrozenEstimator(leaky)
    against = AntiTransferClassifier(crnn, [frozen, frozen], initialize=frozen)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit_on_train(against, corpus)
        against.predict(corpus.X[~corpus.train])
    caught = [warning for warning in caught if warning.category is LeakageWarning]
    assert [str(warning.message)[:27] for warning in caught] == 2 * ["the reference was trained o"]
    assert {warning.filename for warning in caught} == {__file__}


def test_what_a_network_has_learnt_through_a_reference_is_known(crnn, leaky, corpus, tmp_path):
    crnn.set_params(max_epochs=1)
    first = AntiTransferClassifier(crnn, FrozenEstimator(leaky), leakage="ignore")
    fit_on_train(first, corpus)
    serkit.save(first.network_, tmp_path / "network.safetensors")
    loaded = serkit.load(tmp_path / "network.safetensors")
    second = AntiTransferClassifier(crnn, crnn, initialize=FrozenEstimator(loaded))
    with pytest.warns(LeakageWarning, match="trained on the speakers d and 6 utterances beside"):
        fit_on_train(second, corpus)
    with pytest.warns(LeakageWarning, match="6 of these 6"):
        second.predict(corpus.X[~corpus.train])
    first.network_.fit(corpus.X[:18], corpus.y[:18], speakers=corpus.speakers[:18])
    against = AntiTransferClassifier(crnn, FrozenEstimator(first.network_), leakage="raise")
    fit_on_train(against, corpus)  # it was fitted anew


def test_what_a_reference_knows_of_other_speech_is_not_flagged(crnn, reference, corpus):
    crnn.set_params(max_epochs=1)
    corpus.train = corpus.speakers != "d"
    first = AntiTransferClassifier(crnn, FrozenEstimator(reference), leakage="raise")
    second = AntiTransferClassifier(crnn, crnn, leakage="raise")
    for speakers in (False, True):
        fit_on_train(first, corpus, speakers=speakers)
        second.reference = FrozenEstimator(first)
        fit_on_train(second, corpus, speakers=speakers)


def test_what_a_network_begins_with_is_flagged_too(crnn, leaky, reference, corpus):
    against = AntiTransferClassifier(
        crnn, FrozenEstimator(reference), initialize=FrozenEstimator(leaky), leakage="raise"
    )
    with pytest.raises(ValueError, match="the speakers d"):
        fit_on_train(against, corpus)


def test_predictions_of_what_the_reference_has_seen_are_flagged(crnn, leaky, corpus):
    crnn.set_params(max_epochs=1)
    test = [x for x, train in zip(corpus.X, corpus.train, strict=True) if not train]
    seen = clone(leaky).set_params(validation=None)  # of the test utterances alone
    seen.fit(test, corpus.y[~corpus.train], speakers=corpus.speakers[~corpus.train])
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
