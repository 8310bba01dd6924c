"""From frames to one vector per utterance."""

import torch
from torch import Tensor, nn

from serkit.modules._masking import frame_mask

__all__ = ["StatisticsPooling"]

#: Below this variance the square root has no useful gradient.
_TINY = 1e-10


class StatisticsPooling(nn.Module):
    """Mean and standard deviation over time, one behind the other.

    The standard deviation is unbiased: it divides by the number of frames less
    one.

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import StatisticsPooling
    >>> x = torch.tensor([[[1.0], [3.0], [9.0]]])
    >>> StatisticsPooling()(x, torch.tensor([2]))
    tensor([[2.0000, 1.4142]])
    """

    def __init__(self) -> None:
        super().__init__()

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Pool every utterance over its frames.

        Parameters
        ----------
        x : Tensor of shape (n_utterances, n_frames, n_features)
            A padded batch.
        lengths : Tensor of shape (n_utterances,) or None, default=None
            Number of frames of every utterance; ``None`` if nothing is padded.

        Returns
        -------
        pooled : Tensor of shape (n_utterances, 2 * n_features)
        """
        # In half precision not even the number of frames is exact.
        x = x.to(torch.promote_types(x.dtype, torch.float32))
        if lengths is None:
            n_frames = x.new_tensor(x.shape[1])
            mask = None
        else:
            n_frames = lengths.to(x.dtype)[:, None]
            mask = frame_mask(lengths, x.shape[1])[:, :, None].to(x.dtype)
            x = x * mask
        mean = x.sum(1) / n_frames
        deviation = x - mean[:, None]
        if mask is not None:
            deviation = deviation * mask
        variance = deviation.square().sum(1) / (n_frames - 1).clamp(min=1)
        return torch.cat([mean, variance.clamp(min=_TINY).sqrt()], dim=1)
