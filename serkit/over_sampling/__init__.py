"""Samplers, which add utterances to a training set, and generators of what they add."""

from serkit.over_sampling._adversarial_autoencoder import AdversarialAutoencoder
from serkit.over_sampling._adversarial_autoencoder_gan import AdversarialAutoencoderGAN
from serkit.over_sampling._append_uniform import AppendUniform
from serkit.over_sampling._base import BaseSampler
from serkit.over_sampling._gan_sampler import GANSampler, LeakageWarning
from serkit.over_sampling._gaussian import GaussianGenerator
from serkit.over_sampling._info_gan_autoencoder import InfoGANAutoencoder
from serkit.over_sampling._priors import GaussianMixturePrior, StandardNormalPrior
from serkit.over_sampling._random import RandomOverSampler

__all__ = [
    "AdversarialAutoencoder",
    "AdversarialAutoencoderGAN",
    "AppendUniform",
    "BaseSampler",
    "GANSampler",
    "GaussianGenerator",
    "GaussianMixturePrior",
    "InfoGANAutoencoder",
    "LeakageWarning",
    "RandomOverSampler",
    "StandardNormalPrior",
]
