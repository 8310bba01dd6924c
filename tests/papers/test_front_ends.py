import numpy as np
import pytest
import soundfile
from scipy.signal import stft
from sklearn.base import clone

from serkit.datasets import make_emotional_speech
from serkit.feature_extraction import CachedTransformer
from serkit.papers import make_front_end
from serkit.pipeline import Pipeline
from serkit.preprocessing import FixedLengthSegmenter
from serkit.testing import RecordingClassifier
from serkit.utils import as_ragged

RATE = 16000

#: Window, samples between windows, length of a window, bins, exponent.
SETTINGS = {
    "guizzo2023-omg": ("hann", 160, 256, 129, 2 / 3),
    "guizzo2023-mts": ("hann", 160, 320, 161, 1),
    "guizzo2023-mts-code": ("hann", 512, 1024, 513, 2 / 3),
    "guizzo2023-at": ("hamming", 128, 256, 129, 1),
    "guizzo2023-rhemo": ("hamming", 128, 256, 128, 1),
}


def noise(*seconds):
    rng = np.random.default_rng(0)
    return as_ragged(0.1 * rng.normal(size=int(RATE * duration)) for duration in seconds)


@pytest.mark.parametrize("name", SETTINGS)
def test_spectra_are_those_of_scipy(name):
    window, hop, length, n_bins, power = SETTINGS[name]
    front_end = make_front_end(name, scaler="passthrough")
    (waveform,) = X = noise(0.5)
    frames = front_end.fit_transform(X)[0]
    if name == "guizzo2023-omg":
        waveform = front_end[:-2].transform(X)[0]
    *_, reference = stft(waveform, RATE, window, length, length - hop, padded=False)
    gain = front_end["spectrogram"]._spectra().window.sum().item()  # which scipy divides by
    expected = np.abs(gain * reference[:n_bins]) ** power
    assert frames.shape == (1, n_bins, 1 + RATE // 2 // hop)
    np.testing.assert_allclose(frames[0], expected, rtol=1e-4, atol=1e-4)


def test_one_four_and_six_seconds():
    frames = make_front_end("guizzo2023-at").fit_transform(noise(1, 4, 6))
    assert [x.shape for x in frames] == [(1, 129, 126), (1, 129, 501), (1, 129, 751)]
    assert make_front_end("guizzo2023-rhemo").fit_transform(noise(4))[0].shape == (1, 128, 501)


def test_labels_over_time_and_frames_are_cut_alike():
    n_labels = 250  # at 25 Hz
    frames = make_front_end("guizzo2023-omg").fit_transform(noise(n_labels / 25))
    assert frames[0].shape == (1, 129, 4 * n_labels + 1)
    slices, _ = FixedLengthSegmenter(200, hop=160).split([x[..., :-1] for x in frames])
    labels, _ = FixedLengthSegmenter(50, hop=40).split([np.arange(n_labels)])
    assert len(slices) == len(labels) == 6


@pytest.mark.parametrize("name", [name for name in SETTINGS if name != "guizzo2023-rhemo"])
def test_the_training_set_has_one_mean_and_deviation(name):
    frames = make_front_end(name).fit_transform(noise(0.3, 0.5))
    values = np.concatenate([x.ravel() for x in frames])
    np.testing.assert_allclose([values.mean(), values.std()], [0, 1], atol=1e-4)
    assert np.ptp(frames[0].mean(axis=-1)) > 0.05, "bins are not standardized one by one"


def test_magnitudes_for_the_embedding_are_in_the_unit_interval():
    quiet = noise(0.3, 0.5)
    front_end = make_front_end("guizzo2023-rhemo").fit(quiet)
    values = np.concatenate([x.ravel() for x in front_end.transform(quiet)])
    assert values.min() >= 0
    assert values.max() == 1
    (loud,) = front_end.transform(as_ragged([2 * quiet[0]]))
    assert loud.max() == 1, "what is louder than the training set is cut off"


def test_the_factor_of_the_emphasis_makes_no_difference():
    front_end = make_front_end("guizzo2023-omg")
    frames = front_end.fit_transform(noise(0.5))[0]
    (filtered,) = front_end[:2].transform(noise(0.5))
    emphasized = (2 * filtered - np.concatenate([[0], filtered[:-1]])) / 3
    rest = clone(front_end[3:])
    np.testing.assert_allclose(rest.fit_transform(as_ragged([emphasized]))[0], frames, atol=1e-4)


def test_files_are_resampled(tmp_path):
    soundfile.write(tmp_path / "a.wav", noise(2)[0], 8000)  # 4 s at that rate
    frames = make_front_end("guizzo2023-at").fit_transform([tmp_path / "a.wav"])
    assert frames[0].shape == (1, 129, 501)


def test_steps_can_be_changed_without_changing_the_preset():
    changed = make_front_end("guizzo2023-at", spectrogram__hop_length=64, scaler="passthrough")
    assert changed["scaler"] == "passthrough"
    assert changed["spectrogram"].hop_length == 64
    preset = make_front_end("guizzo2023-at")
    assert preset["spectrogram"].hop_length == 128
    preset.set_params(spectrogram__power=2.0).fit(noise(0.1))
    assert make_front_end("guizzo2023-at")["spectrogram"].power == 1


def test_what_is_not_there_is_named():
    with pytest.raises(ValueError, match="no front end 'mts'; there are guizzo2023-omg, "):
        make_front_end("mts")
    with pytest.raises(ValueError, match="Invalid parameter 'hop' for estimator Spectrogram"):
        make_front_end("guizzo2023-mts", spectrogram__hop=3)


def test_segments_and_their_spectra_in_one_pipeline():
    corpus = make_emotional_speech(1, n_sentences=1, random_state=0)
    segments, parents = FixedLengthSegmenter(RATE // 2, hop=RATE // 4).split(corpus.audio)
    steps = make_front_end("guizzo2023-mts").steps
    pipe = Pipeline([*steps, ("net", RecordingClassifier())]).fit(segments, corpus.y[parents])
    assert pipe[:-1].transform(segments[:1])[0].shape == (1, 161, 51)


def test_all_but_the_scaler_can_be_cached(tmp_path):
    front_end = make_front_end("guizzo2023-omg")
    X = noise(0.2, 0.3)
    cached = CachedTransformer(front_end[:-1], location=tmp_path).fit_transform(X)
    for frames, expected in zip(cached, front_end[:-1].fit_transform(X), strict=True):
        np.testing.assert_array_equal(frames, expected)
