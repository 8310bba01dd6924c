"""The layer that turns a classifier's gradient against the encoder below it."""

import torch
from torch import Tensor, nn

__all__ = ["GradientReversal"]


class GradientReversal(nn.Module):
    """Identity forward; multiply the gradient by ``-scale`` backward.

    References
    ----------
    Ganin and Lempitsky, "Unsupervised Domain Adaptation by Backpropagation",
    ICML 2015, section 3.

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import GradientReversal
    >>> x = torch.ones(2, requires_grad=True)
    >>> GradientReversal()(x, 0.5).sum().backward()
    >>> x.grad
    tensor([-0.5000, -0.5000])
    """

    def __init__(self) -> None:
        super().__init__()

    def forward(self, x: Tensor, scale: float = 1.0) -> Tensor:
        """Return `x`.

        Parameters
        ----------
        x : Tensor
            Any shape.
        scale : float, default=1.0
            How strongly the gradient is reversed.

        Returns
        -------
        x : Tensor
            The same values.
        """
        return _Reverse.apply(x, scale)


class _Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, scale):
        ctx.scale = scale
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad):
        return grad * -ctx.scale, None
