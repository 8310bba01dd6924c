import pickle
import warnings
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from imblearn.utils.estimator_checks import estimator_checks_generator
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator

from serkit.feature_extraction import TemporalPooling
from serkit.over_sampling import (
    AdversarialAutoencoder,
    AppendUniform,
    GANSampler,
    GaussianGenerator,
    LeakageWarning,
)
from serkit.pipeline import make_pipeline
from serkit.preprocessing import PadOrTruncate
from serkit.testing import RecordingClassifier
from serkit.utils import as_ragged

RNG = np.random.default_rng(0)
Y = np.array(["joy"] * 12 + ["sad"] * 4 + ["anger"] * 7)
X = RNG.normal(size=(23, 4)) + 3 * (Y == "joy")[:, None]
CONTAINERS = {
    "functionals": X,
    "float32 functionals": X.astype(np.float32),
    "audio": RNG.normal(size=(23, 30)).astype(np.float32),
    "16-bit audio": RNG.integers(-9000, 9000, size=(23, 30)).astype(np.int16),
    "frames": RNG.normal(size=(23, 2, 3, 5)).astype(np.float32),
    "one channel": RNG.normal(size=(23, 3, 5)),
    "ragged audio of equal lengths": as_ragged(RNG.normal(size=30) for _ in range(23)),
}


def make_sampler(generator=None, **params):
    generator = GaussianGenerator() if generator is None else generator
    return GANSampler(generator, **({"random_state": 0} | params))


@pytest.mark.parametrize(
    "check",
    [check for _, check in estimator_checks_generator(make_sampler())],
    ids=lambda check: check.func.__name__,
)
def test_imbalanced_learn_checks(check):
    check(make_sampler())


@pytest.mark.parametrize("kind", CONTAINERS)
def test_real_rows_first_then_synthetic_ones_of_the_same_kind(kind):
    X = CONTAINERS[kind]
    sampler = make_sampler()
    X_res, y_res = sampler.fit_resample(X, Y)
    assert type(X_res) is type(X)
    assert X_res.dtype == X.dtype
    assert Counter(y_res.tolist()) == {"joy": 12, "sad": 12, "anger": 12}
    assert sampler.sample_indices_.tolist() == [*range(23), *[-1] * 13]
    np.testing.assert_array_equal(y_res[:23], Y)
    for row, (before, after) in enumerate(zip(X, X_res, strict=False)):
        np.testing.assert_array_equal(before, after, err_msg=f"row {row}")
    assert {np.shape(row) for row in X_res} == {np.shape(X[0])}
    assert all(np.std(row) > 0 for row in X_res)


def test_what_is_laid_out_in_a_row_comes_back_in_shape():
    level = 10 * np.arange(30).reshape(2, 3, 5)
    frames = level + RNG.normal(size=(23, 2, 3, 5))
    X_res, _ = make_sampler().fit_resample(frames, Y)
    np.testing.assert_allclose(X_res[23:].mean(axis=0), level, atol=3)


class Constant(BaseEstimator):
    """A generator of another house, which draws one value."""

    def __init__(self, value=0.0):
        self.value = value

    def fit(self, X, y):
        self.n_ = X.shape[1]
        return self

    def sample(self, n_samples=1000, y=None, *, class_balance="stratified", random_state=None):
        shape = sum(y.values()), self.n_
        return np.full(shape, self.value), np.repeat(list(y), list(y.values()))


@pytest.mark.parametrize(("drawn", "value"), [(1.6, 2), (4e4, 32767), (-4e4, -32768)])
def test_integers_are_rounded_and_kept_in_range(drawn, value):
    X_res, _ = make_sampler(Constant(drawn)).fit_resample(CONTAINERS["16-bit audio"], Y)
    assert X_res.dtype == np.int16
    assert (X_res[23:] == value).all()


def test_any_generator_will_do():
    X_res, y_res = make_sampler(Constant(7.0)).fit_resample(X, Y)
    assert (X_res[23:] == 7).all()
    assert Counter(y_res.tolist()) == {"joy": 12, "sad": 12, "anger": 12}


@pytest.mark.parametrize(
    ("strategy", "counts"),
    [
        ("minority", {"joy": 12, "sad": 12, "anger": 7}),
        ({"sad": 6, "joy": 13}, {"joy": 13, "sad": 6, "anger": 7}),
        (AppendUniform(7), {"joy": 14, "sad": 6, "anger": 10}),
        (lambda y: {"sad": 5}, {"joy": 12, "sad": 5, "anger": 7}),
    ],
    ids=["string", "dict", "AppendUniform", "function"],
)
def test_sampling_strategy(strategy, counts):
    sampler = make_sampler(sampling_strategy=strategy)
    _, y_res = sampler.fit_resample(X, Y)
    assert Counter(y_res.tolist()) == counts
    assert (sampler.sample_indices_ == -1).sum() == sum(counts.values()) - 23


def test_ratio_of_two_classes():
    y = np.array([0] * 15 + [1] * 8)
    _, y_res = make_sampler(sampling_strategy=0.8).fit_resample(X, y)
    assert Counter(y_res.tolist()) == {0: 15, 1: 12}


