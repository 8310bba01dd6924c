import numpy as np
import pytest
import torch
from scipy.fft import dct
from torch import nn
from torch.nn import functional

from serkit.modules import (
    CLDNNEncoder,
    ConvolutionFrontEnd,
    DCTConv,
    LDNNEncoder,
    MLPHead,
    convolution_geometry,
    initialize_glorot,
)

KERNELS = {
    "s": ((3, 1), (2, 1)),
    "t": ((1, 3), (1, 2)),
    "st": ((3, 5), (2, 2)),
    "fst": ((13, 4), (1, 2)),
}


def n_parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


# What is left of a frame with its context.


@pytest.mark.parametrize(
    ("w1", "w2", "expected"),
    [
        (3, 2, [14, 6, 5, 2]),
        (4, 2, [13, 6, 5, 2]),
        (5, 2, [12, 5, 4, 1]),
        (6, 2, [11, 5, 4, 1]),
        (7, 2, [10, 4, 3, 1]),
        (8, 2, [9, 4, 3, 1]),
        (3, 3, [14, 6, 4, 1]),
        (4, 3, [13, 6, 4, 1]),
        (5, 3, [12, 5, 3, 1]),
        (6, 3, [11, 5, 3, 1]),
    ],
)
def test_frames_that_are_left(w1, w2, expected):
    for convolution, bins in {"t": (1, 1), "fst": (40, 1)}.items():
        sizes = [(bins[0], w1), (bins[1], w2)]
        shapes = convolution_geometry(convolution, sizes, n_bins=40)
        assert [frames for _, frames in shapes] == expected
        assert {n for n, _ in shapes} == ({40} if convolution == "t" else {1})
        front_end = ConvolutionFrontEnd(1, 40, convolution, kernel_sizes=sizes)
        assert front_end.output_size == 32 * shapes[-1][0] * expected[-1]


@pytest.mark.parametrize(
    ("h1", "h2", "expected"),
    [
        (4, 3, [37, 18, 16, 7]),
        (5, 3, [36, 17, 15, 7]),
        (6, 3, [35, 17, 15, 7]),
        (7, 3, [34, 16, 14, 6]),
        (8, 3, [33, 16, 14, 6]),
        (9, 3, [32, 15, 13, 6]),
        (22, 3, [19, 9, 7, 3]),
        (30, 3, [11, 5, 3, 1]),
        (4, 4, [37, 18, 15, 7]),
        (5, 4, [36, 17, 14, 6]),
        (6, 4, [35, 17, 14, 6]),
        (7, 4, [34, 16, 13, 6]),
        (8, 4, [33, 16, 13, 6]),
        (9, 4, [32, 15, 12, 5]),
    ],
)
def test_bins_that_are_left(h1, h2, expected):
    shapes = convolution_geometry("s", [(h1, 1), (h2, 1)], n_bins=40)
    assert shapes == [(bins, 16) for bins in expected]
    front_end = ConvolutionFrontEnd(1, 40, "s", kernel_sizes=[(h1, 1), (h2, 1)])
    assert front_end.output_size == 32 * expected[-1] * 16
    along_both = convolution_geometry("st", [(h1, 3), (h2, 2)], n_bins=40)
    assert along_both == list(zip(expected, [14, 6, 5, 2], strict=True))


@pytest.mark.parametrize(
    ("convolution", "kernel_sizes", "message"),
    [
        ("s", [(31, 1), (3, 1)], "layer 2 takes 3 bins, and gets 2 of the 4 .* at most 2 bins"),
        ("s", [(30, 1), (4, 1)], "layer 2 takes 3 bins, and gets 2 of the 5 .* at most 3 bins"),
        ("s", [(39, 1), (1, 1)], "layer 1 takes 3 bins, .* at most 38 bins there or features"),
        ("t", [(1, 7), (1, 3)], "layer 2 takes 3 frames, and gets 2 of the 4 .* a wider context"),
        ("t", [(1, 8), (1, 3)], "layer 2 takes 3 frames, and gets 2 of the 4"),
        ("fst", [(40, 7), (1, 3)], "layer 2 takes 3 frames, and gets 2 of the 4"),
        ("st", [(4, 8), (3, 3)], "layer 2 takes 3 frames"),
        ("st", [(4, 12), (3, 2)], "gets 1 of the 2 .* Use smaller filters before or a wider"),
        ("s", [(4, 1), (3, 2)], "filters of one frame in layer 2, not .* = \\(3, 2\\)"),
        ("t", [(1, 1), (1, 2)], "one bin and two frames or more in layer 1"),
        ("t", [(3, 1), (2, 1)], "one bin and two frames or more in layer 1"),
        ("st", [(1, 3), (3, 2)], "two bins and two frames or more in layer 1"),
        ("fst", [(39, 3), (1, 2)], "all 40 bins and two frames or more in layer 1"),
        ("fst", [(40, 3), (2, 2)], "one bin and two frames or more in layer 2"),
        ("tf", [(4, 3), (3, 2)], "convolution is one of s, t, st, fst, not 'tf'"),
        ("st", (4, 3), "a pair .* for each layer"),
        ("st", [], "a pair .* for each layer"),
        ("st", [(4, 3, 3)], "two of them"),
    ],
)
def test_filters_that_do_not_fit_say_what_would(convolution, kernel_sizes, message):
    with pytest.raises(ValueError, match=message):
        ConvolutionFrontEnd(1, 40, convolution, kernel_sizes=kernel_sizes)


