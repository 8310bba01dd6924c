"""What a result depends on, as readable text and as a digest."""

import inspect
import json
import marshal
import os
import pickle
import platform
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

import serkit
from serkit.utils import AudioSegment, content_digest, describe_estimator, is_path, is_ragged

__all__ = ["corpus_digest", "describe_code", "describe_pipeline", "environment", "result_key"]

#: What the components of serkit compute with, although their parameters do not name it.
_SIGNAL_PACKAGES = ("torch", "opensmile", "soundfile", "soxr")
_DISTRIBUTIONS = {"sklearn": "scikit-learn", "imblearn": "imbalanced-learn"}


def result_key(**parts: Any) -> str:
    """Return the digest of all that a result depends on."""
    return content_digest(json.dumps(_plain(parts), sort_keys=True).encode())


def corpus_digest(X: Any, y: np.ndarray, speakers: np.ndarray) -> str:
    """Return the digest of audio (bytes of files, waveforms) or numbers, labels and speakers."""
    if is_ragged(X):
        content: list[Any] = [_utterance_digest(item) for item in X]
    else:
        content = [content_digest(np.asarray(X))]
    return result_key(content=content, y=y.tolist(), speakers=speakers.tolist())


def describe_pipeline(estimator: BaseEstimator) -> Any:
    """Describe an estimator, its parameters followed down, in containers that JSON knows."""
    return _plain(describe_estimator(estimator))


def describe_code(estimator: BaseEstimator) -> dict[str, Any]:
    """Return the version of every package that an estimator computes with.

    Classes of the user's own code have no version and count with their source.
    """
    parts = [estimator, *estimator.get_params(deep=True).values()]
    packages = {"serkit", "numpy", "scipy", "sklearn", *map(_package, parts)}
    if any(_package(part) == "serkit" for part in parts):
        packages.update(_SIGNAL_PACKAGES)
    versions = {package: _version(package) for package in packages}
    own = {type(part) for part in parts if versions[_package(part)] is None} - {type(None)}
    return {
        **{package: found for package, found in sorted(versions.items()) if found is not None},
        **{kind.__qualname__: _code(kind) for kind in own if kind.__module__ != "builtins"},
    }


def _utterance_digest(item: Any) -> Any:
    if isinstance(item, AudioSegment):
        return [content_digest(Path(item.file)), item.start, item.end]
    if is_path(item):
        return content_digest(Path(item))
    return content_digest(np.asarray(item))


def _version(package: str) -> str | None:
    return serkit.__version__ if package == "serkit" else _installed_version(package)


@cache
def _installed_version(package: str) -> str | None:
    try:
        return version(_DISTRIBUTIONS.get(package, package))
    except PackageNotFoundError:
        return None


def _package(value: Any) -> str:
    named = value if inspect.isclass(value) or inspect.isroutine(value) else type(value)
    return (getattr(named, "__module__", None) or "builtins").partition(".")[0]


def _plain(value: Any) -> Any:
    """Turn a description into what JSON knows; equal values give equal text."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray) and value.dtype != object:
        return content_digest(value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, partial):
        return [_plain(value.func), _plain(value.args), _plain(value.keywords)]
    if inspect.isclass(value) or inspect.isroutine(value):
        return _code(value)
    try:
        return [_code(type(value)), content_digest(value)]
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ValueError(
            f"{value!r} cannot be digested ({error}), so results could not be told apart; define "
            "it by name in a module, or use results_dir=None"
        ) from error


def _code(named: Any) -> Any:
    """Identify a class or function: by name, and by source if no version covers it."""
    name = f"{named.__module__}.{named.__qualname__}"
    package = _package(named)
    if package == "builtins" or _version(package) is not None:
        return name
    bound = [cell.cell_contents for cell in getattr(named, "__closure__", None) or ()]
    return [
        name,
        _source_digest(named),
        _plain(getattr(named, "__defaults__", None)),
        _plain(bound),
    ]


def _source_digest(named: Any) -> str | None:
    try:
        return content_digest(inspect.getsource(named).encode())
    except (OSError, TypeError):  # typed into a prompt, or compiled
        code = getattr(named, "__code__", None)
        return None if code is None else content_digest(marshal.dumps(code))


def environment() -> dict[str, str]:
    """Return the versions of Python and of the packages that results rest on."""
    packages = ("serkit", "numpy", "scipy", "sklearn", *_SIGNAL_PACKAGES)
    versions = {_DISTRIBUTIONS.get(package, package): _version(package) for package in packages}
    found = {package: version for package, version in versions.items() if version is not None}
    return {"Python": platform.python_version(), **found}