def test_synthetic_rows_are_of_their_class():
    X_res, y_res = make_sampler(sampling_strategy=AppendUniform(300)).fit_resample(X, Y)
    for label in np.unique(Y):
        drawn = X_res[23:][y_res[23:] == label]
        assert len(drawn) == 100
        np.testing.assert_allclose(drawn.mean(axis=0), X[Y == label].mean(axis=0), atol=0.5)


def test_frames_of_pandas():
    frame = pd.DataFrame(X, columns=list("abcd"), index=range(5, 28))
    X_res, y_res = make_sampler().fit_resample(frame, pd.Series(Y, name="emotion"))
    assert list(X_res.columns) == list("abcd")
    assert y_res.name == "emotion"
    np.testing.assert_array_equal(X_res[:23], X)


# The generator


def test_a_clone_is_fitted_and_the_generator_left_alone():
    generator = GaussianGenerator()
    sampler = make_sampler(generator)
    sampler.fit_resample(X, Y)
    assert not hasattr(generator, "classes_")
    assert generator.random_state is None
    assert sampler.generator_ is not generator
    assert sampler.generator_.classes_.tolist() == ["anger", "joy", "sad"]


def test_without_a_generator_an_adversarial_autoencoder_is_fitted(monkeypatch):
    fitted = []

    def fit(self, X, y):
        fitted.append(self)
        return GaussianGenerator(self.random_state).fit(X, y)

    monkeypatch.setattr(AdversarialAutoencoder, "fit", fit)
    X_res, _ = GANSampler(random_state=0).fit_resample(X, Y)
    assert len(X_res) == 36
    assert clone(fitted[0]).set_params(random_state=None).get_params() == (
        AdversarialAutoencoder().get_params()
    )
    assert isinstance(fitted[0].random_state, int)


class Nested(GaussianGenerator):
    """Has a part with a seed, and a seed that is set."""

    def __init__(self, random_state=None, part=None):
        super().__init__(random_state)
        self.part = part


def test_seeds_that_are_missing_come_from_the_sampler():
    fitted = []
    for _ in range(2):
        sampler = make_sampler(Nested(part=GaussianGenerator()))
        sampler.fit_resample(X, Y)
        fitted.append(sampler.generator_)
    assert isinstance(fitted[0].random_state, int)
    assert fitted[0].random_state == fitted[1].random_state
    assert fitted[0].part.random_state == fitted[1].part.random_state
    assert fitted[0].random_state != fitted[0].part.random_state
    sampler = make_sampler(Nested(random_state=7, part=GaussianGenerator()))
    sampler.fit_resample(X, Y)
    assert sampler.generator_.random_state == 7


def test_random_state():
    first, second = (make_sampler().fit_resample(X, Y)[0] for _ in range(2))
    other = make_sampler(random_state=1).fit_resample(X, Y)[0]
    np.testing.assert_array_equal(first, second)
    assert not np.isclose(first[23:], other[23:]).any()


def test_without_anything_to_add_nothing_is_fitted():
    sampler = make_sampler(Untouchable(), sampling_strategy={"sad": 4})
    X_res, y_res = sampler.fit_resample(X, Y)
    np.testing.assert_array_equal(X_res, X)
    np.testing.assert_array_equal(y_res, Y)
    assert not hasattr(sampler, "generator_")
    sampler.set_params(generator=GaussianGenerator(), sampling_strategy="auto").fit_resample(X, Y)
    assert hasattr(sampler, "generator_")
    sampler.set_params(sampling_strategy={"sad": 4}).fit_resample(X, Y)
    assert not hasattr(sampler, "generator_")


class Untouchable(GaussianGenerator):
    def fit(self, X, y):
        raise AssertionError("fitted for nothing")


def test_parameters_of_the_generator_are_checked():
    with pytest.raises(ValueError, match="'random_state' parameter of GaussianGenerator"):
        make_sampler(GaussianGenerator("seed")).fit_resample(X, Y)


def test_generator_must_be_one():
    with pytest.raises(ValueError, match="'generator' parameter of GANSampler.*sample"):
        GANSampler(TemporalPooling()).fit_resample(X, Y)


def test_clone_pickle_and_parameters():
    sampler = make_sampler(sampling_strategy=AppendUniform(4))
    sampler.set_params(generator__random_state=5)
    assert sampler.generator.random_state == 5
    expected = sampler.fit_resample(X, Y)[0]
    np.testing.assert_array_equal(clone(sampler).fit_resample(X, Y)[0], expected)
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(sampler)).fit_resample(X, Y)[0], expected
    )


# Utterances of unequal lengths


@pytest.mark.parametrize(
    "ragged",
    [
        as_ragged(RNG.normal(size=10 + k) for k in range(23)),
        as_ragged(RNG.normal(size=(1, 3, 4 + k)) for k in range(23)),
        np.array([f"{k}.wav" for k in range(23)], dtype=object),
    ],
    ids=["audio", "frames", "paths"],
)
def test_unequal_lengths_say_what_to_do(ragged):
    with pytest.raises(ValueError, match="TemporalPooling.*PadOrTruncate.*RandomOverSampler"):
        make_sampler().fit_resample(ragged, Y)


