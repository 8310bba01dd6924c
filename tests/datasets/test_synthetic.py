"""Made-up speech is reproducible, and speaker and emotion are factors of their own."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest
from scipy import fft, signal
from scipy.stats import trim_mean
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import LeaveOneGroupOut, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from serkit.datasets import _voice, make_emotional_speech
from serkit.datasets._synthetic import _manner
from serkit.datasets._voice import (
    REFERENCE_PITCH,
    Settings,
    _all_pole,
    compose_sentence,
    speak,
)

ALL_EMOTIONS = [
    "anger", "boredom", "calm", "disgust", "fear", "happiness", "neutral", "sadness", "surprise",
]  # fmt: skip


def one_sentence(seed=0, **settings):
    sentence = compose_sentence(np.random.default_rng(3))
    return speak(sentence, Settings(**settings), np.random.default_rng(seed), 16000)


def pitch_of(waveform, sampling_rate=16000):
    """Mean fundamental frequency in Hz, by the autocorrelation of the voiced frames."""
    size = int(0.05 * sampling_rate)
    frames = np.lib.stride_tricks.sliding_window_view(waveform, size)[:: size // 2]
    frames = (frames - frames.mean(1, keepdims=True)) * np.hanning(size)
    power = np.abs(fft.rfft(frames, 2 * size)) ** 2
    window = fft.irfft(np.abs(fft.rfft(np.hanning(size), 2 * size)) ** 2)
    lags = np.arange(sampling_rate // 450, sampling_rate // 60)
    correlation = fft.irfft(power)[:, lags] / window[lags]
    voiced = correlation.max(1) > 0.2 * correlation.max()
    correlation = correlation[voiced]
    # The first peak that is nearly the highest, so that no octave is lost.
    is_peak = correlation > 0.85 * correlation.max(1, keepdims=True)
    first = is_peak.argmax(1)
    best = [
        start + row[start : start + 12].argmax()
        for row, start in zip(correlation, first, strict=True)
    ]
    return sampling_rate / np.exp(trim_mean(np.log(lags[best]), 0.2))


def level_of(waveform):
    return 10 * np.log10(np.mean(waveform.astype(float) ** 2))


def centroid_of(waveform, low=200, high=5000):
    frequency, power = signal.welch(waveform, 16000, nperseg=512)
    band = (frequency > low) & (frequency < high)
    level = np.log(power[band] + 1e-12)
    level -= level.min()
    return (frequency[band] * level).sum() / level.sum()


def cepstral_statistics(corpus, n_bands=24, size=512):
    edges = 700 * (np.geomspace(1 + 60 / 700, 1 + 8000 / 700, n_bands + 2) - 1)
    frequency = fft.rfftfreq(size, 1 / 16000)[:, None]
    rising = (frequency - edges[:-2]) / np.diff(edges)[:-1]
    falling = (edges[2:] - frequency) / np.diff(edges)[1:]
    mel = np.maximum(np.minimum(rising, falling), 0)
    rows = []
    for waveform in corpus.audio:
        frames = np.lib.stride_tricks.sliding_window_view(waveform, size)[:: size // 2]
        power = np.abs(fft.rfft(frames * np.hanning(size))) ** 2
        cepstrum = fft.dct(np.log(power @ mel + 1e-8), norm="ortho")[:, :13]
        rows.append(np.r_[cepstrum.mean(0), cepstrum.std(0)])
    return np.array(rows)


def uar_of_speaker_and_random_folds(corpus):
    X, y = cepstral_statistics(corpus), corpus.y.astype(str)
    model = make_pipeline(StandardScaler(), SVC(kernel="linear"))
    by_speaker = cross_val_predict(model, X, y, groups=corpus.speakers, cv=LeaveOneGroupOut())
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    at_random = cross_val_predict(model, X, y, cv=folds)
    return balanced_accuracy_score(y, by_speaker), balanced_accuracy_score(y, at_random)


def digest(corpus):
    return hashlib.sha256(b"".join(waveform.tobytes() for waveform in corpus.audio)).hexdigest()


@pytest.fixture(scope="module")
def corpus():
    return make_emotional_speech(8, n_sentences=6, random_state=0)


def test_table(corpus):
    table = corpus.table
    assert len(corpus) == 8 * 4 * 6
    assert corpus.emotions == ["anger", "happiness", "neutral", "sadness"]
    assert sorted(set(corpus.speakers)) == [f"{i:02d}" for i in range(1, 9)]
    assert sorted(set(table["sentence"])) == [f"s{i:02d}" for i in range(1, 7)]
    assert (table.groupby(["speaker", "emotion", "sentence"]).size() == 1).all()
    genders = table.groupby("speaker")["gender"].unique()
    assert [list(gender) for gender in genders] == [["male"], ["female"]] * 4
    assert corpus.sampling_rate == 16000


def test_waveforms_are_audible_float32_below_one_and_of_natural_length(corpus):
    for waveform in corpus.audio:
        assert waveform.dtype == np.float32
        assert 0.01 < np.abs(waveform).max() < 1
        assert 0.9 < len(waveform) / 16000 < 3.2


def test_extreme_settings_stay_in_range():
    corpus = make_emotional_speech(
        2, ALL_EMOTIONS, 1, speaker_strength=20, emotion_strength=20, variability=20, random_state=0
    )
    for waveform in corpus.audio:
        assert np.isfinite(waveform).all()
        assert 0.001 < np.abs(waveform).max() < 1
        assert len(waveform) < 5 * 16000


@pytest.mark.parametrize("sampling_rate", [8000, 22050, 48000])
def test_sampling_rate_changes_neither_duration_nor_pitch(sampling_rate):
    options = {"n_speakers": 1, "emotions": ["anger"], "n_sentences": 1, "random_state": 0}
    reference = make_emotional_speech(**options)
    corpus = make_emotional_speech(**options, sampling_rate=sampling_rate)
    assert corpus.sampling_rate == sampling_rate
    assert corpus.table["duration"][0] == pytest.approx(reference.table["duration"][0], abs=0.01)
    pitch = pitch_of(corpus.audio[0], sampling_rate)
    assert pitch == pytest.approx(pitch_of(reference.audio[0]), rel=0.05)


def test_same_seed_gives_the_same_bits_in_another_process():
    code = (
        "import hashlib\n"
        "from serkit.datasets import make_emotional_speech\n"
        "corpus = make_emotional_speech(2, n_sentences=1, random_state=7)\n"
        "data = b''.join(waveform.tobytes() for waveform in corpus.audio)\n"
        "print(hashlib.sha256(data).hexdigest())\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    here = make_emotional_speech(2, n_sentences=1, random_state=7)
    assert result.stdout.strip() == digest(here)
    assert digest(make_emotional_speech(2, n_sentences=1, random_state=8)) != digest(here)


def test_random_state_instance():
    options = {"n_speakers": 1, "emotions": ["fear"], "n_sentences": 1}
    rng = np.random.RandomState(0)
    first, second = (make_emotional_speech(**options, random_state=rng) for _ in range(2))
    again = make_emotional_speech(**options, random_state=np.random.RandomState(0))
    assert digest(first) == digest(again) != digest(second)


def test_larger_corpus_contains_the_smaller_one():
    small = make_emotional_speech(1, ["sadness"], 1, random_state=3)
    large = make_emotional_speech(2, ["anger", "sadness"], 2, n_takes=2, random_state=3)
    same = large.select(speaker="01", emotion="sadness", sentence="s01")
    assert list(same.table["take"]) == [1, 2]
    np.testing.assert_array_equal(same.audio[0], small.audio[0])
    assert not np.array_equal(same.audio[1], small.audio[0])


@pytest.mark.parametrize("semitones", [-6, 0, 6])
def test_pitch_is_the_one_asked_for(semitones):
    waveform = one_sentence(pitch=semitones, melody=-2)
    assert pitch_of(waveform) == pytest.approx(REFERENCE_PITCH * 2 ** (semitones / 12), rel=0.08)


def test_speakers_have_the_pitch_drawn_for_them():
    corpus = make_emotional_speech(6, ["neutral"], 2, variability=0, random_state=5)
    seed = int(np.random.RandomState(5).randint(2**31))
    for speaker in range(6):
        pitch = Settings(*_manner(seed, speaker, "neutral", 1, 1)).pitch
        own = corpus.select(speaker=f"{speaker + 1:02d}")
        measured = np.mean([pitch_of(waveform) for waveform in own.audio])
        assert measured == pytest.approx(REFERENCE_PITCH * 2 ** (pitch / 12), rel=0.12)


def test_settings_change_the_voice_in_their_direction():
    neutral = one_sentence()
    assert centroid_of(one_sentence(tract=0.2)) > centroid_of(neutral) + 50
    assert centroid_of(one_sentence(tract=-0.2)) < centroid_of(neutral) - 50
    assert centroid_of(one_sentence(brightness=6)) > centroid_of(neutral) + 20
    assert len(one_sentence(rate=0.3)) < 0.9 * len(neutral)
    assert level_of(one_sentence(level=6)) == pytest.approx(level_of(neutral) + 6)


def test_vocal_tract_resonates_at_its_formants():
    formants = np.array([[500.0, 1500.0, 2500.0], [300.0, 2300.0, 3000.0]])
    for expected, denominator in zip(formants, _all_pole(formants, 16000), strict=True):
        frequency, response = signal.freqz(1, denominator, worN=4000, fs=16000)
        assert abs(response[0]) == pytest.approx(1)
        peaks = frequency[signal.find_peaks(np.abs(response))[0]]
        np.testing.assert_allclose(peaks, expected, atol=40)


def test_steady_vocal_tract_equals_a_recursive_filter(monkeypatch):
    formants = np.array([[300.0, 900.0, 2400.0, 3500.0, 4500.0, 5500.0]])
    monkeypatch.setattr(
        _voice, "_formant_tracks", lambda score, settings, time, rate: formants.repeat(len(time), 0)
    )
    pulses = np.zeros(8000)
    pulses[::130] = 1
    actual = _voice._vocal_tract(pulses, None, None, 16000)
    expected = signal.lfilter([1], _all_pole(formants, 16000)[0], pulses)
    error = (actual - expected)[2000:]
    assert np.std(error) < 1e-4 * np.std(expected)


def test_anger_is_louder_and_higher_than_sadness_for_every_speaker():
    corpus = make_emotional_speech(6, ["anger", "sadness"], 2, speaker_strength=0.3, random_state=0)
    for speaker in sorted(set(corpus.speakers)):
        anger, sadness = (
            corpus.select(speaker=speaker, emotion=emotion).audio
            for emotion in ("anger", "sadness")
        )
        assert np.mean([*map(level_of, anger)]) > np.mean([*map(level_of, sadness)]) + 5
        assert np.mean([*map(pitch_of, anger)]) > 1.1 * np.mean([*map(pitch_of, sadness)])
        assert sum(map(len, anger)) < sum(map(len, sadness))


def test_neutral_speech_does_not_depend_on_the_strength_of_emotions():
    weak, strong = (
        make_emotional_speech(1, ["neutral"], 1, emotion_strength=strength, random_state=0)
        for strength in (0, 2)
    )
    assert digest(weak) == digest(strong)


def test_speakers_differ_in_level_and_pitch():
    corpus = make_emotional_speech(10, ["neutral"], 1, variability=0, random_state=0)
    assert np.std([level_of(waveform) for waveform in corpus.audio]) > 1
    pitches = np.array([pitch_of(waveform) for waveform in corpus.audio])
    is_female = corpus.genders == "female"
    assert pitches[is_female].min() > pitches[~is_female].max()


def test_without_strength_or_variability_speakers_and_emotions_are_alike():
    manners = [_manner(0, speaker, emotion, 0, 0) for speaker in (0, 1) for emotion in ALL_EMOTIONS]
    assert not np.any(manners)
    corpus = make_emotional_speech(
        4, ["anger", "sadness"], 1, speaker_strength=0, variability=0, random_state=0
    )
    anger, sadness = (corpus.select(emotion=emotion).audio for emotion in ("anger", "sadness"))
    assert np.std([*map(level_of, anger)]) < 0.5
    assert np.std([*map(level_of, sadness)]) < 0.5


def test_noise():
    clean, noisy = (
        make_emotional_speech(1, ["neutral"], 1, snr=snr, random_state=0).audio[0].astype(float)
        for snr in (None, 10)
    )
    assert level_of(clean) - level_of(noisy - clean) == pytest.approx(10, abs=0.2)


def test_random_folds_score_higher_than_speaker_folds(corpus):
    by_speaker, at_random = uar_of_speaker_and_random_folds(corpus)
    assert 0.5 < by_speaker < 0.9
    assert at_random > by_speaker + 0.05


def test_with_equal_speakers_random_folds_gain_nothing():
    corpus = make_emotional_speech(
        8, n_sentences=4, speaker_strength=0, emotion_strength=0.4, random_state=0
    )
    by_speaker, at_random = uar_of_speaker_and_random_folds(corpus)
    assert by_speaker > 0.6
    assert at_random < by_speaker + 0.05


@pytest.mark.parametrize("emotions", [["anger", "joy"], ["anger", "anger"], []])
def test_emotions_are_checked(emotions):
    with pytest.raises(ValueError, match="emotion"):
        make_emotional_speech(1, emotions, 1)


def test_unknown_emotion_is_named_with_the_known_ones():
    with pytest.raises(ValueError, match=r"unknown emotions \['joy'\].*'happiness'"):
        make_emotional_speech(1, ["joy"], 1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_speakers", 0),
        ("emotions", "anger"),
        ("n_sentences", 1.5),
        ("n_takes", 0),
        ("speaker_strength", -1),
        ("emotion_strength", -0.1),
        ("variability", "high"),
        ("snr", "loud"),
        ("sampling_rate", 4000),
        ("random_state", "seed"),
    ],
)
def test_parameters_are_checked(name, value):
    with pytest.raises(ValueError, match=f"The '{name}' parameter"):
        make_emotional_speech(**{name: value})
