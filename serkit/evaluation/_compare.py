"""Compare pipelines on the same speaker-independent folds."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from joblib import Parallel, cpu_count, delayed, effective_n_jobs
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_info, threadpool_limits
from tqdm.auto import tqdm

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
from serkit.evaluation._collect import collect_result
from serkit.evaluation._features import choose_cache, extract_features, split_stateless
from serkit.evaluation._fold import Task, evaluate_fold, seeded
from serkit.evaluation._provenance import (
    corpus_digest,
    describe_code,
    result_key,
)
from serkit.evaluation._result import ComparisonResult
from serkit.evaluation._store import ResultsStore
from serkit.model_selection import LeaveSpeakersOut
from serkit.utils import describe_estimator, estimator_digest

__all__ = ["by_features", "compare", "make_tasks", "threads_per_worker"]


def compare(
    corpus: Corpus,
    pipelines: Mapping[str, BaseEstimator],
    *,
    cv: Any = None,
    X: Any = None,
    seeds: Sequence[int] | None = None,
    results_dir: str | os.PathLike | None = None,
    cache: str | os.PathLike | None = "auto",
    allow_speaker_overlap: bool = False,
    return_train_score: bool = False,
    protocol: str | None = None,
    n_jobs: int | None = None,
    verbose: int | bool = 1,
) -> ComparisonResult:
    """Compare pipelines fold by fold, with no speaker in both training and test.

    Every pipeline is fitted on the training part of every fold and predicts the
    test part. Speakers are handed to every step, search or scorer that requests
    them, in ``fit`` and in ``predict``; ``groups`` of a splitter inside a search
    are the speakers too.

    Steps at the head of a pipeline that treat every utterance by itself
    (loading, frames, functionals) are run once per utterance, not once per fold.
    Steps that a search varies are left where they are.

    Each finished fold is stored at once. A second call with the same
    ``results_dir`` computes only what is missing: a result is found again if the
    audio, the labels, the pipeline's parameters, the fold, the seed, and the
    versions of the packages are the same.

    Parameters
    ----------
    corpus : Corpus
        The utterances, each with speaker and emotion.
    pipelines : dict of str to estimator
        What to compare: classifiers that take ``corpus.audio``, or searches
        over such (:class:`~sklearn.model_selection.GridSearchCV`,
        :class:`HoldoutSearchCV`).
    cv : splitter, iterable of (train, test) or None, default=None
        The folds, made with the speakers as groups; ``None`` is
        ``LeaveSpeakersOut(1)``.
    X : audio, frames, functionals or None, default=None
        What the pipelines get instead of ``corpus.audio``, such as features
        computed before.
    seeds : sequence of int or None, default=None
        One run per seed, to which every ``random_state`` is set. ``None`` is
        one run in which those ``random_state`` that are None are set to 0.
    results_dir : path-like or None, default=None
        Where finished folds are kept; ``None`` keeps nothing.
    cache : path-like, "auto" or None, default="auto"
        Where features of utterances are kept between calls; "auto" is the
        folder ``cache`` in ``results_dir``, or nothing without one. A pipeline
        that has a :class:`~serkit.feature_extraction.CachedTransformer` of its
        own is left as it is.
    allow_speaker_overlap : bool, default=False
        Accept folds with a speaker on both sides; the result is then labelled
        speaker-dependent.
    return_train_score : bool, default=False
        Score the training utterances too, which tells a model that has learnt
        nothing from one that does not generalise.
    protocol : str or None, default=None
        What the folds are called in tables; ``None`` takes the text of ``cv``.
    n_jobs : int or None, default=None
        Number of folds (and utterances) computed in parallel, by joblib.
    verbose : int or bool, default=1
        Show progress bars when positive.

    Returns
    -------
    result : ComparisonResult
        Tables, paired tests, confusion matrices, and reports of them.

    Raises
    ------
    SpeakerLeakageError
        If a fold has a speaker in both parts.
    ValueError
        If an utterance has no speaker or no emotion, or if a pipeline expects
        another sampling rate than the waveforms of the corpus have.

    Warns
    -----
    UserWarning
        If a search inside a pipeline has speakers on both sides of its splits;
        the pipeline is then marked in tables.
    LeakageWarning
        If a network in ``FrozenEstimator`` was fitted on speakers of this corpus
        alone, by their names, and some of them are tested.

    See Also
    --------
    HoldoutSearchCV : Tunes a pipeline on validation speakers.
    baseline_pipelines : Pipelines to start from.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.dummy import DummyClassifier
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from serkit.datasets import Corpus
    >>> from serkit.evaluation import compare
    >>> corpus = Corpus(
    ...     {"speaker": list("aabbcc"), "emotion": ["anger", "calm"] * 3},
    ...     waveforms=[np.zeros(1)] * 6,
    ...     sampling_rate=16000,
    ... )
    >>> features = np.array([[0.1], [0.9]] * 3)
    >>> pipelines = {"Bayes": GaussianNB(), "chance": DummyClassifier()}
    >>> result = compare(corpus, pipelines, X=features, verbose=0)
    >>> result.table()[["UAR", "WA"]]
              UAR   WA
    pipeline
    Bayes     1.0  1.0
    chance    0.5  0.5
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
    store = ResultsStore(results_dir)
    # What is not kept needs no key that tells it apart from other runs.
    digest = None if results_dir is None else corpus_digest(X, y, speakers)
    tasks = make_tasks(pipelines, folds, seeds, digest, train_score=return_train_score)
    cache = choose_cache(cache, results_dir)
    records = store.load_all((task.key for task in tasks), what="folds", verbose=verbose)
    missing = list({task.key: task for task in tasks if task.key not in records}.values())

    n_threads = threads_per_worker(effective_n_jobs(n_jobs))
    for stateless, group in by_features(missing):
        features = extract_features(stateless, X, cache=cache, n_jobs=n_jobs, verbose=verbose)
        names = ", ".join(dict.fromkeys(task.pipeline for task in group))
        with threadpool_limits(n_threads):
            done = Parallel(n_jobs=n_jobs, return_as="generator_unordered")(
                delayed(_run)(task, features, y, speakers, store) for task in group
            )
            records.update(tqdm(done, total=len(group), desc=names, disable=not verbose))
    return collect_result(
        corpus,
        [(task, records[task.key]) for task in tasks],
        protocol=describe_folds(cv) if protocol is None else protocol,
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


def by_features(tasks: list[Task]) -> Iterator[tuple[Pipeline | None, list[Task]]]:
    """Yield the tasks that share their stateless steps, with these taken off their pipelines."""
    groups: dict[str, tuple[Pipeline | None, list[Task]]] = {}
    for task in tasks:
        stateless, rest = split_stateless(task.estimator)
        key = "" if stateless is None else estimator_digest(stateless)
        groups.setdefault(key, (stateless, []))[1].append(replace(task, estimator=rest))
    yield from groups.values()


def _run(
    task: Task, X: Any, y: np.ndarray, speakers: np.ndarray, store: ResultsStore
) -> tuple[str, dict[str, Any]]:
    try:
        record = evaluate_fold(
            task.estimator, X, y, speakers, task.train, task.test, train_score=task.train_score
        )
    except Exception as error:
        tested = ", ".join(sorted(set(speakers[task.test])))
        error.add_note(f"in pipeline {task.pipeline!r}, fold {task.fold} (test speakers {tested})")
        raise
    store.save(task.key, record, about=task.about)
    return task.key, record


def threads_per_worker(n_workers: int) -> int:
    """Share the cores among the workers; a lower limit that is in force stays."""
    in_force = [library["num_threads"] for library in threadpool_info()]
    return min([max(1, cpu_count() // n_workers), *in_force])
