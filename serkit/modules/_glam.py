"""The multi-scale convolutional encoder with a global-aware block."""

from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["GLAMEncoder", "GlobalAwareBlock", "MultiScaleBlock"]

GATES: dict[str, type[nn.Module]] = {"tanh": nn.Tanh, "identity": nn.Identity}


class MultiScaleBlock(nn.Module):
    """A 3 by 3 and a 5 by 5 convolution beside each other, each added to its input.

    Their outputs are joined, so there are twice as many maps; batch normalisation
    and ReLU follow.

    Parameters
    ----------
    n_channels : int
        Channels of the input.

    References
    ----------
    Zhu and Li, "Speech Emotion Recognition with Global-Aware Fusion on Multi-Scale
    Feature Representation", ICASSP 2022.

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import MultiScaleBlock
    >>> MultiScaleBlock(16)(torch.zeros(2, 16, 52, 63)).shape
    torch.Size([2, 32, 52, 63])
    """

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        self.narrow = nn.Conv2d(n_channels, n_channels, 3, padding=1)
        self.wide = nn.Conv2d(n_channels, n_channels, 5, padding=2)
        self.normalization = nn.BatchNorm2d(2 * n_channels)
        self.activation = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block.

        Parameters
        ----------
        x : Tensor of shape (n_utterances, n_channels, n_bins, n_frames)
            The maps.

        Returns
        -------
        y : Tensor of shape (n_utterances, 2 * n_channels, n_bins, n_frames)
        """
        both = torch.cat([self.narrow(x) + x, self.wide(x) + x], dim=1)
        return self.activation(self.normalization(both))


class GlobalAwareBlock(nn.Module):
    """A gated multilayer perceptron (gMLP) with a shortcut, which mixes all places and maps.

    The features of every token are widened; one half of them is multiplied by a
    gate, which is made of the other half of all tokens.

    Parameters
    ----------
    n_tokens : int
        Number of tokens: the maps of a convolution.
    n_features : int
        Values per token: the places of a map.
    expansion : int, default=4
        By how much the features are widened.
    gate_activation : {"tanh", "identity"}, default="tanh"
        The last step of the gate.

    References
    ----------
    Zhu and Li, "Speech Emotion Recognition with Global-Aware Fusion on Multi-Scale
    Feature Representation", ICASSP 2022.

    Liu et al., "Pay Attention to MLPs", NeurIPS 2021.

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import GlobalAwareBlock
    >>> GlobalAwareBlock(128, 195)(torch.zeros(2, 128, 195)).shape
    torch.Size([2, 128, 195])
    """

    def __init__(
        self,
        n_tokens: int,
        n_features: int,
        *,
        expansion: int = 4,
        gate_activation: str = "tanh",
    ) -> None:
        super().__init__()
        half = expansion * n_features // 2
        self.normalization = nn.LayerNorm(n_features)
        self.widening = nn.Sequential(nn.Linear(n_features, 2 * half), nn.GELU())
        self.gate = nn.Sequential(
            nn.LayerNorm(half), nn.Conv1d(n_tokens, n_tokens, 1), GATES[gate_activation]()
        )
        self.narrowing = nn.Linear(half, n_features)
        # The gate begins near a constant.
        mixing: Any = self.gate[1]
        nn.init.uniform_(mixing.weight, -1e-3 / n_tokens, 1e-3 / n_tokens)
        nn.init.ones_(mixing.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block.

        Parameters
        ----------
        x : Tensor of shape (n_utterances, n_tokens, n_features)
            The tokens.

        Returns
        -------
        y : Tensor of the shape of `x`
        """
        gated, gating = self.widening(self.normalization(x)).chunk(2, dim=-1)
        return x + self.narrowing(gated * self.gate(gating))


