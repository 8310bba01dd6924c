"""The check that no speaker is on both sides of a split."""

import warnings
from collections.abc import Iterable
from itertools import combinations
from typing import Any

import numpy as np

from serkit.model_selection._speakers import check_groups, list_names

__all__ = ["SpeakerLeakageError", "check_speaker_leakage"]


class SpeakerLeakageError(ValueError):
    """A speaker is in more than one part of a split."""


def check_speaker_leakage(
    splits: Any,
    X: Any = None,
    y: Any = None,
    *,
    speakers: Any,
    on_leak: str | None = "raise",
) -> dict[int, list[Any]]:
    """Check that no speaker is in more than one part of a split.

    Parameters
    ----------
    splits : cross-validator or iterable of tuples
        A splitter, which is given `speakers` as `groups`; or index arrays,
        (train, test) or (train, validation, test) for every fold.
    X : array-like of shape (n_utterances, ...), default=None
        The utterances, for splitters that look at them.
    y : array-like of shape (n_utterances,), default=None
        The labels, for splitters that stratify.
    speakers : array-like of shape (n_utterances,)
        Speaker of every utterance.
    on_leak : {"raise", "warn"} or None, default="raise"
        What to do besides returning the result.

    Returns
    -------
    leaks : dict of int to list
        The speakers on both sides, for each fold that has any.

    Raises
    ------
    SpeakerLeakageError
        If a speaker is on both sides and `on_leak` is ``"raise"``.

    See Also
    --------
    serkit.evaluation.check_leakage : Looks at what is done in the folds, too.

    Examples
    --------
    >>> from sklearn.model_selection import KFold
    >>> from serkit.model_selection import LeaveSpeakersOut, check_speaker_leakage
    >>> speakers = ["03", "03", "03", "08"]
    >>> check_speaker_leakage(LeaveSpeakersOut(), speakers=speakers)
    {}
    >>> check_speaker_leakage(KFold(2), speakers=speakers, on_leak=None)
    {0: ['03'], 1: ['03']}
    """
    if on_leak not in ("raise", "warn", None):
        raise ValueError(f'on_leak must be "raise", "warn" or None, got {on_leak!r}')
    labels = check_groups(speakers, X)
    if hasattr(splits, "split"):
        splits = _split(splits, labels if X is None else X, y, labels)
    leaks = {}
    for fold, parts in enumerate(splits):
        sides = [set(labels[np.asarray(part)]) for part in parts]
        shared = set().union(*(a & b for a, b in combinations(sides, 2)))
        if shared:
            leaks[fold] = sorted(shared)
    if leaks and on_leak is not None:
        message = "speakers on both sides of a split: " + "; ".join(
            f"fold {fold}: {list_names(shared)}" for fold, shared in leaks.items()
        )
        if on_leak == "raise":
            raise SpeakerLeakageError(f"{message}. Split by speakers, see LeaveSpeakersOut")
        warnings.warn(message, UserWarning, stacklevel=2)
    return leaks


def _split(cv: Any, X: Any, y: Any, groups: np.ndarray) -> list[Iterable[np.ndarray]]:
    with warnings.catch_warnings():
        # That a splitter does not look at speakers is what is being found out.
        warnings.filterwarnings("ignore", message="The groups parameter is ignored")
        return list(cv.split(X, y, groups))
