"""Only what is freed changes, the source never does, and everything around it follows."""

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from serkit.feature_extraction import FrameScaler
from serkit.neural_network import (
    ACRNNClassifier,
    CRNNClassifier,
    FineTuneClassifier,
    GLAMClassifier,
    MLPClassifier,
)
from serkit.pipeline import make_pipeline

#: The parts of CRNNClassifier in the order of its stages.
PREFIXES = {
    "block1": "encoder.blocks",
    "recurrence": "encoder.recurrence",
    "projection": "encoder.projection",
    "head": "head",
}


class Scaled(torch.nn.Sequential):
    """Layers, and a weight beside them."""

    def __init__(self, *layers):
        super().__init__(*layers)
        self.scale = torch.nn.Parameter(torch.ones(()))


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


# What is trained.


@pytest.mark.parametrize(
    ("unfreeze", "freed"),
    [
        (1, ["head"]),
        (2, ["projection", "head"]),
        (3, ["recurrence", "projection", "head"]),
        (4, list(PREFIXES)),
        ("all", list(PREFIXES)),
        ("projection", ["projection"]),
        (["block1", "head"], ["block1", "head"]),
    ],
)
def test_freed_weights_change_and_frozen_ones_do_not(source, target, unfreeze, freed):
    """Batch statistics are among them: bit by bit the same, or changed."""
    before = state(source)
    tuned = tune(source, unfreeze=unfreeze).fit(target.X, target.y)
    prefixes = tuple(PREFIXES[stage] for stage in freed)
    expected = {name for name in before if name.startswith(prefixes)}
    assert changed(before, state(tuned.network_)) == expected
    assert any("running_mean" in name for name in before)


def tensors_of(network, stages):
    """Return the names of the weights and batch statistics of some stages."""
    module = network.net_.module_
    names = {value.data_ptr(): name for name, value in module.state_dict().items()}
    parts = [module.stages[stage].state_dict().values() for stage in stages]
    return {names[value.data_ptr()] for values in parts for value in values}


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize(
    ("network", "stages"),
    [
        (
            ACRNNClassifier(
                n_conv_layers=2, conv_channels=(2, 4), linear_size=8, lstm_hidden_size=4, fc_size=4
            ),
            ["head", "fc", "recurrence"],
        ),
        (GLAMClassifier(n_blocks=2, n_filters=2), ["head", "global_aware", "convolution2"]),
    ],
    ids=["ACRNN", "GLAM"],
)
def test_the_last_stages_of_the_networks_of_the_paper(network, stages, k):
    X = np.random.default_rng(0).normal(size=(12, 3, 8, 12))
    y = ["anger", "joy", "fear"] * 4
    network = clone(network).set_params(max_epochs=1, random_state=0).fit(X, y)
    before = state(network)
    tuned = tune(network, unfreeze=k, max_epochs=3).fit(X, y)
    freed = tensors_of(network, stages[:k])
    assert changed(before, state(tuned.network_)) == freed
    assert freed < set(before)


@pytest.mark.parametrize(
    ("network", "shape", "n_weights"),
    [
        (ACRNNClassifier(), (3, 40, 4), [260, 16_836, 936_644]),
        (GLAMClassifier(), (1, 26, 63), [99_844, 346_651, 756_635]),
    ],
    ids=["ACRNN", "GLAM"],
)
def test_number_of_weights_that_are_trained_at_full_width(network, shape, n_weights):
    X = np.random.default_rng(0).normal(size=(4, *shape))
    network = clone(network).set_params(max_epochs=1).fit(X, ["anger", "fear", "joy", "calm"])
    table = tune(network).stage_table()
    assert table["weights"].cumsum().tolist()[:3] == n_weights


def test_a_part_of_a_stage_is_trained(source, target):
    before = state(source)
    tuned = tune(source, unfreeze="block1.convolution").fit(target.X, target.y)
    names = changed(before, state(tuned.network_))
    assert names == {"encoder.blocks.0.convolution.weight"}


def test_a_part_with_weights_of_its_own_is_freed_as_a_whole(corpus, tiny):
    crnn = CRNNClassifier(**tiny).fit(corpus.X, corpus.y)
    crnn.net_.module_.head = Scaled(*crnn.net_.module_.head.children())
    with pytest.raises(ValueError, match="'head' has weights of its own"):
        tune(crnn, unfreeze="head.0").fit(corpus.X, corpus.y)


def test_the_source_stays_as_it_is(source, target):
    before, history = state(source), source.history_.copy()
    parameters = source.get_params()
    tune(source, unfreeze="all").fit(target.X, target.y)
    tune(source, unfreeze=0).fit(target.X, target.y)
    tune(source).fit(target.X, np.where(target.y == "joy", "fear", target.y))
    assert changed(before, state(source)) == set()
    assert source.history_.equals(history)
    assert source.get_params() == parameters
    assert not hasattr(source, "frozen_stages_")


