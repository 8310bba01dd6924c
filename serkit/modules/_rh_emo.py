"""RH-emo: an autoencoder of spectrograms whose embedding is a map of quaternions."""

from collections.abc import Collection
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from serkit.modules._quaternion_batch_norm import QuaternionBatchNorm2d
from serkit.modules._quaternion_layers import QuaternionConvTranspose2d

__all__ = ["RHEmoLoss", "RHEmoNetwork", "RHEmoOutput", "binarize_vad"]

#: Channel of the embedding that each head reads.
_CHANNELS = {"emotion": 0, "valence": 1, "arousal": 2, "dominance": 3}

_DIMENSIONS = tuple(_CHANNELS)[1:]

#: Target of an utterance whose emotion is not known.
NO_EMOTION = -1


def binarize_vad(values: Any, threshold: float = 2.5) -> Tensor:
    """Divide ratings of valence, arousal or dominance into high and low.

    Parameters
    ----------
    values : array-like
        The ratings; NaN where one is missing.
    threshold : float, default=2.5
        A rating is high if it is above; for ratings from 1 to 5.

    Returns
    -------
    high : Tensor of the shape of `values`, float32
        1 for high, 0 for low, NaN where the rating is missing.

    Examples
    --------
    >>> from serkit.modules import binarize_vad
    >>> binarize_vad([1.0, 2.5, 3.0, float("nan")])
    tensor([0., 0., 1., nan])
    """
    values = torch.as_tensor(values)
    return (values > threshold).float().masked_fill(values.isnan(), torch.nan)


class RHEmoOutput(NamedTuple):
    """What an :class:`RHEmoNetwork` makes of a batch.

    Parameters
    ----------
    embedding : Tensor of shape (n_utterances, 4, n_bins / 2, n_frames / 8)
        The map of quaternions.
    reconstruction : Tensor of shape (n_utterances, 1, n_bins, n_frames) or None
        The input as the decoder has it, in [0, 1]; ``None`` without one.
    emotion : Tensor of shape (n_utterances, n_classes) or None
        Logits of the emotions; ``None`` without the head.
    vad : Tensor of shape (n_utterances, n_dimensions) or None
        Logits of high valence, arousal and dominance, of those that have a head;
        ``None`` if none has.
    """

    embedding: Tensor
    reconstruction: Tensor | None
    emotion: Tensor | None
    vad: Tensor | None


