"""A source-filter voice: glottal pulses and noise through a moving vocal tract."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy import fft, signal
from scipy.ndimage import uniform_filter1d

__all__ = ["REFERENCE_PITCH", "Sentence", "Settings", "compose_sentence", "speak"]

#: Fundamental frequency in Hz of a voice whose settings are all zero.
REFERENCE_PITCH = 155.0

_CONTROL_PERIOD = 0.01  # seconds between two shapes of the vocal tract
_MARGIN = 0.06  # seconds of silence before and after the speech


class Settings(NamedTuple):
    """How a voice differs from the reference voice; settings of several causes add up."""

    pitch: float = 0.0  # mean fundamental frequency, semitones
    melody: float = 0.0  # depth of the pitch contour, octaves of a factor
    ending: float = 0.0  # rise of pitch in the last syllable, semitones
    rate: float = 0.0  # speaking rate, octaves of a factor
    level: float = 0.0  # dB
    stress: float = 0.0  # level of stressed above unstressed syllables, dB
    brightness: float = 0.0  # of the glottal source at 3 kHz, dB
    opening: float = 0.0  # open quotient of the glottis, fraction of a period
    breath: float = 0.0  # level of the aspiration noise, dB
    jitter: float = 0.0  # octaves of a factor
    shimmer: float = 0.0  # octaves of a factor
    tremor: float = 0.0  # depth of a 7-Hz modulation of pitch, semitones
    tract: float = 0.0  # scale of all formants, octaves of a factor
    articulation: float = 0.0  # size of the vowel space, octaves of a factor


# Mean formants of men in Hz: Peterson and Barney (1952), table II.
_VOWELS = np.array(
    [
        (270, 2290, 3010),
        (390, 1990, 2550),
        (530, 1840, 2480),
        (660, 1720, 2410),
        (730, 1090, 2440),
        (570, 840, 2410),
        (440, 1020, 2240),
        (300, 870, 2240),
        (640, 1190, 2390),
        (490, 1350, 1690),
    ],
    dtype=float,
)
_NEUTRAL_VOWEL = (500.0, 1500.0, 2500.0)


class _Phone(NamedTuple):
    """A sound of speech."""

    duration: float  # seconds
    formants: tuple[float, float, float]  # Hz; of a consonant, where its neighbours move to
    voicing: float = 0.0  # amplitude of the voice, 1 in a vowel
    friction: float = 0.0  # amplitude of the noise
    band: tuple[float, float] = (1.0, 1.0)  # centre and width of the noise, Hz
    closure: float = 0.0  # part of the duration before the noise
    is_vowel: bool = False
    is_stressed: bool = False


_CONSONANTS = (
    _Phone(0.07, (250, 1100, 2300), voicing=0.3),  # m
    _Phone(0.06, (280, 1600, 2600), voicing=0.3),  # n
    _Phone(0.06, (360, 1300, 2700), voicing=0.5),  # l
    _Phone(0.10, (320, 1500, 2600), friction=0.2, band=(5800, 1800)),  # s
    _Phone(0.10, (300, 1750, 2500), friction=0.25, band=(3200, 1100)),  # sh
    _Phone(0.09, (340, 1050, 2200), friction=0.08, band=(4500, 5000)),  # f
    _Phone(0.08, (350, 1700, 2700), friction=0.35, band=(4000, 2500), closure=0.7),  # t
    _Phone(0.08, (300, 1800, 2200), friction=0.35, band=(1900, 800), closure=0.65),  # k
    _Phone(0.08, (350, 1000, 2200), friction=0.25, band=(900, 1500), closure=0.75),  # p
)


class _Syllable(NamedTuple):
    pause: float  # seconds before it
    consonant: int
    vowel: int
    is_stressed: bool


Sentence = list[_Syllable]


def compose_sentence(rng: np.random.Generator) -> Sentence:
    """Draw a sentence of six to eight syllables with a pause and two to four stresses."""
    n_syllables = int(rng.integers(6, 9))
    first, step = int(rng.integers(0, 2)), int(rng.integers(2, 4))
    pause_at, pause = int(rng.integers(2, n_syllables - 1)), float(rng.uniform(0.03, 0.15))
    vowels = rng.permutation(len(_VOWELS))
    return [
        _Syllable(
            pause=pause if i == pause_at else 0.0,
            consonant=int(rng.integers(len(_CONSONANTS))),
            vowel=int(vowels[i]),
            is_stressed=i % step == first,
        )
        for i in range(n_syllables)
    ]


def speak(
    sentence: Sentence, settings: Settings, rng: np.random.Generator, sampling_rate: int
) -> np.ndarray:
    """Return the waveform of a sentence as float64, at the level that the settings ask for."""
    score = _Score(list(_phones(sentence, settings)))
    lengths = np.round(score.durations * sampling_rate).astype(int)
    time = np.arange(lengths.sum()) / sampling_rate
    pitch = np.interp(time, *_pitch_contour(score, settings, rng))
    voicing = _smooth(np.repeat([phone.voicing for phone in score.phones], lengths), sampling_rate)
    source = voicing * _glottal_source(pitch, settings, rng, sampling_rate)
    voice = _vocal_tract(source, score, settings, sampling_rate)
    voice /= np.sqrt(np.mean(voice[voicing > 0.5] ** 2))
    ends = np.cumsum(lengths)
    for phone, start, end in zip(score.phones, ends - lengths, ends, strict=True):
        if phone.friction:
            noise = _friction(phone, end - start, settings, rng, sampling_rate)
            voice[end - len(noise) : end] += noise
    return voice * 10 ** ((settings.level - 28) / 20)


def _phones(sentence: Sentence, settings: Settings) -> Iterator[_Phone]:
    """Yield the phones of a sentence in the order of speaking, silence at both ends."""
    tempo, loud = 2**-settings.rate, 10 ** ((3 + settings.stress) / 40)
    centre = np.array(_NEUTRAL_VOWEL)
    yield _Phone(_MARGIN, _CONSONANTS[sentence[0].consonant].formants)
    for syllable in sentence:
        consonant = _CONSONANTS[syllable.consonant]
        if syllable.pause:
            yield _Phone(tempo * syllable.pause, consonant.formants)
        yield consonant._replace(duration=tempo * consonant.duration)
        formants = centre + 2**settings.articulation * (_VOWELS[syllable.vowel] - centre)
        length = (1.35 if syllable.is_stressed else 1) * (1.4 if syllable is sentence[-1] else 1)
        vowel = _Phone(
            duration=0.11 * tempo * length,
            formants=tuple(np.maximum(formants, 200)),
            voicing=loud if syllable.is_stressed else 1 / loud,
            is_vowel=True,
            is_stressed=syllable.is_stressed,
        )
        yield vowel
    yield _Phone(_MARGIN, vowel.formants)


class _Score:
    """Phones in time; all times in seconds."""

    def __init__(self, phones: list[_Phone]):
        self.phones = phones
        self.durations = np.array([phone.duration for phone in phones])
        self.total = self.durations.sum()
        self.starts = np.cumsum(self.durations) - self.durations
        self.middles = self.starts + self.durations / 2
        self.is_vowel = np.array([phone.is_vowel for phone in phones])
        self.is_stressed = np.array([phone.is_stressed for phone in phones])


def _pitch_contour(
    score: _Score, settings: Settings, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return times and, in Hz, the pitch; the mean of its logarithm is that of the settings."""
    time = np.arange(0, score.total + _CONTROL_PERIOD, _CONTROL_PERIOD)
    accents = np.exp(-0.5 * ((time[:, None] - score.middles[score.is_stressed]) / 0.08) ** 2)
    heights = rng.uniform(2, 4, accents.shape[1])
    contour = 2**settings.melody * ((accents * heights).sum(1) - 3 * time / score.total)

    last = np.flatnonzero(score.is_vowel)[-1]
    progress = (time - score.starts[last]) / score.durations[last]
    contour += settings.ending * np.clip(progress, 0, 1)

    phases = rng.uniform(0, 2 * np.pi, 4)
    contour += 0.15 * np.sin(2 * np.pi * np.outer(time, (1.1, 1.9, 3.2)) + phases[:3]).sum(1)
    contour += max(settings.tremor, 0) * np.sin(2 * np.pi * 7 * time + phases[3])

    phone = np.searchsorted(score.starts, time, side="right") - 1
    contour += settings.pitch - contour[score.is_vowel[phone]].mean()
    return time, np.clip(REFERENCE_PITCH * 2 ** (contour / 12), 50, 700)


