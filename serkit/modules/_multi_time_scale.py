"""A convolution whose kernels are stretched in time, each cell taking the scale that fits best."""

import math
from collections.abc import Sequence
from functools import reduce
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from serkit.modules._scale_maximum import Branch, convolve, scale_maximum

__all__ = ["SCALE_SETS", "MultiTimeScaleConv2d", "resample_kernel"]

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
        How a stretched kernel is scaled: "sum" divides it by the factor of its
        length, which keeps the sum of weights that change slowly; "l2" keeps their
        Euclidean norm. With ``None`` longer kernels give larger values, and win more
        often.
    scale_penalty : float, default=0.0
        A map is multiplied by 1 minus this times the absolute logarithm of its
        factor.

    Attributes
    ----------
    scale_factors : tuple of float
        The factors, in order. Without a penalty one factor stands for all that
        give kernels of one length, the one nearest to 1.
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
        lengths = _scaled_lengths(scale_factors, self.kernel_size[1], merge=not scale_penalty)
        self.scale_factors = tuple(lengths)
        self.kernel_lengths = tuple(lengths.values())
        least = min(1 - scale_penalty * abs(math.log(factor)) for factor in lengths)
        if least <= 0:
            raise ValueError(
                f"scale_penalty={scale_penalty:g} leaves nothing of the maps of a scale, whose "
                f"factor would be {least:.2g}"
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
        if x.device.type == "cpu" and not torch.is_autocast_enabled("cpu"):
            padded, branches, options = self._plan(x)
            return scale_maximum(padded, self.kernels(), self.bias, branches, **options)
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
            Share of the cells, in the order of `scale_factors`. Cells at which all
            scales are equal, as in zeros, are left out.
        """
        wins = self.count_wins(x)
        return wins / wins.sum().clamp_min(1)

    def count_wins(self, x: Tensor) -> Tensor:
        """Count the cells at which every scale wins.

        Parameters
        ----------
        x : Tensor of shape (n_utterances, in_channels, n_bins, n_frames)
            The maps.

        Returns
        -------
        wins : Tensor of shape (n_scales,)
            Without the cells at which all scales are equal.
        """
        maps = self.at_scales(x)
        differ = maps.amax(dim=1) > maps.amin(dim=1)
        winners = maps.argmax(dim=1)[differ]
        return torch.bincount(winners, minlength=len(self.scale_factors))

    def kernels(self) -> list[Tensor]:
        """Return the kernel at every scale.

        Returns
        -------
        kernels : list of Tensor
            In the order of `scale_factors`.
        """
        return [self._normalize(resample_kernel(self.weight, n)) for n in self.kernel_lengths]

    def _maps(self, x: Tensor) -> list[Tensor]:
        x, branches, options = self._plan(x)
        pairs = zip(self.kernels(), branches, strict=True)
        return [convolve(x, kernel, self.bias, branch, **options) for kernel, branch in pairs]

    def _plan(self, x: Tensor) -> tuple[Tensor, list[Branch], dict[str, Any]]:
        """Return the input with its zeros, what every scale convolves, and the common options."""
        first, last, *bins = self._zeros
        step, stride = self.dilation[1], self.stride[1]
        n_frames = x.shape[-1] + first + last
        if self.align == "interpolate":
            self._check_length(n_frames)
            ranges = [(0, n_frames)] * len(self.kernel_lengths)
            before = behind = 0
        else:  # the middles of all kernels lie where that of the original does
            base = self.kernel_size[1]
            lefts = [(length - base) // 2 for length in self.kernel_lengths]
            rights = [
                length - base - left
                for length, left in zip(self.kernel_lengths, lefts, strict=True)
            ]
            before, behind = max(lefts) * step, max(rights) * step
            total = before + n_frames + behind
            ranges = [
                (before - left * step, total - behind + right * step)
                for left, right in zip(lefts, rights, strict=True)
            ]
        covered = (self.kernel_size[1] - 1) * step + 1
        options = {
            "stride": self.stride,
            "dilation": self.dilation,
            "n_frames": (n_frames - covered) // stride + 1,
        }
        branches = [
            Branch(*bounds, 1 - self.scale_penalty * abs(math.log(factor)))
            for bounds, factor in zip(ranges, self.scale_factors, strict=True)
        ]
        return functional.pad(x, (first + before, last + behind, *bins)), branches, options

    def _check_length(self, n_frames: int) -> None:
        covered = (max(self.kernel_lengths) - 1) * self.dilation[1] + 1
        if n_frames < covered:
            longest = max(self.scale_factors)
            hint = f"leave out scale factor {longest:g}, or " if longest > 1 else ""
            raise ValueError(
                f"the longest kernel covers {covered} frames, the input has only {n_frames}; "
                f"{hint}take longer utterances"
            )

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


def _scaled_lengths(
    scale_factors: Sequence[float], length: int, *, merge: bool
) -> dict[float, int]:
    """Return the length of a kernel by scale factor, in order; 1 is among the factors."""
    try:
        factors = {1.0, *map(float, scale_factors)}
    except TypeError:
        raise TypeError(
            f"scale_factors must be numbers, factors of the length in time; got {scale_factors!r}"
        ) from None
    lengths = {factor: _scaled_length(factor, length) for factor in factors}
    if merge:  # the nearest to 1 comes last, and stays
        by_distance = sorted(factors, key=lambda factor: (-abs(math.log(factor)), factor))
        lengths = {factor: n for n, factor in {lengths[f]: f for f in by_distance}.items()}
    return dict(sorted(lengths.items()))


def _scaled_length(factor: float, length: int) -> int:
    """Return the length of a stretched kernel."""
    if not math.isfinite(factor) or factor * length + 1e-9 < 1:
        raise ValueError(
            f"scale factor {factor:g} leaves nothing of a kernel of {length} frames; the least is "
            f"{1 / length:.3g}"
            if factor < 1
            else f"scale factors must be numbers above 0, got {factor:g}"
        )
    return math.floor(factor * length + 1e-9)