@pytest.mark.parametrize(("convolution", "least"), [("s", 7), ("t", 1), ("st", 10), ("fst", 1)])
def test_usual_filters_fit_any_number_of_bins(convolution, least):
    for n_bins in range(1, 45):
        front_end = ConvolutionFrontEnd(1, n_bins, convolution, n_filters=1)
        assert front_end.min_shape == (least, 1)
        x = torch.zeros(1, 1, max(n_bins, least), 2)
        assert front_end(x)[0].shape == (1, 2, front_end.output_size)


@pytest.mark.parametrize(("convolution", "sizes"), [("s", [(1, 1)] * 2), ("st", [(2, 2)] * 2)])
def test_fewer_bins_fit_no_filters(convolution, sizes):
    least = ConvolutionFrontEnd(1, 1, convolution).min_shape[0]
    assert convolution_geometry(convolution, sizes, n_bins=least)[-1][0] == 1
    with pytest.raises(ValueError, match="leave nothing"):
        convolution_geometry(convolution, sizes, n_bins=least - 1)


def test_usual_filters_of_forty_bins():
    usual = {
        "s": ((22, 1), (3, 1)),
        "t": ((1, 5), (1, 2)),
        "st": ((6, 5), (3, 2)),
        "fst": ((40, 5), (1, 2)),
    }
    for convolution, kernel_sizes in usual.items():
        assert ConvolutionFrontEnd(1, 40, convolution).kernel_sizes == kernel_sizes


@pytest.mark.parametrize("context", [(10,), (10, -1), (1, 2, 3), (0.5, 2)])
def test_bad_contexts_are_refused(context):
    with pytest.raises(ValueError, match="two numbers of frames, before and behind"):
        LDNNEncoder(1, 40, context=context)


def test_a_narrow_context_is_refused():
    with pytest.raises(ValueError, match="a wider context"):
        ConvolutionFrontEnd(1, 40, "t", context=(4, 4))
    assert ConvolutionFrontEnd(1, 40, "t", context=(5, 4)).kernel_sizes == ((1, 2), (1, 2))


# One pass over an utterance is as good as one per frame.


def with_context(x, context):
    """Return, of frames (n_channels, n_bins, n_frames), every frame with its context."""
    edges = np.pad(x, ((0, 0), (0, 0), context), mode="edge")
    width = 1 + sum(context)
    return torch.stack(
        [torch.from_numpy(edges[:, :, t : t + width].copy()) for t in range(x.shape[-1])]
    )


def one_frame_after_another(front_end, convolution, x, context):
    """Apply plain layers to each frame with its context, as to an image of its own."""
    along_bins, along_frames = convolution in ("s", "st"), convolution != "s"
    size = (3 if along_bins else 1, 3 if along_frames else 1)
    stride = (2 if along_bins else 1, 2 if along_frames else 1)
    maps = with_context(x, context)
    for layer in front_end.layers:
        plain = layer.convolution
        maps = functional.conv2d(maps, plain.weight, plain.bias).relu()
        maps = functional.max_pool2d(maps, size, stride)
    return maps.permute(0, 3, 2, 1).flatten(1)


@pytest.mark.parametrize("lengths", [[30, 30], [31, 16, 4, 1]], ids=["equal", "unequal"])
@pytest.mark.parametrize("n_layers", [1, 2])
@pytest.mark.parametrize("convolution", KERNELS)
def test_one_pass_equals_one_per_frame(convolution, n_layers, lengths):
    torch.manual_seed(0)
    kernel_sizes = KERNELS[convolution][:n_layers]
    front_end = ConvolutionFrontEnd(2, 13, convolution, kernel_sizes=kernel_sizes, n_filters=8)
    front_end.double().to(memory_format=torch.channels_last)
    x = torch.zeros(len(lengths), 2, 13, max(lengths), dtype=torch.float64)
    for row, length in zip(x, lengths, strict=True):
        row[..., :length] = torch.randn(2, 13, length)
    unequal = len(set(lengths)) > 1
    y, left = front_end(x, torch.tensor(lengths) if unequal else None)
    assert y.shape == (len(x), max(lengths), front_end.output_size)
    assert (left.tolist() == lengths) if unequal else (left is None)
    for row, values, length in zip(x, y, lengths, strict=True):
        expected = one_frame_after_another(
            front_end, convolution, row[..., :length].numpy(), (10, 5)
        )
        assert expected.any()
        torch.testing.assert_close(values[:length], expected, rtol=1e-10, atol=1e-10)
        assert not values[length:].any()


