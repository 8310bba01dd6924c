import pytest
import torch

from serkit.modules import BiGRUEncoder, SequenceCNNEncoder, is_length_aware


def n_parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_recurrent_encoder_has_the_published_size():
    encoder = BiGRUEncoder(1, 129)
    assert n_parameters(encoder.recurrence) == 2 * 3 * 250 * (129 + 250 + 2)
    assert encoder.embedding_size == 500
    assert list(encoder.stages) == ["recurrence", "normalization"]


def test_each_direction_ends_at_an_end_of_the_utterance():
    torch.manual_seed(0)
    encoder = BiGRUEncoder(1, 3, hidden_size=4).eval()
    x = torch.randn(1, 1, 3, 9)
    _, final = encoder.recurrence.layer(x[:, 0].transpose(1, 2))
    expected = encoder.normalization(torch.cat([final[0], final[1]], dim=1))
    torch.testing.assert_close(encoder(x), expected)


def test_padding_has_no_influence():
    torch.manual_seed(0)
    encoder = BiGRUEncoder(2, 3, hidden_size=4).eval()
    lengths = torch.tensor([7, 4, 1])
    x = torch.randn(3, 2, 3, 7)
    found = encoder(x, lengths)
    for row, length in enumerate(lengths):
        alone = encoder(x[row : row + 1, ..., :length])
        torch.testing.assert_close(found[row], alone[0])


def test_convolutional_encoder_has_the_published_maps():
    encoder = SequenceCNNEncoder(1, 129, 800).eval()
    x = torch.zeros(1, 1, 129, 800)
    shapes = []
    with torch.inference_mode():
        for stage in encoder.stages.values():
            x = stage(x)
            shapes.append(tuple(x.shape[1:]))
    assert shapes == [(20, 64, 400), (28, 32, 200), (40, 16, 100), (64_000,)]
    assert encoder.embedding_size == 64_000
    # Pairs are (bins, frames): no swap of a kernel changes the number of weights.
    kernels = [layer[1].kernel_size for layer in encoder.convolutions]
    assert kernels == [(12, 16), (12, 8), (7, 5)]
    assert n_parameters(encoder) == (192 * 20 + 20) + (96 * 20 * 28 + 28) + (35 * 28 * 40 + 40)


@pytest.mark.parametrize(("kernel", "reach"), [((1, 4), (0, 2, 1)), ((3, 1), (1, 0, 0))])
def test_an_impulse_reaches_as_far_as_the_kernel(kernel, reach):
    encoder = SequenceCNNEncoder(1, 9, 9, n_filters=(1,), kernel_sizes=(kernel,), pool_size=1)
    padding, convolution, *_ = encoder.convolutions[0]
    torch.nn.init.ones_(convolution.weight)
    torch.nn.init.zeros_(convolution.bias)
    x = torch.zeros(1, 1, 9, 9)
    x[..., 4, 4] = 1
    bins, frames = convolution(padding(x))[0, 0].nonzero(as_tuple=True)
    spread, before, behind = reach
    assert (bins.min(), bins.max()) == (4 - spread, 4 + spread)
    assert (frames.min(), frames.max()) == (4 - before, 4 + behind)


def test_convolutional_encoder_has_one_length_and_a_least_size():
    encoder = SequenceCNNEncoder(1, 1, 3, n_filters=(2, 2), kernel_sizes=((1, 3), (1, 3)))
    assert encoder.min_shape == (4, 4)
    assert encoder.n_frames == 4
    assert encoder(torch.zeros(2, 1, *encoder.min_shape)).shape == (2, encoder.embedding_size)
    assert not is_length_aware(encoder)


@pytest.mark.parametrize("n_filters", [(), (4,), (4, 4, 4)])
def test_one_kernel_per_convolution(n_filters):
    with pytest.raises(ValueError, match="one entry per convolution"):
        SequenceCNNEncoder(1, 8, 8, n_filters=n_filters, kernel_sizes=((3, 3), (3, 3)))
