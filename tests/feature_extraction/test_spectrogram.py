import pickle
import warnings

import librosa
import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.utils.estimator_checks import check_estimator

from serkit.feature_extraction import MFCC, KaldiFilterbankPitch, LogMelSpectrogram, Spectrogram
from serkit.utils import SignalWarning

RATE = 16000


def make_speech_like(n_samples, seed=0):
    """Harmonics of a gliding pitch with noise, louder and softer."""
    rng = np.random.default_rng(seed)
    time = np.arange(n_samples) / RATE
    phase = 2 * np.pi * np.cumsum(120 + 60 * np.sin(3 * time)) / RATE
    voice = sum(np.cos(k * phase + k * k) / k for k in range(1, 30))
    level = 0.1 + 0.9 * np.sin(4 * time) ** 2
    return (0.1 * level * voice + 0.002 * rng.standard_normal(n_samples)).astype(np.float32)


TRANSFORMERS = [
    Spectrogram(n_fft=256, power=2 / 3),
    LogMelSpectrogram(n_mels=20, n_fft=512),
    MFCC(n_mfcc=5, n_mels=20, n_fft=512, convention="torchaudio"),
    KaldiFilterbankPitch(n_mels=10),
]
each_transformer = pytest.mark.parametrize(
    "transformer", TRANSFORMERS, ids=lambda t: type(t).__name__
)


@pytest.mark.parametrize("power", [2.0, 1.0, 2 / 3])
@pytest.mark.parametrize(
    "settings",
    [
        {"n_fft": 2048, "hop_length": 512},
        {"n_fft": 256, "hop_length": 128, "window": "hamming"},
        {"n_fft": 512, "win_length": 401, "hop_length": 160, "pad_mode": "reflect"},
        {"n_fft": 301, "hop_length": 77, "center": False},
    ],
)
def test_values_equal_those_of_librosa(settings, power):
    waveform = make_speech_like(9000)
    expected = np.abs(librosa.stft(waveform, **settings)) ** power
    frames = Spectrogram(**settings, power=power).transform([waveform])[0]
    assert frames.dtype == np.float32
    np.testing.assert_allclose(frames[0], expected, rtol=1e-4, atol=1e-6 * expected.max())


def test_long_waveforms_are_transformed_in_pieces_without_a_seam():
    waveform = make_speech_like(5 * RATE)
    frames = Spectrogram(n_fft=2048, hop_length=64).transform([waveform])[0][0]
    expected = np.abs(librosa.stft(waveform, n_fft=2048, hop_length=64)) ** 2
    np.testing.assert_allclose(frames, expected, rtol=1e-4, atol=1e-6 * expected.max())


@pytest.mark.parametrize(("n_seconds", "n_frames"), [(1, 126), (4, 501), (6, 751)])
def test_number_of_frames_of_centred_windows(n_seconds, n_frames):
    waveform = make_speech_like(n_seconds * RATE)
    frames = Spectrogram(n_fft=256, hop_length=128, window="hamming", power=1.0)
    assert frames.transform([waveform])[0].shape == (1, 129, n_frames)


def test_drop_nyquist_leaves_out_the_last_bin():
    waveform = make_speech_like(4000)
    whole = Spectrogram(n_fft=256).transform([waveform])[0]
    dropped = Spectrogram(n_fft=256, drop_nyquist=True).transform([waveform])[0]
    np.testing.assert_array_equal(dropped, whole[:, :-1])


def test_decibels_do_not_depend_on_the_power():
    waveform = make_speech_like(4000)
    by_power = Spectrogram(n_fft=256, log="db").transform([waveform])[0]
    by_magnitude = Spectrogram(n_fft=256, log="db", power=1.0).transform([waveform])[0]
    np.testing.assert_allclose(by_magnitude, by_power, atol=1e-3)
    expected = librosa.power_to_db(np.abs(librosa.stft(waveform, n_fft=256)) ** 2)
    np.testing.assert_allclose(by_power[0], expected, atol=1e-3)


@pytest.mark.parametrize(("log", "function"), [("ln", np.log), ("log10", np.log10)])
def test_other_logarithms(log, function):
    waveform = make_speech_like(4000)
    spectra = Spectrogram(n_fft=256).transform([waveform])[0]
    levels = Spectrogram(n_fft=256, log=log, amin=1e-3, ref=2.0).transform([waveform])[0]
    expected = function(np.maximum(spectra, 1e-3) / 2)
    np.testing.assert_allclose(levels, expected, rtol=1e-5, atol=1e-5)


def test_preemphasis_of_the_waveform():
    waveform = make_speech_like(4000)
    emphasised = np.append(waveform[0], waveform[1:] - 0.97 * waveform[:-1])
    frames = Spectrogram(n_fft=256, preemphasis=0.97).transform([waveform])[0]
    expected = Spectrogram(n_fft=256).transform([emphasised])[0]
    np.testing.assert_allclose(frames, expected, rtol=1e-3, atol=1e-6)


def test_remove_dc_empties_the_lowest_bin():
    waveform = make_speech_like(4000) + 0.5
    spectra = Spectrogram(n_fft=256, window="boxcar", center=False, remove_dc=True)
    frames = spectra.transform([waveform])[0][0]
    assert frames[0].max() < 1e-6 * frames[1:].max()


