import math

import pytest
import scipy.stats
import torch
from torch import nn

from serkit.modules import (
    QuaternionBatchNorm2d,
    QuaternionConv2d,
    QuaternionConvTranspose2d,
    QuaternionLinear,
    hamilton_product,
    initialize_quaternion,
)


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def with_random_weights(layer, seed=1):
    """Return the layer with other weights than those it starts from, bias included."""
    layer = layer.double()
    with torch.no_grad():
        for number, weight in enumerate(layer.parameters()):
            weight.copy_(draw(*weight.shape, seed=seed + number))
    return layer


def quaternions(blocks, dim):
    """Return blocks of components as an array with a leading axis for the component."""
    return blocks.unflatten(dim, (4, -1)).movedim(dim, 0)


def blocks(components, dim):
    return components.movedim(0, dim).flatten(dim, dim + 1)


def multiply(q, p):
    """Multiply quaternions as pairs of complex numbers, q = a + b j with z j = j conj(z)."""
    a, b = torch.complex(q[0], q[1]), torch.complex(q[2], q[3])
    c, d = torch.complex(p[0], p[1]), torch.complex(p[2], p[3])
    left, right = a * c - b * d.conj(), a * d + b * c.conj()
    return torch.stack([left.real, left.imag, right.real, right.imag])


def conjugate(q):
    return torch.stack([q[0], -q[1], -q[2], -q[3]])


def n_parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ("q", "p", "product"),
    [
        ([1, 2, 3, 4], [5, 6, 7, 8], [-60, 12, 30, 24]),
        ([0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]),
        ([0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, -1]),
    ],
    ids=["thesis", "ij", "ji"],
)
def test_product_of_two_quaternions(q, p, product):
    assert hamilton_product(torch.tensor(q), torch.tensor(p)).tolist() == product


@pytest.mark.parametrize(
    ("q_shape", "p_shape", "dim"),
    [
        ((8,), (8,), 0), ((3, 8), (3, 8), -1), ((2, 8, 5), (2, 8, 5), 1),
        ((2, 1, 12, 3), (4, 12, 1), -2), ((4, 12, 1), (2, 1, 12, 3), 2),
    ],
    ids=str,
)  # fmt: skip
def test_product_is_that_of_complex_pairs(q_shape, p_shape, dim):
    q, p = draw(*q_shape), draw(*p_shape, seed=1)
    result = hamilton_product(q, p, dim)
    axis = dim if dim < 0 else dim - result.ndim
    expected = multiply(*(value.unflatten(axis, (4, -1)).movedim(axis - 1, 0) for value in (q, p)))
    torch.testing.assert_close(result.unflatten(axis, (4, -1)).movedim(axis - 1, 0), expected)


def test_one_quaternion_multiplies_many():
    q, p = draw(4), draw(2, 12)
    expected = hamilton_product(q.repeat_interleave(3), p)
    torch.testing.assert_close(hamilton_product(q, p), expected)


def test_linear_layer_is_a_sum_of_products():
    layer, x = with_random_weights(QuaternionLinear(8, 12)), draw(5, 8)
    weight, inputs = quaternions(layer.weight, 0), quaternions(x, 1)
    y = torch.zeros(4, 5, 3, dtype=torch.float64)
    for output in range(3):
        for feature in range(2):
            factor = weight[:, output, feature, None]
            y[:, :, output] += multiply(factor, inputs[:, :, feature])
    torch.testing.assert_close(layer(x), blocks(y, 1) + layer.bias)


GEOMETRIES = [
    {"kernel_size": (2, 3)},
    {"kernel_size": (2, 3), "stride": (1, 2), "padding": (0, 1)},
    {"kernel_size": 3, "stride": (2, 1), "padding": (1, 2), "dilation": (1, 2)},
]


def places(options, n_bins, n_frames):
    """Yield the window of a kernel at every position, in input that is padded."""
    (down, right), (hole_down, hole_right) = (
        both if isinstance(both, tuple) else (both, both)
        for both in (options.get("stride", 1), options.get("dilation", 1))
    )
    size = options["kernel_size"]
    height, width = size if isinstance(size, tuple) else (size, size)
    n_rows = (n_bins - hole_down * (height - 1) - 1) // down + 1
    n_columns = (n_frames - hole_right * (width - 1) - 1) // right + 1
    for row in range(n_rows):
        for column in range(n_columns):
            for u in range(height):
                for v in range(width):
                    yield (
                        row,
                        column,
                        u,
                        v,
                        row * down + u * hole_down,
                        (column * right + v * hole_right),
                    )


