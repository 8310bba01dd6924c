import pytest
import torch
from torch import nn

from serkit.modules import ACRNNEncoder, AttentionWeights, UtteranceNetwork, initialize_acrnn

REFERENCE = {"pool_size": (4, 2), "attention": "sigmoid", "batch_norm": "linear"}
SMALL = {
    "n_conv_layers": 3,
    "conv_channels": (3, 4),
    "linear_size": 6,
    "lstm_hidden_size": 5,
    "fc_size": 7,
}


def n_parameters(*modules):
    return sum(weights.numel() for module in modules for weights in module.parameters())


@pytest.mark.parametrize(
    ("options", "n_expected", "linear"),
    [({}, 9_300_420, 3_932_928), (REFERENCE, 7_335_750, 1_966_848)],
    ids=["paper", "reference"],
)
def test_encoder_has_the_published_sizes(options, n_expected, linear):
    encoder = ACRNNEncoder(3, 40, **options)
    assert n_parameters(encoder, nn.Linear(encoder.embedding_size, 4)) == n_expected
    stages = encoder.stages
    convolutions = [n_parameters(stages[f"conv{number}"]) for number in range(1, 7)]
    assert convolutions == [5_888, 491_776, *[983_296] * 4]
    assert n_parameters(stages["linear"].linear) == linear


def test_last_stages_have_the_published_sizes():
    encoder = ACRNNEncoder(3, 40)
    stages = list(UtteranceNetwork(encoder, nn.Linear(64, 4)).stages.values())
    assert [n_parameters(*stages[-k:]) for k in (1, 2, 3)] == [260, 16_836, 936_644]


@pytest.mark.parametrize("n_conv_layers", [1, 3])
def test_stages_have_the_shapes_of_pooled_maps(n_conv_layers):
    encoder = ACRNNEncoder(3, 40, **(SMALL | {"n_conv_layers": n_conv_layers})).eval()
    shapes = {}
    for name, stage in encoder.stages.items():
        stage.register_forward_hook(
            lambda _stage, _inputs, output, name=name: shapes.update(
                {name: tuple((output[0] if isinstance(output, tuple) else output).shape)}
            )
        )
    encoder(torch.zeros(2, 3, 40, 300))
    assert list(shapes) == list(encoder.stages)
    assert shapes["conv1"] == (2, 3, 20, 150)
    assert shapes[f"conv{n_conv_layers}"] == (2, 3 if n_conv_layers == 1 else 4, 20, 150)
    assert shapes["linear"] == (2, 150, 6)
    assert shapes["recurrence"] == (2, 10)
    assert shapes["fc"] == (2, encoder.embedding_size) == (2, 7)


def test_impulse_spreads_over_bins_and_frames_as_asked_for():
    """Kernels of 3 bins and 5 frames, and a pool of 4 bins and 2 frames."""
    encoder = ACRNNEncoder(1, 24, **SMALL, pool_size=(4, 2)).eval()
    block = encoder.convolutions[0]
    nn.init.ones_(block.convolution.weight)
    nn.init.zeros_(block.convolution.bias)
    x = torch.zeros(1, 1, 24, 20)
    x[0, 0, 12, 10] = 1
    bins, frames = block.convolution(x)[0, 0].nonzero().T
    assert sorted(set(bins.tolist())) == [11, 12, 13]
    assert sorted(set(frames.tolist())) == [8, 9, 10, 11, 12]
    assert block(x)[0].shape[2:] == (6, 10)


