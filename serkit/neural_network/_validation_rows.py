"""Which training utterances are held out to choose by."""

import warnings
from collections.abc import Iterable, Sequence
from numbers import Real
from typing import Any

import numpy as np
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit

from serkit.model_selection import SpeakerHoldout
from serkit.utils import row_origins, segment_parents

__all__ = ["split_validation_rows"]


def split_validation_rows(
    validation: Any, y: np.ndarray, speakers: np.ndarray | None, *, stratify: bool, seed: int
) -> tuple[np.ndarray, np.ndarray | None]:
    """Divide the rows into those to train on and those to validate on.

    Rows without a speaker (synthetic ones) are always trained on, unless no row
    has one. Where a pipeline has noted which rows its samplers have added, none
    of these is held out, and copies of what is held out are left out.
    """
    rows = np.arange(len(y))
    origins = None if segment_parents() is not None else row_origins(len(y))
    real = rows if origins is None else _first_rows(origins)
    if speakers is not None:
        known = np.array([speaker is not None for speaker in speakers])
        if not known.any():
            speakers = None
        else:
            real = real[known[real]]
    if validation == "auto":
        validation = None if speakers is None else 0.2
        if speakers is not None and len(set(speakers[real])) == 1:
            warnings.warn(
                "all utterances are of one speaker, so none is held out for validation and the "
                "last epoch is kept",
                UserWarning,
                stacklevel=5,
            )
            validation = None
    if validation is None:
        return rows, None
    splits: Iterable[tuple[np.ndarray, np.ndarray]]
    is_share = isinstance(validation, Real)
    if is_share and speakers is None:
        splits = _split_utterances(float(validation), y[real], stratify=stratify, seed=seed)
    else:
        splitter = SpeakerHoldout(float(validation), random_state=seed) if is_share else validation
        groups = None if speakers is None else speakers[real]
        splits = splitter.split(np.zeros((len(real), 1)), y[real], groups)
    train, valid = next(iter(splits), ([], []))
    train, valid = real[train], real[valid]
    if not len(valid) or not len(train):
        raise ValueError(f"validation={validation!r} leaves nothing to train on or to validate on")
    shared = set() if speakers is None else set(speakers[train]) & set(speakers[valid])
    if shared:
        warnings.warn(
            f"validation={validation!r} holds out utterances of {len(shared)} speakers who are "
            "trained on, so what they choose is not the best for unseen speakers; use a splitter "
            "that keeps speakers apart, such as SpeakerHoldout",
            UserWarning,
            stacklevel=5,
        )
    added = np.setdiff1d(rows, real)
    if origins is not None:
        added = added[~np.isin(origins[added], origins[valid])]
    return np.concatenate([train, added]), valid


def _first_rows(origins: np.ndarray) -> np.ndarray:
    """Return the rows that are neither synthetic nor copies of a row before them."""
    found, rows = np.unique(origins, return_index=True)
    return np.sort(rows[found >= 0])


def _split_utterances(
    share: float, y: np.ndarray, *, stratify: bool, seed: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Hold out a share of the utterances, each with all its segments."""
    utterance_of_row = _find_utterances(share, y)
    warnings.warn(
        f"validation={share} splits utterances, for speakers are not given: those held out are of "
        "speakers that are trained on. Pass speakers to fit",
        UserWarning,
        stacklevel=6,
    )
    utterances, first_rows = np.unique(utterance_of_row, return_index=True)
    labels = y[first_rows]
    counts = np.unique(labels, return_counts=True)[1] if stratify else np.array([1])
    holds_all = min(share, 1 - share) * len(labels) >= len(counts)
    cls = StratifiedShuffleSplit if counts.min() > 1 and holds_all else ShuffleSplit
    _, held_out = next(cls(1, test_size=share, random_state=seed).split(labels, labels))
    is_valid = np.isin(utterance_of_row, utterances[held_out])
    return [(np.flatnonzero(~is_valid), np.flatnonzero(is_valid))]


def _find_utterances(share: float, y: np.ndarray) -> np.ndarray:
    """Return the utterance that every row is from, itself unless rows are segments."""
    parents = segment_parents()
    if parents is None:
        return np.arange(len(y))
    if len(parents) != len(y) or not _is_constant_within(parents, y):
        raise ValueError(
            f"validation={share} cannot tell which segments are of one utterance, for a sampler or "
            "a search has changed the rows, and segments of an utterance that is trained on must "
            "not be held out: pass speakers to fit, or change validation"
        )
    return np.asarray(parents)


def _is_constant_within(groups: Sequence[int], values: np.ndarray) -> bool:
    _, first_rows, group_of_row = np.unique(groups, return_index=True, return_inverse=True)
    return bool((values[first_rows][group_of_row] == values).all())
