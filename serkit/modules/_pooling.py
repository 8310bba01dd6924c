"""From frames to one vector per utterance."""

import torch
from torch import Tensor, nn

from serkit.modules._masking import frame_mask

__all__ = ["AttentionPooling", "AttentionWeights", "MeanPooling", "StatisticsPooling"]

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


class MeanPooling(nn.Module):
    """Mean over the frames of every utterance.

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import MeanPooling
    >>> x = torch.tensor([[[1.0], [3.0], [9.0]]])
    >>> MeanPooling()(x, torch.tensor([2]))
    tensor([[2.]])
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
        pooled : Tensor of shape (n_utterances, n_features)
        """
        x = x.to(torch.promote_types(x.dtype, torch.float32))
        if lengths is None:
            return x.mean(1)
        x = x * frame_mask(lengths, x.shape[1])[:, :, None]
        return x.sum(1) / lengths[:, None]


class AttentionWeights(nn.Module):
    """How much every frame counts: a softmax over time of a score of each frame.

    Parameters
    ----------
    n_features : int
        Values per frame.
    score : {"linear", "sigmoid"}, default="linear"
        "linear" is ``w · h``, "sigmoid" is ``u * sigmoid(w · h + b)``.

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import AttentionWeights
    >>> weights, lengths = AttentionWeights(4)(torch.ones(1, 3, 4), torch.tensor([2]))
    >>> weights[0, :, 0].tolist()
    [0.5, 0.5, 0.0]
    """

    def __init__(self, n_features: int, *, score: str = "linear") -> None:
        super().__init__()
        if score not in ("linear", "sigmoid"):
            raise ValueError(f'score is "linear" or "sigmoid", not {score!r}')
        self.linear = nn.Linear(n_features, 1, bias=score == "sigmoid")
        self.scale = nn.Parameter(torch.ones(1)) if score == "sigmoid" else None

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Weigh the frames of every utterance.

        Parameters
        ----------
        x : Tensor of shape (n_utterances, n_frames, n_features)
            A padded batch.
        lengths : Tensor of shape (n_utterances,) or None, default=None
            Number of frames of every utterance; ``None`` if nothing is padded.

        Returns
        -------
        weights : Tensor of shape (n_utterances, n_frames, 1)
            They sum to one over the frames of an utterance and are zero behind
            its end.
        lengths : Tensor of shape (n_utterances,) or None
            As given.
        """
        score = self.linear(x)
        if self.scale is not None:
            score = self.scale * torch.sigmoid(score)
        if lengths is not None:
            behind = ~frame_mask(lengths, x.shape[1])[:, :, None]
            score = score.masked_fill(behind, -torch.inf)
        return torch.softmax(score, dim=1), lengths


class AttentionPooling(nn.Module):
    """Weighted mean over time, by weights that are learnt.

    Parameters
    ----------
    n_features : int
        Values per frame.
    score : {"linear", "sigmoid"}, default="linear"
        As of :class:`AttentionWeights`.

    References
    ----------
    Chen et al., "3-D Convolutional Recurrent Neural Networks With Attention Model
    for Speech Emotion Recognition", IEEE Signal Processing Letters 2018,
    equations 4 and 5.

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import AttentionPooling
    >>> AttentionPooling(4)(torch.ones(2, 3, 4)).shape
    torch.Size([2, 4])
    """

    def __init__(self, n_features: int, *, score: str = "linear") -> None:
        super().__init__()
        self.weights = AttentionWeights(n_features, score=score)

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
        pooled : Tensor of shape (n_utterances, n_features)
        """
        weights, _ = self.weights(x, lengths)
        return (weights * x).sum(1)
