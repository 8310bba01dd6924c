"""What is trained on a source, now or before."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from sklearn.utils.metadata_routing import get_routing_for_object

from serkit.evaluation._fold import fit
from serkit.evaluation._provenance import corpus_digest, describe_code, result_key
from serkit.evaluation._store import complete_file, sweep
from serkit.utils import describe_estimator

__all__ = ["remember_sources", "train_source"]

#: What has been trained, inside :func:`remember_sources`.
_TRAINED: ContextVar[dict[str, BaseEstimator] | None] = ContextVar("trained", default=None)


class _Source(FrozenEstimator):
    """A fitted estimator that is known by what it was fitted on, and how.

    Its pickle would not do: it differs from process to process.
    """

    def __init__(self, estimator: Any, key: str):
        super().__init__(estimator)
        self.key = key

    def get_metadata_routing(self) -> Any:
        """Let what is fitted ask for speakers where it predicts."""
        return get_routing_for_object(self.estimator)


@describe_estimator.register
def _(source: _Source) -> Any:
    return ["fitted on the source", source.key]


@contextmanager
def remember_sources() -> Iterator[None]:
    """Train on each source once, even if no results are kept."""
    token = _TRAINED.set({})
    try:
        yield
    finally:
        _TRAINED.reset(token)


def train_source(
    estimator: BaseEstimator,
    X: Any,
    y: np.ndarray,
    speakers: np.ndarray,
    *,
    results_dir: str | os.PathLike | None,
) -> _Source:
    """Return the estimator, fitted on the source now or in an earlier run."""
    trained = _TRAINED.get()
    if results_dir is None and trained is None:
        return _Source(fit(estimator, X, y, speakers), key="")
    key = result_key(
        corpus=corpus_digest(X, y, speakers),
        pipeline=describe_estimator(estimator),
        code=describe_code(estimator),
    )
    if results_dir is None:
        assert trained is not None
        if key not in trained:
            trained[key] = fit(estimator, X, y, speakers)
        return _Source(trained[key], key)
    folder = Path(results_dir) / "sources"
    folder.mkdir(parents=True, exist_ok=True)
    sweep(folder)
    path = folder / f"{key}.joblib"
    fitted = _read(path)
    if fitted is None:
        fitted = fit(estimator, X, y, speakers)
        with complete_file(path) as file:
            joblib.dump(fitted, file)
    return _Source(fitted, key)


def _read(path: Path) -> BaseEstimator | None:
    """Return what was fitted in an earlier run, or None if there is nothing readable."""
    if not path.exists():
        return None
    try:
        return joblib.load(path)
    except Exception as error:  # a pickle that is damaged may raise anything
        warnings.warn(
            f"{path} cannot be read ({type(error).__name__}: {error}); this network of the source "
            "is trained again",
            UserWarning,
            stacklevel=4,
        )
        return None
