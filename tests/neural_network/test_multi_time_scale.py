"""Networks whose kernels are stretched in time."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from torch import nn

from serkit.model_selection import LeaveSpeakersOut
from serkit.modules import SCALE_SETS, MultiTimeScaleConv2d, MultiTimeScaleEncoder
from serkit.neural_network import (
    ACRNNClassifier,
    CRNNClassifier,
    DomainAdversarialClassifier,
    MLPClassifier,
    MultiTimeScaleClassifier,
)

RNG = np.random.default_rng(0)
SMALL = {
    "kernel_size": (3, 4),
    "hidden_layer_sizes": (8,),
    "max_epochs": 2,
    "patience": None,
    "random_state": 0,
}


def pulses(n_utterances=48, n_frames=40):
    """Return utterances with a ramp, up or down in its class, slow or fast."""
    X = 0.1 * RNG.normal(size=(n_utterances, 1, 8, n_frames)).astype(np.float32)
    y = np.tile(["rising", "falling"], n_utterances // 2)
    for row, label in enumerate(y):
        length = RNG.integers(5, 12)
        ramp = np.linspace(-2, 2, length) * (1 if label == "rising" else -1)
        start = RNG.integers(0, n_frames - length)
        X[row, 0, :, start : start + length] += ramp
    return X, y


@pytest.mark.parametrize(
    ("architecture", "size"), [("A1", 79_404), ("A2", 794_040), ("A3", 172_500)]
)
def test_sizes_of_the_thesis(architecture, size):
    """165 frames of 513 bins, before the hidden layer."""
    encoder = MultiTimeScaleEncoder(1, 513, 165, architecture=architecture, hidden_layer_sizes=())
    assert encoder.embedding_size == encoder.flatten_size == size
    assert encoder(torch.zeros(1, 1, 513, 165)).shape == (1, size)


def test_alexnet():
    encoder = MultiTimeScaleEncoder(1, 64, 64, architecture="A4", hidden_layer_sizes=(8,))
    sizes = [tuple(layer[0].weight.shape) for layer in encoder.convolutions]
    assert sizes == [
        (64, 1, 11, 11),
        (192, 64, 5, 5),
        (384, 192, 3, 3),
        (256, 384, 3, 3),
        (256, 256, 3, 3),
    ]
    scales = [len(layer[0].scale_factors) for layer in encoder.convolutions]
    assert scales == [3, 3, 1, 1, 1]
    assert encoder.embedding_size == 8
    assert encoder.flatten_size == 256 * 36


@pytest.mark.parametrize("scale_factors", [None, *SCALE_SETS[::3]])
@pytest.mark.parametrize("architecture", ["A1", "A3", "A4"])
def test_the_least_input_is_the_least(architecture, scale_factors):
    filters = {"A1": (1,), "A3": (2, 2), "A4": (2, 2, 2, 2, 2)}[architecture]
    encoder = MultiTimeScaleEncoder(
        1,
        1,
        1,
        architecture=architecture,
        scale_factors=scale_factors,
        n_filters=filters,
        hidden_layer_sizes=(4,),
    )
    bins, frames = encoder.min_shape
    assert encoder(torch.zeros(2, 1, bins, frames)).shape == (2, 4)
    convolutions = nn.Sequential(*encoder.convolutions)
    for smaller in ((bins - 1, frames), (bins, frames - 1)):
        with pytest.raises((ValueError, RuntimeError), match="(?i)too small|kernel|covers"):
            convolutions(torch.zeros(2, 1, *smaller))


@pytest.mark.parametrize("architecture", ["A1", "A2", "A3"])
def test_several_scales_learn_and_cost_no_weight(architecture):
    X, y = pulses()
    network = MultiTimeScaleClassifier(architecture, **{**SMALL, "max_epochs": 60, "lr": 0.01}).fit(
        X, y
    )
    assert network.score(X, y) > 0.9
    plain = clone(network).set_params(scale_factors=None, max_epochs=1).fit(X, y)
    sizes = [
        {name: w.shape for name, w in model.net_.module_.named_parameters()}
        for model in (network, plain)
    ]
    assert sizes[0] == sizes[1]
    assert plain.scale_usage(X).empty


def test_usage_is_that_of_the_layers():
    X, y = pulses(20)
    network = MultiTimeScaleClassifier("A3", **SMALL, batch_size=7).fit(X, y)
    usage = network.scale_usage(X)
    assert list(usage.index) == ["convolution1", "convolution2"]
    assert list(usage.columns) == [0.7, 1.0, 1.428]
    encoder = network.net_.module_.encoder
    with torch.no_grad():
        x = torch.from_numpy(X)
        for name, stage in zip(usage.index, encoder.convolutions, strict=True):
            np.testing.assert_allclose(usage.loc[name], stage[0].scale_usage(x), atol=1e-6)
            x = stage(x)
    before = network.predict_proba(X)
    np.testing.assert_array_equal(before, network.predict_proba(X))


def test_usage_does_not_depend_on_the_batch():
    X, y = pulses(8)
    ragged = [x[..., : 12 + 3 * row] for row, x in enumerate(X)]
    crnn = CRNNClassifier(n_filters=2, kernel_size=(2, 4), rnn_hidden_size=4)
    network = MultiTimeScaleClassifier(crnn, batch_size=8, **SMALL).fit(ragged, y)
    usage = network.scale_usage(ragged)
    pd.testing.assert_frame_equal(network.set_params(batch_size=1).scale_usage(ragged), usage)
    assert usage.sum(axis=1).tolist() == pytest.approx([1.0])
    with pytest.raises(ValueError, match="stretches maps as a whole"):
        network.set_params(align="interpolate").fit(ragged, y)


def test_any_network_of_serkit():
    X, y = pulses(16)
    crnn = CRNNClassifier(n_filters=2, rnn_hidden_size=4, hidden_layer_sizes=(4,))
    network = MultiTimeScaleClassifier(crnn, scale_factors=(0.5, 2.0), **SMALL).fit(X, y)
    assert list(network.scale_usage(X).index) == ["block1"]
    assert network.n_frames_ is None
    shorter = [x[..., :25] for x in X]
    np.testing.assert_allclose(
        network.predict_proba([*X[:3], *shorter[:3]])[3:],
        network.predict_proba(shorter[:3]),
        atol=1e-6,
    )
    attention = ACRNNClassifier(
        n_conv_layers=2, conv_channels=(2, 2), linear_size=4, lstm_hidden_size=4, fc_size=4
    )
    network.set_params(architecture=attention).fit(X, y)
    assert len(network.scale_usage(X)) > 0
    module = nn.Sequential(
        nn.Conv2d(1, 2, (3, 4)), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    )
    network.set_params(architecture=module).fit(X, y)
    converted = [
        layer for layer in network.net_.module_.modules() if isinstance(layer, MultiTimeScaleConv2d)
    ]
    assert len(converted) == 1
    assert type(module[0]) is nn.Conv2d
    with pytest.raises(ValueError, match="no convolution over frames"):
        network.set_params(architecture=MLPClassifier((4,))).fit(X.reshape(16, -1), y)


def test_networks_inside_one_another():
    X, y = pulses(16)
    speakers = np.tile(list("aabb"), 4)
    crnn = CRNNClassifier(n_filters=2, kernel_size=(2, 4), rnn_hidden_size=4)
    head = {"hidden_layer_sizes": (4,), "max_epochs": 1, "random_state": 0}
    scales = MultiTimeScaleClassifier(crnn)
    adversarial = DomainAdversarialClassifier(scales, validation=None, **head)
    adversarial.fit(X, y, speakers=speakers)
    outer = MultiTimeScaleClassifier(
        DomainAdversarialClassifier("tdnn_bilstm"), scale_factors=None, **SMALL
    )
    assert outer.fit(X, y).predict(X).shape == (16,)


def test_search_over_sets_of_scales():
    X, y = pulses(24)
    speakers = np.repeat(list("abcd"), 6)
    search = GridSearchCV(
        MultiTimeScaleClassifier("A2", n_filters=(2,), **SMALL),
        {"scale_factors": [None, *SCALE_SETS[:2]]},
        cv=LeaveSpeakersOut(2),
    )
    search.fit(X, y, groups=speakers, speakers=speakers)
    assert len(search.cv_results_["params"]) == 3


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_filters": (2, 2)}, "A2 has 1 convolutions, n_filters has 2"),
        ({"n_filters": (0,)}, "n_filters must be numbers above 0"),
        ({"kernel_size": 2.5}, "'kernel_size' parameter"),
        ({"kernel_size": (2, 3, 4)}, "a size is a positive integer or two"),
        ({"scale_factors": (0.1, 1.0)}, r"0\.1 leaves nothing"),
        ({"scale_factors": (-1.0,)}, "-1 leaves nothing"),
    ],
    ids=["filters", "no filter", "kernel", "three", "short", "negative"],
)
def test_bad_parameters(parameters, message):
    X, y = pulses(8)
    with pytest.raises(ValueError, match=message):
        MultiTimeScaleClassifier(**{**SMALL, **parameters}).fit(X, y)
