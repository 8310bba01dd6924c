import pytest
import torch
from torch import nn

from serkit.modules import (
    BidirectionalGRU,
    CNN2DBiGRUEncoder,
    ConvolutionBlock,
    MaskedBatchNorm2d,
    StatisticsPooling,
    frame_mask,
    mask_frames,
)

LENGTHS = torch.tensor([7, 12, 5, 9])


def padded(*shape, extra=0, lengths=LENGTHS, dtype=torch.float64):
    """Return a batch of the lengths above, the same whatever the padding."""
    generator = torch.Generator().manual_seed(0)
    n_frames = int(lengths.max())
    x = torch.randn(len(lengths), *shape, n_frames, generator=generator, dtype=dtype)
    return mask_frames(nn.functional.pad(x, (0, extra)), lengths)


def real_frames(x, lengths=LENGTHS):
    """Return all real frames of a batch as one utterance."""
    return torch.cat([row[..., :n] for row, n in zip(x, lengths, strict=True)], dim=-1)[None]


def test_mask_marks_the_frames_of_every_utterance():
    mask = frame_mask(LENGTHS, 14)
    assert mask.sum(1).tolist() == LENGTHS.tolist()
    assert mask[0].tolist() == [True] * 7 + [False] * 7


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(
    "options",
    [
        {}, {"momentum": None}, {"momentum": 0.5, "eps": 0.1}, {"affine": False},
        {"bias": False}, {"track_running_stats": False},
    ],
    ids=str,
)  # fmt: skip
def test_batch_norm_is_that_of_the_real_frames(options, memory_format):
    masked, plain = MaskedBatchNorm2d(3, **options).double(), nn.BatchNorm2d(3, **options).double()
    for layer in (masked, plain):
        for weight in layer.parameters():
            nn.init.constant_(weight, 0.7)
    x = (2 * padded(3, 4, extra=3) + 5).contiguous(memory_format=memory_format).requires_grad_()
    for training in (True, True, False):  # twice: what momentum=None averages
        y = masked.train(training)(x, LENGTHS)
        frames = real_frames(x)
        expected = plain.train(training)(frames)
        torch.testing.assert_close(real_frames(y), expected)
        assert not y.masked_select(~frame_mask(LENGTHS, 15)[:, None, None]).any()
        weights = torch.randn_like(y)
        gradient, *of_weights = torch.autograd.grad(
            (y * weights).sum(), [x, *masked.parameters()], retain_graph=True
        )
        expected, *expected_of_weights = torch.autograd.grad(
            (expected * real_frames(weights)).sum(), [x, *plain.parameters()]
        )
        torch.testing.assert_close(gradient, expected)
        torch.testing.assert_close(of_weights, expected_of_weights)
    assert masked.state_dict().keys() == plain.state_dict().keys()
    torch.testing.assert_close(masked.state_dict(), plain.state_dict())


def test_batch_norm_passes_a_check_of_its_gradient():
    layer = MaskedBatchNorm2d(2).double()
    lengths = torch.tensor([3, 2])

    def normalize(x, weight, bias):
        return torch.func.functional_call(layer, {"weight": weight, "bias": bias}, (x, lengths))

    inputs = [torch.randn(*shape).double() for shape in ((2, 2, 2, 4), (2,), (2,))]
    assert torch.autograd.gradcheck(normalize, [value.requires_grad_() for value in inputs])


def test_batch_norm_has_no_second_derivative():
    x = padded(3, 4).requires_grad_()
    y = MaskedBatchNorm2d(3).double()(x, LENGTHS)
    (gradient,) = torch.autograd.grad(y.pow(3).sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="differentiate twice"):
        gradient.square().sum().backward()


def test_batch_norm_ignores_what_the_padding_holds():
    layer = MaskedBatchNorm2d(3).double()
    x = padded(3, 4)
    garbage = x + 1e3 * ~frame_mask(LENGTHS, 12)[:, None, None]
    torch.testing.assert_close(layer(garbage, LENGTHS), layer(x, LENGTHS))


def test_batch_norm_keeps_the_digits_of_a_mean_far_from_zero():
    x = mask_frames(30 + padded(3, 4, dtype=torch.float32), LENGTHS)
    y = MaskedBatchNorm2d(3)(x, LENGTHS)
    expected = nn.BatchNorm2d(3).double()(real_frames(x).double())
    torch.testing.assert_close(real_frames(y).double(), expected, rtol=0, atol=5e-4)