@pytest.mark.parametrize("options", [{}, REFERENCE], ids=["paper", "reference"])
@pytest.mark.parametrize("training", [False, True])
def test_padding_has_no_influence(options, training):
    """In training too, where the batch has statistics, if they are of the frames alone."""
    torch.manual_seed(0)
    encoder = initialize_acrnn(ACRNNEncoder(2, 9, **SMALL, **options)).train(training)
    lengths = torch.tensor([7, 12, 4])
    x = torch.randn(3, 2, 9, 12) * (torch.arange(12) < lengths[:, None, None, None])
    wider = nn.functional.pad(x, (0, 10))
    torch.testing.assert_close(encoder(wider, lengths), encoder(x, lengths), rtol=1e-5, atol=1e-6)
    if not training:
        alone = [encoder(row[None, ..., :length]) for row, length in zip(x, lengths, strict=True)]
        torch.testing.assert_close(encoder(x, lengths), torch.cat(alone), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("score", ["linear", "sigmoid"])
def test_attention_weights_are_shares(score):
    torch.manual_seed(0)
    x, lengths = torch.randn(3, 9, 5), torch.tensor([9, 4, 1])
    weights, _ = AttentionWeights(5, score=score)(x, lengths)
    assert (weights >= 0).all()
    torch.testing.assert_close(weights.sum(1), torch.ones(3, 1))
    assert weights[1, 4:].count_nonzero() == weights[2, 1:].count_nonzero() == 0


@pytest.mark.parametrize("score", ["linear", "sigmoid"])
def test_constant_sequence_is_weighed_evenly(score):
    encoder = ACRNNEncoder(1, 4, **SMALL, attention=score)
    state = torch.randn(1, 1, 10)
    constant = state.expand(1, 8, 10)
    weights, _ = encoder.recurrence.attention.weights(constant)
    torch.testing.assert_close(weights, torch.full((1, 8, 1), 1 / 8))
    torch.testing.assert_close(encoder.recurrence.attention(constant), state[:, 0])


def test_first_layer_is_convolution_leaky_relu_pooling():
    torch.manual_seed(0)
    encoder = ACRNNEncoder(2, 8, **SMALL, negative_slope=0.2)
    block = encoder.convolutions[0]
    x = torch.randn(2, 2, 8, 11)
    by_hand = nn.functional.conv2d(
        x, block.convolution.weight, block.convolution.bias, padding=(1, 2)
    )
    by_hand = nn.functional.max_pool2d(nn.functional.leaky_relu(by_hand, 0.2), 2)
    torch.testing.assert_close(block(x)[0], by_hand)


def test_least_input_leaves_one_frame():
    encoder = ACRNNEncoder(1, 1, **SMALL, pool_size=(4, 3)).eval()
    assert encoder.min_shape == (4, 3)
    assert encoder(torch.randn(2, 1, 4, 3)).isfinite().all()


def test_weights_of_the_public_code():
    torch.manual_seed(0)
    network = UtteranceNetwork(
        ACRNNEncoder(3, 40, n_conv_layers=2, conv_channels=(16, 32), attention="sigmoid"),
        nn.Linear(64, 4),
    )
    encoder = initialize_acrnn(network).encoder
    for layer in (encoder.convolutions[1].convolution, encoder.linear.linear, encoder.fc[0]):
        assert layer.weight.std().item() == pytest.approx(0.088, abs=0.003)
        assert layer.weight.abs().max() <= 0.2
        assert (layer.bias == 0.1).all()
    assert (network.head.bias == 0.1).all()
    lstm = encoder.recurrence.layer.layer
    for direction in ("", "_reverse"):
        bias = getattr(lstm, f"bias_ih_l0{direction}") + getattr(lstm, f"bias_hh_l0{direction}")
        assert bias.reshape(4, -1).unique(dim=1).flatten().tolist() == [0, 1, 0, 0]
    weights = encoder.recurrence.attention.weights
    assert weights.linear.weight.std().item() == pytest.approx(0.1, abs=0.015)
    assert weights.linear.bias.item() not in (0, 0.1)
    assert weights.scale.item() != 1


@pytest.mark.parametrize("conv_channels", [(8,), (8, 8, 8), (0, 2), (2, 1.5), ("a", "b"), "ab"])
def test_wrong_widths_are_named(conv_channels):
    with pytest.raises(ValueError, match="conv_channels are two positive integers"):
        ACRNNEncoder(1, 8, conv_channels=conv_channels)
