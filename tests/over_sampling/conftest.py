"""Small generative models, and rows that they learn easily."""

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.preprocessing import scale

from serkit.over_sampling import AdversarialAutoencoder, InfoGANAutoencoder


@pytest.fixture(scope="session")
def blobs():
    centers = 4 * np.eye(4, 6)
    X, y = make_blobs(160, centers=centers, random_state=0)
    return scale(X), np.array(["anger", "fear", "joy", "sad"])[y]


@pytest.fixture(scope="session")
def small():
    """Return a function that makes a model of few weights."""

    def make(model, **parameters):
        layers = {"hidden_layer_sizes": (16, 8), "discriminator_layer_sizes": (16, 8)}
        if model is not AdversarialAutoencoder:
            layers["feature_discriminator_layer_sizes"] = (16, 8)
        if model is InfoGANAutoencoder:
            layers |= {"code_dim": 4, "noise_dim": 3, "code_generator_layer_sizes": (8,)}
            layers |= {"aux_layer_sizes": (8,)}
        return model(**{**layers, "batch_size": 16, "random_state": 0, **parameters})

    return make