def test_batch_norm_keeps_statistics_in_single_precision():
    layer = MaskedBatchNorm2d(3)
    x = padded(3, 4, dtype=torch.bfloat16) + 3
    layer(x.requires_grad_(), LENGTHS).sum().backward()
    expected = 0.1 * real_frames(x.detach().float()).mean(dim=(0, 2, 3))
    torch.testing.assert_close(layer.running_mean, expected, rtol=1e-5, atol=0)
    assert x.grad.isfinite().all()


def make_encoder(**options):
    torch.manual_seed(0)
    return CNN2DBiGRUEncoder(
        2, 9, n_filters=4, rnn_hidden_size=3, conv_dropout=0.0, **options
    ).double()


ENCODERS = [
    {},
    {"n_conv_layers": 2},
    {"kernel_size": 3, "pool_size": (1, 3)},
    {"kernel_size": (1, 4), "n_conv_layers": 2, "projection": False},
]


@pytest.mark.parametrize("options", ENCODERS, ids=str)
def test_a_batch_is_encoded_like_its_utterances_one_by_one(options):
    encoder = make_encoder(**options).float()
    lengths = torch.tensor([14, 25, 11, 18])
    x = padded(2, 9, lengths=lengths, extra=2, dtype=torch.float32)
    encoder(x, lengths)  # moves the running statistics away from (0, 1)
    encoder.eval()
    alone = [encoder(row[None, ..., :n]) for row, n in zip(x, lengths, strict=True)]
    torch.testing.assert_close(encoder(x, lengths), torch.cat(alone), rtol=0, atol=1e-6)


@pytest.mark.parametrize("options", ENCODERS, ids=str)
def test_more_padding_changes_nothing_in_training(options):
    lengths = torch.tensor([14, 25, 11, 18])
    results = []
    for extra in (0, 6):
        encoder = make_encoder(**options)
        x = padded(2, 9, lengths=lengths, extra=extra).requires_grad_()
        encoder(x, lengths).pow(2).sum().backward()
        gradients = [weight.grad for weight in encoder.parameters()]
        results.append([x.grad[..., :25], *gradients, *encoder.buffers()])
    assert all(value.abs().max() > 0 for value in results[0])
    torch.testing.assert_close(*results)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_equal_lengths_are_trained_on_as_if_they_were_not_given(memory_format):
    results = []
    for lengths in (None, torch.tensor([20, 20, 20])):
        encoder = make_encoder(n_conv_layers=2).to(memory_format=memory_format)
        x = padded(2, 9, lengths=torch.tensor([20, 20, 20]))
        y = encoder(x, lengths)
        y.pow(2).sum().backward()
        results.append([y, *(weight.grad for weight in encoder.parameters()), *encoder.buffers()])
    torch.testing.assert_close(*results)


@pytest.mark.parametrize("training", [True, False])
def test_a_block_leaves_zeros_behind_the_end(training):
    torch.manual_seed(0)
    block = ConvolutionBlock(2, 4, kernel_size=3).double().train(training)
    y, lengths = block(padded(2, 9, extra=4), LENGTHS)
    assert lengths.tolist() == [3, 6, 2, 4]
    outside = ~frame_mask(lengths, y.shape[-1])
    assert outside.any()
    assert not y.masked_select(outside[:, None, None]).any()


def test_recurrence_ignores_what_the_padding_holds():
    torch.manual_seed(0)
    recurrence = BidirectionalGRU(12, 3).double()
    x = padded(4, 3, extra=2).requires_grad_()
    garbage = x + 1e3 * ~frame_mask(LENGTHS, 14)[:, None, None]
    y, lengths = recurrence(garbage, LENGTHS)
    assert torch.equal(lengths, LENGTHS)
    assert not y[~frame_mask(LENGTHS, 14)].any()
    for row, values, n in zip(x, y, LENGTHS, strict=True):
        alone, _ = recurrence(row[None, ..., :n])
        torch.testing.assert_close(values[None, :n], alone)
    y.pow(2).sum().backward()
    assert not x.grad.masked_select(~frame_mask(LENGTHS, 14)[:, None, None]).any()


def test_without_lengths_nothing_is_masked():
    x = torch.ones(2, 3, 4, 5)
    assert mask_frames(x, None) is x
    block = ConvolutionBlock(3, 4)
    assert block(x)[1] is None
    assert StatisticsPooling()(x[:, 0], None).shape == (2, 10)
