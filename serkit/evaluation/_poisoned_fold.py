"""One fold, run with the test rows as they are and as they are not."""

import os
import random
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn import config_context
from sklearn.base import BaseEstimator
from sklearn.utils import _safe_indexing, check_random_state

from serkit.evaluation._features import extract_features, split_stateless
from serkit.evaluation._fold import fit, transductive_steps
from serkit.evaluation._leakage_report import Leak, LeakageReport
from serkit.evaluation._learnt import first_difference, join_path, learnt
from serkit.evaluation._poison import poison_labels, poison_rows
from serkit.evaluation._row_independence import Outputs, Rows, differ, trace
from serkit.over_sampling import LeakageWarning

__all__ = ["Evaluation", "FitPipeline", "PoisonedFold", "collect_leaks"]

Evaluation = Callable[[Any, np.ndarray, np.ndarray, np.ndarray, np.ndarray], Any]

_N_NAMED = 3  # attributes in a message


class FitPipeline:
    """Do with a pipeline what ``compare`` does with it in a fold.

    Parameters
    ----------
    estimator : estimator
        The pipeline.
    cache : path-like
        Where features of utterances are kept.
    """

    def __init__(self, estimator: BaseEstimator, cache: str | os.PathLike):
        self.stateless, self.rest = split_stateless(estimator)
        self.cache = cache

    def __call__(
        self, X: Any, y: np.ndarray, speakers: np.ndarray, train: np.ndarray, test: np.ndarray
    ) -> BaseEstimator:
        """Fit it on the training rows."""
        return fit(self.rest, self.take(X, train), y[train], speakers[train])

    def take(self, X: Any, rows: np.ndarray) -> Any:
        """Return features of some rows."""
        X = _safe_indexing(X, rows)
        return extract_features(self.stateless, X, cache=self.cache, n_jobs=1, verbose=False)


@dataclass(frozen=True)
class _Result:
    """What a run has returned, as it was at its end: digests of estimators, and arrays."""

    values: dict[str, Any]
    transductive: frozenset[str]
    returned: Any


@dataclass(frozen=True)
class _Half:
    """The utterances, of which those that are tested and not kept are exchanged."""

    X: Any
    y: np.ndarray
    kept: np.ndarray


