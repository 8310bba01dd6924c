"""What must count in training and scores, and what must not: weights, padding, validation rows."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import recall_score
from sklearn.model_selection import StratifiedKFold
from torch import nn

import serkit
from serkit.modules import UtteranceNetwork
from serkit.neural_network import (
    CRNNClassifier,
    CRNNRegressor,
    DomainAdversarialClassifier,
    MLPClassifier,
    NeuralClassifier,
)

SMALL = {
    "n_filters": 4,
    "rnn_hidden_size": 4,
    "hidden_layer_sizes": (8,),
    "random_state": 0,
    "max_epochs": 2,
}


class Rows:
    """A splitter that validates on given rows."""

    def __init__(self, valid):
        self.valid = valid

    def split(self, X, y=None, groups=None):
        yield np.setdiff1d(np.arange(len(X)), self.valid), np.asarray(self.valid)


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(1, 3, n)).astype(np.float32) for n in rng.integers(12, 20, 24)]
    y = np.arange(24) % 2
    speakers = np.array([f"s{i % 4}" for i in range(24)], dtype=object)
    return X, y, speakers


def test_validation_loss_is_the_weighted_mean(data):
    X, y, _ = data
    valid = np.arange(10)
    weight = np.linspace(0, 5, 24)
    weight[:3] = 0
    network = CRNNRegressor(**SMALL | {"max_epochs": 1}, batch_size=4, validation=Rows(valid))
    network.fit(X, y.astype(float), sample_weight=weight)
    error = (network.predict(X[:10]) - y[:10]) ** 2 / network._target_scale**2
    expected = np.average(error, weights=weight[:10])
    assert network.history_.valid_loss[0] == pytest.approx(expected, rel=1e-4)


def test_rows_of_no_weight_do_not_choose_the_epoch(data):
    X, y, _ = data
    valid = np.arange(12)
    y, weight = y.copy(), np.ones(24)
    weight[:6], y[:6] = 0, 1 - y[:6]
    network = CRNNClassifier(**SMALL | {"max_epochs": 1}, validation=Rows(valid))
    network.fit(X, y, sample_weight=weight)
    expected = recall_score(y[6:12], network.predict(X[6:12]), average="macro")
    assert network.history_.valid_uar[0] == pytest.approx(expected)


def test_padding_that_augment_changes_does_not_matter(data):
    X, y, _ = data

    def keep(x, lengths, generator):
        return x

    def fill_padding(x, lengths, generator):
        padded = torch.arange(x.shape[-1]) >= lengths[:, None]
        return torch.where(padded[:, None, None], 9.0, x)

    kept = CRNNClassifier(**SMALL, augment=keep).fit(X, y)
    filled = CRNNClassifier(**SMALL, augment=fill_padding).fit(X, y)
    np.testing.assert_array_equal(kept.predict_proba(X), filled.predict_proba(X))


def test_validation_across_speakers_is_warned_of(data):
    X, y, speakers = data
    network = CRNNClassifier(**SMALL, validation=StratifiedKFold(3))
    with pytest.warns(UserWarning, match="4 speakers who are trained on"):
        network.fit(X, y, speakers=speakers)


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_a_missing_speaker_is_no_speaker(data, missing):
    X, y, speakers = data
    speakers[5] = missing
    network = DomainAdversarialClassifier(gamma=2.5, **SMALL, validation=None)
    network.fit(X, y, speakers=pd.Series(speakers))
    assert list(network.speakers_) == ["s0", "s1", "s2", "s3"]


class Average(nn.Module):
    """Takes utterances of one length only."""

    def forward(self, x):
        return x.mean(dim=(1, 3))


class FixedLength(NeuralClassifier):
    def _make_module(self, n_channels, n_bins, n_outputs):
        return UtteranceNetwork(Average(), nn.Linear(n_bins, n_outputs))


def test_the_fixed_length_is_that_of_training_rows(data):
    X, y, _ = data
    X[0] = np.zeros((1, 3, 99), np.float32)
    network = FixedLength(max_epochs=1, validation=Rows(np.arange(6)))
    with pytest.warns(UserWarning, match="was cut"):
        network.fit(X, y)
    assert network.n_frames_ == max(x.shape[-1] for x in X[6:])


@pytest.mark.parametrize("change", [{"activation": "tanh"}, {"hidden_layer_sizes": (9,)}])
def test_changed_parameters_are_not_saved_beside_old_weights(tmp_path, change):
    X = np.random.default_rng(0).normal(size=(12, 3))
    network = MLPClassifier((8,), max_epochs=1).fit(X, np.arange(12) % 2)
    network.set_params(**change)
    with pytest.raises(ValueError, match="another network than the one that was fitted"):
        serkit.save(network, tmp_path / "network.safetensors")


def test_sizes_may_be_integers_of_numpy(data):
    X, y, _ = data
    sizes = {"n_filters": np.int64(4), "rnn_hidden_size": np.int64(4), "kernel_size": np.int64(3)}
    assert CRNNClassifier(**SMALL | sizes).fit(X, y).predict(X).shape == (24,)


@pytest.mark.parametrize("size", [(2,), (2, 0), ("2", "1")])
def test_sizes_that_are_none_are_refused(data, size):
    X, y, _ = data
    with pytest.raises(ValueError, match="positive integer or two"):
        CRNNClassifier(**SMALL, pool_size=size).fit(X, y)


def test_a_large_pool_is_quick(data):
    X, y, _ = data
    network = CRNNClassifier(2, **SMALL | {"max_epochs": 1}, pool_size=(1, 16)).fit(X[:4], y[:4])
    assert network.net_.module_.min_shape == (1, 495)


def test_what_the_encoder_had_frozen_stays_frozen(data):
    X, y, _ = data
    encoder = nn.Sequential(nn.Flatten(2), nn.AdaptiveAvgPool1d(8), nn.Flatten(), nn.Linear(8, 8))
    encoder[3].requires_grad_(False)
    network = DomainAdversarialClassifier(encoder, gamma=None, max_epochs=1, warm_start=True)
    X = np.stack([x[..., :12] for x in X])
    network.fit(X, y).freeze("head").freeze([]).fit(X, y)
    assert torch.equal(network.net_.module_.encoder[3].weight.cpu(), encoder[3].weight)
    assert all(weights.requires_grad for weights in network.net_.module_.head.parameters())


def test_freezing_everything_is_refused(data):
    X, y, _ = data
    network = CRNNClassifier(**SMALL).fit(X, y)
    with pytest.raises(ValueError, match="nothing would be left"):
        network.freeze(network.stages_)


def test_patience_without_validation_is_warned_of(data):
    X, y, _ = data
    with pytest.warns(UserWarning, match="patience=1 has no effect"):
        CRNNClassifier(**SMALL, patience=1).fit(X, y)


@pytest.mark.parametrize("n_rows", [5, 9])
def test_small_batches_of_odd_rows_train(data, n_rows):
    X, y, _ = data
    CRNNClassifier(**SMALL, batch_size=2).fit(X[:n_rows], y[:n_rows])


def test_the_optimizer_is_not_kept(data):
    X, y, _ = data
    assert CRNNClassifier(**SMALL).fit(X, y).net_.optimizer_ is None
