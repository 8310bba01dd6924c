from collections import Counter

import numpy as np
import pandas as pd
import pytest
from imblearn.utils.estimator_checks import estimator_checks_generator
from sklearn.base import clone
from sklearn.utils.estimator_checks import check_estimator

from serkit.over_sampling import BaseSampler
from serkit.utils import as_ragged


class Jitter(BaseSampler):
    """Add noisy copies of rows, which count as synthetic unless `copies`."""

    _parameter_constraints = {**BaseSampler._parameter_constraints, "copies": ["boolean"]}  # noqa: RUF012

    def __init__(self, copies=False, *, sampling_strategy="auto", random_state=None):
        super().__init__(sampling_strategy=sampling_strategy, random_state=random_state)
        self.copies = copies

    def _generate(self, X, y, strategy, random_state):
        rows = [random_state.choice(np.flatnonzero(y == k), n) for k, n in strategy.items()]
        rows = np.concatenate([np.empty(0, dtype=int), *rows])
        new = [X[row] + random_state.normal(size=np.shape(X[row])) for row in rows]
        return new, y[rows], rows if self.copies else None


class Repeat(Jitter):
    """Add the same rows again, whatever they are."""

    def _generate(self, X, y, strategy, random_state):
        _, labels, rows = Jitter(copies=True)._generate(np.zeros(len(X)), y, strategy, random_state)
        return X[rows], labels, rows


Y = np.array(["joy"] * 6 + ["sad"] * 2 + ["anger"] * 3)
RNG = np.random.default_rng(0)
CONTAINERS = {
    "functionals": RNG.normal(size=(11, 4)),
    "float32 functionals": RNG.normal(size=(11, 4)).astype(np.float32),
    "frames": RNG.normal(size=(11, 2, 3, 5)).astype(np.float32),
    "one channel": RNG.normal(size=(11, 3, 5)).astype(np.float32),
    "ragged frames": as_ragged(RNG.normal(size=(1, 3, 4 + k)) for k in range(11)),
    "ragged audio": as_ragged(RNG.normal(size=10 + k) for k in range(11)),
    "ragged audio of equal lengths": as_ragged(RNG.normal(size=10) for k in range(11)),
}


@pytest.mark.parametrize(
    ("sampler", "check"),
    list(estimator_checks_generator(Jitter(random_state=0)))
    + list(estimator_checks_generator(Jitter(copies=True, random_state=0))),
    ids=lambda value: value.func.__name__ if hasattr(value, "func") else None,
)
def test_imbalanced_learn_checks(sampler, check):
    check(sampler)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_scikit_learn_checks():
    results = check_estimator(Jitter(random_state=0), on_fail=None)
    assert [(r["check_name"], r["exception"]) for r in results if r["status"] == "failed"] == []
    assert len(results) >= 40


@pytest.mark.parametrize("kind", CONTAINERS)
def test_container_in_is_container_out(kind):
    X = CONTAINERS[kind]
    X_res, y_res = Jitter(random_state=0).fit_resample(X, Y)
    assert type(X_res) is type(X)
    assert X_res.dtype == X.dtype
    assert X_res.ndim == X.ndim
    assert len(X_res) == len(y_res) == 18
    assert Counter(y_res) == {"joy": 6, "sad": 6, "anger": 6}


@pytest.mark.parametrize("kind", CONTAINERS)
def test_real_rows_come_first_and_untouched(kind):
    X = CONTAINERS[kind]
    sampler = Jitter(random_state=0)
    X_res, y_res = sampler.fit_resample(X, Y)
    for before, after in zip(X, X_res, strict=False):
        np.testing.assert_array_equal(before, after)
    np.testing.assert_array_equal(y_res[: len(Y)], Y)
    np.testing.assert_array_equal(sampler.sample_indices_, [*range(11), *[-1] * 7])


