"""The loss that is low where predicted and true sequences agree."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from serkit.modules._masking import frame_mask

__all__ = ["CCCLoss"]

_REDUCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "mean": torch.mean,
    "sum": torch.sum,
    "none": lambda losses: losses,
}


class CCCLoss(nn.Module):
    """One minus the concordance correlation coefficient (CCC) of every sequence.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default="mean"
        What becomes of the losses of the sequences.
    dim : int, default=-1
        The axis along which values are compared: time of sequences, or 0 to
        compare one value per utterance over a batch.

    See Also
    --------
    serkit.metrics.concordance_correlation_coefficient : The same as a score.

    Notes
    -----
    It is computed as the mean squared error over
    ``var_output + var_target + (mean_output - mean_target)**2``, which equals
    one minus the CCC and keeps its digits where the two almost agree. Variances
    divide by the number of values.

    The loss of a constant target is 1 whatever is predicted, even the target
    itself: from such a sequence nothing is learnt.

    References
    ----------
    Lin, "A concordance correlation coefficient to evaluate reproducibility",
    Biometrics 45(1), 1989.

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import CCCLoss
    >>> output = torch.tensor([[1.0, 2.0, 3.0, 4.0], [4.0, 3.0, 2.0, 1.0]])
    >>> target = torch.tensor([[1.0, 2.0, 3.0, 5.0], [1.0, 2.0, 3.0, 4.0]])
    >>> CCCLoss(reduction="none")(output, target)
    tensor([0.0714, 2.0000])
    """

    def __init__(self, reduction: str = "mean", dim: int = -1) -> None:
        super().__init__()
        if reduction not in _REDUCTIONS:
            raise ValueError(f"reduction is one of {list(_REDUCTIONS)}, not {reduction!r}")
        self.reduction = reduction
        self.dim = dim

    def forward(
        self,
        output: Tensor,
        target: Tensor,
        lengths: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Compare every sequence with its target.

        Parameters
        ----------
        output : Tensor of shape (n_sequences, ..., n_steps)
            Predicted values; time is where `dim` says.
        target : Tensor of the shape of `output`
            True values.
        lengths : Tensor of shape (n_sequences,) or None, default=None
            Number of values of every sequence, 1 or more; ``None`` if nothing
            is padded. The padding may hold anything.
        weight : Tensor of shape (n_values,) or None, default=None
            Weights of the places along `dim`, such as those of utterances; they
            are not for sequences with `lengths`. Weight 0 counts as absent.

        Returns
        -------
        loss : Tensor
            In [0, 2]; of the shape of `output` without the axis `dim` if the
            reduction is "none".
        """
        if output.shape != target.shape:
            raise ValueError(
                f"output has shape {tuple(output.shape)}, target {tuple(target.shape)}; "
                "they must be the same"
            )
        # In half precision the squares of small deviations vanish.
        dtype = torch.promote_types(output.dtype, torch.float32)
        x, y = (values.to(dtype).movedim(self.dim, -1) for values in (output, target))
        if weight is not None:
            if lengths is not None:
                raise ValueError("either lengths or weight, not both")
            counted = weight > 0
            x, y, weight = x[..., counted], y[..., counted], weight[counted].to(dtype)
        mask = None if lengths is None else self._mask(x, lengths)
        return _REDUCTIONS[self.reduction](_discordance(x, y, mask, weight))

    def _mask(self, x: Tensor, lengths: Tensor) -> Tensor:
        if x.ndim < 2 or self.dim in (0, -x.ndim):
            raise ValueError("lengths are those of sequences along an axis behind the first")
        mask = frame_mask(lengths, x.shape[-1])
        return mask.reshape(len(x), *(1,) * (x.ndim - 2), -1)


def _discordance(x: Tensor, y: Tensor, mask: Tensor | None, weight: Tensor | None) -> Tensor:
    """Return one minus the CCC along the last axis."""

    def real(values: Tensor) -> Tensor:
        return values if mask is None else values.masked_fill(~mask, 0)

    n_values = x.shape[-1] if mask is None else mask.sum(-1)

    def mean(values: Tensor) -> Tensor:
        if weight is not None:
            return (values * weight).sum(-1) / weight.sum()
        return values.sum(-1) / n_values

    def variance(values: Tensor) -> Tensor:
        values = real(values - values[..., :1].detach())  # of a constant no rounding is left
        return mean(real(values - mean(values)[..., None]).square())

    error = real(x - y)
    target_variance = variance(y)
    spread = variance(x) + target_variance + mean(error).square()
    constant = target_variance < torch.finfo(spread.dtype).tiny
    loss = mean(error.square()) / spread.masked_fill(constant, 1)
    return loss.masked_fill(constant, 1)  # so that rounding errors are no gradient
