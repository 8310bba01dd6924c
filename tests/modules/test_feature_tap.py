"""The maps that are caught are those that the network computes, and only the real frames count."""

import numpy as np
import pytest
import torch
from torch import nn

from serkit.modules import (
    ACRNNEncoder,
    CLDNNEncoder,
    CNN1DGRUEncoder,
    CNN2DBiGRUEncoder,
    ConvolutionFrontEnd,
    FeatureTap,
    GLAMEncoder,
    MultiTimeScaleEncoder,
    QuaternionConv2d,
    TDNNBiLSTMEncoder,
    convert_to_multi_time_scale,
    convolution_names,
    gram_matrix,
)

N_BINS, N_FRAMES = 20, 40


def plain(*, in_place=False, activation=True):
    """Return two convolutions with all that may stand between them."""
    between = [nn.BatchNorm2d(3), *([nn.ReLU(in_place)] if activation else []), nn.MaxPool2d(2)]
    return nn.Sequential(nn.Conv2d(1, 3, 3), *between, nn.Conv2d(3, 5, 2), nn.Tanh())


class Backwards(nn.Module):
    """Calls its convolutions in another order than it names them."""

    def __init__(self):
        super().__init__()
        self.second = nn.Conv2d(2, 3, 1)
        self.first = nn.Conv2d(1, 2, 1)

    def forward(self, x):
        return self.second(self.first(x))


