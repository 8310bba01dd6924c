"""Made-up emotional speech, for demos and tests."""

from collections.abc import Sequence
from itertools import product
from numbers import Integral, Real
from zlib import crc32

import numpy as np
import pandas as pd
from numpy.random import Generator, RandomState, SeedSequence, default_rng
from scipy import fft
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, validate_params

from serkit.datasets._corpus import Corpus
from serkit.datasets._voice import Settings, compose_sentence, speak
from serkit.utils import as_ragged

__all__ = ["make_emotional_speech"]

#: What each emotion changes in a voice, relative to its own neutral speech.
_EXPRESSIONS = {
    "anger": Settings(
        pitch=4, melody=0.55, ending=-1, rate=0.15, level=7, stress=4.5, brightness=6,
        opening=-0.12, breath=-3.5, jitter=0.55, shimmer=0.45, tract=0.025, articulation=0.15,
    ),
    "boredom": Settings(
        pitch=-3, melody=-1.1, ending=-1, rate=-0.3, level=-3.5, stress=-2.5, brightness=-2.5,
        opening=0.06, articulation=-0.3,
    ),
    "calm": Settings(
        pitch=-1, melody=-0.45, rate=-0.15, level=-3.5, stress=-1, brightness=-3,
        opening=0.09, breath=4.5, jitter=-0.35, shimmer=-0.35,
    ),
    "disgust": Settings(
        pitch=-1, melody=-0.2, ending=-2.5, rate=-0.3, level=-1, stress=2.5, brightness=1,
        opening=-0.12, jitter=1, shimmer=0.7, tract=-0.045,
    ),
    "fear": Settings(
        pitch=7, melody=-0.6, ending=1, rate=0.35, level=-1, stress=-2.5, brightness=-2,
        opening=0.09, breath=6, jitter=1, shimmer=0.55, tremor=0.7, tract=0.025,
    ),
    "happiness": Settings(
        pitch=4.5, melody=0.9, ending=3, rate=0.1, level=3.5, stress=2.5, brightness=2.5,
        opening=-0.025, jitter=-0.25, tract=0.055, articulation=0.15,
    ),
    "neutral": Settings(),
    "sadness": Settings(
        pitch=-1, melody=-0.9, ending=-1.5, rate=-0.3, level=-6, stress=-2.5, brightness=-4.5,
        opening=0.14, breath=6, jitter=0.55, shimmer=0.55, articulation=-0.25,
    ),
    "surprise": Settings(
        pitch=7, melody=1.1, ending=8, rate=0.05, level=2.5, stress=3.5, brightness=1,
        opening=0.045, breath=3.5, tract=0.035, articulation=0.1,
    ),
}  # fmt: skip

#: How far the mean voice of women is above that of both genders, and that of men below.
_FEMALE = Settings(pitch=4.8, tract=0.1, opening=0.05, breath=2.5, brightness=-1)

# Standard deviations: between the neutral voices of speakers of one gender, between
# the ways in which speakers express one emotion, and between utterances.
_SPEAKERS = Settings(
    pitch=1.4, melody=0.2, ending=0.5, rate=0.08, level=2, stress=0.6, brightness=1.4,
    opening=0.04, breath=2.2, jitter=0.3, shimmer=0.25, tract=0.04, articulation=0.06,
)  # fmt: skip
_STYLES = Settings(
    pitch=1.9, melody=0.5, ending=1.8, rate=0.1, level=2.4, stress=1.4, brightness=1.9,
    opening=0.05, breath=3, jitter=0.4, shimmer=0.35, tremor=0.12, tract=0.015, articulation=0.09,
)  # fmt: skip
_UTTERANCES = Settings(
    pitch=0.65, melody=0.18, ending=0.55, rate=0.05, level=0.85, stress=0.55, brightness=0.65,
    opening=0.015, breath=1, jitter=0.18, shimmer=0.14, tremor=0.04, tract=0.005,
    articulation=0.035,
)  # fmt: skip

#: The sum of all causes takes no voice further than this from the reference voice.
_LIMITS = Settings(
    pitch=15, melody=2, ending=12, rate=0.8, level=14, stress=9, brightness=12, opening=0.3,
    breath=18, jitter=2, shimmer=2, tremor=2, tract=0.3, articulation=0.6,
)  # fmt: skip

# First element of the key that each random stream is spawned with.
_SENTENCE, _SPEAKER, _STYLE, _CHANNEL, _UTTERANCE = range(5)


