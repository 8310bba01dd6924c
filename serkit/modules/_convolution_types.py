"""Convolutions along bins, along frames, along both, or over all bins at once."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from serkit.modules._convolution_geometry import (
    MOVES,
    POOL_SIZE,
    POOL_STRIDE,
    Shape,
    check_type,
    convolution_geometry,
    least_bins,
    pairs,
    usual_kernel_sizes,
)
from serkit.modules._masking import mask_frames

__all__ = ["ConvolutionFrontEnd", "DCTConv", "FrameContext", "check_context", "extend_edges"]


def check_context(context: Shape) -> Shape:
    """Return the numbers of frames before and behind a frame, as integers."""
    if len(context) != 2 or any(n < 0 or n != int(n) for n in context):
        raise ValueError(
            f"context is two numbers of frames, before and behind each, not {context!r}"
        )
    return int(context[0]), int(context[1])


def extend_edges(x: Tensor, lengths: Tensor | None, context: Shape) -> tuple[Tensor, Tensor | None]:
    """Repeat the first and the last frame of every utterance, as context of those at its edges."""
    n_frames, added = x.shape[-1], sum(context)
    frame = torch.arange(n_frames + added, device=x.device) - context[0]
    frame = frame.clamp(0, n_frames - 1)
    if lengths is None:
        return x[..., frame], None
    frame = torch.minimum(frame, lengths[:, None] - 1)
    return x.gather(-1, frame[:, None, None].expand(*x.shape[:-1], -1)), lengths + added


class FrameContext(nn.Module):
    """Lay what is left of a frame with its context one column behind the other.

    It is `width` columns of a map, of which every `step`-th counts.
    """

    def __init__(self, width: int, step: int = 1) -> None:
        super().__init__()
        self.width = width
        self.step = step

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Return one vector per frame.

        Parameters
        ----------
        x : Tensor of shape (n_utterances, n_channels, n_bins, n_columns)
            Maps of utterances whose edges are extended.
        lengths : Tensor of shape (n_utterances,) or None, default=None
            Number of columns of every utterance; ``None`` if nothing is padded.

        Returns
        -------
        y : Tensor of shape (n_utterances, n_frames, n_values)
            Column by column, within it bin by bin, within it the channels. Zero
            behind the end of every utterance.
        lengths : Tensor of shape (n_utterances,) or None
            The number of frames of each.
        """
        n_frames = x.shape[-1] - self.width + 1
        # Of maps in the layout "channels last" this is a view, and the slices are copied whole.
        columns = x.permute(0, 3, 2, 1).flatten(2)
        starts = range(0, self.width, self.step)
        y = torch.cat([columns[:, start : start + n_frames] for start in starts], dim=2)
        if lengths is None:
            return y, None
        lengths = lengths - self.width + 1
        return mask_frames(y.transpose(1, 2), lengths).transpose(1, 2), lengths


class _Layer(nn.Module):
    """Convolution, max-pooling and ReLU, for the contexts of all frames at once.

    Along frames the pooling has a stride of one, and what follows is dilated
    instead. ReLU behind the pooling is the same function at a lower cost.
    """

    def __init__(
        self,
        n_channels: int,
        n_filters: int,
        kernel: Shape,
        moves: tuple[bool, bool],
        dilation: int,
    ) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(n_channels, n_filters, kernel, dilation=(1, dilation))
        self.pooling = nn.MaxPool2d(
            (POOL_SIZE if moves[0] else 1, POOL_SIZE if moves[1] else 1),
            stride=(POOL_STRIDE if moves[0] else 1, 1),
            dilation=(1, dilation),
        )
        self.activation = nn.ReLU()
        self.reach = dilation * (kernel[1] - 1 + (POOL_SIZE - 1 if moves[1] else 0))

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        # What is behind the end must not reach a kernel that is longer than the context.
        x = self.activation(self.pooling(self.convolution(mask_frames(x, lengths))))
        return x, None if lengths is None else lengths - self.reach


