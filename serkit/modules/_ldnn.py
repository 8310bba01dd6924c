"""Recurrent encoders that read every frame with its context, as it is or convolved."""

from collections.abc import Sequence

from torch import Tensor, nn

from serkit.modules._convolution_geometry import Shape
from serkit.modules._convolution_types import (
    ConvolutionFrontEnd,
    FrameContext,
    check_context,
    extend_edges,
)
from serkit.modules._initialization import initialize_glorot
from serkit.modules._pooling import MeanPooling
from serkit.modules._recurrence import BidirectionalLSTM

__all__ = ["CLDNNEncoder", "LDNNEncoder"]


class _SplicedFrames(nn.Module):
    """Every frame with its context, one frame behind the other."""

    def __init__(self, n_channels: int, n_bins: int, context: Shape) -> None:
        super().__init__()
        self.context_size = check_context(context)
        n_frames = 1 + sum(self.context_size)
        self.context = FrameContext(n_frames)
        self.output_size = n_channels * n_bins * n_frames
        self.min_shape = (1, 1)

    @property
    def stages(self) -> dict[str, nn.Module]:
        return {"context": self.context}

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        return self.context(*extend_edges(x, lengths, self.context_size))


class _LDNN(nn.Module):
    """A front end, a bidirectional LSTM, the mean of its output over time, and dropout."""

    def __init__(
        self, front_end: "_SplicedFrames | ConvolutionFrontEnd", n_units: int, dropout: float
    ) -> None:
        super().__init__()
        self.front_end = front_end
        self.recurrence = BidirectionalLSTM(front_end.output_size, int(n_units))
        self.pooling = MeanPooling()
        self.dropout = nn.Dropout(dropout)
        self.embedding_size = 2 * int(n_units)
        self.min_shape = front_end.min_shape
        initialize_glorot(self)

    @property
    def stages(self) -> dict[str, nn.Module]:
        """The parts by name, from input to output."""
        return {
            **self.front_end.stages,
            "recurrence": self.recurrence,
            "pooling": self.pooling,
        }

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
        x, lengths = self.recurrence(*self.front_end(x, lengths))
        return self.dropout(self.pooling(x, lengths))


class LDNNEncoder(_LDNN):
    """Spliced frames, a bidirectional LSTM, the mean of its output over time.

    Parameters
    ----------
    n_channels : int
        Channels of the frames.
    n_bins : int
        Bins (mel bands, cepstral coefficients) of the frames.
    context : (int, int), default=(10, 5)
        Number of frames before and behind each that the LSTM reads with it.
    lstm_hidden_size : int, default=128
        Cells of the LSTM in each direction.
    dropout : float, default=0.2
        Probability that a value of the embedding is dropped.

    Attributes
    ----------
    embedding_size : int
        Number of values per utterance, ``2 * lstm_hidden_size``.
    min_shape : tuple of int
        The least (n_bins, n_frames) of an input.
    stages : dict of str to Module
        The parts by name, from input to output.

    References
    ----------
    Huang and Narayanan, "Characterizing Types of Convolution in Deep Convolutional
    Recurrent Neural Networks for Robust Speech Emotion Recognition",
    arXiv:1706.02901, section 4.2.

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import LDNNEncoder
    >>> encoder = LDNNEncoder(1, 40)
    >>> encoder(torch.zeros(2, 1, 40, 30)).shape
    torch.Size([2, 256])
    >>> list(encoder.stages)
    ['context', 'recurrence', 'pooling']
    """

    def __init__(
        self,
        n_channels: int,
        n_bins: int,
        *,
        context: Shape = (10, 5),
        lstm_hidden_size: int = 128,
        dropout: float = 0.2,
    ) -> None:
        super().__init__(_SplicedFrames(n_channels, n_bins, context), lstm_hidden_size, dropout)


class CLDNNEncoder(_LDNN):
    """One of four types of convolution, a bidirectional LSTM, the mean of its output over time.

    Parameters
    ----------
    n_channels : int
        Channels of the frames.
    n_bins : int
        Bins (mel bands, cepstral coefficients) of the frames.
    convolution : {"s", "t", "st", "fst"}, default="fst"
        The type, as of :class:`ConvolutionFrontEnd`.
    kernel_sizes : sequence of (int, int) or None, default=None
        Extent of the filters (bins, frames), one pair for each layer; ``None``
        as of :class:`ConvolutionFrontEnd`.
    n_filters : int, default=32
        Filters of each layer.
    context : (int, int), default=(10, 5)
        Number of frames before and behind each that are convolved with it.
    lstm_hidden_size : int, default=128
        Cells of the LSTM in each direction.
    dropout : float, default=0.2
        Probability that a value of the embedding is dropped.

    Attributes
    ----------
    embedding_size : int
        Number of values per utterance, ``2 * lstm_hidden_size``.
    min_shape : tuple of int
        The least (n_bins, n_frames) of an input.
    stages : dict of str to Module
        The parts by name, from input to output.

    References
    ----------
    Huang and Narayanan, "Characterizing Types of Convolution in Deep Convolutional
    Recurrent Neural Networks for Robust Speech Emotion Recognition",
    arXiv:1706.02901, section 3.

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import CLDNNEncoder
    >>> encoder = CLDNNEncoder(1, 40, "st", kernel_sizes=[(4, 3), (3, 2)])
    >>> encoder(torch.zeros(2, 1, 40, 30)).shape
    torch.Size([2, 256])
    >>> list(encoder.stages)
    ['convolution1', 'convolution2', 'context', 'recurrence', 'pooling']
    """

    def __init__(
        self,
        n_channels: int,
        n_bins: int,
        convolution: str = "fst",
        *,
        kernel_sizes: Sequence[Shape] | None = None,
        n_filters: int = 32,
        context: Shape = (10, 5),
        lstm_hidden_size: int = 128,
        dropout: float = 0.2,
    ) -> None:
        front_end = ConvolutionFrontEnd(
            n_channels,
            n_bins,
            convolution,
            kernel_sizes=kernel_sizes,
            n_filters=n_filters,
            context=context,
        )
        super().__init__(front_end, lstm_hidden_size, dropout)