class PoisonedFold:
    """The rows of a fold, and what becomes of an evaluation when test rows are exchanged.

    Parameters
    ----------
    X : audio, frames or functionals
        All utterances.
    y : ndarray of shape (n_utterances,)
        Their classes.
    speakers : ndarray of shape (n_utterances,)
        Their speakers.
    train : ndarray of int
        The training rows.
    test : ndarray of int
        The test rows.
    folder : Path
        Where files with other utterances are written.
    seed : int
        Seed of all that is random.
    """

    def __init__(
        self,
        X: Any,
        y: np.ndarray,
        speakers: np.ndarray,
        train: np.ndarray,
        test: np.ndarray,
        *,
        folder: Path,
        seed: int,
    ):
        self.X, self.y, self.speakers = X, y, speakers
        self.train, self.test = train, test
        self.folder, self.seed = folder, seed

    def search(self, evaluation: Evaluation) -> LeakageReport:
        """Return the leaks of an evaluation, and its transductive steps."""
        halves = list(self._halves())
        with collect_leaks() as frozen:
            clean = self._run(evaluation, self._copy(), self.y)
        if isinstance(evaluation, FitPipeline):
            leaks = self._find_change(evaluation, clean, halves[:1])
            found, transductive = self._question(evaluation, clean.returned, halves)
            return LeakageReport((*frozen, *leaks, *found), tuple(sorted(transductive)))
        if clean.transductive:  # by utterances: labels must not make a difference either
            kept = np.ones(len(self.test), dtype=bool)
            halves.append(_Half(self._copy(), halves[0].y, kept))
        leaks = self._find_change(evaluation, clean, halves)
        return LeakageReport((*frozen, *leaks), tuple(sorted(clean.transductive)))

    def _halves(self) -> Iterator[_Half]:
        """Yield the utterances twice, with every other test utterance of a speaker exchanged."""
        speakers = self.speakers[self.test]
        turn = np.zeros(len(self.test), dtype=int)
        for speaker in set(speakers):
            rows = np.flatnonzero(speakers == speaker)
            turn[rows] = np.arange(len(rows)) % 2
        for half in range(turn.max() + 1):
            exchanged = turn == half
            X = self._copy(self.test[exchanged], name=str(half))
            yield _Half(X, poison_labels(self.y, self.test, shift=1 + half), ~exchanged)

    def _copy(self, rows: Any = (), *, name: str = "") -> Any:
        return poison_rows(
            self.X,
            np.asarray(rows, dtype=int),
            folder=self.folder / name,
            random_state=check_random_state(self.seed),
        )

    def _run(self, evaluation: Evaluation, X: Any, y: np.ndarray) -> _Result:
        rows = (self.speakers.copy(), self.train.copy(), self.test.copy())
        with _equal_randomness(self.seed):
            returned = evaluation(X, y.copy(), *rows)
        return _take(returned)

    def _run_poisoned(self, evaluation: Evaluation, X: Any, y: np.ndarray) -> _Result:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return self._run(evaluation, X, y)
        except Exception as error:
            error.add_note(
                "raised where test rows are exchanged for others, see check_leakage: an evaluation "
                "has to run whatever is tested"
            )
            raise

    def _find_change(
        self, evaluation: Evaluation, clean: _Result, halves: list[_Half]
    ) -> list[Leak]:
        """Return the first thing that changes with the test rows, or does not when it has to."""
        remembered = set(self._outputs(clean))
        for half in halves:
            other = self._run_poisoned(evaluation, half.X, half.y)
            change = self._compare(clean, other, half.kept)
            if change is not None:
                self._require_repeatable(evaluation, clean)
                return [self._explain(evaluation, clean, change, half)]
            if not half.kept.all():
                pairs = self._pairs(clean, other, half.kept)
                remembered &= {name for name, rows in pairs.items() if rows.are_remembered()}
        return [Leak("cache", None, name) for name in clean.values if name in remembered][:1]

    def _compare(self, one: _Result, other: _Result, kept: np.ndarray) -> Leak | None:
        """Return the first difference, what is fitted before what is said."""
        if list(one.values) != list(other.values):
            raise ValueError(
                f"the evaluation returns {list(one.values)} and, where other rows are tested, "
                f"{list(other.values)}"
            )
        outputs = self._outputs(one)
        for name, value in one.values.items():
            if isinstance(value, dict):
                difference = first_difference(value, other.values[name])
                if difference is not None:
                    path, attributes = difference
                    return Leak("fit", None, join_path(name, path), _list(attributes))
            elif name not in outputs and differ(value, other.values[name]):
                return Leak("fit", None, name, f"array of {len(value)} rows")
        # What a declared step does to outputs cannot be told from what others do.
        if one.transductive and not kept.all():
            return None
        for name, rows in self._pairs(one, other, kept).items():
            if rows.depend_on_others():
                return Leak("output", None, name)
        return None

    def _outputs(self, result: _Result) -> list[str]:
        """Return the arrays that have one entry for every test row."""
        return [
            name
            for name, value in result.values.items()
            if not isinstance(value, dict) and len(value) == len(self.test)
        ]

    def _pairs(self, one: _Result, other: _Result, kept: np.ndarray) -> dict[str, Rows]:
        names = self._outputs(one)
        return {name: Rows(one.values[name], other.values[name], kept) for name in names}

    def _require_repeatable(self, evaluation: Evaluation, clean: _Result) -> None:
        again = self._run_poisoned(evaluation, self._copy(), self.y)
        change = self._compare(clean, again, np.ones(len(self.test), dtype=bool))
        if change is not None:
            raise ValueError(
                f"two equal runs differ in {change.step or 'what is returned'} "
                f"({change.what or 'values'}), so leaks cannot be told from chance: set every "
                "random_state, and seed generators of your own"
            )

    def _explain(self, evaluation: Evaluation, clean: _Result, change: Leak, half: _Half) -> Leak:
        """Return a leak that says whether utterances make the difference, or labels."""
        runs = {"utterances": (half.X, self.y), "labels": (self._copy(), half.y)}
        depends_on = tuple(
            what
            for what, rows in runs.items()
            if self._compare(clean, self._run_poisoned(evaluation, *rows), half.kept)
        )
        return Leak(change.kind, None, change.step, change.what, depends_on)

    def _question(
        self, evaluation: FitPipeline, model: BaseEstimator, halves: list[_Half]
    ) -> tuple[list[Leak], set[str]]:
        """Ask a fitted pipeline, step by step; return leaks and what is transductive."""
        transductive: set[str] = set()
        answers: list[list[Outputs]] = []
        asked = evaluation.take(self._copy(), self.test)
        for half in halves:
            rows = Rows(asked, evaluation.take(half.X, self.test), half.kept)
            with (
                warnings.catch_warnings(),
                config_context(enable_metadata_routing=True),
                _equal_randomness(self.seed),
            ):
                warnings.simplefilter("ignore")
                answers.append(list(trace(model, rows, self.speakers[self.test])))
        leaks = []
        for of_step in zip(*answers, strict=True):
            name = of_step[0].step or type(model).__name__
            if any(outputs.depend_on_others() for outputs in of_step):
                if of_step[0].transductive:
                    transductive |= set(of_step[0].transductive)
                else:
                    leaks.append(Leak("output", None, name, depends_on=("utterances",)))
            elif all(outputs.are_remembered() for outputs in of_step):
                return [*leaks, Leak("cache", None, name)], transductive
        return leaks, transductive


