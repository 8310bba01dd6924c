"""Scorers by name, for searches."""

from typing import Any

from sklearn.metrics import get_scorer, get_scorer_names
from sklearn.metrics._scorer import _BaseScorer, _PassthroughScorer

from serkit import metrics
from serkit.persistence._errors import ModelFileError

__all__ = ["OWN_SCORE", "find_scorer", "scorer_name"]

#: The scorer that asks an estimator for its own score.
OWN_SCORE = "score"

_SERKIT = tuple(name for name in metrics.__all__ if name.endswith("_scorer"))


def scorer_name(value: Any) -> str | None:
    """Return the name of a scorer of scikit-learn or serkit, or None."""
    if isinstance(value, _PassthroughScorer):
        return OWN_SCORE
    if not isinstance(value, _BaseScorer):
        return None
    for name in _SERKIT:
        if _is_same(getattr(metrics, name), value):
            return f"serkit.metrics:{name}"
    return next((name for name in get_scorer_names() if _is_same(get_scorer(name), value)), None)


def find_scorer(name: Any) -> Any:
    """Return the scorer of a name."""
    if name == OWN_SCORE:
        return OWN_SCORE  # of which estimator, knows who asks
    if isinstance(name, str):
        room, _, part = name.rpartition(":")
        if room == "serkit.metrics" and part in _SERKIT:
            return getattr(metrics, part)
        if name in get_scorer_names():
            return get_scorer(name)
    raise ModelFileError(f"there is no scorer {str(name)[:60]!r}")


def _is_same(known: Any, value: Any) -> bool:
    names = ("_score_func", "_sign", "_kwargs", "_response_method")
    return type(known) is type(value) and all(
        getattr(known, name, None) == getattr(value, name, None) for name in names
    )
