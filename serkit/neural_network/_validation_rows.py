"""Which training utterances choose the best epoch."""

import warnings
from numbers import Real
from typing import Any

import numpy as np
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit

from serkit.model_selection import SpeakerHoldout

__all__ = ["split_validation_rows"]


def split_validation_rows(
    validation: Any, y: np.ndarray, speakers: np.ndarray | None, *, stratify: bool, seed: int
) -> tuple[np.ndarray, np.ndarray | None]:
    """Divide the rows into those to train on and those to validate on.

    Rows without a speaker (synthetic ones) are always trained on, unless no row
    has one.
    """
    rows = np.arange(len(y))
    real = rows
    if speakers is not None:
        known = np.array([speaker is not None for speaker in speakers])
        real = rows[known]
        if not known.any():
            speakers = None
            real = rows
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
    if isinstance(validation, Real):
        splitter = _share_of(float(validation), y, speakers, stratify=stratify, seed=seed)
    else:
        splitter = validation
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
            "trained on, so the best epoch is not the best for unseen speakers; use a splitter "
            "that keeps speakers apart, such as SpeakerHoldout",
            UserWarning,
            stacklevel=5,
        )
    synthetic = np.setdiff1d(rows, real)
    return np.concatenate([train, synthetic]), valid


def _share_of(
    share: float, y: np.ndarray, speakers: np.ndarray | None, *, stratify: bool, seed: int
) -> Any:
    if speakers is not None:
        return SpeakerHoldout(share, random_state=seed)
    warnings.warn(
        f"validation={share} splits utterances, for speakers are not given: the best epoch is "
        "chosen on speakers that were trained on. Pass speakers to fit",
        UserWarning,
        stacklevel=6,
    )
    counts = np.unique(y, return_counts=True)[1] if stratify else np.array([1])
    holds_all = min(share, 1 - share) * len(y) >= len(counts)
    cls = StratifiedShuffleSplit if counts.min() > 1 and holds_all else ShuffleSplit
    return cls(1, test_size=share, random_state=seed)
