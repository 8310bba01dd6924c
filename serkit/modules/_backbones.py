"""Large convolutional networks made for images, of real numbers or of quaternions."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from torch import Tensor, nn

from serkit.modules._cnn_bigru import Size, pair
from serkit.modules._quaternion_batch_norm import QuaternionBatchNorm2d
from serkit.modules._quaternion_layers import QuaternionConv2d, QuaternionLinear

__all__ = ["make_backbone"]

Stages = dict[str, nn.Module]
#: Kernel, stride and padding of a layer that changes the size of maps.
Window = tuple[int, int, int]


def make_backbone(
    name: str,
    *,
    n_channels: int,
    n_bins: int,
    n_frames: int,
    domain: str = "real",
    width: float = 1.0,
    adaptive_pool: Size | str | None = "auto",
    dropout: float = 0.5,
) -> "Backbone":
    """Make VGG16, AlexNet or a ResNet up to its last layer, which is for you to add.

    The last layer is real in either domain:
    ``UtteranceNetwork(backbone, nn.Linear(backbone.embedding_size, n_outputs))``.

    Parameters
    ----------
    name : {"vgg16", "alexnet", "resnet18", "resnet50"}
        The network; VGG16 is the one without batch normalisation.
    n_channels : int
        Channels of the frames. In the quaternion domain the first quarter are all
        real parts, then come all of i, of j and of k; channels of zeros are added at
        the end up to a multiple of 4. Of one channel they are the imaginary parts; of
        five, the first two are real parts, and the last is that of j of the first.
    n_bins : int
        Bins of the frames.
    n_frames : int
        Frames of every utterance.
    domain : {"real", "quaternion"}, default="real"
        What weights and maps are made of. Quaternion layers of the same size have a
        quarter of the weights.
    width : float, default=1.0
        Factor of the number of filters and hidden units. They are rounded, in the
        quaternion domain to multiples of 4.
    adaptive_pool : int, (int, int), "auto" or None, default="auto"
        The size (bins, frames) that average pooling makes of the last maps; ``None``
        leaves them as they are. "auto" is 6 for AlexNet, 1 for a ResNet and ``None``
        for VGG16, the weights of which then depend on the size of the frames; that
        of torchvision has 7.
    dropout : float, default=0.5
        Probability that a hidden unit is dropped in training. A ResNet has none.

    Returns
    -------
    backbone : Module
        From (n_utterances, n_channels, n_bins, n_frames) to (n_utterances,
        ``embedding_size``). Like other encoders it has ``stages``, its parts by name
        from input to output, ``min_shape``, the least (n_bins, n_frames) of an input,
        and ``n_frames``, the number that it takes.

    Raises
    ------
    ValueError
        If there is no such network or domain, or a size is not positive.

    See Also
    --------
    serkit.neural_network.QuaternionCNNClassifier : Classifies by these networks.

    References
    ----------
    Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
    Recognition", ICLR 2015.

    Krizhevsky, "One weird trick for parallelizing convolutional neural networks",
    arXiv 1404.5997, 2014.

    He et al., "Deep Residual Learning for Image Recognition", CVPR 2016.

    Guizzo (2023), "Enhancing the Generalization of Convolutional Neural Networks
    for Speech Emotion Recognition", sections 5.2.1 and 6.3.

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import make_backbone
    >>> options = {"n_channels": 4, "n_bins": 64, "n_frames": 96, "width": 1 / 16}
    >>> backbone = make_backbone("alexnet", domain="quaternion", **options)
    >>> backbone(torch.zeros(2, 4, 64, 96)).shape
    torch.Size([2, 256])
    >>> list(backbone.stages)[-4:]
    ['convolution5', 'pooling', 'hidden1', 'hidden2']
    """
    architecture = _choose(_ARCHITECTURES, name=name)
    algebra = _choose(_ALGEBRAS, domain=domain)
    if not width > 0:
        raise ValueError(f"width must be above 0, got {width}")
    if isinstance(adaptive_pool, str) and adaptive_pool == "auto":
        adaptive_pool = architecture.adaptive_pool
    windows = architecture.windows
    # Batch normalisation of one utterance needs two places, but for quaternions.
    n_left = 2 if name.startswith("resnet") and domain == "real" else 1
    least = _least_size(windows, n_left=1), _least_size(windows, n_left=n_left)
    n_bins, n_frames = max(n_bins, least[0]), max(n_frames, least[1])

    stages, n_maps = architecture.convolutions(algebra, n_channels, width)
    if adaptive_pool is None:
        places = _size_behind(windows, n_bins), _size_behind(windows, n_frames)
        stages["pooling"] = nn.Flatten()
    else:
        places = pair(adaptive_pool)  # type: ignore[arg-type]
        stages["pooling"] = nn.Sequential(nn.AdaptiveAvgPool2d(places), nn.Flatten())
    embedding_size = n_maps * math.prod(places)
    if architecture.hidden is not None:
        n_units = algebra.size(4096 * width)
        for number, n_inputs in enumerate((embedding_size, n_units), start=1):
            linear = algebra.linear(n_inputs, n_units)
            stages[f"hidden{number}"] = architecture.hidden(linear, dropout)
        embedding_size = n_units
    backbone = Backbone(stages, embedding_size, min_shape=least, n_frames=n_frames)
    if name != "alexnet":
        _initialize(backbone, width)
    return backbone


class Backbone(nn.Module):
    """Stages, one behind the other."""

    def __init__(
        self, stages: Stages, embedding_size: int, *, min_shape: tuple[int, int], n_frames: int
    ) -> None:
        super().__init__()
        self.parts = nn.ModuleDict(stages)
        self.embedding_size = embedding_size
        self.min_shape = min_shape
        self.n_frames = n_frames

    @property
    def stages(self) -> Stages:
        return dict(self.parts.items())

    def forward(self, x: Tensor) -> Tensor:
        for stage in self.parts.values():
            x = stage(x)
        return x


@dataclass(frozen=True)
class _Algebra:
    """The layers of a domain, which take multiples of the components of a number."""

    convolution: Callable[..., nn.Module]
    linear: Callable[[int, int], nn.Module]
    normalization: Callable[[int], nn.Module]
    n_components: int

    def size(self, n: float) -> int:
        """Return the number of channels or units next to `n`."""
        return self.n_components * max(1, round(n / self.n_components))

    def take(self, n_channels: int) -> tuple[list[nn.Module], int]:
        """Return what fills channels up to whole numbers, and how many there are then."""
        missing = -n_channels % self.n_components
        fill: list[nn.Module] = [nn.ZeroPad3d((0, 0, 0, 0, 0, missing))] if missing else []
        return fill, n_channels + missing


#: From weights after Glorot, VGG16 would have maps of no more than a hundredth at its end.
_quaternion_convolution = partial(QuaternionConv2d, init="he")
_ALGEBRAS = {
    "real": _Algebra(nn.Conv2d, nn.Linear, nn.BatchNorm2d, 1),
    "quaternion": _Algebra(_quaternion_convolution, QuaternionLinear, QuaternionBatchNorm2d, 4),
}


# VGG16 and AlexNet: convolutions, then hidden layers. No activation works in place, for
# what it would overwrite may be read from outside.


def _vgg16_convolutions(algebra: _Algebra, n_channels: int, width: float) -> tuple[Stages, int]:
    """Return 3 by 3 convolutions in five groups, each before pooling, and their maps."""
    groups = [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]
    return _stack(
        algebra,
        n_channels,
        [
            (algebra.size(n_filters * width), (3, 1, 1), (2, 2, 0) if layer == n_layers else None)
            for n_filters, n_layers in groups
            for layer in range(1, n_layers + 1)
        ],
    )


def _alexnet_convolutions(algebra: _Algebra, n_channels: int, width: float) -> tuple[Stages, int]:
    """Return five convolutions, the first two and the last before pooling, and their maps."""
    pooled = (3, 2, 0)
    layers = [
        (64, (11, 4, 2), pooled),
        (192, (5, 1, 2), pooled),
        (384, (3, 1, 1), None),
        (256, (3, 1, 1), None),
        (256, (3, 1, 1), pooled),
    ]
    return _stack(
        algebra, n_channels, [(algebra.size(n * width), window, pool) for n, window, pool in layers]
    )


def _stack(
    algebra: _Algebra, n_channels: int, layers: list[tuple[int, Window, Window | None]]
) -> tuple[Stages, int]:
    """Return convolutions of so many filters, each before pooling or none, and their maps."""
    stages: Stages = {}
    parts, n_maps = algebra.take(n_channels)
    for number, (n_filters, window, pool) in enumerate(layers, start=1):
        parts += [algebra.convolution(n_maps, n_filters, *window), nn.ReLU()]
        if pool is not None:
            parts.append(nn.MaxPool2d(*pool))
        stages[f"convolution{number}"] = nn.Sequential(*parts)
        parts, n_maps = [], n_filters
    return stages, n_maps


def _vgg16_hidden(linear: nn.Module, dropout: float) -> nn.Module:
    return nn.Sequential(linear, nn.ReLU(), nn.Dropout(dropout))


def _alexnet_hidden(linear: nn.Module, dropout: float) -> nn.Module:
    return nn.Sequential(nn.Dropout(dropout), linear, nn.ReLU())


# ResNet-18 and ResNet-50.


def _resnet_convolutions(
    algebra: _Algebra,
    n_channels: int,
    width: float,
    *,
    make_block: type["_Block"],
    n_blocks: tuple[int, ...],
) -> tuple[Stages, int]:
    """Return a convolution and four layers of residual blocks, and their maps."""
    parts, n_filled = algebra.take(n_channels)
    n_maps = algebra.size(64 * width)
    stem = _normalized(algebra, n_filled, n_maps, 7, stride=2)
    stages: Stages = {"stem": nn.Sequential(*parts, *stem, nn.ReLU(), nn.MaxPool2d(3, 2, 1))}
    for number, n_of_layer in enumerate(n_blocks, start=1):
        n_filters = algebra.size(32 * 2**number * width)
        blocks = []
        for block in range(n_of_layer):
            stride = 2 if number > 1 and block == 0 else 1
            blocks.append(make_block(algebra, n_maps, n_filters, stride))
            n_maps = make_block.expansion * n_filters
        stages[f"layer{number}"] = nn.Sequential(*blocks)
    return stages, n_maps


class _Block(nn.Module):
    """Convolve twice; added to the input, or to a projection of it."""

    expansion = 1

    def __init__(self, algebra: _Algebra, n_inputs: int, n_filters: int, stride: int) -> None:
        super().__init__()
        n_outputs = self.expansion * n_filters
        # The convolutions stand in the order in which they are called.
        self.residual = nn.Sequential(*self._layers(algebra, n_inputs, n_filters, stride))
        same = n_inputs == n_outputs and stride == 1
        # A convolution of one place with a stride, of few channels that come last, writes beyond
        # its memory in torch 2.13 on CPUs: so places are left out before it.
        self.thinning = nn.Identity() if stride == 1 else nn.AvgPool2d(1, stride)
        self.shortcut = nn.Sequential(
            *([] if same else _normalized(algebra, n_inputs, n_outputs, 1))
        )
        self.activation = nn.ReLU()

    def _layers(
        self, algebra: _Algebra, n_inputs: int, n_filters: int, stride: int
    ) -> list[nn.Module]:
        return [
            *_normalized(algebra, n_inputs, n_filters, 3, stride=stride),
            nn.ReLU(),
            *_normalized(algebra, n_filters, n_filters, 3),
        ]

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.residual(x) + self.shortcut(self.thinning(x)))


class _Bottleneck(_Block):
    """Narrow, convolve, widen; added to the input, or to a projection of it."""

    expansion = 4

    def _layers(
        self, algebra: _Algebra, n_inputs: int, n_filters: int, stride: int
    ) -> list[nn.Module]:
        return [
            *_normalized(algebra, n_inputs, n_filters, 1),
            nn.ReLU(),
            *_normalized(algebra, n_filters, n_filters, 3, stride=stride),
            nn.ReLU(),
            *_normalized(algebra, n_filters, self.expansion * n_filters, 1),
        ]


def _normalized(
    algebra: _Algebra, n_inputs: int, n_outputs: int, kernel_size: int, *, stride: int = 1
) -> list[nn.Module]:
    """Return a convolution and batch normalisation, the bias of which is enough."""
    padding = kernel_size // 2
    return [
        algebra.convolution(n_inputs, n_outputs, kernel_size, stride, padding, bias=False),
        algebra.normalization(n_outputs),
    ]


# What the networks differ in.


@dataclass(frozen=True)
class _Architecture:
    convolutions: Callable[[_Algebra, int, float], tuple[Stages, int]]
    #: Makes a hidden layer of a linear one.
    hidden: Callable[[nn.Module, float], nn.Module] | None
    adaptive_pool: int | None
    #: The layers that change the size of maps.
    windows: tuple[Window, ...]


_RESNET: tuple[Window, ...] = ((7, 2, 3), *((3, 2, 1),) * 4)
_ARCHITECTURES = {
    "vgg16": _Architecture(_vgg16_convolutions, _vgg16_hidden, None, ((2, 2, 0),) * 5),
    "alexnet": _Architecture(
        _alexnet_convolutions, _alexnet_hidden, 6, ((11, 4, 2), *((3, 2, 0),) * 3)
    ),
    "resnet18": _Architecture(
        partial(_resnet_convolutions, make_block=_Block, n_blocks=(2, 2, 2, 2)), None, 1, _RESNET
    ),
    "resnet50": _Architecture(
        partial(_resnet_convolutions, make_block=_Bottleneck, n_blocks=(3, 4, 6, 3)),
        None, 1, _RESNET,
    ),
}  # fmt: skip


def _choose(options: dict, **parameter: str):
    """Return the option that a parameter names."""
    ((name, value),) = parameter.items()
    if value not in options:
        raise ValueError(f"{name} must be one of {list(options)}, got {value!r}")
    return options[value]


def _size_behind(windows: Iterable[Window], size: int) -> int:
    """Return the bins or frames that all layers leave."""
    for kernel, stride, padding in windows:
        size = (size + 2 * padding - kernel) // stride + 1
    return size


def _least_size(windows: Iterable[Window], *, n_left: int) -> int:
    """Return the least number of bins or frames of which all layers leave so many."""
    for kernel, stride, padding in reversed(tuple(windows)):
        n_left = max(1, (n_left - 1) * stride + kernel - 2 * padding)
    return n_left


def _initialize(backbone: nn.Module, width: float) -> None:
    """Draw real weights as torchvision does; quaternion layers keep their own.

    A narrower linear layer has larger weights, so that its output is as large.
    """
    for part in backbone.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(part, nn.Linear):
            nn.init.normal_(part.weight, std=0.01 / math.sqrt(width))
        if isinstance(part, nn.Conv2d | nn.Linear) and part.bias is not None:
            nn.init.zeros_(part.bias)
