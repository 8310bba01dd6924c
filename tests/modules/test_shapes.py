import pytest
import torch
from torch import nn

from serkit.modules import (
    CNN2DBiGRUEncoder,
    DomainAdversarialNetwork,
    MLPEncoder,
    MLPHead,
    UtteranceNetwork,
    is_length_aware,
)


def n_parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ("n_bins", "n_conv_layers", "maps", "gru_input", "n_expected"),
    [
        (20, 1, (64, 10, 141), 640, 1_642_368),
        (20, 2, (64, 5, 71), 320, 1_167_360),
        (20, 3, (64, 3, 36), 192, 987_264),
        (20, 4, (64, 2, 18), 128, 905_472),
        (128, 1, (64, 64, 141), 4096, 6_950_784),
        (128, 2, (64, 32, 71), 2048, 3_821_568),
        (128, 3, (64, 16, 36), 1024, 2_265_216),
        (128, 4, (64, 8, 18), 512, 1_495_296),
    ],
)
def test_encoder_has_the_published_sizes(n_bins, n_conv_layers, maps, gru_input, n_expected):
    encoder = CNN2DBiGRUEncoder(1, n_bins, n_conv_layers=n_conv_layers).eval()
    assert n_parameters(encoder) == n_expected
    assert n_parameters(encoder.blocks) == {1: 384, 2: 16_896, 3: 33_408, 4: 49_920}[n_conv_layers]
    assert n_parameters(encoder.projection) == 262_656
    assert encoder.recurrence.layer.input_size == gru_input

    shapes = {}
    for name, stage in encoder.stages.items():
        stage.register_forward_hook(
            lambda _stage, _inputs, output, name=name: shapes.update(
                {name: output[0].shape if isinstance(output, tuple) else output.shape}
            )
        )
    with torch.inference_mode():
        encoder(torch.zeros(1, 1, n_bins, 281))
    n_steps = maps[-1]
    assert shapes[f"block{n_conv_layers}"] == (1, *maps)
    assert shapes["recurrence"] == shapes["projection"] == (1, n_steps, 512)
    assert shapes["pooling"] == (1, encoder.embedding_size) == (1, 1024)


@pytest.mark.parametrize(
    ("n_outputs", "n_expected"), [(7, 149_127), (8, 149_256), (10, 149_514), (24, 151_320)]
)
def test_head_has_the_published_size(n_outputs, n_expected):
    assert n_parameters(MLPHead(1024, n_outputs)) == n_expected


def test_larger_filters_leave_something_of_every_block():
    encoder = CNN2DBiGRUEncoder(1, 20, n_conv_layers=4, kernel_size=5)
    assert encoder.recurrence.layer.input_size == 64 * 1


def test_too_many_blocks_say_what_to_do():
    with pytest.raises(
        ValueError, match="6 convolution blocks leave nothing of 20 bins: use fewer"
    ):
        CNN2DBiGRUEncoder(1, 20, n_conv_layers=6, kernel_size=3)


@pytest.mark.parametrize("n_conv_layers", [1, 2, 3])
@pytest.mark.parametrize(("kernel_size", "pool_size"), [(2, 2), (3, 2), ((1, 3), (1, 4)), (4, 3)])
def test_min_shape_is_minimal(n_conv_layers, kernel_size, pool_size):
    encoder = CNN2DBiGRUEncoder(
        1, 30, n_conv_layers=n_conv_layers, n_filters=2, rnn_hidden_size=2,
        kernel_size=kernel_size, pool_size=pool_size,
    )  # fmt: skip
    _, n_frames = encoder.min_shape
    assert encoder(torch.randn(2, 1, 30, n_frames)).isfinite().all()
    assert _n_steps(encoder, n_frames) == 2
    assert _n_steps(encoder, n_frames - 1) < 2


def _n_steps(encoder, n_frames):
    x = torch.zeros(2, 1, 30, n_frames)
    for block in encoder.blocks:
        if x.shape[-1] + 2 * block.convolution.padding[1] < block.convolution.kernel_size[1]:
            return 0
        x = block.convolution(x)
        if x.shape[-1] < block.pool_size[1]:
            return 0
        x = block.pooling(x)
    return x.shape[-1]


