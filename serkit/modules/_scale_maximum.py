"""The maximum over maps of several time scales, with as little memory as the maps of one."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

__all__ = ["Branch", "convolve", "scale_maximum", "stretch"]

#: Bytes of the maps of a scale that are worked on at a time, so that they stay in the cache.
_BLOCK = 2**22
#: Frames of a kernel beyond which oneDNN has no fast gradient of the weights.
_LONGEST_FAST = 14


class Branch(NamedTuple):
    """What one scale convolves: some frames of the input; and what its map is multiplied by."""

    start: int
    stop: int
    factor: float = 1.0


class _Options(NamedTuple):
    branches: Sequence[Branch]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    n_frames: int

    def block(self, x: Tensor, kernel: Tensor) -> int:
        """Return the number of utterances of a block."""
        n_bins = x.shape[2] // self.stride[0]
        n_bytes = x.element_size() * kernel.shape[0] * n_bins * self.n_frames
        return max(1, _BLOCK // max(1, n_bytes))


def stretch(maps: Tensor, n_frames: int) -> Tensor:
    """Stretch maps to another number of frames, by linear interpolation."""
    if maps.shape[-1] == n_frames:
        return maps
    # In one dimension it would copy maps whose channels come last.
    return functional.interpolate(maps, size=(maps.shape[2], n_frames), mode="bilinear")


def convolve(
    x: Tensor,
    kernel: Tensor,
    bias: Tensor | None,
    branch: Branch,
    *,
    stride: tuple[int, int],
    dilation: tuple[int, int],
    n_frames: int,
) -> Tensor:
    """Return the map of one scale."""
    part = x[..., branch.start : branch.stop]
    maps = stretch(functional.conv2d(part, kernel, bias, stride, 0, dilation), n_frames)
    return maps if branch.factor == 1 else maps * branch.factor


def scale_maximum(
    x: Tensor,
    kernels: Sequence[Tensor],
    bias: Tensor | None,
    branches: Sequence[Branch],
    *,
    stride: tuple[int, int],
    dilation: tuple[int, int],
    n_frames: int,
) -> Tensor:
    """Return the maximum over the maps of all scales.

    Block by block of utterances, and what is kept for the gradient is which
    scale won, a byte per cell. Where scales are equal the first has the gradient.
    """
    options = _Options(branches, stride, dilation, n_frames)
    return _ScaleMaximum.apply(x, bias, options, torch.is_grad_enabled(), *kernels)


class _ScaleMaximum(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        bias: Tensor | None,
        options: _Options,
        grad_enabled: bool,
        *kernels: Tensor,
    ) -> Tensor:
        # In here gradients are always off, and leaves need them even where nobody asks.
        learns = grad_enabled and any(ctx.needs_input_grad)
        best, winners = [], []
        for block in x.split(options.block(x, kernels[0])):
            maps, winner = _compete(block, bias, options, kernels, learns)
            best.append(maps)
            winners.append(winner)
        ctx.options = options
        if learns:
            ctx.save_for_backward(x, *kernels, *winners)
        return best[0] if len(best) == 1 else torch.cat(best)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        options: _Options = ctx.options
        n_scales = len(options.branches)
        x, *saved = ctx.saved_tensors
        kernels, winners = saved[:n_scales], saved[n_scales:]
        grad_x = torch.zeros_like(x) if ctx.needs_input_grad[0] else None
        grad_bias = grad.new_zeros(grad.shape[1]) if ctx.needs_input_grad[1] else None
        grad_kernels = [
            torch.zeros_like(kernel) if needed else None
            for kernel, needed in zip(kernels, ctx.needs_input_grad[-n_scales:], strict=True)
        ]
        begin = 0
        for winner in winners:
            rows = slice(begin, begin + len(winner))
            begin = rows.stop
            for number, (kernel, branch) in enumerate(zip(kernels, options.branches, strict=True)):
                won = grad[rows] * (winner == number).to(grad.dtype)
                if branch.factor != 1:
                    won *= branch.factor
                if grad_bias is not None:
                    grad_bias += won.sum(dim=(0, 2, 3))
                part = x[rows, ..., branch.start : branch.stop]
                won = _shrink(won, _map_frames(part, kernel, options))
                grad_kernel = grad_kernels[number]
                if grad_kernel is not None:
                    _add_kernel_gradient(grad_kernel, won, part, kernel, options)
                if grad_x is not None:
                    into = grad_x[rows, ..., branch.start : branch.stop]
                    into += _convolution_backward(won, part, kernel, options, of_input=True)
        return grad_x, grad_bias, None, None, *grad_kernels


def _compete(
    x: Tensor, bias: Tensor | None, options: _Options, kernels: Sequence[Tensor], learns: bool
) -> tuple[Tensor, Tensor]:
    """Return the maximum over the scales, and the number of the first that has it."""
    best = winner = x.new_empty(0)
    for number, (kernel, branch) in enumerate(zip(kernels, options.branches, strict=True)):
        maps = convolve(
            x,
            kernel,
            bias,
            branch,
            stride=options.stride,
            dilation=options.dilation,
            n_frames=options.n_frames,
        )
        if number == 0:
            best = maps
            winner = torch.zeros_like(maps, dtype=torch.uint8) if learns else winner
            continue
        if learns:
            wins = (maps > best).view(torch.uint8)
            winner = torch.maximum(winner, wins.mul_(number))
        best = torch.maximum(best, maps)
    return best, winner


def _map_frames(part: Tensor, kernel: Tensor, options: _Options) -> int:
    """Return the frames of the map of a scale before it is stretched."""
    covered = (kernel.shape[-1] - 1) * options.dilation[1] + 1
    return (part.shape[-1] - covered) // options.stride[1] + 1


def _shrink(grad: Tensor, n_frames: int) -> Tensor:
    """Return the gradient of maps that were stretched."""
    if grad.shape[-1] == n_frames:
        return grad
    shape = [*grad.shape[:3], n_frames]
    return torch.ops.aten.upsample_bilinear2d_backward(
        grad, list(grad.shape[2:]), shape, False, None, None
    )


def _add_kernel_gradient(
    into: Tensor, grad: Tensor, part: Tensor, kernel: Tensor, options: _Options
) -> None:
    """Add the gradient of a kernel, piece by piece if it is long."""
    length, step = kernel.shape[-1], options.dilation[1]
    n_pieces = -(-length // _LONGEST_FAST)
    bounds = [length * piece // n_pieces for piece in range(n_pieces + 1)]
    for begin, end in pairwise(bounds):
        last = part.shape[-1] - (length - end) * step
        into[..., begin:end] += _convolution_backward(
            grad,
            part[..., begin * step : last],
            kernel[..., begin:end],
            options,
            of_input=False,
        )


def _convolution_backward(
    grad: Tensor, x: Tensor, kernel: Tensor, options: _Options, *, of_input: bool
) -> Tensor:
    """Return the gradient of the input of a convolution, or that of its kernel."""
    which = [of_input, not of_input, False]
    gradients = torch.ops.aten.convolution_backward(
        grad,
        x,
        kernel,
        None,
        list(options.stride),
        [0, 0],
        list(options.dilation),
        False,
        [0, 0],
        1,
        which,
    )
    return gradients[0 if of_input else 1]
