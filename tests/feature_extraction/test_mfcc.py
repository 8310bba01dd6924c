from pathlib import Path

import librosa
import numpy as np
import pytest

from serkit.feature_extraction import MFCC, LogMelSpectrogram

RATE = 16000
REFERENCE = Path(__file__).parent / "reference" / "torchaudio.npz"


@pytest.fixture(scope="module")
def reference():
    with np.load(REFERENCE) as file:
        return dict(file)


@pytest.mark.parametrize(
    "settings",
    [
        {"n_mfcc": 20},
        {"n_mfcc": 40, "n_fft": 1024, "hop_length": 256},
        {"n_mfcc": 13, "n_mels": 40, "lifter": 22},
        {"n_mfcc": 26, "dct_norm": None},
    ],
)
def test_values_equal_those_of_librosa(settings, reference):
    waveform = reference["signal"]
    names = {"dct_norm": "norm"}
    expected = librosa.feature.mfcc(
        y=waveform, sr=RATE, **{names.get(name, name): value for name, value in settings.items()}
    )
    frames = MFCC(**settings).transform([waveform])[0]
    assert frames.dtype == np.float32
    assert frames.shape == (1, *expected.shape)
    np.testing.assert_allclose(frames[0], expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("mfcc_20", {"n_mfcc": 20, "n_fft": 2048, "hop_length": 512, "convention": "torchaudio"}),
        ("mfcc_40", {"convention": "torchaudio"}),
        ("kaldi_mfcc_13", {"n_mels": 40, "convention": "kaldi"}),
    ],
)
def test_values_equal_those_of_torchaudio(name, settings, reference):
    frames = MFCC(**settings).transform([reference["signal"]])[0]
    expected = reference[name]
    assert frames.shape == (1, *expected.shape)
    np.testing.assert_allclose(frames[0], expected, atol=1e-5 * np.abs(expected).max())


def test_silent_tail_has_only_the_zeroth_coefficient(reference):
    padded = np.concatenate([reference["signal"], np.zeros(RATE, dtype=np.float32)])
    settings = {"n_fft": 2048, "hop_length": 512, "convention": "torchaudio"}
    levels = LogMelSpectrogram(**settings).transform([padded])[0]
    tail = MFCC(n_mfcc=20, **settings).transform([padded])[0][0, :, -20:-2]
    np.testing.assert_allclose(tail[0], np.sqrt(128) * (levels.max() - 80), rtol=1e-5)
    np.testing.assert_allclose(tail[1:], 0, atol=1e-3)


def test_all_coefficients_hold_the_whole_spectrum(reference):
    waveform = reference["signal"]
    levels = LogMelSpectrogram(n_mels=40).transform([waveform])[0]
    cepstra = MFCC(n_mfcc=40, n_mels=40).transform([waveform])[0]
    np.testing.assert_allclose(
        np.linalg.norm(cepstra, axis=1), np.linalg.norm(levels, axis=1), rtol=1e-5
    )
