"""Generated functionals of real speech, judged on speakers that were held out."""

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from serkit.datasets import load_emodb
from serkit.feature_extraction import OpenSmileFunctionals
from serkit.metrics import generator_report
from serkit.over_sampling import (
    AdversarialAutoencoder,
    AdversarialAutoencoderGAN,
    InfoGANAutoencoder,
)
from serkit.preprocessing import AudioLoader

pytestmark = pytest.mark.corpus

SPEAKERS = ["03", "08", "09", "10"]


@pytest.fixture(scope="module")
def functionals(corpora):
    corpus = load_emodb(corpora / "emodb").select(speaker=SPEAKERS)
    features = make_pipeline(AudioLoader(), OpenSmileFunctionals("eGeMAPSv02"))
    return features.fit_transform(corpus.audio), np.asarray(corpus.y), np.asarray(corpus.speakers)


@pytest.mark.parametrize(
    "model", [AdversarialAutoencoder, AdversarialAutoencoderGAN, InfoGANAutoencoder]
)
def test_what_is_drawn_teaches_emotions_of_other_speakers(model, functionals):
    pytest.importorskip("opensmile")
    X, y, speakers = functionals
    train = speakers != "08"
    Z = StandardScaler().fit(X[train]).transform(X)
    settings = {"hidden_layer_sizes": (128, 64), "discriminator_layer_sizes": (64, 32)}
    if model is not AdversarialAutoencoder:
        settings["feature_discriminator_layer_sizes"] = (64, 32)
    if model is InfoGANAutoencoder:  # small networks bear higher rates
        settings |= {"lr_generator": 5e-4, "lr_feature_discriminator": 5e-4}
    generator = model(**settings, max_updates=600, random_state=0).fit(Z[train], y[train])
    report = generator_report(
        generator,
        *(Z[train], y[train], Z[~train], y[~train]),
        classifier=SVC(C=0.1, kernel="linear"),
        n_samples=700,
    )
    # Chance is one of seven.
    assert report["TSTR_valid"] > 0.3
    assert report["TRTS_train"] > 0.5
    assert 0.02 < report["sd_ratio"] < 2
