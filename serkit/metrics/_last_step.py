"""What stands at the end of a pipeline, and what comes there."""

from typing import Any

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

__all__ = ["last_step", "up_to_last_step"]


def last_step(estimator: Any) -> Any:
    """Return the last step of a fitted pipeline; anything else as it is."""
    if isinstance(estimator, FrozenEstimator):
        estimator = estimator.estimator
    return estimator[-1] if isinstance(estimator, Pipeline) else estimator


def up_to_last_step(estimator: Any, X: Any) -> Any:
    """Return what the last step of a fitted pipeline gets for these rows."""
    if isinstance(estimator, FrozenEstimator):
        estimator = estimator.estimator
    if not isinstance(estimator, Pipeline) or len(estimator) == 1:
        return X
    return estimator[:-1].transform(X)