def _glottal_source(
    pitch: np.ndarray, settings: Settings, rng: np.random.Generator, sampling_rate: int
) -> np.ndarray:
    """Return the derivative of the glottal flow with jitter, shimmer and aspiration noise."""
    cycles = np.cumsum(pitch) / sampling_rate
    n_cycles = int(cycles[-1] * 1.5) + 2
    jitter = np.clip(0.006 * 2**settings.jitter * rng.standard_normal(n_cycles), -0.2, 0.2)
    shimmer = np.clip(0.05 * 2**settings.shimmer * rng.standard_normal(n_cycles), -0.6, 0.6)
    cycles += np.cumsum(pitch * jitter[cycles.astype(int)]) / sampling_rate
    number = cycles.astype(int)
    phase = cycles - number

    # The flow is t^2 (1 - t) while the glottis is open (Klatt and Klatt 1990). The difference
    # of the sampled flow is the mean of its derivative over a sample, which aliases little.
    opening = np.clip(0.6 + settings.opening, 0.3, 0.95)
    t = np.minimum(phase / opening, 1)
    flow = 6.75 * t * t * (1 - t) * (1 + shimmer[number])
    pulses = np.diff(flow, prepend=flow[0]) * sampling_rate / (10 * pitch)

    noise = rng.standard_normal(len(pitch)) * (0.3 + flow)
    breath = 0.03 * 10 ** (settings.breath / 20)
    return _tilt(pulses, settings.brightness, sampling_rate) + breath * noise


