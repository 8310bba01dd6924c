from pathlib import Path

import librosa
import numpy as np
import pytest

from serkit.feature_extraction import LogMelSpectrogram
from serkit.feature_extraction._mel_filters import hz_to_mel, mel_filters, mel_to_hz

RATE = 16000
REFERENCE = Path(__file__).parent / "reference" / "torchaudio.npz"


@pytest.fixture(scope="module")
def reference():
    with np.load(REFERENCE) as file:
        return dict(file)


@pytest.mark.parametrize("htk", [False, True])
@pytest.mark.parametrize("norm", ["slaney", None])
@pytest.mark.parametrize(
    ("n_fft", "n_mels", "f_min", "f_max"), [(2048, 128, 0, 8000), (400, 23, 64, 7000)]
)
def test_filters_equal_those_of_librosa(htk, norm, n_fft, n_mels, f_min, f_max):
    expected = librosa.filters.mel(
        sr=RATE, n_fft=n_fft, n_mels=n_mels, fmin=f_min, fmax=f_max, htk=htk, norm=norm
    )
    scale = "htk" if htk else "slaney"
    filters = mel_filters(RATE, n_fft, n_mels, f_min, f_max, scale, norm)
    np.testing.assert_allclose(filters, expected, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("mel_scale", ["slaney", "htk", "kaldi"])
def test_mel_and_back(mel_scale):
    frequencies = np.array([0.0, 20.0, 999.0, 1000.0, 1001.0, 8000.0])
    back = mel_to_hz(hz_to_mel(frequencies, mel_scale), mel_scale)
    np.testing.assert_allclose(back, frequencies, atol=1e-9)


@pytest.mark.parametrize(
    "settings",
    [
        {"n_mels": 128, "n_fft": 1024, "hop_length": 256},
        {"n_mels": 40, "n_fft": 1024, "hop_length": 256},
        {"n_mels": 40, "n_fft": 512, "win_length": 400, "hop_length": 160, "window": "hamming"},
        {"n_mels": 30, "n_fft": 1000, "hop_length": 300, "center": False, "norm": None},
    ],
)
def test_values_equal_those_of_librosa(settings, reference):
    waveform = reference["signal"]
    expected = librosa.power_to_db(librosa.feature.melspectrogram(y=waveform, sr=RATE, **settings))
    frames = LogMelSpectrogram(**settings).transform([waveform])[0]
    assert frames.shape == (1, *expected.shape)
    assert np.abs(frames[0] - expected).max() <= 1e-3


def test_defaults_are_those_of_librosa(reference):
    waveform = reference["signal"]
    expected = librosa.power_to_db(librosa.feature.melspectrogram(y=waveform, sr=RATE))
    assert np.abs(LogMelSpectrogram().transform([waveform])[0][0] - expected).max() <= 1e-3


@pytest.mark.parametrize("settings", [{"ref": np.max}, {"amin": 1e-4, "ref": 0.1, "top_db": None}])
def test_levels_are_those_of_librosa(settings, reference):
    waveform = reference["signal"]
    mel = librosa.feature.melspectrogram(y=waveform, sr=RATE, n_mels=40)
    expected = librosa.power_to_db(mel, **settings)
    if settings["ref"] is np.max:
        settings = {"ref": "max"}
    frames = LogMelSpectrogram(n_mels=40, **settings).transform([waveform])[0]
    assert np.abs(frames[0] - expected).max() <= 1e-3


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("log_mel_128", {"n_fft": 2048, "hop_length": 512}),
        ("log_mel_64", {"n_mels": 64, "f_min": 50, "top_db": 80.0}),
    ],
)
def test_values_equal_those_of_torchaudio(name, settings, reference):
    transformer = LogMelSpectrogram(**settings, convention="torchaudio")
    frames = transformer.transform([reference["signal"]])[0]
    assert frames.shape == (1, *reference[name].shape)
    assert np.abs(frames[0] - reference[name]).max() <= 2e-3


@pytest.mark.parametrize(
    ("name", "settings"),
    [("fbank_23", {}), ("fbank_40", {"n_mels": 40, "window": "hamming", "f_max": 7000})],
)
def test_values_equal_those_of_kaldi(name, settings, reference):
    transformer = LogMelSpectrogram(**settings, convention="kaldi")
    frames = transformer.transform([reference["signal"]])[0]
    assert frames.shape == (1, *reference[name].shape)
    assert np.abs(frames[0] - reference[name]).max() <= 1e-3


def test_silent_tail_has_100_db_below_full_scale_in_the_convention_of_torchaudio(reference):
    padded = np.concatenate([reference["signal"], np.zeros(RATE, dtype=np.float32)])
    transformer = LogMelSpectrogram(convention="torchaudio", n_fft=2048, hop_length=512)
    tail = transformer.transform([padded])[0][..., -20:-2]
    np.testing.assert_allclose(tail, -100, atol=1e-4)


def test_plain_logarithm_with_a_floor_and_preemphasis(reference):
    waveform = reference["signal"]
    transformer = LogMelSpectrogram(
        n_mels=40,
        n_fft=512,
        win_length=400,
        hop_length=160,
        window="hamming",
        preemphasis=0.97,
        log="ln",
        amin=1e-10,
    )
    emphasised = np.append(waveform[0], waveform[1:] - np.float32(0.97) * waveform[:-1])
    mel = librosa.feature.melspectrogram(
        y=emphasised,
        sr=RATE,
        n_fft=512,
        win_length=400,
        hop_length=160,
        window="hamming",
        n_mels=40,
    )
    expected = np.log(np.maximum(mel, 1e-10))
    np.testing.assert_allclose(transformer.transform([waveform])[0][0], expected, atol=1e-3)


def test_explicit_values_win_over_the_convention(reference):
    waveform = reference["signal"]
    explicit = LogMelSpectrogram(
        n_fft=400, hop_length=200, pad_mode="reflect", mel_scale="htk", norm=None, top_db=None
    )
    torchaudio = LogMelSpectrogram(convention="torchaudio")
    with pytest.warns(UserWarning, match="mel filters"):
        np.testing.assert_array_equal(
            explicit.fit_transform([waveform])[0], torchaudio.transform([waveform])[0]
        )


def test_top_db_is_relative_to_each_utterance(reference):
    loud, quiet = reference["signal"], 1e-3 * reference["signal"]
    frames = LogMelSpectrogram(n_mels=40, top_db=20.0).transform([loud, quiet])
    for one in frames:
        assert np.ptp(one) == pytest.approx(20, abs=1e-4)


def test_empty_filters_are_told_once_in_fit(reference):
    transformer = LogMelSpectrogram(n_mels=128, n_fft=256)
    with pytest.warns(UserWarning, match="mel filters lie between the bins"):
        transformer.fit([reference["signal"]])
    frames = transformer.transform([reference["signal"]])[0]
    assert np.isfinite(frames).all()


@pytest.mark.corpus
def test_values_on_speech_equal_those_of_librosa(corpora):
    import soundfile

    files = sorted((corpora / "emodb").rglob("*.flac"))[::60]
    settings = {"n_mels": 128, "n_fft": 1024, "hop_length": 256}
    for file in files:
        waveform, rate = soundfile.read(file, dtype="float32")
        mel = librosa.feature.melspectrogram(y=waveform, sr=rate, **settings)
        frames = LogMelSpectrogram(**settings).transform([np.clip(waveform, -1, 1)])[0]
        assert np.abs(frames[0] - librosa.power_to_db(mel)).max() <= 1e-3
