"""Read a folder of results without the corpus and without computing anything."""

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from serkit.evaluation._collect import collect_result
from serkit.evaluation._manifest import KeptPlan, read_manifests
from serkit.evaluation._result import ComparisonResult
from serkit.evaluation._store import ResultsStore

__all__ = ["load_results"]


def load_results(folder: str | os.PathLike) -> dict[str, ComparisonResult]:
    """Read what was compared, without the corpus and without computing anything.

    Runs over the same utterances with the same protocol are one result; of
    pipelines with the same name the latest counts. What is not finished is
    missing from the result, which says so.

    Parameters
    ----------
    folder : path-like
        The ``results_dir`` of :func:`compare` or :func:`benchmark`.

    Returns
    -------
    results : dict of str to ComparisonResult
        By corpus and protocol.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ValueError
        If no finished folds are there, or an earlier version wrote them.

    See Also
    --------
    compare : Writes the folder.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from serkit.datasets import Corpus
    >>> from serkit.evaluation import compare, load_results
    >>> corpus = Corpus(
    ...     {"speaker": list("aabbcc"), "emotion": ["anger", "calm"] * 3},
    ...     waveforms=[np.zeros(1)] * 6,
    ...     sampling_rate=16000,
    ...     name="made up",
    ... )
    >>> features = np.array([[0.1], [0.9]] * 3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     pipelines = {"Bayes": GaussianNB()}
    ...     _ = compare(corpus, pipelines, X=features, results_dir=folder, verbose=0)
    ...     results = load_results(folder)
    >>> list(results)
    ['made up, LeaveSpeakersOut(1)']
    """
    folder = Path(folder).expanduser().absolute()
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is no folder: give the results_dir of compare")
    store = ResultsStore(folder)
    results: dict[str, ComparisonResult] = {}
    for plan in _merged(read_manifests(folder), store):
        records = {
            task.key: record for task in plan.tasks if (record := store.load(task.key)) is not None
        }
        if not records:
            continue
        errors = {
            task.key: RuntimeError("not finished") for task in plan.tasks if task.key not in records
        }
        result = collect_result(plan, records, errors, store)
        unfinished = (failure._replace(error="not finished") for failure in result.failures)
        result = replace(result, failures=tuple(unfinished))
        name, number = result.place, 1
        while name in results:
            number += 1
            name = f"{result.place} ({number})"
        results[name] = result
    if not results:
        raise ValueError(f"{folder} holds no results that can be read: {_why(store)}")
    return results


def _merged(plans: Iterable[KeptPlan], store: ResultsStore) -> list[KeptPlan]:
    """Put runs over the same utterances with the same protocol together.

    Of pipelines of one name the latest counts of which a fold is finished.
    """
    merged: list[KeptPlan] = []
    for plan in plans:
        for place, earlier in enumerate(merged):
            if _same(plan, earlier):
                begun = {task.pipeline for task in plan.tasks if task.key in store}
                names = begun | {task.pipeline for task in plan.tasks} - {
                    task.pipeline for task in earlier.tasks
                }
                kept = [task for task in earlier.tasks if task.pipeline not in names]
                new = [task for task in plan.tasks if task.pipeline in names]
                crossing = dict.fromkeys(
                    [
                        *(name for name in earlier.crossing if name not in names),
                        *(name for name in plan.crossing if name in names),
                    ]
                )
                merged[place] = replace(plan, tasks=[*kept, *new], crossing=tuple(crossing))
                break
        else:
            merged.append(plan)
    return merged


def _same(one: KeptPlan, other: KeptPlan) -> bool:
    place = (one.name, one.protocol) == (other.name, other.protocol)
    return place and one.utterances.equals(other.utterances)


def _why(store: ResultsStore) -> str:
    assert store.folder is not None
    if any((store.folder.parent / "comparisons").glob("*.json")):
        return "no fold of what was begun there is finished. Run the same comparison again"
    if any(store.folder.glob("*.json")):
        return (
            "its folds were finished by an earlier version, which did not note what they are of. "
            "Run the same comparison again; where code and data are the same, it finds them"
        )
    return "no fold is finished. Run serkit compare or serkit demo with --results"
