"""Digests that are equal in every process for equal content."""

import hashlib
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator

__all__ = ["content_digest", "describe_estimator", "estimator_digest"]

#: Parameters that change how a result is computed, never the result.
_WITHOUT_EFFECT = frozenset({"n_jobs", "verbose", "device", "memory", "location"})


def content_digest(value: Any) -> str:
    """Return the digest of a waveform, of the bytes of a file, or of other content.

    Parameters
    ----------
    value : ndarray, path-like, bytes or any picklable object
        An array is digested with its dtype and shape; a path by the bytes of
        the file, so that a renamed copy has the same digest.

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
    state = hashlib.blake2b(digest_size=16)
    if isinstance(value, np.ndarray) and value.dtype != object:
        state.update(f"{value.dtype.str}{value.shape}".encode())
        state.update(np.ascontiguousarray(value).data)
    elif isinstance(value, Path):
        state.update(value.read_bytes())
    elif isinstance(value, bytes):
        state.update(value)
    else:
        state.update(joblib.hash(value, hash_name="sha1").encode())
    return state.hexdigest()


def describe_estimator(estimator: Any) -> Any:
    """Describe an estimator by class and parameters, leaving out those without effect.

    Parameters
    ----------
    estimator : estimator, or any parameter value
        Nested estimators, lists, tuples and dicts are followed.

    Returns
    -------
    description : object
        Plain containers of class names and parameter values; equal for two
        estimators that compute the same. ``n_jobs``, ``verbose``, ``device``,
        ``memory`` and ``location`` are left out. What an estimator returns from
        a method ``_cache_state`` (a dict) is added, or takes the place of a
        parameter.

    Examples
    --------
    >>> from sklearn.svm import SVC
    >>> from serkit.utils import describe_estimator
    >>> describe_estimator(SVC(C=2)) == describe_estimator(SVC(C=2, verbose=True))
    True
    """
    if isinstance(estimator, FrozenEstimator):
        # What a frozen estimator has learnt stays, and computes with it.
        return ("FrozenEstimator", None, content_digest(estimator.estimator))
    if isinstance(estimator, BaseEstimator):
        kind = type(estimator)
        version = getattr(estimator, "_cache_version", None)
        params = {
            name: describe_estimator(value)
            for name, value in sorted(estimator.get_params(deep=False).items())
            if name not in _WITHOUT_EFFECT
        }
        params.update(getattr(estimator, "_cache_state", dict)())
        return (f"{kind.__module__}.{kind.__qualname__}", version, params)
    if isinstance(estimator, list | tuple):
        return [describe_estimator(item) for item in estimator]
    if isinstance(estimator, dict):
        return {name: describe_estimator(value) for name, value in estimator.items()}
    return estimator


def estimator_digest(estimator: Any) -> str:
    """Return the digest of :func:`describe_estimator`.

    Parameters
    ----------
    estimator : estimator
        An estimator, fitted or not; fitted attributes are ignored.

    Returns
    -------
    digest : str
        Hexadecimal digest of 32 characters.
    """
    return content_digest(describe_estimator(estimator))
