"""The convolutional networks of Guizzo (2023), with one time scale or several."""

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from serkit.modules._cnn_bigru import pair
from serkit.modules._multi_time_scale import MultiTimeScaleConv2d

__all__ = ["MultiTimeScaleEncoder"]

#: Filters and hidden units of the architectures; A4 is AlexNet.
ARCHITECTURES: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "A1": ((1,), (200,)),
    "A2": ((10,), (200,)),
    "A3": ((10, 10), (200,)),
    "A4": ((64, 192, 384, 256, 256), (4096, 4096)),
}


class MultiTimeScaleEncoder(nn.Module):
    """One or two convolutions, or AlexNet, and hidden layers on all that they give.

    It takes utterances of one length.

    Parameters
    ----------
    n_channels : int
        Channels of the frames.
    n_bins : int
        Bins of the frames.
    n_frames : int
        Frames of every utterance.
    architecture : {"A1", "A2", "A3", "A4"}, default="A2"
        One convolution of one filter, one of ten, two of ten with 2 by 2 pooling
        between them, each before a hidden layer of 200; or AlexNet, whose first
        two convolutions are of several scales. Its first has a stride of 4 at one
        scale and at several; in the thesis several have a stride of 1.
    scale_factors : sequence of float or None, default=(0.7, 1.0, 1.428)
        As of :class:`MultiTimeScaleConv2d`; ``None`` makes plain convolutions.
    n_filters : sequence of int or None, default=None
        Filters of the convolutions; ``None`` is those of the architecture.
    kernel_size : int or (int, int), default=(5, 10)
        Extent of the kernels (bins, frames) of "A1" to "A3".
    hidden_layer_sizes : sequence of int or None, default=None
        Units of the hidden layers; ``None`` is those of the architecture.
    dropout : float, default=0.5
        Probability that an input of a hidden layer is dropped in training; of "A4"
        only.
    **options : dict
        As of :class:`MultiTimeScaleConv2d`: `align`, `kernel_norm`,
        `scale_penalty`.

    Attributes
    ----------
    embedding_size : int
        Number of values per utterance.
    n_frames : int
        The number of frames that it takes: that asked for, or the least that it
        can take.
    min_shape : tuple of int
        The least (n_bins, n_frames) of an input.
    stages : dict of str to Module
        The parts by name, from input to output.

    References
    ----------
    Guizzo (2023), "Enhancing the Generalization of Convolutional Neural Networks
    for Speech Emotion Recognition", section 4.3.

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import MultiTimeScaleEncoder
    >>> encoder = MultiTimeScaleEncoder(1, 40, 100, architecture="A3")
    >>> encoder(torch.zeros(2, 1, 40, 100)).shape
    torch.Size([2, 200])
    >>> list(encoder.stages)
    ['convolution1', 'convolution2', 'hidden1']
    """

    def __init__(
        self,
        n_channels: int,
        n_bins: int,
        n_frames: int,
        *,
        architecture: str = "A2",
        scale_factors: Sequence[float] | None = (0.7, 1.0, 1.428),
        n_filters: Sequence[int] | None = None,
        kernel_size: int | tuple[int, int] = (5, 10),
        hidden_layer_sizes: Sequence[int] | None = None,
        dropout: float = 0.5,
        **options,
    ) -> None:
        super().__init__()
        if architecture not in ARCHITECTURES:
            raise ValueError(
                f"architecture must be one of {list(ARCHITECTURES)}, got {architecture!r}"
            )
        filters, hidden = ARCHITECTURES[architecture]
        if n_filters is not None and len(n_filters) != len(filters):
            raise ValueError(
                f"{architecture} has {len(filters)} convolutions, n_filters has {len(n_filters)}"
            )
        filters = filters if n_filters is None else tuple(n_filters)
        if min(filters) < 1:
            raise ValueError(f"n_filters must be numbers above 0, got {n_filters!r}")
        factors = (1.0,) if scale_factors is None else scale_factors
        if architecture == "A4":
            layers = _alexnet(n_channels, filters, factors, options)
        else:
            dropout = 0.0
            layers = _stack(n_channels, filters, pair(kernel_size), factors, options)
        self.min_shape = _least_shape(layers)
        n_bins, self.n_frames = max(n_bins, self.min_shape[0]), max(n_frames, self.min_shape[1])
        if architecture == "A4":
            layers[-1].append(nn.AdaptiveAvgPool2d(6))
        layers[-1].append(nn.Flatten())
        self.convolutions = nn.ModuleList(layers)
        # Only sizes are asked for: nothing is computed on the device "meta".
        sizes = nn.Sequential(*layers)
        size = copy.deepcopy(sizes).to("meta")(
            torch.empty(1, n_channels, n_bins, self.n_frames, device="meta")
        )
        self.flatten_size = n_inputs = size.shape[1]
        self.hidden = nn.ModuleList()
        for width in hidden if hidden_layer_sizes is None else hidden_layer_sizes:
            drop = [nn.Dropout(dropout)] if dropout else []
            self.hidden.append(nn.Sequential(*drop, nn.Linear(n_inputs, width), nn.ReLU()))
            n_inputs = width
        self.embedding_size = n_inputs

    @property
    def stages(self) -> dict[str, nn.Module]:
        """The parts by name, from input to output."""
        return {
            **{f"convolution{n}": layer for n, layer in enumerate(self.convolutions, start=1)},
            **{f"hidden{n}": layer for n, layer in enumerate(self.hidden, start=1)},
        }

    def forward(self, x: Tensor) -> Tensor:
        """Encode every utterance.

        Parameters
        ----------
        x : Tensor of shape (n_utterances, n_channels, n_bins, n_frames)
            The frames.

        Returns
        -------
        embedding : Tensor of shape (n_utterances, embedding_size)
        """
        for stage in self.stages.values():
            x = stage(x)
        return x


