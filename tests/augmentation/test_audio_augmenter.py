import random

import numpy as np
import pytest
from sklearn.base import clone

from serkit.augmentation import (
    AudioAugmenter,
    AudioEffect,
    GainChange,
    PitchShift,
    Reverberation,
    SpeedChange,
)
from serkit.feature_extraction import MFCC, CachedTransformer, TemporalPooling
from serkit.pipeline import make_pipeline
from serkit.preprocessing import AudioLoader
from serkit.testing import RecordingClassifier
from serkit.utils import estimator_digest

RATE = 16000
TIME = np.arange(RATE) / RATE
TONE = (0.3 * np.sin(2 * np.pi * 440 * TIME)).astype(np.float32)


def frequency(waveform):
    """Return where the spectrum of a waveform has its peak, in Hz."""
    spectrum = np.abs(np.fft.rfft(waveform * np.hanning(len(waveform)), 8 * RATE))
    return spectrum.argmax() / 8


def rng():
    return np.random.default_rng(0)


def augment(effect, X, y=None, **options):
    sampler = AudioAugmenter(effect, **{"random_state": 0, **options})
    y = np.arange(len(X)) % 2 if y is None else y
    return AudioLoader(n_jobs=options.pop("n_jobs", None)).fit_transform(
        sampler.fit_resample(X, y)[0]
    )


def test_speed_moves_length_and_pitch():
    faster = SpeedChange(1.25, 1.25)(TONE, RATE, rng())
    assert len(faster) == pytest.approx(RATE / 1.25, abs=2)
    assert frequency(faster) == pytest.approx(550, abs=1)
    lengths = {len(waveform) for waveform in augment("speed", [TONE, TONE[:-1]], n_copies=9)[2:]}
    assert len(lengths) == 18
    assert min(lengths) >= RATE / 1.1 - 2
    assert max(lengths) <= RATE / 0.9 + 2


def test_pitch_moves_without_the_length():
    higher = PitchShift(3.0, 3.0)(TONE, RATE, rng())
    assert higher.shape == TONE.shape
    assert frequency(higher) == pytest.approx(440 * 2 ** (3 / 12), rel=5e-3)
    assert PitchShift()(TONE[:300], RATE, rng()).shape == (300,)


def test_gain_is_in_its_range():
    gains = [
        20 * np.log10(np.abs(waveform).max() / np.abs(TONE).max())
        for waveform in augment(GainChange(-3.0, 5.0), [TONE, 0.5 * TONE], n_copies=20)[2:22]
    ]
    assert -3 <= min(gains) < -1
    assert 3 < max(gains) <= 5


def test_reverberation_dies_away_as_told():
    """Schroeder's integral of the tail falls by 60 dB in the reverberation time."""
    click = np.zeros(RATE)
    click[0] = 1.0
    room = Reverberation(0.5, 0.5)(click, RATE, rng())
    assert np.mean(room**2) == pytest.approx(np.mean(click**2))
    tail = room[1:]
    assert 10 * np.log10(room[0] ** 2 / np.sum(tail**2)) == pytest.approx(3, abs=1e-6)
    level = 10 * np.log10(np.cumsum(tail[::-1] ** 2)[::-1] / np.sum(tail**2) + 1e-12)
    times = np.searchsorted(-level, [5, 35]) / RATE
    assert 2 * (times[1] - times[0]) == pytest.approx(0.5, rel=0.1)


def test_a_recorded_room_does_not_delay(sounds):
    """What comes before the peak of an impulse response is cut off."""
    response = np.zeros(800, dtype=np.float32)
    response[[200, 400]] = [1.0, -0.5]
    room = Reverberation(impulse_responses=[response])(TONE, RATE, rng())
    expected = TONE.astype(float)
    expected[200:] -= 0.5 * TONE[:-200]
    expected *= np.sqrt(np.mean(TONE**2.0) / np.mean(expected**2))
    np.testing.assert_allclose(room, expected, atol=1e-5)
    from_file = Reverberation(impulse_responses=sounds.noise_paths)
    assert from_file(TONE, RATE, rng()).shape == TONE.shape
    one = estimator_digest(Reverberation(impulse_responses=sounds.noise_paths[:1]))
    assert one != estimator_digest(Reverberation(impulse_responses=sounds.noise_paths[1:]))
    with pytest.raises(ValueError, match="impulse response 1 is empty or silent"):
        Reverberation(impulse_responses=[response, np.zeros(3)])


@pytest.mark.parametrize("effect", ["speed", "gain", "reverb", ["speed", "reverb", "gain"]])
def test_an_utterance_gets_the_same_whatever_the_others_are(effect, sounds):
    X, order = sounds.waveforms, np.random.default_rng(0).permutation(8)[:5]
    whole = augment(effect, X, n_copies=2)[8:].reshape(8, 2)
    part = augment(effect, [X[row] for row in order], n_copies=2)[5:].reshape(5, 2)
    for row, copies in zip(order, part, strict=True):
        for a, b in zip(whole[row], copies, strict=True):
            np.testing.assert_array_equal(a, b)
    assert not np.array_equal(*(whole[0][copy][:500] for copy in (0, 1)))
    other = augment(effect, X, n_copies=2, random_state=1)
    assert not np.array_equal(other[8][:500], whole[0][0][:500])


