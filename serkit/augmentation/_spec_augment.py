"""Changes of frames, batch by batch, for the parameter ``augment`` of networks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from serkit.modules import frame_mask

__all__ = ["Compose", "RandomGain", "SpecAugment"]

Augment = Callable[[Tensor, Tensor | None, torch.Generator], Tensor]


@dataclass(frozen=True)
class SpecAugment:
    """Hide bands and stretches of time of the spectrograms that a network is trained on.

    For the parameter ``augment`` of a network. Every utterance of a batch gets
    masks of its own, in every epoch others. The width of a mask is drawn evenly
    from 0 to its greatest value, then its place within the utterance; padding is
    left alone. All channels are hidden together. There is no time warping,
    which its authors found to help least.

    Parameters
    ----------
    n_freq_masks : int, default=2
        Number of masks over bins; they may overlap.
    freq_mask_size : int, default=8
        Greatest width of each in bins.
    n_time_masks : int, default=2
        Number of masks over frames.
    time_mask_size : int, default=40
        Greatest width of each in frames.
    max_time_fraction : float, default=0.2
        Greatest width of each as a share of the utterance.
    fill : {"mean", "zero"}, default="mean"
        What stands in the masks: the mean of each channel of the utterance, or
        zero, which is the same behind a :class:`~serkit.feature_extraction.FrameScaler`
        that takes the mean of every utterance away.

    Raises
    ------
    ValueError
        If a parameter is out of range, or if the network takes no frames.

    See Also
    --------
    serkit.training.Mixup : Mixes the utterances of a batch, and their targets.

    References
    ----------
    D. S. Park et al., "SpecAugment: A Simple Data Augmentation Method for
    Automatic Speech Recognition", Interspeech 2019. Its policy LD, for 80 mel
    bands, is ``SpecAugment(2, 27, 2, 100, 1.0)``.

    Examples
    --------
    >>> import torch
    >>> from serkit.augmentation import SpecAugment
    >>> from serkit.neural_network import CRNNClassifier
    >>> CRNNClassifier(augment=SpecAugment(freq_mask_size=6))
    CRNNClassifier(augment=SpecAugment(...freq_mask_size=6, ...))
    >>> x = torch.ones(1, 1, 4, 6)
    >>> masked = SpecAugment(1, 2, 0, fill="zero")(x, None, torch.Generator().manual_seed(1))
    >>> masked[0, 0, :, 0]
    tensor([0., 0., 1., 1.])
    """

    n_freq_masks: int = 2
    freq_mask_size: int = 8
    n_time_masks: int = 2
    time_mask_size: int = 40
    max_time_fraction: float = 0.2
    fill: str = "mean"

    def __post_init__(self) -> None:
        for name in ("n_freq_masks", "freq_mask_size", "n_time_masks", "time_mask_size"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be 0 or more, got {getattr(self, name)}")
        if not 0 <= self.max_time_fraction <= 1:
            raise ValueError(f"max_time_fraction must be in [0, 1], got {self.max_time_fraction}")
        if self.fill not in ("mean", "zero"):
            raise ValueError(f"fill must be 'mean' or 'zero', got {self.fill!r}")

    def __call__(self, x: Tensor, lengths: Tensor | None, generator: torch.Generator) -> Tensor:
        _require_frames(x, type(self).__name__)
        n_utterances, _, n_bins, n_frames = x.shape
        bins = torch.full((n_utterances,), n_bins)
        frames = torch.full((n_utterances,), n_frames) if lengths is None else lengths.cpu()
        longest = (self.max_time_fraction * frames).long().clamp(max=self.time_mask_size)
        widest = bins.clamp(max=self.freq_mask_size)
        in_bins = _draw_masks(self.n_freq_masks, widest, bins, n_bins, generator)
        in_time = _draw_masks(self.n_time_masks, longest, frames, n_frames, generator)
        hidden = (in_bins[:, None, :, None] | in_time[:, None, None, :]).to(x.device)
        if self.fill == "zero":
            return x.masked_fill(hidden, 0)
        return torch.where(hidden, _utterance_mean(x, lengths), x)


@dataclass(frozen=True)
class RandomGain:
    """Make the utterances that a network is trained on louder or softer.

    For the parameter ``augment`` of a network. Gain is a number added to all
    values of logarithmic frames, one per utterance, in every epoch another.

    Parameters
    ----------
    max_change : float, default=6.0
        Greatest change up or down, in the unit of the frames: dB for
        ``log="db"``, of which the natural logarithm of power (``log="ln"``) has
        0.23 per dB. Behind a scaler, divide by its scale.

    Examples
    --------
    >>> import torch
    >>> from serkit.augmentation import RandomGain
    >>> gain = RandomGain(3.0)
    >>> changed = gain(torch.zeros(2, 1, 4, 5), None, torch.Generator().manual_seed(0))
    >>> changed.std(dim=(1, 2, 3)), bool((changed.abs() <= 3).all())
    (tensor([0., 0.]), True)
    """

    max_change: float = 6.0

    def __call__(self, x: Tensor, lengths: Tensor | None, generator: torch.Generator) -> Tensor:
        _require_frames(x, type(self).__name__)
        change = 2 * torch.rand((len(x), 1, 1, 1), generator=generator) - 1
        return x + (self.max_change * change).to(x)


@dataclass(frozen=True)
class Compose:
    """Change batches in several ways, one after the other.

    Parameters
    ----------
    augmenters : sequence of callable
        What the parameter ``augment`` of a network takes: functions of the
        padded frames, their lengths (or ``None``) and a `torch.Generator`, which
        return the frames.

    Examples
    --------
    >>> from serkit.augmentation import Compose, RandomGain, SpecAugment
    >>> from serkit.neural_network import CRNNClassifier
    >>> network = CRNNClassifier(augment=Compose([RandomGain(3.0), SpecAugment()]))
    """

    augmenters: Sequence[Augment]

    def __call__(self, x: Tensor, lengths: Tensor | None, generator: torch.Generator) -> Tensor:
        for augment in self.augmenters:
            x = augment(x, lengths, generator)
        return x


def _require_frames(x: Tensor, name: str) -> None:
    if x.ndim != 4:
        raise ValueError(
            f"{name} changes frames (n_utterances, n_channels, n_bins, n_frames), but the network "
            f"takes {tuple(x.shape)}; it is for networks of spectrograms"
        )


def _draw_masks(
    n_masks: int, widest: Tensor, sizes: Tensor, length: int, generator: torch.Generator
) -> Tensor:
    """Return what is hidden of an axis, of shape (n_utterances, length)."""
    width, place = torch.rand((2, len(sizes), n_masks), generator=generator)
    width = (width * (widest[:, None] + 1)).long()
    start = (place * (sizes[:, None] - width + 1)).long()
    index = torch.arange(length)
    hidden = (index >= start[..., None]) & (index < (start + width)[..., None])
    return hidden.any(dim=1)


def _utterance_mean(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Return the mean of every channel of every utterance over its own frames."""
    if lengths is None:
        return x.mean(dim=(2, 3), keepdim=True)
    mask = frame_mask(lengths.to(x.device), x.shape[-1])[:, None, None, :]
    n_values = mask.sum(dim=-1, keepdim=True) * x.shape[2]
    return (x * mask).sum(dim=(2, 3), keepdim=True) / n_values
