"""Collections of noises: what is in them, and which of it an utterance gets."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from serkit.augmentation._mixing import POWERS, mix
from serkit.preprocessing import AudioLoader
from serkit.utils import (
    AudioSegment,
    BadAudioError,
    describe_estimator,
    is_path,
    open_audio,
    utterance_digest,
)

__all__ = [
    "NOISE_CONSTRAINTS",
    "Noise",
    "NoiseChange",
    "NoiseDraw",
    "check_noises",
    "utterance_rng",
]

#: Constraints of the parameters that say how noise is added.
NOISE_CONSTRAINTS: dict[str, list] = {
    "noises": ["array-like"],
    "sampling_rate": [Interval(Integral, 1, None, closed="left")],
    "power": [StrOptions(set(POWERS))],
    "rescale": ["boolean"],
}


@dataclass(frozen=True, eq=False)
class Noise:
    """One noise, in memory or in a file that is read when it is needed."""

    row: int
    item: Any
    sampling_rate: int
    what: str = "noise"

    def __str__(self) -> str:
        name = f"{self.what} {self.row}"
        return f"{name} ({self.item})" if is_path(self.item) else name

    def read(self) -> np.ndarray:
        """Return the samples; those of a file are kept until others have been read."""
        if not is_path(self.item):
            return self.item
        try:
            return _read(self.item, self.sampling_rate, self.digest)
        except ValueError as error:
            raise ValueError(f"{self} cannot be used: {error}") from error

    @cached_property
    def digest(self) -> str:
        """What tells the noise from others."""
        return utterance_digest(self.item)


@lru_cache(maxsize=32)  # not more, for a collection may not fit into memory
def _read(item: str | os.PathLike | AudioSegment, sampling_rate: int, digest: str) -> np.ndarray:
    (samples,) = AudioLoader(sampling_rate)._prepare()([item])
    if not samples.any():
        raise ValueError("it is silent")
    samples.flags.writeable = False
    return samples


@describe_estimator.register
def _(noise: Noise) -> Any:
    return ["Noise", noise.digest, noise.sampling_rate]


def check_noises(
    noises: Sequence[Any], sampling_rate: int, *, what: str = "noise"
) -> tuple[Noise, ...]:
    """Return the noises; raise, naming it, if one cannot be added to speech."""
    if is_path(noises):
        raise TypeError(f"{what}s: got a single path; give a list of paths: [{str(noises)!r}]")
    if not len(noises):
        raise ValueError(f"there are no {what}s; give one or more, as paths or waveforms")
    return tuple(
        _check_noise(Noise(row, item, sampling_rate, what)) for row, item in enumerate(noises)
    )


def _check_noise(noise: Noise) -> Noise:
    if is_path(noise.item):
        try:
            with open_audio(noise.item):
                return noise
        except BadAudioError as error:
            raise ValueError(f"{noise} cannot be used: {error}") from error
    samples = np.asarray(noise.item)
    if samples.ndim != 1 or samples.dtype.kind not in "biuf":
        raise ValueError(
            f"{noise} has shape {samples.shape} and type {samples.dtype}; it must be a path or a "
            "waveform, one-dimensional and of real numbers: average its channels first"
        )
    samples = samples.astype(np.float32)
    if not np.isfinite(samples).all():
        raise ValueError(f"{noise} has NaN or infinity; remove or repair it")
    if not samples.any():
        raise ValueError(f"{noise} is empty or silent; remove it")
    return replace(noise, item=samples)


@dataclass(frozen=True)
class NoiseChange:
    """The change of a waveform by one noise at one signal-to-noise ratio."""

    noise: Noise
    snr: float
    seed: int
    power: str
    rescale: bool

    def __call__(self, waveform: np.ndarray, sampling_rate: int | None) -> np.ndarray:
        if sampling_rate not in (None, self.noise.sampling_rate):
            raise ValueError(
                f"has {sampling_rate} Hz, the noise {self.noise.sampling_rate} Hz; set "
                "sampling_rate of both to the same"
            )
        rng = np.random.default_rng(self.seed)
        noise = self.noise.read()
        return mix(waveform, noise, self.snr, rng, power=self.power, rescale=self.rescale)

    def __str__(self) -> str:
        return f"{self.noise} at {self.snr:.1f} dB"


@dataclass(frozen=True)
class NoiseDraw:
    """Which noises an utterance gets, and at which ratios; its digest alone decides.

    Parameters
    ----------
    noises : tuple of Noise
        The collection.
    snr : float, tuple of (low, high), or sequence of float
        A ratio, a range or a list of ratios, in dB.
    n_copies : int or tuple of (n_noises, n_snrs)
        How many, each with a noise and a ratio of its own, or how many noises at
        how many ratios each.
    power, rescale : object
        As of :func:`mix_noise`.
    seed : int
        Seed of all draws.
    """

    noises: tuple[Noise, ...]
    snr: Any
    n_copies: Any
    power: str
    rescale: bool
    seed: int

    def __post_init__(self) -> None:
        is_range = isinstance(self.snr, tuple)
        values = np.ravel(np.asarray(self.snr, dtype=float))
        if not len(values) or not (values > -np.inf).all():
            raise ValueError(f"snr must be numbers of dB, one or more, got {self.snr!r}")
        if is_range and not (len(values) == 2 and values[0] < values[1] < np.inf):
            raise ValueError(
                f"snr as a tuple is a range (low, high) of finite numbers, got {self.snr!r}; give "
                "ratios that are all to be used as a list"
            )
        if isinstance(self.n_copies, Integral):
            if self.n_copies < 1:
                raise ValueError(f"n_copies must be 1 or more, got {self.n_copies}")
            return
        if len(self.n_copies) != 2:
            raise ValueError(
                f"n_copies must be a number or (n_noises, n_snrs), got {self.n_copies!r}"
            )
        numbers = {"noises": len(self.noises), "ratios": np.inf if is_range else len(values)}
        for (what, most), number in zip(numbers.items(), self.n_copies, strict=True):
            if number is None and most == np.inf:
                raise ValueError("snr is a range, so n_copies must say how many ratios to draw")
            if number is not None and not 1 <= number <= most:
                raise ValueError(
                    f"n_copies={self.n_copies!r} asks for {number} {what} per utterance, of {most}"
                )

    def changes(self, digest: str) -> Iterator[NoiseChange]:
        """Yield the changes of the copies of an utterance."""
        rng = utterance_rng(self.seed, digest)
        for row, snr in self._pairs(rng):
            seed = int(rng.integers(2**63))
            yield NoiseChange(self.noises[row], float(snr), seed, self.power, self.rescale)

    def _pairs(self, rng: np.random.Generator) -> list[tuple[int, float]]:
        n_noises = len(self.noises)
        if isinstance(self.n_copies, Integral):
            n_copies = int(self.n_copies)
            rounds = [rng.permutation(n_noises) for _ in range(-(-n_copies // n_noises))]
            snrs = self._draw_snrs(rng, n_copies, replace=True)
            return list(zip(np.concatenate(rounds)[:n_copies], snrs, strict=True))
        wanted, n_snrs = self.n_copies
        rows = np.arange(n_noises) if wanted is None else rng.permutation(n_noises)[:wanted]
        snrs = self._draw_snrs(rng, n_snrs, replace=False)
        return [(row, snr) for row in rows for snr in snrs]

    def _draw_snrs(
        self, rng: np.random.Generator, number: int | None, *, replace: bool
    ) -> np.ndarray:
        if isinstance(self.snr, tuple):
            assert number is not None, "checked when this was made"
            low, high = self.snr
            return rng.uniform(low, high, size=number)
        values = np.ravel(np.asarray(self.snr, dtype=float))
        return values if number is None else rng.choice(values, number, replace=replace)


def utterance_rng(seed: int, digest: str) -> np.random.Generator:
    """Return the source of randomness of one utterance, whatever the others are."""
    return np.random.default_rng([seed, int(digest, 16)])
