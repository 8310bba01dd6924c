import numpy as np
import pytest
from scipy.signal import butter, sosfilt, sosfiltfilt

from serkit.preprocessing import HighPassFilter


@pytest.mark.parametrize("order", [1, 2, 5, 8])
@pytest.mark.parametrize(("zero_phase", "reference"), [(True, sosfiltfilt), (False, sosfilt)])
def test_values_equal_scipy(order, zero_phase, reference):
    waveform = np.random.default_rng(0).uniform(-1, 1, size=4000)
    sections = butter(order, 120, "highpass", fs=8000, output="sos")
    transformer = HighPassFilter(120, order, sampling_rate=8000, zero_phase=zero_phase)
    (filtered,) = transformer.fit_transform([waveform])
    np.testing.assert_allclose(filtered, reference(sections, waveform), atol=1e-12)
    single = transformer.transform([waveform.astype(np.float32)])[0]
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, filtered, atol=1e-5)


@pytest.mark.parametrize("n_samples", [1, 2, 27, 28])
def test_short_signals(n_samples):
    (filtered,) = HighPassFilter().fit_transform([np.full(n_samples, 0.5)])
    np.testing.assert_allclose(filtered, 0, atol=1e-9)


def test_hum_goes_and_voice_stays():
    time = np.arange(16000) / 16000
    hum, voice = (0.4 * np.sin(2 * np.pi * f * time) for f in (50, 200))
    (filtered,) = HighPassFilter(100).fit_transform([hum + voice])
    np.testing.assert_allclose(filtered[2000:-2000], voice[2000:-2000], atol=0.003)


def test_cutoff_beyond_half_of_the_sampling_rate():
    with pytest.raises(ValueError, match=r"cutoff=4000 Hz .* half of the sampling rate \(4000 Hz"):
        HighPassFilter(4000, sampling_rate=8000).fit_transform([np.ones(9)])