class RHEmoNetwork(nn.Module):
    """An autoencoder of spectrograms, and heads that read one channel of its embedding each.

    A real encoder makes four maps of a spectrogram. A decoder of quaternions makes
    the spectrogram of them again, as the mean of its four channels, so that the
    maps come to be used as the components of quaternions. Four heads tell the
    emotion by the first map, and whether valence, arousal and dominance are high by
    the others. Nearly all weights are in the heads, which training alone needs.

    Parameters
    ----------
    n_classes : int, default=4
        Number of emotions.
    n_bins : int, default=128
        Bins of the spectrograms, a multiple of 2.
    n_frames : int, default=512
        Frames of the spectrograms, a multiple of 8.
    vad : bool or collection of str, default=True
        Have the heads of valence, arousal and dominance, or those named.
    discrete : bool, default=True
        Have the head of the emotions.
    decoder : {"quaternion", "real"} or None, default="quaternion"
        Which layers the decoder is made of, if there is one.
    hidden_size : int, default=4096
        Units of the two hidden layers of every head.
    dropout : float, default=0.5
        Probability that a unit of the heads is dropped in training.
    bn_blocks : collection of int, default=(1, 2)
        Behind which of the first two blocks of encoder and decoder there is batch
        normalisation, numbered from 1 in the order of data. In the authors' code
        it is behind both, in the thesis behind the first.

    Attributes
    ----------
    architecture : dict
        What encoder and decoder were made of, by the names of the parameters.
    stages : dict of str to Module
        The parts by name, from input to output.

    See Also
    --------
    RHEmoLoss : What it is trained by.

    References
    ----------
    Guizzo (2023), "Enhancing the Generalization of Convolutional Neural Networks
    for Speech Emotion Recognition", section 6.2.

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import RHEmoNetwork
    >>> network = RHEmoNetwork(hidden_size=8)
    >>> output = network(torch.rand(2, 1, 128, 512))
    >>> output.embedding.shape, output.reconstruction.shape
    (torch.Size([2, 4, 64, 64]), torch.Size([2, 1, 128, 512]))
    >>> output.emotion.shape, output.vad.shape
    (torch.Size([2, 4]), torch.Size([2, 3]))
    """

    def __init__(
        self,
        n_classes: int = 4,
        n_bins: int = 128,
        n_frames: int = 512,
        *,
        vad: bool | Collection[str] = True,
        discrete: bool = True,
        decoder: str | None = "quaternion",
        hidden_size: int = 4096,
        dropout: float = 0.5,
        bn_blocks: Collection[int] = (1, 2),
    ) -> None:
        if n_bins < 2 or n_bins % 2 or n_frames < 8 or n_frames % 8:
            raise ValueError(
                f"n_bins={n_bins} and n_frames={n_frames}, but the network makes 2 bins and 8 "
                "frames one: give multiples of 2 and of 8"
            )
        if not set(bn_blocks) <= {1, 2}:
            raise ValueError(f"bn_blocks={bn_blocks!r} names other blocks than 1 and 2")
        if decoder not in _DECODERS and decoder is not None:
            raise ValueError(f'decoder is "quaternion", "real" or None, not {decoder!r}')
        dimensions = tuple(vad) if isinstance(vad, Collection) else _DIMENSIONS * bool(vad)
        if not set(dimensions) <= set(_DIMENSIONS):
            raise ValueError(f"vad={vad!r} names something else than {', '.join(_DIMENSIONS)}")
        super().__init__()
        self.architecture = {
            "n_bins": n_bins,
            "n_frames": n_frames,
            "decoder": decoder,
            "bn_blocks": tuple(sorted(set(bn_blocks))),
        }
        self.min_shape = (n_bins, n_frames)
        self.n_frames = n_frames
        self.embedding_shape = (4, n_bins // 2, n_frames // 8)
        self.encoder = nn.Sequential(
            _encoder_block(1, 2, (2, 2), 1 in bn_blocks),
            _encoder_block(2, 4, (1, 2), 2 in bn_blocks),
            _encoder_block(4, 4, (1, 2), False),
        )
        self.decoder = None if decoder is None else _make_decoder(*_DECODERS[decoder], bn_blocks)
        map_size = self.embedding_shape[1] * self.embedding_shape[2]
        names = ["emotion"] * discrete + [name for name in _DIMENSIONS if name in dimensions]
        self.heads = _Heads(names, map_size, hidden_size, n_classes, dropout)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
                nn.init.xavier_normal_(module.weight)
                nn.init.constant_(module.get_parameter("bias"), 0.0)

    @property
    def stages(self) -> dict[str, nn.Module]:
        """The parts by name, from input to output."""
        parts = {f"convolution{n}": block for n, block in enumerate(self.encoder, start=1)}
        if self.decoder is not None:
            parts["decoder"] = self.decoder
        return {**parts, "heads": self.heads} if len(self.heads) else parts

    def extra_repr(self) -> str:
        """Return what tells it apart from one with the same layers.

        Returns
        -------
        text : str
        """
        return ", ".join(f"{name}={value!r}" for name, value in self.architecture.items())

    def decode(self, embedding: Tensor) -> Tensor:
        """Return the spectrograms that embeddings stand for.

        Parameters
        ----------
        embedding : Tensor of shape (n_utterances, 4, n_bins / 2, n_frames / 8)
            Maps that the encoder has made.

        Returns
        -------
        reconstruction : Tensor of shape (n_utterances, 1, n_bins, n_frames)
            In [0, 1].
        """
        if self.decoder is None:
            raise ValueError("the network was made with decoder=None, so it cannot decode")
        return self.decoder(embedding).float().sigmoid().mean(dim=1, keepdim=True)

    def forward(self, x: Tensor, *, heads: bool = True) -> RHEmoOutput:
        """Encode spectrograms, decode them, and tell what the heads say.

        Parameters
        ----------
        x : Tensor of shape (n_utterances, 1, n_bins, n_frames)
            Magnitudes in [0, 1].
        heads : bool, default=True
            Ask the heads, which takes most of the time.

        Returns
        -------
        output : RHEmoOutput
        """
        embedding = self.encoder(x)
        reconstruction = None if self.decoder is None else self.decode(embedding)
        logits = self.heads(embedding) if heads and len(self.heads) else None
        return RHEmoOutput(embedding, reconstruction, *self.heads.divide(logits))


class RHEmoLoss(nn.Module):
    """The loss of an :class:`RHEmoNetwork`: of the reconstruction and of what the heads say.

    ``reconstruction + beta * (emotion + alpha * (valence + arousal + dominance))``,
    where the second is the cross-entropy and all others are binary cross-entropies.
    Each is the mean over those utterances of a batch whose target is known; what
    the network has no part for is left out.

    Parameters
    ----------
    alpha : float, default=100.0
        Weight of valence, arousal and dominance beside the emotion.
    beta : float, default=0.01
        Weight of all four beside the reconstruction.

    References
    ----------
    Guizzo (2023), "Enhancing the Generalization of Convolutional Neural Networks
    for Speech Emotion Recognition", equation 6.1.

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import RHEmoLoss, RHEmoNetwork
    >>> network = RHEmoNetwork(2, 8, 16, hidden_size=8)
    >>> x = torch.rand(2, 1, 8, 16)
    >>> vad = torch.tensor([[1.0, 0.0, torch.nan], [0.0, torch.nan, torch.nan]])
    >>> parts = RHEmoLoss()(network(x), x, emotion=torch.tensor([1, -1]), vad=vad)
    >>> sorted(parts)
    ['emotion_loss', 'loss', 'reconstruction_loss', 'vad_loss']
    """

    def __init__(self, alpha: float = 100.0, beta: float = 0.01) -> None:
        super().__init__()
        self.alpha = alpha
        self.beta = beta

    def forward(
        self,
        output: RHEmoOutput,
        x: Tensor,
        *,
        emotion: Tensor | None = None,
        vad: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Compute the loss of a batch.

        Parameters
        ----------
        output : RHEmoOutput
            What the network makes of it.
        x : Tensor of shape (n_utterances, 1, n_bins, n_frames)
            The batch, in [0, 1].
        emotion : Tensor of shape (n_utterances,) or None, default=None
            Numbers of the emotions, -1 where one is not known.
        vad : Tensor of shape (n_utterances, n_dimensions) or None, default=None
            1 for high and 0 for low, NaN where one is not known; of the dimensions
            that have a head, in the order valence, arousal, dominance.

        Returns
        -------
        parts : dict of str to Tensor
            "loss", and what it is made of.
        """
        with torch.autocast(x.device.type, enabled=False):
            parts = {}
            loss = x.new_zeros(())
            if output.reconstruction is not None:
                recorded = functional.binary_cross_entropy(output.reconstruction.float(), x)
                loss = loss + recorded
                parts["reconstruction_loss"] = recorded.detach()
            if output.emotion is not None and emotion is not None:
                recorded = _emotion_loss(output.emotion.float(), emotion)
                loss = loss + self.beta * recorded
                parts["emotion_loss"] = recorded.detach()
            if output.vad is not None and vad is not None:
                recorded = _vad_loss(output.vad.float(), vad)
                loss = loss + self.beta * self.alpha * recorded
                parts["vad_loss"] = recorded.detach()
        return {"loss": loss, **parts}


def _emotion_loss(logits: Tensor, emotion: Tensor) -> Tensor:
    total = functional.cross_entropy(logits, emotion, ignore_index=NO_EMOTION, reduction="sum")
    return total / (emotion != NO_EMOTION).sum().clamp(min=1)


def _vad_loss(logits: Tensor, vad: Tensor) -> Tensor:
    """Return the sum over the dimensions of the means over utterances."""
    known = ~vad.isnan()
    losses = functional.binary_cross_entropy_with_logits(
        logits, vad.where(known, 0.0), reduction="none"
    )
    return ((losses * known).sum(dim=0) / known.sum(dim=0).clamp(min=1)).sum()


class _Heads(nn.ModuleDict):
    """Perceptrons by what they tell; the logits of all stand side by side."""

    def __init__(
        self,
        names: Collection[str],
        map_size: int,
        hidden_size: int,
        n_classes: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.n_classes = n_classes
        for name in names:
            n_outputs = n_classes if name == "emotion" else 1
            self[name] = nn.Sequential(
                *(nn.Linear(map_size, hidden_size), nn.ReLU(), nn.Dropout(dropout)),
                *(nn.Linear(hidden_size, hidden_size), nn.ReLU(), nn.Dropout(dropout)),
                nn.Linear(hidden_size, n_outputs),
            )

    def forward(self, embedding: Tensor) -> Tensor:
        return torch.cat(
            [head(embedding[:, _CHANNELS[name]].flatten(1)) for name, head in self.items()], dim=1
        )

    def divide(self, logits: Tensor | None) -> tuple[Tensor | None, Tensor | None]:
        """Return the logits of the emotions and those of the other heads."""
        if logits is None:
            return None, None
        n_emotions = self.n_classes if "emotion" in self else 0
        emotion, vad = logits[:, :n_emotions], logits[:, n_emotions:]
        return emotion if n_emotions else None, vad if vad.shape[1] else None


def _encoder_block(n_inputs: int, n_outputs: int, pool: tuple[int, int], bn: bool) -> nn.Sequential:
    norm = [nn.BatchNorm2d(n_outputs)] if bn else []
    return nn.Sequential(
        nn.Conv2d(n_inputs, n_outputs, 3, padding=1), nn.ReLU(), nn.MaxPool2d(pool), *norm
    )


#: Layers of a decoder: its transposed convolution, and its batch normalisation.
_DECODERS: dict[str, tuple[Any, Any]] = {
    "quaternion": (QuaternionConvTranspose2d, QuaternionBatchNorm2d),
    "real": (nn.ConvTranspose2d, nn.BatchNorm2d),
}


def _make_decoder(transposed: Any, norm: Any, bn_blocks: Collection[int]) -> nn.Sequential:
    """Return the mirror of the encoder, up to the logits of the values."""
    layers: list[nn.Module] = []
    for block in (1, 2):
        layers.append(transposed(4, 4, 3, stride=(1, 2), padding=1, output_padding=(0, 1)))
        layers.append(nn.ReLU())
        if block in bn_blocks:
            layers.append(norm(4))
    return nn.Sequential(*layers, transposed(4, 4, 3, stride=2, padding=1, output_padding=1))
