"""Networks inside fitted models, and what their parts make of utterances."""

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils.validation import check_is_fitted

from serkit.feature_extraction import TemporalPooling
from serkit.neural_network import NeuralEstimator
from serkit.over_sampling import LeakageWarning
from serkit.utils import last_step, row_digests, up_to_last_step

__all__ = [
    "INPUT",
    "OUTPUT",
    "choose_stages",
    "network_and_input",
    "pool",
    "stage_values",
    "stage_vectors",
    "warn_of_known_rows",
]

#: What enters a network, and what it says in the end: stages beside those in ``stages_``.
INPUT, OUTPUT = "input", "output"

#: Where a fitted estimator keeps the one that it has fitted.
_INNER = ("best_estimator_", "estimator_", "network_")


def network_and_input(estimator: Any, X: Any, *, caller: str) -> tuple[NeuralEstimator, Any]:
    """Return the network that an estimator ends in, and what comes to it of utterances."""
    X, network = up_to_last_step(estimator, X), last_step(estimator)
    if not isinstance(network, NeuralEstimator):
        return network_and_input(_inner(network, caller), X, caller=caller)
    return network, X


def _inner(estimator: Any, caller: str) -> Any:
    """Return what an estimator has fitted."""
    name = type(estimator).__name__
    if hasattr(estimator, "segmenter"):
        raise TypeError(
            f"{name} sees segments, not utterances; explain these: segments, _ = "
            f"model.segmenter.split(X), {caller}(model.estimator_, segments)"
        )
    for attribute in _INNER:
        if hasattr(estimator, attribute):
            return getattr(estimator, attribute)
    check_is_fitted(estimator)
    raise TypeError(f"{name} does not end in a network of serkit.neural_network")


def choose_stages(network: NeuralEstimator, stages: Any) -> dict[str, str]:
    """Return what is looked at, by the names that it has in tables.

    Of no choice: what enters the network, all its parts but the head, and what it says.
    """
    if stages is None:
        stages = [INPUT, *network.stages_[:-1]]
        stages += [OUTPUT] if hasattr(network, "predict") else []
    if isinstance(stages, str):
        stages = [stages]
    if isinstance(stages, Mapping):
        return dict(stages)
    if not isinstance(stages, Iterable):
        raise TypeError(f"stages holds names of stages, not {stages!r}")
    return {stage: stage for stage in stages}


def stage_values(network: NeuralEstimator, X: Any, stage: str) -> list[np.ndarray]:
    """Return what a stage makes of every utterance: a vector, or frames if it has a time axis."""
    if stage == INPUT:
        return [_splice(values, network) for values in network.prepare(X)]
    if stage != OUTPUT:
        return list(network.activations(X, stage))
    if not hasattr(network, "predict"):
        raise ValueError(f"{type(network).__name__} predicts nothing, so it has no {OUTPUT!r}")
    says = network.predict_proba if is_classifier(network) else network.predict
    return [np.atleast_1d(values) for values in says(X)]


def stage_vectors(network: NeuralEstimator, X: Any, stage: str, pooling: Any) -> np.ndarray:
    """Return one vector per utterance of what a stage makes of it."""
    return pool(stage_values(network, X, stage), pooling)


def pool(values: list[np.ndarray], pooling: Any) -> np.ndarray:
    """Return frames as statistics over their time, and vectors as they are."""
    if values[0].ndim == 1:
        return np.stack(values)
    statistics = (pooling,) if isinstance(pooling, str) else pooling
    return TemporalPooling(statistics).fit_transform(values)


def _splice(values: np.ndarray, network: NeuralEstimator) -> np.ndarray:
    """Lay the context that a network reads with a frame into its bins, as it does itself."""
    before, behind = getattr(network, "context", (0, 0))
    if values.ndim == 1 or not before + behind:
        return values
    padded = np.pad(values, ((0, 0), (0, 0), (before, behind)), mode="edge")
    n_frames = values.shape[-1]
    shifted = [padded[..., start : start + n_frames] for start in range(before + behind + 1)]
    return np.concatenate(shifted, axis=1)


def warn_of_known_rows(network: NeuralEstimator, X: Any, *, caller: str) -> None:
    """Warn of utterances, as they come to a network, that it was fitted on."""
    known = np.isin(row_digests(X), getattr(network, "_fit_rows", ()))
    if known.any():
        warnings.warn(
            f"{known.sum()} of the {len(known)} utterances that {caller} tests on are among those "
            f"that the {type(network).__name__} was fitted on, so scores are too good: test on "
            "others, or give the network unfitted, with cv",
            LeakageWarning,
            stacklevel=3,
        )