class Untold(nn.Module):
    """Pads in a way that no layer tells."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(1, 2, 3)

    def forward(self, x, lengths=None):
        return self.convolution(nn.functional.pad(x, (1, 1)))


def length_aware():
    """Return a network of every kind that takes utterances of unequal lengths."""
    torch.manual_seed(0)
    crnn = {"n_filters": 4, "rnn_hidden_size": 3}
    acrnn = {"conv_channels": (4, 6), "linear_size": 5, "lstm_hidden_size": 3, "fc_size": 4}
    stretched = CNN2DBiGRUEncoder(1, N_BINS, n_conv_layers=2, kernel_size=(2, 6), **crnn)
    return {
        "crnn": CNN2DBiGRUEncoder(1, N_BINS, n_conv_layers=2, kernel_size=3, pool_size=3, **crnn),
        "stretched": convert_to_multi_time_scale(stretched, (0.5, 1.0, 2.0)),
        "acrnn": ACRNNEncoder(1, N_BINS, n_conv_layers=3, **acrnn),
        "cldnn-st": CLDNNEncoder(1, N_BINS, "st", n_filters=3, lstm_hidden_size=3),
        "cldnn-fst": CLDNNEncoder(1, N_BINS, "fst", n_filters=3, lstm_hidden_size=3),
        "tdnn": TDNNBiLSTMEncoder(1, N_BINS, n_filters=4, lstm_hidden_size=3),
        "cnn1d": CNN1DGRUEncoder(1, N_BINS, **crnn),
    }


def utterances(*lengths):
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(1, N_BINS, length, generator=generator) for length in lengths]


def padded(utterances):
    lengths = torch.tensor([x.shape[-1] for x in utterances])
    batch = torch.zeros(len(utterances), 1, N_BINS, int(lengths.max()))
    for place, x in zip(batch, utterances, strict=True):
        place[..., : x.shape[-1]] = x
    return batch, lengths


def caught(network, layers, *inputs, **options):
    with torch.no_grad(), FeatureTap(network.eval(), layers, **options) as tap:
        network(*inputs)
    return tap.take()


# Where.


@pytest.mark.parametrize("in_place", [False, True], ids=["out of place", "in place"])
@pytest.mark.parametrize(
    ("layer", "position", "n_layers"),
    [
        (1, "input", 0),
        (1, "convolution", 1),
        (1, "activation", 3),
        (2, "input", 4),
        (2, "convolution", 5),
        (2, "activation", 6),
        ("0", "activation", 1),
        ("3", "activation", 4),
    ],
)
def test_the_map_is_what_the_first_layers_make(layer, position, n_layers, in_place):
    torch.manual_seed(0)
    network, x = plain(in_place=in_place).eval(), torch.randn(2, 1, 9, 12)
    with torch.no_grad():
        expected = network[:n_layers](x)
        output = network(x)
        for found in (
            caught(network, layer, x, position=position),
            FeatureTap(network, layer, position=position).collect(x),
        ):
            torch.testing.assert_close(found[layer].values, expected, rtol=0, atol=0)
            assert found[layer].lengths is None
        torch.testing.assert_close(network(x), output, rtol=0, atol=0)


def test_without_an_activation_it_is_the_output_of_the_convolution():
    torch.manual_seed(0)
    network, x = plain(activation=False).eval(), torch.randn(2, 1, 9, 12)
    found = caught(network, [1, 2], x)
    torch.testing.assert_close(found[1].values, network[0](x))
    torch.testing.assert_close(found[2].values, network(x))
    torch.testing.assert_close(FeatureTap(network, 1).collect(x)[1].values, network[0](x))


def test_the_activation_of_a_later_layer_is_not_that_of_the_convolution():
    network = nn.Sequential(nn.Conv2d(1, 6, 1), nn.Flatten(), nn.Linear(24, 6), nn.ReLU())
    x = torch.randn(2, 1, 2, 2)
    torch.testing.assert_close(caught(network, 1, x)[1].values, network[0](x))


def test_numbers_follow_the_calls():
    network, x = Backwards(), torch.randn(1, 1, 3, 3)
    assert convolution_names(network, x) == ["first", "second"]
    torch.testing.assert_close(caught(network, 1, x)[1].values, network.first(x))


def test_convolutions_of_all_kinds_count():
    layers = MultiTimeScaleEncoder(1, 20, 40, architecture="A3")
    assert convolution_names(layers, torch.zeros(1, 1, 20, 40)) == [
        "convolution1.0",
        "convolution2.0",
    ]
    quaternion = nn.Sequential(QuaternionConv2d(4, 8, 3, padding=1), nn.ReLU())
    found = caught(quaternion, 1, torch.randn(2, 4, 5, 6))
    assert gram_matrix(found[1].values).shape == (2, 8, 8)  # every real channel with every other
    sequence = nn.Sequential(nn.Conv1d(4, 8, 3), nn.ReLU())
    x = torch.randn(2, 4, 9)
    torch.testing.assert_close(caught(sequence, 1, x)[1].values[:, :, 0], sequence(x))
    glam = GLAMEncoder(1, 26, 30, n_filters=2)
    assert len(convolution_names(glam, torch.zeros(1, 1, 26, 30))) > 4


def test_names_of_convolutions_leave_modes_as_they_are():
    network = plain().train()
    network[1].eval()
    convolution_names(network, torch.zeros(1, 1, 9, 12))
    assert network.training
    assert not network[1].training


def test_stages_and_their_parts():
    network = length_aware()["crnn"]
    batch, lengths = padded(utterances(40, 20))
    layers = ["block1", "block2.convolution", "recurrence", "pooling"]
    found = caught(network, layers, batch, lengths)
    assert list(found) == layers
    with torch.no_grad():
        block, left = network.blocks[0](batch, lengths)
        torch.testing.assert_close(found["block1"].values, block)
        assert found["block1"].lengths.tolist() == left.tolist()
        torch.testing.assert_close(
            found["block2.convolution"].values, network.blocks[1].convolution(block)
        )
        sequence, left = network.recurrence(*network.blocks[1](block, left))
    assert found["recurrence"].values.shape == (2, 6, 1, sequence.shape[1])
    torch.testing.assert_close(found["recurrence"].values[:, :, 0], sequence.mT)
    assert found["recurrence"].lengths.tolist() == left.tolist()
    assert found["pooling"].values.shape == (2, 12, 1, 1)
    assert found["pooling"].lengths is None


# Which frames.


@pytest.mark.parametrize("position", ["activation", "convolution", "input"])
@pytest.mark.parametrize("name", list(length_aware()))
def test_the_gram_of_an_utterance_does_not_depend_on_its_batch(name, position):
    network = length_aware()[name].eval()
    short, middle, long = utterances(23, 31, N_FRAMES)
    n_layers = len(convolution_names(network, padded([long])[0]))
    layers = list(range(1, n_layers + 1))
    together = caught(network, layers, *padded([short, middle, long]), position=position)
    for row, x in enumerate([short, middle, long]):
        alone = caught(network, layers, x[None], position=position)
        for layer in layers:
            values, lengths = together[layer]
            gram = gram_matrix(values, lengths)[row]
            torch.testing.assert_close(gram, gram_matrix(alone[layer].values)[0])
            assert int(lengths[row]) == alone[layer].values.shape[-1]


def test_layers_that_do_not_tell_their_frames_are_refused():
    batch, lengths = padded(utterances(20, 10))
    assert caught(Untold(), 1, batch)[1].lengths is None
    with pytest.raises(ValueError, match="there are 20, and by the layers before.* be 18.*stage"):
        caught(Untold(), 1, batch, lengths)


# What else.


def test_gradients_flow_through_the_map():
    torch.manual_seed(0)
    network, x = plain(in_place=True), torch.randn(2, 1, 9, 12)
    with FeatureTap(network, 1, position="convolution") as tap:
        output = network(x)
    (gradient,) = torch.autograd.grad(output.square().sum(), tap.take()[1].values)
    assert gradient.abs().sum() > 0


def test_collecting_stops_behind_the_last_layer():
    network = plain()
    reached = []
    network[4].register_forward_hook(lambda *_: reached.append(True))
    FeatureTap(network, 1).collect(torch.zeros(2, 1, 9, 12))
    assert reached == []
    FeatureTap(network, [2, 1]).collect(torch.zeros(2, 1, 9, 12))
    assert reached == [True]


def test_nothing_is_left_in_the_network():
    network = plain()
    with FeatureTap(network, 1):
        assert any(part._forward_hooks for part in network.modules())
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in network.modules())


def test_every_pass_is_new():
    network = plain()
    with torch.no_grad(), FeatureTap(network.eval(), 1) as tap:
        network(torch.zeros(2, 1, 9, 12))
        network(torch.zeros(3, 1, 9, 12))
        assert len(tap.take()[1].values) == 3
        with pytest.raises(RuntimeError, match="has not come by 1; run it"):
            tap.take()


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (0, "no convolution 0; the convolutions are 1 to 2 .block1.convolution, block2"),
        (3, "no convolution 3.*the stages are block1, block2, recurrence"),
        ("blok", "no layer 'blok'; the convolutions are 1 to 2"),
        ("block1.norm", "no layer 'block1.norm'"),
        ([1, 1], "twice"),
    ],
)
def test_unknown_layers(layers, message):
    with pytest.raises(ValueError, match=message):
        FeatureTap(CNN2DBiGRUEncoder(1, 20, n_conv_layers=2), layers)


def test_unknown_positions():
    with pytest.raises(ValueError, match="position is one of .*'relu'"):
        FeatureTap(plain(), 1, position="relu")


def test_a_layer_without_trained_weights_before_it_is_refused():
    network, x = plain(), torch.zeros(2, 1, 9, 12)
    with FeatureTap(network, 1, position="input"):
        with pytest.raises(ValueError, match="influence on layer 1 at position='input'.*no_grad"):
            network(x)
        with torch.no_grad():
            network(x)
    network[:4].requires_grad_(False)
    with FeatureTap(network, "3"), pytest.raises(ValueError, match="influence on layer '3', so"):
        network(x)
    network.requires_grad_(False)  # a reference
    assert FeatureTap(network, 1).collect(x)[1].values.shape == (2, 3, 7, 10)


def test_a_front_end_by_itself():
    front_end = ConvolutionFrontEnd(1, N_BINS, "t", n_filters=3)
    batch, lengths = padded(utterances(30, 10))
    found = caught(front_end, ["convolution1", 2], batch, lengths)
    with torch.no_grad():
        frames, _ = front_end(batch, lengths)
    assert (found[2].values >= 0).all()
    assert found["convolution1"].lengths.tolist() == [39, 19]
    assert len(frames) == 2


# What cannot be tapped.


class Twice(nn.Module):
    """Calls a convolution and its activation twice."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(1, 1, 3, padding=1)
        self.activation = nn.ReLU()
        self.last = nn.Conv2d(1, 2, 1)

    def forward(self, x):
        for _ in range(2):
            x = self.activation(self.convolution(x))
        return self.last(x)


