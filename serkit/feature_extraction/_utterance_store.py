"""One file per utterance on disk, and the latest ones in memory."""

import hashlib
import io
import json
import os
import secrets
import shutil
import threading
import warnings
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

__all__ = ["Entry", "UtteranceStore"]

# Why not joblib.Memory per utterance: a hit costs 0.6 ms of CPU time there, most
# of a warm cross-validation, against 0.03 ms (files) to 0.25 ms (waveforms) here;
# it knows files by their path, not by their bytes; and a comment changed in the
# source of the function that it wraps empties it.

_CHECKSUM_SIZE = 16


@dataclass(frozen=True)
class Entry:
    """What the steps made of one utterance.

    Parameters
    ----------
    value : ndarray
        The values.
    ragged : bool
        Whether they stood in a ragged container.
    notes : tuple of str
        What the steps warned of: silence, a signal that is too short.
    """

    value: np.ndarray
    ragged: bool
    notes: tuple[str, ...] = ()


class UtteranceStore:
    """Entries below a folder, by key.

    An entry is written to a file of its own name in the same folder and then
    renamed: a reader sees it whole or not at all, whoever else writes, and
    whenever the writer is killed. A checksum finds what a full disk or a
    broken copy has damaged; such an entry counts as missing.

    Parameters
    ----------
    location : str or path-like
        The folder; made when the first entry is saved.
    """

    def __init__(self, location: str | os.PathLike):
        self.folder = Path(location).absolute() / "serkit-utterances"

    def load(self, key: str) -> Entry | None:
        """Return the entry of a key, or None."""
        entry = _RECENT.get(self.folder, key)
        if entry is not None:
            return entry
        path = self._path(key)
        try:
            content = path.read_bytes()
        except OSError:
            return None
        checksum, payload = content[:_CHECKSUM_SIZE], content[_CHECKSUM_SIZE:]
        if checksum != _checksum(payload):
            warnings.warn(f"the cache entry {path} is damaged; it is made anew", stacklevel=3)
            return None
        head, _, body = payload.partition(b"\n")
        value = np.load(io.BytesIO(body), allow_pickle=False)
        entry = Entry(value, **json.loads(head))
        _RECENT.put(self.folder, key, entry)
        return entry

    def save(self, key: str, entry: Entry) -> None:
        """Save the entry of a key; a folder that cannot be written to is a warning."""
        buffer = io.BytesIO()
        head = {"ragged": entry.ragged, "notes": entry.notes}
        buffer.write(json.dumps(head).encode() + b"\n")
        np.save(buffer, entry.value, allow_pickle=False)
        payload = buffer.getvalue()
        path = self._path(key)
        temporary = path.with_name(f".{key}-{secrets.token_hex(8)}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(_checksum(payload) + payload)
            temporary.replace(path)
        except OSError as error:
            with suppress(OSError):
                temporary.unlink()
            # Windows: another process reads the entry, which is the same.
            if not path.exists():
                warnings.warn(
                    f"the cache {self.folder} cannot be written to ({error.strerror}); what it "
                    "lacks is computed anew every time",
                    stacklevel=2,
                )

    def clear(self) -> None:
        """Remove all entries."""
        shutil.rmtree(self.folder, ignore_errors=True)
        _RECENT.forget(self.folder)

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / key[2:]


def _checksum(payload: bytes) -> bytes:
    return hashlib.blake2b(payload, digest_size=_CHECKSUM_SIZE).digest()


class _Recent:
    """The entries that this process loaded last, up to a number of bytes."""

    def __init__(self, max_bytes: int):
        self.max_bytes = max_bytes
        self.n_bytes = 0
        self.entries: OrderedDict[tuple[Path, str], Entry] = OrderedDict()
        self.lock = threading.Lock()

    def get(self, folder: Path, key: str) -> Entry | None:
        with self.lock:
            entry = self.entries.get((folder, key))
            if entry is not None:
                self.entries.move_to_end((folder, key))
            return entry

    def put(self, folder: Path, key: str, entry: Entry) -> None:
        # Shared by all who ask for it, so nobody may write into it.
        entry.value.flags.writeable = False
        with self.lock:
            if (folder, key) in self.entries:
                return
            self.entries[folder, key] = entry
            self.n_bytes += entry.value.nbytes
            while self.n_bytes > self.max_bytes:
                _, oldest = self.entries.popitem(last=False)
                self.n_bytes -= oldest.value.nbytes

    def forget(self, folder: Path) -> None:
        with self.lock:
            for place in [place for place in self.entries if place[0] == folder]:
                self.n_bytes -= self.entries.pop(place).value.nbytes


_RECENT = _Recent(max_bytes=256 * 2**20)
