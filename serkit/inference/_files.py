"""Which files there are to be classified."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from serkit.utils import is_path

__all__ = ["AUDIO_SUFFIXES", "find_audio_files", "list_files"]

#: Names of the audio files that are looked for in folders.
AUDIO_SUFFIXES = frozenset(
    {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif", ".au", ".caf", ".w64"}
)


def find_audio_files(folder: str | os.PathLike) -> list[Path]:
    """Return the audio files of a folder and of all folders in it, sorted by name."""
    found = (path for path in Path(folder).rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES)
    return sorted(path for path in found if path.is_file() and not path.name.startswith("."))


def list_files(files: Any) -> Iterable[Any]:
    """Return the files named: those of a folder, a single one, or what is given, unread.

    Raises
    ------
    FileNotFoundError
        If a single path leads nowhere, or a folder has no audio files.
    TypeError
        If `files` names no files.
    """
    if isinstance(files, str | os.PathLike):
        if not os.path.isdir(files):
            if not os.path.exists(files):
                raise FileNotFoundError(f"there is no file or folder {os.fspath(files)!r}")
            return [files]
        found = find_audio_files(files)
        if not found:
            suffixes = ", ".join(sorted(AUDIO_SUFFIXES))
            raise FileNotFoundError(
                f"{os.fspath(files)!r} has no audio files, neither in folders in it; their names "
                f"end in {suffixes}"
            )
        return found
    if is_path(files):
        return [files]
    if not isinstance(files, Iterable):
        raise TypeError(
            f"files is of type {type(files).__name__}; give a folder, or paths one after the other"
        )
    return files
