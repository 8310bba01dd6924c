"""Utterances of unequal length in one batch: masks and statistics that skip padding."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

__all__ = ["MaskedBatchNorm2d", "frame_mask", "mask_frames", "mean_and_variance"]


def frame_mask(lengths: Tensor, n_frames: int) -> Tensor:
    """Say which frames belong to their utterance.

    Parameters
    ----------
    lengths : Tensor of shape (n_utterances,)
        Number of frames of every utterance.
    n_frames : int
        Number of frames of the padded batch.

    Returns
    -------
    mask : Tensor of shape (n_utterances, n_frames), bool

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import frame_mask
    >>> frame_mask(torch.tensor([1, 3]), 3).int()
    tensor([[1, 0, 0],
            [1, 1, 1]], dtype=torch.int32)
    """
    return torch.arange(n_frames, device=lengths.device) < lengths[:, None]


def mask_frames(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Set the frames behind the end of every utterance to zero.

    Parameters
    ----------
    x : Tensor of shape (n_utterances, ..., n_frames)
        A padded batch; time is its last axis.
    lengths : Tensor of shape (n_utterances,) or None
        Number of frames of every utterance; ``None`` if nothing is padded.

    Returns
    -------
    masked : Tensor of the shape of `x`

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import mask_frames
    >>> mask_frames(torch.ones(2, 1, 3), torch.tensor([1, 3]))[:, 0]
    tensor([[1., 0., 0.],
            [1., 1., 1.]])
    """
    if lengths is None:
        return x
    return x * _mask_like(x, lengths)


def _mask_like(x: Tensor, lengths: Tensor) -> Tensor:
    mask = frame_mask(lengths, x.shape[-1]).to(x.dtype)
    return mask.reshape(x.shape[0], *(1,) * (x.ndim - 2), -1)


class MaskedBatchNorm2d(nn.BatchNorm2d):
    """Batch normalisation whose statistics skip the padding of a batch.

    Parameters
    ----------
    num_features : int
        Number of channels.
    **options : object
        As of :class:`torch.nn.BatchNorm2d`.

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import MaskedBatchNorm2d, mask_frames
    >>> lengths = torch.tensor([2, 5])
    >>> x = torch.randn(2, 3, 4, 5)
    >>> y = MaskedBatchNorm2d(3)(mask_frames(x, lengths), lengths)
    >>> y[0, :, :, 2:].count_nonzero()
    tensor(0)
    """

    def __init__(self, num_features: int, **options: Any) -> None:
        super().__init__(num_features, **options)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Normalise every channel by its mean and variance over all real frames.

        Parameters
        ----------
        x : Tensor of shape (n_utterances, n_channels, n_bins, n_frames)
            A padded batch.
        lengths : Tensor of shape (n_utterances,) or None, default=None
            Number of frames of every utterance; ``None`` if nothing is padded.

        Returns
        -------
        normalised : Tensor of the shape of `x`
            Zero behind the end of every utterance.
        """
        if lengths is None or not (self.training or self.running_mean is None):
            return mask_frames(super().forward(x), lengths)
        mask = _mask_like(x, lengths)
        n_values = int(lengths.sum()) * x.shape[2]
        y, mean, variance = _NormalizeRealFrames.apply(
            x, mask, n_values, self.weight, self.bias, self.eps
        )
        self._track(mean, variance * (n_values / max(n_values - 1, 1)))
        return y

    @torch.no_grad()
    def _track(self, mean: Tensor, variance: Tensor) -> None:
        """Move the running statistics, if there are any, towards those of the batch."""
        if self.running_mean is None or self.running_var is None:
            return
        assert self.num_batches_tracked is not None
        self.num_batches_tracked += 1
        momentum = self.momentum
        if momentum is None:
            momentum = 1 / int(self.num_batches_tracked)
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), momentum)
        self.running_var.lerp_(variance.to(self.running_var.dtype), momentum)


class _NormalizeRealFrames(torch.autograd.Function):
    """Batch normalisation over real frames by torch's own kernels, which know no mask.

    With zeros in the padding, statistics over all positions and over the real
    ones differ by a known factor, and so do the gradients.
    """

    @staticmethod
    def forward(ctx, x, mask, n_values, weight, bias, eps):
        x = x * mask
        share = n_values / (x.numel() // x.shape[1])
        mean, variance = mean_and_variance(x)
        mean = mean / share
        # Without what the zeros of the padding add to the variance.
        variance = (variance / share - (1 - share) * mean.square()).clamp_(min=0)
        y = functional.batch_norm(x, mean, variance, weight, bias, training=False, eps=eps)
        y *= mask
        ctx.save_for_backward(x, mask, weight, mean, torch.rsqrt(variance + eps))
        ctx.share, ctx.eps = share, eps
        ctx.mark_non_differentiable(mean, variance)
        return y, mean, variance

    @staticmethod
    @once_differentiable  # the saved statistics have no gradient of their own
    def backward(ctx, grad, _grad_mean, _grad_variance):
        x, mask, weight, mean, inverse_std = ctx.saved_tensors
        _, _, _, *affine, _ = ctx.needs_input_grad
        weight = torch.ones_like(mean) if weight is None else weight
        scaled, grad = weight / ctx.share, grad * mask
        grad_x, grad_weight, grad_bias = torch.ops.aten.native_batch_norm_backward(
            grad, x, scaled, None, None, mean, inverse_std, True, ctx.eps, [True, *affine]
        )
        # The kernel divided two sums by the number of all positions; only the real count.
        surplus = (1 - ctx.share) * scaled * inverse_std
        grad_x = grad_x.addcmul_(grad, surplus[:, None, None], value=-1).mul_(mask)
        return grad_x, None, None, grad_weight, grad_bias, None


def mean_and_variance(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the statistics of every channel, in single precision at least."""
    dtype = torch.promote_types(x.dtype, torch.float32)
    if not x.is_cpu:
        variance, mean = torch.var_mean(x.to(dtype), dim=(0, 2, 3), correction=0)
        return mean, variance
    # On the CPU a general reduction takes 20 times as long as the kernel of batch normalisation,
    # which looks at the running statistics for nothing but their type.
    unused = x.new_zeros((2, x.shape[1]), dtype=dtype)
    return torch.batch_norm_update_stats(x, unused[0], unused[1], momentum=0.0)
