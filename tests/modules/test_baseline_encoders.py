"""The encoders that convolve along time only: sizes, lengths, and what depends on what."""

import pytest
import torch
from torch import nn

from serkit.modules import CNN1DGRUEncoder, TDNNBiLSTMEncoder, UtteranceNetwork

# Filters of an even number of frames take a copy of the input, as torch warns.
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same'")

SMALL = {
    "tdnn_bilstm": lambda: TDNNBiLSTMEncoder(2, 3, n_filters=6, lstm_hidden_size=4),
    "even filters": lambda: TDNNBiLSTMEncoder(
        2, 3, n_filters=6, kernel_sizes=(4, 2), dilations=(1, 3), lstm_hidden_size=4
    ),
    "cnn1d_gru": lambda: CNN1DGRUEncoder(2, 3, n_filters=6, rnn_hidden_size=8),
    "three blocks": lambda: CNN1DGRUEncoder(
        2, 3, n_filters=6, kernel_size=4, n_conv_layers=3, pool_size=3, rnn_hidden_size=8
    ),
}
LENGTHS = torch.tensor([70, 90, 55, 90, 61])


@pytest.fixture(params=SMALL)
def encoder(request):
    """A small encoder whose batch statistics are not those of the beginning."""
    torch.manual_seed(0)
    encoder = SMALL[request.param]()
    encoder(torch.randn(8, 2, 3, 90) * 3 + 1)
    return encoder.eval()


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(len(LENGTHS), 2, 3, 90, generator=generator)
    for utterance, length in zip(x, LENGTHS, strict=True):
        utterance[..., length:] = 0
    return x


def n_parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_tdnn_bilstm_has_the_parameters_of_its_layers():
    encoder = TDNNBiLSTMEncoder(1, 20)
    filters = 20 * 256 * 5 + 256 * 256 * 3 + 256 * 256 * 3
    normalization = 3 * (256 + 256)
    lstm = 2 * (4 * 256 * (256 + 256) + 2 * 4 * 256)  # directions; gates; two biases
    assert n_parameters(encoder) == filters + normalization + lstm == 1_473_024
    assert encoder.embedding_size == 1024
    assert list(encoder.stages) == ["block1", "block2", "block3", "recurrence", "pooling"]


def test_cnn1d_gru_has_the_parameters_of_its_layers():
    encoder = CNN1DGRUEncoder(1, 43)
    filters = 43 * 64 * 5 + 64 * 64 * 5
    normalization = 2 * (64 + 64)
    gru = 3 * 512 * (64 + 512) + 2 * 3 * 512  # gates; two biases
    assert n_parameters(encoder) == filters + normalization + gru == 922_304
    assert encoder.embedding_size == 1024
    assert list(encoder.stages) == ["block1", "block2", "recurrence", "pooling"]


def test_channels_and_bins_are_both_inputs_of_the_first_filters():
    assert TDNNBiLSTMEncoder(3, 40, n_filters=2).blocks[0].convolution.in_channels == 120
    assert CNN1DGRUEncoder(3, 40, n_filters=2).blocks[0].convolution.in_channels == 120


def test_layers_have_the_extents_asked_for():
    extents = [
        (block.convolution.kernel_size, block.convolution.dilation)
        for block in TDNNBiLSTMEncoder(1, 2).blocks
    ]
    assert extents == [((1, 5), (1, 1)), ((1, 3), (1, 2)), ((1, 3), (1, 3))]
    blocks = CNN1DGRUEncoder(1, 2).blocks
    assert [block.convolution.kernel_size for block in blocks] == [(1, 5), (1, 5)]
    assert [block.pool_size for block in blocks] == [(1, 2), (1, 2)]
    assert [block.dropout.p for block in blocks] == [0.1, 0.1]


@pytest.mark.parametrize(
    ("kernel_sizes", "dilations", "counts"),
    [((5, 3), (1,), "2 and 1"), ((), (), "0 and 0")],
)
def test_one_kernel_and_dilation_per_layer(kernel_sizes, dilations, counts):
    with pytest.raises(ValueError, match=f"one number per layer.*{counts}"):
        TDNNBiLSTMEncoder(1, 2, kernel_sizes=kernel_sizes, dilations=dilations)


