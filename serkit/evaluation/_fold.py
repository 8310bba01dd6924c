"""Fit on the training part of a fold, predict the test part."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.utils import _safe_indexing

from serkit.evaluation._metrics import METRICS
from serkit.utils import requested_speakers

__all__ = [
    "Task",
    "class_scores",
    "evaluate_fold",
    "fit",
    "predict",
    "seeded",
    "transductive_steps",
]


@dataclass(frozen=True)
class Task:
    """One fold of one pipeline with one seed, and the key of its result."""

    pipeline: str
    fold: int
    seed: int
    train: np.ndarray
    test: np.ndarray
    estimator: BaseEstimator
    key: str
    about: dict[str, Any]
    train_score: bool = False


def seeded(estimator: BaseEstimator, seed: int, *, override: bool) -> BaseEstimator:
    """Return a clone whose ``random_state`` parameters, at any depth, are set to a seed."""
    estimator = clone(estimator)
    states = {
        name: seed
        for name, value in estimator.get_params(deep=True).items()
        if name.rpartition("__")[2] == "random_state" and (override or value is None)
    }
    estimator.set_params(**states)
    # What set_params returns is None for a FrozenEstimator.
    return estimator


def evaluate_fold(
    estimator: BaseEstimator,
    X: Any,
    y: np.ndarray,
    speakers: np.ndarray,
    train: np.ndarray,
    test: np.ndarray,
    *,
    train_score: bool = False,
    keep: Callable[[BaseEstimator], None] | None = None,
) -> dict[str, Any]:
    """Fit a clone on the rows ``train`` and predict the rows ``test``.

    Speakers go to every part that asks for them: to the splitter of a search as
    ``groups``, to estimators, transformers and scorers as ``speakers``. What has
    been fitted goes to ``keep``, of a search the best estimator.

    Returns
    -------
    record : dict
        What JSON knows: predictions, scores of the classes, times in seconds,
        the transductive steps and the best parameters of a search.
    """
    with config_context(enable_metadata_routing=True):
        X_train = _safe_indexing(X, train)
        start = time.perf_counter()
        model = fit(estimator, X_train, y[train], speakers[train])
        fitted = time.perf_counter()
        predictor = getattr(model, "best_estimator_", model)
        X_test = _safe_indexing(X, test)
        y_pred = predict(predictor, X_test, speakers[test])
        predicted = time.perf_counter()
        method, scores = class_scores(predictor, X_test, speakers[test])
        train_scores = {}
        if train_score:
            y_train = predict(predictor, X_train, speakers[train])
            y_train = np.asarray(y_train, dtype=object)
            train_scores = {name: score(y[train], y_train) for name, score in METRICS.items()}
        if keep is not None:
            keep(predictor)
    return {
        "y_pred": np.asarray(y_pred).tolist(),
        "classes": np.asarray(getattr(predictor, "classes_", [])).tolist(),
        "score_method": method,
        "scores": scores,
        "train_scores": train_scores,
        "fit_time": fitted - start,
        "predict_time": predicted - fitted,
        "transductive": sorted(set(transductive_steps(predictor))),
        "best_params": {
            name: str(value) for name, value in getattr(model, "best_params_", {}).items()
        },
    }


def fit(estimator: BaseEstimator, X: Any, y: np.ndarray, speakers: np.ndarray) -> BaseEstimator:
    """Return a fitted clone; the speakers go to whatever asks for them."""
    model = clone(estimator)
    with config_context(enable_metadata_routing=True):
        model.fit(X, y, **requested_speakers(model, "fit", speakers))
    return model


def predict(model: BaseEstimator, X: Any, speakers: np.ndarray) -> np.ndarray:
    """Return predictions, with metadata routing enabled."""
    return model.predict(X, **requested_speakers(model, "predict", speakers))


def class_scores(
    model: BaseEstimator, X: Any, speakers: np.ndarray
) -> tuple[str | None, list[list[float]] | None]:
    """Return posteriors or decision values of the classes, whichever the model has."""
    for method in ("predict_proba", "decision_function"):
        if not hasattr(model, method):
            continue
        scores = np.asarray(
            getattr(model, method)(X, **requested_speakers(model, method, speakers))
        )
        if scores.ndim == 1:
            scores = np.column_stack([-scores, scores])
        if scores.shape[1] == len(getattr(model, "classes_", [])):
            return method, scores.tolist()
    return None, None


def transductive_steps(fitted: Any) -> Iterator[str]:
    """Yield the parts, at any depth, that use other test utterances to predict one."""
    if isinstance(fitted, list | tuple):
        for item in fitted:
            yield from transductive_steps(item)
    elif isinstance(fitted, BaseEstimator):
        if getattr(fitted, "transductive_", False):
            unseen = f"(unseen={fitted.unseen!r})" if hasattr(fitted, "unseen") else ""
            yield type(fitted).__name__ + unseen
        for value in vars(fitted).values():
            yield from transductive_steps(value)
