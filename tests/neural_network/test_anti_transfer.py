"""What a network is trained away from, from where it begins, and what is around it."""

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut

import serkit
from serkit.modules import FeatureTap
from serkit.neural_network import (
    AntiTransferClassifier,
    CRNNClassifier,
    DomainAdversarialClassifier,
    LDNNClassifier,
    MultiTimeScaleClassifier,
    QuaternionCNNClassifier,
)
from serkit.training import Mixup


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


def maps(network, layer, X):
    """Return what a convolution of a fitted network makes of the first utterance."""
    with torch.no_grad():
        tap = FeatureTap(network.net_.module_.eval(), layer)
        return tap.collect(torch.from_numpy(X[0])[None])[layer].values


# Training.


def test_the_likeness_is_minimised(crnn, reference, corpus):
    crnn.set_params(max_epochs=6, lr=0.01, conv_dropout=0.0, validation=None)
    losses = {}
    for beta in (1.0, -1.0):
        against = AntiTransferClassifier(crnn, FrozenEstimator(reference), layers=2, beta=beta)
        losses[beta] = against.fit(corpus.X, corpus.y).history_["train_at_loss"].to_numpy()
    np.testing.assert_allclose(losses[1.0][0], -losses[-1.0][0], atol=0.2)
    assert losses[1.0][-1] < losses[1.0][0]
    assert losses[-1.0][-1] < losses[-1.0][0]
    assert losses[1.0][-1] < -losses[-1.0][-1] - 0.1


def test_what_is_trained_is_an_ordinary_network(crnn, reference, corpus, tmp_path):
    against = AntiTransferClassifier(crnn, FrozenEstimator(reference), layers=[1, "block2"])
    against.fit(corpus.X, corpus.y, speakers=corpus.speakers)
    assert {"train_at_loss_1", "train_at_loss_block2", "valid_at_loss"} < set(against.history_)
    assert against.n_initialized_ == [0]
    np.testing.assert_array_equal(
        against.predict_proba(corpus.X), against.network_.predict_proba(corpus.X)
    )
    assert set(against.predict(corpus.X)) <= {"anger", "joy"}
    parts = dict(against.network_.net_.criterion_.named_modules())
    assert [type(part).__name__ for part in parts.values()] == ["ClassificationObjective"]
    plain = clone(crnn).fit(corpus.X, corpus.y, speakers=corpus.speakers)
    assert len(pickle.dumps(against.network_)) < 1.1 * len(pickle.dumps(plain))
    serkit.save(against.network_, tmp_path / "network.safetensors")
    loaded = serkit.load(tmp_path / "network.safetensors")
    np.testing.assert_array_equal(loaded.predict(corpus.X), against.predict(corpus.X))
    restored = pickle.loads(pickle.dumps(against))
    np.testing.assert_array_equal(restored.predict(corpus.X), against.predict(corpus.X))


def test_same_seed_same_network(crnn, reference, corpus, assert_equal_fits):
    fits = [
        AntiTransferClassifier(crnn, given).fit(corpus.X, corpus.y, speakers=corpus.speakers)
        for given in (FrozenEstimator(reference), FrozenEstimator(reference), crnn, crnn)
    ]
    assert_equal_fits(fits[0].network_, fits[1].network_)
    assert_equal_fits(fits[2].network_, fits[3].network_)
    assert_equal_fits(fits[2].references_[0], fits[3].references_[0])


@pytest.mark.parametrize("layers", [1, ["block1", 2]], ids=str)
def test_kept_matrices_change_nothing(crnn, reference, corpus, layers):
    fits = [
        AntiTransferClassifier(
            crnn, FrozenEstimator(reference), layers=layers, cache_grams=cache_grams
        ).fit(corpus.X, corpus.y, speakers=corpus.speakers)
        for cache_grams in (True, False)
    ]
    for one, other in zip(*(state(fit.network_).values() for fit in fits), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(*(fit.history_["valid_at_loss"] for fit in fits), rtol=1e-4)


def louder(x, lengths, generator):
    return 2 * x


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"augment": louder}, "augment changes"),
        ({"callbacks": [Mixup()]}, "Mixup, changes the batches"),
        ({"callbacks": [("mix", Mixup())]}, "Mixup, changes the batches"),
        ({}, 'aggregation="gram" and gram="sample"'),
    ],
)
def test_matrices_are_not_kept_where_they_would_be_wrong(crnn, reference, corpus, options, message):
    crnn.set_params(**options)
    aggregation = "gram" if options else "max"
    against = AntiTransferClassifier(crnn, FrozenEstimator(reference), aggregation=aggregation)
    against.fit(corpus.X, corpus.y)
    assert np.isfinite(against.history_["train_at_loss"]).all()
    with pytest.raises(ValueError, match=message):
        against.set_params(cache_grams=True).fit(corpus.X, corpus.y)