@pytest.mark.parametrize("options", GEOMETRIES, ids=str)
def test_convolution_is_a_sum_of_products(options):
    layer, x = with_random_weights(QuaternionConv2d(8, 12, **options)), draw(2, 8, 6, 7)
    y = layer(x)
    above, left = options.get("padding", (0, 0))
    padded = quaternions(nn.functional.pad(x, (left, left, above, above)), 1)
    weight, expected = quaternions(layer.weight, 0), torch.zeros_like(quaternions(y, 1))
    for row, column, u, v, bin_, frame in places(options, *padded.shape[-2:]):
        for output in range(3):
            for channel in range(2):
                expected[:, :, output, row, column] += multiply(
                    weight[:, output, channel, u, v, None], padded[:, :, channel, bin_, frame]
                )
    torch.testing.assert_close(y, blocks(expected, 1) + layer.bias[:, None, None])


@pytest.mark.parametrize("output_padding", [(0, 0), (1, 0)], ids=str)
def test_transposed_convolution_spreads_products_with_the_conjugates(output_padding):
    options = {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 0)}
    layer = QuaternionConvTranspose2d(12, 8, output_padding=output_padding, **options)
    layer, x = with_random_weights(layer), draw(2, 12, 4, 5)
    y = layer(x)
    n_bins, n_frames = 9 + output_padding[0], 6
    expected = torch.zeros(4, 2, 2, n_bins, n_frames, dtype=torch.float64)
    weight, inputs = conjugate(quaternions(layer.weight, 0)), quaternions(x, 1)
    for row, column, u, v, bin_, frame in places(options, n_bins, n_frames):
        for channel in range(3):
            for output in range(2):
                expected[:, :, output, bin_, frame] += multiply(
                    weight[:, channel, output, u, v, None], inputs[:, :, channel, row, column]
                )
    expected = blocks(expected[:, :, :, 1 : n_bins - 1], 1)
    torch.testing.assert_close(y, expected + layer.bias[:, None, None])


@pytest.mark.parametrize(
    ("options", "output_padding"), list(zip(GEOMETRIES, [0, (0, 1), (1, 0)], strict=True)), ids=str
)
def test_transposed_convolution_is_the_adjoint(options, output_padding):
    convolution = QuaternionConv2d(8, 12, bias=False, **options).double()
    adjoint = QuaternionConvTranspose2d(
        12, 8, bias=False, output_padding=output_padding, **options
    ).double()
    adjoint.load_state_dict(convolution.state_dict())
    x = draw(2, 8, 6, 8).requires_grad_()
    y = convolution(x)
    cotangent = draw(*y.shape, seed=1)
    torch.testing.assert_close(adjoint(cotangent), torch.autograd.grad(y, x, cotangent)[0])


def test_same_padding_keeps_the_size():
    layer, x = QuaternionConv2d(4, 8, (3, 5), padding="same"), torch.randn(1, 4, 6, 7)
    same = QuaternionConv2d(4, 8, (3, 5), padding=(1, 2))
    same.load_state_dict(layer.state_dict())
    torch.testing.assert_close(layer(x), same(x))


def normalize_by_hand(layer, x, mean, variance):
    y = (quaternions(x, 1) - mean.reshape(4, 1, 1, 1, 1)) / (variance + layer.eps).sqrt()
    y = y * layer.weight[:, None, None]
    return blocks(y, 1) + layer.bias[:, None, None]


def statistics_by_hand(x):
    components = x.unflatten(1, (4, -1)).movedim(1, 0).reshape(4, -1)
    mean = torch.stack([component.mean() for component in components])
    return mean, (components - mean[:, None]).square().sum(0).mean()


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("options", [{}, {"momentum": 0.5, "eps": 0.1}], ids=str)
def test_batch_norm_is_that_by_hand(options, memory_format):
    layer = with_random_weights(QuaternionBatchNorm2d(12, **options))
    momentum = options.get("momentum", 0.1)
    running_mean, running_var = torch.zeros(4).double(), torch.ones(()).double()
    for seed in (2, 3):
        x = 3 * draw(2, 12, 4, 5, seed=seed) + torch.arange(12)[:, None, None]
        x = x.contiguous(memory_format=memory_format).requires_grad_()
        mean, variance = statistics_by_hand(x)
        y, expected = layer(x), normalize_by_hand(layer, x, mean, variance)
        torch.testing.assert_close(y, expected)
        assert y.is_contiguous(memory_format=memory_format)
        cotangent = draw(*y.shape, seed=4)
        torch.testing.assert_close(
            torch.autograd.grad(y, [x, *layer.parameters()], cotangent),
            torch.autograd.grad(expected, [x, *layer.parameters()], cotangent),
        )
        running_mean = (1 - momentum) * running_mean + momentum * mean.detach()
        running_var = (1 - momentum) * running_var + momentum * variance.detach()
    torch.testing.assert_close(dict(layer.named_buffers())["running_mean"], running_mean)
    torch.testing.assert_close(dict(layer.named_buffers())["running_var"], running_var)

    y = layer.eval()(x)
    torch.testing.assert_close(y, normalize_by_hand(layer, x, running_mean, running_var))
    torch.testing.assert_close(layer.running_mean, running_mean)


