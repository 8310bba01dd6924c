"""How many rows of every class a generator is asked for."""

from collections.abc import Mapping
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

__all__ = ["class_counts", "equal_shares"]


def class_counts(
    classes: np.ndarray,
    n_samples: int,
    y: Any,
    class_balance: str,
    random_state: Any,
) -> np.ndarray:
    """Return how many rows of every class to draw.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        The classes that the generator knows.
    n_samples : int
        Number of rows in all; has no effect if `y` is a dict.
    y : None, label or dict
        None spreads the rows over all classes; a label asks for that class
        only; a dict has the number of rows of every class that is wanted.
    class_balance : {"stratified", "multinomial"}
        How rows are spread over all classes: in equal shares, the first classes
        getting one more if that does not come out even, or by a uniform draw
        for every row.
    random_state : int, RandomState instance or None
        Makes the uniform draw.

    Returns
    -------
    counts : ndarray of shape (n_classes,)
        Number of rows of each of `classes`.
    """
    if class_balance not in ("stratified", "multinomial"):
        raise ValueError(
            f'class_balance must be "stratified" or "multinomial", got {class_balance!r}'
        )
    if isinstance(y, Mapping):
        return _counts_of(y, classes)
    n_samples = _check_count(n_samples, "n_samples")
    if y is not None:
        return _counts_of({_check_label(y): n_samples}, classes)
    if class_balance == "stratified":
        return equal_shares(n_samples, len(classes))
    shares = np.full(len(classes), 1 / len(classes))
    return check_random_state(random_state).multinomial(n_samples, shares)


def equal_shares(n_rows: int, n_classes: int) -> np.ndarray:
    """Return shares that differ by one at most, the larger ones first."""
    return n_rows // n_classes + (np.arange(n_classes) < n_rows % n_classes)


def _counts_of(wanted: Mapping, classes: np.ndarray) -> np.ndarray:
    known = classes.tolist()
    unknown = [label for label in wanted if label not in known]
    if unknown:
        raise ValueError(f"the generator does not know the classes {unknown}, only {known}")
    counts = np.zeros(len(classes), dtype=int)
    for label, count in wanted.items():
        counts[known.index(label)] = _check_count(count, f"the number of rows of {label!r}")
    return counts


def _check_label(y: Any) -> Any:
    if np.ndim(y) > 0:
        raise TypeError(
            "y must be None, one class, or a dict of the number of rows of each class, got "
            f"{type(y).__name__}"
        )
    return y


def _check_count(count: Any, name: str) -> int:
    if not isinstance(count, Integral) or isinstance(count, bool):
        raise TypeError(f"{name} must be an int, got {count!r}")
    if count < 0:
        raise ValueError(f"{name} must not be negative, got {count}")
    return int(count)
