"""Arrays of text and objects and frames, of no more memory than their values justify."""

from typing import Any

import numpy as np
import pandas as pd

from serkit.persistence._errors import ModelFileError

__all__ = ["make_array", "make_frame"]


def make_array(values: list, dtype: np.dtype) -> np.ndarray:
    """Return a flat array of values that were written one by one."""
    if dtype.kind == "U":
        _check_text(values, dtype)
    # Item by item, for an array of objects may hold sequences.
    return np.fromiter(values, dtype=dtype, count=len(values))


def make_frame(columns: dict[Any, Any], index: Any = None) -> pd.DataFrame:
    """Return a frame of columns that have a value for every row."""
    parts = [*columns.values(), *([] if index is None else [index])]
    if not all(isinstance(part, np.ndarray) and part.ndim == 1 for part in parts):
        raise ModelFileError("a frame has a column that is no array")
    if len({len(part) for part in parts}) > 1:
        raise ModelFileError("a frame has columns of several lengths")
    return pd.DataFrame(columns, index=index)


def _check_text(values: list, dtype: np.dtype) -> None:
    """Refuse a type that takes far more room than the text in it."""
    if not all(isinstance(value, str) for value in values):
        raise ModelFileError("an array of text holds something else")
    lengths = [len(value) for value in values]
    if dtype.itemsize > 4 * max(1000, *lengths, 0) or dtype.itemsize * len(
        values
    ) > 2**20 + 64 * sum(lengths):
        raise ModelFileError(f"an array of text of type {dtype} is longer than its text")
