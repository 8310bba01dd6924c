import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags

from serkit.utils import (
    AudioTransformer,
    SignalWarning,
    WaveformTransformer,
    as_ragged,
    check_audio,
    check_frames,
)


class Estimator(BaseEstimator):
    pass


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_numeric_audio_goes_out_numeric(rng):
    X = rng.uniform(-1, 1, size=(3, 5))
    estimator = Estimator()
    waveforms, restore = check_audio(estimator, X, reset=True)
    assert estimator.n_features_in_ == 5
    out = restore(waveform * 2 for waveform in waveforms)
    np.testing.assert_array_equal(out, X * 2)
    with pytest.raises(ValueError, match="X has 4 features"):
        check_audio(estimator, X[:, :4], reset=False)


def test_ragged_audio_goes_out_ragged_and_forgets_numeric_features(rng):
    estimator = Estimator()
    check_audio(estimator, rng.uniform(size=(3, 5)), reset=True)
    _, restore = check_audio(estimator, [np.ones(3), np.ones(3)], reset=True)
    assert not hasattr(estimator, "n_features_in_")
    assert restore([np.zeros(2), np.zeros(2)]).dtype == object


def test_audio_is_cast_not_refused():
    integers = np.array([16384, -32768], dtype=np.int16)
    ((waveform,), _) = check_audio(Estimator(), [integers], reset=True)
    np.testing.assert_array_equal(waveform, np.array([0.5, -1.0], dtype=np.float32))
    assert waveform.dtype == np.float32
    for table in (integers[None], pd.DataFrame(integers[None])):
        numeric, _ = check_audio(Estimator(), table, reset=True)
        np.testing.assert_array_equal(numeric[0], waveform)
        assert numeric[0].dtype == np.float32
    doubles, _ = check_audio(Estimator(), [np.array([0.5])], reset=True)
    assert doubles[0].dtype == np.float64
    bits, _ = check_audio(Estimator(), [np.array([0, 1], dtype=np.int64)], reset=True)
    assert bits[0].dtype == np.float64


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.array([]), "utterance 1 has no samples"),
        (np.array([0.1, np.nan]), "utterance 1 contains NaN or infinity"),
        (np.array([0.1, -np.inf]), "utterance 1 contains NaN or infinity"),
        (np.zeros((2, 3)), "utterance 1 has shape"),
        (np.array([1j]), "utterance 1: a waveform holds real numbers"),
    ],
)
def test_bad_waveforms_are_named(bad, message):
    with pytest.raises(ValueError, match=message):
        check_audio(Estimator(), as_ragged([np.ones(3) / 2, bad]), reset=True)


def test_paths_need_a_loader():
    with pytest.raises(TypeError, match="utterance 1 is a path .*put an AudioLoader before"):
        check_audio(Estimator(), as_ragged([np.ones(3), "b.wav"]), reset=True)
    waveforms, _ = check_audio(Estimator(), ["a.wav"], reset=True, allow_paths=True)
    assert waveforms == ["a.wav"]


def test_items_that_are_no_arrays_are_named():
    with pytest.raises(TypeError, match="utterance 0 is of type NoneType, not a waveform"):
        check_audio(Estimator(), [None, "a.wav"], reset=True, allow_paths=True)
    with pytest.raises(TypeError, match="utterance 1 is of type float, not a waveform"):
        check_audio(Estimator(), pd.Series(["a.wav", np.nan]), reset=True, allow_paths=True)
    with pytest.raises(TypeError, match="utterance 1 is of type NoneType, not an array of frames"):
        check_frames(Estimator(), [np.ones((1, 3, 4)), None], reset=True)


