"""Audio of utterances and uploads, and kept models, without a traceback for a reader to see."""

import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import streamlit as st

from serkit import persistence
from serkit.app._state import Choice
from serkit.utils import AudioSegment, BadAudioError, open_audio

__all__ = [
    "MAX_SECONDS",
    "SILENCE",
    "audio_item",
    "load_model",
    "play",
    "read_audio",
    "temporary_file",
]

#: Longer recordings are for ``serkit predict``.
MAX_SECONDS = 600

#: Peak below which a clip counts as silent: -66 dB of full scale.
SILENCE = 5e-4


def audio_item(choice: Choice, row: int, folder: str) -> AudioSegment | None:
    """Return where the audio of an utterance is, or None if it is not to be found."""
    utterance = choice.result.utterances.loc[row]
    if not isinstance(utterance["file"], str):
        return None
    roots = [
        st.session_state.get(f"root of {choice.place}"),
        choice.result.root,
        Path(folder) / "corpus",
    ]
    for root in roots:
        path = Path(root or ".").expanduser() / utterance["file"]
        if root and path.is_file():
            start, end = utterance["start"], utterance["end"]
            return AudioSegment(path, 0.0 if _missing(start) else start, _none(end))
    return None


def _missing(value: Any) -> bool:
    return value is None or value != value


def _none(value: Any) -> Any:
    return None if _missing(value) else value


def read_audio(item: AudioSegment) -> tuple[np.ndarray, int]:
    """Return the mean of the channels and the sampling rate; refuse what is too long."""
    stamp = os.stat(item.file).st_mtime_ns if os.path.exists(item.file) else 0
    return _read_audio(os.fspath(item.file), item.start, item.end, stamp)


@st.cache_data(show_spinner=False, max_entries=32)
def _read_audio(file: str, start: float, end: float | None, stamp: int) -> tuple[np.ndarray, int]:
    with open_audio(AudioSegment(file, start, end)) as audio:
        seconds = audio.n_samples / audio.sampling_rate
        if seconds > MAX_SECONDS:
            raise BadAudioError(
                f"it lasts {seconds / 60:.0f} minutes, and {MAX_SECONDS // 60} are the most here. "
                "Cut it, or use serkit predict, which reads long recordings piece by piece"
            )
        samples = audio.read(0, audio.n_samples)
        waveform = samples if samples.ndim == 1 else samples.mean(axis=1)
        return waveform, audio.sampling_rate


def play(waveform: np.ndarray, rate: int) -> None:
    """Show a player; streamlit by itself would make all recordings equally loud."""
    file = io.BytesIO()
    soundfile.write(file, np.clip(waveform, -1, 1), rate, format="WAV")
    st.audio(file.getvalue())


@contextmanager
def temporary_file(data: bytes, name: str) -> Iterator[Path]:
    """Write an upload to a file that is gone afterwards; its own name is not trusted."""
    suffix = Path(name).suffix.lower()
    with tempfile.TemporaryDirectory(prefix="serkit-app-") as folder:
        path = Path(folder) / f"upload{suffix if suffix[1:].isalnum() else ''}"
        path.write_bytes(data)
        yield path


def load_model(path: str | os.PathLike) -> Any:
    """Load a kept model once."""
    return _load_model(os.fspath(path), os.stat(path).st_mtime_ns)


@st.cache_resource(show_spinner="Loading the model", max_entries=8)
def _load_model(path: str, stamp: int) -> Any:
    return persistence.load(path)
