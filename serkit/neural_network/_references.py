"""References: networks that are fitted, or are trained on the spot to tell something else."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.utils import _safe_indexing, check_random_state
from sklearn.utils.validation import _num_samples

from serkit.neural_network._base import NeuralEstimator
from serkit.neural_network._classifier import NeuralClassifier

__all__ = ["fit_references", "fitted_network", "frozen_networks", "list_references"]


def list_references(reference: Any) -> list[Any]:
    """Return what is given as a list; raise if it holds something else than references."""
    several = isinstance(reference, list | tuple)
    references = list(reference) if several else [reference]
    if not references:
        raise ValueError("reference is an empty list; give one network or more")
    for one in references:
        if isinstance(one, FrozenEstimator) or hasattr(one, "net_"):
            fitted_network(one, "reference")
        elif not isinstance(one, NeuralClassifier):
            raise TypeError(
                "a reference is a fitted network of serkit in FrozenEstimator, or an unfitted "
                f"NeuralClassifier, not {type(one).__name__}"
            )
    return references


def fitted_network(model: Any, parameter: str) -> NeuralEstimator:
    """Return the network in a frozen model; raise if there is none, or if it is not frozen."""
    if not isinstance(model, FrozenEstimator):
        raise TypeError(
            f"{parameter} is a fitted {type(model).__name__}, which scikit-learn would make "
            f"forget what it has learnt; pass FrozenEstimator({type(model).__name__}(...)), fitted"
        )
    inside = getattr(model.estimator, "best_estimator_", model.estimator)
    network = getattr(inside, "network_", inside)
    if not isinstance(network, NeuralEstimator):
        if hasattr(inside, "network_") or not hasattr(inside, "steps"):
            hint = f"not {type(inside).__name__}"
        else:
            hint = "not a Pipeline: pass its last step, and its other steps in a pipeline around"
        raise TypeError(f"{parameter} is a network of serkit in FrozenEstimator, {hint}")
    if not hasattr(network, "net_"):
        raise NotFittedError(
            f"the {type(network).__name__} in FrozenEstimator is not fitted; without "
            "FrozenEstimator it would be fitted here"
        )
    return network


def frozen_networks(models: list[Any]) -> list[NeuralEstimator]:
    """Return the networks in those models that are frozen, each once."""
    networks = [
        fitted_network(model, "reference") for model in models if isinstance(model, FrozenEstimator)
    ]
    return list({id(network): network for network in networks}.values())


def fit_references(
    references: list[Any],
    X: Any,
    *,
    speakers: np.ndarray | None,
    reference_y: Any,
    n_used: int,
) -> list[NeuralEstimator | None]:
    """Return the networks of all references; the first `n_used` are trained if they are not.

    In place of others that are not there is None.
    """
    frozen = [isinstance(reference, FrozenEstimator) for reference in references]
    if reference_y is not None and all(frozen):
        raise ValueError(
            "reference_y is what an unfitted reference is to tell, and all references are in "
            "FrozenEstimator: leave it out, or give a reference without FrozenEstimator"
        )
    unfitted = [not is_frozen for is_frozen in frozen[:n_used]]
    if any(unfitted) and reference_y is None and speakers is None:
        raise ValueError(
            "an unfitted reference has to know what to tell: pass fit(X, y, speakers=…) or "
            "fit(X, y, reference_y=…); or give a fitted one in FrozenEstimator"
        )
    labels = np.asarray(speakers if reference_y is None else reference_y, dtype=object)
    if labels.ndim == 1:
        labels = np.tile(labels[:, None], len(references))
    if any(unfitted) and labels.shape != (_num_samples(X), len(references)):
        raise ValueError(
            f"reference_y has a label for each of {_num_samples(X)} utterances, or a column for "
            f"each of {len(references)} references, not the shape {np.shape(reference_y)}"
        )
    networks: list[NeuralEstimator | None] = []
    for number, reference in enumerate(references):
        if frozen[number]:
            networks.append(fitted_network(reference, "reference"))
        elif number < n_used:
            reference = _reseeded(reference, number)
            networks.append(_fit_reference(reference, X, labels[:, number], speakers=speakers))
        else:
            networks.append(None)
    return networks


def _reseeded(reference: NeuralClassifier, number: int) -> NeuralClassifier:
    """Give a reference a seed of its own.

    With the seed of the network it would begin with the same weights, and the two
    would be alike for no other reason.
    """
    if reference.random_state is None:
        return reference
    seeds = check_random_state(reference.random_state).randint(
        np.iinfo(np.int32).max, size=number + 1
    )
    return reference.set_params(random_state=int(seeds[-1]))


def _fit_reference(
    reference: NeuralClassifier, X: Any, labels: np.ndarray, *, speakers: np.ndarray | None
) -> NeuralClassifier:
    """Train a network to tell labels of utterances; those without one are left out."""
    rows = np.flatnonzero(~pd.isna(labels))
    known = np.array(labels[rows].tolist())
    if len(np.unique(known)) < 2:
        raise ValueError(
            "a reference tells two speakers or more apart, or two labels in reference_y; there is "
            f"{', '.join(map(repr, np.unique(known).tolist())) or 'none'}"
        )
    if speakers is not None:
        speakers = speakers[rows]
        if _is_told_by_speakers(known, speakers):
            reference.set_params(validation=None, patience=None)
    return reference.fit(_safe_indexing(X, rows), known, speakers=speakers)


def _is_told_by_speakers(labels: np.ndarray, speakers: np.ndarray) -> bool:
    """Say whether a speaker who is held out may take a label away from training."""
    speakers_of_labels = pd.Series(speakers, dtype=object).groupby(labels).agg(set)
    return any(len(found) == 1 and None not in found for found in speakers_of_labels)
