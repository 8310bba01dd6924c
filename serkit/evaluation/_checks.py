"""What is checked before a long comparison starts."""

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, is_regressor
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import check_cv

from serkit.datasets import Corpus
from serkit.evaluation._holdout_search import HoldoutSearchCV
from serkit.model_selection import SpeakerLeakageError, check_speaker_leakage
from serkit.neural_network import SegmentAggregationClassifier
from serkit.over_sampling import LeakageWarning
from serkit.utils import check_speakers

__all__ = [
    "check_arguments",
    "check_keep_models",
    "check_labels",
    "check_on_error",
    "check_sampling_rate",
    "describe_folds",
    "find_crossing",
    "list_splits",
    "make_folds",
    "warn_of_known_speakers",
]


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


def check_on_error(on_error: str) -> None:
    """Raise if it is not said what a failing fold means."""
    if on_error not in ("raise", "warn"):
        raise ValueError(f"on_error must be 'raise' or 'warn', got {on_error!r}")


def check_keep_models(keep_models: bool, results_dir: str | os.PathLike | None) -> None:
    """Raise if there is no folder for models that are to be kept."""
    if keep_models and results_dir is None:
        raise ValueError("keep_models=True needs a results_dir, which says where they are kept")


def check_labels(corpus: Corpus, X: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return emotions and speakers; raise if an utterance is without."""
    if not len(corpus):
        raise ValueError("the corpus has no utterances")
    speakers = check_speakers(corpus.speakers, X)
    y = check_speakers(corpus.y, X, name="y")
    for what, labels in (("speaker", speakers), ("emotion", y)):
        rows = [row for row, label in enumerate(labels) if label is None]
        if rows:
            raise ValueError(
                f"{len(rows)} utterances have no {what} (the first is row {rows[0]}); leave them "
                f"out with corpus[corpus.table.{what}.notna()]"
            )
    return y, speakers


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


def make_folds(
    cv: Any, X: Any, y: np.ndarray, speakers: np.ndarray, *, allow_overlap: bool
) -> tuple[list[tuple[np.ndarray, np.ndarray]], dict[int, list[Any]]]:
    """Return the folds, and by their numbers the speakers that are in both parts of one."""
    splits = list_splits(cv, y, speakers, X=X)
    if not splits:
        raise ValueError(f"cv={cv} makes no folds")
    for fold, parts in enumerate(splits):
        if len(parts) != 2:
            raise ValueError(
                f"fold {fold} has {len(parts)} parts, not (train, test); rows to tune on "
                "belong to a search inside, see HoldoutSearchCV"
            )
    rows = np.arange(len(y))
    folds = [(rows[train], rows[test]) for train, test in splits]
    for fold, parts in enumerate(folds):
        if not all(map(len, parts)):
            raise ValueError(f"the training or the test part of fold {fold} is empty")
    try:
        leaks = check_speaker_leakage(
            folds, speakers=speakers, on_leak=None if allow_overlap else "raise"
        )
    except SpeakerLeakageError as error:
        error.add_note("allow_speaker_overlap=True accepts that and labels the result")
        raise
    return folds, leaks


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
            stacklevel=4,
        )
    return crossing


def _crosses(name: str, pipeline: BaseEstimator, y: np.ndarray, speakers: np.ndarray) -> bool:
    """Say whether a part, at any depth, splits training rows across speakers."""
    see_segments = _parts_that_see_segments(pipeline)
    for part in _parts(pipeline):
        if not _splits_inside(part):
            continue
        sees_segments = id(part) in see_segments
        rows = _rows_of_segments(len(y)) if sees_segments else np.arange(len(y))
        try:
            splits = _inner_splits(part, y[rows], speakers[rows])
        except Exception:  # a splitter may need more than labels; fit will say what is wrong
            continue
        largest = max((np.max(side) for split in splits for side in split if len(side)), default=0)
        if largest >= len(rows) and not sees_segments:
            raise ValueError(
                f"the cv inside pipeline {name!r} names row {largest}, but a fold trains on "
                f"{len(y)} rows, counted from 0; use a splitter instead of predefined rows"
            )
        if largest >= len(rows) or check_speaker_leakage(
            splits, speakers=speakers[rows], on_leak=None
        ):
            return True
    return False


def warn_of_known_speakers(
    pipelines: Mapping[str, BaseEstimator],
    folds: Sequence[tuple[np.ndarray, np.ndarray]],
    speakers: np.ndarray,
) -> None:
    """Warn of frozen networks that were fitted on speakers who are to be unseen.

    By their names alone, which other corpora may use too: one that was fitted on any
    speaker who is not in this corpus is taken for one of another.
    """
    unseen = set().union(*(set(speakers[test]) - set(speakers[train]) for train, test in folds))
    for name, pipeline in pipelines.items():
        for network in _frozen_networks(pipeline):
            known = set(network._fit_speakers)
            tested = sorted(map(str, known & unseen))
            if tested and known <= set(speakers):
                warnings.warn(
                    f"the frozen {type(network).__name__} in pipeline {name!r} was fitted on the "
                    f"speakers {', '.join(tested)}, and speakers of these names are tested: if "
                    "they are the same, scores are too good. Fit it on other speakers, or give it "
                    "without FrozenEstimator, to be fitted in every fold; if they share their "
                    "names only, silence this LeakageWarning",
                    LeakageWarning,
                    stacklevel=4,
                )


def _frozen_networks(pipeline: BaseEstimator) -> list[Any]:
    """Return the fitted networks in frozen parts, without those that are checked elsewhere."""
    parts = _parts(pipeline)
    checked = {
        id(value) for part in parts if hasattr(part, "leakage") for value in vars(part).values()
    }
    frozen = [
        part for part in parts if isinstance(part, FrozenEstimator) and id(part) not in checked
    ]
    networks = [network for part in frozen for network in _networks_in(part)]
    return list({id(network): network for network in networks}.values())


def _networks_in(fitted: Any) -> Iterator[Any]:
    """Yield the networks, at any depth, that know whom they were fitted on."""
    if isinstance(fitted, list | tuple):
        for item in fitted:
            yield from _networks_in(item)
    elif isinstance(fitted, FrozenEstimator):  # which passes for what is in it
        yield from _networks_in(fitted.estimator)
    elif hasattr(fitted, "_fit_speakers"):
        yield fitted
    elif isinstance(fitted, BaseEstimator):
        for value in vars(fitted).values():
            yield from _networks_in(value)


def _parts(estimator: BaseEstimator) -> list[Any]:
    return [estimator, *estimator.get_params(deep=True).values()]


def _parts_that_see_segments(pipeline: BaseEstimator) -> set[int]:
    """Return the identities of what stands inside a classifier of segments."""
    return {
        id(part)
        for outer in _parts(pipeline)
        if isinstance(outer, SegmentAggregationClassifier)
        for part in _parts(outer.estimator)
    }


def _rows_of_segments(n_utterances: int) -> np.ndarray:
    """Return the utterances of some segments, for their real number is not known yet.

    In an order by which only a splitter that looks at speakers keeps them apart.
    """
    return np.random.default_rng(0).permutation(np.repeat(np.arange(n_utterances), 3))


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


def describe_folds(cv: Any) -> str:
    """Return what folds are called in tables if nobody says."""
    if hasattr(cv, "split") or isinstance(cv, int):
        return str(cv)
    return "predefined folds"
