"""What a model does without: matters of one machine, and of training alone."""

import inspect
from typing import Any

from imblearn.base import SamplerMixin
from sklearn.model_selection import TunedThresholdClassifierCV
from sklearn.model_selection._search import BaseSearchCV
from sklearn.neighbors._base import NeighborsBase
from sklearn.neural_network._multilayer_perceptron import BaseMultilayerPerceptron

from serkit.neural_network import NeuralClassifier, NeuralEstimator, NeuralRegressor

__all__ = [
    "is_local",
    "is_search",
    "is_training_only",
    "reads_file",
    "stand_in",
    "state_to_drop",
]

#: Without these a network predicts as before; all other parameters decide what it is.
_OF_NETWORKS = {
    name
    for base in (NeuralClassifier, NeuralRegressor)
    for name in inspect.signature(base).parameters
}

#: Without these a fitted search predicts as before; what stands for those it must have.
_OF_SEARCHES: dict[str, Any] = {
    "cv": None,
    "param_distributions": {},
    "param_grid": {},
    "scoring": None,
}


def is_search(estimator: Any) -> bool:
    """Say whether an estimator chooses parameters of another."""
    return isinstance(estimator, BaseSearchCV) or (
        type(estimator).__module__.startswith("serkit.") and hasattr(estimator, "param_grid")
    )


def is_local(estimator: Any, name: str) -> bool:
    """Say whether a parameter names a place on this machine, which no other has.

    A model from elsewhere must not write to a folder that its file names, nor
    read what lies there: caches of joblib are pickles.
    """
    if name == "memory":
        return True
    return type(estimator).__module__.startswith("serkit.") and name in ("device", "location")


def reads_file(estimator: Any, name: str, value: Any) -> bool:
    """Say whether a parameter names a file that tells a program what to do.

    A configuration of openSMILE names files that are read and written.
    """
    is_ours = type(estimator).__module__.startswith("serkit.")
    return is_ours and name == "config_path" and value is not None


def is_training_only(estimator: Any, name: str) -> bool:
    """Say whether a fitted estimator predicts without a parameter."""
    if isinstance(estimator, NeuralEstimator):
        return name in _OF_NETWORKS
    return is_search(estimator) and name in _OF_SEARCHES


def stand_in(estimator: Any, name: str) -> Any:
    """Return what takes the place of a parameter that is left out, or None for its default."""
    return _OF_SEARCHES.get(name) if is_search(estimator) else None


def state_to_drop(estimator: Any, name: str) -> bool:
    """Say whether a fitted estimator does without an attribute that cannot be saved.

    A sampler learns everything again whenever it resamples; a search needs its
    best estimator only; a tree of neighbours is made again of the neighbours, and
    the scorer of a threshold of its parameters.
    """
    if isinstance(estimator, SamplerMixin):
        return True
    if isinstance(estimator, NeighborsBase) and name == "_tree":
        return True
    if isinstance(estimator, TunedThresholdClassifierCV) and name == "_curve_scorer":
        return True
    if isinstance(estimator, BaseMultilayerPerceptron) and name == "_optimizer":
        return True
    return is_search(estimator) and name in ("cv_results_", "scorer_")
