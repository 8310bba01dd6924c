"""The table of a corpus: its columns, and what must hold in them."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from serkit.utils import AudioSegment, as_ragged

__all__ = ["audio_item", "check_table", "check_waveforms", "listed"]

COLUMNS = (
    "file",
    "speaker",
    "gender",
    "emotion",
    "sentence",
    "session",
    "start",
    "end",
    "partition",
    "duration",
)
SECONDS = ("start", "end", "duration")


def check_table(table: Any, *, in_memory: bool) -> pd.DataFrame:
    """Return a copy with all columns of a corpus, each of its type."""
    table = pd.DataFrame(table).reset_index(drop=True)
    if "file" not in table and not in_memory:
        raise ValueError(
            f"the table has no column 'file' (it has {listed(table.columns)}); give the paths, "
            "or waveforms"
        )
    extra = [column for column in table.columns if column not in COLUMNS]
    table = table.reindex(columns=[*COLUMNS, *extra])
    for column in COLUMNS:
        if column in SECONDS:
            table[column] = _as_seconds(table[column])
        else:
            # Whole numbers beside missing values arrive as floats: 3.0 is speaker "3".
            table[column] = table[column].convert_dtypes().astype("string")
    if not in_memory and table["file"].isna().any():
        raise ValueError(f"row {int(table['file'].isna().argmax())} names no file")
    begin = table["start"].fillna(0)
    outside = (begin < 0) | (table["end"] <= begin)
    if outside.any():
        row = int(outside.argmax())
        raise ValueError(
            f"row {row}: start={begin[row]:g} and end={table['end'][row]:g} are no part of a file; "
            "0 <= start < end is needed (seconds)"
        )
    table["duration"] = table["duration"].fillna(table["end"] - begin)
    return table


def _as_seconds(column: pd.Series) -> pd.Series:
    try:
        return pd.to_numeric(column).astype(float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"column {column.name!r} has to hold seconds: {error}") from None


def check_waveforms(waveforms: Any, n_utterances: int) -> np.ndarray:
    """Return the waveforms in a ragged array, one for each row of the table."""
    ragged = as_ragged(np.asarray(waveform) for waveform in waveforms)
    if len(ragged) != n_utterances:
        raise ValueError(f"there are {len(ragged)} waveforms for a table of {n_utterances} rows")
    for row, waveform in enumerate(ragged):
        if waveform.ndim != 1 or waveform.dtype.kind not in "iuf":
            raise ValueError(
                f"waveform {row} is an array of shape {waveform.shape} and type "
                f"{waveform.dtype}; a waveform is a 1-D array of numbers"
            )
    return ragged


def audio_item(file: str, start: float, end: float) -> str | AudioSegment:
    """Return the path of a file, or the part of it that is asked for."""
    if np.isnan(start) and np.isnan(end):
        return file
    return AudioSegment(
        file, 0.0 if np.isnan(start) else float(start), None if np.isnan(end) else float(end)
    )


def listed(values: Iterable[Any], limit: int = 12) -> str:
    """List values for a message, the first ones if there are many."""
    values = list(values)
    more = f" and {len(values) - limit} more" if len(values) > limit else ""
    return ", ".join(repr(value) for value in values[:limit]) + more