def _stack(n_inputs, filters, kernel_size, factors, options) -> list[nn.Sequential]:
    """Return convolutions with 2 by 2 pooling between them."""
    layers = []
    for number, width in enumerate(filters, start=1):
        convolution = MultiTimeScaleConv2d(
            n_inputs, width, kernel_size, scale_factors=factors, **options
        )
        pool = [nn.MaxPool2d(2)] if number < len(filters) else []
        layers.append(nn.Sequential(convolution, nn.ReLU(), *pool))
        n_inputs = width
    return layers


def _alexnet(n_inputs, filters, factors, options) -> list[nn.Sequential]:
    """Return the convolutions of AlexNet, the first two with several scales."""
    geometry = [
        (11, 4, 2, True),
        (5, 1, 2, True),
        (3, 1, 1, False),
        (3, 1, 1, False),
        (3, 1, 1, True),
    ]
    layers = []
    for number, (width, (kernel, stride, padding, pooled)) in enumerate(
        zip(filters, geometry, strict=True)
    ):
        convolution = MultiTimeScaleConv2d(
            n_inputs,
            width,
            kernel,
            stride=stride,
            padding=padding,
            scale_factors=factors if number < 2 else (1.0,),
            **options,
        )
        pool = [nn.MaxPool2d(3, stride=2)] if pooled else []
        layers.append(nn.Sequential(convolution, nn.ReLU(), *pool))
        n_inputs = width
    return layers


def _least_shape(layers: Any) -> tuple[int, int]:
    """Return the least (bins, frames) that leave one place behind all layers."""
    bins = frames = 1
    for layer in reversed(list(layers)):
        convolution, *rest = layer
        pool: Any = rest[-1] if isinstance(rest[-1], nn.MaxPool2d) else None
        if pool is not None:
            bins, frames = ((side - 1) * pool.stride + pool.kernel_size for side in (bins, frames))
        kernel, stride, padding = convolution.kernel_size, convolution.stride, convolution.padding
        bins = max(1, (bins - 1) * stride[0] + kernel[0] - 2 * padding[0])
        longest = max(convolution.kernel_lengths) if convolution.align == "interpolate" else 1
        least = max((frames - 1) * stride[1] + kernel[1], longest)
        frames = max(1, least - 2 * padding[1])
    return bins, frames
