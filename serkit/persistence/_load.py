"""Read fitted estimators from files, and nothing else."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
from safetensors.numpy import load as arrays_from_bytes
from safetensors.torch import load as weights_from_bytes
from sklearn.base import BaseEstimator
from torch import Tensor

from serkit import __version__
from serkit.persistence._archive import is_archive, read_archive
from serkit.persistence._decode import Decoder
from serkit.persistence._errors import ModelFileError
from serkit.persistence._single_file import load_single_file

__all__ = ["FORMAT", "check_format", "load", "rebuild"]

#: Raised by one whenever files change so that earlier versions would misread them.
FORMAT = 2


def load(path: str | os.PathLike) -> BaseEstimator:
    """Read an estimator that :func:`save` has written.

    Nothing in the file is executed, so files from others may be loaded. What a
    file of someone else predicts is another matter: read its card.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    estimator : estimator
        The fitted estimator. On the kind of device that it was saved from it
        predicts what it did, bit for bit, and networks can be trained further
        with ``warm_start=True``.

    Raises
    ------
    ModelFileError
        If the file was not written by :func:`save`, is damaged or was tampered
        with, names a class that is not allowed or not registered, or needs a
        newer version of serkit. It is a ValueError.
    ImportError
        If it holds plain estimators of scikit-learn, and skops is missing.

    See Also
    --------
    save : Writes the file.
    register : Allows classes of your own.

    Examples
    --------
    See :func:`save`.
    """
    path = Path(path)
    try:
        if not is_archive(path):
            return load_single_file(path)
        description, members = read_archive(path)
        check_format(description)
        arrays = _read_tensors(members, "arrays.safetensors", arrays_from_bytes)
        weights = _read_tensors(members, "weights.safetensors", weights_from_bytes)
        return rebuild(description.get("model"), arrays, weights, members)
    except ModelFileError as error:
        raise ModelFileError(f"{path} is refused: {error}") from error


def rebuild(
    model: Any,
    arrays: Mapping[str, np.ndarray],
    weights: Mapping[str, Tensor],
    parts: Mapping[str, bytes],
) -> BaseEstimator:
    """Return the estimator that is described."""
    decoder = Decoder(arrays, weights, parts)
    try:
        estimator = decoder.decode(model)
    except (ModelFileError, ImportError):
        raise
    except Exception as error:  # whatever a file made by someone else runs into
        raise ModelFileError(
            f"it holds no model that can be rebuilt: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(estimator, BaseEstimator):
        raise ModelFileError(f"it holds no estimator, but {type(estimator).__name__}")
    decoder.check_all_used()
    return estimator


def check_format(description: dict[str, Any]) -> None:
    """Refuse what this version does not know how to read."""
    number = description.get("format")
    if type(number) is not int or number < FORMAT:
        raise ModelFileError(f"it has the format {str(number)[:60]!r}, which no version writes")
    if number > FORMAT:
        raise ModelFileError(
            f"it was saved by a newer serkit ({str(description.get('serkit'))[:60]}, format "
            f"{number}); this is serkit {__version__}, which reads format {FORMAT}. Update serkit"
        )


def _read_tensors(members: dict[str, bytes], name: str, read: Any) -> dict[str, Any]:
    data = members.pop(name, None)
    if data is None:
        return {}
    try:
        return read(data)
    except (safetensors.SafetensorError, ValueError, KeyError, TypeError) as error:
        raise ModelFileError(f"{name} is damaged: {error}") from error
