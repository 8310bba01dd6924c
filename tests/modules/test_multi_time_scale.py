"""Convolutions whose kernels are stretched in time."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from serkit.modules import (
    SCALE_SETS,
    ACRNNEncoder,
    CLDNNEncoder,
    CNN2DBiGRUEncoder,
    GLAMEncoder,
    MLPEncoder,
    MultiTimeScaleConv2d,
    convert_to_multi_time_scale,
    resample_kernel,
)


def made(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))


def layer(*arguments, **options):
    torch.manual_seed(0)
    return MultiTimeScaleConv2d(*arguments, **options).double()


@pytest.mark.parametrize(
    ("length", "values"),
    [(2, [1.5, 3.5]), (4, [1, 2, 3, 4]), (8, [1, 1.25, 1.75, 2.25, 2.75, 3.25, 3.75, 4])],
)
def test_kernels_are_stretched_linearly(length, values):
    kernel = torch.arange(1.0, 5.0).repeat(2, 3, 5, 1)
    stretched = resample_kernel(kernel, length)
    assert stretched.shape == (2, 3, 5, length)
    np.testing.assert_allclose(stretched, np.broadcast_to(values, stretched.shape))


@pytest.mark.parametrize(
    ("n_frames", "factors", "lengths"),
    [
        (10, (0.25, 0.5, 0.7, 0.8, 0.9, 0.95), (2, 5, 7, 8, 9, 9, 10)),
        (10, (1.053, 1.111, 1.25, 1.428, 2, 4), (10, 10, 11, 12, 14, 20, 40)),
        (11, (0.7, 0.95, 1.428, 4), (7, 10, 11, 15, 44)),
        (3, (0.7, 1.428), (2, 3, 4)),
    ],
)
def test_lengths_of_kernels(n_frames, factors, lengths):
    convolution = layer(1, 1, (5, n_frames), scale_factors=factors, scale_penalty=0.1)
    assert convolution.kernel_lengths == lengths


def test_kernels_of_one_length_are_one_scale():
    convolution = layer(1, 1, (5, 10), scale_factors=(0.9, 0.95, 1.053, 1.111))
    assert convolution.scale_factors == (0.95, 1.0, 1.111)
    assert convolution.kernel_lengths == (9, 10, 11)


def test_a_kernel_of_no_length_is_refused():
    with pytest.raises(ValueError, match=r"0\.25 leaves nothing of a kernel of 3 frames"):
        MultiTimeScaleConv2d(1, 1, 3, scale_factors=(0.25, 1, 4))


OPTIONS = [
    {},
    {"padding": (2, 3)},
    {"padding": "same"},
    {"stride": (2, 3), "padding": 1},
    {"dilation": (1, 2), "bias": False},
]


@pytest.mark.parametrize("align", ["interpolate", "pad"])
@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(options) or "plain")
def test_one_scale_is_a_plain_convolution(options, align):
    convolution = layer(2, 3, (3, 4), scale_factors=(1.0,), align=align, **options)
    plain = nn.Conv2d(2, 3, (3, 4), **options).double()
    plain.load_state_dict(convolution.state_dict())
    x = made(2, 2, 9, 30)
    torch.testing.assert_close(convolution(x), plain(x))
    # The scale itself, where there are others.
    several = layer(2, 3, (3, 4), scale_factors=(0.5, 2.0), align=align, **options)
    several.load_state_dict(plain.state_dict())
    torch.testing.assert_close(several.at_scales(x)[:, 1], plain(x))
    assert several(x).shape == plain(x).shape
    assert sum(w.numel() for w in several.parameters()) == sum(
        w.numel() for w in plain.parameters()
    )


def stretched_by_hand(maps, length):
    """Interpolate at the middles of cells, which are spread over the same extent."""
    old = np.arange(maps.shape[-1]) + 0.5
    new = (np.arange(length) + 0.5) * maps.shape[-1] / length
    rows = maps.reshape(-1, maps.shape[-1])
    return np.array([np.interp(new, old, row) for row in rows]).reshape(*maps.shape[:-1], length)


#: Scales that are computed in one call, and one by one, with the lengths of kernels of 10 frames.
SCALES = {(0.7, 1.0, 1.428): (7, 10, 14), (0.5, 1.0, 2.0): (5, 10, 20)}


@pytest.mark.parametrize("scales", SCALES)
def test_interpolated_maps_against_a_slow_reference(scales):
    convolution = layer(2, 3, (3, 10), scale_factors=scales)
    x = made(2, 2, 7, 29)
    weight = convolution.weight.detach().numpy()
    expected = []
    for length in SCALES[scales]:
        kernel = torch.from_numpy(stretched_by_hand(weight, length))
        maps = functional.conv2d(x, kernel, convolution.bias).detach().numpy()
        expected.append(stretched_by_hand(maps, 20))
    np.testing.assert_allclose(
        convolution(x).detach(), np.max(expected, axis=0), rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize("scales", SCALES)
@pytest.mark.parametrize("dilation", [1, 2])
def test_padded_maps_against_a_slow_reference(dilation, scales):
    """Every kernel has its middle where that of scale 1 has it."""
    convolution = layer(
        1, 2, (3, 10), scale_factors=scales, align="pad", dilation=(1, dilation), padding=(0, 4)
    )
    x = made(1, 1, 3, 40)
    maps = convolution.at_scales(x).detach()
    margin = 30
    padded = functional.pad(x, (margin, margin))
    for scale, kernel in enumerate(convolution.kernels()):
        left = (kernel.shape[-1] - 10) // 2
        for frame in range(maps.shape[-1]):
            start = margin + frame - 4 - left * dilation
            covered = padded[0, 0, :, start : start + kernel.shape[-1] * dilation : dilation]
            expected = (kernel[:, 0] * covered).sum(dim=(1, 2)) + convolution.bias
            torch.testing.assert_close(maps[0, scale, :, 0, frame], expected.detach())


@pytest.mark.parametrize("align", ["interpolate", "pad"])
def test_gradients_of_all_scales_add_up(align):
    convolution = layer(1, 2, (2, 4), scale_factors=(0.5, 1.5), align=align)
    x = made(1, 1, 3, 12).requires_grad_()
    assert torch.autograd.gradcheck(convolution.at_scales, (x,))
    weight = convolution.weight.detach().clone().requires_grad_()

    def of_weight(weight):
        return torch.func.functional_call(convolution, {"weight": weight}, (x.detach(),))

    assert torch.autograd.gradcheck(of_weight, (weight,))
    convolution(x).sum().backward()
    assert all(grad.abs().sum() > 0 for grad in convolution.weight.grad)


@pytest.mark.parametrize("align", ["interpolate", "pad"])
def test_usage(align):
    convolution = layer(1, 4, (3, 8), scale_factors=(0.5, 2.0), align=align)
    x = made(3, 1, 6, 60)
    shares = convolution.scale_usage(x)
    assert shares.sum().item() == pytest.approx(1)
    maps = convolution.at_scales(x)
    wins = [(maps[:, k] == maps.amax(1)).double().mean().item() for k in range(3)]
    assert shares.tolist() == pytest.approx(wins)
    # Silence says nothing of scales.
    silent = functional.pad(x, (0, 200))
    if align == "pad":
        counts = convolution.count_wins(silent) - convolution.count_wins(x)
        assert counts.sum() < 3 * 4 * 4 * 20
    # What is penalised for good never wins where anything is above zero.
    convolution.bias.data += 100
    convolution.scale_penalty = 1.0
    assert convolution.scale_usage(x).tolist() == [0, 1, 0]


@pytest.mark.parametrize(("norm", "kept"), [("sum", "sum"), ("l2", "norm")])
def test_norms_of_kernels(norm, kept):
    convolution = layer(1, 3, (3, 8), scale_factors=(0.5, 2.0), kernel_norm=norm)
    convolution.weight.data = convolution.weight.data.cumsum(dim=-1)  # smooth
    whole = [getattr(kernel[0], kept)().item() for kernel in convolution.kernels()]
    assert whole == pytest.approx([whole[1]] * 3, rel=0.03)
    convolution.kernel_norm = None
    whole = [kernel[0].sum().item() for kernel in convolution.kernels()]
    assert whole[2] / whole[1] == pytest.approx(2, rel=0.03)


def test_kernels_are_stretched_along_frames_only():
    """Pairs are (bins, frames): an impulse spreads by the longest kernel along frames."""
    convolution = layer(1, 1, (2, 4), scale_factors=(0.5, 2.0), padding=(4, 8), align="pad")
    convolution.weight.data.fill_(1.0)
    convolution.bias.data.zero_()
    x = torch.zeros(1, 1, 11, 31, dtype=torch.float64)
    x[..., 5, 15] = 1
    reached = convolution(x)[0, 0] > 0
    assert reached.any(dim=1).sum() == 2
    assert reached.any(dim=0).sum() == 8


@pytest.mark.parametrize(
    ("encoder", "n_converted"),
    [
        (lambda: CNN2DBiGRUEncoder(1, 20, n_conv_layers=2), 2),
        (lambda: ACRNNEncoder(1, 20, n_conv_layers=2, conv_channels=(4, 8)), 2),
        (lambda: GLAMEncoder(1, 13, 20, n_filters=2), 8),
        (lambda: CLDNNEncoder(1, 20, convolution="st"), 2),
    ],
    ids=["cnn2d_bigru", "acrnn", "glam", "cldnn"],
)
def test_every_network_can_be_converted(encoder, n_converted):
    torch.manual_seed(0)
    plain = encoder().eval()
    converted = convert_to_multi_time_scale(plain, (0.5, 1.0, 1.5))
    assert sum(isinstance(p, MultiTimeScaleConv2d) for p in converted.modules()) == n_converted
    assert not any(isinstance(part, MultiTimeScaleConv2d) for part in plain.modules())
    assert {k: v.shape for k, v in converted.state_dict().items()} == {
        k: v.shape for k, v in plain.state_dict().items()
    }
    x = made(2, 1, 20 if not isinstance(plain, GLAMEncoder) else 13, 20).float()
    assert converted(x).shape == plain(x).shape
    assert not torch.equal(converted(x), plain(x))
    one = convert_to_multi_time_scale(plain, (1.0,))
    torch.testing.assert_close(one(x), plain(x))


@pytest.mark.parametrize(
    "encoder",
    [
        CNN2DBiGRUEncoder(1, 20, n_conv_layers=2),
        ACRNNEncoder(1, 20, n_conv_layers=2, conv_channels=(4, 8)),
        *(CLDNNEncoder(1, 20, convolution=kind, n_filters=4) for kind in ("t", "st", "fst")),
    ],
    ids=["cnn2d_bigru", "acrnn", "t", "st", "fst"],
)
def test_padding_of_the_batch_changes_nothing(encoder):
    encoder = convert_to_multi_time_scale(encoder, (0.5, 2.0)).eval()
    x = made(1, 1, 20, 30).float()
    padded = functional.pad(x, (0, 25))
    lengths = torch.tensor([30])
    torch.testing.assert_close(encoder(padded, lengths), encoder(x), rtol=1e-5, atol=1e-6)


def test_conversion_draws_nothing_and_finds_every_place():
    shared = nn.Conv2d(2, 2, (1, 3), padding="same")
    network = nn.Sequential(shared, nn.ReLU(), shared, nn.Sequential(shared))
    state = torch.random.get_rng_state()
    converted = convert_to_multi_time_scale(network, (2.0,))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert converted[0] is converted[2] is converted[3][0]
    assert isinstance(converted[0], MultiTimeScaleConv2d)


def test_what_cannot_be_converted_or_convolved_is_refused():
    with pytest.raises(ValueError, match="no convolution over frames"):
        convert_to_multi_time_scale(MLPEncoder(4))
    converted = convert_to_multi_time_scale(nn.Conv2d(1, 2, 4))
    assert isinstance(converted, MultiTimeScaleConv2d)
    with pytest.raises(ValueError, match="is converted already"):
        convert_to_multi_time_scale(converted)
    with pytest.raises(ValueError, match="no convolution over frames"):
        convert_to_multi_time_scale(nn.Conv2d(1, 2, 4, padding_mode="reflect"))
    with pytest.raises(ValueError, match=r"scale_penalty=1 leaves nothing.*-0\.39"):
        MultiTimeScaleConv2d(1, 1, 4, scale_factors=(4.0,), scale_penalty=1.0)
    with pytest.raises(TypeError, match="scale_factors must be numbers"):
        MultiTimeScaleConv2d(1, 1, 4, scale_factors=((1, 2), (1, 4)))
    with pytest.raises(ValueError, match="numbers above 0, got inf"):
        MultiTimeScaleConv2d(1, 1, 4, scale_factors=(float("inf"),))
    with pytest.raises(ValueError, match="align must be"):
        MultiTimeScaleConv2d(1, 1, 4, align="stretch")
    with pytest.raises(ValueError, match="kernel_norm must be"):
        MultiTimeScaleConv2d(1, 1, 4, kernel_norm="max")
    with pytest.raises(ValueError, match="longest kernel covers 8 frames, the input has only 6"):
        layer(1, 1, 4, scale_factors=(2.0,))(made(1, 1, 6, 6))


def test_the_sets_of_the_thesis():
    assert len(SCALE_SETS) == 11
    assert sorted(map(len, SCALE_SETS)) == [3] * 6 + [5] * 3 + [7] * 2
    assert all(1.0 in scales and tuple(sorted(scales)) == scales for scales in SCALE_SETS)
