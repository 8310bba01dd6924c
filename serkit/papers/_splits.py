"""Folds that a paper lists: whom to test, and whom to validate on."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
from sklearn.model_selection import BaseCrossValidator

__all__ = ["ListedFolds"]

Speakers = tuple[str, ...]


class ListedFolds(BaseCrossValidator):
    """Folds of which each says whom to validate on and whom to test.

    Parameters
    ----------
    folds : sequence of (tuple of str, tuple of str)
        Speakers to validate on, who count as training speakers, and to test.
    """

    __metadata_request__split: ClassVar = {"groups": True}

    def __init__(self, folds: Sequence[tuple[Speakers, Speakers]]):
        self.folds = folds

    def inner(self) -> BaseCrossValidator:
        """Return what finds the validation speakers among the training speakers of a fold."""
        return _ListedValidation(self.folds)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds."""
        return len(self.folds)

    def _iter_test_masks(self, X: Any, y: Any, groups: Any) -> Iterator[np.ndarray]:
        for _, test in self.folds:
            yield np.isin(groups, test)


class _ListedValidation(BaseCrossValidator):
    """Hold out the validation speakers of the fold whose test speakers are missing."""

    __metadata_request__split: ClassVar = {"groups": True}

    def __init__(self, folds: Sequence[tuple[Speakers, Speakers]]):
        self.folds = folds

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        return 1

    def _iter_test_masks(self, X: Any, y: Any, groups: Any) -> Iterator[np.ndarray]:
        present = set(groups)
        found = [
            validation
            for validation, test in self.folds
            if present.isdisjoint(test) and present.issuperset(validation)
        ]
        if len(found) != 1:
            raise ValueError(
                f"the speakers {', '.join(sorted(present))} are the training speakers of "
                f"{len(found)} of the {len(self.folds)} folds, not of one"
            )
        yield np.isin(groups, found[0])
