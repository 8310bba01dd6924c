"""Whole networks: an encoder of utterances and what reads its embedding."""

import inspect
from typing import Any

from torch import Tensor, nn

from serkit.modules._gradient_reversal import GradientReversal

__all__ = ["DomainAdversarialNetwork", "UtteranceNetwork", "find_part", "is_length_aware"]


def is_length_aware(module: nn.Module) -> bool:
    """Say whether a module takes utterances of unequal lengths in one batch.

    Parameters
    ----------
    module : Module
        An encoder or a network.

    Returns
    -------
    answer : bool
        Whether its ``forward`` has the parameter ``lengths``; a network says of
        its encoder.

    Examples
    --------
    >>> from torch import nn
    >>> from serkit.modules import CNN2DBiGRUEncoder, is_length_aware
    >>> is_length_aware(CNN2DBiGRUEncoder(1, 20)), is_length_aware(nn.Conv2d(1, 8, 3))
    (True, False)
    """
    if isinstance(module, UtteranceNetwork):
        return is_length_aware(module.encoder)
    return "lengths" in inspect.signature(module.forward).parameters


def find_part(network: Any, name: str) -> nn.Module:
    """Return a stage of a network, or a part of one.

    Parameters
    ----------
    network : Module
        A network with ``stages``.
    name : str
        Of a stage, or "stage.part" with the name that the part has in it.

    Returns
    -------
    part : Module

    Raises
    ------
    ValueError
        If there is none of that name.

    Examples
    --------
    >>> from serkit.modules import CNN2DBiGRUEncoder, find_part
    >>> find_part(CNN2DBiGRUEncoder(1, 20), "block1.pooling")
    MaxPool2d(kernel_size=(2, 2), stride=(2, 2), padding=0, dilation=1, ceil_mode=False)
    """
    stage, _, inner = name.partition(".")
    try:
        return network.stages[stage].get_submodule(inner)
    except (KeyError, AttributeError):
        raise ValueError(
            f"there is no stage {name!r}; the stages are {list(network.stages)}"
        ) from None


class UtteranceNetwork(nn.Module):
    """An encoder and a head on its embedding.

    Parameters
    ----------
    encoder : Module
        From (n_utterances, ...) to (n_utterances, embedding_size). If its
        ``forward`` has the parameter ``lengths``, it gets batches of unequal
        lengths, padded by zeros, with the number of frames of every utterance.
    head : Module
        From the embedding to the output.

    Attributes
    ----------
    min_shape : tuple of int
        The least (n_bins, n_frames) of an input.
    n_frames : int or None
        The only number of frames that the encoder takes; ``None`` if it does
        not say.
    stages : dict of str to Module
        Those of the encoder ("encoder" if it names none), and "head".

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import MLPEncoder, UtteranceNetwork
    >>> encoder = MLPEncoder(6, hidden_layer_sizes=(4,))
    >>> network = UtteranceNetwork(encoder, torch.nn.Linear(4, 2))
    >>> list(network.stages)
    ['hidden1', 'head']
    >>> network(torch.zeros(3, 6)).shape
    torch.Size([3, 2])
    """

    def __init__(self, encoder: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head
        self._length_aware = is_length_aware(encoder)

    @property
    def min_shape(self) -> tuple[int, int]:
        """The least (n_bins, n_frames) of an input."""
        return getattr(self.encoder, "min_shape", (1, 1))

    @property
    def n_frames(self) -> int | None:
        """The only number of frames that the encoder takes; ``None`` if it does not say."""
        return getattr(self.encoder, "n_frames", None)

    @property
    def stages(self) -> dict[str, nn.Module]:
        """The parts by name, from input to output."""
        return {**getattr(self.encoder, "stages", {"encoder": self.encoder}), "head": self.head}

    def embed(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the embedding of every utterance.

        Parameters
        ----------
        x : Tensor of shape (n_utterances, ...)
            A padded batch.
        lengths : Tensor of shape (n_utterances,) or None, default=None
            Number of frames of every utterance.

        Returns
        -------
        embedding : Tensor of shape (n_utterances, embedding_size)
        """
        return self.encoder(x, lengths) if self._length_aware else self.encoder(x)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the output of the head.

        Parameters
        ----------
        x : Tensor of shape (n_utterances, ...)
            A padded batch.
        lengths : Tensor of shape (n_utterances,) or None, default=None
            Number of frames of every utterance.

        Returns
        -------
        outputs : Tensor of shape (n_utterances, n_outputs)
        """
        return self.head(self.embed(x, lengths))


class DomainAdversarialNetwork(UtteranceNetwork):
    """A network with a second head that tells speakers apart, against the encoder.

    Parameters
    ----------
    encoder : Module
        From utterances to embeddings, as of :class:`UtteranceNetwork`.
    head : Module
        From the embedding to the emotions.
    speaker_head : Module
        From the embedding to the speakers; used in training only.

    References
    ----------
    Leow (2021), "Speaker-Invariant Speech Emotion Recognition with Domain
    Adversarial Training", sections 3.3 and 3.4.

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import DomainAdversarialNetwork, MLPEncoder, MLPHead
    >>> network = DomainAdversarialNetwork(MLPEncoder(6), MLPHead(128, 7), MLPHead(128, 10))
    >>> emotions, speakers = network.both(torch.zeros(3, 6), reversal=0.5)
    >>> emotions.shape, speakers.shape
    (torch.Size([3, 7]), torch.Size([3, 10]))
    """

    def __init__(self, encoder: nn.Module, head: nn.Module, speaker_head: nn.Module) -> None:
        super().__init__(encoder, head)
        self.speaker_head = speaker_head
        self.reversal = GradientReversal()

    def both(
        self, x: Tensor, lengths: Tensor | None = None, *, reversal: float | None
    ) -> tuple[Tensor, Tensor]:
        """Return the outputs of both heads.

        Parameters
        ----------
        x : Tensor of shape (n_utterances, ...)
            A padded batch.
        lengths : Tensor of shape (n_utterances,) or None, default=None
            Number of frames of every utterance.
        reversal : float or None
            Factor of the reversed gradient that the encoder gets from the
            speaker head; ``None`` hands the gradient on as it is.

        Returns
        -------
        emotions : Tensor of shape (n_utterances, n_emotions)
        speakers : Tensor of shape (n_utterances, n_speakers)
        """
        embedding = self.embed(x, lengths)
        reversed_ = embedding if reversal is None else self.reversal(embedding, reversal)
        return self.head(embedding), self.speaker_head(reversed_)