def test_three_layers_of_a_wide_context_equal_one_pass_per_frame():
    context = (16, 9)
    front_end = ConvolutionFrontEnd(
        1, 6, "fst", kernel_sizes=[(6, 3), (1, 2), (1, 2)], n_filters=3, context=context
    ).double()
    x = torch.randn(1, 1, 6, 20, dtype=torch.float64)
    expected = one_frame_after_another(front_end, "fst", x[0].numpy(), context)
    torch.testing.assert_close(front_end(x)[0][0], expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("convolution", KERNELS)
def test_gradients_equal_those_of_one_pass_per_frame(convolution):
    torch.manual_seed(0)
    front_end = ConvolutionFrontEnd(
        1, 13, convolution, kernel_sizes=KERNELS[convolution], n_filters=3
    ).double()
    x = torch.randn(1, 1, 13, 18, dtype=torch.float64)
    weights = torch.randn(18, front_end.output_size, dtype=torch.float64)
    expected = one_frame_after_another(front_end, convolution, x[0].numpy(), (10, 5))
    parameters = list(front_end.parameters())
    expected_gradients = torch.autograd.grad((expected * weights).sum(), parameters)
    gradients = torch.autograd.grad((front_end(x)[0][0] * weights).sum(), parameters)
    for gradient, expected in zip(gradients, expected_gradients, strict=True):
        torch.testing.assert_close(gradient, expected, rtol=1e-10, atol=1e-10)


def test_no_context_is_copied_before_the_last_stage():
    encoder = CLDNNEncoder(1, 40, "st", kernel_sizes=[(4, 3), (3, 2)])
    shapes = {}
    for name, stage in encoder.stages.items():
        stage.register_forward_hook(
            lambda _stage, _inputs, output, name=name: shapes.update({name: output[0].shape})
        )
    encoder(torch.zeros(1, 1, 40, 300))
    n_frames = 300 + 10 + 5
    assert shapes["convolution1"] == (1, 32, 18, n_frames - 2 - 2)
    assert shapes["convolution2"] == (1, 32, 7, n_frames - 2 - 2 - 2 - 4)
    assert shapes["context"] == (1, 300, 32 * 7 * 2)


def test_spliced_frames_are_those_around_each():
    encoder = LDNNEncoder(2, 3)
    x = torch.randn(2, 2, 3, 20)
    lengths = torch.tensor([20, 7])
    x[1, ..., 7:] = 0
    spliced, _ = encoder.front_end(x, lengths)
    spliced = spliced.reshape(2, 20, 16, 3, 2)
    for row, length in enumerate(lengths):
        for t in range(length):
            for column in range(16):
                source = min(max(t - 10 + column, 0), length - 1)
                torch.testing.assert_close(spliced[row, t, column].T, x[row, :, :, source])
    assert not spliced[1, 7:].any()


def test_filters_spread_over_bins_and_frames_as_asked_for():
    front_end = ConvolutionFrontEnd(1, 40, "st", kernel_sizes=[(7, 4), (3, 2)], n_filters=1)
    first, second = front_end.layers
    for layer in (first, second):
        nn.init.ones_(layer.convolution.weight)
        nn.init.zeros_(layer.convolution.bias)
    x = torch.zeros(1, 1, 40, 60)
    x[0, 0, 20, 30] = 1
    bins, frames = first.convolution(x)[0, 0].nonzero().T
    assert sorted(set(bins.tolist())) == list(range(14, 21))
    assert sorted(set(frames.tolist())) == [27, 28, 29, 30]
    y, _ = front_end(x)
    # It is in the context of 5 frames before it and of 10 behind it.
    [frames] = y[0].any(dim=1).nonzero().T
    assert (frames.min(), frames.max()) == (25, 40)


# Whole encoders.


@pytest.mark.parametrize(
    ("kernel_sizes", "n_bins", "n_convolution", "n_total"),
    [
        (None, 40, 0, 825_734),
        (None, 13, 0, 383_366),
        (((1, 3), (1, 2)), 40, 2_208, 2_794_022),
        (((1, 8), (1, 2)), 40, 2_368, 1_483_462),
        (((4, 1), (3, 1)), 40, 3_264, 3_843_654),
        (((22, 1), (3, 1)), 40, 3_840, 1_747_078),
        (((4, 3), (3, 2)), 40, 6_592, 635_718),
        (((40, 3), (1, 2)), 40, 5_952, 241_862),
        (((40, 8), (1, 2)), 40, 12_352, 215_494),
        (((1, 3), (1, 2)), 13, 2_208, 1_024_550),
        (((13, 3), (1, 2)), 13, 3_360, 239_270),
    ],
)
def test_numbers_of_weights_are_the_published_ones(kernel_sizes, n_bins, n_convolution, n_total):
    if kernel_sizes is None:
        encoder = LDNNEncoder(1, n_bins)
    else:
        (h1, w1), _ = kernel_sizes
        convolution = "s" if w1 == 1 else {1: "t", n_bins: "fst"}.get(h1, "st")
        encoder = CLDNNEncoder(1, n_bins, convolution, kernel_sizes=kernel_sizes)
    head = MLPHead(256, 6, hidden_layer_sizes=(128, 32, 32), dropout=0.0, batch_norm=False)
    assert n_parameters(head) == 38_278
    assert n_parameters(encoder.front_end) == n_convolution
    second_biases = 2 * 4 * 128  # of torch's LSTM
    assert n_parameters(encoder) + n_parameters(head) == n_total + second_biases


@pytest.mark.parametrize("kind", ["ldnn", *KERNELS])
def test_padding_has_no_influence(kind):
    torch.manual_seed(0)
    if kind == "ldnn":
        encoder = LDNNEncoder(1, 13, lstm_hidden_size=8).eval()
    else:
        encoder = CLDNNEncoder(1, 13, kind, n_filters=4, lstm_hidden_size=8).eval()
    lengths = torch.tensor([40, 17, 3])
    x = torch.randn(3, 1, 13, 40)
    for row, length in zip(x, lengths, strict=True):
        row[..., length:] = 1e3  # not even where it is no zero
    together = encoder(x, lengths)
    for row, length, embedding in zip(x, lengths, together, strict=True):
        alone = encoder(row[None, ..., :length])[0]
        torch.testing.assert_close(alone, embedding, rtol=0, atol=1e-6)


def test_only_the_embedding_is_dropped_out():
    torch.manual_seed(0)
    encoder = CLDNNEncoder(1, 13, n_filters=4, lstm_hidden_size=50, dropout=0.4)
    x = torch.randn(1, 1, 13, 20)
    trained, whole = encoder(x)[0], encoder.eval()(x)[0]
    kept = trained != 0
    assert 40 < kept.sum() < 80
    torch.testing.assert_close(trained[kept], whole[kept] / 0.6)


def test_initial_weights():
    torch.manual_seed(0)
    encoder = CLDNNEncoder(1, 40, kernel_sizes=[(40, 5), (1, 2)])
    convolution = encoder.front_end.layers[0].convolution
    limit = (6 / (40 * 5 + 32 * 40 * 5)) ** 0.5
    assert 0.95 * limit < convolution.weight.abs().max() <= limit
    assert not convolution.bias.any()
    lstm = encoder.recurrence.layer
    for direction in ("", "_reverse"):
        recurrent = getattr(lstm, f"weight_hh_l0{direction}")
        torch.testing.assert_close(recurrent.T @ recurrent, torch.eye(128), rtol=0, atol=1e-5)
        bias = getattr(lstm, f"bias_ih_l0{direction}") + getattr(lstm, f"bias_hh_l0{direction}")
        _, forget, *others = bias.split(128)
        assert (forget == 1).all()
        assert not torch.cat([bias[:128], *others]).any()
        kernel = getattr(lstm, f"weight_ih_l0{direction}")
        assert kernel.abs().max() <= (6 / sum(kernel.shape)) ** 0.5
    head = initialize_glorot(MLPHead(4, 2, hidden_layer_sizes=(3,), batch_norm=False))
    assert not any(layer.bias.any() for layer in head if isinstance(layer, nn.Linear))


# The cosine transform.


def test_cosine_filters_equal_those_of_scipy():
    x = np.random.default_rng(0).normal(size=(2, 1, 40, 7))
    expected = dct(x, type=2, axis=2)[:, :, :13] / 2
    by_hand = DCTConv(13, 40).double()(torch.from_numpy(x))
    np.testing.assert_allclose(by_hand, expected, atol=1e-5)  # the filters are in single precision
    assert not list(DCTConv(13, 40).parameters())


def test_too_many_coefficients_are_refused():
    with pytest.raises(ValueError, match="40 bins have 1 to 40 coefficients, not 41"):
        DCTConv(41, 40)