@pytest.mark.parametrize("position", ["activation", "convolution", "input"])
def test_layers_that_are_called_more_than_once_are_refused(position):
    network, x = Twice(), torch.zeros(1, 1, 4, 4)
    for layer in (1, "activation"):
        with pytest.raises(ValueError, match="called more than once in a pass"):
            caught(network, layer, x, position=position)
    with torch.no_grad(), FeatureTap(network, 2, position=position) as tap:
        for _ in range(2):  # passes
            network(x)
    assert tap.names == ["convolution", "last"]
    assert 2 in tap.take()


def test_activations_are_named():
    network = plain()
    with torch.no_grad(), FeatureTap(network, [1, 2]) as tap:
        network(torch.zeros(2, 1, 9, 12))
    assert tap.activations == {1: "2", 2: "5"}
    without = plain(activation=False)
    with torch.no_grad(), FeatureTap(without, [1, 2]) as tap:
        without(torch.zeros(2, 1, 9, 12))
    assert tap.activations == {2: "4"}


def test_numbers_of_layers_may_be_of_numpy():
    for layers in (np.int64(2), np.array([1, 2]), [np.int64(1), "3"]):
        assert all(type(layer) in (int, str) for layer in FeatureTap(plain(), layers).layers)
    for layers in ([[1, 2]], 1.5, None, [None]):
        with pytest.raises(TypeError, match="layers holds numbers of convolutions or names, got"):
            FeatureTap(plain(), layers)


class Pooled(nn.Module):
    """Pools frames, of which a last window may be smaller, and convolves."""

    def __init__(self, **pooling):
        super().__init__()
        self.pooling = nn.MaxPool2d(ceil_mode=True, **pooling)
        self.convolution = nn.Conv2d(1, 2, 1)

    def forward(self, x, lengths=None):
        return self.convolution(self.pooling(x))


@pytest.mark.parametrize(
    ("kernel_size", "stride", "padding"), [(2, 2, 0), (3, 2, 1), (1, 3, 0), (4, 3, 2)]
)
def test_windows_that_are_not_full(kernel_size, stride, padding):
    network = Pooled(kernel_size=kernel_size, stride=stride, padding=padding)
    lengths = torch.tensor([12, 11, 10, 9, 8, 7, 5])
    found = caught(network, 1, torch.zeros(7, 1, 4, 12), lengths)
    alone = [network(torch.zeros(1, 1, 4, int(length))).shape[-1] for length in lengths]
    assert found[1].lengths.tolist() == alone