@pytest.mark.parametrize("similarity", ["squared_cosine", "sigmoid_mse"])
@pytest.mark.parametrize("gram", ["sample", "batch_rowwise"])
def test_other_ways_to_compare(crnn, reference, corpus, similarity, gram):
    crnn.set_params(max_epochs=1)
    against = AntiTransferClassifier(
        crnn, FrozenEstimator(reference), similarity=similarity, gram=gram, position="convolution"
    ).fit(corpus.X, corpus.y)
    (loss,) = against.history_["train_at_loss"]
    assert 0 < abs(loss) <= 1


def test_domain_adversarial_networks(reference, corpus, tiny):
    dat = DomainAdversarialClassifier(n_conv_layers=2, gamma=2.0, **tiny)
    against = AntiTransferClassifier(dat, FrozenEstimator(reference), layers=2)
    against.fit(corpus.X, corpus.y, speakers=corpus.speakers)
    assert {"train_at_loss", "valid_at_loss", "speaker_loss"} < set(against.history_)


def test_networks_of_fixed_length(corpus):
    network = MultiTimeScaleClassifier(
        "A3", n_filters=(2, 3), kernel_size=2, hidden_layer_sizes=(4,), patience=None,
        max_epochs=2, random_state=0,
    )  # fmt: skip
    against = AntiTransferClassifier(network, network, layers=2)
    against.fit(corpus.X, corpus.y, speakers=corpus.speakers)
    assert against.layer_table()["n_channels"].tolist() == [2, 3]
    assert against.history_["valid_at_loss"].between(0, 1).all()


def test_quaternion_networks(corpus):
    network = QuaternionCNNClassifier(
        "alexnet", width=1 / 8, adaptive_pool=1, patience=None, max_epochs=1, random_state=0
    )
    against = AntiTransferClassifier(network, network, layers=[1, 5])
    against.fit([x[:, :, :8] for x in corpus.X], corpus.y, speakers=corpus.speakers)
    table = against.layer_table()
    assert len(table) == 5
    assert (table["n_channels"] % 4 == 0).all()  # of real channels, all alike
    assert against.history_["train_at_loss"].between(0, 2).all()


# What to compare with.


def test_a_network_begins_with_the_features_of_another(crnn, reference, corpus):
    crnn.set_params(lr=1e-12, max_epochs=1)
    begun = AntiTransferClassifier(
        crnn, FrozenEstimator(reference), beta=0, initialize="reference", freeze=True, layers=2
    ).fit(corpus.X, corpus.y)
    assert begun.n_initialized_ == [12]
    assert "train_at_loss" not in begun.history_
    for layer in (1, 2):
        torch.testing.assert_close(
            maps(begun.network_, layer, corpus.X), maps(reference, layer, corpus.X)
        )


@pytest.mark.parametrize(("layers", "kept"), [(1, ["blocks.0"]), (2, ["blocks.0", "blocks.1"])])
def test_freezing_keeps_the_stages_as_far_as_the_layer(crnn, reference, corpus, layers, kept):
    crnn.set_params(lr=0.1)
    options = {"beta": 0, "initialize": "reference", "layers": layers}
    frozen, free = (
        AntiTransferClassifier(crnn, FrozenEstimator(reference), freeze=freeze, **options).fit(
            corpus.X, corpus.y
        )
        for freeze in (True, False)
    )
    expected = {
        name for name in state(reference) if any(f"encoder.{part}." in name for part in kept)
    }
    assert {
        name for name in same(state(reference), state(frozen.network_)) if "block" in name
    } == expected
    free_blocks = {name for name in same(state(reference), state(free.network_)) if "block" in name}
    assert free_blocks == set()
    assert frozen.network_.frozen_stages_ == tuple(f"block{n + 1}" for n in range(layers))


def test_a_structure_that_does_not_fit_is_refused(crnn, reference, corpus):
    crnn.set_params(n_filters=3)
    against = AntiTransferClassifier(crnn, FrozenEstimator(reference), layers=2)
    message = r"layer 2 the network has .* shape \(3, 1, 2\).*and the reference .* \(4, 1, 2\)"
    with pytest.raises(ValueError, match=message):
        against.fit(corpus.X, corpus.y)
    against.set_params(initialize="reference", beta=0)
    with pytest.raises(ValueError, match="stage 'block1' does not fit.*size mismatch"):
        against.fit(corpus.X, corpus.y)
    ldnn = LDNNClassifier(lstm_hidden_size=2, hidden_layer_sizes=(2,), patience=None)
    against.set_params(estimator=ldnn, layers="recurrence")
    with pytest.raises(ValueError, match="'context' does not fit: that has the stages .'block1'"):
        against.fit(corpus.X, corpus.y)
    with pytest.raises(ValueError, match="1 channels and 3 bins, and the reference .* 4 bins"):
        against.set_params(estimator=crnn, layers=1).fit([x[:, :3] for x in corpus.X], corpus.y)


