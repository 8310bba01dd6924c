"""Windows of recordings in memory."""

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from serkit.feature_extraction import MFCC, TemporalPooling
from serkit.inference import iter_predictions, window_posteriors
from serkit.over_sampling import RandomOverSampler
from serkit.pipeline import make_pipeline as make_sampling_pipeline
from serkit.preprocessing import AudioLoader

RATE = 8000


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(0)
    X = [scale * rng.normal(size=4000) for scale in (0.02, 0.2, 0.02, 0.2)]
    mfcc = MFCC(n_mfcc=5, n_mels=12, n_fft=256, hop_length=128, sampling_rate=RATE)
    return make_pipeline(mfcc, TemporalPooling(), LogisticRegression()).fit(
        X, ["calm", "anger"] * 2
    )


@pytest.fixture(scope="module")
def recording():
    rng = np.random.default_rng(1)
    return np.concatenate([0.02 * rng.normal(size=10000), 0.2 * rng.normal(size=10500)])


def test_every_window_is_classified_by_itself(model, recording):
    table = window_posteriors(
        model, recording, sampling_rate=RATE, window_length=4000, hop_length=3000
    )
    starts = [0, 3000, 6000, 9000, 12000, 15000, 16500]
    np.testing.assert_allclose(table["start"], np.divide(starts, RATE))
    np.testing.assert_allclose(table["end"], np.add(starts, 4000) / RATE)
    windows = [recording[start : start + 4000] for start in starts]
    np.testing.assert_allclose(table[["anger", "calm"]], model.predict_proba(windows), rtol=1e-5)
    assert (table["anger"] > 0.5).tolist()[-3:] == [True] * 3


def test_windows_that_fit_exactly_get_no_other_behind(model, recording):
    table = window_posteriors(model, recording[:8000], sampling_rate=RATE, window_length=4000)
    np.testing.assert_allclose(table[["start", "end"]], [[0, 0.5], [0.5, 1.0]])


def test_a_short_recording_is_one_window(model, recording):
    short = recording[:2500]
    (row,) = window_posteriors(model, short, sampling_rate=RATE, window_length=4000).to_numpy()
    np.testing.assert_allclose(row, [0, 2500 / RATE, *model.predict_proba([short])[0]], rtol=1e-5)


def test_the_same_windows_from_a_file_of_another_rate(model, tmp_path):
    rng = np.random.default_rng(2)
    recording = (0.1 * rng.normal(size=30000)).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", recording, 2 * RATE, subtype="FLOAT")
    in_memory = window_posteriors(model, recording, sampling_rate=2 * RATE, window_length=8000)
    (of_file,) = iter_predictions(model, tmp_path / "a.wav", window_length=4000)
    columns = ["start", "end", "anger", "calm"]
    pd.testing.assert_frame_equal(of_file[columns], in_memory[columns], rtol=1e-4)


@pytest.mark.parametrize("waveform", [np.zeros((2, 10)), []])
def test_no_waveform(model, waveform):
    with pytest.raises(ValueError, match="waveform has shape"):
        window_posteriors(model, waveform, window_length=10)


def test_no_posteriors():
    with pytest.raises(TypeError, match="SVC has no predict_proba"):
        window_posteriors(SVC().fit([[0], [1]], [0, 1]), np.ones(3), window_length=2)


def test_a_loader_that_would_move_every_window(model, recording):
    moving = make_pipeline(AudioLoader(RATE, end=1.0), *model)
    with pytest.raises(ValueError, match="start, end or min_duration"):
        window_posteriors(moving, recording, sampling_rate=RATE, window_length=4000)
    loading = make_pipeline(AudioLoader(RATE), *model)
    expected = window_posteriors(model, recording, sampling_rate=RATE, window_length=4000)
    table = window_posteriors(loading, recording, sampling_rate=RATE, window_length=4000)
    pd.testing.assert_frame_equal(table, expected)


def test_a_sampler_right_before_the_classifier(recording):
    rng = np.random.default_rng(0)
    X = [scale * rng.normal(size=4000) for scale in (0.02, 0.02, 0.02, 0.2)]
    mfcc = MFCC(n_mfcc=5, n_mels=12, n_fft=256, hop_length=128, sampling_rate=RATE)
    sampler = RandomOverSampler(random_state=0)
    model = make_sampling_pipeline(mfcc, TemporalPooling(), sampler, LogisticRegression())
    model.fit(X, ["calm", "calm", "calm", "anger"])
    table = window_posteriors(model, recording[:8000], sampling_rate=RATE, window_length=4000)
    windows = [recording[:4000], recording[4000:8000]]
    np.testing.assert_allclose(table[["anger", "calm"]], model.predict_proba(windows), rtol=1e-5)
