import tracemalloc

import numpy as np
import pytest
import soundfile
from sklearn.base import clone

from serkit.augmentation import AudioAugmenter, NoiseMixer
from serkit.feature_extraction import (
    MFCC,
    CachedTransformer,
    LogMelSpectrogram,
    OpenSmileFunctionals,
    TemporalPooling,
)
from serkit.pipeline import Pipeline, make_pipeline
from serkit.preprocessing import AudioLoader, HighPassFilter
from serkit.testing import RecordingClassifier
from serkit.utils import AudioSegment, ChangedAudio, as_ragged, utterance_digest


def read(X):
    return AudioLoader().fit_transform(X)


def copies_of(sampler, X, y):
    """Return the waveforms added for each utterance, by its digest."""
    resampled, _ = sampler.fit_resample(X, y)
    found = {}
    for waveform, row in zip(read(resampled), sampler.sample_indices_, strict=True):
        found.setdefault(utterance_digest(X[row]), []).append(waveform)
    return {digest: waveforms[1:] for digest, waveforms in found.items()}


def assert_same_copies(left, right, digests):
    for digest in digests:
        for a, b in zip(left[digest], right[digest], strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("kind", ["waveforms", "paths"])
def test_real_rows_first_then_copies_at_the_ratio(kind, sounds, snr_of):
    X = as_ragged(getattr(sounds, kind))
    mixer = NoiseMixer(sounds.noise_paths, snr=[-5, 5, 12], n_copies=3, random_state=0)
    resampled, y = mixer.fit_resample(X, sounds.y)
    assert resampled.dtype == object
    assert all(a is b for a, b in zip(resampled, X, strict=False))
    assert mixer.sample_indices_.tolist() == [*range(8), *np.repeat(range(8), 3)]
    np.testing.assert_array_equal(y, sounds.y[mixer.sample_indices_])
    assert mixer.sampling_strategy_ == {"anger": 12, "calm": 12}
    assert all(isinstance(item, ChangedAudio) for item in resampled[8:])
    for waveform, row, snr in zip(read(resampled), mixer.sample_indices_, mixer.snr_, strict=True):
        clean = sounds.waveforms[row]
        assert waveform.dtype == np.float32
        if np.isfinite(snr):
            assert snr_of(clean, waveform) == pytest.approx(snr, abs=1e-4)
        else:
            np.testing.assert_array_equal(waveform, clean)
    assert set(mixer.snr_[8:]) == {-5, 5, 12}
    assert (mixer.noise_indices_[:8] == -1).all()
    # A noise comes again only after all others.
    assert all(set(rows) == {0, 1, 2} for rows in mixer.noise_indices_[8:].reshape(8, 3))


def test_every_noise_at_every_ratio(sounds):
    mixer = NoiseMixer(sounds.noises, snr=[0, 10], n_copies=(None, None), random_state=0)
    X, _ = mixer.fit_resample(sounds.waveforms, sounds.y)
    assert len(X) == 8 * 7
    assert mixer.noise_indices_[8:14].tolist() == [0, 0, 1, 1, 2, 2]
    assert mixer.snr_[8:14].tolist() == [0, 10] * 3


def test_the_design_of_sixty_copies():
    """Twenty different noises, each at the same three ratios, others for every utterance."""
    rng = np.random.default_rng(0)
    noises = list(rng.normal(size=(40, 50)))
    speech = list(rng.normal(size=(3, 80)))
    mixer = NoiseMixer(noises, snr=(-10, 15), n_copies=(20, 3), random_state=0)
    X, _ = mixer.fit_resample(speech, ["a", "b", "b"])
    assert len(X) == 3 * 61
    for row in range(3):
        added = np.flatnonzero(mixer.sample_indices_ == row)[1:]
        drawn, snrs = mixer.noise_indices_[added], mixer.snr_[added]
        assert len(set(drawn)) == 20
        assert len(set(snrs)) == 3
        assert len(set(zip(drawn, snrs, strict=True))) == 60
    assert -10 <= mixer.snr_[3:].min() < mixer.snr_[3:].max() <= 15
    assert len(set(mixer.snr_[3:])) == 9


@pytest.mark.parametrize("kind", ["waveforms", "paths"])
def test_an_utterance_gets_the_same_whatever_the_others_are(kind, sounds):
    X = getattr(sounds, kind)
    mixer = NoiseMixer(sounds.noises, n_copies=2, random_state=3)
    whole = copies_of(mixer, X, sounds.y)
    order = np.random.default_rng(0).permutation(8)
    shuffled = copies_of(clone(mixer), [X[row] for row in order], sounds.y[order])
    assert_same_copies(whole, shuffled, whole)
    part = copies_of(clone(mixer), X[2:6], sounds.y[2:6])
    assert_same_copies(whole, part, part)
    other = copies_of(clone(mixer).set_params(random_state=4), X, sounds.y)
    assert not np.array_equal(next(iter(whole.values()))[0], next(iter(other.values()))[0])


def test_precision_and_jobs_make_no_difference(sounds):
    mixer = NoiseMixer(sounds.noises, random_state=0)
    X, _ = mixer.fit_resample(sounds.waveforms, sounds.y)
    double = [waveform.astype(np.float64) for waveform in sounds.waveforms]
    X_double, _ = mixer.fit_resample(double, sounds.y)
    in_parallel = AudioLoader(n_jobs=2).fit_transform(X_double)
    for a, b in zip(read(X), in_parallel, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_numeric_audio_stays_numeric(sounds):
    X = np.stack([waveform[:2400] for waveform in sounds.waveforms])
    ragged, _ = NoiseMixer(sounds.noises, random_state=0).fit_resample(list(X), sounds.y)
    numeric, _ = NoiseMixer(sounds.noises, random_state=0).fit_resample(X, sounds.y)
    assert numeric.dtype == np.float32
    np.testing.assert_array_equal(numeric, np.stack(list(read(ragged))))
    integers = np.round(X * 32768).astype(np.int16)
    resampled, _ = NoiseMixer(sounds.noises, random_state=0).fit_resample(integers, sounds.y)
    assert resampled.dtype == np.int16
    np.testing.assert_array_equal(resampled[:8], integers)
    from_integers = read(resampled)
    as_list, _ = NoiseMixer(sounds.noises, random_state=0).fit_resample(list(integers), sounds.y)
    np.testing.assert_allclose(from_integers, np.stack(list(read(as_list))), atol=1 / 32768)


READERS = {
    "loader": AudioLoader(),
    "loader and frames": make_pipeline(AudioLoader(), LogMelSpectrogram(n_mels=8)),
    "frames": LogMelSpectrogram(n_mels=8),
    "filter": HighPassFilter(),
    "cache": CachedTransformer(make_pipeline(AudioLoader(), MFCC(n_mfcc=3), TemporalPooling())),
    "openSMILE": OpenSmileFunctionals("eGeMAPSv02"),
}


@pytest.mark.parametrize("name", READERS)
def test_every_step_of_audio_reads_copies(name, sounds):
    if name == "openSMILE":
        pytest.importorskip("opensmile")
    X, _ = NoiseMixer(sounds.noises, random_state=0).fit_resample(sounds.waveforms[:2], ["a", "b"])
    reader = READERS[name]
    deferred = clone(reader).fit_transform(X)
    at_once = clone(reader).fit_transform(read(X))
    assert len(deferred) == 4
    for a, b in zip(deferred, at_once, strict=True):
        np.testing.assert_array_equal(a, b)


def test_copies_of_files_need_a_loader(sounds):
    X, _ = NoiseMixer(sounds.noises, random_state=0).fit_resample(sounds.paths, sounds.y)
    with pytest.raises(TypeError, match=r"utterance 0 is a path .*put an AudioLoader before it"):
        LogMelSpectrogram().fit_transform(X)
    with pytest.raises(
        TypeError, match=r"utterance 0 .*speech0.wav, noise \d at .* dB.*AudioLoader"
    ):
        LogMelSpectrogram().fit_transform(X[8:])


def test_the_cache_knows_copies_again(sounds, tmp_path, monkeypatch):
    features = make_pipeline(AudioLoader(), MFCC(n_mfcc=3), TemporalPooling())
    cached = CachedTransformer(features, tmp_path)
    mixer = NoiseMixer(sounds.noise_paths, random_state=0)
    computed = cached.fit_transform(mixer.fit_resample(sounds.paths, sounds.y)[0])

    def fail(*_, **__):
        raise AssertionError("computed again")

    monkeypatch.setattr(LogMelSpectrogram, "_make_kernel", fail)
    monkeypatch.setattr("serkit.augmentation._noises.mix", fail)
    again = cached.transform(clone(mixer).fit_resample(sounds.paths, sounds.y)[0])
    np.testing.assert_array_equal(computed, again)
    for other in ({"random_state": 1}, {"snr": 0.0}, {"noises": sounds.noise_paths[:1]}):
        X, _ = clone(mixer).set_params(**other).fit_resample(sounds.paths[:2], ["a", "b"])
        with pytest.raises(AssertionError, match="computed again"):
            cached.transform(X[2:])


def test_samplers_follow_each_other(sounds, snr_of):
    """Copies of copies, whose origin is the utterance itself."""
    chain = [
        ("gain", AudioAugmenter("gain", random_state=0)),
        ("noise", NoiseMixer(sounds.noises, snr=5, random_state=0)),
        ("load", AudioLoader()),
        ("last", RecordingClassifier()),
    ]
    pipe = Pipeline(chain).fit(sounds.paths, sounds.y, last__speakers=sounds.speakers)
    last = pipe["last"]
    assert len(last.X_) == 32
    assert list(last.speakers_) == [*sounds.speakers] * 4
    for plain, noisy in zip(last.X_[:16], last.X_[16:], strict=True):
        assert snr_of(plain, noisy) == pytest.approx(5, abs=1e-4)


def test_never_acts_in_predict(sounds):
    pipe = make_pipeline(NoiseMixer(sounds.noises, random_state=0), AudioLoader())
    pipe.steps.append(("last", RecordingClassifier()))
    pipe.fit(sounds.paths, sounds.y)
    assert len(pipe["last"].X_) == 16
    assert pipe.predict(sounds.paths).shape == (8,)


def test_sixty_copies_take_no_more_memory_than_their_features(tmp_path):
    """Of one second each, 183 utterances would be 12 MB of audio."""
    rng = np.random.default_rng(0)
    paths, noises = [str(tmp_path / f"{row}.wav") for row in range(3)], []
    for path in paths:
        soundfile.write(path, 0.1 * rng.normal(size=16000), 16000)
    for row in range(5):
        noises.append(str(tmp_path / f"noise{row}.wav"))
        soundfile.write(noises[-1], 0.1 * rng.normal(size=16000), 16000)
    features = make_pipeline(AudioLoader(), MFCC(n_mfcc=13), TemporalPooling())

    def peak(n_snrs):
        mixer = NoiseMixer(noises, n_copies=(5, n_snrs), random_state=0)
        tracemalloc.start()
        try:
            X, _ = mixer.fit_resample(paths, ["a", "b", "b"])
            result = CachedTransformer(features).fit_transform(X)
            return tracemalloc.get_traced_memory()[1] - result.nbytes, len(X)
        finally:
            tracemalloc.stop()

    peak(1)  # what is made once
    few, n_few = peak(1)
    many, n_many = peak(12)
    assert (n_few, n_many) == (18, 183)
    assert (many - few) / (n_many - n_few) < 2000  # bytes per copy, of 64000 bytes of audio


def test_parts_of_files(sounds, snr_of):
    part = AudioSegment(sounds.paths[0], 0.02, 0.06)
    mixer = NoiseMixer([AudioSegment(sounds.noise_paths[1], 0.1)], snr=3, random_state=0)
    X, _ = mixer.fit_resample([part, sounds.paths[1]], ["a", "b"])
    clean, _, noisy, _ = read(X)
    assert len(noisy) == 640
    assert snr_of(clean, noisy) == pytest.approx(3, abs=1e-4)


def test_noises_of_other_rates_and_channels_are_brought_into_line(sounds, tmp_path, snr_of):
    path = str(tmp_path / "stereo.wav")
    soundfile.write(path, 0.1 * np.random.default_rng(0).normal(size=(44100, 2)), 44100)
    X, _ = NoiseMixer([path], snr=3, random_state=0).fit_resample(sounds.waveforms, sounds.y)
    assert snr_of(sounds.waveforms[0], read(X)[8]) == pytest.approx(3, abs=1e-4)


@pytest.mark.parametrize(
    ("noises", "message"),
    [
        ([], "there are no noises"),
        ([np.ones(3), np.zeros(3)], "noise 1 is empty or silent"),
        ([np.ones((3, 2))], "noise 0 has shape .3, 2.*average its channels"),
        ([np.array([1.0, np.inf])], "noise 0 has NaN"),
        (["nowhere.wav"], "noise 0 .nowhere.wav. cannot be used: no such file"),
    ],
)
def test_bad_noises_are_named(noises, message, sounds):
    with pytest.raises(ValueError, match=message):
        NoiseMixer(noises).fit_resample(sounds.waveforms, sounds.y)


def test_what_is_found_out_while_reading_is_named(sounds, tmp_path):
    silent = str(tmp_path / "silent.wav")
    soundfile.write(silent, np.zeros(1000), 16000)
    X, _ = NoiseMixer([silent]).fit_resample(sounds.paths, sounds.y)
    with pytest.raises(ValueError, match=r"utterance 8 .*noise 0 .*silent.wav.*it is silent"):
        read(X)
    X, _ = NoiseMixer(sounds.noises).fit_resample([silent, *sounds.paths[1:]], sounds.y)
    with pytest.raises(ValueError, match=r"utterance 8 .*silent.wav.*is silent, so no noise"):
        read(X)
    X, _ = NoiseMixer(sounds.noises).fit_resample(sounds.paths, sounds.y)
    with pytest.raises(ValueError, match="has 8000 Hz, the noise 16000 Hz; set sampling_rate"):
        AudioLoader(8000).fit_transform(X)
    X, _ = NoiseMixer(sounds.noises).fit_resample(sounds.waveforms, sounds.y)
    with pytest.raises(ValueError, match="utterance 8.* 8000 Hz, the noise 16000 Hz"):
        LogMelSpectrogram(sampling_rate=8000).fit_transform(X)


def test_bad_utterances_are_named(sounds):
    silent = [*sounds.waveforms[:7], np.zeros(1600)]
    with pytest.raises(ValueError, match="utterance 7 is silent"):
        NoiseMixer(sounds.noises).fit_resample(silent, sounds.y)
    missing = [*sounds.paths[:7], "nowhere.wav"]
    with pytest.raises(ValueError, match=r"utterance 7 .nowhere.wav. cannot be read"):
        NoiseMixer(sounds.noises).fit_resample(missing, sounds.y)
    with pytest.raises(ValueError, match="takes audio, one waveform per row"):
        NoiseMixer(sounds.noises).fit_resample(np.ones((8, 4, 5)), sounds.y)
    with pytest.raises(ValueError, match="a waveform is one-dimensional"):
        NoiseMixer(sounds.noises).fit_resample([np.ones((1, 4, 5))] * 8, sounds.y)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"snr": (15, -10)}, "a tuple is a range"),
        ({"snr": (0, 5, 10)}, "a tuple is a range"),
        ({"snr": []}, "snr must be numbers"),
        ({"snr": np.nan}, "snr must be numbers"),
        ({"n_copies": (4, 1)}, "asks for 4 noises per utterance, of 3"),
        ({"n_copies": (1, 0)}, "asks for 0 ratios"),
        ({"n_copies": (None, None)}, "n_copies must say how many ratios to draw"),
        ({"n_copies": (1, 2, 3)}, r"a number or \(n_noises, n_snrs\)"),
        ({"n_copies": (1, 3), "snr": [0, 5]}, "asks for 3 ratios per utterance, of 2"),
        ({"n_copies": 0}, "'n_copies' parameter"),
        ({"noises": "a.wav"}, "'noises' parameter"),
        ({"power": "loud"}, "'power' parameter"),
    ],
)
def test_parameters_are_checked(params, message, sounds):
    mixer = NoiseMixer(sounds.noises).set_params(**params)
    with pytest.raises(ValueError, match=message):
        mixer.fit_resample(sounds.waveforms, sounds.y)