@each_transformer
def test_values_depend_on_the_utterance_alone(transformer):
    waveforms = [make_speech_like(n, seed=n) for n in (9000, 7001, 12345)]
    together = transformer.transform(waveforms)
    for waveform, frames in zip(waveforms, together, strict=True):
        np.testing.assert_array_equal(transformer.transform([waveform])[0], frames)
    parallel = clone(transformer).set_params(n_jobs=2).transform(waveforms)
    for frames, same in zip(together, parallel, strict=True):
        np.testing.assert_array_equal(frames, same)


@each_transformer
def test_containers(transformer):
    waveforms = np.stack([make_speech_like(4000, seed=seed) for seed in range(3)])
    numeric = transformer.fit_transform(waveforms)
    ragged = transformer.fit_transform(list(waveforms))
    assert numeric.ndim == 4
    assert numeric.shape[:2] == (3, 1)
    assert ragged.shape == (3,)
    assert ragged.dtype == object
    np.testing.assert_array_equal(numeric, np.stack(ragged))


@each_transformer
def test_number_types_give_the_same_values(transformer):
    integers = np.round(make_speech_like(4000) * 32768).astype(np.int16)
    scaled = integers / 32768
    expected = transformer.transform([scaled.astype(np.float32)])[0]
    read_only = scaled.astype(np.float32)
    read_only.flags.writeable = False
    for waveform in (integers, scaled, read_only, np.repeat(read_only, 2)[::2]):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            np.testing.assert_array_equal(transformer.transform([waveform])[0], expected)


@each_transformer
def test_input_is_left_as_it_is(transformer):
    waveform = make_speech_like(4000)
    before = waveform.copy()
    transformer.transform([waveform])
    np.testing.assert_array_equal(waveform, before)


@each_transformer
def test_short_signals_are_padded_to_one_window(transformer):
    short, long = make_speech_like(100), make_speech_like(4000)
    with pytest.warns(SignalWarning, match="padded utterance 1 with zeros to one window"):
        frames = transformer.fit_transform([long, short])
    length = transformer._spectra().frame_length
    padded = np.pad(short, (0, length - len(short)))
    np.testing.assert_array_equal(frames[1], transformer.transform([padded])[0])


@each_transformer
def test_kernels_are_picklable(transformer):
    waveform = make_speech_like(4000)
    kernel = pickle.loads(pickle.dumps(transformer._make_kernel()))
    np.testing.assert_array_equal(kernel(waveform), transformer.transform([waveform])[0])


@pytest.mark.parametrize(
    "device",
    [
        torch.device("cpu"),
        pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="GPU")),
    ],
)
@each_transformer
def test_values_do_not_depend_on_the_device(transformer, device):
    waveform = make_speech_like(4000)
    expected = transformer.transform([waveform])[0]
    frames = clone(transformer).set_params(device=device).transform([waveform])[0]
    np.testing.assert_allclose(frames, expected, atol=1e-5 * np.abs(expected).max(), rtol=1e-3)


@pytest.mark.parametrize("n_jobs", [1, 3])
def test_one_thread_per_waveform(n_jobs, monkeypatch):
    seen = []

    def spy(waveform):
        seen.append(torch.get_num_threads())
        return np.zeros((1, 1, 1))

    transformer = Spectrogram(n_fft=256, n_jobs=n_jobs)
    monkeypatch.setattr(Spectrogram, "_make_kernel", lambda self: spy)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        transformer.transform([make_speech_like(300)] * 8)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert seen == [1] * 8


@pytest.mark.parametrize(
    "estimator",
    [
        Spectrogram(n_fft=8, hop_length=4),
        Spectrogram(n_fft=8, win_length=6, hop_length=2, log="db", convention="kaldi"),
        LogMelSpectrogram(n_mels=4, n_fft=8, hop_length=4),
        MFCC(n_mfcc=3, n_mels=4, n_fft=8, hop_length=4),
        KaldiFilterbankPitch(n_mels=4, win_length=8, hop_length=4),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
@pytest.mark.filterwarnings("ignore")
def test_scikit_learn_contract(estimator):
    results = check_estimator(estimator, on_fail=None)
    failed = [result["check_name"] for result in results if result["status"] == "failed"]
    assert not failed
    assert sum(result["status"] == "passed" for result in results) >= 40


@pytest.mark.parametrize(
    ("transformer", "message"),
    [
        (Spectrogram(n_fft=256, win_length=512), "win_length .512. must not exceed n_fft .256."),
        (Spectrogram(n_fft=256, log="ln", top_db=80.0), 'top_db needs log="db"'),
        (Spectrogram(window="no such window"), "no such window"),
        (LogMelSpectrogram(f_max=9000), "f_max not above half of sampling_rate .8000 Hz."),
        (LogMelSpectrogram(f_min=500, f_max=400), "f_min .500 Hz. must lie below f_max"),
        (MFCC(n_mfcc=41, n_mels=40), "n_mfcc .41. must not exceed n_mels .40."),
        (KaldiFilterbankPitch(f_max_pitch=40.0), "f_min_pitch .50 Hz. must lie below"),
    ],
)
def test_contradicting_parameters_are_found_in_fit(transformer, message):
    with pytest.raises(ValueError, match=message):
        transformer.fit([make_speech_like(4000)])


def test_resolving_changes_no_parameter():
    transformer = LogMelSpectrogram(convention="kaldi")
    before = transformer.get_params()
    transformer.fit_transform([make_speech_like(4000)])
    assert transformer.get_params() == before
