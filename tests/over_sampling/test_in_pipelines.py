"""Samplers inside cross-validation: speakers stay aligned and test rows stay out."""

import numpy as np
import pytest
from imblearn.over_sampling import SMOTE
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from serkit.model_selection import LeaveSpeakersOut
from serkit.neural_network import DomainAdversarialClassifier
from serkit.over_sampling import (
    AdversarialAutoencoder,
    AppendUniform,
    GANSampler,
    GaussianGenerator,
    LeakageWarning,
)
from serkit.pipeline import Pipeline
from serkit.testing import RecordingClassifier
from serkit.training import DomainAdversarialObjective

N = 96
SPEAKERS = np.repeat(np.array(["03", "08", "09", "10"], dtype=object), N // 4)
Y = np.where(np.arange(N) % 3 == 0, "anger", "joy")
X = np.random.default_rng(0).normal(size=(N, 6)) + 2 * (Y == "joy")[:, None]
ADDED = {"sampling_strategy": AppendUniform(40), "random_state": 0}
TINY = {"hidden_layer_sizes": (8,), "discriminator_layer_sizes": (8,), "max_epochs": 2}
SAMPLERS = {
    "AdversarialAutoencoder": GANSampler(AdversarialAutoencoder(**TINY), **ADDED),
    "GaussianGenerator": GANSampler(GaussianGenerator(), **ADDED),
    "SMOTE": SMOTE(**ADDED),
}

# A network of two epochs says that its samples do not look like their classes.
pytestmark = pytest.mark.filterwarnings("ignore:a linear classifier")


class Recorder(DomainAdversarialClassifier):
    """Keep what ``fit`` was given."""

    def fit(self, X, y, *, speakers=None, sample_weight=None):
        self.seen_ = X, y, speakers
        return super().fit(X, y, speakers=speakers, sample_weight=sample_weight)


def make_pipe(sampler, last=None):
    last = RecordingClassifier() if last is None else last
    return Pipeline([("scale", StandardScaler()), ("augment", clone(sampler)), ("last", last)])


def tiny_network():
    return Recorder(
        "mlp",
        encoder_layer_sizes=(6,),
        hidden_layer_sizes=(4,),
        max_epochs=2,
        random_state=0,
    )


@pytest.mark.parametrize("name", SAMPLERS)
def test_grid_search_keeps_speakers_aligned(name):
    setting = "k_neighbors" if name == "SMOTE" else "generator__random_state"
    search = GridSearchCV(
        make_pipe(SAMPLERS[name], tiny_network()),
        {f"augment__{setting}": [2, 3]},
        cv=LeaveSpeakersOut(),
        error_score="raise",
    )
    search.fit(X, Y, groups=SPEAKERS, last__speakers=SPEAKERS)
    network = search.best_estimator_["last"]
    scaled, labels, speakers = network.seen_
    np.testing.assert_array_equal(scaled[:N], StandardScaler().fit_transform(X))
    assert labels[:N].tolist() == Y.tolist()
    assert labels[N:].tolist() == ["anger"] * 20 + ["joy"] * 20
    assert list(speakers) == [*SPEAKERS, *[None] * 40]
    # One of the four was held out for validation; None is nobody to tell apart.
    assert len(network.speakers_) == 3
    assert set(network.speakers_) < set(SPEAKERS)
    assert np.isfinite(network.history_["speaker_loss"]).all()


@pytest.mark.parametrize("name", SAMPLERS)
def test_the_speaker_loss_skips_synthetic_rows(name, monkeypatch):
    batches = []
    forward = DomainAdversarialObjective.forward

    def record(self, network, inputs, targets, progress):
        if network.training:
            batches.append(targets["speaker"].numpy())
        return forward(self, network, inputs, targets, progress)

    monkeypatch.setattr(DomainAdversarialObjective, "forward", record)
    network = tiny_network().set_params(validation=None, max_epochs=1, batch_size=8)
    make_pipe(SAMPLERS[name], network).fit(X, Y, last__speakers=SPEAKERS)
    codes, counts = np.unique(np.concatenate(batches), return_counts=True)
    assert codes.tolist() == [-1, 0, 1, 2, 3]
    assert counts.tolist() == [40, 24, 24, 24, 24]


def fold_outputs(sampler, X):
    """Return what the last step got in every fold, and the rows that the fold tests."""
    result = cross_validate(
        make_pipe(sampler),
        X,
        Y,
        groups=SPEAKERS,
        cv=LeaveSpeakersOut(),
        return_estimator=True,
        return_indices=True,
        error_score="raise",
    )
    received = [fitted["last"].X_ for fitted in result["estimator"]]
    return received, result["indices"]["test"]


@pytest.mark.parametrize("name", SAMPLERS)
def test_poisoned_test_rows_change_nothing_that_is_generated(name):
    clean, tests = fold_outputs(SAMPLERS[name], X)
    for fold, test in enumerate(tests):
        poisoned = X.copy()
        poisoned[test] *= 1e6
        received, _ = fold_outputs(SAMPLERS[name], poisoned)
        np.testing.assert_array_equal(received[fold], clean[fold])
        assert len(received[fold]) == 72 + 40
        # The same poison in training rows does reach what is generated.
        for other in set(range(4)) - {fold}:
            assert not np.isclose(received[other][72:], clean[other][72:]).all(axis=1).any()


def test_synthetic_rows_are_never_tested():
    result = cross_validate(
        make_pipe(SAMPLERS["GaussianGenerator"], SVC()),
        X,
        Y,
        groups=SPEAKERS,
        cv=LeaveSpeakersOut(),
        scoring=lambda estimator, X, y: len(X),
    )
    assert result["test_score"].tolist() == [24] * 4


def test_a_generator_that_has_seen_the_test_rows_is_named():
    scaler = StandardScaler().fit(X)
    generator = GaussianGenerator(random_state=0).fit(scaler.transform(X), Y)
    sampler = clone(SAMPLERS["GaussianGenerator"]).set_params(generator=FrozenEstimator(generator))
    pipe = make_pipe(sampler, SVC())
    folds = {"groups": SPEAKERS, "cv": LeaveSpeakersOut(), "error_score": "raise"}
    with pytest.warns(LeakageWarning, match="96 rows.* these 72 .*scaled in another way") as own:
        cross_val_score(pipe, X, Y, **folds)
    pipe.set_params(scale=FrozenEstimator(scaler))
    with pytest.warns(LeakageWarning, match="on 24 rows that are not among these 72") as shared:
        cross_val_score(pipe, X, Y, **folds)
    assert [len([w for w in found if w.category is LeakageWarning]) for found in (own, shared)] == [
        4,
        4,
    ]


def test_no_leak_is_named_where_the_generator_is_fitted_in_the_fold(recwarn):
    pipe = make_pipe(SAMPLERS["GaussianGenerator"], SVC())
    cross_val_score(pipe, X, Y, groups=SPEAKERS, cv=LeaveSpeakersOut(), error_score="raise")
    assert [w for w in recwarn if w.category is LeakageWarning] == []
