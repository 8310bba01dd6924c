import numpy as np
import pytest

from serkit.preprocessing import Resampler


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("rate", "target"), [(22050, 16000), (8000, 16000), (48000, 16000)])
@pytest.mark.parametrize("n_samples", [1, 2, 441, 1001, 20000])
def test_values_equal_librosa(rng, librosa, dtype, rate, target, n_samples):
    waveform = rng.uniform(-1, 1, size=n_samples).astype(dtype)
    (resampled,) = Resampler(rate, target_sampling_rate=target).fit_transform([waveform])
    expected = librosa.resample(waveform, orig_sr=rate, target_sr=target)
    assert resampled.dtype == dtype
    np.testing.assert_array_equal(resampled, expected)


def test_tone_keeps_its_frequency():
    time = np.arange(48000) / 48000
    resampler = Resampler(48000, target_sampling_rate=16000)
    resampled = resampler.fit_transform(np.sin(2 * np.pi * 440 * time)[None])[0]
    assert np.argmax(np.abs(np.fft.rfft(resampled))) == 440
    assert len(resampled) == 16000


def test_equal_rates_change_nothing(rng):
    waveform = rng.uniform(-1, 1, size=30)
    np.testing.assert_array_equal(Resampler(16000).fit_transform([waveform])[0], waveform)


def test_quality_is_used(rng):
    waveform = rng.uniform(-1, 1, size=2000)
    quick, high = (
        Resampler(48000, quality=quality).fit_transform([waveform])[0] for quality in ("QQ", "VHQ")
    )
    assert np.abs(quick - high).max() > 0.01