def test_batch_norm_keeps_the_digits_of_a_mean_far_from_zero():
    x = 30 + draw(4, 8, 5, 6)
    y = QuaternionBatchNorm2d(8)(x.float())
    expected = QuaternionBatchNorm2d(8).double()(x)
    torch.testing.assert_close(y.double(), expected, rtol=0, atol=5e-5)


def test_batch_norm_keeps_statistics_in_single_precision():
    layer, x = QuaternionBatchNorm2d(8), (draw(4, 8, 5, 6) + 3).bfloat16()
    y = layer(x.requires_grad_())
    y.sum().backward()
    mean, _ = statistics_by_hand(x.detach().float())
    torch.testing.assert_close(layer.running_mean, 0.1 * mean, rtol=1e-5, atol=0)
    assert y.dtype == torch.bfloat16
    assert x.grad.isfinite().all()


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (QuaternionLinear(8, 4), (2, 8)),
        (QuaternionConv2d(4, 8, (1, 2)), (1, 4, 2, 3)),
        (QuaternionConvTranspose2d(8, 4, (1, 2), stride=2), (1, 8, 2, 2)),
        (QuaternionBatchNorm2d(8), (2, 8, 1, 2)),
        (QuaternionBatchNorm2d(8).eval(), (2, 8, 1, 2)),
    ],
    ids=["linear", "convolution", "transposed", "batch_norm", "batch_norm_in_evaluation"],
)
def test_gradients(layer, shape):
    layer = with_random_weights(layer)

    def apply(x, weight, bias):
        return torch.func.functional_call(layer, {"weight": weight, "bias": bias}, (x,))

    weights = [weight.detach().requires_grad_() for weight in layer.parameters()]
    assert torch.autograd.gradcheck(apply, [draw(*shape).requires_grad_(), *weights])


def test_batch_norm_has_no_second_derivative():
    x = draw(2, 8, 3, 4).requires_grad_()
    y = QuaternionBatchNorm2d(8).double()(x)
    (gradient,) = torch.autograd.grad(y.pow(3).sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="differentiate twice"):
        gradient.square().sum().backward()


