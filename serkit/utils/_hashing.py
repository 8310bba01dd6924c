"""Digests that are equal in every process for equal content."""

import copyreg
import hashlib
import importlib
import json
import os
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from functools import cache, singledispatch
from pathlib import Path
from pickle import PicklingError
from types import CodeType, FunctionType
from typing import Any

import joblib
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from serkit.utils._code import identify, own_parts

__all__ = ["content_digest", "describe_estimator", "estimator_digest", "source_digest"]

#: The classes and functions that are being described.
_UNDERWAY: ContextVar[frozenset] = ContextVar("underway", default=frozenset())

#: Parameters that change how a result is computed, never the result.
_WITHOUT_EFFECT = frozenset({"n_jobs", "verbose", "device"})


def content_digest(value: Any) -> str:
    """Return the digest of a waveform, of the bytes of a file, or of other content.

    Parameters
    ----------
    value : ndarray, path-like, bytes or any picklable object
        An array is digested with its dtype and shape; a path by the bytes of
        the file, so that a renamed copy has the same digest. A file is read once
        per process, until its size or the time of its last change differs.

    Returns
    -------
    digest : str
        Hexadecimal digest of 32 characters.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.utils import content_digest
    >>> content_digest(np.zeros(3)) == content_digest(np.zeros(3))
    True
    >>> content_digest(np.zeros(3)) == content_digest(np.zeros(4))
    False
    """
    if isinstance(value, Path):
        return _file_digest(value)
    state = hashlib.blake2b(digest_size=16)
    if isinstance(value, np.ndarray) and value.dtype != object:
        state.update(f"{value.dtype.str}{value.shape}".encode())
        state.update(np.ascontiguousarray(value).data)
    elif isinstance(value, bytes):
        state.update(value)
    else:
        state.update(joblib.hash(value, hash_name="sha1").encode())
    return state.hexdigest()


#: Digest of a file by (path, size, time of last change), for this process.
_FILE_DIGESTS: dict[tuple[str, int, int], str] = {}


def _file_digest(path: Path) -> str:
    status = path.stat()
    version = (os.path.abspath(path), status.st_size, status.st_mtime_ns)
    if version not in _FILE_DIGESTS:
        _FILE_DIGESTS[version] = content_digest(path.read_bytes())
    return _FILE_DIGESTS[version]


