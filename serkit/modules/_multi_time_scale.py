"""A convolution whose kernels are stretched in time, each cell taking the scale that fits best."""

import copy
import math
from collections.abc import Sequence
from functools import reduce
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["SCALE_SETS", "MultiTimeScaleConv2d", "convert_to_multi_time_scale", "resample_kernel"]

M = TypeVar("M", bound=nn.Module)

#: The sets of scale factors of Guizzo (2023), section 4.3.
SCALE_SETS: tuple[tuple[float, ...], ...] = (
    (0.25, 1.0, 4.0),
    (0.5, 1.0, 2.0),
    (0.7, 1.0, 1.428),
    (0.8, 1.0, 1.25),
    (0.9, 1.0, 1.111),
    (0.95, 1.0, 1.053),
    (0.25, 0.5, 1.0, 2.0, 4.0),
    (0.5, 0.7, 1.0, 1.428, 2.0),
    (0.8, 0.9, 1.0, 1.111, 1.25),
    (0.25, 0.5, 0.7, 1.0, 1.428, 2.0, 4.0),
    (0.7, 0.8, 0.9, 1.0, 1.111, 1.25, 1.428),
)


#: Weights of kernels padded to one length, over those of the kernels themselves, that are worth
#: a single call.
_MOST_ZEROS = 1.5


def resample_kernel(weight: Tensor, length: int) -> Tensor:
    """Stretch kernels to another number of frames, by linear interpolation.

    Parameters
    ----------
    weight : Tensor of shape (n_filters, n_channels, n_bins, n_frames)
        The kernels.
    length : int
        Frames that they are to have.

    Returns
    -------
    weight : Tensor of shape (n_filters, n_channels, n_bins, length)

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import resample_kernel
    >>> kernel = torch.tensor([1.0, 2.0, 3.0, 4.0]).reshape(1, 1, 1, 4)
    >>> resample_kernel(kernel, 2).flatten()
    tensor([1.5000, 3.5000])
    """
    if length == weight.shape[-1]:
        return weight
    # The length is given, not the factor: with a factor the grid would depend on its rounding.
    return functional.interpolate(weight.flatten(0, 1), size=length, mode="linear").unflatten(
        0, weight.shape[:2]
    )


