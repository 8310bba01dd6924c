from collections import Counter

import imblearn.over_sampling
import numpy as np
import pytest
from imblearn.utils.estimator_checks import estimator_checks_generator

from serkit.feature_extraction import FrameScaler, LogMelSpectrogram
from serkit.neural_network import CRNNClassifier
from serkit.over_sampling import AppendUniform, RandomOverSampler
from serkit.pipeline import Pipeline, make_pipeline
from serkit.preprocessing import AudioLoader
from serkit.testing import RecordingClassifier
from serkit.utils import as_ragged

RNG = np.random.default_rng(0)
Y = np.array(["joy"] * 6 + ["sad"] * 2 + ["anger"] * 3)
SPEAKERS = np.array([f"{k:02d}" for k in range(11)], dtype=object)
CONTAINERS = {
    "functionals": RNG.normal(size=(11, 4)),
    "audio": RNG.normal(size=(11, 30)).astype(np.float32),
    "16-bit audio": RNG.integers(-9000, 9000, size=(11, 30)).astype(np.int16),
    "frames": RNG.normal(size=(11, 2, 3, 5)).astype(np.float32),
    "one channel": RNG.normal(size=(11, 3, 5)).astype(np.float32),
    "ragged audio": as_ragged(RNG.normal(size=10 + k) for k in range(11)),
    "ragged frames": as_ragged(RNG.normal(size=(1, 3, 4 + k)) for k in range(11)),
    "paths": np.array([f"{k}.wav" for k in range(11)], dtype=object),
}


@pytest.mark.parametrize(
    "check",
    [check for _, check in estimator_checks_generator(RandomOverSampler(random_state=0))],
    ids=lambda check: check.func.__name__,
)
def test_imbalanced_learn_checks(check):
    check(RandomOverSampler(random_state=0))


@pytest.mark.parametrize("kind", CONTAINERS)
def test_every_row_is_the_row_it_says(kind):
    X = CONTAINERS[kind]
    sampler = RandomOverSampler(random_state=0)
    X_res, y_res = sampler.fit_resample(X, Y)
    assert type(X_res) is type(X)
    assert X_res.dtype == X.dtype
    assert Counter(y_res.tolist()) == {"joy": 6, "sad": 6, "anger": 6}
    assert sampler.sample_indices_[:11].tolist() == list(range(11))
    for row, label, origin in zip(X_res, y_res, sampler.sample_indices_, strict=True):
        np.testing.assert_array_equal(row, X[origin])
        assert label == Y[origin]


@pytest.mark.parametrize("strategy", ["auto", "minority", {"sad": 9, "joy": 7}, AppendUniform(10)])
def test_same_seed_same_rows_as_imbalanced_learn(strategy):
    ours = RandomOverSampler(sampling_strategy=strategy, random_state=5)
    theirs = imblearn.over_sampling.RandomOverSampler(sampling_strategy=strategy, random_state=5)
    for mine, other in zip(
        ours.fit_resample(CONTAINERS["functionals"], Y),
        theirs.fit_resample(CONTAINERS["functionals"], Y),
        strict=True,
    ):
        np.testing.assert_array_equal(mine, other)
    np.testing.assert_array_equal(ours.sample_indices_, theirs.sample_indices_)


@pytest.mark.parametrize("kind", ["audio", "frames", "ragged audio", "ragged frames", "paths"])
def test_copies_keep_their_speakers_in_a_pipeline(kind):
    pipe = Pipeline(
        [("repeat", RandomOverSampler(random_state=0)), ("last", RecordingClassifier())]
    )
    pipe.fit(CONTAINERS[kind], Y, last__speakers=SPEAKERS)
    last = pipe["last"]
    assert len(last.X_) == 18
    for row, speaker in zip(last.X_, last.speakers_, strict=True):
        np.testing.assert_array_equal(row, CONTAINERS[kind][int(speaker)])


@pytest.mark.parametrize("before", [0, 2], ids=["of audio", "of frames"])
def test_a_network_trains_on_copies(before):
    audio = as_ragged(RNG.normal(size=1600 + 80 * k).clip(-1, 1) for k in range(11))
    steps = [
        AudioLoader(),
        LogMelSpectrogram(n_mels=8, n_fft=128, hop_length=64),
        FrameScaler(),
        CRNNClassifier(n_filters=2, rnn_hidden_size=2, max_epochs=1, random_state=0),
    ]
    steps.insert(before, RandomOverSampler(random_state=0))
    pipe = make_pipeline(*steps).fit(audio, Y)
    assert pipe.predict(audio).shape == (11,)
    assert len(pipe["randomoversampler"].sample_indices_) == 18