class _CrossedConvolutions(nn.Module):
    """A convolution along bins and one along frames, joined along bins."""

    def __init__(self, n_channels: int, n_filters: int) -> None:
        super().__init__()
        self.along_bins = _convolution(n_channels, n_filters, (3, 1))
        self.along_frames = _convolution(n_channels, n_filters, (1, 3))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.along_bins(x), self.along_frames(x)], dim=2)


def _convolution(n_channels: int, n_filters: int, kernel: tuple[int, int]) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(n_channels, n_filters, kernel, padding="same"),
        nn.BatchNorm2d(n_filters),
        nn.ReLU(inplace=True),
    )


class GLAMEncoder(nn.Module):
    """Crossed convolutions, multi-scale blocks, a convolution and a global-aware block.

    It takes utterances of one length.

    Parameters
    ----------
    n_channels : int
        Channels of the frames.
    n_bins : int
        Bins (cepstral coefficients) of the frames.
    n_frames : int
        Frames of every utterance.
    n_blocks : int, default=3
        Number of multi-scale blocks, each of which doubles the number of maps.
    n_pools : int or None, default=None
        How many of them, from the first, are followed by 2 by 2 max-pooling;
        ``None`` is all but the last.
    n_filters : int, default=16
        Filters of each of the crossed convolutions.
    expansion : int, default=4
        As of :class:`GlobalAwareBlock`.
    gate_activation : {"tanh", "identity"}, default="tanh"
        As of :class:`GlobalAwareBlock`.

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
    Zhu and Li, "Speech Emotion Recognition with Global-Aware Fusion on Multi-Scale
    Feature Representation", ICASSP 2022.

    Lazarević (2024), "An evaluation of speech emotion recognition systems based on
    transformer and long-short term memory architectures", section 3.2.2.

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import GLAMEncoder
    >>> encoder = GLAMEncoder(1, 26, 63)
    >>> encoder(torch.zeros(2, 1, 26, 63)).shape
    torch.Size([2, 24960])
    >>> list(encoder.stages)
    ['convolution', 'scale1', 'scale2', 'scale3', 'convolution2', 'global_aware']
    """

    def __init__(
        self,
        n_channels: int,
        n_bins: int,
        n_frames: int,
        *,
        n_blocks: int = 3,
        n_pools: int | None = None,
        n_filters: int = 16,
        expansion: int = 4,
        gate_activation: str = "tanh",
    ) -> None:
        super().__init__()
        n_pools = n_blocks - 1 if n_pools is None else n_pools
        if n_pools > n_blocks:
            raise ValueError(
                f"n_pools={n_pools}, but there are only {n_blocks} blocks to pool behind"
            )
        self.min_shape = (max(1, 2 ** (n_pools - 1)), 2**n_pools)
        n_bins, self.n_frames = max(n_bins, self.min_shape[0]), max(n_frames, self.min_shape[1])
        self.convolution = _CrossedConvolutions(n_channels, n_filters)
        self.scales = nn.ModuleList(
            nn.Sequential(
                MultiScaleBlock(n_filters * 2**block),
                *([nn.MaxPool2d(2)] if block < n_pools else []),
            )
            for block in range(n_blocks)
        )
        n_maps = n_filters * 2**n_blocks
        n_places = (2 * n_bins // 2**n_pools) * (self.n_frames // 2**n_pools)
        self.convolution2 = _convolution(n_maps, n_maps, (5, 5))
        self.global_aware = nn.Sequential(
            nn.Flatten(2),
            GlobalAwareBlock(
                n_maps, n_places, expansion=expansion, gate_activation=gate_activation
            ),
            nn.ReLU(),
            nn.Flatten(),
        )
        self.embedding_size = n_maps * n_places

    @property
    def stages(self) -> dict[str, nn.Module]:
        """The parts by name, from input to output."""
        return {
            "convolution": self.convolution,
            **{f"scale{number}": scale for number, scale in enumerate(self.scales, start=1)},
            "convolution2": self.convolution2,
            "global_aware": self.global_aware,
        }

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
