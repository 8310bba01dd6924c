"""Copies of the utterances that a model is trained on, changed in speed, pitch, gain or room."""

import copy
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from serkit.augmentation._copies import CopySampler
from serkit.augmentation._effects import EFFECTS, AudioEffect
from serkit.augmentation._noises import utterance_rng

__all__ = ["AudioAugmenter"]

#: Transforms of other libraries draw from what all threads share.
_GLOBAL_RANDOMNESS = threading.RLock()


class AudioAugmenter(CopySampler):
    """Add copies of every utterance to a training set that sound in another way.

    As of :class:`NoiseMixer`, copies are changed when they are read, by what the
    seed and the content of the utterance say, whatever the others are.

    Parameters
    ----------
    effect : {"speed", "pitch", "gain", "reverb"}, callable, or list, default="speed"
        What is done. Names are :class:`SpeedChange`, :class:`PitchShift`,
        :class:`GainChange` and :class:`Reverberation` at their default strength;
        these take others. Any function of a waveform (in single precision) and
        its sampling rate will do, such as the transforms of audiomentations. Of
        a list, all are done in that order.
    n_copies : int, default=1
        Number of copies per utterance.
    sampling_rate : int, default=16000
        Sampling rate of the utterances in Hz; a loader of another rate is an
        error.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same copies at every call.

    Attributes
    ----------
    sample_indices_ : ndarray of shape (n_resampled,)
        For every row that came out, the row of the input that it is, or is a
        changed copy of.
    sampling_strategy_ : dict
        Number of copies added of each class.
    n_features_in_ : int
        Number of samples; only for numeric input.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns; only for data frames.

    See Also
    --------
    NoiseMixer : Copies with noise.
    SpecAugment : Changes spectrograms while a network is trained on them.

    Notes
    -----
    While a function that is no :class:`AudioEffect` runs, the global random
    states of Python and NumPy are seeded, and put back afterwards; other
    threads that run such functions wait.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.augmentation import AudioAugmenter
    >>> from serkit.preprocessing import AudioLoader
    >>> speech = [np.linspace(-1, 1, 1000), np.linspace(0, 1, 1200)]
    >>> X, y = AudioAugmenter("speed", random_state=0).fit_resample(speech, ["calm", "joy"])
    >>> [len(waveform) for waveform in AudioLoader().fit_transform(X)]
    [1000, 1200, 979, 1194]
    """

    _parameter_constraints: ClassVar[dict] = {
        **CopySampler._parameter_constraints,
        "effect": [StrOptions(set(EFFECTS)), callable, list],
        "n_copies": [Interval(Integral, 1, None, closed="left")],
        "sampling_rate": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, effect="speed", *, n_copies=1, sampling_rate=16000, random_state=None):
        super().__init__(random_state=random_state)
        self.effect = effect
        self.n_copies = n_copies
        self.sampling_rate = sampling_rate

    def _plan(self, seed: int) -> Callable[[str], Iterator["_Change"]]:
        effects = self.effect if isinstance(self.effect, list) else [self.effect]
        chain = tuple(_find_effect(effect) for effect in effects)

        def changes_of(digest: str) -> Iterator[_Change]:
            rng = utterance_rng(seed, digest)
            for _ in range(self.n_copies):
                yield _Change(chain, int(rng.integers(2**63)), self.sampling_rate)

        return changes_of


@dataclass(frozen=True)
class _Change:
    effects: tuple[Callable, ...]
    seed: int
    sampling_rate: int

    def __call__(self, waveform: np.ndarray, sampling_rate: int | None) -> np.ndarray:
        if sampling_rate not in (None, self.sampling_rate):
            raise ValueError(
                f"has {sampling_rate} Hz, but AudioAugmenter has sampling_rate="
                f"{self.sampling_rate}; set both to the same"
            )
        rng = np.random.default_rng(self.seed)
        dtype = waveform.dtype
        for effect in self.effects:
            if isinstance(effect, AudioEffect):
                waveform = effect(waveform, self.sampling_rate, rng)
            else:
                waveform = self._call(effect, waveform, rng)
        if not len(waveform) or not np.isfinite(waveform).all():
            raise ValueError(f"{self} leaves no samples, or NaN or infinity")
        return np.asarray(waveform, dtype=dtype)

    def _call(
        self, function: Callable, waveform: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        with _seeded(int(rng.integers(2**32))):
            # Of a copy, for transforms remember what they have drawn.
            changed = copy.deepcopy(function)(
                np.array(waveform, dtype=np.float32), self.sampling_rate
            )
        if np.ndim(changed) != 1:
            raise ValueError(
                f"{_name(function)} must return a waveform, one-dimensional; got an array of shape "
                f"{np.shape(changed)}"
            )
        return np.asarray(changed)

    def __str__(self) -> str:
        return ", ".join(map(_name, self.effects))


def _name(effect: Callable) -> str:
    return getattr(effect, "__name__", repr(effect))


def _find_effect(effect: Any) -> Callable:
    if isinstance(effect, str) and effect in EFFECTS:
        return EFFECTS[effect]
    if not callable(effect):
        raise ValueError(
            f"effect must be one of {', '.join(map(repr, EFFECTS))}, or a function of a waveform "
            f"and its sampling rate; got {effect!r}"
        )
    return effect


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Let what draws from global random states draw the same, and put them back."""
    with _GLOBAL_RANDOMNESS:
        states = random.getstate(), np.random.get_state()  # noqa: NPY002
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        try:
            yield
        finally:
            random.setstate(states[0])
            np.random.set_state(states[1])  # noqa: NPY002
