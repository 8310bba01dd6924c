import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from serkit.augmentation import NoiseCorruptor
from serkit.feature_extraction import MFCC, CachedTransformer, TemporalPooling
from serkit.preprocessing import AudioLoader
from serkit.utils import SignalWarning, as_ragged, estimator_digest


@pytest.mark.parametrize("snr", [-5, 0.0, 12])
def test_the_ratio_is_exact(snr, sounds, snr_of):
    corrupted = NoiseCorruptor(sounds.noise_paths, snr).fit_transform(as_ragged(sounds.waveforms))
    for clean, noisy in zip(sounds.waveforms, corrupted, strict=True):
        assert noisy.dtype == np.float32
        assert snr_of(clean, noisy) == pytest.approx(snr, abs=1e-4)


@pytest.mark.parametrize("snr", [None, np.inf])
def test_passes_through_without_noise(snr, sounds):
    corrupted = NoiseCorruptor(sounds.noises, snr).fit_transform(as_ragged(sounds.waveforms))
    assert all(a is b for a, b in zip(sounds.waveforms, corrupted, strict=True))


def test_an_utterance_gets_the_same_whatever_the_others_are(sounds):
    X = as_ragged(sounds.waveforms)
    corruptor = NoiseCorruptor(sounds.noises, random_state=1)
    whole = corruptor.fit_transform(X)
    order = np.random.default_rng(0).permutation(8)
    shuffled = clone(corruptor).set_params(n_jobs=2).transform(X[order[:5]])
    for row, noisy in zip(order, shuffled, strict=False):
        np.testing.assert_array_equal(noisy, whole[row])
    assert not np.array_equal(whole[0], NoiseCorruptor(sounds.noises).transform(X)[0])


def test_all_ratios_have_the_same_noise(sounds):
    """Only its level differs, so that a curve shows nothing but the ratio."""
    X = as_ragged(sounds.waveforms)
    added = [
        np.concatenate(NoiseCorruptor(sounds.noises, snr, rescale=False).transform(X))
        - np.concatenate(X)
        for snr in (0.0, 20.0)
    ]
    np.testing.assert_allclose(added[0], 10 * added[1], atol=1e-6)


def test_files_are_corrupted_when_they_are_read(sounds, snr_of):
    deferred = NoiseCorruptor(sounds.noise_paths, 4).defer(sounds.paths)
    for clean, noisy in zip(sounds.waveforms, AudioLoader().fit_transform(deferred), strict=True):
        assert snr_of(clean, noisy) == pytest.approx(4, abs=1e-4)
    deferred = NoiseCorruptor(sounds.noises, 4).defer(sounds.waveforms)
    at_once = NoiseCorruptor(sounds.noises, 4).transform(sounds.waveforms)
    for a, b in zip(AudioLoader().fit_transform(deferred), at_once, strict=True):
        np.testing.assert_array_equal(a, b)


def test_stands_in_a_cache(sounds, tmp_path):
    def features(noises):
        steps = make_pipeline(
            AudioLoader(), NoiseCorruptor(noises, 0), MFCC(n_mfcc=3), TemporalPooling()
        )
        return CachedTransformer(steps, tmp_path).fit_transform(sounds.paths)

    first, again = features(sounds.noise_paths), features(sounds.noise_paths)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first, features(sounds.noises))
    assert not np.array_equal(first, features(sounds.noise_paths[:1]))


def test_is_told_apart_by_the_content_of_its_noises(sounds, tmp_path):
    renamed = tmp_path / "renamed.wav"
    renamed.write_bytes((sounds.folder / "noise0.wav").read_bytes())
    one, same, other = (
        estimator_digest(NoiseCorruptor([noise]))
        for noise in (sounds.noise_paths[0], str(renamed), sounds.noise_paths[1])
    )
    assert one == same
    assert one != other


def test_silence_stays_silent(sounds):
    X = [sounds.waveforms[0], np.zeros(800, dtype=np.float32)]
    with pytest.warns(SignalWarning, match="utterance 1 contains only zeros"):
        corrupted = NoiseCorruptor(sounds.noises).fit_transform(X)
    assert not corrupted[1].any()
    with pytest.raises(ValueError, match="utterance 1 .*: is silent, so no noise"):
        AudioLoader().fit_transform(NoiseCorruptor(sounds.noises).defer(X))


@pytest.mark.parametrize("params", [{"snr": np.nan}, {"snr": "loud"}, {"random_state": None}])
def test_parameters_are_checked(params, sounds):
    with pytest.raises(ValueError, match="parameter of NoiseCorruptor"):
        NoiseCorruptor(sounds.noises).set_params(**params).fit(sounds.waveforms)