@pytest.mark.parametrize(
    ("layer", "n_expected"),
    [
        (QuaternionConv2d(4, 4, 3), 4 * 3 * 3 + 4),
        (QuaternionConv2d(8, 12, (2, 5), bias=False), 8 * 12 * 2 * 5 // 4),
        (QuaternionConvTranspose2d(8, 12, 3), 8 * 12 * 3 * 3 // 4 + 12),
        (QuaternionLinear(8, 12), 8 * 12 // 4 + 12),
        (QuaternionBatchNorm2d(8), 2 + 8),
    ],
    ids=["convolution", "no_bias", "transposed", "linear", "batch_norm"],
)
def test_number_of_parameters(layer, n_expected):
    assert n_parameters(layer) == n_expected


def test_a_decoder_has_the_published_sizes():
    def up(**options):
        return QuaternionConvTranspose2d(4, 4, 3, padding=1, **options)

    along_frames = {"stride": (1, 2), "output_padding": (0, 1)}
    decoder = nn.Sequential(
        up(**along_frames), nn.ReLU(), QuaternionBatchNorm2d(4),
        up(**along_frames), nn.ReLU(), QuaternionBatchNorm2d(4),
        up(stride=2, output_padding=1), nn.Sigmoid(),
    )  # fmt: skip
    assert n_parameters(decoder) == 130
    assert decoder(torch.zeros(1, 4, 64, 64)).shape == (1, 4, 128, 512)


def test_weights_have_the_distribution_they_should():
    torch.manual_seed(0)
    weight = initialize_quaternion(torch.empty(4 * 50, 20, 2, dtype=torch.float64), scale=0.3)
    real, *imaginary = weight.reshape(4, -1).numpy()
    imaginary_modulus = sum(part**2 for part in imaginary) ** 0.5
    modulus = (real**2 + imaginary_modulus**2) ** 0.5
    assert (modulus**2).mean() == pytest.approx(4 * 0.3**2, rel=0.05)

    def assert_distributed(values, *distribution):
        assert scipy.stats.kstest(values, *distribution).pvalue > 0.01

    assert_distributed(modulus, "chi", (4, 0, 0.3))
    angles = torch.atan2(torch.tensor(imaginary_modulus), torch.tensor(real))
    assert_distributed(angles.numpy(), "uniform", (0, math.pi))
    # What a point on a sphere measures along any direction is uniform.
    for x, y, z in [(1, 0, 0), (0, 1, 0), (0, 0, 1), (0.6, 0.8, 0), (0, 0.6, 0.8), (0.8, 0, 0.6)]:
        projection = x * imaginary[0] + y * imaginary[1] + z * imaginary[2]
        assert_distributed(projection / imaginary_modulus, "uniform", (-1, 2))


@pytest.mark.parametrize(
    ("make", "default", "fans"),
    [
        (lambda **options: QuaternionConv2d(32, 96, 3, **options), "glorot", (72, 216)),
        (lambda **options: QuaternionConvTranspose2d(32, 96, 3, **options), "he", (72, 216)),
        (lambda **options: QuaternionLinear(128, 256, **options), "he", (32, 64)),
    ],
    ids=["convolution", "transposed", "linear"],
)
def test_scale_of_the_first_weights(make, default, fans):
    torch.manual_seed(0)
    fan_in, fan_out = fans
    expected = {"glorot": 2 / (fan_in + fan_out), "he": 2 / fan_in}
    for options in ({}, {"init": "glorot"}, {"init": "he"}):
        layer = make(**options)
        squared_modulus = layer.weight.detach().unflatten(0, (4, -1)).square().sum(0)
        second_moment = expected[options.get("init", default)]
        assert squared_modulus.mean().item() == pytest.approx(second_moment, rel=0.1)
        assert not layer.bias.any()


def test_first_weights_follow_the_seed_of_torch():
    weights = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        weights.append(QuaternionConv2d(4, 8, 3).weight)
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


@pytest.mark.parametrize(
    "layer",
    [QuaternionConv2d(8, 12, 3), QuaternionConvTranspose2d(8, 12, 3), QuaternionBatchNorm2d(8)],
    ids=["convolution", "transposed", "batch_norm"],
)
def test_channels_may_be_last(layer):
    x = torch.randn(2, 8, 6, 7)
    expected = layer(x)
    y = layer.to(memory_format=torch.channels_last)(x.to(memory_format=torch.channels_last))
    assert y.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(y, expected)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: QuaternionLinear(6, 8), "in_features=6, .*multiple of 4"),
        (lambda: QuaternionLinear(8, 6), "out_features=6, .*multiple of 4"),
        (lambda: QuaternionConv2d(1, 8, 3), "in_channels=1, .*multiple of 4"),
        (lambda: QuaternionConvTranspose2d(8, 2, 3), "out_channels=2, .*multiple of 4"),
        (lambda: QuaternionBatchNorm2d(0), "num_features=0, .*multiple of 4"),
        (lambda: initialize_quaternion(torch.empty(5, 2), 1.0), "multiple of 4"),
        (lambda: hamilton_product(torch.ones(2, 4), torch.ones(2, 4), dim=0), "multiple of 4"),
        (lambda: QuaternionConv2d(4, 4, 3, init="zeros"), '"glorot" or "he", not \'zeros\''),
        (lambda: QuaternionBatchNorm2d(8)(torch.ones(2, 1, 3, 3)), "has shape .2, 1, 3, 3."),
        (lambda: QuaternionBatchNorm2d(8)(torch.ones(2, 8)), "has shape .2, 8."),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_layers_show_their_parameters():
    assert repr(QuaternionLinear(8, 12)) == "QuaternionLinear(8, 12, bias=True)"
    assert repr(QuaternionConv2d(4, 8, 3, padding="same")) == (
        "QuaternionConv2d(4, 8, kernel_size=(3, 3), stride=1, padding='same', dilation=1, "
        "bias=True)"
    )
    assert repr(QuaternionBatchNorm2d(8)) == "QuaternionBatchNorm2d(8, eps=1e-05, momentum=0.1)"