@pytest.mark.parametrize(
    ("ragged", "before"),
    [
        (as_ragged(RNG.normal(size=20 + k) for k in range(23)), PadOrTruncate(42)),
        (as_ragged(RNG.normal(size=(1, 3, 4 + k)) for k in range(23)), TemporalPooling()),
    ],
    ids=["audio", "frames"],
)
def test_the_steps_that_the_error_names_help(ragged, before):
    pipe = make_pipeline(before, make_sampler(), RecordingClassifier())
    pipe.fit(ragged, Y, recordingclassifier__speakers=np.arange(23))
    assert len(pipe[-1].X_) == 36
    assert list(pipe[-1].speakers_) == [*range(23), *[None] * 13]


# Generators fitted before


@pytest.fixture
def fitted():
    return GaussianGenerator(random_state=0).fit(X, Y)


@pytest.fixture
def no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def test_a_frozen_generator_is_used_as_it_is(fitted, no_warning):
    sampler = clone(make_sampler(FrozenEstimator(fitted)))
    X_res, y_res = sampler.fit_resample(X, Y)
    assert sampler.generator_ is fitted
    expected, _ = fitted.sample(y={"anger": 5, "sad": 8}, random_state=np.random.RandomState(0))
    np.testing.assert_array_equal(X_res[23:], expected)
    assert y_res[23:].tolist() == ["anger"] * 5 + ["sad"] * 8


def test_a_bare_fitted_generator_is_refused(fitted):
    with pytest.raises(TypeError, match=r"GaussianGenerator given is fitted.*FrozenEstimator\(fit"):
        make_sampler(fitted).fit_resample(X, Y)


def test_a_frozen_generator_must_be_fitted():
    with pytest.raises(NotFittedError, match="GaussianGenerator in FrozenEstimator is not fitted"):
        make_sampler(FrozenEstimator(GaussianGenerator())).fit_resample(X, Y)


def test_classes_that_a_frozen_generator_does_not_know():
    known = GaussianGenerator().fit(X[Y != "sad"], Y[Y != "sad"])
    sampler = make_sampler(FrozenEstimator(known))
    with pytest.raises(ValueError, match=r"\['sad'\] are asked for.*fitted on \['anger', 'joy'\]"):
        sampler.fit_resample(X, Y)
    sampler.set_params(sampling_strategy={"anger": 9})
    assert Counter(sampler.fit_resample(X, Y)[1].tolist()) == {"joy": 12, "sad": 4, "anger": 9}


def test_a_class_that_only_the_generator_knows_is_not_added(fitted):
    rest = Y != "sad"
    with pytest.warns(LeakageWarning, match="on 4 rows"):
        _, y_res = make_sampler(FrozenEstimator(fitted)).fit_resample(X[rest], Y[rest])
    assert Counter(y_res.tolist()) == {"joy": 12, "anger": 12}


def test_features_must_be_as_many(fitted):
    with pytest.raises(ValueError, match="fitted on 4 features, but X has 3"):
        make_sampler(FrozenEstimator(fitted)).fit_resample(X[:, :3], Y)


def test_columns_must_be_those_of_the_generator(fitted):
    frame = pd.DataFrame(X, columns=[f"f{i}" for i in range(X.shape[1])])
    generator = GaussianGenerator().fit(frame, Y)
    sampler = make_sampler(FrozenEstimator(generator))
    sampler.fit_resample(frame, Y)
    with pytest.raises(ValueError, match="not those that the generator was fitted on"):
        sampler.fit_resample(frame[frame.columns[::-1]], Y)


def test_rows_that_are_missing_are_counted(fitted):
    frozen = make_sampler(FrozenEstimator(fitted))
    with pytest.warns(LeakageWarning, match="on 3 rows that are not among these 20 training") as w:
        frozen.fit_resample(X[3:], Y[3:])
    assert "without FrozenEstimator" in str(w[0].message)
    assert "scaled" not in str(w[0].message)


def test_no_row_in_common_has_another_explanation(fitted):
    with pytest.warns(LeakageWarning, match="23 rows.*these 23.*scaled in another way"):
        make_sampler(FrozenEstimator(fitted)).fit_resample(X * 2, Y)


def test_no_warning_if_all_rows_are_given(fitted, no_warning):
    more = np.concatenate([RNG.normal(size=(5, 4)), X])
    labels = np.concatenate([["sad"] * 5, Y])
    make_sampler(FrozenEstimator(fitted)).fit_resample(more, labels)
    make_sampler(FrozenEstimator(fitted)).fit_resample(X.astype(np.float32), Y)


def test_a_generator_that_remembers_nothing_cannot_be_checked(fitted):
    del fitted.training_rows_
    with pytest.warns(LeakageWarning, match="no training_rows_, so it is unknown"):
        make_sampler(FrozenEstimator(fitted)).fit_resample(X, Y)


def test_one_fitted_inside_never_warns(no_warning):
    make_sampler().fit_resample(X, Y)
