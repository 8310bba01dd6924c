"""The networks of Guizzo (2023) that predict a value for every moment of a slice."""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from serkit.modules._cnn_bigru import Size, pair
from serkit.modules._recurrence import BidirectionalGRU

__all__ = ["BiGRUEncoder", "SequenceCNNEncoder"]


class BiGRUEncoder(nn.Module):
    """The final states of a bidirectional GRU, normalised over the batch.

    Parameters
    ----------
    n_channels : int
        Channels of the frames.
    n_bins : int
        Bins of the frames.
    hidden_size : int, default=250
        Units of the GRU in each direction.
    dropout : float, default=0.3
        Probability that a value of the states is dropped in training.

    Attributes
    ----------
    embedding_size : int
        Number of values per utterance, ``2 * hidden_size``.
    stages : dict of str to Module
        The parts by name, from input to output.

    References
    ----------
    Guizzo (2023), "Enhancing the Generalization of Convolutional Neural Networks
    for Speech Emotion Recognition", section 3.2.1.

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import BiGRUEncoder
    >>> BiGRUEncoder(1, 129)(torch.zeros(2, 1, 129, 80)).shape
    torch.Size([2, 500])
    """

    def __init__(
        self, n_channels: int, n_bins: int, *, hidden_size: int = 250, dropout: float = 0.3
    ) -> None:
        super().__init__()
        self.recurrence = BidirectionalGRU(n_channels * n_bins, hidden_size)
        self.embedding_size = 2 * hidden_size
        self.normalization = nn.Sequential(nn.BatchNorm1d(self.embedding_size), nn.Dropout(dropout))

    @property
    def stages(self) -> dict[str, nn.Module]:
        """The parts by name, from input to output."""
        return {"recurrence": self.recurrence, "normalization": self.normalization}

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Encode every utterance.

        Parameters
        ----------
        x : Tensor of shape (n_utterances, n_channels, n_bins, n_frames)
            A padded batch.
        lengths : Tensor of shape (n_utterances,) or None, default=None
            Number of frames of every utterance; ``None`` if nothing is padded.

        Returns
        -------
        embedding : Tensor of shape (n_utterances, embedding_size)
        """
        y, lengths = self.recurrence(x, lengths)
        rows = torch.arange(len(y), device=y.device)
        last = y.shape[1] - 1 if lengths is None else lengths - 1
        hidden_size = self.embedding_size // 2
        # One direction ends at the last frame of an utterance, the other at its first.
        states = torch.cat([y[rows, last, :hidden_size], y[:, 0, hidden_size:]], dim=1)
        return self.normalization(states)


class SequenceCNNEncoder(nn.Module):
    """Convolutions that keep the size of the maps, max-pooling, and all that is left.

    It takes utterances of one length.

    Parameters
    ----------
    n_channels : int
        Channels of the frames.
    n_bins : int
        Bins of the frames.
    n_frames : int
        Frames of every utterance.
    n_filters : sequence of int, default=(20, 28, 40)
        Filters of the convolutions.
    kernel_sizes : sequence of (int, int), default=((12, 16), (12, 8), (7, 5))
        Extents of their kernels (bins, frames).
    pool_size : int or (int, int), default=2
        Extent and stride of the max-pooling behind each of them (bins, frames).
    dropout : float, default=0.3
        Probability that a value of the embedding is dropped in training.

    Attributes
    ----------
    embedding_size : int
        Number of values per utterance.
    n_frames : int
        The number of frames that it takes: that asked for, or the least that it
        can take.
    min_shape : tuple of int
        The least (n_bins, n_frames) of an input.
    stages : dict of str to Module
        The parts by name, from input to output.

    References
    ----------
    Guizzo (2023), "Enhancing the Generalization of Convolutional Neural Networks
    for Speech Emotion Recognition", section 3.4, table 3.3.

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import SequenceCNNEncoder
    >>> encoder = SequenceCNNEncoder(1, 129, 80)
    >>> encoder(torch.zeros(2, 1, 129, 80)).shape
    torch.Size([2, 6400])
    >>> list(encoder.stages)
    ['convolution1', 'convolution2', 'convolution3', 'flattening']
    """

    def __init__(
        self,
        n_channels: int,
        n_bins: int,
        n_frames: int,
        *,
        n_filters: Sequence[int] = (20, 28, 40),
        kernel_sizes: Sequence[tuple[int, int]] = ((12, 16), (12, 8), (7, 5)),
        pool_size: Size = 2,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        if not n_filters or len(n_filters) != len(kernel_sizes):
            raise ValueError(
                "n_filters and kernel_sizes have one entry per convolution, so they must be "
                f"equally long and not empty; got {len(n_filters)} and {len(kernel_sizes)}"
            )
        pool, depth = pair(pool_size), len(n_filters)
        self.min_shape = pool[0] ** depth, pool[1] ** depth
        n_bins, self.n_frames = max(n_bins, self.min_shape[0]), max(n_frames, self.min_shape[1])
        widths = [n_channels, *n_filters]
        self.convolutions = nn.ModuleList(
            nn.Sequential(
                _same_padding(pair(kernel)),
                nn.Conv2d(inputs, outputs, pair(kernel)),
                nn.Tanh(),
                nn.MaxPool2d(pool),
            )
            for inputs, outputs, kernel in zip(widths[:-1], widths[1:], kernel_sizes, strict=True)
        )
        self.flattening = nn.Sequential(nn.Flatten(), nn.Dropout(dropout))
        # Only sizes are asked for: nothing is computed on the device "meta".
        maps = copy.deepcopy(nn.Sequential(*self.convolutions)).to("meta")(
            torch.empty(1, n_channels, n_bins, self.n_frames, device="meta")
        )
        self.embedding_size = maps[0].numel()

    @property
    def stages(self) -> dict[str, nn.Module]:
        """The parts by name, from input to output."""
        layers = {f"convolution{n}": layer for n, layer in enumerate(self.convolutions, start=1)}
        return {**layers, "flattening": self.flattening}

    def forward(self, x: Tensor) -> Tensor:
        """Encode every utterance.

        Parameters
        ----------
        x : Tensor of shape (n_utterances, n_channels, n_bins, n_frames)
            The frames.

        Returns
        -------
        embedding : Tensor of shape (n_utterances, embedding_size)
        """
        for stage in self.stages.values():
            x = stage(x)
        return x


def _same_padding(kernel: tuple[int, int]) -> nn.ZeroPad2d:
    """Return zeros around maps that keep their size; one more behind, if they are odd."""
    bins, frames = kernel[0] - 1, kernel[1] - 1
    return nn.ZeroPad2d((frames // 2, frames - frames // 2, bins // 2, bins - bins // 2))
