"""Encoders that convolve along time only: time delays with LSTM, 1-D convolutions with GRU."""

from collections.abc import Sequence

from torch import Tensor, nn

from serkit.modules._cnn_bigru import ConvolutionBlock
from serkit.modules._masking import MaskedBatchNorm2d, frame_mask
from serkit.modules._pooling import StatisticsPooling
from serkit.modules._recurrence import BidirectionalLSTM

__all__ = ["CNN1DGRUEncoder", "TDNNBiLSTMEncoder"]


class _SequenceEncoder(nn.Module):
    """Convolutions along time, a recurrent layer, and the mean and deviation of its output."""

    min_shape: tuple[int, int]
    embedding_size: int

    def __init__(self, blocks: Sequence[nn.Module], recurrence: nn.Module) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.recurrence = recurrence
        self.pooling = StatisticsPooling()

    @property
    def stages(self) -> dict[str, nn.Module]:
        """The parts by name, from input to output."""
        blocks = {f"block{number}": block for number, block in enumerate(self.blocks, start=1)}
        return {**blocks, "recurrence": self.recurrence, "pooling": self.pooling}

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Encode every utterance.

        Parameters
        ----------
        x : Tensor of shape (n_utterances, n_channels, n_bins, n_frames)
            A padded batch, zero behind the end of every utterance.
        lengths : Tensor of shape (n_utterances,) or None, default=None
            Number of frames of every utterance; ``None`` if nothing is padded.

        Returns
        -------
        embedding : Tensor of shape (n_utterances, embedding_size)
        """
        x = x.flatten(1, 2).unsqueeze(2)  # every bin is a channel, of maps of a single bin
        for block in self.blocks:
            x, lengths = block(x, lengths)
        x, lengths = self.recurrence(x, lengths)
        return self.pooling(x, lengths)


class TDNNBiLSTMEncoder(_SequenceEncoder):
    """A time-delay network, a bidirectional LSTM and statistics pooling.

    Each layer of the time-delay network is a dilated convolution along time that
    keeps the number of frames, batch normalisation and ReLU.

    Parameters
    ----------
    n_channels : int
        Channels of the frames.
    n_bins : int
        Bins (mel bands, cepstral coefficients) of the frames.
    n_filters : int, default=256
        Filters of each convolution.
    kernel_sizes : sequence of int, default=(5, 3, 3)
        Frames that the filters of each layer read.
    dilations : sequence of int, default=(1, 2, 3)
        How many frames these are apart.
    lstm_hidden_size : int, default=256
        Cells of the LSTM in each direction.

    Attributes
    ----------
    embedding_size : int
        Number of values per utterance, ``4 * lstm_hidden_size``.
    min_shape : tuple of int
        The least (n_bins, n_frames) of an input.
    stages : dict of str to Module
        The parts by name, from input to output.

    Notes
    -----
    The sizes are serkit's own: the paper compares with such a network without
    naming any.

    References
    ----------
    Leow (2021), "Speaker-Invariant Speech Emotion Recognition with Domain
    Adversarial Training", section 3.7.

    Tu et al., "Towards adversarial learning of speaker-invariant representation
    for speech emotion recognition", arXiv 1903.09606, 2019.

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import TDNNBiLSTMEncoder
    >>> encoder = TDNNBiLSTMEncoder(1, 20)
    >>> encoder(torch.zeros(2, 1, 20, 30)).shape
    torch.Size([2, 1024])
    >>> list(encoder.stages)
    ['block1', 'block2', 'block3', 'recurrence', 'pooling']
    """

    def __init__(
        self,
        n_channels: int,
        n_bins: int,
        *,
        n_filters: int = 256,
        kernel_sizes: Sequence[int] = (5, 3, 3),
        dilations: Sequence[int] = (1, 2, 3),
        lstm_hidden_size: int = 256,
    ) -> None:
        if len(kernel_sizes) != len(dilations) or not len(kernel_sizes):
            raise ValueError(
                "kernel_sizes and dilations have one number per layer, and there are "
                f"{len(kernel_sizes)} and {len(dilations)}"
            )
        layers = enumerate(zip(kernel_sizes, dilations, strict=True))
        super().__init__(
            [
                _TimeDelayBlock(
                    n_filters if layer else n_channels * n_bins,
                    n_filters,
                    kernel_size=kernel_size,
                    dilation=dilation,
                )
                for layer, (kernel_size, dilation) in layers
            ],
            BidirectionalLSTM(n_filters, lstm_hidden_size),
        )
        self.embedding_size = 4 * lstm_hidden_size
        self.min_shape = (1, 2)


class CNN1DGRUEncoder(_SequenceEncoder):
    """Convolution blocks along time, a GRU that reads forwards, and statistics pooling.

    Parameters
    ----------
    n_channels : int
        Channels of the frames.
    n_bins : int
        Bins (mel bands, cepstral coefficients) of the frames.
    n_filters : int, default=64
        Filters of each convolution.
    kernel_size : int, default=5
        Frames that the filters read.
    n_conv_layers : int, default=2
        Number of blocks.
    conv_dropout : float, default=0.1
        Probability that a channel of the convolutions is dropped.
    pool_size : int, default=2
        Frames of which the max-pooling of each block makes one.
    rnn_hidden_size : int, default=512
        Units of the GRU.

    Attributes
    ----------
    embedding_size : int
        Number of values per utterance, ``2 * rnn_hidden_size``.
    min_shape : tuple of int
        The least (n_bins, n_frames) of an input.
    stages : dict of str to Module
        The parts by name, from input to output.

    Notes
    -----
    The sizes are serkit's own: the paper compares with such a network without
    naming any.

    References
    ----------
    Leow (2021), "Speaker-Invariant Speech Emotion Recognition with Domain
    Adversarial Training", section 3.7.

    Li et al., "Speaker-invariant affective representation learning via
    adversarial training", arXiv 1911.01533, 2019.

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import CNN1DGRUEncoder
    >>> encoder = CNN1DGRUEncoder(1, 43)
    >>> encoder(torch.zeros(2, 1, 43, 30)).shape
    torch.Size([2, 1024])
    >>> list(encoder.stages)
    ['block1', 'block2', 'recurrence', 'pooling']
    """

    def __init__(
        self,
        n_channels: int,
        n_bins: int,
        *,
        n_filters: int = 64,
        kernel_size: int = 5,
        n_conv_layers: int = 2,
        conv_dropout: float = 0.1,
        pool_size: int = 2,
        rnn_hidden_size: int = 512,
    ) -> None:
        blocks = [
            ConvolutionBlock(
                n_filters if block else n_channels * n_bins,
                n_filters,
                kernel_size=(1, kernel_size),
                pool_size=(1, pool_size),
                dropout=conv_dropout,
            )
            for block in range(n_conv_layers)
        ]
        n_inputs = n_filters if blocks else n_channels * n_bins
        super().__init__(blocks, _ForwardGRU(n_inputs, rnn_hidden_size))
        self.embedding_size = 2 * rnn_hidden_size
        n_frames = 2
        for block in reversed(blocks):
            n_frames = block.least_frames(n_frames)
        self.min_shape = (1, n_frames)


class _TimeDelayBlock(nn.Module):
    """A dilated convolution along time of maps of one bin, batch normalisation and ReLU."""

    def __init__(self, n_channels: int, n_filters: int, *, kernel_size: int, dilation: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(
            n_channels,
            n_filters,
            (1, kernel_size),
            padding="same",
            dilation=(1, dilation),
            bias=False,
        )
        self.normalization = MaskedBatchNorm2d(n_filters)
        self.activation = nn.ReLU()

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        return self.activation(self.normalization(self.convolution(x), lengths)), lengths


class _ForwardGRU(nn.Module):
    """A layer of gated recurrent units that reads maps from the first to the last frame."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.layer = nn.GRU(input_size, hidden_size, batch_first=True)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        y, _ = self.layer(x.flatten(1, 2).transpose(1, 2))
        if lengths is not None:
            y = y * frame_mask(lengths, y.shape[1])[:, :, None]
        return y, lengths
