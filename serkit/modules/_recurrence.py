"""Recurrent layers that read every utterance of a padded batch from end to end."""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from serkit.modules._masking import frame_mask

__all__ = ["BidirectionalGRU", "BidirectionalLSTM"]


class _BidirectionalLayer(nn.Module):
    """One bidirectional layer, whose second direction begins at each utterance's own end."""

    _layer: ClassVar[Any]

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.layer = self._layer(input_size, hidden_size, batch_first=True, bidirectional=True)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Read every utterance forwards and backwards, from its first to its last frame.

        Parameters
        ----------
        x : Tensor of shape (n_utterances, n_channels, n_bins, n_frames) or \
                (n_utterances, n_frames, n_values)
            A padded batch.
        lengths : Tensor of shape (n_utterances,) or None, default=None
            Number of frames of every utterance; ``None`` if nothing is padded.

        Returns
        -------
        y : Tensor of shape (n_utterances, n_frames, 2 * hidden_size)
            Zero behind the end of every utterance.
        lengths : Tensor of shape (n_utterances,) or None
            As given.
        """
        if x.ndim == 4:
            x = x.flatten(1, 2).transpose(1, 2)
        if lengths is None:
            return self.layer(x)[0], None
        if x.is_cuda:  # its kernels read packed sequences, and no single direction
            packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
            return pad_packed_sequence(
                self.layer(packed)[0], batch_first=True, total_length=x.shape[1]
            )[0], lengths
        backwards = _reversed_frames(lengths, x.shape[1])
        y = torch.cat([self._read(x, 0), self._read(x[backwards], 1)[backwards]], dim=2)
        return y * frame_mask(lengths, x.shape[1])[:, :, None], lengths

    def _read(self, x: Tensor, direction: int) -> Tensor:
        """Run one direction from the first frame to the last.

        A packed sequence would do the same, at twice the cost: its gradient fills
        a tensor of all frames with zeros for every frame.
        """
        weights: list[Tensor] = [*self.layer.all_weights[direction]]
        start = x.new_zeros(1, len(x), self.layer.hidden_size)
        return self._run(x, start, weights)

    def _run(self, x: Tensor, start: Tensor, weights: list[Tensor]) -> Tensor:
        raise NotImplementedError


class BidirectionalGRU(_BidirectionalLayer):
    """One bidirectional layer of gated recurrent units that reads along time.

    Parameters
    ----------
    input_size : int
        Values per frame: channels times bins of maps.
    hidden_size : int
        Units in each direction.

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import BidirectionalGRU
    >>> y, lengths = BidirectionalGRU(12, 8)(torch.zeros(2, 4, 3, 7))
    >>> y.shape
    torch.Size([2, 7, 16])
    """

    _layer = nn.GRU

    def _run(self, x: Tensor, start: Tensor, weights: list[Tensor]) -> Tensor:
        return torch.gru(x, start, weights, True, 1, 0.0, self.training, False, True)[0]


class BidirectionalLSTM(_BidirectionalLayer):
    """One bidirectional layer of long short-term memory cells that reads along time.

    Parameters
    ----------
    input_size : int
        Values per frame: channels times bins of maps.
    hidden_size : int
        Cells in each direction.

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import BidirectionalLSTM
    >>> y, lengths = BidirectionalLSTM(12, 8)(torch.zeros(2, 7, 12))
    >>> y.shape
    torch.Size([2, 7, 16])
    """

    _layer = nn.LSTM

    def _run(self, x: Tensor, start: Tensor, weights: list[Tensor]) -> Tensor:
        state = [start, start]
        return torch.lstm(x, state, weights, True, 1, 0.0, self.training, False, True)[0]


def _reversed_frames(lengths: Tensor, n_frames: int) -> tuple[Tensor, Tensor]:
    """Return an index of a padded batch that turns every utterance round and leaves the padding."""
    frame = torch.arange(n_frames, device=lengths.device)
    turned = lengths[:, None] - 1 - frame
    rows = torch.arange(len(lengths), device=lengths.device)[:, None]
    return rows, torch.where(turned >= 0, turned, frame)
