"""Random splits by speakers."""

from collections import Counter
from collections.abc import Iterator
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.model_selection import BaseShuffleSplit
from sklearn.utils import check_random_state

from serkit.model_selection._speakers import check_groups, check_strata, unique_speakers

__all__ = ["SpeakerHoldout"]


class SpeakerHoldout(BaseShuffleSplit):
    """Hold out a share of the speakers, chosen at random.

    Parameters
    ----------
    test_size : float or int, default=0.2
        Share of the *speakers*, in (0, 1), rounded to the nearest number that is
        at least one and leaves at least one to train on; or their number.
    n_splits : int, default=1
        Number of independent splits.
    balance_by : dict or None, default=None
        Stratum (a gender, say) of every speaker; each stratum is then held
        out in proportion to its speakers.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same splits at every call.

    See Also
    --------
    LeaveSpeakersOut : Tests every speaker once.
    sklearn.model_selection.GroupShuffleSplit : Without strata.

    Examples
    --------
    >>> from serkit.model_selection import SpeakerHoldout
    >>> speakers = ["f1", "f1", "f2", "f3", "m1", "m2", "m3", "m3"]
    >>> cv = SpeakerHoldout(
    ...     test_size=2, balance_by={name: name[0] for name in speakers}, random_state=0
    ... )
    >>> for train, test in cv.split(speakers, groups=speakers):
    ...     print([speakers[row] for row in test])
    ['f3', 'm3', 'm3']
    """

    __metadata_request__split: ClassVar = {"groups": True}

    def __init__(self, test_size=0.2, *, n_splits=1, balance_by=None, random_state=None):
        is_number = isinstance(test_size, Integral) and int(test_size) >= 1
        is_share = isinstance(test_size, Real) and 0 < float(test_size) < 1
        if not (is_number or is_share):
            raise ValueError(
                "test_size must be a share of the speakers in (0, 1) or their number, "
                f"got {test_size!r}"
            )
        if not isinstance(n_splits, Integral) or n_splits < 1:
            raise ValueError(f"n_splits must be a positive integer, got {n_splits!r}")
        self.test_size = test_size
        self.n_splits = n_splits
        self.balance_by = balance_by
        self.random_state = random_state

    def split(
        self, X: Any, y: Any = None, groups: Any = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Generate the rows to train on and the rows of the speakers held out.

        Parameters
        ----------
        X : array-like of shape (n_utterances, ...)
            The utterances; only their number matters.
        y : array-like of shape (n_utterances,), default=None
            Ignored.
        groups : array-like of shape (n_utterances,)
            Speaker of every utterance.

        Yields
        ------
        train : ndarray of int
            Rows of the other speakers.
        test : ndarray of int
            Rows of the speakers held out.

        Raises
        ------
        ValueError
            If `groups` is missing, has utterances without a speaker, or too few
            speakers.
        """
        yield from super().split(X, y, groups)

    def _iter_indices(
        self, X: Any, y: Any = None, groups: Any = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        speakers = check_groups(groups, X)
        unique = unique_speakers(speakers)
        n_test = self._n_test(len(unique))
        rng = check_random_state(self.random_state)
        for _ in range(self.n_splits):
            order = [unique[k] for k in rng.permutation(len(unique))]
            if self.balance_by is not None:
                order = _spread(order, self.balance_by)
            test = np.isin(speakers, order[:n_test])
            yield np.flatnonzero(~test), np.flatnonzero(test)

    def _n_test(self, n_speakers: int) -> int:
        if isinstance(self.test_size, Integral):
            n_test = int(self.test_size)
            if n_test >= n_speakers:
                raise ValueError(
                    f"holding out {n_test} of {n_speakers} speakers leaves none to train on"
                )
            return n_test
        return min(max(1, int(self.test_size * n_speakers + 0.5)), n_speakers - 1)


def _spread(order: list[Any], balance_by: dict) -> list[Any]:
    """Reorder speakers so that every beginning of the list holds each stratum in proportion."""
    check_strata(balance_by, order)
    sizes = Counter(balance_by[speaker] for speaker in order)
    seen: Counter = Counter()
    place = {}
    for speaker in order:
        stratum = balance_by[speaker]
        place[speaker] = (seen[stratum] + 0.5) / sizes[stratum]
        seen[stratum] += 1
    return sorted(order, key=place.__getitem__)