def _tilt(source: np.ndarray, brightness: float, sampling_rate: int) -> np.ndarray:
    """Attenuate 3 kHz by 8 dB less the brightness with a one-pole low-pass filter."""
    power = 10 ** (-max(8 - brightness, 0.5) / 10)
    q = (1 - power * np.cos(2 * np.pi * 3000 / sampling_rate)) / (1 - power)
    pole = q - np.sqrt(q * q - 1)
    return signal.lfilter([1 - pole], [1, -pole], source)


def _vocal_tract(
    source: np.ndarray, score: _Score, settings: Settings, sampling_rate: int
) -> np.ndarray:
    """Filter the source with formants that move from phone to phone.

    Overlapping frames of the source pass, each in the frequency domain,
    through the all-pole filter of their instant, and are added up again.
    """
    hop = int(_CONTROL_PERIOD * sampling_rate)
    n_frames = len(source) // hop + 1
    time = (np.arange(n_frames) + 0.5) * hop / sampling_rate
    denominator = _all_pole(_formant_tracks(score, settings, time, sampling_rate), sampling_rate)

    blocks = np.zeros((n_frames + 1, hop))
    blocks.ravel()[hop // 2 : hop // 2 + len(source)] = source
    frames = np.hstack([blocks[:-1], blocks[1:]]) * signal.windows.hann(2 * hop, sym=False)
    # In the four hops after a frame the narrowest formant decays by more than 60 dB.
    size = 6 * hop
    filtered = fft.irfft(fft.rfft(frames, size) / fft.rfft(denominator, size), size)

    output = np.zeros((n_frames + 6, hop))
    for shift, part in enumerate(filtered.reshape(n_frames, 6, hop).swapaxes(0, 1)):
        output[shift : shift + n_frames] += part
    return output.ravel()[hop // 2 : hop // 2 + len(source)].copy()


def _formant_tracks(
    score: _Score, settings: Settings, time: np.ndarray, sampling_rate: int
) -> np.ndarray:
    """Return the formants in Hz at the given times, shape (n_times, n_formants)."""
    # Every phone rests between 40 and 60 % of its time and glides to the next.
    knots = (score.starts[:, None] + score.durations[:, None] * (0.4, 0.6)).ravel()
    targets = np.repeat([phone.formants for phone in score.phones], 2, axis=0)
    tracks = [np.interp(time, knots, target) for target in targets.T]
    n_formants = max(int(sampling_rate / 2600), 3)
    fixed = 1000 * np.arange(3.5, n_formants + 0.5)
    tracks += [np.full(len(time), formant) for formant in fixed]
    # The table is of men; the reference voice is between those of men and women.
    return np.minimum(np.stack(tracks, 1) * 2 ** (settings.tract + 0.1), 0.48 * sampling_rate)


def _all_pole(formants: np.ndarray, sampling_rate: int) -> np.ndarray:
    """Return the denominators of the filters with these resonances and gain 1 at 0 Hz."""
    bandwidths = 60 + 0.04 * formants
    radius = np.exp(-np.pi * bandwidths / sampling_rate)
    first = -2 * radius * np.cos(2 * np.pi * formants / sampling_rate)
    polynomial = np.zeros((len(formants), 2 * formants.shape[1] + 1))
    polynomial[:, 0] = 1
    for a1, a2 in zip(first.T[..., None], (radius**2).T[..., None], strict=True):
        previous = polynomial.copy()
        polynomial[:, 1:] += a1 * previous[:, :-1]
        polynomial[:, 2:] += a2 * previous[:, :-2]
    return polynomial / polynomial.sum(1, keepdims=True)


def _friction(
    phone: _Phone, length: int, settings: Settings, rng: np.random.Generator, sampling_rate: int
) -> np.ndarray:
    """Return the noise of a fricative, or the burst after the closure of a plosive."""
    noise = rng.standard_normal(max(int(length * (1 - phone.closure)), 2))
    centre = min(phone.band[0] * 2**settings.tract, 0.45 * sampling_rate)
    radius = np.exp(-np.pi * phone.band[1] / sampling_rate)
    pole = -2 * radius * np.cos(2 * np.pi * centre / sampling_rate)
    noise = signal.lfilter([1, -1], [1, pole, radius**2], noise)
    envelope = np.sin(np.pi * np.linspace(0, 1, len(noise)))
    return phone.friction * envelope * noise / np.sqrt(np.mean(noise**2))


def _smooth(steps: np.ndarray, sampling_rate: int) -> np.ndarray:
    size = int(0.015 * sampling_rate)
    return uniform_filter1d(uniform_filter1d(steps, size), size)