class MultiTimeScaleConv2d(nn.Conv2d):
    """A convolution with kernels of several lengths in time, all made of one.

    The kernel is stretched by every scale factor, and every cell of the output
    is the maximum over the scales; an activation belongs behind it. There are no
    more weights than in a plain convolution: the gradients of all scales add up
    in the one kernel.

    Parameters
    ----------
    in_channels : int
        Channels of the input.
    out_channels : int
        Filters.
    kernel_size : int or (int, int)
        Extent of the kernel of scale 1 (bins, frames).
    stride : int or (int, int), default=1
        Step of the kernel (bins, frames).
    padding : int, (int, int) or "same", default=0
        Zeros on either side (bins, frames).
    dilation : int or (int, int), default=1
        Distance of the weights of a kernel (bins, frames).
    bias : bool, default=True
        Add a bias to every filter, the same at all scales.
    scale_factors : sequence of float, default=(0.7, 1.0, 1.428)
        Factors of the length in time; 1 is added if it is not among them.
    align : {"interpolate", "pad"}, default="interpolate"
        How the maps of all scales come to one size. "interpolate" stretches each
        to the size that it has at scale 1, as in the thesis, so that a place in it
        depends on the whole length; "pad" leaves all kernels with their middle at
        one place, so that it does not.
    kernel_norm : {"sum", "l2"} or None, default=None
        What a stretched kernel keeps of the original: the sum of its weights, or
        their Euclidean norm. With ``None`` longer kernels give larger values, and
        win more often.
    scale_penalty : float, default=0.0
        A map is multiplied by 1 minus this times the absolute logarithm of its
        factor.

    Attributes
    ----------
    scale_factors : tuple of float
        The factors, in order.
    kernel_lengths : tuple of int
        Frames of the kernel at every scale.

    See Also
    --------
    convert_to_multi_time_scale : Changes the convolutions of a network.

    References
    ----------
    Guizzo (2023), "Enhancing the Generalization of Convolutional Neural Networks
    for Speech Emotion Recognition", section 4.2.

    Guizzo, Weyde and Leveson, "Multi-Time-Scale Convolution for Emotion
    Recognition from Speech Audio Signals", ICASSP 2020.

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import MultiTimeScaleConv2d
    >>> convolution = MultiTimeScaleConv2d(1, 8, (5, 10), scale_factors=(0.5, 1.0, 2.0))
    >>> convolution.kernel_lengths
    (5, 10, 20)
    >>> convolution(torch.zeros(2, 1, 40, 100)).shape
    torch.Size([2, 8, 36, 91])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        *,
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] | str = 0,
        dilation: int | tuple[int, int] = 1,
        bias: bool = True,
        scale_factors: Sequence[float] = (0.7, 1.0, 1.428),
        align: str = "interpolate",
        kernel_norm: str | None = None,
        scale_penalty: float = 0.0,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride=stride,
            padding=padding,
            dilation=dilation,
            bias=bias,
        )
        if align not in ("interpolate", "pad"):
            raise ValueError(f'align must be "interpolate" or "pad", got {align!r}')
        if kernel_norm not in ("sum", "l2", None):
            raise ValueError(f'kernel_norm must be "sum", "l2" or None, got {kernel_norm!r}')
        self.scale_factors = tuple(sorted({1.0, *map(float, scale_factors)}))
        self.kernel_lengths = tuple(
            _scaled_length(factor, self.kernel_size[1]) for factor in self.scale_factors
        )
        self.align = align
        self.kernel_norm = kernel_norm
        self.scale_penalty = scale_penalty

    def forward(self, x: Tensor) -> Tensor:
        """Return the maximum over the scales.

        Parameters
        ----------
        x : Tensor of shape (n_utterances, in_channels, n_bins, n_frames)
            The maps.

        Returns
        -------
        maps : Tensor of shape (n_utterances, out_channels, n_bins_out, n_frames_out)
            Of the shape that a plain convolution gives.
        """
        if len(self.scale_factors) == 1:
            return super().forward(x)
        return reduce(torch.maximum, self._maps(x))

    def at_scales(self, x: Tensor) -> Tensor:
        """Return the maps of every scale.

        Parameters
        ----------
        x : Tensor of shape (n_utterances, in_channels, n_bins, n_frames)
            The maps.

        Returns
        -------
        maps : Tensor of shape (n_utterances, n_scales, out_channels, n_bins_out, n_frames_out)
        """
        return torch.stack(self._maps(x), dim=1)

    def scale_usage(self, x: Tensor) -> Tensor:
        """Say how often every scale wins.

        A kernel that is long has larger values by its length alone: compare with
        a layer that is untrained before you read anything into it.

        Parameters
        ----------
        x : Tensor of shape (n_utterances, in_channels, n_bins, n_frames)
            The maps.

        Returns
        -------
        shares : Tensor of shape (n_scales,)
            Share of the cells, in the order of `scale_factors`; of equal scales
            the first one wins.
        """
        winners = self.at_scales(x).argmax(dim=1)
        return (
            torch.bincount(winners.flatten(), minlength=len(self.scale_factors)) / winners.numel()
        )

    def kernels(self) -> list[Tensor]:
        """Return the kernel at every scale.

        Returns
        -------
        kernels : list of Tensor
            In the order of `scale_factors`.
        """
        return [self._normalize(resample_kernel(self.weight, n)) for n in self.kernel_lengths]

    def _maps(self, x: Tensor) -> list[Tensor]:
        maps = self._pad(x) if self.align == "pad" else self._interpolate(x)
        if not self.scale_penalty:
            return maps
        return [
            (1 - self.scale_penalty * abs(math.log(factor))) * each
            for factor, each in zip(self.scale_factors, maps, strict=True)
        ]

    def _normalize(self, kernel: Tensor) -> Tensor:
        if self.kernel_norm is None or kernel is self.weight:
            return kernel
        if self.kernel_norm == "sum":
            return kernel * (self.kernel_size[1] / kernel.shape[-1])
        dims = (1, 2, 3)
        norms = [
            torch.linalg.vector_norm(each, dim=dims, keepdim=True) for each in (self.weight, kernel)
        ]
        return kernel * (norms[0] / norms[1].clamp_min(torch.finfo(kernel.dtype).tiny))

    def _interpolate(self, x: Tensor) -> list[Tensor]:
        """Convolve at every scale, and stretch the maps to the size of scale 1."""
        n_frames = x.shape[-1] + sum(self._zeros[:2])
        covered = [(length - 1) * self.dilation[1] + 1 for length in self.kernel_lengths]
        if n_frames < max(covered):
            raise ValueError(
                f"the longest kernel covers {max(covered)} frames, the input has only {n_frames}; "
                f"leave out scale factor {max(self.scale_factors):g}, or take longer utterances"
            )
        # All begin at one frame; the zeros behind the end are for the longest kernel.
        all_maps = self._convolve(x, [0] * len(covered), (0, max(covered) - min(covered)))
        maps = [
            each[..., : (n_frames - extent) // self.stride[1] + 1]
            for each, extent in zip(all_maps, covered, strict=True)
        ]
        length = maps[self.scale_factors.index(1.0)].shape[-1]
        return [_stretch(each, length) for each in maps]

    def _pad(self, x: Tensor) -> list[Tensor]:
        """Convolve at all scales, the middles of all kernels where that of the original lies."""
        longest, base = max(self.kernel_lengths), self.kernel_size[1]
        before = (longest - base) // 2
        lefts = [before - (length - base) // 2 for length in self.kernel_lengths]
        ends = before * self.dilation[1], (longest - base - before) * self.dilation[1]
        return self._convolve(x, lefts, ends)

    def _convolve(self, x: Tensor, lefts: list[int], ends: tuple[int, int]) -> list[Tensor]:
        """Convolve at every scale, with zeros to the left of a kernel up to the longest one."""
        longest = max(self.kernel_lengths)
        rights = [
            longest - length - left for length, left in zip(self.kernel_lengths, lefts, strict=True)
        ]
        first, last, *bins = self._zeros
        x = functional.pad(x, (first + ends[0], last + ends[1], *bins))
        options = self.stride, 0, self.dilation
        sides = list(zip(self.kernels(), lefts, rights, strict=True))
        if len(sides) * longest > _MOST_ZEROS * sum(self.kernel_lengths):
            step, n_frames = self.dilation[1], x.shape[-1]
            return [
                functional.conv2d(
                    x[..., left * step : n_frames - right * step], kernel, self.bias, *options
                )
                for kernel, left, right in sides
            ]
        # One call is faster than many, as long as not too many of its weights are zeros.
        kernels = torch.cat([functional.pad(kernel, ends) for kernel, *ends in sides])
        bias = None if self.bias is None else self.bias.repeat(len(sides))
        return list(functional.conv2d(x, kernels, bias, *options).chunk(len(sides), dim=1))

    @property
    def _zeros(self) -> list[int]:
        """Zeros before and behind the frames and the bins, "same" or not."""
        return list(self._reversed_padding_repeated_twice)

    def extra_repr(self) -> str:
        """Describe the layer.

        Returns
        -------
        description : str
        """
        return f"{super().extra_repr()}, scale_factors={self.scale_factors}, align={self.align!r}"


def convert_to_multi_time_scale(
    module: M, scale_factors: Sequence[float] = (0.7, 1.0, 1.428), **options
) -> M:
    """Return a copy of a network whose convolutions are of several time scales.

    Kernels that cover a single frame have nothing to stretch and stay, as do
    convolutions with groups.

    Parameters
    ----------
    module : Module
        Any network; it is not changed. Its weights are those of scale 1.
    scale_factors : sequence of float, default=(0.7, 1.0, 1.428)
        As of :class:`MultiTimeScaleConv2d`.
    **options : dict
        As of :class:`MultiTimeScaleConv2d`; `align` is "pad", by which what
        becomes of an utterance does not depend on the padding of its batch.

    Returns
    -------
    module : Module

    Raises
    ------
    ValueError
        If there is no convolution to convert.

    Examples
    --------
    >>> from serkit.modules import CNN2DBiGRUEncoder, convert_to_multi_time_scale
    >>> encoder = convert_to_multi_time_scale(CNN2DBiGRUEncoder(1, 20), (0.5, 1.0, 2.0))
    >>> encoder.stages["block1"].convolution.kernel_lengths
    (1, 2, 4)
    """
    module = copy.deepcopy(module)
    options = {"align": "pad", **options}
    found = [
        (parent, name, child)
        for parent in module.modules()
        for name, child in parent.named_children()
        if type(child) is nn.Conv2d and child.kernel_size[1] > 1 and child.groups == 1
    ]
    if not found:
        raise ValueError(f"{type(module).__name__} has no convolution over frames to convert")
    for parent, name, child in found:
        setattr(parent, name, _convert(child, scale_factors, options))
    return module


def _convert(layer: nn.Conv2d, scale_factors: Sequence[float], options: dict) -> nn.Conv2d:
    converted = MultiTimeScaleConv2d(
        layer.in_channels,
        layer.out_channels,
        layer.kernel_size,  # type: ignore[arg-type]
        stride=layer.stride,  # type: ignore[arg-type]
        padding=layer.padding,  # type: ignore[arg-type]
        dilation=layer.dilation,  # type: ignore[arg-type]
        bias=layer.bias is not None,
        scale_factors=scale_factors,
        **options,
    )
    converted.weight, converted.bias = layer.weight, layer.bias
    return converted.train(layer.training)


def _stretch(maps: Tensor, length: int) -> Tensor:
    """Stretch maps to another number of frames."""
    if maps.shape[-1] == length:
        return maps
    stretched = functional.interpolate(maps.flatten(1, 2), size=length, mode="linear")
    return stretched.unflatten(1, maps.shape[1:3])


def _scaled_length(factor: float, length: int) -> int:
    scaled = math.floor(factor * length + 1e-9) if factor > 0 else 0
    if scaled < 1:
        raise ValueError(
            f"scale factor {factor:g} leaves nothing of a kernel of {length} frames; the least is "
            f"{1 / length:.3g}"
        )
    return scaled