def test_every_fit_begins_from_the_source(source, target, assert_equal_fits):
    tuned = tune(source, unfreeze="all").fit(target.X, target.y)
    first = tuned.network_
    assert_equal_fits(first, tuned.fit(target.X, target.y).network_)


def test_settings_are_those_of_the_tuning_and_else_of_the_source(corpus, tiny):
    source = CRNNClassifier(**tiny, optimizer="sgd").fit(corpus.X, corpus.y)
    tuned = tune(source, lr=0.02, max_epochs=3, patience=None).fit(corpus.X, corpus.y)
    assert tuned.history_["epoch"].tolist() == [0, 1, 2]
    assert tuned.history_["lr"].tolist() == [0.02] * 3
    assert (tuned.network_.optimizer, tuned.network_.batch_size) == ("sgd", tiny["batch_size"])


def test_epochs_are_chosen_on_speakers_that_are_not_trained_on(source, target):
    seen = []

    class First:
        def split(self, X, y=None, groups=None):
            seen.append(groups)
            yield np.flatnonzero(groups != "b"), np.flatnonzero(groups == "b")

    tuned = tune(source, validation=First()).fit(target.X, target.y, speakers=target.speakers)
    assert seen[0].tolist() == target.speakers.tolist()
    assert tuned.history_["best"].any()


def test_tuning_can_go_on_in_steps(source, target):
    head = tune(source, unfreeze=1).fit(target.X, target.y)
    before = state(head.network_)
    both = tune(head, unfreeze=2).fit(target.X, target.y)
    names = changed(before, state(both.network_))
    assert {name.split(".")[0] for name in names} == {"encoder", "head"}
    assert not any(name.startswith(("encoder.blocks", "encoder.recurrence")) for name in names)


def test_stage_table_counts_from_the_output(source):
    table = tune(source).stage_table()
    assert table.index.tolist() == ["head", "projection", "recurrence", "block1"]
    assert table["unfreeze"].tolist() == [1, 2, 3, 4]
    n_weights = sum(weights.numel() for weights in source.net_.module_.parameters())
    assert table["weights"].sum() == n_weights


# Nothing is trained.


def test_zero_is_zero_shot(source, target):
    tuned = tune(source, unfreeze=0).fit(target.X, target.y)
    np.testing.assert_array_equal(tuned.predict_proba(target.X), source.predict_proba(target.X))
    assert len(tuned.history_) == 0


def test_zero_shot_sees_no_statistics_of_the_target(corpus, tiny):
    pipeline = make_pipeline(FrameScaler(), CRNNClassifier(**tiny)).fit(corpus.X, corpus.y)
    expected = pipeline.predict_proba(corpus.X)
    other = np.array([5 * x - 3 for x in corpus.X] + [None], dtype=object)[:-1]
    tuned = tune(pipeline, unfreeze=0, statistics="target").fit(other, corpus.y)
    np.testing.assert_array_equal(tuned.predict_proba(corpus.X), expected)


# The head.


def test_unknown_classes_get_a_new_head(source, target):
    before = state(source)
    y = np.array(["anger", "fear", "joy"])[np.arange(24) % 3]
    tuned = tune(source, unfreeze="projection").fit(target.X, y)
    after = state(tuned.network_)
    assert tuned.classes_.tolist() == tuned.estimator_.classes_.tolist() == ["anger", "fear", "joy"]
    assert tuned.predict_proba(target.X).shape == (24, 3)
    others = {name for name in before if not name.startswith("head")}
    assert all(
        torch.equal(before[name], after[name]) != name.startswith("encoder.projection")
        for name in others
    )


def test_known_classes_keep_the_head_and_all_its_classes(source, target):
    y = np.array(["anger", "fear", "joy"])[np.arange(24) % 3]
    three = tune(source).fit(target.X, y)
    two = tune(three, unfreeze="recurrence", lr=1e-30).fit(target.X, target.y)
    assert two.classes_.tolist() == ["anger", "fear", "joy"]
    np.testing.assert_allclose(
        two.predict_proba(target.X), three.predict_proba(target.X), atol=1e-6
    )


def test_a_new_head_for_the_same_classes(source, target):
    options = {"lr": 1e-30, "max_epochs": 1}
    old = tune(source, **options).fit(target.X, target.y)
    new = tune(source, new_head=True, **options).fit(target.X, target.y)
    names = changed(state(old.network_), state(new.network_))
    assert names
    assert all(name.startswith("head") for name in names)


