"""The fitted model of every fold, in a file of its own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from serkit import persistence
from serkit.evaluation._store import ResultsStore

__all__ = ["ModelKeeper", "is_hopeless", "list_models"]

#: What an error advises that stands in the way of a model: followed, the model can be kept.
_ADVICE = ("persistence.register(", "pip install")


class ModelKeeper:
    """Write a fitted model beside the record of its fold.

    Parameters
    ----------
    store : ResultsStore
        Where the records are kept.
    key : str
        The key of the fold.
    stateless : Pipeline or None
        What was computed for all folds at once, fitted; the model gets it back, so
        that it predicts from what the pipeline was given.

    Attributes
    ----------
    error : str or None
        Why the model cannot be written, if it cannot.
    """

    def __init__(self, store: ResultsStore, key: str, stateless: Pipeline | None):
        self.store = store
        self.key = key
        self.stateless = stateless
        self.error: str | None = None

    def __call__(self, model: BaseEstimator) -> None:
        """Write the model; the file is complete or absent."""
        path = self.store.model_path(self.key)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            persistence.save(_join(self.stateless, model), path, card=False)
        except (TypeError, ValueError, ImportError) as error:
            self.error = str(error)


def is_hopeless(error: str | None) -> bool:
    """Say whether an error will stand in the way of a model whenever it is fitted again."""
    return error is not None and not any(advice in error for advice in _ADVICE)


def list_models(tasks: Any, store: ResultsStore) -> Iterator[tuple[tuple[str, int, int], Path]]:
    """Yield what was kept of some folds: pipeline, seed and fold, and the file."""
    for task in tasks:
        if store.has_model(task.key):
            yield (task.pipeline, task.seed, task.fold), store.model_path(task.key)


def _join(stateless: Pipeline | None, model: BaseEstimator) -> BaseEstimator:
    if stateless is None:
        return model
    if isinstance(model, Pipeline):
        return type(model)([*stateless.steps, *model.steps])
    return Pipeline([*stateless.steps, ("model", model)])