def test_lists_and_frames_of_pandas():
    ragged = list(CONTAINERS["ragged audio"])
    X_res, y_res = Jitter(random_state=0).fit_resample(ragged, list(Y))
    assert isinstance(X_res, list)
    assert isinstance(y_res, list)
    assert [len(item) for item in X_res[:11]] == [len(item) for item in ragged]
    frame = pd.DataFrame(CONTAINERS["functionals"], columns=list("abcd"), index=range(5, 16))
    X_res, y_res = Jitter(random_state=0).fit_resample(frame, pd.Series(Y, name="emotion"))
    assert list(X_res.columns) == list("abcd")
    assert y_res.name == "emotion"
    np.testing.assert_array_equal(X_res[:11], frame)


def test_paths():
    files = np.array([f"{k}.wav" for k in range(11)], dtype=object)
    sampler = Repeat(random_state=0)
    X_res, y_res = sampler.fit_resample(files, Y)
    assert set(X_res) == set(files)
    np.testing.assert_array_equal(X_res, files[sampler.sample_indices_])
    np.testing.assert_array_equal(y_res, Y[sampler.sample_indices_])


def test_copies_know_their_origin():
    sampler = Jitter(copies=True, random_state=0)
    _, y_res = sampler.fit_resample(CONTAINERS["ragged frames"], Y)
    np.testing.assert_array_equal(Y[sampler.sample_indices_], y_res)
    assert len(sampler.sample_indices_) == 18


def test_integers_stay_exact_before_synthetic_rows():
    X = np.arange(11)[:, None]
    X_res, _ = Jitter(random_state=0).fit_resample(X, Y)
    assert X_res.dtype == float
    np.testing.assert_array_equal(X_res[:11], X)


@pytest.mark.parametrize(
    ("strategy", "counts"),
    [
        ("not majority", {"joy": 6, "sad": 6, "anger": 6}),
        ("minority", {"joy": 6, "sad": 6, "anger": 3}),
        ({"sad": 4}, {"joy": 6, "sad": 4, "anger": 3}),
        (lambda y: {"joy": 8}, {"joy": 8, "sad": 2, "anger": 3}),
    ],
)
def test_sampling_strategy(strategy, counts):
    sampler = Jitter(sampling_strategy=strategy, random_state=0)
    assert Counter(sampler.fit_resample(CONTAINERS["frames"], Y)[1]) == counts


def test_float_strategy():
    y = np.array([0] * 6 + [1] * 3)
    _, y_res = Jitter(sampling_strategy=0.84).fit_resample(np.zeros((9, 2)), y)
    assert Counter(y_res) == {0: 6, 1: 5}


@pytest.mark.parametrize("kind", CONTAINERS)
def test_nothing_to_add(kind):
    X, y = CONTAINERS[kind][:10], np.resize([0, 1], 10)
    X_res, y_res = Jitter().fit_resample(X, y)
    assert X_res is not X
    assert all(np.array_equal(a, b) for a, b in zip(X_res, X, strict=True))
    np.testing.assert_array_equal(y_res, y)


def test_random_state():
    X = CONTAINERS["ragged audio"]
    first, second = (Jitter(random_state=7).fit_resample(X, Y)[0] for _ in range(2))
    other = clone(Jitter(random_state=8)).fit_resample(X, Y)[0]
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert not np.array_equal(first[-1], other[-1])


def test_features_are_forgotten_when_there_are_none():
    sampler = Jitter(random_state=0)
    sampler.fit_resample(CONTAINERS["functionals"], Y)
    assert sampler.n_features_in_ == 4
    sampler.fit_resample(CONTAINERS["ragged audio"], Y)
    assert not hasattr(sampler, "n_features_in_")


def test_is_no_transformer():
    assert not hasattr(Jitter(), "transform")
    assert not hasattr(Jitter(), "fit_transform")


def test_bad_utterances_are_named():
    for bad, message in [
        (np.array([]), "utterance 3 is empty"),
        (np.array([0.0, np.nan]), "utterance 3 has NaN or infinity"),
    ]:
        X = CONTAINERS["ragged audio"].copy()
        X[3] = bad
        with pytest.raises(ValueError, match=message):
            Jitter().fit_resample(X, Y)
    with pytest.raises(ValueError, match="NaN"):
        Jitter().fit_resample(np.full((11, 2, 3, 4), np.nan), Y)
    with pytest.raises(ValueError, match="inconsistent"):
        Jitter().fit_resample(CONTAINERS["ragged audio"], Y[:5])
