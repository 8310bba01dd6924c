"""An autoencoder whose codes a network makes, and what reads the class of its vectors."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional

from serkit.modules._adversarial_autoencoder import AdversarialAutoencoderGANNetwork, perceptron
from serkit.modules._initialization import initialize_glorot

__all__ = ["InfoGANAutoencoderNetwork"]


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
            perceptron(noise_dim + n_classes, code_generator_layer_sizes, code_dim)
        )
        self.aux = initialize_glorot(
            perceptron(self.feature_discriminator.trunk.embedding_size, aux_layer_sizes, n_classes)
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