def flip(waveform, sampling_rate):
    """Draw from both of the global random states."""
    assert sampling_rate == RATE
    return waveform * random.choice([-1, 1]) * np.random.uniform(0.5, 2)  # noqa: NPY002


def test_functions_of_others_are_seeded_and_leave_no_trace(sounds):
    states = random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002
    first = augment(flip, sounds.waveforms)
    assert random.getstate() == states[0]
    np.testing.assert_array_equal(np.random.get_state()[1], states[1])  # noqa: NPY002
    random.seed(5)
    X, _ = AudioAugmenter(flip, random_state=0).fit_resample(sounds.waveforms, sounds.y)
    for a, b in zip(first, AudioLoader(n_jobs=2).fit_transform(X), strict=True):
        np.testing.assert_array_equal(a, b)
    factors = [copy[0] / clean[0] for copy, clean in zip(first[8:], sounds.waveforms, strict=True)]
    assert len({round(float(factor), 5) for factor in factors}) == 8


def test_transforms_of_audiomentations(sounds):
    audiomentations = pytest.importorskip("audiomentations")
    transform = audiomentations.Compose(
        [
            audiomentations.AddGaussianSNR(min_snr_db=5, max_snr_db=20, p=1.0),
            audiomentations.Gain(min_gain_db=-6, max_gain_db=6, p=0.5),
        ]
    )
    first, again = (augment(transform, sounds.waveforms, n_copies=2) for _ in range(2))
    assert not np.array_equal(first[0], first[8])
    for a, b in zip(first, again, strict=True):
        assert a.dtype == np.float32
        np.testing.assert_array_equal(a, b)


def test_own_effects(sounds):
    class Crop(AudioEffect):
        def __call__(self, waveform, sampling_rate, rng):
            return waveform[rng.integers(100) :]

    X = augment(Crop(), sounds.waveforms)
    assert all(len(a) - 100 < len(b) <= len(a) for a, b in zip(X[:8], X[8:], strict=True))


def test_copies_are_cached_and_trained_on(sounds, tmp_path):
    features = make_pipeline(AudioLoader(), MFCC(n_mfcc=3), TemporalPooling())
    pipe = make_pipeline(
        AudioAugmenter(["speed", "gain"], n_copies=2, random_state=0),
        CachedTransformer(features, tmp_path),
        RecordingClassifier(),
    )
    pipe.fit(sounds.paths, sounds.y, recordingclassifier__speakers=sounds.speakers)
    first = pipe[-1]
    assert first.X_.shape == (24, 6)
    assert list(first.speakers_) == [*sounds.speakers, *np.repeat(sounds.speakers, 2)]
    assert pipe.predict(sounds.paths).shape == (8,)
    again = clone(pipe).fit(sounds.paths, sounds.y)
    np.testing.assert_array_equal(first.X_, again[-1].X_)


def test_numeric_audio_keeps_its_length():
    X = np.stack([TONE, 0.5 * TONE])
    resampled, _ = AudioAugmenter("gain", random_state=0).fit_resample(X, [0, 1])
    assert resampled.shape == (4, RATE)
    with pytest.raises(ValueError, match="copy of utterance 0 has another length .* as a list"):
        AudioAugmenter("speed", random_state=0).fit_resample(X, [0, 1])


@pytest.mark.parametrize(
    ("effect", "message"),
    [
        ("echo", "'effect' parameter"),
        (["speed", "echo"], "effect must be one of 'gain', 'pitch', 'reverb', 'speed'"),
        (lambda waveform, rate: waveform[:0], "utterance 2 .*: <lambda> leaves no samples"),
        (
            lambda waveform, rate: np.nan * waveform,
            "utterance 2 .*: <lambda> leaves no samples, or NaN",
        ),
        (lambda waveform, rate: waveform[None], "utterance 2 .*: <lambda> must return a waveform"),
    ],
)
def test_bad_effects(effect, message):
    with pytest.raises(ValueError, match=message):
        augment(effect, [TONE, TONE])


@pytest.mark.parametrize(
    "make",
    [
        lambda: SpeedChange(0.0, 1.0),
        lambda: SpeedChange(1.2, 1.1),
        lambda: Reverberation(-1.0, 1.0),
        lambda: GainChange(3.0, np.inf),
        lambda: PitchShift(2.0, 1.0),
    ],
)
def test_ranges_are_checked(make):
    with pytest.raises(ValueError, match="low must be above .* at most high"):
        make()


def test_other_sampling_rates_are_refused(sounds):
    X, _ = AudioAugmenter("gain").fit_resample(sounds.paths, sounds.y)
    with pytest.raises(ValueError, match="has 8000 Hz, but AudioAugmenter has sampling_rate=16000"):
        AudioLoader(8000).fit_transform(X)
