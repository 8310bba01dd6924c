import pytest
import torch
from torch import nn

from serkit.modules import GLAMEncoder, GlobalAwareBlock, MultiScaleBlock, UtteranceNetwork


def n_parameters(*modules):
    return sum(weights.numel() for module in modules for weights in module.parameters())


def make_network(shape, **options):
    encoder = GLAMEncoder(1, *shape, **options)
    return UtteranceNetwork(encoder, nn.Linear(encoder.embedding_size, 4))


@pytest.mark.parametrize(
    ("shape", "options", "n_expected"),
    [
        ((26, 63), {}, 940_283),
        ((26, 57), {}, 904_078),
        ((40, 63), {}, 1_307_048),
        ((26, 63), {"n_blocks": 4}, 2_500_490),
        ((26, 63), {"n_blocks": 4, "n_pools": 2}, 2_876_411),
    ],
)
def test_network_has_the_published_sizes(shape, options, n_expected):
    assert n_parameters(make_network(shape, **options)) == n_expected


def test_stages_have_the_published_sizes_and_shapes():
    network = make_network((26, 63)).eval()
    stages = list(network.stages.values())
    sizes = [n_parameters(stage) for stage in stages]
    assert sizes == [192, 8_800, 35_008, 139_648, 409_984, 246_807, 99_844]
    assert [sum(sizes[-k:]) for k in (1, 2, 3)] == [99_844, 346_651, 756_635]
    x, shapes = torch.zeros(1, 1, 26, 63), []
    for stage in stages:
        x = stage(x)
        shapes.append(tuple(x.shape[1:]))
    assert shapes == [
        (16, 52, 63), (32, 26, 31), (64, 13, 15), (128, 13, 15), (128, 13, 15), (24_960,), (4,),
    ]  # fmt: skip


def test_modified_network_has_the_published_stages():
    stages = make_network((26, 63), n_blocks=4).stages
    assert n_parameters(stages["scale4"]) == 557_824
    assert n_parameters(stages["convolution2"]) == 1_639_168
    block = stages["global_aware"][1]
    assert (block.gate[1].in_channels, block.narrowing.out_features) == (256, 42)


def test_multi_scale_block_without_convolutions_doubles_its_input():
    block = MultiScaleBlock(3)
    for convolution in (block.narrow, block.wide):
        nn.init.zeros_(convolution.weight)
        nn.init.zeros_(convolution.bias)
    nn.init.uniform_(block.normalization.bias)
    x = torch.randn(4, 3, 6, 7)
    twice = torch.cat([x, x], dim=1)
    expected = nn.functional.batch_norm(
        twice, None, None, block.normalization.weight, block.normalization.bias, training=True
    ).relu()
    torch.testing.assert_close(block(x), expected)


def test_global_aware_block_without_output_is_the_identity():
    block = GlobalAwareBlock(6, 5)
    nn.init.zeros_(block.narrowing.weight)
    nn.init.zeros_(block.narrowing.bias)
    x = torch.randn(3, 6, 5)
    torch.testing.assert_close(block(x), x, rtol=0, atol=0)


@pytest.mark.parametrize(("activation", "value"), [("tanh", 0.7615942), ("identity", 1.0)])
def test_gate_without_mixing_is_that_of_one(activation, value):
    block = GlobalAwareBlock(6, 5, gate_activation=activation)
    nn.init.zeros_(block.gate[1].weight)
    gate = block.gate(torch.randn(3, 6, 10))
    torch.testing.assert_close(gate, torch.full((3, 6, 10), value))


def test_gate_begins_near_a_constant():
    mixing = GlobalAwareBlock(128, 6).gate[1]
    assert 0.9e-3 / 128 < mixing.weight.abs().max() <= 1e-3 / 128
    assert (mixing.bias == 1).all()


def test_gate_mixes_tokens_and_not_features():
    block = GlobalAwareBlock(6, 5)
    nn.init.normal_(block.gate[1].weight)
    x = torch.randn(1, 6, 10)
    changed = x.clone()
    changed[0, 2] = torch.randn(10)
    assert (block.gate(changed) != block.gate(x)).all(dim=2).all()
    normalised = block.gate[0](x)
    by_hand = torch.einsum("ij,bjk->bik", block.gate[1].weight[:, :, 0], normalised) + 1
    torch.testing.assert_close(block.gate(x), by_hand.tanh())


def test_impulse_spreads_along_bins_in_the_first_branch_and_along_frames_in_the_second():
    encoder = GLAMEncoder(1, 12, 20, n_filters=2).eval()
    for weights in encoder.convolution.parameters():
        nn.init.ones_(weights) if weights.ndim == 4 else None
    x = torch.zeros(1, 1, 12, 20)
    x[0, 0, 5, 9] = 1
    change = (encoder.convolution(x) - encoder.convolution(torch.zeros_like(x)))[0, 0]
    places = change.nonzero().tolist()
    assert places == [[4, 9], [5, 9], [6, 9], [12 + 5, 8], [12 + 5, 9], [12 + 5, 10]]


@pytest.mark.parametrize("n_channels", [1, 3])
@pytest.mark.parametrize(
    ("n_blocks", "n_pools", "n_places"),
    [(1, 1, 1), (2, None, 1), (3, 3, 1), (1, None, 2), (3, 0, 2)],  # one bin has two branches
)
def test_least_input_leaves_something(n_channels, n_blocks, n_pools, n_places):
    options = {"n_blocks": n_blocks, "n_pools": n_pools, "n_filters": 2, "expansion": 2}
    encoder = GLAMEncoder(n_channels, 1, 1, **options)
    n_bins, n_frames = encoder.min_shape
    assert encoder.n_frames == n_frames
    embedding = encoder(torch.randn(2, n_channels, n_bins, n_frames))
    assert embedding.shape == (2, encoder.embedding_size)
    assert encoder.embedding_size == 2 * 2**n_blocks * n_places


def test_more_pools_than_blocks_are_refused():
    with pytest.raises(ValueError, match="n_pools=3, but there are only 2 blocks"):
        GLAMEncoder(1, 26, 63, n_blocks=2, n_pools=3)
