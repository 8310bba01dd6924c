"""Values in files of format 1: JSON in which everything else is an object with one key."""

from typing import Any

import numpy as np

from serkit.persistence._values import make_array, make_frame

__all__ = ["from_json"]

#: Kinds of arrays whose values JSON can hold: booleans, integers, floats, text, objects.
_KINDS = "biufUO"


def from_json(encoded: Any) -> Any:
    """Return the value that was written.

    Parameters
    ----------
    encoded : None, bool, int, float, str, list or dict
        What stands in the file.

    Returns
    -------
    value : object

    Raises
    ------
    ValueError
        If it is something else.
    """
    if isinstance(encoded, list):
        return [from_json(item) for item in encoded]
    if not isinstance(encoded, dict):
        return encoded
    match encoded:
        case {"float": str(text)} if text in ("nan", "inf", "-inf"):
            return float(text)
        case {"tuple": list(items)}:
            return tuple(from_json(items))
        case {"dict": list(items)}:
            return {from_json(key): from_json(item) for key, item in items}
        case {"array": {"dtype": str(dtype), "shape": list(shape), "values": list(values)}}:
            return _array(from_json(values), np.dtype(dtype)).reshape(shape)
        case {"frame": list(columns)}:
            return make_frame({from_json(name): from_json(column) for name, column in columns})
    raise ValueError(f"{str(encoded)[:60]} is no value that serkit writes")


def _array(values: list, dtype: np.dtype) -> np.ndarray:
    if dtype.kind not in _KINDS:
        raise ValueError(f"arrays of {dtype} are not read")
    return make_array(values, dtype)