@pytest.mark.parametrize(
    ("options", "y", "message"),
    [
        ({"new_head": False}, ["anger", "fear"], r"does not know the classes \['fear'\], only"),
        ({"unfreeze": 0}, ["anger", "fear"], r"classes \['fear'\], but with unfreeze=0"),
        ({"unfreeze": 0, "new_head": True}, ["anger", "joy"], "new_head=True, but with unfreeze=0"),
        ({"unfreeze": 5}, ["anger", "joy"], "only 4 stages have weights: .*'head', 'projection'"),
        ({"unfreeze": ["block7"]}, ["anger", "joy"], "no stage 'block7'.*'block1', 'recurrence'"),
        (
            {"unfreeze": []},
            ["anger", "joy"],
            r"nothing; .* weights .* \['head', 'projection'",
        ),
        (
            {"unfreeze": "block1.pooling"},
            ["anger", "joy"],
            "pooling' without weights; .*'head'",
        ),
        ({"unfreeze": ["head", "block1.pooling"]}, ["anger", "joy"], "'block1.pooling' without"),
        ({}, ["joy", "joy"], "1 class, 'joy'"),
        ({}, [1, 2], None),
    ],
)
def test_labels_and_stages_are_checked(source, target, options, y, message):
    classifier, y = tune(source, **options), np.array(y * 12)
    if message is None:
        assert classifier.fit(target.X, y).classes_.tolist() == [1, 2]
    else:
        with pytest.raises(ValueError, match=message):
            classifier.fit(target.X, y)


def test_stages_in_a_list_are_names(source, target):
    with pytest.raises(TypeError, match=r"names of stages, got \[1, 2\]"):
        tune(source, unfreeze=[1, 2]).fit(target.X, target.y)


def test_class_weights_for_other_classes_are_refused(corpus, tiny):
    weights = {"anger": 1.0, "joy": 2.0}
    source = MLPClassifier((4,), max_epochs=1, class_weight=weights, random_state=0)
    X, y = np.eye(24), np.where(corpus.y == "joy", "fear", corpus.y)
    source.fit(X, corpus.y)
    assert tune(source).fit(X, corpus.y).network_.class_weight == weights
    with pytest.raises(ValueError, match=r"class_weight=.* than \['anger', 'fear'\].*balanced"):
        tune(source).fit(X, y)
    assert tune(source.set_params(class_weight="balanced")).fit(X, y).classes_[1] == "fear"


# What is given.


@pytest.mark.parametrize(
    ("estimator", "error", "message"),
    [
        (LogisticRegression(), TypeError, "needs a fitted estimator in FrozenEstimator"),
        (FrozenEstimator(CRNNClassifier()), NotFittedError, "CRNNClassifier in Frozen.* not fit"),
        (
            FrozenEstimator(LogisticRegression().fit([[0.0], [1.0]], [0, 1])),
            TypeError,
            "no network to tune in LogisticRegression",
        ),
    ],
    ids=["bare", "not fitted", "no network"],
)
def test_what_cannot_be_tuned_is_refused(corpus, estimator, error, message):
    with pytest.raises(error, match=message):
        FineTuneClassifier(estimator).fit(corpus.X, corpus.y)


def test_a_bare_fitted_network_is_refused(source, target):
    with pytest.raises(TypeError, match="FrozenEstimator"):
        FineTuneClassifier(source).fit(target.X, target.y)


def test_before_fit_there_is_nothing_to_predict_with(source, target):
    for method in ("predict", "predict_proba"):
        with pytest.raises(NotFittedError):
            getattr(tune(source), method)(target.X)


def test_clone_and_pickle_keep_what_was_learnt(source, target):
    tuned = tune(source, unfreeze=2).fit(target.X, target.y)
    expected = tuned.predict_proba(target.X)
    copied = pickle.loads(pickle.dumps(tuned))
    np.testing.assert_array_equal(copied.predict_proba(target.X), expected)
    assert copied.network_ is copied.estimator_
    again = clone(tuned)
    assert again.estimator.estimator is source
    assert not hasattr(again, "estimator_")
    np.testing.assert_array_equal(again.fit(target.X, target.y).predict_proba(target.X), expected)


def test_columns_are_compared(functionals):
    mlp = MLPClassifier((4,), max_epochs=1).fit(functionals.X, functionals.y)
    tuned = tune(mlp).fit(functionals.X, functionals.y)
    assert tuned.n_features_in_ == 5
    with pytest.raises(ValueError, match="4 features.*expecting 5"):
        tuned.predict(functionals.X[:, :4])
    with pytest.raises(ValueError, match="4 features.*expecting 5"):
        tune(mlp).fit(functionals.X[:, :4], functionals.y)
