"""Speech and noise at a ratio."""

import math
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

__all__ = ["POWERS", "mix", "mix_noise"]

#: Over what the power of speech is taken.
POWERS = ("full", "active")

_FRAME = 512  # samples; 32 ms at 16 kHz
_ACTIVE_DB = 30.0  # how far below the loudest frame speech is still active
_QUIET_DB = 40.0  # how far below the whole noise a part of it is passed over
_N_DRAWS = 100


def mix_noise(
    waveform: Any,
    noise: Any,
    snr: float | None,
    *,
    power: str = "full",
    rescale: bool = True,
    random_state: Any = None,
) -> np.ndarray:
    """Add noise to a waveform, so loud that speech and noise have a given ratio.

    Of a noise that is longer, a part is taken, from a random place; one that is
    shorter is repeated, beginning at a random place. Parts that are 40 dB
    quieter than the noise as a whole, in which there is next to nothing, are
    passed over.

    Parameters
    ----------
    waveform : array-like of shape (n_samples,)
        Speech.
    noise : array-like of shape (n_noise_samples,)
        Noise of the same sampling rate.
    snr : float or None
        Signal-to-noise ratio in dB: ten times the decimal logarithm of the mean
        of the squared samples of speech over that of the part of the noise that
        is added. Infinity and ``None`` add nothing.
    power : {"full", "active"}, default="full"
        Over what the power of speech is taken: the whole utterance, pauses
        included, or its frames of 512 samples that are at most 30 dB below the
        loudest one, which makes the noise louder.
    rescale : bool, default=True
        Scale the mixture, if it goes beyond [-1, 1] and beyond the largest
        sample of speech, back to there: the ratio stays, the level does not.
        ``False`` leaves it beyond.
    random_state : int, RandomState instance or None, default=None
        Draws the place in the noise.

    Returns
    -------
    mixture : ndarray of shape (n_samples,)
        In single precision if `waveform` is, else in double precision.

    Raises
    ------
    ValueError
        If speech or noise is silent, empty, not one-dimensional, or has NaN or
        infinity, or if `snr` is NaN or minus infinity.

    See Also
    --------
    NoiseMixer : Noisy copies for training.
    NoiseCorruptor : Noise in what is tested.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.augmentation import mix_noise
    >>> rng = np.random.default_rng(0)
    >>> speech, noise = 0.1 * rng.normal(size=16000), rng.normal(size=4000)
    >>> added = mix_noise(speech, noise, 6, random_state=0) - speech
    >>> round(float(10 * np.log10(np.mean(speech**2) / np.mean(added**2))), 6)
    6.0
    """
    if power not in POWERS:
        raise ValueError(f"power must be one of {', '.join(map(repr, POWERS))}, got {power!r}")
    if snr is not None and not snr > -math.inf:
        raise ValueError(f"snr must be a number of dB, infinity or None, got {snr!r}")
    speech = _check_signal("waveform", waveform)
    rng = np.random.default_rng(check_random_state(random_state).randint(2**31, size=4))
    return mix(speech, _check_signal("noise", noise), snr, rng, power=power, rescale=rescale)


def mix(
    waveform: np.ndarray,
    noise: np.ndarray,
    snr: float | None,
    rng: np.random.Generator,
    *,
    power: str,
    rescale: bool,
) -> np.ndarray:
    """Add noise to a waveform, see :func:`mix_noise`; both were checked before."""
    if snr is None or snr == math.inf:
        return waveform
    speech_power = _speech_power(waveform, power)
    if not speech_power:
        raise ValueError("is silent, so no noise has a ratio to it; remove it")
    part = _draw_part(noise, len(waveform), rng)
    gain = math.sqrt(speech_power / (_mean_square(part) * 10 ** (snr / 10)))
    mixture = waveform.astype(np.float64) + gain * part
    if rescale:
        limit = max(1.0, float(np.abs(waveform).max()))
        mixture *= min(1.0, limit / float(np.abs(mixture).max()))
    return mixture.astype(waveform.dtype)


def _check_signal(name: str, signal: Any) -> np.ndarray:
    signal = np.asarray(signal)
    if signal.ndim != 1 or not signal.size:
        raise ValueError(
            f"the {name} has shape {signal.shape}; it must be one-dimensional, with one sample or "
            "more: average the channels first"
        )
    if signal.dtype != np.float32:
        signal = signal.astype(np.float64)
    if not np.isfinite(signal).all():
        raise ValueError(f"the {name} has NaN or infinity")
    if not signal.any():
        raise ValueError(f"the {name} is silent, so speech and noise have no ratio")
    return signal


def _mean_square(signal: np.ndarray) -> float:
    return float(np.mean(np.square(signal, dtype=np.float64)))


def _speech_power(waveform: np.ndarray, power: str) -> float:
    if power == "full" or len(waveform) <= _FRAME:
        return _mean_square(waveform)
    whole = len(waveform) // _FRAME * _FRAME  # the rest is less than a frame
    frames = np.mean(np.square(waveform[:whole], dtype=np.float64).reshape(-1, _FRAME), axis=1)
    return float(frames[frames >= frames.max() * 10 ** (-_ACTIVE_DB / 10)].mean())


def _draw_part(noise: np.ndarray, length: int, rng: np.random.Generator) -> np.ndarray:
    """Return as much noise as there is speech, from a place where there is some."""
    if len(noise) <= length:
        return np.resize(np.roll(noise, -int(rng.integers(len(noise)))), length)
    least = _mean_square(noise) * 10 ** (-_QUIET_DB / 10)
    n_places = len(noise) - length + 1
    for _ in range(_N_DRAWS):
        start = int(rng.integers(n_places))
        part = noise[start : start + length]
        if _mean_square(part) > least:
            return part
    # A click in a long silence: take it into the part.
    loudest = int(np.abs(noise).argmax())
    start = min(max(0, loudest - int(rng.integers(length))), n_places - 1)
    return noise[start : start + length]
