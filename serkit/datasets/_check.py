"""Decode audio and find the utterances that cannot be used."""

import os
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import soundfile

from serkit.utils import AudioSegment, is_path, parallel_map

__all__ = ["file_duration", "measure_audio"]

_BLOCK = 1 << 18  # frames decoded at a time: memory stays flat for long recordings


def measure_audio(
    audio: np.ndarray,
    sampling_rate: int | None,
    min_duration: float,
    *,
    n_jobs: int | None = None,
    verbose: int | bool = 0,
) -> tuple[list[float], list[str | None]]:
    """Return the duration of every utterance in seconds, and the reason if it is bad."""
    results = parallel_map(
        _Check(sampling_rate, min_duration),
        audio,
        n_jobs=n_jobs,
        verbose=verbose,
        description="Checking audio",
    )
    durations, reasons = [], []
    for duration, reason in results:
        durations.append(duration)
        reasons.append(reason)
    return durations, reasons


def file_duration(path: str) -> float:
    """Return the duration in seconds that the header states, NaN if it cannot be read."""
    try:
        return soundfile.info(path).duration
    except (soundfile.SoundFileError, OSError):
        return np.nan


class _BadAudioError(Exception):
    pass


@dataclass(frozen=True)
class _Check:
    sampling_rate: int | None
    min_duration: float

    def __call__(self, item: Any) -> tuple[float, str | None]:
        try:
            duration = _decode(item) if is_path(item) else self._inspect(item)
        except (_BadAudioError, soundfile.SoundFileError, OSError) as error:
            return np.nan, str(error)
        if duration < self.min_duration:
            return duration, f"lasts {duration:.3f} s, less than {self.min_duration:g} s"
        return duration, None

    def _inspect(self, waveform: np.ndarray) -> float:
        if not waveform.size:
            raise _BadAudioError("no samples")
        _require_finite(waveform)
        assert self.sampling_rate is not None, "waveforms always have one"
        return len(waveform) / self.sampling_rate


def _decode(item: str | os.PathLike | AudioSegment) -> float:
    """Decode a file, or a part of it, and return the duration in seconds."""
    part = item if isinstance(item, AudioSegment) else AudioSegment(item)
    if not os.path.isfile(part.file):
        raise _BadAudioError("no such file")
    if not os.path.getsize(part.file):
        raise _BadAudioError("the file is empty")
    with soundfile.SoundFile(part.file) as sound:
        rate, n_frames = sound.samplerate, sound.frames
        if not n_frames:
            raise _BadAudioError("no samples")
        _require_whole(sound.extra_info)
        start = round(part.start * rate)
        stop = n_frames if part.end is None else round(part.end * rate)
        if not start < stop <= n_frames:
            raise _BadAudioError(
                f"from {part.start:g} s to {stop / rate:g} s is no part of its "
                f"{n_frames / rate:g} s"
            )
        sound.seek(start)
        for position in range(start, stop, _BLOCK):
            wanted = min(_BLOCK, stop - position)
            block = sound.read(wanted, dtype="float32")
            if len(block) < wanted:
                raise _BadAudioError(f"breaks off at {(position + len(block)) / rate:.3f} s")
            _require_finite(block)
    return (stop - start) / rate


def _require_finite(samples: np.ndarray) -> None:
    if not np.isfinite(samples).all():
        raise _BadAudioError("contains NaN or infinity")


def _require_whole(header: str) -> None:
    """Refuse a WAV file that ends before the data that its header announces.

    libsndfile reads what is there, and only notes the difference.
    """
    sizes = re.search(r"^data : (\d+) \(should be (\d+)\)", header, flags=re.MULTILINE)
    if sizes:
        announced, present = map(int, sizes.groups())
        # A stream of unknown length announces the largest number.
        if present + 1 < announced < 0x7FFFFFFF:
            raise _BadAudioError(f"breaks off: {present} of {announced} bytes of audio are there")
