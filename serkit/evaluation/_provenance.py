"""What a result depends on, as readable text and as a digest."""

import platform
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

import serkit
from serkit.utils import (
    content_digest,
    estimator_digest,
    is_ragged,
    package_versions,
    source_digest,
    utterance_digest,
)

__all__ = ["corpus_digest", "describe_code", "environment", "result_key"]


def result_key(**parts: Any) -> str:
    """Return the digest of all that a result depends on."""
    return estimator_digest(parts)


def corpus_digest(X: Any, y: np.ndarray, speakers: np.ndarray) -> str:
    """Return the digest of audio (bytes of files, waveforms) or numbers, labels and speakers."""
    if is_ragged(X):
        content: list[Any] = [utterance_digest(item) for item in X]
    else:
        content = [content_digest(np.asarray(X)), list(getattr(X, "columns", ()))]
    return result_key(content=content, y=y, speakers=speakers)


def describe_code(estimator: BaseEstimator) -> dict[str, str]:
    """Return the versions of what an estimator computes with, without its parameters saying so."""
    parts = [estimator, *estimator.get_params(deep=True).values()]
    ours = any(type(part).__module__.startswith("serkit.") for part in parts)
    versions = package_versions(signal=ours)
    return {"serkit": f"{serkit.__version__} {source_digest()}", **versions}


def environment() -> dict[str, str]:
    """Return the versions of Python and of the packages that results rest on."""
    versions = package_versions()
    return {"Python": platform.python_version(), "serkit": serkit.__version__, **versions}
