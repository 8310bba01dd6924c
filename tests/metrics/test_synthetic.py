"""What synthetic rows are worth, on generators whose faults are known."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_validate
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from serkit.metrics import (
    frechet_emotion_distance,
    generator_report,
    trts_score,
    trts_scorer,
    tstr_score,
    tstr_scorer,
    uar_score,
)

CLASSES = np.array(["anger", "calm", "joy"])


class Blobs(BaseEstimator):
    """Draw rows about the mean of each class, as wide as asked for."""

    def __init__(self, width=1.0, random_state=0):
        self.width = width
        self.random_state = random_state

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.means_ = np.array([X[y == label].mean(axis=0) for label in self.classes_])
        self.sds_ = np.array([X[y == label].std(axis=0) for label in self.classes_])
        return self

    def sample(self, n_samples=1000, y=None, *, random_state=None):
        rng = np.random.default_rng(self.random_state if random_state is None else random_state)
        rows = np.sort(np.arange(n_samples) % len(self.classes_))
        noise = rng.normal(size=(n_samples, self.means_.shape[1]))
        return self.means_[rows] + self.width * self.sds_[rows] * noise, self.classes_[rows]


def make_rows(n_rows, seed):
    rng = np.random.default_rng(seed)
    y = rng.choice(CLASSES, n_rows, p=[0.5, 0.3, 0.2])
    X = rng.normal(size=(n_rows, 3))
    X[:, 0] += 1.5 * np.searchsorted(CLASSES, y)
    return X, y


TRAIN, VALID = make_rows(200, 0), make_rows(100, 1)


@pytest.mark.parametrize("scoring", [None, "accuracy", make_scorer(accuracy_score)])
def test_a_copy_of_the_real_rows_scores_like_these(scoring):
    fitted = GaussianNB().fit(*TRAIN)
    score = uar_score if scoring is None else accuracy_score
    expected = score(TRAIN[1], fitted.predict(TRAIN[0]))
    for function in (trts_score, tstr_score):
        assert function(GaussianNB(), *TRAIN, *TRAIN, scoring=scoring) == expected


def test_each_trains_on_one_side_and_tests_on_the_other():
    classifier = GaussianNB()
    expected = {
        trts_score: uar_score(VALID[1], clone(classifier).fit(*TRAIN).predict(VALID[0])),
        tstr_score: uar_score(TRAIN[1], clone(classifier).fit(*VALID).predict(TRAIN[0])),
    }
    assert trts_score(classifier, *TRAIN, *VALID) == expected[trts_score]
    assert tstr_score(classifier, *VALID, *TRAIN) == expected[tstr_score]
    assert expected[trts_score] != expected[tstr_score]
    assert not hasattr(classifier, "classes_")


@pytest.mark.parametrize(("make", "score"), [(trts_scorer, trts_score), (tstr_scorer, tstr_score)])
@pytest.mark.parametrize("scoring", [None, "accuracy"])
def test_scorers_score_what_the_generator_draws(make, score, scoring):
    generator = Blobs().fit(*TRAIN)
    synthetic = generator.sample(60)
    parts = (VALID, synthetic) if score is trts_score else (synthetic, VALID)
    expected = score(GaussianNB(), *parts[0], *parts[1], scoring=scoring)
    scorer = pickle.loads(pickle.dumps(make(GaussianNB(), n_samples=60, scoring=scoring)))
    assert scorer(generator, *VALID) == expected


def test_real_rows_go_through_the_steps_before_the_generator():
    pipe = make_pipeline(StandardScaler(), Blobs()).fit(*TRAIN)
    scaled = pipe[0].transform(VALID[0])
    scorer = tstr_scorer(LogisticRegression(), n_samples=90)
    assert scorer(pipe, *VALID) == scorer(pipe[-1], scaled, VALID[1])
    assert scorer(pipe, *VALID) != scorer(pipe[-1], *VALID)


def test_scorers_choose_the_parameters_of_a_generator():
    search = GridSearchCV(
        make_pipeline(StandardScaler(), Blobs()),
        {"blobs__width": [100.0, 1.0]},
        scoring=tstr_scorer(GaussianNB(), n_samples=90),
        cv=StratifiedKFold(3),
    )
    assert search.fit(*TRAIN).best_params_ == {"blobs__width": 1.0}
    both = {
        "trts": trts_scorer(GaussianNB(), n_samples=90),
        "tstr": tstr_scorer(GaussianNB(), n_samples=90),
    }
    scores = cross_validate(Blobs(), *TRAIN, scoring=both, cv=StratifiedKFold(3))
    assert np.mean(scores["test_trts"]) > 0.6
    assert np.mean(scores["test_tstr"]) > 0.6


class CountedBayes(GaussianNB):
    fits: list = []  # noqa: RUF012

    def fit(self, X, y):
        self.fits.append(len(X))
        return super().fit(X, y)


class Layer:
    """A network with one readable layer."""

    def activations(self, X, stage):
        assert stage == "hidden3"
        return np.maximum(np.asarray(X), 0)


def report(generator, **options):
    options = {"classifier": GaussianNB(), "n_samples": 300} | options
    return generator_report(generator, *TRAIN, *VALID, **options)


def test_the_report_holds_the_scores():
    generator = Blobs().fit(*TRAIN)
    CountedBayes.fits.clear()
    found = report(generator, classifier=CountedBayes(), feature_extractor=Layer())
    assert sorted(CountedBayes.fits) == [100, 200, 300]
    synthetic = generator.sample(300)
    for part, real in (("train", TRAIN), ("valid", VALID)):
        assert found[f"TRTS_{part}"] == trts_score(GaussianNB(), *real, *synthetic)
        assert found[f"TSTR_{part}"] == tstr_score(GaussianNB(), *synthetic, *real)
        distance = frechet_emotion_distance(real[0], synthetic[0], Layer())
        assert found[f"frechet_{part}"] == distance


@pytest.mark.parametrize("width", [0.01, 0.5, 1.0])
def test_the_report_sees_a_collapse_that_trts_cannot(width):
    found = report(Blobs(width).fit(*TRAIN))
    assert found["TRTS_valid"] > 0.5
    for name in ("sd_ratio", *(f"sd_ratio[{label}]" for label in CLASSES)):
        assert found[name] == pytest.approx(width, rel=0.2)
    assert found["sd_ratio"] == pytest.approx(found.filter(like="[").mean())
    expected = found["separation_train"] / width**2
    assert found["separation_synth"] == pytest.approx(expected, rel=0.2)


def test_every_class_counts_alike_for_the_separation():
    X = np.array([[0.0], [2.0], [0.0], [2.0], [10.0], [14.0]])
    y = np.array(["a", "a", "a", "a", "b", "b"])
    found = generator_report((X, y), X, y, X, y, classifier=GaussianNB())
    assert found["separation_train"] == pytest.approx(5.5**2 / 2.5)
    assert found["separation_synth"] == found["separation_train"]


def test_features_that_never_vary_in_a_class_are_left_out():
    X, y = TRAIN[0].copy(), TRAIN[1]
    X[y == "joy", 2] = 0.1
    found = generator_report((X + 0.0, y), X, y, *VALID, classifier=GaussianNB())
    assert found.filter(like="sd_ratio").to_numpy() == pytest.approx(1)


def test_a_feature_that_hardly_varies_hides_no_collapse():
    X, y = TRAIN[0].copy(), TRAIN[1]
    rows = y == "joy"
    means = X[rows].mean(axis=0)
    made = X.copy()
    made[rows] = means + 0.1 * (X[rows] - means)
    X[rows, 2] = means[2] + 1e-6 * (X[rows, 2] - means[2])
    found = generator_report((made, y), X, y, *VALID, classifier=GaussianNB())
    assert found["sd_ratio[joy]"] < 0.2


def test_a_class_of_one_row_has_no_ratio():
    X, y = TRAIN
    rows = np.flatnonzero((y != "joy") | (np.cumsum(y == "joy") == 1))
    found = generator_report((X, y), X[rows], y[rows], *VALID, classifier=GaussianNB())
    assert np.isnan(found["sd_ratio[joy]"])
    assert found["sd_ratio"] == pytest.approx(1, abs=0.1)


def test_rows_of_a_sampler_and_generators_make_one_table():
    generator = Blobs().fit(*TRAIN)
    rows = report(generator.sample(300))
    pd.testing.assert_series_equal(rows, report(generator))
    table = pd.DataFrame({"rows": rows, "seed 1": report(generator, random_state=1)}).T
    assert table["TSTR_valid"].nunique() == 2
    assert not any(name.startswith("frechet") for name in table)


def test_a_pipeline_is_judged_behind_its_steps():
    pipe = make_pipeline(StandardScaler(), Blobs()).fit(*TRAIN)
    scaled = [(pipe[0].transform(X), y) for X, y in (TRAIN, VALID)]
    inside = generator_report(
        pipe[-1], *scaled[0], *scaled[1], classifier=GaussianNB(), n_samples=300
    )
    pd.testing.assert_series_equal(report(pipe), inside)


def test_classes_must_be_the_same():
    X, y = Blobs().fit(*TRAIN).sample(30)
    with pytest.raises(ValueError, match=r"classes \['anger', 'calm', 'joy'\], the synthetic"):
        report((X[y != "joy"], y[y != "joy"]))


@pytest.mark.parametrize("function", [report, lambda g: tstr_scorer(GaussianNB())(g, *VALID)])
def test_what_cannot_sample_is_refused(function):
    with pytest.raises(TypeError, match=r"fitted generator with sample.*got GaussianNB"):
        function(GaussianNB())