@validate_params(
    {
        "n_speakers": [Interval(Integral, 1, None, closed="left")],
        "emotions": ["array-like"],
        "n_sentences": [Interval(Integral, 1, None, closed="left")],
        "n_takes": [Interval(Integral, 1, None, closed="left")],
        "speaker_strength": [Interval(Real, 0, None, closed="left")],
        "emotion_strength": [Interval(Real, 0, None, closed="left")],
        "variability": [Interval(Real, 0, None, closed="left")],
        "snr": [None, Interval(Real, None, None, closed="neither")],
        "sampling_rate": [Interval(Integral, 8000, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_emotional_speech(
    n_speakers: int = 10,
    emotions: Sequence[str] = ("anger", "happiness", "neutral", "sadness"),
    n_sentences: int = 8,
    n_takes: int = 1,
    *,
    speaker_strength: float = 1.0,
    emotion_strength: float = 1.0,
    variability: float = 1.0,
    snr: float | None = 40.0,
    sampling_rate: int = 16000,
    random_state: int | RandomState | None = None,
) -> Corpus:
    """Make a corpus of synthetic emotional speech in memory.

    A source-filter voice [3]_ speaks meaningless sentences: glottal pulses and
    breath pass through moving formants, between fricatives and plosives.
    Speaker and emotion are separate factors. A speaker has a pitch, a vocal
    tract, a voice quality, a level, a rate and a recording channel, and an own
    way of expressing each emotion; an emotion changes pitch, melody, rate,
    level, stress and voice quality relative to the speaker's neutral speech, for
    anger, fear, happiness and sadness in the directions reported in [1]_ and
    [2]_. Classifiers therefore do better with random folds than on speakers
    that they have not heard.

    The voices are for demos, tests and documentation. They were designed, not
    measured: scores on them say nothing about real emotion.

    Parameters
    ----------
    n_speakers : int, default=10
        Number of speakers ``"01"``, ``"02"``, ...; men and women alternate.
    emotions : sequence of str, default=("anger", "happiness", "neutral", "sadness")
        Any of ``"anger"``, ``"boredom"``, ``"calm"``, ``"disgust"``, ``"fear"``,
        ``"happiness"``, ``"neutral"``, ``"sadness"`` and ``"surprise"``.
    n_sentences : int, default=8
        Number of sentences ``"s01"``, ``"s02"``, ... that every speaker says with
        every emotion.
    n_takes : int, default=1
        How many times each sentence is said.
    speaker_strength : float, default=1.0
        How much speakers differ, in their voices and in how they express
        emotions. With 0 all speakers, men and women, are alike.
    emotion_strength : float, default=1.0
        How strong the emotions are. With 0 all sound neutral.
    variability : float, default=1.0
        How much the utterances of one speaker with one emotion vary by chance.
    snr : float or None, default=40.0
        Signal-to-noise ratio of the recordings in dB, ``None`` for no noise.
    sampling_rate : int, default=16000
        Sampling rate in Hz, at least 8000.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same samples in every call. An utterance depends on
        this seed, its speaker, emotion, sentence and take alone: a larger
        corpus contains the smaller one.

    Returns
    -------
    corpus : Corpus
        ``n_speakers * len(emotions) * n_sentences * n_takes`` utterances in the
        order of speakers, emotions, sentences and takes; float32 waveforms of
        about 1 to 3 seconds, below 1 in magnitude. The table has a further
        column ``take``.

    Raises
    ------
    ValueError
        If an emotion is unknown or given twice.

    See Also
    --------
    Corpus : What is returned.

    References
    ----------
    .. [1] K. R. Scherer, "Vocal communication of emotion: A review of research
       paradigms", Speech Communication 40, 2003.
    .. [2] P. N. Juslin and P. Laukka, "Communication of emotions in vocal
       expression and music performance: Different channels, same code?",
       Psychological Bulletin 129, 2003.
    .. [3] D. H. Klatt and L. C. Klatt, "Analysis, synthesis, and perception of
       voice quality variations among female and male talkers", Journal of the
       Acoustical Society of America 87, 1990.

    Examples
    --------
    >>> from serkit.datasets import make_emotional_speech
    >>> corpus = make_emotional_speech(2, ["anger", "sadness"], n_sentences=3, random_state=0)
    >>> len(corpus)
    12
    >>> corpus.emotions, sorted(set(corpus.speakers)), corpus.sampling_rate
    (['anger', 'sadness'], ['01', '02'], 16000)
    >>> corpus.audio[0].dtype
    dtype('float32')
    """
    labels = _check_emotions(emotions)
    seed = int(check_random_state(random_state).randint(2**31))
    sentences = [compose_sentence(_stream(seed, _SENTENCE, i)) for i in range(n_sentences)]
    rows, waveforms = [], []
    for speaker, emotion in product(range(n_speakers), labels):
        manner = _manner(seed, speaker, emotion, speaker_strength, emotion_strength)
        channel = _channel(seed, speaker, speaker_strength, sampling_rate)
        for (number, sentence), take in product(enumerate(sentences), range(n_takes)):
            rng = _stream(seed, _UTTERANCE, speaker, crc32(emotion.encode()), number, take)
            settings = manner + variability * np.array(_UTTERANCES) * _standard(rng)
            settings = np.clip(settings, -np.array(_LIMITS), _LIMITS)
            waveform = speak(sentence, Settings(*settings.tolist()), rng, sampling_rate)
            waveforms.append(_record(waveform, channel, snr, rng))
            rows.append(
                {
                    "speaker": f"{speaker + 1:02d}",
                    "gender": _gender(speaker),
                    "emotion": emotion,
                    "sentence": f"s{number + 1:02d}",
                    "take": take + 1,
                }
            )
    return Corpus(
        pd.DataFrame(rows),
        waveforms=as_ragged(waveforms),
        sampling_rate=sampling_rate,
        name="synthetic",
    )


def _check_emotions(emotions: Sequence[str]) -> list[str]:
    labels = list(emotions)
    unknown = [label for label in labels if label not in _EXPRESSIONS]
    if unknown:
        raise ValueError(f"unknown emotions {unknown}; known are {sorted(_EXPRESSIONS)}")
    if not labels or len(set(labels)) < len(labels):
        raise ValueError(f"emotions has to name at least one emotion, each once; got {labels}")
    return labels


def _manner(
    seed: int, speaker: int, emotion: str, speaker_strength: float, emotion_strength: float
) -> np.ndarray:
    """Return how a speaker sounds with an emotion, before the chance of the utterance."""
    rng = _stream(seed, _SPEAKER, speaker)
    side = 1 if _gender(speaker) == "female" else -1
    voice = side * np.array(_FEMALE) + np.array(_SPEAKERS) * _standard(rng)
    expressiveness = 1 + speaker_strength * rng.uniform(-0.4, 0.4)
    expression = max(expressiveness, 0) * np.array(_EXPRESSIONS[emotion])
    if emotion != "neutral":
        rng = _stream(seed, _STYLE, speaker, crc32(emotion.encode()))
        expression += speaker_strength * np.array(_STYLES) * _standard(rng)
    return speaker_strength * voice + emotion_strength * expression


def _gender(speaker: int) -> str:
    return "female" if speaker % 2 else "male"


def _channel(seed: int, speaker: int, strength: float, sampling_rate: int) -> np.ndarray:
    """Return the impulse response of a recording channel.

    Its gain in dB is a cosine series over frequency up to 8 kHz, constant beyond.
    """
    depths = strength * _stream(seed, _CHANNEL, speaker).uniform(-3, 3, 4)
    half = int(0.002 * sampling_rate)
    frequency = np.minimum(fft.rfftfreq(2 * half, 1 / sampling_rate), 8000)
    gain = np.cos(np.pi / 8000 * np.outer(frequency, np.arange(1, 5))) @ depths
    return fft.fftshift(fft.irfft(10 ** (gain / 20)))[1:]


def _record(
    waveform: np.ndarray, channel: np.ndarray, snr: float | None, rng: Generator
) -> np.ndarray:
    """Pass a waveform through a channel, add noise and keep it within (-1, 1)."""
    recorded = np.convolve(waveform, channel, "same")
    if snr is not None:
        noise = rng.standard_normal(len(recorded))
        recorded += np.sqrt(np.mean(recorded**2)) * 10 ** (-snr / 20) * noise
    return (recorded * min(1, 0.99 / np.abs(recorded).max())).astype(np.float32)


def _stream(seed: int, *key: int) -> Generator:
    return default_rng(SeedSequence(seed, spawn_key=key))


def _standard(rng: Generator) -> np.ndarray:
    """Draw one number per setting: mean 0, variance 1, and bounded."""
    return rng.uniform(-np.sqrt(3), np.sqrt(3), len(Settings._fields))
