import numpy as np
import pytest
from scipy.signal import wiener

from serkit.preprocessing import WienerFilter
from serkit.utils import SignalWarning


@pytest.mark.parametrize("noise", [None, 0.02, 1e-5])
@pytest.mark.parametrize("size", [3, 5, 29])
@pytest.mark.parametrize("n_samples", [30, 4000])
def test_values_equal_scipy(size, noise, n_samples):
    rng = np.random.default_rng(0)
    waveform = np.sin(np.linspace(0, 60, n_samples)) * rng.uniform(0.1, 0.9, size=n_samples)
    (filtered,) = WienerFilter(size, noise).fit_transform([waveform])
    expected = wiener(waveform, size, noise)
    np.testing.assert_allclose(filtered, expected, rtol=0, atol=1e-12)


def test_window_of_one_sample_changes_nothing():
    waveform = np.random.default_rng(0).uniform(-1, 1, size=50)
    for noise in (None, 0.1):
        np.testing.assert_array_equal(WienerFilter(1, noise).fit_transform([waveform])[0], waveform)


def test_window_longer_than_the_signal():
    waveform = np.array([0.1, 0.5, -0.3])
    (filtered,) = WienerFilter(7).fit_transform([waveform])
    np.testing.assert_allclose(filtered, wiener(waveform, 7), atol=1e-12)


@pytest.mark.parametrize("size", [3, 29])
@pytest.mark.parametrize("noise", [None, 0.0, 0.1])
def test_silent_and_constant_clips_are_finite(size, noise):
    speech = np.random.default_rng(0).uniform(-1, 1, size=500)
    half_silent = np.concatenate([speech, np.zeros(500)])
    clips = [np.zeros(400), np.full(400, 0.3), np.full(400, 0.3, dtype=np.float32), half_silent]
    with pytest.warns(SignalWarning, match="only zeros") as record:
        silent, constant, single, half = WienerFilter(size, noise).fit_transform(clips)
    assert {warning.category for warning in record} == {SignalWarning}
    np.testing.assert_array_equal(silent, 0)
    np.testing.assert_allclose(constant[size:-size], 0.3)
    assert single.dtype == np.float32
    np.testing.assert_allclose(half[500 + size :], 0, atol=1e-15)


def test_filters_before_padding():
    """The noise level is a mean over the signal, so padding first gives other values."""
    waveform = np.random.default_rng(0).uniform(-1, 1, size=100)
    (alone,) = WienerFilter().fit_transform([waveform])
    (padded,) = WienerFilter().fit_transform([np.pad(waveform, (0, 100))])
    assert np.abs(alone - padded[:100]).max() > 0.01


def test_even_size_is_refused():
    with pytest.raises(ValueError, match="size must be odd, got 4"):
        WienerFilter(4).fit_transform([np.ones(9)])
