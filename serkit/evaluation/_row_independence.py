"""Whether what is said of an utterance depends on the others it is asked with."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from serkit.evaluation._fold import class_scores, predict, transductive_steps
from serkit.evaluation._learnt import join_path
from serkit.utils import as_ragged, is_ragged, requested_speakers

__all__ = ["Outputs", "Rows", "differ", "take_rows", "trace"]

_TOLERANCE = 1e-4  # of the largest value: sums differ with the size of a batch
_FEW = 3  # rows that may be alike by chance


@dataclass(frozen=True)
class Rows:
    """Test utterances twice: as they are, and with all but some exchanged.

    Parameters
    ----------
    clean : audio, frames or functionals
        The utterances.
    poisoned : audio, frames or functionals
        The same, but for the exchanged ones.
    kept : ndarray of bool
        Which are the same.
    """

    clean: Any
    poisoned: Any
    kept: np.ndarray

    def depend_on_others(self) -> bool:
        """Say whether a kept row is not what it was."""
        return differ(take_rows(self.clean, self.kept), take_rows(self.poisoned, self.kept))

    def are_remembered(self) -> bool:
        """Say whether all exchanged rows, which are not all alike, are what they were."""
        if (~self.kept).sum() < _FEW:
            return False
        before = take_rows(self.clean, ~self.kept)
        values = list(before) if is_ragged(before) else np.asarray(before)
        if not any(differ(values[0], value) for value in values[1:]):
            return False
        return not differ(before, take_rows(self.poisoned, ~self.kept), tolerance=0)

    def mended(self) -> "Rows":
        """Return the same with kept rows that are exactly the same, for the next step."""
        return Rows(self.clean, _replace(self.poisoned, self.kept, self.clean), self.kept)


@dataclass(frozen=True)
class Outputs:
    """What one part makes of test utterances; for a classifier with scores its classes too."""

    step: str
    rows: Rows
    transductive: tuple[str, ...]
    predicted: Rows | None = None

    def depend_on_others(self) -> bool:
        """Say whether scores or classes of a kept row are not what they were."""
        return self.rows.depend_on_others() or (
            self.predicted is not None and self.predicted.depend_on_others()
        )

    def are_remembered(self) -> bool:
        """Say whether scores, or classes against the scores, of exchanged rows are as before.

        Few classes may be the same by chance, unless the best scores moved to others.
        """
        if self.predicted is None or self.rows.are_remembered():
            return self.rows.are_remembered()
        moved = self.rows.clean.argmax(axis=1) != self.rows.poisoned.argmax(axis=1)
        return (moved & ~self.rows.kept).sum() >= _FEW and self.predicted.are_remembered()


def trace(
    model: Any, rows: Rows, speakers: np.ndarray, *, path: str = "", method: str = "predict"
) -> Iterator[Outputs]:
    """Yield what every step of a fitted model makes of the rows, each by itself.

    A step is given what the steps before it make of rows that are the same, so
    that none has to answer for another.
    """
    if isinstance(model, FrozenEstimator):
        yield from trace(model.estimator, rows, speakers, path=path, method=method)
    elif hasattr(model, "best_estimator_") and method == "predict":
        yield from trace(model.best_estimator_, rows, speakers, path=path)
    elif isinstance(model, Pipeline):
        steps = [(name, step) for name, step in model.steps if _acts(step)]
        for number, (name, step) in enumerate(steps, start=1):
            asked = method if number == len(steps) else "transform"
            last = None
            for last in trace(step, rows, speakers, path=join_path(path, name), method=asked):
                yield last
            rows = rows if last is None else last.rows.mended()
    else:
        clean = _ask(model, method, rows.clean, speakers)
        poisoned = _ask(model, method, rows.poisoned, speakers)
        made, *predicted = (
            Rows(one, other, rows.kept) for one, other in zip(clean, poisoned, strict=True)
        )
        declared = tuple(sorted(set(transductive_steps(model))))
        yield Outputs(path, made, declared, *predicted)


def _acts(step: Any) -> bool:
    return step not in (None, "passthrough") and not hasattr(step, "fit_resample")


def _ask(model: BaseEstimator, method: str, X: Any, speakers: np.ndarray) -> tuple[Any, ...]:
    """Return what is transformed; or what is predicted, behind the scores if there are any."""
    if method == "transform":
        return (model.transform(X, **requested_speakers(model, "transform", speakers)),)
    _, scores = class_scores(model, X, speakers)
    y_pred = np.asarray(predict(model, X, speakers))
    # As text: classes that are numbers are the same or not, there is no tolerance.
    return (y_pred,) if scores is None else (np.asarray(scores), y_pred.astype(str))


def take_rows(X: Any, rows: np.ndarray) -> Any:
    """Return some rows, whatever holds them."""
    if hasattr(X, "iloc"):
        return X.iloc[np.flatnonzero(rows)]
    return (as_ragged(X) if isinstance(X, list | tuple) else X)[np.flatnonzero(rows)]


def differ(one: Any, other: Any, *, tolerance: float = _TOLERANCE) -> bool:
    """Say whether values differ by more than the arithmetic of other batches."""
    if issparse(one) and issparse(other):
        one, other = one.toarray(), other.toarray()
    if is_ragged(one) and is_ragged(other):
        return len(one) != len(other) or any(
            differ(a, b, tolerance=tolerance) for a, b in zip(one, other, strict=True)
        )
    one, other = np.asarray(one), np.asarray(other)
    if one.shape != other.shape:
        return True
    if one.dtype.kind not in "fiubc" or other.dtype.kind not in "fiubc":
        return one.tolist() != other.tolist()
    finite = np.abs(one[np.isfinite(one)])
    scale = float(finite.max()) if finite.size else 1.0
    return not np.allclose(one, other, rtol=0, atol=tolerance * scale, equal_nan=True)


def _replace(X: Any, rows: np.ndarray, source: Any) -> Any:
    """Return a copy that has some rows of another."""
    rows = np.flatnonzero(rows)
    if issparse(X):
        X, source = X.tolil(), source.tolil()
        X[rows] = source[rows]
        return X.tocsr()
    if hasattr(X, "iloc"):
        X = X.copy()
        X.iloc[rows] = source.iloc[rows]
        return X
    X, source = (as_ragged(Z) if is_ragged(Z) else np.array(Z) for Z in (X, source))
    X[rows] = source[rows]
    return X
