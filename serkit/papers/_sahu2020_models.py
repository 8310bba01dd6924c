"""The generative models of Sahu et al. (2020), and the vectors that they learn, at every scale."""

import time
import warnings
from functools import cached_property
from math import ceil
from typing import Any

import numpy as np
from imblearn.over_sampling import SMOTE
from imblearn.under_sampling import RandomUnderSampler
from sklearn.base import BaseEstimator, clone
from sklearn.metrics.pairwise import linear_kernel
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from serkit.datasets import Corpus
from serkit.feature_extraction import (
    MFCC,
    CachedTransformer,
    OpenSmileFunctionals,
    TemporalPooling,
)
from serkit.metrics import frechet_emotion_distance, generator_report, trts_score, tstr_score
from serkit.neural_network import MLPClassifier
from serkit.over_sampling import (
    AdversarialAutoencoder,
    AdversarialAutoencoderGAN,
    AppendUniform,
    GaussianGenerator,
    InfoGANAutoencoder,
    RandomOverSampler,
)
from serkit.papers._setting import Setting, pairs_out
from serkit.preprocessing import AudioLoader

__all__ = ["Vectors", "emotion_network", "linear_svm", "make_model", "make_systems", "repeats"]

MODELS = {"M1": AdversarialAutoencoder, "M2": AdversarialAutoencoderGAN, "M3": InfoGANAutoencoder}
_SMALL: dict[str, dict[str, Any]] = {
    "M1": {"hidden_layer_sizes": (16,), "discriminator_layer_sizes": (16,)},
    "M2": {"feature_discriminator_layer_sizes": (16,)},
    "M3": {"code_dim": 4, "code_generator_layer_sizes": (8,), "aux_layer_sizes": (8,)},
}
#: How long models are trained, how many rows they draw, and how often all of it is done.
SIZES: dict[str, dict[str, Any]] = {
    "smoke": {"max_updates": 20, "n_samples": 40, "n_repeats": 1, "n_synthetic": (40,)},
    "bench": {"max_updates": 500, "n_samples": 1000, "n_repeats": 3, "n_synthetic": (600,)},
    # The updates of 200 epochs of the paper's corpus.
    "paper": {
        "max_updates": 27_800,
        "n_samples": 6000,
        "n_repeats": 5,
        "n_synthetic": (600, 2000, 6000),
    },
}
FRACTIONS = {
    "smoke": (0.5, 1.0),
    "bench": (0.1, 0.25, 1.0),
    "paper": (0.1, 0.25, 0.5, 0.8, 1.0),
}
#: The emotions of the paper.
EMOTIONS = ("anger", "happiness", "neutral", "sadness")
#: Of these corpora no others are used.
_FOUR_EMOTIONS = ("iemocap", "msp_improv")


def make_model(name: str, scale: str, **parameters: Any) -> BaseEstimator:
    """Return a model, as large as the scale has it."""
    sizes: dict[str, Any] = {}
    if scale == "smoke":
        for smaller in list(MODELS)[: 1 + list(MODELS).index(name)]:
            sizes |= _SMALL[smaller]
    preset = {"preset": "paper"} if scale == "paper" else {}
    settings = {"max_updates": SIZES[scale]["max_updates"], **preset, **sizes, **parameters}
    return MODELS[name](**settings)


def make_systems(setting: Setting) -> dict[str, BaseEstimator]:
    """Return what is compared: the three models, and what every user has without them."""
    appended = AppendUniform(SIZES[setting.scale]["n_samples"])
    n_neighbors = 1 if setting.scale == "smoke" else 3
    systems = {
        **{name: make_model(name, setting.scale, device=setting.device) for name in MODELS},
        "Gaussian per class": GaussianGenerator(),
        "SMOTE": SMOTE(k_neighbors=n_neighbors, sampling_strategy=appended),
        "repetition": RandomOverSampler(sampling_strategy=appended),
    }
    return {name: system for name, system in systems.items() if setting.wants(name)}


def linear_svm() -> SVC:
    """Return a linear SVM; the products of all rows are computed at once."""
    return SVC(kernel=linear_kernel, C=1e-3)


def emotion_network(scale: str) -> Pipeline:
    """Return the paper's network of four layers of 64 units, behind a scaler."""
    options = {"batch_size": 64, "max_epochs": 2 if scale == "smoke" else 30, "random_state": 0}
    return make_pipeline(StandardScaler(), MLPClassifier((64,) * 4, dropout=0, **options))


def functionals(scale: str) -> list[BaseEstimator]:
    """Return the steps from audio to vectors; those of made speech are few."""
    if scale == "smoke":
        return [AudioLoader(), MFCC(n_mfcc=8), TemporalPooling()]
    return [AudioLoader(), OpenSmileFunctionals("IS10")]


def repeats(setting: Setting) -> tuple[int, ...]:
    """Return the seeds, which are more than one if none are given."""
    return (
        setting.seeds if setting.seeds != (0,) else tuple(range(SIZES[setting.scale]["n_repeats"]))
    )


