"""Batch normalisation of quaternions."""

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from serkit.modules._masking import mean_and_variance
from serkit.modules._quaternion import check_quaternions

__all__ = ["QuaternionBatchNorm2d"]


class QuaternionBatchNorm2d(nn.Module):
    """Batch normalisation that keeps the proportions of the components.

    Each of the four components has one mean over utterances, channels, bins and
    frames; all are divided by one deviation, of which the variances of the
    components are summed.

    Parameters
    ----------
    num_features : int
        Real channels, four per quaternion: all real parts, then all values of i,
        of j and of k.
    eps : float, default=1e-5
        Added to the variance.
    momentum : float, default=0.1
        How far the running statistics go towards those of a batch.

    Attributes
    ----------
    weight : Parameter of shape (num_features / 4,)
        Factor of every quaternion.
    bias : Parameter of shape (num_features,)
        What is added to every real channel.
    running_mean : Tensor of shape (4,)
        Mean of every component, for use in evaluation.
    running_var : Tensor of shape ()
        Common variance, for use in evaluation; not corrected for the size of a batch.

    References
    ----------
    Guizzo (2023), "Enhancing the Generalization of Convolutional Neural Networks
    for Speech Emotion Recognition", section 6.2.2.

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import QuaternionBatchNorm2d
    >>> layer = QuaternionBatchNorm2d(8)
    >>> y = layer(torch.randn(2, 8, 26, 63))
    >>> round(y.square().mean().item(), 3)  # of each component; their sum is 1
    0.25
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        check_quaternions(num_features=num_features)
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.weight = nn.Parameter(torch.ones(num_features // 4))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(4))
        self.register_buffer("running_var", torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise by the statistics of the batch, in evaluation by the running ones.

        Parameters
        ----------
        x : Tensor of shape (n_utterances, num_features, n_bins, n_frames)
            The maps.

        Returns
        -------
        normalised : Tensor of the shape of `x`
        """
        if x.ndim != 4 or x.shape[1] != self.num_features:
            raise ValueError(
                f"the input has shape {tuple(x.shape)}, but the layer takes "
                f"(n_utterances, {self.num_features}, n_bins, n_frames)"
            )
        weight = self.weight.repeat(4)
        if not self.training:
            statistics = _per_channel(x, self.running_mean, self.running_var)
            return functional.batch_norm(x, *statistics, weight, self.bias, eps=self.eps)
        y, mean, variance = _NormalizeByBatch.apply(x, weight, self.bias, self.eps)
        with torch.no_grad():
            self.running_mean.lerp_(mean.to(self.running_mean.dtype), self.momentum)
            self.running_var.lerp_(variance.to(self.running_var.dtype), self.momentum)
        return y

    def extra_repr(self) -> str:
        """Return what is shown between the brackets.

        Returns
        -------
        text : str
        """
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum}"


def _per_channel(x: Tensor, mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
    """Repeat the statistics of the components for all channels of `x`."""
    n_channels = x.shape[1]
    return mean.repeat_interleave(n_channels // 4), variance.repeat(n_channels)


class _NormalizeByBatch(torch.autograd.Function):
    """The normalisation by torch's own kernels, which know no statistics of many channels.

    They take the joint statistics for constants; what reaches the input through
    them follows from the gradients of weight and bias, which are sums over a channel.
    """

    @staticmethod
    def forward(ctx, x, weight, bias, eps):
        means, variances = mean_and_variance(x)
        means, variances = means.reshape(4, -1), variances.reshape(4, -1)
        mean = means.mean(1)
        variance = (variances + (means - mean[:, None]).square()).mean(1).sum()
        statistics = _per_channel(x, mean, variance)
        ctx.save_for_backward(x, weight, *statistics)
        ctx.eps = eps
        ctx.mark_non_differentiable(mean, variance)
        return functional.batch_norm(x, *statistics, weight, bias, eps=eps), mean, variance

    @staticmethod
    @once_differentiable  # the saved statistics have no gradient of their own
    def backward(ctx, grad, _grad_mean, _grad_variance):
        x, weight, mean, variance = ctx.saved_tensors
        grad_x, grad_weight, grad_bias = torch.ops.aten.native_batch_norm_backward(
            grad, x, weight, mean, variance, None, None, False, ctx.eps, [True, True, True]
        )
        n_channels, n_values = len(mean), x.numel() // 4
        inverse_std = torch.rsqrt(variance + ctx.eps)
        by_mean = -(grad_bias * weight * inverse_std).reshape(4, -1).sum(1) / n_values
        by_variance = -(grad_weight * weight).sum() * inverse_std.square() / n_values
        offset = by_mean.repeat_interleave(n_channels // 4) - by_variance * mean
        grad_x = grad_x.addcmul_(x, by_variance[:, None, None]).add_(offset[:, None, None])
        return grad_x, grad_weight, grad_bias, None
