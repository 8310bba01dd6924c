"""Decode audio and find the utterances that cannot be used."""

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import soundfile

from serkit.utils import AudioSegment, BadAudioError, is_path, open_audio, parallel_map

__all__ = ["file_duration", "measure_audio", "report_bad"]

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


def report_bad(files: pd.Series, reasons: list[str | None], *, on_error: str) -> pd.DataFrame:
    """Return the rows, files and reasons of bad utterances, or raise them as one error."""
    report = files.to_frame().assign(reason=pd.array(reasons, dtype="string"))
    report = report[report["reason"].notna()].rename_axis("row")
    if on_error == "raise" and len(report):
        lines = [f"  {row}: {file}: {reason}" for row, file, reason in report.itertuples()]
        raise ValueError(
            f"{len(report)} of {len(files)} utterances cannot be used; repair them, or leave "
            "them out with on_error='skip':\n" + "\n".join(lines)
        )
    return report


def file_duration(path: str) -> float:
    """Return the duration in seconds that the header states, NaN if it cannot be read."""
    try:
        return soundfile.info(path).duration
    except (soundfile.SoundFileError, OSError):
        return np.nan


@dataclass(frozen=True)
class _Check:
    sampling_rate: int | None
    min_duration: float

    def __call__(self, item: Any) -> tuple[float, str | None]:
        try:
            duration = _decode(item) if is_path(item) else self._inspect(item)
        except BadAudioError as error:
            return np.nan, str(error)
        if duration < self.min_duration:
            return duration, f"lasts {duration:.3f} s, less than {self.min_duration:g} s"
        return duration, None

    def _inspect(self, waveform: np.ndarray) -> float:
        if not waveform.size:
            raise BadAudioError("no samples")
        if not np.isfinite(waveform).all():
            raise BadAudioError("contains NaN or infinity")
        assert self.sampling_rate is not None, "waveforms always have one"
        return len(waveform) / self.sampling_rate


def _decode(item: str | os.PathLike | AudioSegment) -> float:
    """Decode a file, or a part of it, and return the duration in seconds."""
    with open_audio(item) as audio:
        for start in range(0, audio.n_samples, _BLOCK):
            audio.read(start, min(start + _BLOCK, audio.n_samples))
        return audio.n_samples / audio.sampling_rate
