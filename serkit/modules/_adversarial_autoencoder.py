"""Autoencoders and the networks that they play against, with the losses of both sides."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from serkit.modules._initialization import initialize_glorot
from serkit.modules._mlp import MLPEncoder, MLPHead

__all__ = [
    "AdversarialAutoencoderGANNetwork",
    "AdversarialAutoencoderNetwork",
    "ConditionalDiscriminator",
    "perceptron",
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
        self.encoder = perceptron(n_features, hidden_layer_sizes, code_dim)
        self.decoder = perceptron(code_dim, hidden_layer_sizes[::-1], n_features)
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


def perceptron(n_inputs: int, hidden_layer_sizes: Sequence[int], n_outputs: int) -> nn.Module:
    """Return linear layers with ReLU between them."""
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
