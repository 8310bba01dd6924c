"""What a comparison is going to fit, checked before anything is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from serkit.datasets import Corpus
from serkit.evaluation._checks import (
    check_arguments,
    check_labels,
    check_sampling_rate,
    describe_folds,
    find_crossing,
    make_folds,
    warn_of_known_speakers,
)
from serkit.evaluation._fold import Task, seeded
from serkit.evaluation._provenance import corpus_digest, describe_code, result_key
from serkit.model_selection import LeaveSpeakersOut
from serkit.utils import describe_estimator

__all__ = ["Plan", "make_plan", "make_tasks"]


@dataclass(frozen=True)
class Plan:
    """All fits of pipelines on the folds of one corpus, and what is known of them before."""

    corpus: Corpus
    name: str
    protocol: str
    X: Any
    y: np.ndarray
    speakers: np.ndarray
    tasks: list[Task]
    speaker_dependent: bool
    crossing: tuple[str, ...]

    @property
    def place(self) -> str:
        """What is named in errors."""
        return f"{self.name}, {self.protocol}"


def make_plan(
    corpus: Corpus,
    pipelines: Mapping[str, BaseEstimator],
    *,
    cv: Any,
    X: Any,
    seeds: Sequence[int] | None,
    allow_speaker_overlap: bool,
    return_train_score: bool,
    protocol: str | None,
    keyed: bool,
    name: str | None = None,
) -> Plan:
    """Check what is to be compared, and list the fits; with keys that tell all runs apart.

    Warnings point to who called the caller.
    """
    check_arguments(pipelines, seeds)
    if X is None and corpus.sampling_rate is not None:
        check_sampling_rate(pipelines, corpus.sampling_rate)
    X = corpus.audio if X is None else X
    y, speakers = check_labels(corpus, X)
    cv = LeaveSpeakersOut(1) if cv is None else cv
    folds, overlapping = make_folds(cv, X, y, speakers, allow_overlap=allow_speaker_overlap)
    crossing = find_crossing(pipelines, folds, y, speakers)
    warn_of_known_speakers(pipelines, folds, speakers)
    # What is not kept needs no key that tells it apart from other runs.
    digest = corpus_digest(X, y, speakers) if keyed else None
    return Plan(
        corpus,
        name or corpus.name or "unnamed corpus",
        describe_folds(cv) if protocol is None else protocol,
        X,
        y,
        speakers,
        make_tasks(pipelines, folds, seeds, digest, train_score=return_train_score),
        speaker_dependent=bool(overlapping),
        crossing=crossing,
    )


def make_tasks(
    pipelines: Mapping[str, BaseEstimator],
    folds: list[tuple[np.ndarray, np.ndarray]],
    seeds: Sequence[int] | None,
    corpus: str | None,
    *,
    train_score: bool,
) -> list[Task]:
    """Return all fits to do, with keys for the store if the digest of the corpus is given."""
    tasks = []
    for name, pipeline in pipelines.items():
        for seed in (0,) if seeds is None else seeds:
            estimator = seeded(pipeline, seed, override=seeds is not None)
            about = {}
            if corpus is not None:
                about = {
                    "pipeline": describe_estimator(estimator),
                    "code": describe_code(estimator),
                }
            for fold, (train, test) in enumerate(folds):
                key = f"{name}/{seed}/{fold}"
                if corpus is not None:
                    scored = {"train_score": True} if train_score else {}
                    rows = {"train": train, "test": test}
                    key = result_key(corpus=corpus, seed=seed, **rows, **scored, **about)
                task = Task(name, fold, seed, train, test, estimator, key, about, train_score)
                tasks.append(task)
    return tasks
