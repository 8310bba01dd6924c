"""Types of numpy by their short names, such as ``<f8``."""

from typing import Any

import numpy as np

from serkit.persistence._errors import ModelFileError

__all__ = ["decode_dtype", "decode_scalar_type", "encode_dtype"]

#: Booleans, integers, floats, text and objects: what arrays in files have.
_KINDS = "biufUO"


def encode_dtype(value: Any) -> dict[str, str] | None:
    """Return the node of a dtype or of a class of numbers, or None if it is neither."""
    if isinstance(value, np.dtype) and value.kind in _KINDS:
        return {"numpy_dtype": value.str}
    if isinstance(value, type) and issubclass(value, np.bool_ | np.number):
        dtype = np.zeros(0, value).dtype
        if dtype.type is value and dtype.kind in _KINDS:
            return {"numpy_type": dtype.str}
    return None


def decode_dtype(text: Any) -> np.dtype:
    """Return the dtype of a short name."""
    dtype = np.dtype(text) if isinstance(text, str) else None
    if dtype is None or dtype.kind not in _KINDS or dtype.str != text:
        raise ModelFileError(f"{str(text)[:60]!r} is no type of numpy that serkit writes")
    return dtype


def decode_scalar_type(text: Any) -> type[np.generic]:
    """Return the class of the numbers of a short name."""
    return decode_dtype(text).type