def test_impulse_spreads_over_bins_and_frames_as_asked_for():
    encoder = CNN2DBiGRUEncoder(
        1, 24, n_filters=1, kernel_size=(5, 3), pool_size=(4, 2), rnn_hidden_size=2
    ).eval()
    block = encoder.blocks[0]
    nn.init.ones_(block.convolution.weight)
    x = torch.zeros(1, 1, 24, 20)
    x[0, 0, 12, 10] = 1
    convolved = block.convolution(x)[0, 0]
    assert convolved.shape == (24, 20)
    bins, frames = convolved.nonzero().T
    assert sorted(set(bins.tolist())) == [10, 11, 12, 13, 14]
    assert sorted(set(frames.tolist())) == [9, 10, 11]
    y, _ = block(x)
    assert y.shape == (1, 1, 6, 10)
    assert block.output_shape((24, 20)) == (6, 10)


def test_recurrence_reads_along_time():
    encoder = CNN2DBiGRUEncoder(1, 6, n_filters=3, rnn_hidden_size=4).eval()
    maps = torch.randn(1, 3, 3, 9)
    y, _ = encoder.recurrence(maps)
    by_hand, _ = encoder.recurrence.layer(
        torch.stack([maps[0, :, :, frame].reshape(-1) for frame in range(9)])[None]
    )
    torch.testing.assert_close(y, by_hand)


def test_projection_can_be_left_out():
    encoder = CNN2DBiGRUEncoder(1, 6, n_filters=2, rnn_hidden_size=3, projection=False)
    assert list(encoder.stages) == ["block1", "recurrence", "pooling"]
    assert encoder(torch.zeros(2, 1, 6, 8)).shape == (2, encoder.embedding_size)


def test_networks_say_whether_they_are_length_aware():
    encoder = CNN2DBiGRUEncoder(1, 6, n_filters=2, rnn_hidden_size=3)
    assert is_length_aware(encoder)
    assert is_length_aware(UtteranceNetwork(encoder, nn.Identity()))
    assert not is_length_aware(nn.Flatten())
    assert not is_length_aware(UtteranceNetwork(MLPEncoder(3), nn.Identity()))


def test_network_takes_an_encoder_without_stages_and_lengths():
    network = UtteranceNetwork(nn.Flatten(), nn.Linear(6, 2))
    assert list(network.stages) == ["encoder", "head"]
    assert network.min_shape == (1, 1)
    x = torch.randn(4, 1, 2, 3)
    expected = network.head(x.flatten(1))
    torch.testing.assert_close(network(x), expected)
    torch.testing.assert_close(network(x, torch.tensor([3, 3, 3, 3])), expected)


def test_stages_of_a_network_end_with_its_head():
    encoder = CNN2DBiGRUEncoder(1, 6, n_conv_layers=2, n_filters=2, rnn_hidden_size=3)
    network = DomainAdversarialNetwork(encoder, MLPHead(12, 3), MLPHead(12, 5))
    assert list(network.stages) == [
        "block1", "block2", "recurrence", "projection", "pooling", "head",
    ]  # fmt: skip
    assert network.stages["head"] is network.head
    assert network.min_shape == encoder.min_shape


@pytest.mark.parametrize(("activation", "kind"), [("relu", nn.ReLU), ("elu", nn.ELU)])
def test_mlp_encoder_has_the_layers_asked_for(activation, kind):
    encoder = MLPEncoder(5, hidden_layer_sizes=(4, 3), activation=activation, batch_norm=True)
    assert list(encoder.stages) == ["hidden1", "hidden2"]
    for stage, width in zip(encoder.stages.values(), (4, 3), strict=True):
        linear, norm, nonlinearity, dropout = stage
        assert linear.out_features == norm.num_features == width
        assert isinstance(nonlinearity, kind)
        assert dropout.p == 0.5
    assert n_parameters(encoder) == (5 * 4 + 4) + 2 * 4 + (4 * 3 + 3) + 2 * 3
