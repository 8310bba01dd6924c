"""The convolutional and recurrent encoder with attention."""

from collections.abc import Sequence
from itertools import pairwise
from numbers import Integral

from torch import Tensor, nn

from serkit.modules._cnn_bigru import Size, pair
from serkit.modules._masking import MaskedBatchNorm2d, mask_frames
from serkit.modules._pooling import AttentionPooling
from serkit.modules._recurrence import BidirectionalLSTM

__all__ = ["ACRNNEncoder"]


class _Convolution(nn.Module):
    """Convolution, max-pooling if asked for, leaky ReLU.

    Pooling comes first: it is the same function as behind the ReLU, which does
    not change the order of values, and leaves it less to do.
    """

    def __init__(
        self, n_channels: int, n_filters: int, kernel: tuple[int, int], negative_slope: float
    ) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(n_channels, n_filters, kernel, padding="same")
        self.pooling: nn.MaxPool2d | None = None
        self.activation = nn.LeakyReLU(negative_slope, inplace=True)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        x = self.convolution(x)
        if self.pooling is not None:
            x = self.pooling(x)
            if lengths is not None:
                lengths = lengths // self.pooling.kernel_size[1]  # type: ignore[index]
        return self.activation(mask_frames(x, lengths)), lengths


class _FrameLayer(nn.Module):
    """Linear layer on the maps of every frame, batch normalisation if asked for, leaky ReLU."""

    def __init__(
        self, input_size: int, output_size: int, negative_slope: float, *, batch_norm: bool
    ) -> None:
        super().__init__()
        self.linear = nn.Linear(input_size, output_size)
        self.normalization = MaskedBatchNorm2d(output_size, eps=1e-3) if batch_norm else None
        self.activation = nn.LeakyReLU(negative_slope, inplace=True)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        x = self.linear(x.flatten(1, 2).transpose(1, 2)).transpose(1, 2)
        if self.normalization is not None:
            x = self.normalization(x[:, :, None], lengths)[:, :, 0]
        return self.activation(mask_frames(x, lengths)).transpose(1, 2), lengths


class _AttentiveRecurrence(nn.Module):
    """Bidirectional LSTM, and the mean of its output weighted by attention."""

    def __init__(self, input_size: int, hidden_size: int, score: str) -> None:
        super().__init__()
        self.layer = BidirectionalLSTM(input_size, hidden_size)
        self.attention = AttentionPooling(2 * hidden_size, score=score)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        return self.attention(*self.layer(x, lengths))


class ACRNNEncoder(nn.Module):
    """Convolutions, a linear layer per frame, a bidirectional LSTM, attention, a linear layer.

    Only the first convolution is followed by max-pooling. Behind the last layer
    there is a leaky ReLU, as behind all others.

    Parameters
    ----------
    n_channels : int
        Channels of the frames, 3 for log-mels with their deltas and delta-deltas.
    n_bins : int
        Bins (mel bands) of the frames.
    n_conv_layers : int, default=6
        Number of convolutions.
    conv_channels : (int, int), default=(128, 256)
        Filters of the first convolution, and of each of the others.
    kernel_size : int or (int, int), default=(3, 5)
        Extent of the filters (bins, frames). The maps keep their size.
    pool_size : int or (int, int), default=(2, 2)
        Extent of the max-pooling (bins, frames).
    linear_size : int, default=768
        Units of the linear layer per frame.
    lstm_hidden_size : int, default=128
        Cells of the LSTM in each direction.
    attention : {"linear", "sigmoid"}, default="linear"
        Score of the frames, as of :class:`AttentionWeights`.
    fc_size : int, default=64
        Units of the last layer.
    batch_norm : {"fc", "linear"} or None, default="fc"
        The layer with batch normalisation: the last one, or that per frame.
    negative_slope : float, default=0.01
        Of the leaky ReLU.

    Attributes
    ----------
    embedding_size : int
        Number of values per utterance, `fc_size`.
    min_shape : tuple of int
        The least (n_bins, n_frames) of an input, `pool_size`.
    stages : dict of str to Module
        The parts by name, from input to output.

    References
    ----------
    Chen et al., "3-D Convolutional Recurrent Neural Networks With Attention Model
    for Speech Emotion Recognition", IEEE Signal Processing Letters 2018.

    Lazarević (2024), "An evaluation of speech emotion recognition systems based on
    transformer and long-short term memory architectures", section 3.1.2.

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import ACRNNEncoder
    >>> encoder = ACRNNEncoder(3, 40, n_conv_layers=2, conv_channels=(8, 16), linear_size=32)
    >>> encoder(torch.zeros(2, 3, 40, 300)).shape
    torch.Size([2, 64])
    >>> list(encoder.stages)
    ['conv1', 'conv2', 'linear', 'recurrence', 'fc']
    """

    def __init__(
        self,
        n_channels: int,
        n_bins: int,
        *,
        n_conv_layers: int = 6,
        conv_channels: Sequence[int] = (128, 256),
        kernel_size: Size = (3, 5),
        pool_size: Size = (2, 2),
        linear_size: int = 768,
        lstm_hidden_size: int = 128,
        attention: str = "linear",
        fc_size: int = 64,
        batch_norm: str | None = "fc",
        negative_slope: float = 0.01,
    ) -> None:
        super().__init__()
        first, others = _check_conv_channels(conv_channels)
        channels = [n_channels, first, *[others] * (n_conv_layers - 1)]
        self.convolutions = nn.ModuleList(
            _Convolution(*sizes, pair(kernel_size), negative_slope) for sizes in pairwise(channels)
        )
        self.min_shape = pair(pool_size)
        self.convolutions[0].pooling = nn.MaxPool2d(self.min_shape)
        bins = max(1, n_bins // self.min_shape[0])
        self.linear = _FrameLayer(
            channels[-1] * bins, linear_size, negative_slope, batch_norm=batch_norm == "linear"
        )
        self.recurrence = _AttentiveRecurrence(linear_size, lstm_hidden_size, attention)
        self.fc = nn.Sequential(
            nn.Linear(2 * lstm_hidden_size, fc_size),
            *([nn.BatchNorm1d(fc_size)] if batch_norm == "fc" else []),
            nn.LeakyReLU(negative_slope),
        )
        self.embedding_size = fc_size

    @property
    def stages(self) -> dict[str, nn.Module]:
        """The parts by name, from input to output."""
        return {
            **{f"conv{number}": layer for number, layer in enumerate(self.convolutions, start=1)},
            "linear": self.linear,
            "recurrence": self.recurrence,
            "fc": self.fc,
        }

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
        for convolution in self.convolutions:
            x, lengths = convolution(x, lengths)
        return self.fc(self.recurrence(*self.linear(x, lengths)))


def _check_conv_channels(conv_channels: Sequence[int]) -> tuple[int, int]:
    is_positive = [isinstance(n, Integral) and n > 0 for n in conv_channels]
    if len(is_positive) != 2 or not all(is_positive):
        raise ValueError(
            "conv_channels are two positive integers, the filters of the first convolution and of "
            f"each of the others, not {conv_channels!r}"
        )
    first, others = conv_channels
    return int(first), int(others)
