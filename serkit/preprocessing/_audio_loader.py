"""From audio files to waveforms."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar, NamedTuple

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from serkit.preprocessing._resampler import QUALITIES, resample
from serkit.utils import (
    AudioSegment,
    AudioTransformer,
    BadAudioError,
    ChangedAudio,
    check_audio,
    is_path,
    open_audio,
)

__all__ = ["AudioLoader"]

_N_NAMED = 10  # bad utterances that an error lists


class AudioLoader(AudioTransformer):
    """Load audio files as waveforms of one channel and one sampling rate.

    Takes paths, parts of files (:class:`~serkit.utils.AudioSegment`) and
    waveforms in memory. Formats are those of libsndfile: WAV, FLAC, OGG, MP3,
    AIFF and more. Nothing is read in ``fit``.

    What is changed when it is read (:class:`~serkit.utils.ChangedAudio`) is
    changed at `sampling_rate`, after `start` and `end`.

    Waveforms in memory are not resampled: an array does not tell its rate, and
    is taken to have `sampling_rate`. A corpus in memory does tell it, and
    ``serkit.evaluation.compare`` refuses a loader of another rate.

    Files that are missing, corrupt, cut off, empty or too short, or that have
    NaN, are one error that names them all. A part that ends up to 10 ms behind
    its file, as rounded times do, ends with it.

    Parameters
    ----------
    sampling_rate : int or None, default=16000
        Sampling rate of the waveforms in Hz; files of other rates are
        resampled. ``None`` keeps the rate of the files, which has to be the same
        for all.
    channel : "mean" or int, default="mean"
        Mean of the channels of a file, or the number of one of them, from 0.
    start : float, default=0.0
        What to skip at the beginning of each utterance, in seconds.
    end : float or None, default=None
        Where to stop, in seconds from the beginning of each utterance; shorter
        ones are taken to their end.
    min_duration : float, default=0.0
        What is shorter than that after `start` and `end`, in seconds, is an error.
    quality : {"QQ", "LQ", "MQ", "HQ", "VHQ"}, default="HQ"
        Quality of resampling, from quick to very high.
    dtype : {"float32", "float64"}, default="float32"
        Type of the samples.
    n_jobs : int or None, default=None
        Number of parallel jobs over utterances.
    verbose : int or bool, default=0
        Show a progress bar when positive.

    Attributes
    ----------
    n_features_in_ : int
        Number of samples seen in ``fit``; only for numeric input.

    See Also
    --------
    Resampler : Changes the sampling rate of waveforms in memory.
    serkit.datasets.Corpus.check_audio : Finds bad files and leaves them out.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import numpy as np, soundfile
    >>> from serkit.preprocessing import AudioLoader
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "a.wav")
    ...     soundfile.write(path, np.full((44100, 2), 0.5), 44100)
    ...     (waveform,) = AudioLoader(sampling_rate=16000).fit_transform([path])
    >>> waveform.shape, waveform.dtype
    ((16000,), dtype('float32'))
    """

    _parameter_constraints: ClassVar[dict] = {
        **AudioTransformer._parameter_constraints,
        "sampling_rate": [None, Interval(Integral, 1, None, closed="left")],
        "channel": [StrOptions({"mean"}), Interval(Integral, 0, None, closed="left")],
        "start": [Interval(Real, 0, None, closed="left")],
        "end": [None, Interval(Real, 0, None, closed="neither")],
        "min_duration": [Interval(Real, 0, None, closed="left")],
        "quality": [QUALITIES],
        "dtype": [StrOptions({"float32", "float64"})],
    }

    def __init__(
        self,
        sampling_rate=16000,
        *,
        channel="mean",
        start=0.0,
        end=None,
        min_duration=0.0,
        quality="HQ",
        dtype="float32",
        n_jobs=None,
        verbose=0,
    ):
        self.sampling_rate = sampling_rate
        self.channel = channel
        self.start = start
        self.end = end
        self.min_duration = min_duration
        self.quality = quality
        self.dtype = dtype
        self.n_jobs = n_jobs
        self.verbose = verbose

    def _check_input(self, X: Any, *, reset: bool):
        return check_audio(self, X, reset=reset, allow_paths=True)

    def _make_kernel(self) -> Callable[[Any], "_Loaded"]:  # type: ignore[override]
        if self.end is not None and self.end <= self.start:
            raise ValueError(f"end={self.end:g} has to be greater than start={self.start:g}")
        return _Load(
            self.sampling_rate,
            self.channel,
            self.start,
            self.end,
            self.min_duration,
            self.quality,
            self.dtype,
        )

    def _apply(self, kernel: Callable[[Any], Any], X: Any) -> np.ndarray:
        utterances, restore = self._check_input(X, reset=False)
        loaded = list(self._map(kernel, utterances))
        _raise_if_bad(utterances, loaded)
        if self.sampling_rate is None:
            _check_one_rate(utterances, loaded)
        return restore(result.waveform for result in loaded)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags


class _Loaded(NamedTuple):
    """A waveform and the sampling rate of its file, or why there is none."""

    waveform: np.ndarray
    rate: int | None
    problem: str | None = None


@dataclass(frozen=True)
class _Load:
    sampling_rate: int | None
    channel: str | int
    start: float
    end: float | None
    min_duration: float
    quality: str
    dtype: str

    def __call__(self, item: Any) -> _Loaded:
        try:
            if isinstance(item, ChangedAudio):
                return self._change(item)
            return self._load(item) if is_path(item) else self._take(item)
        except BadAudioError as error:
            return _Loaded(np.empty(0), None, str(error))

    def _change(self, item: ChangedAudio) -> _Loaded:
        loaded = self(item.source)
        if loaded.problem is not None:
            return loaded
        try:
            waveform = item.change(loaded.waveform, self.sampling_rate or loaded.rate)
        except ValueError as error:
            raise BadAudioError(str(error)) from error
        return loaded._replace(waveform=waveform.astype(self.dtype, copy=False))

    def _take(self, waveform: np.ndarray) -> _Loaded:
        """Take a waveform that is in memory already."""
        if self.sampling_rate is not None:
            waveform = waveform[self._part(len(waveform), self.sampling_rate)]
        elif self.start or self.end is not None or self.min_duration:
            raise BadAudioError(
                "start, end and min_duration of a waveform in memory need its sampling_rate"
            )
        return _Loaded(waveform.astype(self.dtype, copy=False), None)

    def _load(self, item: str | os.PathLike | AudioSegment) -> _Loaded:
        """Decode the part of a file that is asked for."""
        with open_audio(item) as audio:
            rate = audio.sampling_rate
            part = self._part(audio.n_samples, rate)
            samples = audio.read(part.start, part.stop, dtype=self.dtype)
        waveform = self._one_channel(samples)
        target = self.sampling_rate or rate
        return _Loaded(resample(waveform, rate=rate, target=target, quality=self.quality), rate)

    def _part(self, n_samples: int, rate: int) -> slice:
        """Return which samples of an utterance lie between `start` and `end`."""
        start = round(self.start * rate)
        stop = n_samples if self.end is None else min(n_samples, round(self.end * rate))
        if start >= stop:
            raise BadAudioError(f"start={self.start:g} s is behind its {n_samples / rate:.3f} s")
        if stop - start < self.min_duration * rate:
            raise BadAudioError(
                f"{(stop - start) / rate:.3f} s are shorter than min_duration="
                f"{self.min_duration:g} s"
            )
        return slice(start, stop)

    def _one_channel(self, samples: np.ndarray) -> np.ndarray:
        channels = np.atleast_2d(samples.T)
        if self.channel == "mean":
            return channels[0] if len(channels) == 1 else channels.mean(axis=0)
        if int(self.channel) >= len(channels):
            raise BadAudioError(f"has {len(channels)} channels, no channel {self.channel}")
        return np.ascontiguousarray(channels[int(self.channel)])


def _raise_if_bad(utterances: Sequence[Any], loaded: Sequence[_Loaded]) -> None:
    bad = [row for row, result in enumerate(loaded) if result.problem is not None]
    if not bad:
        return
    lines = [_name(row, utterances[row]) + f": {loaded[row].problem}" for row in bad[:_N_NAMED]]
    if len(bad) > _N_NAMED:
        lines.append(f"and {len(bad) - _N_NAMED} more")
    listed = "\n  ".join(lines)
    raise ValueError(
        f"{len(bad)} of {len(utterances)} utterances cannot be loaded:\n  {listed}\n"
        "Repair them, or leave them out: Corpus.check_audio(on_error='skip') does so and "
        "reports them."
    )


def _check_one_rate(utterances: Sequence[Any], loaded: Sequence[_Loaded]) -> None:
    examples: dict[int, str] = {}
    for row, result in enumerate(loaded):
        if result.rate is not None:
            examples.setdefault(result.rate, _name(row, utterances[row]))
    if len(examples) > 1:
        listed = ", ".join(f"{rate} Hz in {example}" for rate, example in sorted(examples.items()))
        raise ValueError(
            f"files have different sampling rates: {listed}; choose one with sampling_rate="
        )


def _name(row: int, utterance: Any) -> str:
    return f"utterance {row} ({utterance})" if is_path(utterance) else f"utterance {row}"
