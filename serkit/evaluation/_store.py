"""Results on disk: one file per finished fold, complete or absent."""

import contextlib
import json
import os
import secrets
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from tqdm.auto import tqdm

__all__ = ["ResultsStore", "complete_file", "sweep"]

_DAY = 24 * 60 * 60


class ResultsStore:
    """Keep finished folds in a folder, each under the digest of all that made it.

    An entry is written to a temporary file and then renamed: a process that is
    killed leaves a complete entry or none, and processes that write the same
    entry at once do no harm. An entry that cannot be read counts as absent.

    Parameters
    ----------
    folder : path-like or None
        Where the entries are kept, as readable JSON; ``None`` keeps nothing.
    """

    def __init__(self, folder: str | os.PathLike | None):
        # Absolute, for workers that stand in another folder.
        self.folder = None if folder is None else Path(folder).absolute() / "folds"
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            for folder in (self.folder, self._models):
                sweep(folder)

    def load(self, key: str) -> dict[str, Any] | None:
        """Return the entry of a key, or None if there is no readable one."""
        if self.folder is None:
            return None
        try:
            entry = json.loads(self._path(key).read_bytes())
            return entry["record"] if entry["key"] == key else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def load_all(self, keys: Iterable[str], *, what: str, verbose: int | bool) -> dict[str, Any]:
        """Return the entries that there are, by key, and say how many of them were found."""
        keys = list(keys)
        if self.folder is None:
            return {}
        records = {key: record for key in keys if (record := self.load(key)) is not None}
        if verbose and records:
            n_found = sum(key in records for key in keys)
            message = f"{n_found} of {len(keys)} {what} found in {self.folder.parent}"
            tqdm.write(message, file=sys.stderr)
        return records

    def save(self, key: str, record: dict[str, Any], *, about: dict[str, Any]) -> None:
        """Write the entry of a key, with what it is about for those who read the file."""
        if self.folder is None:
            return
        entry = json.dumps({"key": key, "about": about, "record": record}, indent=1)
        with complete_file(self._path(key)) as file:
            file.write(entry.encode())

    def model_path(self, key: str) -> Path:
        """Return where the fitted model of a key is kept, ``models/KEY.serkit``."""
        return self._models / f"{key}.serkit"

    def has_model(self, key: str) -> bool:
        """Say whether the fitted model of a key is there."""
        return self.folder is not None and self.model_path(key).exists()

    @property
    def _models(self) -> Path:
        assert self.folder is not None
        return self.folder.parent / "models"

    def __contains__(self, key: str) -> bool:
        return self.folder is not None and self._path(key).exists()

    def _path(self, key: str) -> Path:
        assert self.folder is not None
        return self.folder / f"{key}.json"


@contextlib.contextmanager
def complete_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a file to write, which gets its name once all is written, or never."""
    temporary = path.with_name(f".{path.stem}-{secrets.token_hex(4)}.part")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def sweep(folder: Path) -> None:
    """Remove what processes that were killed while writing left behind."""
    for temporary in folder.glob(".*.part"):
        with contextlib.suppress(OSError):
            if time.time() - temporary.stat().st_mtime > _DAY:
                temporary.unlink()
