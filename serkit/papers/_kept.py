"""Results of functions, kept under the digest of all that made them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from joblib import Memory

from serkit.papers._setting import Setting
from serkit.utils import (
    content_digest,
    estimator_digest,
    is_path,
    is_ragged,
    package_versions,
    source_digest,
)

__all__ = ["kept"]


def kept(
    function: Callable[..., Any], setting: Setting, estimator: Any, X: Any, *others: Any
) -> Any:
    """Return what a function made of an estimator and data, now or in an earlier run.

    Parameters
    ----------
    function : callable
        Takes the estimator, X and the others; its result can be pickled. A method may
        depend on the scale of the setting beside.
    setting : Setting
        Knows where results are kept.
    estimator : estimator
        Known by its parameters.
    X : audio, frames or functionals
        Known by their content, files by what is in them.
    *others : object
        Known by their content: labels, speakers, rows.

    Returns
    -------
    result : object
    """
    if setting.results_dir is None:
        return function(estimator, X, *others)
    memory = Memory(setting.results_dir / "kept", verbose=0)
    call = memory.cache(_call, ignore=["function", "estimator", "X"])
    name = f"{function.__module__}.{function.__qualname__}"
    code = source_digest(), package_versions()
    key = name, setting.scale, estimator_digest(estimator), code, _content(X)
    return call(function, estimator, X, others, key)


def _call(function: Callable[..., Any], estimator: Any, X: Any, others: Any, key: Any) -> Any:
    return function(estimator, X, *others)


def _content(X: Any) -> Any:
    if not is_ragged(X):
        return X
    return [content_digest(Path(item)) if is_path(item) else item for item in X]