def test_padding_has_no_influence(encoder, batch):
    with torch.inference_mode():
        together = encoder(batch, LENGTHS)
        one_by_one = torch.cat(
            [encoder(x[None, ..., :length]) for x, length in zip(batch, LENGTHS, strict=True)]
        )
    torch.testing.assert_close(together, one_by_one, rtol=0, atol=1e-6)


def test_padding_has_no_influence_on_training(encoder, batch):
    """Neither statistics nor gradients change when the batch is padded further."""
    encoder.train()
    for part in encoder.modules():
        if isinstance(part, nn.Dropout2d):
            part.p = 0.0
    gradients = []
    for padding in (0, 30):
        encoder.zero_grad()
        encoder(nn.functional.pad(batch, (0, padding)), LENGTHS).square().sum().backward()
        gradients.append([parameter.grad.clone() for parameter in encoder.parameters()])
    for gradient, padded in zip(*gradients, strict=True):
        torch.testing.assert_close(gradient, padded, rtol=1e-4, atol=1e-4)


def test_stages_are_zero_behind_the_end(encoder, batch):
    made = {}
    for name, stage in encoder.stages.items():
        stage.register_forward_hook(
            lambda _stage, _inputs, output, name=name: made.update({name: output})
        )
    with torch.inference_mode():
        encoder(batch, LENGTHS)
    assert made.pop("pooling").shape == (5, encoder.embedding_size)
    for values, lengths in made.values():
        time_last = values if values.ndim == 4 else values.transpose(1, 2)
        for value, length in zip(time_last, lengths, strict=True):
            assert value[..., length:].count_nonzero() == 0
            assert value[..., length - 5 : length].count_nonzero() > 0


@pytest.mark.parametrize(
    ("make", "reach"),
    [
        (lambda: TDNNBiLSTMEncoder(1, 3, n_filters=4, lstm_hidden_size=2).blocks, 2 + 2 + 3),
        (lambda: CNN1DGRUEncoder(1, 3, n_filters=4, rnn_hidden_size=2).blocks[:1], 2),
    ],
    ids=["tdnn_bilstm", "cnn1d_gru"],
)
@pytest.mark.parametrize("bin_", [0, 2])
def test_an_impulse_spreads_along_time_only_as_far_as_the_filters_reach(make, reach, bin_):
    blocks = make().eval()
    for block in blocks:
        nn.init.ones_(block.convolution.weight)
        block.pooling = nn.Identity()  # the only layer that would change the number of frames
        block.pool_size = (1, 1)
    x = torch.zeros(1, 1, 3, 41)
    x[0, 0, bin_, 20] = 1
    x = x.flatten(1, 2).unsqueeze(2)
    for block in blocks:
        x, _ = block(x)
    assert x.shape == (1, 4, 1, 41)
    frames = x[0, 0, 0].nonzero().flatten().tolist()
    assert (frames[0], frames[-1]) == (20 - reach, 20 + reach)


def test_recurrence_of_the_gru_reads_forwards():
    encoder = CNN1DGRUEncoder(1, 3, n_filters=4, rnn_hidden_size=2).eval()
    maps = torch.randn(1, 4, 1, 9)
    changed = maps.clone()
    changed[..., 5] += 1
    before, after = encoder.recurrence(maps)[0], encoder.recurrence(changed)[0]
    assert torch.equal(before[:, :5], after[:, :5])
    assert (before[:, 5:] != after[:, 5:]).any(dim=2).all()


def test_min_shape_is_minimal(encoder):
    _, n_frames = encoder.min_shape
    kept = []
    encoder.pooling.register_forward_pre_hook(lambda _, inputs: kept.append(inputs[0].shape[1]))
    assert encoder(torch.randn(2, 2, 3, n_frames)).isfinite().all()
    with torch.inference_mode():
        encoder(torch.randn(2, 2, 3, n_frames + 1))
    assert kept[0] == 2
    assert UtteranceNetwork(encoder, nn.Identity()).min_shape == encoder.min_shape
    encoder(torch.randn(2, 2, 3, n_frames - 1))
    assert kept[-1] < 2


def test_no_convolutions_leave_the_gru():
    encoder = CNN1DGRUEncoder(2, 3, n_conv_layers=0, rnn_hidden_size=4)
    assert list(encoder.stages) == ["recurrence", "pooling"]
    assert encoder(torch.zeros(2, 2, 3, 2)).shape == (2, 8)
