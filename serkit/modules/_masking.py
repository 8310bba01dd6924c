"""Utterances of unequal length in one batch: masks and statistics that skip padding."""

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["MaskedBatchNorm2d", "frame_mask", "mask_frames"]


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
    return mask.reshape(len(x), *(1,) * (x.ndim - 2), -1)


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
        if lengths is None or not self.training:
            return mask_frames(super().forward(x), lengths)
        mask = _mask_like(x, lengths)
        n_values = int(lengths.sum()) * x.shape[2]
        y, mean, variance = _NormalizeRealFrames.apply(
            x, mask, n_values, self.weight, self.bias, self.eps
        )
        if self.track_running_stats:
            self.num_batches_tracked += 1
            with torch.no_grad():
                unbiased = variance * (n_values / max(n_values - 1, 1))
                self.running_mean.lerp_(mean.to(self.running_mean.dtype), self.momentum)
                self.running_var.lerp_(unbiased.to(self.running_var.dtype), self.momentum)
        return y


class _NormalizeRealFrames(torch.autograd.Function):
    """Batch normalisation over real frames by torch's own kernels, which know no mask.

    With zeros in the padding, statistics over all positions and over the real
    ones differ by a known factor, and so do the gradients.
    """

    @staticmethod
    def forward(ctx, x, mask, n_values, weight, bias, eps):
        x = x * mask
        share = n_values / (x.numel() // x.shape[1])
        variance, mean = torch.var_mean(x, dim=(0, 2, 3), correction=0)
        mean = mean / share
        # What the zeros of the padding add to the variance; the difference of the
        # squares would lose the digits that this keeps.
        variance = (variance / share - (1 - share) * mean.square()).clamp_(min=0)
        y = functional.batch_norm(x, mean, variance, weight, bias, training=False, eps=eps)
        y *= mask
        ctx.save_for_backward(x, mask, weight, mean, torch.rsqrt(variance + eps))
        ctx.share, ctx.eps = share, eps
        ctx.mark_non_differentiable(mean, variance)
        return y, mean, variance

    @staticmethod
    def backward(ctx, grad, _grad_mean, _grad_variance):
        x, mask, weight, mean, inverse_std = ctx.saved_tensors
        grad = grad * mask
        grad_x, grad_weight, grad_bias = torch.ops.aten.native_batch_norm_backward(
            grad, x, weight, None, None, mean, inverse_std, True, ctx.eps, [True, True, True]
        )
        # The kernel divided two sums by the number of all positions; only the real count.
        scale = ((1 - ctx.share) * weight * inverse_std)[:, None, None]
        grad_x = grad_x.sub_(grad.mul_(scale)).mul_(mask / ctx.share)
        return grad_x, None, None, grad_weight, grad_bias, None
