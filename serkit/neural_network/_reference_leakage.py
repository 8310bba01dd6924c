"""References that have seen what a network is to be tested on."""

import inspect
import warnings
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from serkit.over_sampling import LeakageWarning

__all__ = ["Source", "check_prediction", "check_training", "foreign_rows", "remember", "sources"]

_INSTEAD = (
    "Give the reference unfitted, without FrozenEstimator, and it is trained on the utterances of "
    'fit alone; or set leakage="ignore" if all is well, as where speakers of two corpora have the '
    "same names"
)

#: Between the one who fits and a warning.
_LIBRARIES = {"joblib", "serkit", "sklearn"}


class Source(NamedTuple):
    """What a network has learnt from: digests of rows, speakers, and what it tells apart."""

    rows: np.ndarray
    speakers: list
    labels: list

    def known_speakers(self, network: Any) -> set:
        """Return the speakers, as far as another network shows who is one."""
        tells_speakers = not set(self.labels).isdisjoint(network._fit_speakers)
        return {*self.speakers, *(self.labels if tells_speakers else ())}


def sources(networks: Iterable[Any]) -> list[Source]:
    """Return what fitted networks have learnt from, by themselves and through references."""
    found = []
    for network in networks:
        own = Source(
            rows=getattr(network, "_fit_rows", np.empty(0, dtype=np.uint64)),
            speakers=list(getattr(network, "_fit_speakers", ())),
            labels=np.asarray(getattr(network, "classes_", ())).tolist(),
        )
        found += [own, *(Source(**kept) for kept in getattr(network, "_sources", ()))]
    return found


def remember(known: Iterable[Source], network: Any) -> None:
    """Let a network keep in mind what it has learnt from through references."""
    network._sources = [source._asdict() for source in known]  # plain, to be saved


def foreign_rows(known: Iterable[Source], network: Any) -> np.ndarray:
    """Return the digests of what is known of utterances, and not to a network."""
    own = network._fit_rows
    return np.setdiff1d(np.concatenate([own[:0], *(source.rows for source in known)]), own)


def check_training(known: Iterable[Source], network: Any, leakage: str) -> None:
    """Complain of those who know more of this corpus than a network gets to know."""
    for source in known:
        _check_source(source, network, leakage)


def _check_source(source: Source, network: Any, leakage: str) -> None:
    """Complain of one; it is of the same corpus if some speakers or rows are known to both."""
    own, known = set(network._fit_speakers), source.known_speakers(network)
    rows = foreign_rows([source], network)
    shares_rows = len(rows) < len(source.rows)
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
    elif own and not known and not shares_rows:
        _complain(
            "whether the reference knows speakers or utterances beside those given to fit cannot "
            "be told: it was fitted without speakers, and utterances look different behind another "
            'scaler. Fit it with speakers=…, whatever it is to tell; or set leakage="ignore" if '
            "its speech is of another corpus",
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
        warnings.warn(message, LeakageWarning, stacklevel=_level_of_user() - 1)


def _level_of_user() -> int:
    """Return how many calls lie between this function and what has called the library."""
    level, frame = 1, inspect.currentframe()
    while frame and frame.f_globals.get("__name__", "").partition(".")[0] in _LIBRARIES:
        level, frame = level + 1, frame.f_back
    return level
