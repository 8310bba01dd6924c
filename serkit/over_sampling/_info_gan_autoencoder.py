"""An autoencoder whose codes are made of noise and a class, as in an InfoGAN."""

import warnings
from numbers import Real
from typing import Any, ClassVar

from sklearn.base import clone
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from torch import Tensor, nn

from serkit.modules import InfoGANAutoencoderNetwork
from serkit.over_sampling._adversarial_autoencoder import COUNT
from serkit.over_sampling._adversarial_autoencoder_gan import AdversarialAutoencoderGAN
from serkit.over_sampling._priors import StandardNormalPrior
from serkit.training import Batch, GameStep

__all__ = ["InfoGANAutoencoder"]


class InfoGANAutoencoder(AdversarialAutoencoderGAN):
    """Learn to draw feature vectors of a class: codes are made of noise and the class.

    A network makes codes of noise and a class; a discriminator compares them
    with the codes that the encoder makes of real vectors, and the encoder learns
    to make them alike. A second discriminator compares the decoder's vectors
    with real ones, and an auxiliary head on it tells their class; the networks
    that make them learn to deceive the one and to help the other. It is the
    third model of the paper.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(1000, 700, 300)
        Units of the hidden layers of the encoder; the decoder has them in
        reverse.
    code_dim : int, default=256
        Size of a code.
    noise_dim : int, default=20
        Size of the noise.
    code_generator_layer_sizes : tuple of int, default=(140,)
        Units of the hidden layers from noise and class to code.
    discriminator_layer_sizes : tuple of int, default=(1000, 500, 100)
        Units of the hidden layers of the discriminator of codes.
    feature_discriminator_layer_sizes : tuple of int, default=(1000, 500, 100)
        Units of the hidden layers of the discriminator of feature vectors.
    aux_layer_sizes : tuple of int, default=(128,)
        Units of the hidden layers that lead from its last hidden layer to the
        classes.
    prior : object or None, default=None
        Where the noise is drawn from; ``None`` is :class:`StandardNormalPrior`.
    %(optimization)s
    %(second_game)s
    mi_weight : float, default=1.0
        Weight of the auxiliary head's cross-entropy, which bounds the mutual
        information of class and vector.
    aux_input : {"features", "features+label"}, default="features"
        What the auxiliary head sees. The second is what the paper's table says:
        with the label that it is to tell. It may then read that label and learn
        nothing of the features.
    aux_update_trunk : bool, default=False
        Let the auxiliary head train the hidden layers that it shares with the
        discriminator.
    aux_on_real : "auto" or bool, default="auto"
        Train the auxiliary head, and the hidden layers that it shares, on real
        vectors too, whenever the discriminator learns. It ties the classes that
        are drawn to those of the data, where the paper has any classes that can
        be told apart. "auto" is True in the preset "tuned".
    lr_aux : float or None, default=None
        Learning rate of the auxiliary head; ``None`` is that of the generator.
    %(training)s

    Attributes
    ----------
    %(fitted)s

    See Also
    --------
    AdversarialAutoencoder : Draws the codes themselves.
    GANSampler : Adds what is drawn to a training set.

    Notes
    -----
    Features should be standardized on the training rows.

    Its games are easily lost: by the rates of the paper, what is drawn of a class
    is not of that class. The rates of "tuned" were found for networks of the
    default size; smaller ones bear and want higher ones, such as 1e-3 for all.

    References
    ----------
    Sahu et al. (2020), "Modeling Feature Representations for Affective Speech
    using Generative Adversarial Networks", sections 4.2 and 4.3.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.preprocessing import scale
    >>> from serkit.over_sampling import InfoGANAutoencoder
    >>> X, y = load_iris(return_X_y=True)
    >>> X = scale(X)
    >>> small = (32, 16)
    >>> model = InfoGANAutoencoder(
    ...     small,
    ...     code_dim=8,
    ...     discriminator_layer_sizes=small,
    ...     feature_discriminator_layer_sizes=small,
    ...     max_epochs=60,
    ...     random_state=0,
    ... )
    >>> X_new, y_new = model.fit(X, y).sample(y={0: 1, 2: 2})
    >>> X_new.shape, y_new
    ((3, 4), array([0, 2, 2]))
    """

    _presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {
            **AdversarialAutoencoderGAN._presets["paper"],
            "momentum": 0.0,
            "lr_code_discriminator": 0.01,
            "lr_encoder": 0.01,
            "reduction": "sum",
            "aux_on_real": False,
        },
        "tuned": {
            **AdversarialAutoencoderGAN._presets["tuned"],
            "lr_code_discriminator": 3e-4,
            "lr_encoder": 3e-4,
            "aux_on_real": True,
        },
    }
    _parameter_constraints: ClassVar[dict] = {
        **AdversarialAutoencoderGAN._parameter_constraints,
        "noise_dim": COUNT,
        "code_generator_layer_sizes": ["array-like"],
        "aux_layer_sizes": ["array-like"],
        "prior": [HasMethods(["build", "sample"]), None],
        "mi_weight": [Interval(Real, 0, None, closed="left")],
        "aux_input": [StrOptions({"features", "features+label"})],
        "aux_update_trunk": ["boolean"],
        "aux_on_real": ["boolean", StrOptions({"auto"})],
        "lr_aux": [Interval(Real, 0, None, closed="neither"), None],
    }

    def __init__(
        self,
        hidden_layer_sizes=(1000, 700, 300),
        *,
        code_dim=256,
        noise_dim=20,
        code_generator_layer_sizes=(140,),
        discriminator_layer_sizes=(1000, 500, 100),
        feature_discriminator_layer_sizes=(1000, 500, 100),
        aux_layer_sizes=(128,),
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
        mi_weight=1.0,
        aux_input="features",
        aux_update_trunk=False,
        aux_on_real="auto",
        lr_aux=None,
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
            feature_discriminator_layer_sizes=feature_discriminator_layer_sizes,
            prior=prior,
            preset=preset,
            optimizer=optimizer,
            lr_reconstruction=lr_reconstruction,
            momentum=momentum,
            lr_code_discriminator=lr_code_discriminator,
            lr_encoder=lr_encoder,
            lr_feature_discriminator=lr_feature_discriminator,
            lr_generator=lr_generator,
            n_generator_steps=n_generator_steps,
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
        self.noise_dim = noise_dim
        self.code_generator_layer_sizes = code_generator_layer_sizes
        self.aux_layer_sizes = aux_layer_sizes
        self.mi_weight = mi_weight
        self.aux_input = aux_input
        self.aux_update_trunk = aux_update_trunk
        self.aux_on_real = aux_on_real
        self.lr_aux = lr_aux

    def _make_network(self) -> nn.Module:
        trains_trunk = self.aux_update_trunk or self._setting("aux_on_real")
        if trains_trunk and self.aux_input == "features+label":
            warnings.warn(
                'with aux_input="features+label" and aux_update_trunk or aux_on_real, the '
                "auxiliary head learns to read the label that it is shown; use "
                'aux_input="features"',
                UserWarning,
                stacklevel=3,
            )
        return InfoGANAutoencoderNetwork(
            self.n_features_in_,
            len(self.classes_),
            noise_dim=self.noise_dim,
            code_generator_layer_sizes=self.code_generator_layer_sizes,
            aux_layer_sizes=self.aux_layer_sizes,
            aux_sees_classes=self.aux_input == "features+label",
            **self._network_options(),
        )

    def _make_prior(self) -> Any:
        prior = StandardNormalPrior() if self.prior is None else clone(self.prior, safe=False)
        return prior.build(len(self.classes_), self.noise_dim)

    def _setting(self, name: str) -> Any:
        if name == "lr_aux" and self.lr_aux is None:
            return self._setting("lr_generator")
        return super()._setting(name)

    def _discriminator_step(self, network: Any) -> GameStep:
        step = super()._discriminator_step(network)
        if not self._setting("aux_on_real"):
            return step

        def discriminate(batch: Batch) -> dict[str, Tensor]:
            return {**step.losses(batch), "aux_real": network.aux_loss(batch.x, batch.classes)}

        return self._make_step(
            step.name,
            discriminate,
            {
                "lr_feature_discriminator": [network.feature_discriminator],
                "lr_aux": [network.aux],
            },
            weights=step.weights,
        )

    def _generator_step(self, network: Any) -> GameStep:
        def deceive_and_tell(batch: Batch) -> dict[str, Tensor]:
            draws, classes = self._draw(len(batch.x), batch.x.device)
            made = network.generate(draws, classes)
            return {
                "generator": network.generator_loss(made, classes),
                "aux": network.aux_loss(made, classes),
            }

        aux = [network.aux]
        if self.aux_update_trunk:
            aux.append(network.feature_discriminator.trunk)
        return self._make_step(
            "generator",
            deceive_and_tell,
            {"lr_generator": [network.code_generator, network.decoder], "lr_aux": aux},
            n_times=self.n_generator_steps,
            weights={"aux": self.mi_weight},
        )
