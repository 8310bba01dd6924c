"""Open audio files, whole or in part, and say what is wrong with those that cannot be used."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import soundfile

from serkit.utils._containers import AudioSegment

__all__ = ["BadAudioError", "OpenAudio", "open_audio"]

_TOLERANCE = 0.01  # seconds; tables round times, and the end of a file is then beyond it

#: How libsndfile notes that a WAV, AIFF or AU file ends before the data its header announces.
_CUT_OFF = re.compile(r"^ *(?:data|SSND|Data Size) +: (\d+) \(should be (\d+)\)", re.MULTILINE)
_UNKNOWN_LENGTH = 0x7FFF0000  # a stream announces about the largest number


class BadAudioError(ValueError):
    """An audio file, or the part of it that is asked for, cannot be used."""


class OpenAudio:
    """An audio file that is open, and the part of it that is asked for.

    Parameters
    ----------
    sound : soundfile.SoundFile
        The open file.
    segment : AudioSegment
        Which part of it.

    Attributes
    ----------
    sampling_rate : int
        Sampling rate of the file in Hz.
    n_samples : int
        Length of the part in samples of one channel.
    """

    def __init__(self, sound: soundfile.SoundFile, segment: AudioSegment):
        _require_whole(sound)
        self._sound = sound
        self.sampling_rate = sound.samplerate
        self._first, self.n_samples = _bounds(segment, sound.frames, sound.samplerate)

    def read(self, start: int, stop: int, *, dtype: str = "float32") -> np.ndarray:
        """Decode samples of the part.

        Parameters
        ----------
        start : int
            The first sample, counted from the beginning of the part.
        stop : int
            The sample behind the last one.
        dtype : {"float32", "float64"}, default="float32"
            Type of the samples.

        Returns
        -------
        samples : ndarray of shape (n_samples,) or (n_samples, n_channels)

        Raises
        ------
        BadAudioError
            If there are fewer samples than the header states, or NaN or infinity.
        """
        if self._sound.tell() != self._first + start:
            self._sound.seek(self._first + start)
        samples = self._sound.read(stop - start, dtype=dtype)
        if len(samples) < stop - start:
            end = (self._first + start + len(samples)) / self.sampling_rate
            raise BadAudioError(f"breaks off at {end:.3f} s")
        if not np.isfinite(samples).all():
            raise BadAudioError("contains NaN or infinity")
        return samples


@contextmanager
def open_audio(item: str | os.PathLike | AudioSegment) -> Iterator[OpenAudio]:
    """Open an audio file for reading; whatever is wrong with it is one kind of error.

    Parameters
    ----------
    item : path-like or AudioSegment
        The file, or a part of it. A part may end up to 10 ms behind the file,
        as times in tables are rounded, and then ends with it.

    Yields
    ------
    audio : OpenAudio
        What can be read, in the ``with`` block only.

    Raises
    ------
    BadAudioError
        If the file is missing, empty, corrupt or incomplete, here or while it
        is read, or if it has no such part.
    """
    segment = item if isinstance(item, AudioSegment) else AudioSegment(item)
    try:
        with _open(segment.file) as sound:
            yield OpenAudio(sound, segment)
    except (soundfile.SoundFileError, OSError) as error:
        raise BadAudioError(str(error)) from error


def _open(file: str | os.PathLike) -> soundfile.SoundFile:
    try:
        return soundfile.SoundFile(file)
    except (soundfile.LibsndfileError, TypeError) as error:  # TypeError: raw samples
        if not os.path.isfile(file):
            raise BadAudioError("no such file") from None
        if not os.path.getsize(file):
            raise BadAudioError("the file is empty") from None
        raise BadAudioError(getattr(error, "error_string", str(error))) from None


def _require_whole(sound: soundfile.SoundFile) -> None:
    """Refuse a file that was cut off: libsndfile reads what is there, and only notes it."""
    sizes = _CUT_OFF.search(sound.extra_info)
    if sizes:
        announced, present = map(int, sizes.groups())
        if present + 1 < announced < _UNKNOWN_LENGTH:
            raise BadAudioError(f"breaks off: {present} of {announced} bytes of audio are there")
    if not sound.frames:
        raise BadAudioError("no samples")


def _bounds(segment: AudioSegment, length: int, rate: int) -> tuple[int, int]:
    """Return where a segment of a file of that length begins and how long it is, in samples."""
    start = round(segment.start * rate)
    stop = length if segment.end is None else round(segment.end * rate)
    if stop <= length + _TOLERANCE * rate:
        stop = min(stop, length)
    if not 0 <= start < stop <= length:
        raise BadAudioError(
            f"{segment.start:g} s to {stop / rate:g} s is no part of its {length / rate:g} s"
        )
    return start, stop - start
