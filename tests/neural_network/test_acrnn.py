import numpy as np
import pytest
import torch
from sklearn.exceptions import NotFittedError

import serkit
from serkit.neural_network import ACRNNClassifier
from serkit.utils import is_ragged

SMALL = {
    "n_conv_layers": 2,
    "conv_channels": (3, 4),
    "linear_size": 6,
    "lstm_hidden_size": 4,
    "fc_size": 5,
    "max_epochs": 2,
    "random_state": 0,
}


@pytest.fixture(params=["paper", "reference"])
def acrnn(request, corpus):
    return ACRNNClassifier(request.param, **SMALL).fit(corpus.X, corpus.y)


def test_preset_decides_what_is_left_to_it(corpus):
    paper = ACRNNClassifier(**SMALL).fit(corpus.X, corpus.y).net_
    assert paper.optimizer is torch.optim.NAdam
    assert (paper.lr, paper.batch_size) == (1e-4, 40)
    assert paper.module_.encoder.min_shape == (2, 2)
    assert paper.module_.encoder.linear.normalization is None
    assert isinstance(paper.module_.encoder.fc[1], torch.nn.BatchNorm1d)
    assert paper.module_.encoder.recurrence.attention.weights.scale is None

    reference = ACRNNClassifier("reference", **SMALL).fit(corpus.X, corpus.y).net_
    assert reference.optimizer.func is torch.optim.Adam
    assert (reference.lr, reference.batch_size) == (1e-5, 60)
    assert reference.module_.encoder.min_shape == (4, 2)
    assert reference.module_.encoder.linear.normalization.eps == 1e-3
    assert len(reference.module_.encoder.fc) == 2
    assert reference.module_.encoder.recurrence.attention.weights.scale is not None
    biases = reference.module_.encoder.convolutions[0].convolution.bias
    np.testing.assert_allclose(biases.detach(), 0.1, atol=1e-4)


def test_parameter_given_goes_before_the_preset(corpus):
    acrnn = ACRNNClassifier(
        "reference", **SMALL, optimizer="sgd", lr=0.5, batch_size=7, pool_size=3,
        attention="linear", batch_norm=None, initialization="torch",
    )  # fmt: skip
    net = acrnn.fit(corpus.X, corpus.y).net_
    assert net.optimizer.func is torch.optim.SGD
    assert (net.lr, net.batch_size) == (0.5, 7)
    encoder = net.module_.encoder
    assert encoder.min_shape == (3, 3)
    assert encoder.linear.normalization is None
    assert len(encoder.fc) == 2
    assert encoder.recurrence.attention.weights.scale is None
    assert encoder.convolutions[0].convolution.bias.min() < 0


def test_posteriors_do_not_depend_on_the_batch(acrnn, corpus):
    batch = acrnn.predict_proba(corpus.X)
    alone = np.concatenate([acrnn.predict_proba([x]) for x in corpus.X])
    np.testing.assert_allclose(batch, alone, atol=1e-6)


def test_attention_is_one_share_per_pooled_frame(acrnn, corpus):
    weights = acrnn.attention_weights(corpus.X)
    assert is_ragged(weights)
    assert acrnn.frames_per_weight_ == 2
    assert [len(row) for row in weights] == [x.shape[-1] // 2 for x in corpus.X]
    for row, x in zip(weights, corpus.X, strict=True):
        assert (row >= 0).all()
        assert row.sum() == pytest.approx(1, abs=1e-5)
        np.testing.assert_allclose(row, acrnn.attention_weights([x])[0], atol=1e-6)


def test_attention_of_numeric_input_is_numeric(acrnn, corpus):
    X = np.stack([x[..., :8] for x in corpus.X])
    weights = acrnn.attention_weights(X)
    assert weights.shape == (24, 4)
    np.testing.assert_allclose(np.stack(list(acrnn.attention_weights(list(X)))), weights)


def test_attention_weighs_the_output_of_the_recurrence(acrnn, corpus):
    states = acrnn.activations(corpus.X, "recurrence.layer")
    pooled = acrnn.activations(corpus.X, "recurrence")
    for state, row, expected in zip(states, acrnn.attention_weights(corpus.X), pooled, strict=True):
        np.testing.assert_allclose(state[0] @ row, expected, atol=1e-5)


def test_attention_needs_fit(corpus):
    with pytest.raises(NotFittedError):
        ACRNNClassifier().attention_weights(corpus.X)


def test_utterances_of_one_bin_and_one_frame_are_padded():
    X = np.random.default_rng(0).normal(size=(6, 1, 1, 1))
    acrnn = ACRNNClassifier("reference", **SMALL).fit(X, [0, 1] * 3)
    assert np.isfinite(acrnn.predict_proba(X)).all()


def test_it_learns(corpus):
    acrnn = ACRNNClassifier(**(SMALL | {"max_epochs": 30}), lr=0.01)
    assert acrnn.fit(corpus.X, corpus.y).score(corpus.X, corpus.y) > 0.9


def test_file_holds_the_network(acrnn, corpus, tmp_path):
    serkit.save(acrnn, tmp_path / "acrnn.safetensors")
    loaded = serkit.load(tmp_path / "acrnn.safetensors")
    np.testing.assert_array_equal(loaded.predict_proba(corpus.X), acrnn.predict_proba(corpus.X))


def test_sizes_may_be_lists(corpus):
    lists = {"conv_channels": [3, 4], "kernel_size": [3, 5], "pool_size": [2, 4]}
    acrnn = ACRNNClassifier(**{**SMALL, **lists, "max_epochs": 1}).fit(corpus.X, corpus.y)
    assert acrnn.frames_per_weight_ == 4


def test_batch_of_one_utterance_is_refused_where_it_has_no_variance(corpus):
    acrnn = ACRNNClassifier(**SMALL, batch_size=1)
    with pytest.raises(ValueError, match="batch_size=1: the network normalises .* 2 or more"):
        acrnn.fit(corpus.X, corpus.y)
    acrnn.set_params(batch_norm=None).fit(corpus.X, corpus.y)