class ConvolutionFrontEnd(nn.Module):
    """One of four types of convolution, on every frame with its context.

    The type says how far filters reach, and so where they move and what is
    pooled (a maximum over 3 with a stride of 2):

    ======= ====================== ===================== =================
    type    name                   filters               moves and pools
    ======= ====================== ===================== =================
    "s"     spectral               bins of one frame     along bins
    "t"     temporal               frames of one bin     along frames
    "st"    spectral-temporal      some bins, frames     along both
    "fst"   full-spectrum temporal all bins, some frames along frames
    ======= ====================== ===================== =================

    Each layer is a convolution without padding, ReLU, and the pooling. The
    result is that of layers applied to each frame with its context as to an
    image of its own, but it is computed in one pass over the utterance, whose
    first and last frame are repeated.

    Parameters
    ----------
    n_channels : int
        Channels of the frames.
    n_bins : int
        Bins of the frames.
    convolution : {"s", "t", "st", "fst"}, default="fst"
        The type.
    kernel_sizes : sequence of (int, int) or None, default=None
        Extent of the filters (bins, frames), one pair for each layer. ``None``
        is two layers, of (22, 1) and (3, 1) for "s", (1, 5) and (1, 2) for "t",
        (6, 5) and (3, 2) for "st", (n_bins, 5) and (1, 2) for "fst"; or, where
        these do not fit, of the largest below them that do.
    n_filters : int, default=32
        Filters of each layer.
    context : (int, int), default=(10, 5)
        Number of frames before and behind each that are seen with it.

    Attributes
    ----------
    kernel_sizes : tuple of (int, int)
        Extent of the filters of every layer.
    output_size : int
        Number of values per frame.
    min_shape : tuple of int
        The least (n_bins, n_frames) of an input. It is more than one bin if
        `kernel_sizes` is ``None`` and no filters fit so few bins.
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
    >>> from serkit.modules import ConvolutionFrontEnd
    >>> front_end = ConvolutionFrontEnd(1, 40, "st", kernel_sizes=[(4, 3), (3, 2)])
    >>> y, lengths = front_end(torch.zeros(2, 1, 40, 300))
    >>> y.shape  # 32 filters, 7 bins and 2 frames are left
    torch.Size([2, 300, 448])
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
    ) -> None:
        super().__init__()
        check_type(convolution)
        self.context_size = check_context(context)
        n_frames, n_filters = 1 + sum(self.context_size), int(n_filters)
        self.min_shape = (1, 1)
        if kernel_sizes is None:
            self.min_shape = (least_bins(convolution), 1)
            n_bins = max(n_bins, self.min_shape[0])
            kernel_sizes = usual_kernel_sizes(convolution, n_bins, n_frames)
        shapes = convolution_geometry(convolution, kernel_sizes, n_bins=n_bins, n_frames=n_frames)
        self.kernel_sizes = pairs(kernel_sizes)
        moves = MOVES[convolution]
        stride = POOL_STRIDE if moves[1] else 1
        layers = [
            _Layer(n_filters if layer else n_channels, n_filters, kernel, moves, stride**layer)
            for layer, kernel in enumerate(self.kernel_sizes)
        ]
        self.layers = nn.ModuleList(layers)
        width = n_frames - sum(layer.reach for layer in layers)
        self.context = FrameContext(width, stride ** len(layers))
        self.output_size = n_filters * math.prod(shapes[-1])

    @property
    def stages(self) -> dict[str, nn.Module]:
        """The parts by name, from input to output."""
        layers = {f"convolution{n}": layer for n, layer in enumerate(self.layers, start=1)}
        return {**layers, "context": self.context}

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Return one vector per frame.

        Parameters
        ----------
        x : Tensor of shape (n_utterances, n_channels, n_bins, n_frames)
            A padded batch.
        lengths : Tensor of shape (n_utterances,) or None, default=None
            Number of frames of every utterance; ``None`` if nothing is padded.

        Returns
        -------
        y : Tensor of shape (n_utterances, n_frames, output_size)
            Column by column of what is left of each context, within it bin by
            bin, within it the filters. Zero behind the end of every utterance.
        lengths : Tensor of shape (n_utterances,) or None
            As given.
        """
        x, lengths = extend_edges(x, lengths, self.context_size)
        for layer in self.layers:
            x, lengths = layer(x, lengths)
        return self.context(x, lengths)


class DCTConv(nn.Module):
    """The discrete cosine transform along bins, as a convolution with fixed filters.

    Each filter spans all bins, ``cos(k * pi / n_bins * (bin + 1 / 2))``, and has
    neither bias nor nonlinearity: cepstral coefficients are a spectral
    convolution that is not learnt. The values are half of those of
    :func:`scipy.fft.dct` of type 2.

    Parameters
    ----------
    n_coefficients : int
        Number of filters.
    n_bins : int
        Bins of the frames.

    References
    ----------
    Huang and Narayanan, "Characterizing Types of Convolution in Deep Convolutional
    Recurrent Neural Networks for Robust Speech Emotion Recognition",
    arXiv:1706.02901, section 4.3.

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import DCTConv
    >>> DCTConv(13, 40)(torch.zeros(2, 1, 40, 300)).shape
    torch.Size([2, 1, 13, 300])
    """

    filters: Tensor

    def __init__(self, n_coefficients: int, n_bins: int) -> None:
        super().__init__()
        if not 1 <= n_coefficients <= n_bins:
            raise ValueError(f"{n_bins} bins have 1 to {n_bins} coefficients, not {n_coefficients}")
        bins = torch.arange(n_bins, dtype=torch.float64) + 0.5
        order = torch.arange(n_coefficients, dtype=torch.float64)[:, None]
        filters = torch.cos(order * math.pi / n_bins * bins)
        self.register_buffer("filters", filters.to(torch.get_default_dtype()))

    def forward(self, x: Tensor) -> Tensor:
        """Transform every frame.

        Parameters
        ----------
        x : Tensor of shape (..., n_bins, n_frames)
            Log-mel energies.

        Returns
        -------
        coefficients : Tensor of shape (..., n_coefficients, n_frames)
        """
        return self.filters @ x
