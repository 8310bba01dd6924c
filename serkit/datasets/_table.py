"""The table of a corpus: its columns, and what must hold in them."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from serkit.utils import AudioSegment, as_ragged

__all__ = ["audio_item", "check_table", "check_waveforms", "listed", "matching_rows"]

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
            table[column] = _as_text(table[column])
    if not in_memory and table["file"].isna().any():
        raise ValueError(f"row {int(table['file'].isna().argmax())} names no file")
    _refuse_twin_speakers(table["speaker"])
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


def _as_text(column: pd.Series) -> pd.Series:
    """Return labels as text without spaces around it, what is blank as missing."""
    if not isinstance(column.dtype, pd.StringDtype):
        column = pd.Series([_whole(value) for value in column], dtype=object)
    return column.astype("string").str.strip().replace("", pd.NA)


def _whole(value: Any) -> Any:
    # Whole numbers beside missing values arrive as floats: 3.0 is speaker "3".
    is_whole = isinstance(value, float | np.floating) and value.is_integer()
    return int(value) if is_whole else value


def _refuse_twin_speakers(speakers: pd.Series) -> None:
    """Refuse "Anna" beside "anna": as two speakers they would leak from training to test."""
    codes = pd.Series(speakers.dropna().unique(), dtype="string")
    folded = codes.str.casefold()
    twins = codes[folded.duplicated(keep=False)]
    if len(twins):
        raise ValueError(
            f"the speakers {listed(twins)} differ only in capital letters; give each person one "
            "label, such as table['speaker'].str.lower()"
        )


def _as_seconds(column: pd.Series) -> pd.Series:
    try:
        return pd.to_numeric(column).astype(float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"column {column.name!r} has to hold seconds: {error}") from None


def check_waveforms(waveforms: Any, n_utterances: int, sampling_rate: int | None) -> np.ndarray:
    """Return read-only views of the waveforms, one for each row of the table."""
    if sampling_rate is None or sampling_rate <= 0:
        raise ValueError(
            f"waveforms need their sampling_rate in Hz, a positive number; got {sampling_rate!r}"
        )
    ragged = as_ragged(np.asarray(waveform).view() for waveform in waveforms)
    if len(ragged) != n_utterances:
        raise ValueError(f"there are {len(ragged)} waveforms for a table of {n_utterances} rows")
    for row, waveform in enumerate(ragged):
        if waveform.ndim != 1 or waveform.dtype.kind not in "iuf":
            raise ValueError(
                f"waveform {row} is an array of shape {waveform.shape} and type "
                f"{waveform.dtype}; a waveform is a 1-D array of numbers"
            )
        waveform.flags.writeable = False
    return ragged


def audio_item(file: str, start: float, end: float) -> str | AudioSegment:
    """Return the path of a file, or the part of it that is asked for."""
    if np.isnan(start) and np.isnan(end):
        return file
    return AudioSegment(
        file, 0.0 if np.isnan(start) else float(start), None if np.isnan(end) else float(end)
    )


def matching_rows(table: pd.DataFrame, conditions: Mapping[str, Any]) -> np.ndarray:
    """Return a mask of the rows whose columns have the given value, or one of them."""
    mask = np.ones(len(table), dtype=bool)
    for column, wanted in conditions.items():
        if column not in table:
            raise ValueError(f"there is no column {column!r}; there are {listed(table.columns)}")
        is_one = isinstance(wanted, str) or not isinstance(wanted, Iterable)
        values = [wanted] if is_one else list(wanted)
        known = table[column].dropna().unique()
        unknown = [value for value in values if value not in known]
        if unknown:
            raise ValueError(
                f"{column} is nowhere {listed(unknown)}; it takes the values {listed(known)}"
            )
        mask &= table[column].isin(values).to_numpy()
    return mask


def listed(values: Iterable[Any], limit: int = 12) -> str:
    """List values for a message, the first ones if there are many."""
    values = list(values)
    more = f" and {len(values) - limit} more" if len(values) > limit else ""
    return ", ".join(repr(value) for value in values[:limit]) + more
