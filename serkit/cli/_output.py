"""What commands print: text or JSON on standard output, everything else on standard error."""

import json
import os
import secrets
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["check_folder", "complete_file", "note", "print_json", "records"]


def print_json(value: Any) -> None:
    """Print a value as JSON; numbers that JSON lacks have to be None already."""
    print(json.dumps(value, indent=2, allow_nan=False), flush=True)


def note(text: str) -> None:
    """Say something that is not the result, on a line of its own beside progress bars."""
    bars = sys.modules.get("tqdm")  # not imported for this: help is to be instant
    if bars is None:
        print(text, file=sys.stderr, flush=True)
    else:
        bars.tqdm.write(text, file=sys.stderr)


def records(frame: "pd.DataFrame") -> list[dict[str, Any]]:
    """Return the rows of a table as JSON knows them: NaN becomes None."""
    return json.loads(frame.to_json(orient="records", double_precision=15))


def check_folder(*folders: Path | None) -> None:
    """Raise now, not after a long run, if there is a folder that cannot be written."""
    for folder in folders:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass


@contextmanager
def complete_file(path: Path) -> Iterator[Path]:
    """Yield a path to write to; the file gets its name once it is complete."""
    if path.exists() and not path.is_file():  # a pipe or a device, such as /dev/null
        yield path
        return
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        yield unfinished
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
