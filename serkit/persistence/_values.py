"""Parameters and fitted attributes as JSON, and back with the types that they had."""

import math
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["from_json", "to_json"]

#: Kinds of arrays whose values JSON can hold: booleans, integers, floats, text, objects.
_KINDS = "biufUO"


def to_json(value: Any) -> Any:
    """Turn a value into what JSON can hold.

    What JSON does not know (tuple, dict, array, DataFrame, NaN) becomes an object
    with one key, the name of its type.

    Parameters
    ----------
    value : object
        None, a number, text, or a container of such.

    Returns
    -------
    encoded : None, bool, int, float, str, list or dict

    Raises
    ------
    TypeError
        If it is, or holds, something else.
    """
    if value is None:
        return None
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        value = float(value)
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, str):
        return str(value)
    if type(value) is list:
        return [to_json(item) for item in value]
    if type(value) is tuple:
        return {"tuple": [to_json(item) for item in value]}
    if type(value) is dict:
        return {"dict": [[to_json(key), to_json(item)] for key, item in value.items()]}
    if type(value) is np.ndarray and value.dtype.kind in _KINDS:
        values = [to_json(item) for item in value.ravel().tolist()]
        return {"array": {"dtype": value.dtype.str, "shape": value.shape, "values": values}}
    if type(value) is pd.DataFrame:
        columns = [[to_json(name), to_json(value[name].to_numpy())] for name in value]
        return {"frame": columns}
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def from_json(encoded: Any) -> Any:
    """Undo :func:`to_json`.

    Parameters
    ----------
    encoded : None, bool, int, float, str, list or dict
        What :func:`to_json` has returned.

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
            return pd.DataFrame({from_json(name): from_json(column) for name, column in columns})
    raise ValueError(f"{str(encoded)[:60]} is no value that serkit writes")


def _array(values: list, dtype: np.dtype) -> np.ndarray:
    if dtype.kind not in _KINDS:
        raise ValueError(f"arrays of {dtype} are not read")
    # Item by item, for an array of objects may hold sequences.
    return np.fromiter(values, dtype=dtype, count=len(values))
