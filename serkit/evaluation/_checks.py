"""What is checked before a long comparison starts."""

import warnings
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, is_regressor
from sklearn.model_selection import check_cv

from serkit.evaluation._holdout_search import HoldoutSearchCV
from serkit.model_selection import check_speaker_leakage

__all__ = ["check_arguments", "check_sampling_rate", "find_crossing", "list_splits"]


def check_arguments(pipelines: Mapping[str, BaseEstimator], seeds: Sequence[int] | None) -> None:
    """Raise if there is nothing to run, or something that is no classifier."""
    if not isinstance(pipelines, Mapping) or not pipelines:
        raise ValueError(
            f"pipelines must be a dict of names to classifiers, with one or more; got {pipelines!r}"
        )
    for name, pipeline in pipelines.items():
        if not isinstance(name, str):
            raise TypeError(f"the names of pipelines are str, got {name!r}")
        if not hasattr(pipeline, "predict") or is_regressor(pipeline):
            raise TypeError(f"pipeline {name!r} is no classifier: {pipeline!r}")
    if seeds is not None and (not len(seeds) or len(set(seeds)) < len(seeds)):
        raise ValueError(f"seeds must be one or more different integers, or None; got {seeds!r}")


def check_sampling_rate(pipelines: Mapping[str, BaseEstimator], sampling_rate: int) -> None:
    """Raise if a pipeline expects waveforms of another rate."""
    for name, pipeline in pipelines.items():
        expected = _expected_rate(pipeline)
        if expected not in (None, sampling_rate):
            raise ValueError(
                f"the waveforms of the corpus have {sampling_rate} Hz, pipeline {name!r} expects "
                f"{expected} Hz; resample them with Resampler, or set sampling_rate of its steps"
            )


def list_splits(cv: Any, y: np.ndarray, speakers: np.ndarray, *, X: Any = None) -> list[tuple]:
    """Return what a splitter, a number or an iterable of index arrays says about the folds."""
    if not hasattr(cv, "split") and np.iterable(cv):
        return [tuple(split) for split in cv]
    with warnings.catch_warnings():
        # Which splitters look at speakers is found out from their splits.
        warnings.filterwarnings("ignore", message="The groups parameter is ignored")
        return list(check_cv(cv, y, classifier=True).split(y if X is None else X, y, speakers))


def find_crossing(
    pipelines: Mapping[str, BaseEstimator],
    folds: Sequence[tuple[np.ndarray, np.ndarray]],
    y: np.ndarray,
    speakers: np.ndarray,
) -> tuple[str, ...]:
    """Return the pipelines that tune with a speaker on both sides, and warn of them."""
    crossing = tuple(
        name
        for name, pipeline in pipelines.items()
        if any(_crosses(name, pipeline, y[train], speakers[train]) for train, _ in folds)
    )
    if crossing:
        warnings.warn(
            f"speakers are on both sides of the inner splits of {', '.join(map(repr, crossing))}: "
            "what is tuned there is not tuned for unseen speakers; use a cv that keeps speakers "
            "apart, such as LeaveSpeakersOut",
            UserWarning,
            stacklevel=3,
        )
    return crossing


def _crosses(name: str, pipeline: BaseEstimator, y: np.ndarray, speakers: np.ndarray) -> bool:
    """Say whether a part, at any depth, splits training rows across speakers."""
    for part in (pipeline, *pipeline.get_params(deep=True).values()):
        if not _splits_inside(part):
            continue
        try:
            splits = _inner_splits(part, y, speakers)
        except Exception:  # a splitter may need more than labels; fit will say what is wrong
            continue
        largest = max((np.max(rows) for split in splits for rows in split if len(rows)), default=0)
        if largest >= len(y):
            raise ValueError(
                f"the cv inside pipeline {name!r} names row {largest}, but a fold trains on "
                f"{len(y)} rows, counted from 0; use a splitter instead of predefined rows"
            )
        if check_speaker_leakage(splits, speakers=speakers, on_leak=None):
            return True
    return False


def _splits_inside(part: Any) -> bool:
    """Say whether a part fits another estimator on splits of its own, or validates on one."""
    fits_others = hasattr(part, "estimator") or hasattr(part, "estimators")
    searches = fits_others and hasattr(part, "cv")
    return isinstance(part, BaseEstimator) and (searches or _has_validation_splitter(part))


def _has_validation_splitter(part: Any) -> bool:
    """Say whether a part is a network that a splitter of its own stops."""
    return hasattr(getattr(part, "validation", None), "split")


def _inner_splits(part: Any, y: np.ndarray, speakers: np.ndarray) -> list[tuple]:
    # Of a copy: drawing splits moves a random state on.
    if isinstance(part, HoldoutSearchCV):
        return list_splits(deepcopy(part._splitter()), y, speakers)[:1]
    if _has_validation_splitter(part):
        return list_splits(deepcopy(part.validation), y, speakers)[:1]
    return list_splits(deepcopy(part.cv), y, speakers)


def _expected_rate(part: Any) -> int | None:
    """Return the sampling rate of the first step that has one."""
    steps = [step for _, step in getattr(part, "steps", getattr(part, "transformer_list", []))]
    steps += [getattr(part, name) for name in ("estimator", "transformer") if hasattr(part, name)]
    rates = [rate for step in steps if (rate := _expected_rate(step)) is not None]
    return rates[0] if rates else getattr(part, "sampling_rate", None)