@contextmanager
def collect_leaks() -> Iterator[list[Leak]]:
    """Turn each LeakageWarning into a leak; other warnings come at the end."""
    leaks: list[Leak] = []
    with warnings.catch_warnings(record=True) as caught:
        yield leaks
    for warning in caught:
        if issubclass(warning.category, LeakageWarning):
            leak = Leak("frozen", None, what=str(warning.message))
            leaks += [] if leak in leaks else [leak]
        else:
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )


@contextmanager
def _equal_randomness(seed: int) -> Iterator[None]:
    """Seed the generators that all share, and put them back."""
    states = random.getstate(), np.random.get_state()  # noqa: NPY002
    with torch.random.fork_rng(devices=[]):
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        torch.manual_seed(seed)
        try:
            yield
        finally:
            random.setstate(states[0])
            np.random.set_state(states[1])  # noqa: NPY002


def _take(returned: Any) -> _Result:
    """Keep what a run has returned: the next one may fit the same objects."""
    named = returned
    if not isinstance(returned, Mapping):
        name = type(returned).__name__ if isinstance(returned, BaseEstimator) else ""
        named = {name: returned}
    values: dict[str, Any] = {}
    for name, value in named.items():
        if isinstance(value, BaseEstimator):
            values[str(name)] = learnt(value)
        elif hasattr(value, "__len__") and not isinstance(value, str | Mapping):
            values[str(name)] = deepcopy(value)
        else:
            raise TypeError(
                f"an evaluation returned {value!r}: return estimators that it has fitted, or "
                "arrays, such as what it says of every test row; a score depends on the test rows "
                "by nature"
            )
    return _Result(values, frozenset(transductive_steps(list(named.values()))), returned)


def _list(attributes: list[str]) -> str:
    """Name some attributes, public ones if there are any."""
    names = [name for name in attributes if not name.startswith("_")] or attributes
    more = ", ..." if len(names) > _N_NAMED else ""
    return ", ".join(names[:_N_NAMED]) + more
