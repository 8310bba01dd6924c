"""The 2-D convolutional and bidirectional recurrent encoder."""

from numbers import Integral

from torch import Tensor, nn

from serkit.modules._masking import MaskedBatchNorm2d, mask_frames
from serkit.modules._pooling import StatisticsPooling
from serkit.modules._recurrence import BidirectionalGRU

__all__ = ["CNN2DBiGRUEncoder", "ConvolutionBlock", "FrameProjection", "Size", "pair"]

Size = int | tuple[int, int]


def pair(size: Size) -> tuple[int, int]:
    """Return a size as two positive integers (bins, frames)."""
    sizes = (size, size) if isinstance(size, int | Integral) else tuple(size)
    if len(sizes) != 2 or not all(isinstance(n, Integral) and n > 0 for n in sizes):
        raise ValueError(
            f"a size is a positive integer or two of them (bins, frames), not {size!r}"
        )
    return int(sizes[0]), int(sizes[1])


class ConvolutionBlock(nn.Module):
    """Convolution, batch normalisation, max-pooling, dropout of maps, ELU.

    Pooling comes before dropout and ELU, which is the same function as behind
    them (neither changes the order of values within a map) at a quarter of
    their cost.

    Parameters
    ----------
    n_channels : int
        Channels of the input.
    n_filters : int
        Channels of the output.
    kernel_size : int or (int, int), default=2
        Extent of the filters (bins, frames). Half of it is added as padding on
        either side.
    pool_size : int or (int, int), default=2
        Extent and stride of the pooling (bins, frames).
    dropout : float, default=0.1
        Probability that a map of an utterance is dropped in training.

    References
    ----------
    Leow (2021), "Speaker-Invariant Speech Emotion Recognition with Domain
    Adversarial Training", section 3.3.1.

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import ConvolutionBlock
    >>> y, lengths = ConvolutionBlock(1, 64)(torch.zeros(2, 1, 20, 281))
    >>> y.shape
    torch.Size([2, 64, 10, 141])
    """

    def __init__(
        self,
        n_channels: int,
        n_filters: int,
        *,
        kernel_size: Size = 2,
        pool_size: Size = 2,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        kernel = pair(kernel_size)
        padding = (kernel[0] // 2, kernel[1] // 2)
        self.convolution = nn.Conv2d(n_channels, n_filters, kernel, padding=padding, bias=False)
        self.normalization = MaskedBatchNorm2d(n_filters)
        self.pool_size = pair(pool_size)
        self.pooling = nn.MaxPool2d(self.pool_size)
        self.dropout = nn.Dropout2d(dropout)
        self.activation = nn.ELU()

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Apply the block.

        Parameters
        ----------
        x : Tensor of shape (n_utterances, n_channels, n_bins, n_frames)
            A padded batch, zero behind the end of every utterance.
        lengths : Tensor of shape (n_utterances,) or None, default=None
            Number of frames of every utterance; ``None`` if nothing is padded.

        Returns
        -------
        y : Tensor of shape (n_utterances, n_filters, n_bins_out, n_frames_out)
            Zero behind the end of every utterance.
        lengths : Tensor of shape (n_utterances,) or None
            The number of frames that are left of each.
        """
        x = self.convolution(x)
        if lengths is not None:
            lengths = self._convolved(1, lengths)
        x = self.pooling(self.normalization(x, lengths))
        if lengths is not None:
            lengths = lengths // self.pool_size[1]
        return mask_frames(self.activation(self.dropout(x)), lengths), lengths

    def output_shape(self, shape: tuple[int, int]) -> tuple[int, int]:
        """Return how many bins and frames are left of an input.

        Parameters
        ----------
        shape : tuple of int
            (n_bins, n_frames) of the input.

        Returns
        -------
        shape : tuple of int
            (n_bins, n_frames) of the output.
        """
        bins, frames = (self._convolved(axis, size) for axis, size in enumerate(shape))
        return bins // self.pool_size[0], frames // self.pool_size[1]

    def least_frames(self, n_frames: int) -> int:
        """Return how many frames an input needs for the output to have so many.

        Parameters
        ----------
        n_frames : int
            Frames of the output.

        Returns
        -------
        n_frames : int
            Frames of the input, at least one.
        """
        return max(1, n_frames * self.pool_size[1] - self._convolved(1, 0))

    def _convolved(self, axis, size):
        padding, kernel = self.convolution.padding[axis], self.convolution.kernel_size[axis]
        return size + 2 * padding - kernel + 1


class FrameProjection(nn.Module):
    """A linear layer applied to every frame, which hands the lengths on."""

    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        self.linear = nn.Linear(input_size, output_size)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        return self.linear(x), lengths


class CNN2DBiGRUEncoder(nn.Module):
    """Convolution blocks, a bidirectional GRU, a projection and statistics pooling.

    Parameters
    ----------
    n_channels : int
        Channels of the frames.
    n_bins : int
        Bins (mel bands, cepstral coefficients) of the frames.
    n_conv_layers : int, default=1
        Number of convolution blocks.
    n_filters : int, default=64
        Filters of each convolution.
    kernel_size : int or (int, int), default=2
        Extent of the filters (bins, frames).
    pool_size : int or (int, int), default=2
        Extent of the max-pooling (bins, frames).
    conv_dropout : float, default=0.1
        Probability that a map is dropped.
    rnn_hidden_size : int, default=256
        Units of the GRU in each direction.
    projection : bool, default=True
        Put a linear layer between the GRU and the pooling.

    Attributes
    ----------
    embedding_size : int
        Number of values per utterance, ``4 * rnn_hidden_size``.
    min_shape : tuple of int
        The least (n_bins, n_frames) of an input.
    stages : dict of str to Module
        The parts by name, from input to output.

    References
    ----------
    Leow (2021), "Speaker-Invariant Speech Emotion Recognition with Domain
    Adversarial Training", section 3.3.1.

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import CNN2DBiGRUEncoder
    >>> encoder = CNN2DBiGRUEncoder(1, 20)
    >>> encoder(torch.zeros(2, 1, 20, 30)).shape
    torch.Size([2, 1024])
    >>> list(encoder.stages)
    ['block1', 'recurrence', 'projection', 'pooling']
    """

    def __init__(
        self,
        n_channels: int,
        n_bins: int,
        *,
        n_conv_layers: int = 1,
        n_filters: int = 64,
        kernel_size: Size = 2,
        pool_size: Size = 2,
        conv_dropout: float = 0.1,
        rnn_hidden_size: int = 256,
        projection: bool = True,
    ) -> None:
        super().__init__()
        n_filters, rnn_hidden_size = int(n_filters), int(rnn_hidden_size)
        self.blocks = nn.ModuleList(
            ConvolutionBlock(
                n_filters if block else n_channels,
                n_filters,
                kernel_size=kernel_size,
                pool_size=pool_size,
                dropout=conv_dropout,
            )
            for block in range(n_conv_layers)
        )
        self.min_shape = (1, self._min_frames())
        bins, _ = self._output_shape((n_bins, self.min_shape[1]))
        if bins < 1:
            raise ValueError(
                f"{n_conv_layers} convolution blocks leave nothing of {n_bins} bins: use fewer, "
                "a smaller pool_size or features with more bins"
            )
        self.recurrence = BidirectionalGRU(n_filters * bins, rnn_hidden_size)
        width = 2 * rnn_hidden_size
        self.projection = FrameProjection(width, width) if projection else None
        self.pooling = StatisticsPooling()
        self.embedding_size = 2 * width

    @property
    def stages(self) -> dict[str, nn.Module]:
        """The parts by name, from input to output."""
        stages: dict[str, nn.Module] = {
            f"block{number}": block for number, block in enumerate(self.blocks, start=1)
        }
        stages["recurrence"] = self.recurrence
        if self.projection is not None:
            stages["projection"] = self.projection
        return {**stages, "pooling": self.pooling}

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
        for block in self.blocks:
            x, lengths = block(x, lengths)
        x, lengths = self.recurrence(x, lengths)
        if self.projection is not None:
            x, lengths = self.projection(x, lengths)
        return self.pooling(x, lengths)

    def _output_shape(self, shape: tuple[int, int]) -> tuple[int, int]:
        for block in self.blocks:
            assert isinstance(block, ConvolutionBlock)
            shape = block.output_shape(shape)
        return shape

    def _min_frames(self) -> int:
        """Return the least number of frames of which two are left to pool over."""
        n_frames = 2
        for block in reversed(self.blocks):
            assert isinstance(block, ConvolutionBlock)
            n_frames = block.least_frames(n_frames)
        return n_frames
