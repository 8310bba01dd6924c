"""VGG16, AlexNet, ResNet-18 and ResNet-50 of real numbers and of quaternions."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from serkit.modules import (
    QuaternionConv2d,
    QuaternionLinear,
    UtteranceNetwork,
    make_backbone,
)

NAMES = ["vgg16", "alexnet", "resnet18", "resnet50"]
DOMAINS = ["real", "quaternion"]
CONVOLUTIONS = nn.Conv2d | QuaternionConv2d
LINEAR = nn.Linear | QuaternionLinear


def small(name, domain="real", shape=(1, 64, 96), **options):
    """Return a network of a sixteenth of the width."""
    torch.manual_seed(0)
    n_channels, n_bins, n_frames = shape
    size = {"n_channels": n_channels, "n_bins": n_bins, "n_frames": n_frames}
    return make_backbone(name, domain=domain, **{"width": 1 / 16, **size, **options})


def n_weights(module):
    return sum(weights.numel() for weights in module.parameters())


def last_maps(backbone, x):
    """Return what stands before the pooling."""
    for name, stage in backbone.stages.items():
        if name == "pooling":
            return x
        x = stage(x)
    raise AssertionError("there is no pooling")


@pytest.mark.parametrize(
    ("name", "domain", "shape", "expected"),
    [
        ("vgg16", "real", (1, 128, 512), 165_733_060),
        ("vgg16", "quaternion", (4, 64, 64), 9_998_020),
        ("alexnet", "real", (1, 128, 512), 57_004_740),
        ("alexnet", "quaternion", (4, 64, 64), 14_276_292),
        # 11 689 512 in torchvision, for three channels and a thousand classes.
        ("resnet18", "real", (1, 128, 512), 11_689_512 - 2 * 49 * 64 - 996 * 513),
        ("resnet50", "real", (1, 128, 512), 23_509_956),
        ("resnet50", "quaternion", (4, 64, 64), 5_905_908),
    ],
)
def test_weights_of_the_networks_for_four_classes(name, domain, shape, expected):
    with torch.device("meta"):  # nothing is allocated
        backbone = small(name, domain, shape, width=1.0)
        network = UtteranceNetwork(backbone, nn.Linear(backbone.embedding_size, 4))
        assert n_weights(network) == expected
        assert network(torch.empty(2, *shape)).shape == (2, 4)


def test_vgg16_with_pooling_has_the_weights_of_torchvision():
    with torch.device("meta"):
        backbone = small("vgg16", shape=(1, 129, 501), width=1.0, adaptive_pool=7)
    filters = [1, 64, 64, 128, 128, *[256] * 3, *[512] * 6]
    convolutions = sum(9 * n * m + m for n, m in pairwise(filters))
    hidden = 512 * 7 * 7 * 4096 + 4096 + 4096 * 4096 + 4096
    assert n_weights(backbone) == convolutions + hidden
    # All of 1000 classes and three channels, less two channels and the last layer.
    assert n_weights(backbone) == 138_357_544 - 2 * 9 * 64 - 4_097_000


@pytest.mark.parametrize(
    ("name", "stages"),
    [
        ("vgg16", [*(f"convolution{n}" for n in range(1, 14)), "pooling", "hidden1", "hidden2"]),
        ("alexnet", [*(f"convolution{n}" for n in range(1, 6)), "pooling", "hidden1", "hidden2"]),
        ("resnet18", ["stem", *(f"layer{n}" for n in range(1, 5)), "pooling"]),
        ("resnet50", ["stem", *(f"layer{n}" for n in range(1, 5)), "pooling"]),
    ],
)
def test_stages_have_the_same_shapes_in_both_domains(name, stages):
    shapes = []
    for domain in DOMAINS:
        backbone = small(name, domain, (4, 64, 96)).eval()
        assert list(backbone.stages) == stages
        x = torch.zeros(2, 4, 64, 96)
        shapes.append([tuple((x := stage(x)).shape) for stage in backbone.stages.values()])
    assert shapes[0] == shapes[1]
    assert shapes[0][-1] == (2, backbone.embedding_size)


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize(
    ("name", "n_expected"), [("vgg16", 13), ("alexnet", 5), ("resnet18", 20), ("resnet50", 53)]
)
def test_every_convolution_is_called_in_its_place_with_an_activation_behind(
    name, n_expected, domain
):
    backbone = small(name, domain).eval()
    layers = [part for part in backbone.modules() if isinstance(part, CONVOLUTIONS)]
    called = []
    for part in backbone.modules():
        if isinstance(part, CONVOLUTIONS | nn.ReLU):
            part.register_forward_hook(lambda part, _inputs, _output: called.append(part))
    backbone(torch.zeros(1, 1, 64, 96))
    assert [part for part in called if isinstance(part, CONVOLUTIONS)] == layers
    assert len(layers) == n_expected
    activations = [part for part in called if isinstance(part, nn.ReLU)]
    assert len(set(activations)) == len(activations)  # none is shared, so that a hook sees one
    assert not any(part.inplace for part in activations)
    assert isinstance(called[-1], nn.ReLU)


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize(
    ("name", "shape"),
    [("vgg16", (2, 8)), ("alexnet", (1, 7)), ("resnet18", (2, 8)), ("resnet50", (2, 8))],
)
def test_impulse_stays_at_its_bin_and_frame(name, shape, domain):
    backbone = small(name, domain, (1, 64, 256), adaptive_pool=None).eval()
    x = torch.zeros(1, 1, 64, 256)
    silence = last_maps(backbone, x)
    assert silence.shape[2:] == shape
    x[0, 0, 4, 208] = 100
    change = (last_maps(backbone, x) - silence)[0].square().sum(0)
    share = change.sum(0) / change.sum()
    center = (share * (torch.arange(shape[1]) + 0.5)).sum() / shape[1]
    assert abs(center - 208 / 256) < 0.1
    assert change[0].sum() > change[1:].sum()


@pytest.mark.parametrize("name", NAMES)
def test_places_are_pooled_to_bins_and_frames(name):
    backbone = small(name, shape=(1, 64, 256), adaptive_pool=(2, 3)).eval()
    maps = last_maps(backbone, torch.zeros(1, 1, 64, 256))
    assert backbone.stages["pooling"][0](maps).shape[2:] == (2, 3)
    n_embedded = {"resnet18": 32 * 6, "resnet50": 128 * 6}.get(name, 256)
    assert backbone.embedding_size == n_embedded
    assert backbone(torch.zeros(2, 1, 64, 256)).shape == (2, n_embedded)


@pytest.mark.parametrize(
    ("name", "domain", "expected"),
    [
        ("vgg16", "real", (32, 32)),
        ("vgg16", "quaternion", (32, 32)),
        ("alexnet", "real", (63, 63)),
        ("alexnet", "quaternion", (63, 63)),
        ("resnet18", "real", (1, 33)),
        ("resnet50", "real", (1, 33)),
        ("resnet50", "quaternion", (1, 1)),
    ],
)
def test_the_least_input_is_the_least(name, domain, expected):
    backbone = small(name, domain, (1, 1, 1)).train()
    assert backbone.min_shape == expected
    assert backbone.n_frames == expected[1]
    embedding = backbone(torch.randn(1, 1, *expected))  # one utterance, to train on
    assert embedding.shape == (1, backbone.embedding_size)
    assert embedding.isfinite().all()
    bins, frames = expected
    for smaller in {(max(1, bins - 1), frames), (bins, max(1, frames - 1))} - {expected}:
        with pytest.raises((RuntimeError, ValueError), match="too small|more than 1 value"):
            last_maps(backbone, torch.randn(1, 1, *smaller))


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_places_are_left_out_before_a_convolution_of_one_place(name, domain):
    """A stride of such a convolution, of four channels that come last, crashes torch 2.13."""
    block = small(name, domain, (4, 64, 96)).eval().stages["layer2"][0]
    layers = [part for part in block.modules() if isinstance(part, CONVOLUTIONS)]
    of_one_place = [layer for layer in layers if layer.weight.shape[-1] == 1]
    assert of_one_place
    assert all(layer.stride in (1, (1, 1)) for layer in of_one_place)
    x = torch.randn(2, of_one_place[-1].in_channels, 9, 10)
    assert torch.equal(block.thinning(x), x[..., ::2, ::2])
    assert block(x).shape[2:] == (5, 5)


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("name", NAMES)
def test_all_weights_get_a_gradient(name, domain):
    backbone = small(name, domain, (4, 64, 64), dropout=0.0)
    network = UtteranceNetwork(backbone, nn.Linear(backbone.embedding_size, 3))
    network(torch.randn(4, 4, 64, 64)).square().sum().backward()
    for weight_name, weight in network.named_parameters():
        assert weight.grad.abs().sum() > 0, weight_name


@pytest.mark.parametrize(("n_channels", "n_filled"), [(1, 4), (3, 4), (4, 4), (5, 8)])
@pytest.mark.parametrize("name", ["alexnet", "resnet50"])
def test_channels_of_zeros_make_whole_quaternions(name, n_channels, n_filled):
    backbone = small(name, "quaternion", (n_channels, 64, 64)).eval()
    filled = small(name, "quaternion", (n_filled, 64, 64)).eval()
    filled.load_state_dict(
        dict(zip(filled.state_dict(), backbone.state_dict().values(), strict=True))
    )
    x = torch.randn(2, n_channels, 64, 64)
    zeros = torch.zeros(2, n_filled - n_channels, 64, 64)
    torch.testing.assert_close(backbone(x), filled(torch.cat([x, zeros], dim=1)))


@pytest.mark.parametrize("domain", DOMAINS)
def test_signals_reach_the_end_of_vgg16(domain):
    """It has no normalisation: the first weights decide how large its maps are."""
    x = torch.rand(8, 4, 64, 64)
    maps = last_maps(small("vgg16", domain, (4, 64, 64), width=1 / 8), x)
    assert 0.05 < maps.std() / x.std() < 5


@pytest.mark.parametrize("name", NAMES)
def test_real_weights_are_drawn_as_those_of_torchvision(name):
    backbone = small(name, shape=(4, 64, 64), width=1 / 4)
    layers = [part for part in backbone.modules() if isinstance(part, CONVOLUTIONS | LINEAR)]
    for layer in layers[1:]:
        fan_in, fan_out = layer.weight[0].numel(), layer.weight[:, 0].numel()
        if name == "alexnet":  # what torch draws by itself
            expected = (3 * fan_in) ** -0.5
        elif layer.weight.ndim == 4:
            expected = (2 / fan_out) ** 0.5
        else:
            expected = 0.01 * 2  # twice as large in a quarter of the width
        assert layer.weight.std().item() == pytest.approx(expected, rel=0.1)
        assert layer.bias is None or (layer.bias == 0).all() == (name != "alexnet")


@pytest.mark.parametrize(("domain", "n_least"), [("real", 1), ("quaternion", 4)])
def test_width_scales_filters_and_hidden_units(domain, n_least):
    def sizes(width):
        layers = small("alexnet", domain, width=width).modules()
        return [
            getattr(layer, "out_channels", None) or layer.out_features
            for layer in layers
            if isinstance(layer, CONVOLUTIONS | LINEAR)
        ]

    assert sizes(0.25) == [16, 48, 96, 64, 64, 1024, 1024]
    assert sizes(1e-6) == [n_least] * 7


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "vgg19"}, r"one of \['vgg16', 'alexnet', 'resnet18', 'resnet50'\], got 'vgg19'"),
        ({"domain": "complex"}, r"domain must be one of \['real', 'quaternion'\]"),
        ({"width": 0}, "width must be above 0, got 0"),
        ({"adaptive_pool": (2, 0)}, "a size is a positive integer or two"),
        ({"adaptive_pool": "seven"}, "a size is a positive integer or two"),
    ],
    ids=["name", "domain", "width", "pool", "text"],
)
def test_bad_parameters(options, message):
    with pytest.raises(ValueError, match=message):
        small(**{"name": "alexnet", **options})
