import numpy as np
import pytest

from serkit.augmentation import mix_noise

RNG = np.random.default_rng(1)
SPEECH = 0.02 * RNG.normal(size=8000)


@pytest.mark.parametrize("snr", [-10, 0, 7.5, 30])
@pytest.mark.parametrize("n_noise", [1, 300, 7999, 8000, 50000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_ratio_is_exact(snr, n_noise, dtype, snr_of):
    speech = SPEECH.astype(dtype)
    noise = np.random.default_rng(n_noise).normal(size=n_noise)
    mixture = mix_noise(speech, noise, snr, rescale=False, random_state=0)
    assert mixture.dtype == dtype
    assert mixture.shape == speech.shape
    assert snr_of(speech, mixture) == pytest.approx(snr, abs=1e-4)


@pytest.mark.parametrize("snr", [None, np.inf])
def test_without_noise_nothing_changes(snr):
    np.testing.assert_array_equal(mix_noise(SPEECH, np.ones(3), snr), SPEECH)


def test_short_noise_is_repeated_and_long_noise_is_cut():
    noise = np.array([1.0, 2.0, 4.0])
    added = mix_noise(SPEECH, noise, 20, random_state=0) - SPEECH
    assert len(np.unique(added[:3].round(9))) == 3
    np.testing.assert_allclose(added[3:], added[:-3], atol=1e-9)
    noise = np.arange(1.0, 20001.0)
    added = mix_noise(SPEECH, noise, 20, random_state=0) - SPEECH
    np.testing.assert_allclose(np.diff(added), np.diff(added)[0])


def test_the_seed_draws_the_place():
    noise = RNG.normal(size=20000)
    first, again, other = (mix_noise(SPEECH, noise, 0, random_state=k) for k in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("seed", range(5))
def test_silent_places_are_passed_over(seed, snr_of):
    """A click in ten seconds of silence is always found."""
    noise = np.zeros(160000)
    noise[80000:80010] = 1.0
    mixture = mix_noise(SPEECH, noise, 10, rescale=False, random_state=seed)
    assert snr_of(SPEECH, mixture) == pytest.approx(10, abs=1e-4)


def test_mixtures_stay_in_range_and_keep_their_ratio():
    loud, noise = SPEECH / np.abs(SPEECH).max(), RNG.normal(size=9000)
    beyond = mix_noise(loud, noise, 0, rescale=False, random_state=0)
    within = mix_noise(loud, noise, 0, random_state=0)
    assert np.abs(beyond).max() > 1
    assert np.abs(within).max() == pytest.approx(1)
    np.testing.assert_allclose(within, beyond / np.abs(beyond).max())
    # Where speech itself goes beyond, its own peak is the limit.
    assert np.abs(mix_noise(5 * loud, noise, 0, random_state=0)).max() == pytest.approx(5)


def test_power_of_active_frames():
    """Pauses count for nothing, so the noise is as much louder as speech fills of the time."""
    noise = RNG.normal(size=512 * 8)
    speech = np.concatenate([np.sin(np.arange(512 * 2)), np.zeros(512 * 6)])
    full, active = (
        mix_noise(speech, noise, 10, power=power, rescale=False, random_state=0) - speech
        for power in ("full", "active")
    )
    np.testing.assert_allclose(active, 2 * full, rtol=1e-3)
    continuous = 0.1 * RNG.normal(size=512 * 8)
    by_power = [
        mix_noise(continuous, noise, 10, power=power, random_state=0)
        for power in ("full", "active")
    ]
    np.testing.assert_allclose(*by_power)


@pytest.mark.parametrize(
    ("speech", "noise", "options", "message"),
    [
        (np.zeros(5), np.ones(5), {}, "the waveform is silent"),
        (np.ones(5), np.zeros(5), {}, "the noise is silent"),
        (np.ones(5), [], {}, "the noise has shape"),
        (np.ones((5, 2)), np.ones(5), {}, "the waveform has shape .5, 2."),
        (np.ones(5), np.ones((5, 2)), {}, "the noise has shape .5, 2.*average the channels"),
        ([1.0, np.nan], np.ones(5), {}, "the waveform has NaN"),
        (np.ones(5), np.ones(5), {"snr": np.nan}, "snr must be"),
        (np.ones(5), np.ones(5), {"snr": -np.inf}, "snr must be"),
        (np.ones(5), np.ones(5), {"power": "rms"}, "power must be one of 'full', 'active'"),
    ],
)
def test_errors(speech, noise, options, message):
    with pytest.raises(ValueError, match=message):
        mix_noise(speech, noise, **{"snr": 0, **options})