def draw(
    system: BaseEstimator, Z: np.ndarray, y: np.ndarray, seed: int, n_samples: int
) -> tuple[np.ndarray, np.ndarray]:
    """Fit a system on some rows, and return what it makes of them."""
    system = clone(system).set_params(random_state=seed)
    with warnings.catch_warnings():
        # Rates that draw nothing of use are part of the tables.
        warnings.filterwarnings("ignore", "a linear classifier of the training rows")
        if hasattr(system, "sample"):
            return system.fit(Z, y).sample(n_samples, random_state=seed + 1)
        rows, labels = system.fit_resample(Z, y)
    return rows[len(Z) :], labels[len(Z) :]


class Vectors:
    """The feature vectors of a corpus, and its folds."""

    def __init__(self, corpus: Corpus, setting: Setting, emotions: Any = None):
        if emotions is None and corpus.name in _FOUR_EMOTIONS:
            emotions = EMOTIONS
        if emotions is not None:
            corpus = corpus[np.isin(corpus.y, list(emotions))]
        self.corpus, self.setting, self.name = corpus, setting, corpus.name or ""
        self.folds = pairs_out(corpus, setting)
        self.y, self.speakers = corpus.y.astype(str), corpus.speakers

    @cached_property
    def values(self) -> np.ndarray:
        """The vectors."""
        features: Any = make_pipeline(*functionals(self.setting.scale))
        if self.setting.results_dir is not None:
            features = CachedTransformer(features, self.setting.results_dir / "cache")
        return np.asarray(features.fit_transform(self.corpus.audio), dtype=float)

    @cached_property
    def network(self) -> Pipeline:
        """The network that Fréchet distances are measured in, which has learnt all rows."""
        return emotion_network(self.setting.scale).fit(self.values, self.y)

    def inner(self, fold: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the training rows of a fold, divided by speakers."""
        train, _ = self.folds.parts[fold]
        splits = self.folds.validation.split(train, self.y[train], self.speakers[train])
        learn, valid = next(iter(splits))
        return train[learn], train[valid]

    def scaled_network(self, scaler: StandardScaler) -> Pipeline:
        """Return the network for rows that were scaled."""
        unscale = FunctionTransformer(scaler.inverse_transform)
        return make_pipeline(unscale, *(step for _, step in self.network.steps))

    def judge(
        self,
        system: BaseEstimator,
        X: np.ndarray,
        y: np.ndarray,
        train: np.ndarray,
        valid: np.ndarray,
        seed: int,
        with_network: bool,
    ) -> dict[str, Any]:
        """Fit a system on some rows, and report on what it makes: a dict, or why there is none."""
        scaler = StandardScaler().fit(X[train])
        Z = scaler.transform(X)
        start = time.process_time()
        try:
            made = draw(system, Z[train], y[train], seed, SIZES[self.setting.scale]["n_samples"])
        except FloatingPointError as error:
            return {"diverged": str(error).split(":", maxsplit=1)[0]}
        seconds = time.process_time() - start
        network = self.scaled_network(scaler) if with_network else None
        real = Z[train], y[train], Z[valid], y[valid]
        report = generator_report(
            made, *real, classifier=linear_svm(), feature_extractor=network
        ).to_dict()
        if network is not None:
            report["frechet_all"] = frechet_emotion_distance(Z, made[0], network)
        return {**report, "real to real": tstr_score(linear_svm(), *real), "seconds": seconds}

    def judge_across(
        self,
        system: BaseEstimator,
        X_source: np.ndarray,
        y_source: np.ndarray,
        X: np.ndarray,
        y: np.ndarray,
        seed: int,
    ) -> dict[str, Any]:
        """Fit a system on another corpus, and report on what it makes by the rows of this one."""
        scaler = StandardScaler().fit(X_source)
        Z_source, Z = scaler.transform(X_source), scaler.transform(X)
        try:
            made = draw(system, Z_source, y_source, seed, SIZES[self.setting.scale]["n_samples"])
        except FloatingPointError as error:
            return {"diverged": str(error).split(":", maxsplit=1)[0]}
        X_balanced, y_balanced = RandomUnderSampler(random_state=seed).fit_resample(Z, y)
        return {
            "TRTS": trts_score(linear_svm(), X_balanced, y_balanced, *made),
            "TSTR": tstr_score(linear_svm(), *made, Z, y),
            "frechet": frechet_emotion_distance(Z, made[0], self.scaled_network(scaler)),
            "real to real": tstr_score(linear_svm(), Z_source, y_source, Z, y),
        }


def epochs_of(model: BaseEstimator, n_rows: int) -> int:
    """Return how often a model sees all rows."""
    return ceil(model.max_updates / ceil(n_rows / model.batch_size))


def cost_of_epoch(model: BaseEstimator, y: np.ndarray) -> float:
    """Measure the CPU seconds that a model takes for an epoch, on noise."""
    Z = np.random.default_rng(0).normal(size=(len(y), 1582))
    seconds = []
    for n_updates in (5, 5, 25):  # the first time is longer
        start = time.process_time()
        clone(model).set_params(max_updates=n_updates).fit(Z, y)
        seconds.append(time.process_time() - start)
    return (seconds[2] - seconds[1]) / 20 * ceil(len(y) / model.batch_size)
