"""An adversarial autoencoder whose decoder plays against a discriminator of its own."""

from numbers import Integral
from typing import Any, ClassVar

import torch
from sklearn.utils._param_validation import Interval
from torch import Tensor, nn

from serkit.modules import AdversarialAutoencoderGANNetwork
from serkit.over_sampling._adversarial_autoencoder import RATE, AdversarialAutoencoder
from serkit.training import Batch, GameStep

__all__ = ["AdversarialAutoencoderGAN"]


class AdversarialAutoencoderGAN(AdversarialAutoencoder):
    """Learn to draw feature vectors of a class: codes and vectors are both judged.

    An :class:`AdversarialAutoencoder` with a second discriminator, which
    compares what the decoder makes of draws from the prior with real vectors,
    knowing their class. The decoder learns to deceive it. It is the second
    model of the paper.

    For every minibatch the three steps of the adversarial autoencoder are
    followed by two: the discriminator of vectors learns, and the decoder learns
    to deceive it, `n_generator_steps` times.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(1000, 500, 100)
        Units of the hidden layers of the encoder; the decoder has them in
        reverse.
    code_dim : int, default=2
        Size of a code.
    discriminator_layer_sizes : tuple of int, default=(1000, 500, 100)
        Units of the hidden layers of the discriminator of codes.
    feature_discriminator_layer_sizes : tuple of int, default=(1000, 500, 100)
        Units of the hidden layers of the discriminator of feature vectors.
    prior : object or None, default=None
        Where codes are drawn from; ``None`` is :class:`GaussianMixturePrior`.
        Any object with ``build(n_classes, n_dims)`` and ``sample(classes)`` will
        do.
    %(optimization)s
    %(second_game)s
    %(training)s

    Attributes
    ----------
    %(fitted)s

    See Also
    --------
    AdversarialAutoencoder : Without the second discriminator.
    InfoGANAutoencoder : Makes codes of noise.
    GANSampler : Adds what is drawn to a training set.

    Notes
    -----
    Features should be standardized on the training rows.

    References
    ----------
    Sahu et al. (2020), "Modeling Feature Representations for Affective Speech
    using Generative Adversarial Networks", sections 4.2 and 4.3.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.preprocessing import scale
    >>> from serkit.over_sampling import AdversarialAutoencoderGAN
    >>> X, y = load_iris(return_X_y=True)
    >>> X = scale(X)
    >>> small = (32, 16)
    >>> model = AdversarialAutoencoderGAN(
    ...     small,
    ...     discriminator_layer_sizes=small,
    ...     feature_discriminator_layer_sizes=small,
    ...     max_epochs=60,
    ...     random_state=0,
    ... )
    >>> X_new, y_new = model.fit(X, y).sample(4, y=2)
    >>> X_new.shape, y_new
    ((4, 4), array([2, 2, 2, 2]))
    """

    _presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {
            **AdversarialAutoencoder._presets["paper"],
            "lr_feature_discriminator": 1e-4,
            "lr_generator": 1e-3,
        },
        "tuned": {
            **AdversarialAutoencoder._presets["tuned"],
            "lr_feature_discriminator": 1e-4,
            "lr_generator": 1e-4,
        },
    }
    _parameter_constraints: ClassVar[dict] = {
        **AdversarialAutoencoder._parameter_constraints,
        "feature_discriminator_layer_sizes": ["array-like"],
        "lr_feature_discriminator": RATE,
        "lr_generator": RATE,
        "n_generator_steps": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        hidden_layer_sizes=(1000, 500, 100),
        *,
        code_dim=2,
        discriminator_layer_sizes=(1000, 500, 100),
        feature_discriminator_layer_sizes=(1000, 500, 100),
        prior=None,
        preset="tuned",
        optimizer="auto",
        lr_reconstruction="auto",
        momentum="auto",
        lr_code_discriminator="auto",
        lr_encoder="auto",
        lr_feature_discriminator="auto",
        lr_generator="auto",
        n_generator_steps=2,
        reduction="auto",
        class_sampling="uniform",
        batch_size=32,
        max_epochs=200,
        max_updates=None,
        tol=None,
        n_iter_no_change=20,
        device="auto",
        num_threads=1,
        random_state=None,
        verbose=0,
    ):
        super().__init__(
            hidden_layer_sizes,
            code_dim=code_dim,
            discriminator_layer_sizes=discriminator_layer_sizes,
            prior=prior,
            preset=preset,
            optimizer=optimizer,
            lr_reconstruction=lr_reconstruction,
            momentum=momentum,
            lr_code_discriminator=lr_code_discriminator,
            lr_encoder=lr_encoder,
            reduction=reduction,
            class_sampling=class_sampling,
            batch_size=batch_size,
            max_epochs=max_epochs,
            max_updates=max_updates,
            tol=tol,
            n_iter_no_change=n_iter_no_change,
            device=device,
            num_threads=num_threads,
            random_state=random_state,
            verbose=verbose,
        )
        self.feature_discriminator_layer_sizes = feature_discriminator_layer_sizes
        self.lr_feature_discriminator = lr_feature_discriminator
        self.lr_generator = lr_generator
        self.n_generator_steps = n_generator_steps

    def _make_network(self) -> nn.Module:
        return AdversarialAutoencoderGANNetwork(
            self.n_features_in_, len(self.classes_), **self._network_options()
        )

    def _network_options(self) -> dict[str, Any]:
        return {
            **super()._network_options(),
            "feature_discriminator_layer_sizes": self.feature_discriminator_layer_sizes,
        }

    def _make_steps(self, network: Any) -> list[GameStep]:
        return [
            *super()._make_steps(network),
            self._discriminator_step(network),
            self._generator_step(network),
        ]

    def _discriminator_step(self, network: Any) -> GameStep:
        def discriminate(batch: Batch) -> dict[str, Tensor]:
            draws, classes = self._draw(len(batch.x), batch.x.device)
            with torch.no_grad():
                made = network.generate(draws, classes)
            loss = network.feature_discriminator_loss(batch.x, batch.classes, made, classes)
            return {"feature_discriminator": loss}

        return self._make_step(
            "feature discriminator",
            discriminate,
            {"lr_feature_discriminator": [network.feature_discriminator]},
            weights={"feature_discriminator": 2.0},
        )

    def _generator_step(self, network: Any) -> GameStep:
        def deceive(batch: Batch) -> dict[str, Tensor]:
            draws, classes = self._draw(len(batch.x), batch.x.device)
            made = network.generate(draws, classes)
            return {"generator": network.generator_loss(made, classes)}

        return self._make_step(
            "generator",
            deceive,
            {"lr_generator": [network.decoder]},
            n_times=self.n_generator_steps,
        )
