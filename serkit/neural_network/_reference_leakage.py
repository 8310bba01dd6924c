"""References that have seen what a network is to be tested on."""

import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np

from serkit.over_sampling import LeakageWarning

__all__ = ["check_prediction", "check_training", "foreign_rows"]

_INSTEAD = (
    "Give the reference unfitted, without FrozenEstimator, and it is trained on the utterances of "
    'fit alone; or set leakage="ignore" if all is well, as where speakers of two corpora have the '
    "same names"
)


def foreign_rows(known: Iterable[Any], network: Any) -> np.ndarray:
    """Return the digests of what fitted models know of utterances, and a network does not."""
    own = network._fit_rows
    rows = [own[:0], *(_seen(model, "_fit_rows", own[:0]) for model in known)]
    return np.setdiff1d(np.concatenate(rows), own)


def check_training(model: Any, network: Any, leakage: str) -> None:
    """Complain of a fitted model that knows more of this corpus than a network gets to know.

    It is the same corpus if some speakers or some rows are known to both.
    """
    own = set(network._fit_speakers)
    known = set(_seen(model, "_fit_speakers", ()))
    told_apart = set(np.asarray(_seen(model, "classes_", ())).tolist())
    if not told_apart.isdisjoint(own):  # it was trained to tell speakers
        known |= told_apart
    rows = foreign_rows([model], network)
    shares_rows = len(rows) < len(_seen(model, "_fit_rows", rows))
    found = []
    if own and (shares_rows or not known.isdisjoint(own)) and known - own:
        found.append(f"the speakers {', '.join(sorted(map(str, known - own)))}")
    if shares_rows and len(rows):
        found.append(f"{len(rows)} utterances")
    if found:
        _complain(
            f"the reference was trained on {' and '.join(found)} beside those given to fit: if "
            f"they are to be tested on, the network has learnt of them. {_INSTEAD}",
            leakage,
        )


def check_prediction(rows: np.ndarray, foreign: np.ndarray, leakage: str) -> None:
    """Complain of rows to predict that the reference was trained on, and the network was not."""
    n_seen = int(np.isin(rows, foreign).sum())
    if n_seen:
        _complain(
            f"the reference was trained on {n_seen} of these {len(rows)} utterances, so that the "
            f"network has learnt of them. {_INSTEAD}",
            leakage,
        )


def _complain(message: str, leakage: str) -> None:
    """Warn, raise or say nothing."""
    if leakage == "raise":
        raise ValueError(message)
    if leakage == "warn":
        warnings.warn(message, LeakageWarning, stacklevel=3)


def _seen(model: Any, what: str, default: Any) -> Any:
    """Return what the network in a model has kept in mind."""
    return getattr(getattr(model, "network_", model), what, default)
