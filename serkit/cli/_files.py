"""Audio files by name, by folder, or from standard input."""

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

__all__ = ["AUDIO_SUFFIXES", "list_audio"]

#: What a folder is searched for; a file that is named is read whatever its suffix.
AUDIO_SUFFIXES = (
    *(".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3"),
    *(".aiff", ".aif", ".au", ".caf", ".w64"),
)


def list_audio(inputs: Iterable[str]) -> Iterator[str]:
    """Yield the files that are named, those in folders that are, and those that ``-`` reads.

    Nothing is collected on the way: a list of any length costs no memory.
    """
    for name in inputs:
        if name == "-":
            yield from map(_checked, filter(None, (line.rstrip("\r\n") for line in sys.stdin)))
        elif os.path.isdir(name):
            yield from map(_checked, _in_folder(name))
        else:
            yield _checked(name)


def _checked(name: str) -> str:
    """Raise if a name cannot stand in a table, which is UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError:
        raise ValueError(f"the file {name!a} has a name that is not UTF-8; rename it") from None
    return name


def _in_folder(folder: str) -> Iterator[str]:
    found = False
    for where, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for file in sorted(files):
            if Path(file).suffix.lower() in AUDIO_SUFFIXES and not file.startswith("."):
                found = True
                yield os.path.join(where, file)
    if not found:
        raise ValueError(
            f"the folder {folder} has no audio files ({', '.join(AUDIO_SUFFIXES)}); name them to "
            "have files with other suffixes read"
        )
