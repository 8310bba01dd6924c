"""Autoencoders and the networks that they play against, with the losses of both sides."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional

from serkit.modules._initialization import initialize_glorot
from serkit.modules._mlp import MLPEncoder, MLPHead

__all__ = [
    "AdversarialAutoencoderGANNetwork",
    "AdversarialAutoencoderNetwork",
    "ConditionalDiscriminator",
    "InfoGANAutoencoderNetwork",
]


class ConditionalDiscriminator(nn.Module):
    """Tell vectors of one origin from those of another, knowing their class.

    Parameters
    ----------
    n_inputs : int
        Size of a vector.
    n_classes : int
        Number of classes.
    hidden_layer_sizes : sequence of int, default=(1000, 500, 100)
        Units of the hidden layers.

    References
    ----------
    Sahu et al. (2020), "Modeling Feature Representations for Affective Speech
    using Generative Adversarial Networks", section 4.2 and table 1.

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import ConditionalDiscriminator
    >>> discriminator = ConditionalDiscriminator(2, 4)
    >>> discriminator(torch.zeros(3, 2), torch.eye(4)[:3]).shape
    torch.Size([3])
    >>> sum(weights.numel() for weights in discriminator.parameters())
    557701
    """

    def __init__(
        self,
        n_inputs: int,
        n_classes: int,
        *,
        hidden_layer_sizes: Sequence[int] = (1000, 500, 100),
    ) -> None:
        super().__init__()
        self.trunk = MLPEncoder(
            n_inputs + n_classes, hidden_layer_sizes=hidden_layer_sizes, dropout=0.0
        )
        self.output = nn.Linear(self.trunk.embedding_size, 1)

    def forward(self, x: Tensor, classes: Tensor) -> Tensor:
        """Return the logit of every vector: positive for those that were made.

        Parameters
        ----------
        x : Tensor of shape (n_vectors, n_inputs)
            The vectors.
        classes : Tensor of shape (n_vectors, n_classes)
            Their classes, one-hot.

        Returns
        -------
        logits : Tensor of shape (n_vectors,)
        """
        return self.output(self.trunk(torch.cat([x, classes], dim=1)))[:, 0]


class AdversarialAutoencoderNetwork(nn.Module):
    """An autoencoder whose codes a discriminator compares with a prior, class by class.

    The discriminator learns to answer 1 for codes that the encoder has made, 0
    for those drawn from the prior; the encoder learns to get a 0.

    Parameters
    ----------
    n_features : int
        Size of a feature vector.
    n_classes : int
        Number of classes.
    code_dim : int, default=2
        Size of a code.
    hidden_layer_sizes : sequence of int, default=(1000, 500, 100)
        Units of the hidden layers of the encoder; the decoder has them in
        reverse.
    discriminator_layer_sizes : sequence of int, default=(1000, 500, 100)
        Units of the hidden layers of the discriminator of codes.
    reduction : {"mean", "sum"}, default="mean"
        What the squared error of a vector is: mean or sum over its features.

    References
    ----------
    Sahu et al. (2020), "Modeling Feature Representations for Affective Speech
    using Generative Adversarial Networks", sections 4.2 and 4.3.

    Examples
    --------
    >>> from serkit.modules import AdversarialAutoencoderNetwork
    >>> network = AdversarialAutoencoderNetwork(1582, 4)
    >>> [sum(w.numel() for w in part.parameters()) for part in (network.encoder, network.decoder)]
    [2133802, 2135382]
    """

    def __init__(
        self,
        n_features: int,
        n_classes: int,
        *,
        code_dim: int = 2,
        hidden_layer_sizes: Sequence[int] = (1000, 500, 100),
        discriminator_layer_sizes: Sequence[int] = (1000, 500, 100),
        reduction: str = "mean",
    ) -> None:
        super().__init__()
        self.n_classes = n_classes
        self.reduction = reduction
        self.encoder = _perceptron(n_features, hidden_layer_sizes, code_dim)
        self.decoder = _perceptron(code_dim, hidden_layer_sizes[::-1], n_features)
        self.code_discriminator = ConditionalDiscriminator(
            code_dim, n_classes, hidden_layer_sizes=discriminator_layer_sizes
        )
        initialize_glorot(self)

    def generate(self, draws: Tensor, classes: Tensor) -> Tensor:
        """Make feature vectors of draws from the prior.

        Parameters
        ----------
        draws : Tensor of shape (n_vectors, n_values)
            What was drawn.
        classes : Tensor of shape (n_vectors, n_classes)
            For which classes, one-hot.

        Returns
        -------
        vectors : Tensor of shape (n_vectors, n_features)
        """
        return self.decoder(self.target_codes(draws, classes))

    def target_codes(self, draws: Tensor, classes: Tensor) -> Tensor:
        """Return the codes that the encoder is to imitate: here, the draws themselves.

        Parameters
        ----------
        draws : Tensor of shape (n_vectors, n_values)
            What was drawn.
        classes : Tensor of shape (n_vectors, n_classes)
            For which classes, one-hot.

        Returns
        -------
        codes : Tensor of shape (n_vectors, code_dim)
        """
        return draws

    def reconstruction_loss(self, x: Tensor) -> Tensor:
        """Return the squared error of the decoded codes.

        Parameters
        ----------
        x : Tensor of shape (n_vectors, n_features)
            Real vectors.

        Returns
        -------
        loss : Tensor
        """
        error = functional.mse_loss(self.decoder(self.encoder(x)), x)
        return error if self.reduction == "mean" else error * x.shape[1]

    def code_discriminator_loss(
        self, codes: Tensor, classes: Tensor, prior_codes: Tensor, prior_classes: Tensor
    ) -> Tensor:
        """Return how badly encoded and prior codes are told apart; ln 2 if by chance.

        Parameters
        ----------
        codes, classes : Tensor
            Codes of real vectors, and their classes, one-hot.
        prior_codes, prior_classes : Tensor
            Those drawn from the prior.

        Returns
        -------
        loss : Tensor
        """
        return _telling_apart(
            self.code_discriminator, (codes, classes), (prior_codes, prior_classes)
        )

    def encoder_loss(self, codes: Tensor, classes: Tensor) -> Tensor:
        """Return how well the discriminator recognises encoded codes; ln 2 if by chance.

        Parameters
        ----------
        codes, classes : Tensor
            Codes of real vectors, and their classes, one-hot.

        Returns
        -------
        loss : Tensor
        """
        return _cross_entropy(self.code_discriminator(codes, classes), 0.0)


class AdversarialAutoencoderGANNetwork(AdversarialAutoencoderNetwork):
    """An adversarial autoencoder with a second discriminator, of feature vectors.

    It learns to answer 1 for vectors that the decoder has made of the prior, 0
    for real ones; the decoder learns to get a 0.

    Parameters
    ----------
    n_features : int
        Size of a feature vector.
    n_classes : int
        Number of classes.
    feature_discriminator_layer_sizes : sequence of int, default=(1000, 500, 100)
        Units of the hidden layers of the discriminator of feature vectors.
    **options : dict
        As of :class:`AdversarialAutoencoderNetwork`.

    References
    ----------
    Sahu et al. (2020), "Modeling Feature Representations for Affective Speech
    using Generative Adversarial Networks", sections 4.2 and 4.3.

    Examples
    --------
    >>> from serkit.modules import AdversarialAutoencoderGANNetwork
    >>> network = AdversarialAutoencoderGANNetwork(1582, 4)
    >>> sum(weights.numel() for weights in network.feature_discriminator.parameters())
    2137701
    """

    def __init__(
        self,
        n_features: int,
        n_classes: int,
        *,
        feature_discriminator_layer_sizes: Sequence[int] = (1000, 500, 100),
        **options,
    ) -> None:
        super().__init__(n_features, n_classes, **options)
        self.feature_discriminator = initialize_glorot(
            ConditionalDiscriminator(
                n_features, n_classes, hidden_layer_sizes=feature_discriminator_layer_sizes
            )
        )

    def feature_discriminator_loss(
        self, x: Tensor, classes: Tensor, made: Tensor, made_classes: Tensor
    ) -> Tensor:
        """Return how badly made and real vectors are told apart; ln 2 if by chance.

        Parameters
        ----------
        x, classes : Tensor
            Real vectors, and their classes, one-hot.
        made, made_classes : Tensor
            Those of the decoder.

        Returns
        -------
        loss : Tensor
        """
        return _telling_apart(self.feature_discriminator, (made, made_classes), (x, classes))

    def generator_loss(self, made: Tensor, made_classes: Tensor) -> Tensor:
        """Return how well the discriminator recognises made vectors; ln 2 if by chance.

        Parameters
        ----------
        made, made_classes : Tensor
            Vectors of the decoder, and their classes, one-hot.

        Returns
        -------
        loss : Tensor
        """
        return _cross_entropy(self.feature_discriminator(made, made_classes), 0.0)


class InfoGANAutoencoderNetwork(AdversarialAutoencoderGANNetwork):
    """An autoencoder whose codes a network makes of noise and a class, as in an InfoGAN.

    An auxiliary head on the discriminator of feature vectors reads the class
    from what was made. It sees zeros where the discriminator is told the class,
    unless it is to see the class as well.

    Parameters
    ----------
    n_features : int
        Size of a feature vector.
    n_classes : int
        Number of classes.
    noise_dim : int, default=20
        Size of the noise.
    code_dim : int, default=256
        Size of a code.
    hidden_layer_sizes : sequence of int, default=(1000, 700, 300)
        Units of the hidden layers of the encoder; the decoder has them in
        reverse.
    code_generator_layer_sizes : sequence of int, default=(140,)
        Units of the hidden layers from noise to code.
    aux_layer_sizes : sequence of int, default=(128,)
        Units of the hidden layers of the auxiliary head.
    aux_sees_classes : bool, default=False
        Show the auxiliary head the class that it is to tell, as the paper's
        table has it.
    **options : dict
        As of :class:`AdversarialAutoencoderGANNetwork`.

    References
    ----------
    Sahu et al. (2020), "Modeling Feature Representations for Affective Speech
    using Generative Adversarial Networks", sections 4.2 and 4.3.

    Examples
    --------
    >>> from serkit.modules import InfoGANAutoencoderNetwork
    >>> network = InfoGANAutoencoderNetwork(1582, 4)
    >>> sum(weights.numel() for weights in network.code_generator.parameters())
    39596
    """

    def __init__(
        self,
        n_features: int,
        n_classes: int,
        *,
        noise_dim: int = 20,
        code_dim: int = 256,
        hidden_layer_sizes: Sequence[int] = (1000, 700, 300),
        code_generator_layer_sizes: Sequence[int] = (140,),
        aux_layer_sizes: Sequence[int] = (128,),
        aux_sees_classes: bool = False,
        **options,
    ) -> None:
        super().__init__(
            n_features,
            n_classes,
            code_dim=code_dim,
            hidden_layer_sizes=hidden_layer_sizes,
            **options,
        )
        self.aux_sees_classes = aux_sees_classes
        self.code_generator = initialize_glorot(
            _perceptron(noise_dim + n_classes, code_generator_layer_sizes, code_dim)
        )
        self.aux = initialize_glorot(
            _perceptron(self.feature_discriminator.trunk.embedding_size, aux_layer_sizes, n_classes)
        )

    def target_codes(self, draws: Tensor, classes: Tensor) -> Tensor:
        """Return the codes that the encoder is to imitate: made of noise and class.

        Parameters
        ----------
        draws : Tensor of shape (n_vectors, noise_dim)
            Noise.
        classes : Tensor of shape (n_vectors, n_classes)
            For which classes, one-hot.

        Returns
        -------
        codes : Tensor of shape (n_vectors, code_dim)
        """
        return self.code_generator(torch.cat([draws, classes], dim=1))

    def generator_loss(self, made: Tensor, made_classes: Tensor) -> Tensor:
        """Return how well the discriminator recognises made vectors; ln 2 if by chance.

        No gradient reaches the discriminator: its trunk may be trained by
        :meth:`aux_loss` at the same time, never to be fooled.

        Parameters
        ----------
        made, made_classes : Tensor
            Vectors of the decoder, and their classes, one-hot.

        Returns
        -------
        loss : Tensor
        """
        with _held(self.feature_discriminator):
            return super().generator_loss(made, made_classes)

    def aux_logits(self, x: Tensor, classes: Tensor) -> Tensor:
        """Return what the auxiliary head makes of vectors.

        Parameters
        ----------
        x : Tensor of shape (n_vectors, n_features)
            The vectors.
        classes : Tensor of shape (n_vectors, n_classes)
            Their classes, one-hot; seen with ``aux_sees_classes`` only.

        Returns
        -------
        logits : Tensor of shape (n_vectors, n_classes)
        """
        seen = classes if self.aux_sees_classes else torch.zeros_like(classes)
        return self.aux(self.feature_discriminator.trunk(torch.cat([x, seen], dim=1)))

    def aux_loss(self, x: Tensor, classes: Tensor) -> Tensor:
        """Return the cross-entropy of the auxiliary head; ln of the number of classes by chance.

        Its negative bounds the mutual information of class and vector from
        below, up to the entropy of the classes.

        Parameters
        ----------
        x : Tensor of shape (n_vectors, n_features)
            The vectors.
        classes : Tensor of shape (n_vectors, n_classes)
            Their classes, one-hot.

        Returns
        -------
        loss : Tensor
        """
        return functional.cross_entropy(self.aux_logits(x, classes), classes)


def _perceptron(n_inputs: int, hidden_layer_sizes: Sequence[int], n_outputs: int) -> nn.Module:
    return MLPHead(
        n_inputs,
        n_outputs,
        hidden_layer_sizes=hidden_layer_sizes,
        dropout=0.0,
        batch_norm=False,
    )


def _telling_apart(
    discriminator: nn.Module, ones: tuple[Tensor, Tensor], zeros: tuple[Tensor, Tensor]
) -> Tensor:
    """Return the mean of the cross-entropies of both sides."""
    x, classes = (torch.cat(sides) for sides in zip(ones, zeros, strict=True))
    first, second = discriminator(x, classes).split([len(ones[0]), len(zeros[0])])
    return (_cross_entropy(first, 1.0) + _cross_entropy(second, 0.0)) / 2


def _cross_entropy(logits: Tensor, target: float) -> Tensor:
    return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


@contextmanager
def _held(module: nn.Module) -> Iterator[None]:
    """Take what is computed inside for constant in the weights of a module."""
    weights = [weight for weight in module.parameters() if weight.requires_grad]
    module.requires_grad_(False)
    try:
        yield
    finally:
        for weight in weights:
            weight.requires_grad_(True)
