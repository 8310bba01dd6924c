"""An autoencoder whose codes follow a mixture of Gaussians, one for every class."""

from numbers import Integral, Real
from typing import Any, ClassVar

import torch
from sklearn.base import clone
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from torch import Tensor, nn

from serkit.modules import AdversarialAutoencoderNetwork
from serkit.over_sampling._generator import AutoencoderGenerator
from serkit.over_sampling._priors import GaussianMixturePrior
from serkit.training import Batch, GameStep

__all__ = ["COUNT", "RATE", "AdversarialAutoencoder"]

RATE = [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})]
COUNT = [Interval(Integral, 1, None, closed="left")]


class AdversarialAutoencoder(AutoencoderGenerator):
    """Learn to draw feature vectors of a class, by an autoencoder with a prior on its codes.

    An encoder makes short codes of feature vectors, and a decoder the vectors
    of the codes. A discriminator compares the codes with draws from a prior
    that has a Gaussian for every class; the encoder learns to make them alike.
    A new vector of a class is what the decoder makes of a draw from its
    Gaussian. It is the first model of the paper.

    For every minibatch three steps are taken: encoder and decoder reconstruct,
    the discriminator learns, the encoder learns to deceive it.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(1000, 500, 100)
        Units of the hidden layers of the encoder; the decoder has them in
        reverse.
    code_dim : int, default=2
        Size of a code.
    discriminator_layer_sizes : tuple of int, default=(1000, 500, 100)
        Units of the hidden layers of the discriminator of codes.
    prior : object or None, default=None
        Where codes are drawn from; ``None`` is :class:`GaussianMixturePrior`.
        Any object with ``build(n_classes, n_dims)`` and ``sample(classes)`` will
        do.
    %(optimization)s
    %(training)s

    Attributes
    ----------
    %(fitted)s

    See Also
    --------
    AdversarialAutoencoderGAN : Compares the decoder's vectors with real ones too.
    InfoGANAutoencoder : Makes codes of noise.
    GANSampler : Adds what is drawn to a training set.

    Notes
    -----
    Features should be standardized on the training rows.

    A code of two numbers says little beside the class, so vectors of a class
    come out much alike: look at the deviation within classes that
    :func:`serkit.metrics.generator_report` gives before you trust them.

    References
    ----------
    Sahu et al. (2020), "Modeling Feature Representations for Affective Speech
    using Generative Adversarial Networks", sections 4.2 and 4.3.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.preprocessing import scale
    >>> from serkit.over_sampling import AdversarialAutoencoder
    >>> X, y = load_iris(return_X_y=True)
    >>> X = scale(X)
    >>> model = AdversarialAutoencoder(
    ...     (32, 16), discriminator_layer_sizes=(32, 16), max_epochs=60, random_state=0
    ... )
    >>> codes = model.fit(X, y).transform(X)
    >>> codes.shape
    (150, 2)
    >>> X_new, y_new = model.sample(6)
    >>> y_new
    array([0, 0, 1, 1, 2, 2])
    """

    _presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {
            "optimizer": "sgd",
            "lr_reconstruction": 1e-3,
            "momentum": 0.9,
            "lr_code_discriminator": 0.1,
            "lr_encoder": 0.1,
            "reduction": "mean",
        },
        "tuned": {
            "optimizer": "adam",
            "lr_reconstruction": 1e-3,
            "momentum": 0.9,
            "lr_code_discriminator": 1e-3,
            "lr_encoder": 1e-3,
            "reduction": "mean",
        },
    }
    _parameter_constraints: ClassVar[dict] = {
        "hidden_layer_sizes": ["array-like"],
        "code_dim": COUNT,
        "discriminator_layer_sizes": ["array-like"],
        "prior": [HasMethods(["build", "sample"]), None],
        "preset": [StrOptions({"tuned", "paper"})],
        "optimizer": [StrOptions({"auto", "adam", "sgd"})],
        "lr_reconstruction": RATE,
        "momentum": [Interval(Real, 0, 1, closed="left"), StrOptions({"auto"})],
        "lr_code_discriminator": RATE,
        "lr_encoder": RATE,
        "reduction": [StrOptions({"auto", "mean", "sum"})],
        "class_sampling": [StrOptions({"uniform", "empirical"})],
        "batch_size": COUNT,
        "max_epochs": COUNT,
        "max_updates": [*COUNT, None],
        "tol": [Interval(Real, 0, None, closed="left"), None],
        "n_iter_no_change": COUNT,
        "device": [str, torch.device],
        "num_threads": [*COUNT, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        hidden_layer_sizes=(1000, 500, 100),
        *,
        code_dim=2,
        discriminator_layer_sizes=(1000, 500, 100),
        prior=None,
        preset="tuned",
        optimizer="auto",
        lr_reconstruction="auto",
        momentum="auto",
        lr_code_discriminator="auto",
        lr_encoder="auto",
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
        self.hidden_layer_sizes = hidden_layer_sizes
        self.code_dim = code_dim
        self.discriminator_layer_sizes = discriminator_layer_sizes
        self.prior = prior
        self.preset = preset
        self.optimizer = optimizer
        self.lr_reconstruction = lr_reconstruction
        self.momentum = momentum
        self.lr_code_discriminator = lr_code_discriminator
        self.lr_encoder = lr_encoder
        self.reduction = reduction
        self.class_sampling = class_sampling
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.max_updates = max_updates
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.device = device
        self.num_threads = num_threads
        self.random_state = random_state
        self.verbose = verbose

    def _make_network(self) -> nn.Module:
        return AdversarialAutoencoderNetwork(
            self.n_features_in_, len(self.classes_), **self._network_options()
        )

    def _network_options(self) -> dict[str, Any]:
        return {
            "code_dim": self.code_dim,
            "hidden_layer_sizes": self.hidden_layer_sizes,
            "discriminator_layer_sizes": self.discriminator_layer_sizes,
            "reduction": self._setting("reduction"),
        }

    def _make_prior(self) -> Any:
        prior = GaussianMixturePrior() if self.prior is None else clone(self.prior, safe=False)
        return prior.build(len(self.classes_), self.code_dim)

    def _make_steps(self, network: Any) -> list[GameStep]:
        def reconstruct(batch: Batch) -> dict[str, Tensor]:
            return {"reconstruction": network.reconstruction_loss(batch.x)}

        def discriminate(batch: Batch) -> dict[str, Tensor]:
            # The next step takes them again, with their gradient: no weight of the encoder
            # moves in between.
            batch.shared["codes"] = codes = network.encoder(batch.x)
            draws, classes = self._draw(len(batch.x), batch.x.device)
            with torch.no_grad():
                target = network.target_codes(draws, classes)
            loss = network.code_discriminator_loss(codes.detach(), batch.classes, target, classes)
            return {"code_discriminator": loss}

        def deceive(batch: Batch) -> dict[str, Tensor]:
            return {"encoder": network.encoder_loss(batch.shared["codes"], batch.classes)}

        return [
            self._make_step(
                "reconstruction",
                reconstruct,
                {"lr_reconstruction": [network.encoder, network.decoder]},
                momentum=self._setting("momentum"),
            ),
            self._make_step(
                "code discriminator",
                discriminate,
                {"lr_code_discriminator": [network.code_discriminator]},
                # The losses on made and on drawn codes add up; their mean is what is reported.
                weights={"code_discriminator": 2.0},
            ),
            self._make_step("encoder", deceive, {"lr_encoder": [network.encoder]}),
        ]
