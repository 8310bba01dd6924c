import itertools

import numpy as np
import pytest

from serkit.feature_extraction._pitch import PitchTracker, cheapest_path


def make_voice(f0, rate, noise=0.0):
    """Harmonics up to half the sampling rate, falling by 6 dB per octave, with noise."""
    phase = 2 * np.pi * np.cumsum(f0) / rate
    harmonics = range(1, int(0.45 * rate / f0.max()))
    voice = sum(np.cos(k * phase + k * k) / k for k in harmonics)
    voice /= 2 * np.abs(voice).max()
    rng = np.random.default_rng(0)
    return voice + noise * voice.std() * rng.standard_normal(len(voice))


def errors(f0, rate=16000, win_length=640, noise=0.0):
    """Relative errors of the pitch in the middle of every frame."""
    hop_length = rate // 100
    tracker = PitchTracker(rate, win_length, hop_length, 50.0, 400.0)
    n_frames = 1 + (len(f0) - win_length) // hop_length
    pitch, nccf = tracker(make_voice(f0, rate, noise), n_frames)
    assert (nccf > 0.8).all()
    middles = np.arange(n_frames) * hop_length + win_length // 2
    return np.abs(pitch / f0[middles] - 1)


@pytest.mark.parametrize("noise", [0.0, 0.3])
@pytest.mark.parametrize("f0", [55.0, 80.0, 133.0, 210.0, 300.0, 390.0])
def test_constant_pitch(f0, noise):
    assert errors(np.full(12000, f0), noise=noise).max() < 0.01


@pytest.mark.parametrize("noise", [0.0, 0.1])
@pytest.mark.parametrize(("start", "stop"), [(80, 160), (300, 100), (100, 380), (200, 220)])
def test_gliding_pitch(start, stop, noise):
    assert errors(np.linspace(start, stop, 16000), noise=noise).max() < 0.01


@pytest.mark.parametrize("rate", [8000, 22050, 44100])
def test_other_sampling_rates(rate):
    assert errors(np.linspace(120, 240, rate), rate=rate, win_length=rate // 25).max() < 0.01


def test_pitch_does_not_depend_on_the_level():
    voice = make_voice(np.linspace(100, 200, 8000), 16000, noise=0.1)
    tracker = PitchTracker(16000, 400, 160, 50.0, 400.0)
    for loud, quiet in zip(tracker(voice, 45), tracker(1e-3 * voice, 45), strict=True):
        np.testing.assert_allclose(loud, quiet, rtol=1e-5)


def test_noise_has_low_correlation():
    noise = np.random.default_rng(0).standard_normal(16000)
    _, nccf = PitchTracker(16000, 640, 160, 50.0, 400.0)(noise, 97)
    assert np.median(nccf) < 0.5


def test_cheapest_path_is_the_best_of_all():
    rng = np.random.default_rng(0)
    costs = rng.uniform(size=(5, 4))
    steps = np.subtract.outer(np.arange(4), np.arange(4)).astype(np.float32)
    change_costs = 0.2 * steps**2

    def cost(path):
        changes = sum(change_costs[b, a] for a, b in itertools.pairwise(path))
        return costs[np.arange(5), path].sum() + changes

    best = min(itertools.product(range(4), repeat=5), key=lambda path: cost(list(path)))
    np.testing.assert_array_equal(cheapest_path(costs, change_costs), best)
