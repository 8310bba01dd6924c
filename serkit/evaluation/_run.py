"""Fit the folds of a plan, here or in workers, and keep each that is finished."""

import contextlib
import multiprocessing
import os
import pickle
import threading
import time
import traceback
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from joblib import Parallel, cpu_count, delayed, effective_n_jobs
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_info, threadpool_limits
from tqdm.auto import tqdm

from serkit.evaluation._features import extract_features, split_stateless
from serkit.evaluation._fold import Task, evaluate_fold
from serkit.evaluation._leakage import find_leaks
from serkit.evaluation._leakage_report import LeakageError
from serkit.evaluation._manifest import write_manifest
from serkit.evaluation._models import ModelKeeper, is_hopeless
from serkit.evaluation._plan import Plan
from serkit.evaluation._store import ResultsStore
from serkit.utils import estimator_digest

__all__ = [
    "by_features",
    "first_error",
    "leave_with",
    "one_line",
    "run_plan",
    "threads_per_worker",
]


def run_plan(
    plan: Plan,
    store: ResultsStore,
    *,
    cache: str | os.PathLike | None,
    stop: bool,
    n_jobs: int | None,
    verbose: int | bool,
    check_leakage: bool = False,
    keep_models: bool = False,
) -> tuple[dict[str, dict[str, Any]], dict[str, Exception]]:
    """Return the records of all folds and the errors of those that failed, by key.

    With ``stop`` the first error is raised at once, otherwise the others go on.
    """
    write_manifest(plan, store)
    keys = (task.key for task in plan.tasks)
    records = store.load_all(keys, what="folds", verbose=verbose)
    if keep_models:
        records = {key: record for key, record in records.items() if _has_model(record, key, store)}
    missing = {task.key: task for task in plan.tasks if task.key not in records}
    errors: dict[str, Exception] = {}
    n_threads = threads_per_worker(effective_n_jobs(n_jobs))
    for stateless, group in by_features(list(missing.values())):
        names = ", ".join(dict.fromkeys(task.pipeline for task in group))
        try:
            X = extract_features(stateless, plan.X, cache=cache, n_jobs=n_jobs, verbose=verbose)
        except Exception as error:
            error.add_note(f"in features of {names}")
            error.add_note(f"on {plan.place}")
            if stop:
                raise
            _warn(error)
            errors |= {task.key: error for task in group}
            continue
        # One utterance shows these steps all that they remember: kinds of input, files read.
        head = None if stateless is None or not keep_models else clone(stateless).fit(plan.X[:1])
        if check_leakage:
            _check_pipelines(group, X, plan)
        with threadpool_limits(n_threads):
            done = Parallel(n_jobs=n_jobs, return_as="generator_unordered")(
                delayed(_run)(
                    task,
                    X,
                    plan.y,
                    plan.speakers,
                    plan.place,
                    store,
                    os.getpid(),
                    stop,
                    ModelKeeper(store, task.key, head) if keep_models else None,
                )
                for task in group
            )
            for key, outcome in tqdm(
                done, total=len(group), desc=f"{plan.name}: {names}", disable=not verbose
            ):
                if isinstance(outcome, _Failure):
                    errors[key] = outcome.restored()
                    _warn(errors[key])
                    continue
                records[key] = outcome
                if key not in store:  # the worker has another disk
                    store.save(key, outcome, about=missing[key].about)
    if keep_models:
        _warn_of_models(plan, records, store)
    ordered = dict.fromkeys(task.key for task in plan.tasks if task.key in errors)
    return records, {key: errors[key] for key in ordered}


def _has_model(record: dict[str, Any], key: str, store: ResultsStore) -> bool:
    """Say whether the model of a fold is kept, or is known not to be one that can be."""
    return store.has_model(key) or is_hopeless(record.get("model_error"))


def _warn_of_models(plan: Plan, records: dict[str, dict[str, Any]], store: ResultsStore) -> None:
    """Warn of models that are not there, once per pipeline."""
    reasons = {
        task.pipeline: records[task.key].get(
            "model_error", "they are on another disk: choose a results_dir that all workers share"
        )
        for task in plan.tasks
        if task.key in records and not store.has_model(task.key)
    }
    for pipeline, reason in reasons.items():
        message = f"the models of pipeline {pipeline!r} are not kept: {reason}"
        warnings.warn(message, UserWarning, stacklevel=4)