def test_silence_and_range_warn_once_with_rows():
    with pytest.warns(SignalWarning, match="utterances 0, 2 contain only zeros") as record:
        check_audio(Estimator(), [np.zeros(3), np.ones(3), np.zeros(2)], reset=False)
    assert len(record) == 1
    with pytest.warns(SignalWarning, match=r"utterance 1 contains samples beyond \[-1, 1\]"):
        check_audio(Estimator(), [np.ones(3), np.full(3, 1.5)], reset=False)
    with pytest.warns(SignalWarning, match="0, 1, 2, 3, 4 and 7 more contain"):
        check_audio(Estimator(), [np.zeros(3)] * 12, reset=False)
    with pytest.warns(SignalWarning, match="16-bit integers are scaled to it, other .* are not"):
        check_audio(Estimator(), [np.array([128, 255], dtype=np.uint8)], reset=False)


class Echo(WaveformTransformer):
    def __init__(self, n_jobs=None, verbose=0):
        self.n_jobs = n_jobs
        self.verbose = verbose

    def _make_kernel(self):
        return np.copy


class Energy(AudioTransformer):
    def __init__(self, n_jobs=None, verbose=0):
        self.n_jobs = n_jobs
        self.verbose = verbose

    def _make_kernel(self):
        return lambda waveform: np.square(waveform)[None, None]


def test_a_pipeline_repeats_no_warning():
    clips = [np.zeros(30), np.full(30, 2.0)]
    pipeline = make_pipeline(Echo(), Echo(), Energy())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        pipeline.fit_transform(clips)
    assert [str(warning.message)[:20] for warning in caught] == [
        "utterance 0 contains",
        "utterance 1 contains",
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Energy().fit(clips)
        Echo().transform(clips[1:])


def test_waveforms_keep_their_type():
    assert get_tags(Echo()).transformer_tags.preserves_dtype == ["float64", "float32"]
    assert Echo().fit_transform(np.ones((2, 3), np.float32)).dtype == np.float32


def test_frames_take_every_documented_shape(rng):
    X = rng.normal(size=(2, 1, 3, 4))
    for given in (X, X[:, 0], list(X), [x[0] for x in X]):
        frames, _ = check_frames(Estimator(), given, reset=True)
        assert [f.shape for f in frames] == [(1, 3, 4)] * 2
        assert frames[0].dtype == np.float32
    estimator = Estimator()
    frames, restore = check_frames(estimator, X[:, 0, 0], reset=True)
    assert frames[0].shape == (1, 1, 4)
    assert estimator.n_features_in_ == 4
    assert restore(frames).shape == (2, 4)


@pytest.mark.parametrize(("ndim", "shape"), [(4, (2, 1, 3, 4)), (3, (2, 3, 4))])
def test_numeric_frames_keep_their_axes(rng, ndim, shape):
    X = rng.normal(size=shape)
    frames, restore = check_frames(Estimator(), X, reset=True)
    assert restore(frames).shape == shape
    wide = restore(np.concatenate([f, f]) for f in frames)
    assert wide.shape == (2, 2, 3, 4)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.zeros((1, 2, 4)), "utterance 1 has 1 channels and 2 bins, but 1 and 3"),
        (np.zeros((1, 3, 0)), "utterance 1 has no frames"),
        (np.full((1, 3, 4), np.nan), "utterance 1 contains NaN or infinity"),
        (np.zeros(5), "utterance 1 has shape .*put LogMelSpectrogram"),
    ],
)
def test_bad_frames_are_named(bad, message):
    with pytest.raises(ValueError, match=message):
        check_frames(Estimator(), as_ragged([np.ones((1, 3, 4)), bad]), reset=True)


def test_frames_are_held_to_the_bins_of_fit():
    estimator = Estimator()
    check_frames(estimator, [np.ones((2, 3, 4))], reset=True)
    with pytest.raises(ValueError, match="utterance 0 has 1 channels and 3 bins"):
        check_frames(estimator, [np.ones((1, 3, 4))], reset=False)
    with pytest.raises(TypeError, match="is a path"):
        check_frames(estimator, ["a.wav"], reset=False)