# Around it.


def test_search_over_layers_and_beta(crnn, reference, corpus):
    crnn.set_params(max_epochs=1)
    grid = {"layers": [1, 2], "beta": [0.0, 1.0], "estimator__lr": [1e-3]}
    against = AntiTransferClassifier(crnn, FrozenEstimator(reference))
    search = GridSearchCV(against, grid, cv=LeaveOneGroupOut(), error_score="raise")
    search.fit(corpus.X, corpus.y, groups=corpus.speakers)
    assert len(search.cv_results_["params"]) == 4
    assert search.best_estimator_.reference.estimator is reference


def test_layers_are_listed(crnn, reference, corpus):
    against = AntiTransferClassifier(crnn, FrozenEstimator(reference))
    table = against.layer_table()
    assert table.index.tolist() == [1, 2]
    assert table["activation"].tolist() == ["block1.activation", "block2.activation"]
    assert table["convolution"].tolist() == ["block1.convolution", "block2.convolution"]
    assert table["n_bins"].tolist() == [2, 1]
    assert against.set_params(position="convolution").layer_table()["n_bins"].tolist() == [5, 3]
    against.set_params(estimator=crnn.set_params(n_conv_layers=1), layers=1)
    assert len(against.fit(corpus.X, corpus.y).layer_table()) == 1
    with pytest.raises(NotFittedError, match="once the network or a reference is fitted"):
        AntiTransferClassifier(crnn, crnn).layer_table()


def test_activations_that_convolutions_share_are_listed(corpus):
    network = QuaternionCNNClassifier(
        "resnet50", width=1 / 16, patience=None, validation=None, max_epochs=1, random_state=0
    ).fit(corpus.X[:4], corpus.y[:4])
    table = AntiTransferClassifier(network, FrozenEstimator(network)).layer_table()
    before_a_shortcut = table["convolution"].shift(-1).str.contains("shortcut", na=False)
    assert before_a_shortcut.sum() == 4
    np.testing.assert_array_equal(table["activation"].isna(), before_a_shortcut)


def test_a_fit_that_fails_changes_nothing(crnn, reference, corpus):
    crnn.set_params(max_epochs=1)
    against = AntiTransferClassifier(crnn, FrozenEstimator(reference)).fit(corpus.X, corpus.y)
    before = vars(against).copy()
    with pytest.raises(ValueError, match="no convolution 9"):
        against.set_params(layers=9).fit(corpus.X, corpus.y)
    assert vars(against) == {**before, "layers": 9}


def test_as_much_is_shown_as_is_asked_for(crnn, corpus, capsys):
    against = AntiTransferClassifier(crnn, crnn, verbose=2)
    against.fit(corpus.X, corpus.y, speakers=corpus.speakers)
    assert capsys.readouterr().out.count("epoch 2") == 2  # of the reference and of the network


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"layers": 3}, ValueError, "no convolution 3; the convolutions are 1 to 2"),
        ({"layers": 3, "beta": 0}, ValueError, "no convolution 3"),
        ({"layers": "blok"}, ValueError, "no layer 'blok'"),
        ({"layers": []}, TypeError, "layers holds numbers of convolutions or names"),
        ({"layers": [1.5]}, TypeError, "layers holds numbers of convolutions or names"),
        ({"position": "input"}, ValueError, "no weight that is trained.*layer 1"),
        ({"freeze": True, "beta": 0}, ValueError, "freeze=True .* needs initialize"),
        ({"freeze": True, "initialize": "reference"}, ValueError, "needs initialize, and beta=0"),
        (
            {"freeze": True, "initialize": "reference", "beta": 0, "layers": "head"},
            ValueError,
            "freezes all stages",
        ),
        ({"estimator": LogisticRegression()}, TypeError, "trains a NeuralClassifier of serkit"),
        ({"reference": LogisticRegression()}, TypeError, "unfitted NeuralClassifier, not Logis"),
        ({"reference": []}, ValueError, "empty list"),
    ],
)
def test_clear_errors(crnn, reference, corpus, options, error, message):
    against = AntiTransferClassifier(crnn, FrozenEstimator(reference)).set_params(**options)
    with pytest.raises(error, match=message):
        against.fit(corpus.X, corpus.y)