@singledispatch
def describe_estimator(value: Any) -> Any:
    """Describe an estimator by its code and parameters, leaving out those without effect.

    Classes and functions are described by name and, if they belong to an
    installed package, its version. Those of the user (in a script, a notebook, a
    local module) count with their compiled code, defaults and bound values, base
    classes, and what they refer to by name: other functions and classes of the
    user, versions of packages, and global data that can be pickled. Not seen is
    code that they reach in other ways (in a container, as an attribute of an
    object), and what stands in files. The code of serkit itself is
    :func:`source_digest`.

    Parameters
    ----------
    value : estimator, or any parameter value
        Nested estimators, containers and objects are followed.
        ``describe_estimator.register`` adds a description for a type.

    Returns
    -------
    description : object
        What JSON knows; equal for two estimators that compute the same.
        ``n_jobs``, ``verbose`` and ``device`` are left out, ``memory`` of a
        Pipeline, and what a class names in ``_without_effect``. What an
        estimator returns from a method ``_cache_state`` (a dict) is added, or
        takes the place of a parameter.

    Raises
    ------
    ValueError
        If a parameter cannot be described, such as an open file.

    Examples
    --------
    >>> from sklearn.svm import SVC
    >>> from serkit.utils import describe_estimator
    >>> describe_estimator(SVC(C=2)) == describe_estimator(SVC(C=2, verbose=True))
    True
    """
    if _learn_of_torch():
        return describe_estimator(value)
    try:
        reducer = copyreg.dispatch_table.get(type(value))
        reduced = value.__reduce_ex__(4) if reducer is None else reducer(value)
        if isinstance(reduced, str):  # known by its name, such as a ufunc
            wrapped = getattr(value, "__wrapped__", None)
            home = getattr(value, "__module__", None)
            return [describe_estimator(type(value)), home, reduced, describe_estimator(wrapped)]
        parts = [list(part) if isinstance(part, Iterator) else part for part in reduced]
        return [describe_estimator(type(value)), estimator_digest(parts)]
    except (PicklingError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(
            f"{value!r} cannot be digested ({error}), so no key can be made of it and results "
            "could not be told apart; pass something that can be pickled, or keep nothing "
            "(location=None of a cache, results_dir=None of a comparison)"
        ) from error


def _learn_of_torch() -> bool:
    """Register modules and tensors if there can be any; say whether they are new."""
    name = "serkit.utils._torch_hashing"
    if "torch" not in sys.modules or name in sys.modules:
        return False
    importlib.import_module(name)
    return True


def estimator_digest(estimator: Any) -> str:
    """Return the digest of :func:`describe_estimator`.

    Parameters
    ----------
    estimator : estimator, or any parameter value
        An estimator, fitted or not; fitted attributes are ignored.

    Returns
    -------
    digest : str
        Hexadecimal digest of 32 characters.
    """
    return content_digest(_text(describe_estimator(estimator)).encode())


@cache
def source_digest(*rooms: str) -> str:
    """Return the digest of the source files of serkit, read once per process.

    Parameters
    ----------
    *rooms : str
        Names of subpackages; none means the whole package.

    Returns
    -------
    digest : str
        Hexadecimal digest of 32 characters.
    """
    package = Path(__file__).parents[1]
    folders = [package / room for room in rooms] or [package]
    files = sorted(file for folder in folders for file in folder.rglob("*.py"))
    return estimator_digest(
        {file.relative_to(package).as_posix(): file.read_bytes() for file in files}
    )


def _text(description: Any) -> str:
    return json.dumps(description, sort_keys=True)


@describe_estimator.register
def _(value: bool | int | float | str | None) -> Any:
    return value


@describe_estimator.register
def _(value: bytes | np.ndarray) -> Any:
    if isinstance(value, np.ndarray) and value.dtype == object:
        return [list(value.shape), *map(describe_estimator, value.ravel())]
    return content_digest(value)


@describe_estimator.register
def _(value: np.generic) -> Any:
    return describe_estimator(value.item())


@describe_estimator.register
def _(value: list | tuple) -> Any:
    return [describe_estimator(item) for item in value]


@describe_estimator.register
def _(value: set | frozenset) -> Any:
    return {"set": sorted(map(describe_estimator, value), key=_text)}


@describe_estimator.register
def _(value: dict) -> Any:
    names = [
        key if isinstance(key, str) else f"{type(key).__name__} {describe_estimator(key)!r}"
        for key in value
    ]
    return dict(zip(names, map(describe_estimator, value.values()), strict=True))


@describe_estimator.register
def _(value: os.PathLike) -> Any:
    return os.fspath(value)


@describe_estimator.register
def _(estimator: BaseEstimator) -> Any:
    kind = type(estimator)
    omitted = _WITHOUT_EFFECT | getattr(kind, "_without_effect", frozenset())
    if isinstance(estimator, Pipeline):
        omitted |= {"memory"}
    params = estimator.get_params(deep=False)
    state = {name: value for name, value in params.items() if name not in omitted}
    state.update(getattr(estimator, "_cache_state", dict)())
    return [describe_estimator(kind), describe_estimator(state)]


@describe_estimator.register
def _(frozen: FrozenEstimator) -> Any:
    # What a frozen estimator has learnt stays, and computes with it.
    try:
        learnt = _describe_state(frozen.estimator)
    except (PicklingError, TypeError, AttributeError) as error:
        raise ValueError(f"{frozen!r} cannot be digested ({error})") from error
    return ["FrozenEstimator", learnt]


def _describe_state(value: Any) -> Any:
    """Describe a fitted estimator with all that it has learnt."""
    if isinstance(value, list | tuple):
        return [_describe_state(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _describe_state(item) for key, item in value.items()}
    description = describe_estimator.dispatch(type(value))
    if description is describe_estimator.dispatch(BaseEstimator):
        kind = type(value)
        omitted = _WITHOUT_EFFECT | getattr(kind, "_without_effect", frozenset())
        state = {name: part for name, part in vars(value).items() if name not in omitted}
        return [describe_estimator(kind), _describe_state(state)]
    if description is describe_estimator.dispatch(object):
        return content_digest(value)
    return describe_estimator(value)


@describe_estimator.register
def _(code: CodeType) -> Any:
    return describe_estimator([code.co_code, code.co_consts, code.co_names, code.co_freevars])


@describe_estimator.register
def _(named: type | FunctionType) -> str:
    underway = _UNDERWAY.get()
    if named in underway:  # described further up, by code that refers to itself
        return identify(named)
    token = _UNDERWAY.set(underway | {named})
    try:
        parts = [
            [identify(part), describe_estimator(bound), _digest_data(data)]
            for part, bound, data in own_parts(named)
        ]
    finally:
        _UNDERWAY.reset(token)
    return (
        f"{identify(named)} {content_digest(_text(parts).encode())}" if parts else identify(named)
    )


def _digest_data(data: dict[str, Any]) -> dict[str, str | None]:
    """Digest what code finds by name; what cannot be pickled, such as a lock, is no data."""
    digests: dict[str, str | None] = {}
    for name, value in data.items():
        try:
            digests[name] = content_digest(value)
        except Exception:  # pickling runs code of any object
            digests[name] = None
    return digests
