"""Changes of a waveform that a seed decides: speed, pitch, gain, reverberation."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import soxr
from scipy.signal import fftconvolve

from serkit.augmentation._noises import check_noises
from serkit.utils import describe_estimator

__all__ = ["EFFECTS", "AudioEffect", "GainChange", "PitchShift", "Reverberation", "SpeedChange"]


class AudioEffect(ABC):
    """Base of the changes of a waveform, whose strength is drawn for every copy.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.augmentation import AudioEffect
    >>> class Reversal(AudioEffect):
    ...     def __call__(self, waveform, sampling_rate, rng):
    ...         return waveform[::-1] if rng.random() < 0.5 else waveform
    >>> Reversal()(np.arange(3), 16000, np.random.default_rng(1))
    array([0, 1, 2])
    """

    @abstractmethod
    def __call__(
        self, waveform: np.ndarray, sampling_rate: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Return the changed waveform.

        Parameters
        ----------
        waveform : ndarray of shape (n_samples,)
            What is changed; it is not written into.
        sampling_rate : int
            Its sampling rate in Hz.
        rng : numpy.random.Generator
            The only source of randomness.

        Returns
        -------
        changed : ndarray of shape (n_changed_samples,)
        """


@dataclass(frozen=True)
class SpeedChange(AudioEffect):
    """Play faster or slower, by resampling: pitch and formants move along.

    Parameters
    ----------
    low : float, default=0.9
        Least factor of speed; below 1 is slower.
    high : float, default=1.1
        Greatest factor.

    Notes
    -----
    How fast and how high somebody speaks tells of emotion: large changes may
    leave the label untrue. That holds for :class:`PitchShift` too.

    References
    ----------
    T. Ko, V. Peddinti, D. Povey and S. Khudanpur, "Audio Augmentation for Speech
    Recognition", Interspeech 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.augmentation import SpeedChange
    >>> SpeedChange(2.0, 2.0)(np.ones(1000), 16000, np.random.default_rng(0)).shape
    (500,)
    """

    low: float = 0.9
    high: float = 1.1

    def __post_init__(self) -> None:
        _check_range(self, least=0)

    def __call__(
        self, waveform: np.ndarray, sampling_rate: int, rng: np.random.Generator
    ) -> np.ndarray:
        factor = rng.uniform(self.low, self.high)
        return soxr.resample(waveform, factor * sampling_rate, sampling_rate)


@dataclass(frozen=True)
class PitchShift(AudioEffect):
    """Raise or lower the pitch, by librosa's phase vocoder; the length stays.

    Formants move along. The first call imports librosa, which takes long.

    Parameters
    ----------
    low : float, default=-2.0
        Least shift in semitones.
    high : float, default=2.0
        Greatest shift in semitones.

    Examples
    --------
    >>> from serkit.augmentation import AudioAugmenter, PitchShift
    >>> AudioAugmenter(PitchShift(-1, 1))
    AudioAugmenter(effect=PitchShift(low=-1, high=1))
    """

    low: float = -2.0
    high: float = 2.0

    def __post_init__(self) -> None:
        _check_range(self)

    def __call__(
        self, waveform: np.ndarray, sampling_rate: int, rng: np.random.Generator
    ) -> np.ndarray:
        from librosa.effects import pitch_shift

        n_steps = rng.uniform(self.low, self.high)
        # Its window is 2048 samples, of which it warns where there are fewer.
        padded = np.pad(waveform, (0, max(0, 2048 - len(waveform))))
        return pitch_shift(padded, sr=sampling_rate, n_steps=n_steps)[: len(waveform)]


@dataclass(frozen=True)
class GainChange(AudioEffect):
    """Make louder or softer; samples may go beyond [-1, 1].

    Parameters
    ----------
    low : float, default=-6.0
        Least gain in dB.
    high : float, default=6.0
        Greatest gain in dB.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.augmentation import GainChange
    >>> GainChange(-20.0, -20.0)(np.array([1.0, 0.5]), 16000, np.random.default_rng(0))
    array([0.1 , 0.05])
    """

    low: float = -6.0
    high: float = 6.0

    def __post_init__(self) -> None:
        _check_range(self)

    def __call__(
        self, waveform: np.ndarray, sampling_rate: int, rng: np.random.Generator
    ) -> np.ndarray:
        return waveform * 10 ** (rng.uniform(self.low, self.high) / 20)


@dataclass(frozen=True)
class Reverberation(AudioEffect):
    """Put into a room, by the impulse response of one; length and power stay.

    Parameters
    ----------
    low : float, default=0.2
        Least reverberation time of a made-up room in seconds: how long its
        impulse response takes to fall by 60 dB.
    high : float, default=0.8
        Greatest reverberation time.
    direct : float, default=3.0
        How many dB stronger than its reverberation the direct sound is in a
        made-up room.
    impulse_responses : sequence of path-like or ndarray, or None, default=None
        Recorded impulse responses, of which one is drawn, instead of made-up
        ones: noise that dies away. What comes before their peak is cut off, so
        that speech is not delayed. Waveforms in memory are taken to have the
        sampling rate of the speech.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.augmentation import Reverberation
    >>> click = np.zeros(1600)
    >>> click[0] = 1
    >>> room = Reverberation(0.5, 0.5)(click, 16000, np.random.default_rng(0))
    >>> room.shape, round(float(np.mean(room**2) * 1600), 6)
    ((1600,), 1.0)
    """

    low: float = 0.2
    high: float = 0.8
    direct: float = 3.0
    impulse_responses: Sequence[Any] | None = None

    def __post_init__(self) -> None:
        _check_range(self, least=0)
        if self.impulse_responses is not None:
            check_noises(self.impulse_responses, 16000, what="impulse response")

    def __call__(
        self, waveform: np.ndarray, sampling_rate: int, rng: np.random.Generator
    ) -> np.ndarray:
        if self.impulse_responses is None:
            response = self._make_response(sampling_rate, rng)
        else:
            row = int(rng.integers(len(self.impulse_responses)))
            (drawn,) = check_noises(
                [self.impulse_responses[row]], sampling_rate, what="impulse response"
            )
            response = drawn.read()
            response = response[np.abs(response).argmax() :]
        reverberated = fftconvolve(waveform, response)[: len(waveform)]
        power = np.mean(np.square(reverberated))
        gain = np.sqrt(np.mean(np.square(waveform)) / power) if power else 1.0
        return gain * reverberated

    def _make_response(self, sampling_rate: int, rng: np.random.Generator) -> np.ndarray:
        duration = rng.uniform(self.low, self.high)
        time = np.arange(1, round(duration * sampling_rate)) / sampling_rate
        tail = rng.normal(size=len(time)) * 10 ** (-3 * time / duration)
        energy = np.sum(np.square(tail))
        return np.concatenate([[10 ** (self.direct / 20)], tail / np.sqrt(energy or 1.0)])


@describe_estimator.register
def _(effect: Reverberation) -> Any:
    responses = effect.impulse_responses
    if responses is not None:
        responses = [one.digest for one in check_noises(responses, 16000)]
    return ["Reverberation", effect.low, effect.high, effect.direct, responses]


def _check_range(effect: Any, *, least: float = -np.inf) -> None:
    if not least < effect.low <= effect.high < np.inf:
        raise ValueError(
            f"{type(effect).__name__}: low must be above {least:g} and at most high, got "
            f"low={effect.low!r}, high={effect.high!r}"
        )


#: Effects by name, with their default strength.
EFFECTS: dict[str, AudioEffect] = {
    "gain": GainChange(),
    "pitch": PitchShift(),
    "reverb": Reverberation(),
    "speed": SpeedChange(),
}
