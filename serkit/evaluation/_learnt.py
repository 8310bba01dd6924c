"""What fitted estimators have learnt, part by part, as digests that can be compared."""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator

from serkit.utils import estimator_digest

__all__ = ["first_difference", "join_path", "learnt"]

#: What differs between two equal fits.
_CLOCK = re.compile(r"^dur$|(^|_)(fit|refit|score|predict)_time_?$")


def learnt(fitted: Any) -> dict[tuple[str, str], str]:
    """Return a digest of every attribute of every part, in the order of the steps.

    Times are left out, and of a skorch net all but its module.

    Parameters
    ----------
    fitted : estimator
        Of any depth.

    Returns
    -------
    digests : dict of (str, str) to str
        By the path of the part, its names joined by two underscores, and the
        name of the attribute.
    """
    return {(path, name): digest for path, name, digest in _walk(fitted, "", set())}


def first_difference(
    one: dict[tuple[str, str], str], other: dict[tuple[str, str], str]
) -> tuple[str, list[str]] | None:
    """Return the first part that has learnt something else, and which attributes say so."""
    found = [key for key in [*one, *other] if one.get(key) != other.get(key)]
    if not found:
        return None
    first, _ = found[0]
    return first, list(dict.fromkeys(name for path, name in found if path == first))


def join_path(*names: str) -> str:
    """Join names of steps as scikit-learn does in names of parameters."""
    return "__".join(name for name in names if name)


def _walk(part: Any, path: str, seen: set[int]) -> Iterator[tuple[str, str, str]]:
    if id(part) in seen:
        return
    seen.add(id(part))
    if not isinstance(part, BaseEstimator):
        yield path, type(part).__name__, _digest(part) or ""
        return
    if isinstance(part, FrozenEstimator):
        yield from _walk(part.estimator, path, seen)
        return
    if hasattr(part, "module_"):
        yield path, "weights", estimator_digest(part.module_)
        return
    inner = []
    for name, value in vars(part).items():
        parts = list(_estimators(name, value))
        inner += parts
        if not parts and not _CLOCK.search(name) and (digest := _digest(value)):
            yield path, name, digest
    for name, value in inner:
        yield from _walk(value, join_path(path, name), seen)


def _estimators(name: str, value: Any) -> Iterator[tuple[str, BaseEstimator]]:
    """Yield the estimators in an attribute; one in a tuple has the name that stands before it."""
    if isinstance(value, BaseEstimator):
        yield name, value
    elif isinstance(value, tuple) and len(value) > 1 and isinstance(value[0], str):
        yield from _estimators(value[0], value[1])
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from _estimators(f"{name}[{number}]", item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _estimators(f"{name}[{key}]", item)
    elif isinstance(value, np.ndarray) and value.dtype == object:
        yield from _estimators(name, value.ravel().tolist())


def _digest(value: Any) -> str | None:
    """Return the digest of a value, or None of what cannot be described."""
    try:
        return estimator_digest(_without_times(value))
    except ValueError:
        return None


def _without_times(value: Any) -> Any:
    if isinstance(value, pd.DataFrame):
        return _without_times(value.to_dict(orient="list"))
    if isinstance(value, dict):
        return {
            key: _without_times(item) for key, item in value.items() if not _CLOCK.search(str(key))
        }
    if isinstance(value, list | tuple):
        return [_without_times(item) for item in value]
    return value