def first_error(errors: Mapping[Any, Exception]) -> Exception:
    """Return the first error, with a note of how many others there were."""
    first, *others = errors.values()
    if others:
        first.add_note(f"({len(others)} more folds failed; what was finished is kept)")
    return first


def one_line(error: BaseException) -> str:
    """Return kind and message of an error, and where it was."""
    parts = [f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ())]
    return " ".join(" ".join(parts).split())


def by_features(tasks: list[Task]) -> Iterator[tuple[Pipeline | None, list[Task]]]:
    """Yield the tasks that share their stateless steps, with these taken off their pipelines."""
    groups: dict[str, tuple[Pipeline | None, list[Task]]] = {}
    for task in tasks:
        stateless, rest = split_stateless(task.estimator)
        key = "" if stateless is None else estimator_digest(stateless)
        groups.setdefault(key, (stateless, []))[1].append(replace(task, estimator=rest))
    yield from groups.values()


def _check_pipelines(tasks: list[Task], X: Any, plan: Plan) -> None:
    """Raise if the first task of a pipeline shows a leak."""
    for task in {task.pipeline: task for task in reversed(tasks)}.values():
        fold = {task.fold: (task.train, task.test)}
        report = find_leaks(task.estimator, X, plan.y, plan.speakers, fold)
        try:
            report.raise_for_leaks()
        except LeakageError as error:
            error.add_note(f"in pipeline {task.pipeline!r}")
            raise


def _run(
    task: Task,
    X: Any,
    y: np.ndarray,
    speakers: np.ndarray,
    place: str,
    store: ResultsStore,
    home: int,
    stop: bool,
    keep: ModelKeeper | None,
) -> "tuple[str, dict[str, Any] | _Failure]":
    """Evaluate a fold for the process ``home``, and keep the record."""
    leave_with(home)
    try:
        record = evaluate_fold(
            task.estimator,
            X,
            y,
            speakers,
            task.train,
            task.test,
            train_score=task.train_score,
            keep=keep,
        )
        if keep is not None and keep.error is not None:
            record["model_error"] = keep.error
    except Exception as error:
        tested = ", ".join(sorted(set(speakers[task.test])))
        error.add_note(f"in pipeline {task.pipeline!r}, fold {task.fold} (test speakers {tested})")
        error.add_note(f"on {place}")
        if stop:
            raise
        return task.key, _Failure.of(error, elsewhere=os.getpid() != home)
    with contextlib.suppress(OSError):  # who is at home tries again
        store.save(task.key, record, about=task.about)
    return task.key, record


class _Failure(NamedTuple):
    """An error on its way home, and its traceback as text if that stays behind."""

    error: Exception
    text: str | None

    @classmethod
    def of(cls, error: Exception, *, elsewhere: bool) -> "_Failure":
        if not elsewhere:
            return cls(error, None)
        try:
            pickle.loads(pickle.dumps(error))
            portable = error
        except Exception:  # pickling runs code of the exception
            portable = RuntimeError(f"{type(error).__name__}: {error}")
            for note in error.__notes__:
                portable.add_note(note)
        return cls(portable, "".join(traceback.format_exception(error)))

    def restored(self) -> Exception:
        if self.text is not None:
            self.error.__cause__ = _InWorker(f"\n{self.text}")
        return self.error


class _InWorker(Exception):  # noqa: N818 - no error but where one was
    """Traceback of another process, as text."""


def _warn(error: Exception) -> None:
    warnings.warn(f"{one_line(error)}; the other folds go on", FitFailedWarning, stacklevel=4)


@cache
def leave_with(home: int) -> None:
    """Let a worker of loky end with the process that it works for, even if that was killed.

    By itself it would finish what was handed out, and then wait for minutes.
    """
    if not multiprocessing.current_process().name.startswith("Loky"):
        return

    def watch() -> None:
        while os.getppid() == home:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def threads_per_worker(n_workers: int) -> int:
    """Share the cores among the workers; a lower limit that is in force stays."""
    in_force = [library["num_threads"] for library in threadpool_info()]
    return min([max(1, cpu_count() // n_workers), *in_force])
