"""Cross-validation that leaves speakers out, with the validation speakers that go with it."""

from collections.abc import Iterator
from itertools import pairwise
from math import ceil
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from sklearn.model_selection import BaseCrossValidator

from serkit.model_selection._speakers import (
    check_groups,
    check_strata,
    list_names,
    unique_speakers,
)

__all__ = ["LeaveSpeakersOut"]

Speakers = tuple[Any, ...]


class LeaveSpeakersOut(BaseCrossValidator):
    """Leave out some speakers per fold, so that every speaker is tested exactly once.

    The speakers are divided into tuples; fold *k* tests tuple *k* and trains on
    all others. Where a validation set is wanted (:meth:`split_with_validation`,
    :meth:`inner`), it is the tuple before the tested one, cyclically: each tuple
    is the test set once and the validation set once.

    Parameters
    ----------
    n_speakers : int, default=1
        Number of speakers left out together. The sorted speakers are divided
        into as few tuples as hold at most that many, of sizes as equal as
        possible. Ignored if `groups` is given.
    groups : sequence of tuples or None, default=None
        The speakers left out together, in the order of the folds. Every
        speaker of the data must be in exactly one tuple.
    balance_by : dict or None, default=None
        Stratum (a gender, say) of every speaker. Each tuple then holds as
        nearly the same number of speakers of every stratum as there can be.

    See Also
    --------
    load_protocol : The tuples of published protocols.
    SpeakerHoldout : Random splits by speakers.
    sklearn.model_selection.LeavePGroupsOut : All combinations of speakers
        instead of a partition.

    Examples
    --------
    >>> from serkit.model_selection import LeaveSpeakersOut
    >>> speakers = ["03", "03", "08", "09", "10", "10"]
    >>> cv = LeaveSpeakersOut(2)
    >>> for train, test in cv.split(speakers, groups=speakers):
    ...     print(train, test)
    [3 4 5] [0 1 2]
    [0 1 2] [3 4 5]
    >>> cv = LeaveSpeakersOut(groups=[("03",), ("08", "09"), ("10",)])
    >>> for train, validation, test in cv.split_with_validation(speakers, groups=speakers):
    ...     print(train, validation, test)
    [2 3] [4 5] [0 1]
    [4 5] [0 1] [2 3]
    [0 1] [2 3] [4 5]
    """

    __metadata_request__split: ClassVar = {"groups": True}

    def __init__(self, n_speakers=1, *, groups=None, balance_by=None):
        if not isinstance(n_speakers, Integral) or n_speakers < 1:
            raise ValueError(f"n_speakers must be a positive integer, got {n_speakers!r}")
        if groups is not None:
            if balance_by is not None:
                raise ValueError("groups already says who is left out: omit balance_by")
            _check_partition(groups)
        self.n_speakers = n_speakers
        self.groups = groups
        self.balance_by = balance_by

    def split(
        self, X: Any, y: Any = None, groups: Any = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Generate the rows to train on, those for validation among them, and to test on.

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
            Rows of the training part.
        test : ndarray of int
            Rows of the speakers left out.

        Raises
        ------
        ValueError
            If `groups` is missing, has utterances without a speaker or fewer
            than two speakers, or does not fit the tuples given at construction.
        """
        yield from super().split(X, y, groups)

    def split_with_validation(
        self, X: Any, y: Any = None, groups: Any = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Generate the rows to train on, to validate on, and to test on.

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
            Rows of the speakers in neither of the other two parts.
        validation : ndarray of int
            Rows of the tuple before the one tested.
        test : ndarray of int
            Rows of the tuple tested.

        Raises
        ------
        ValueError
            As :meth:`split`, and if there are fewer than three tuples.
        """
        speakers = check_groups(groups, X)
        tuples = self._tuples(speakers)
        if len(tuples) < 3:
            raise ValueError(
                f"training, validation and test need three tuples of speakers, there are "
                f"{len(tuples)}: leave out fewer speakers at a time"
            )
        masks = [_rows_of(left_out, speakers) for left_out in tuples]
        for fold, test in enumerate(masks):
            validation = masks[fold - 1]
            train = ~(test | validation)
            yield np.flatnonzero(train), np.flatnonzero(validation), np.flatnonzero(test)

    def inner(self, groups: Any = None) -> "BaseCrossValidator":
        """Return the splitter of the validation speakers within a training part.

        Given the rows that :meth:`split` calls training rows, it yields one
        split, whose test part is the validation set of
        :meth:`split_with_validation`. It finds it from the speakers alone, so
        it works wherever only the training rows arrive: as `cv` of a grid search
        inside :func:`~sklearn.model_selection.cross_validate`.

        Parameters
        ----------
        groups : array-like of shape (n_utterances,), default=None
            Speaker of every utterance of the *whole* corpus, or every speaker
            once. Needed only if the tuples were not given at construction.

        Returns
        -------
        splitter : cross-validator
            Its `split` takes `groups`, as this one does.

        Examples
        --------
        >>> from serkit.model_selection import LeaveSpeakersOut
        >>> cv = LeaveSpeakersOut(groups=[("03", "08"), ("09",), ("10",)])
        >>> train_speakers = ["03", "03", "08", "10"]
        >>> for train, validation in cv.inner().split(train_speakers, groups=train_speakers):
        ...     print(train, validation)
        [3] [0 1 2]
        """
        if groups is None and self.groups is None:
            raise ValueError(
                "which speakers are left out together follows from all speakers: pass "
                "inner(groups=speakers)"
            )
        if groups is None:
            return _PreviousSpeakersOut(self.groups)
        return _PreviousSpeakersOut(self._tuples(check_groups(groups)))

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds.

        Parameters
        ----------
        X : array-like of shape (n_utterances, ...), default=None
            Ignored.
        y : array-like of shape (n_utterances,), default=None
            Ignored.
        groups : array-like of shape (n_utterances,), default=None
            Speaker of every utterance; may be omitted if the tuples were given
            at construction.

        Returns
        -------
        n_splits : int
            Number of tuples of speakers.
        """
        if groups is None and self.groups is not None:
            return len(self.groups)
        return len(self._tuples(check_groups(groups)))

    def __repr__(self) -> str:
        if self.groups is not None:
            return f"{type(self).__name__}(groups={self.groups!r})"
        balance = "" if self.balance_by is None else f", balance_by={self.balance_by!r}"
        return f"{type(self).__name__}({self.n_speakers}{balance})"

    def _iter_test_masks(self, X: Any, y: Any, groups: Any) -> Iterator[np.ndarray]:
        speakers = check_groups(groups, X)
        for left_out in self._tuples(speakers):
            yield _rows_of(left_out, speakers)

    def _tuples(self, speakers: np.ndarray) -> list[Speakers]:
        unique = unique_speakers(speakers)
        if self.groups is not None:
            return _match(self.groups, unique)
        n_tuples = ceil(len(unique) / self.n_speakers)
        if n_tuples < 2:
            raise ValueError(
                f"leaving out {self.n_speakers} of {len(unique)} speakers leaves none to train on"
            )
        if self.balance_by is None:
            starts = [len(unique) * k // n_tuples for k in range(n_tuples + 1)]
            return [tuple(unique[a:b]) for a, b in pairwise(starts)]
        check_strata(self.balance_by, unique)
        # Dealt out like cards, sorted by stratum: every tuple gets its share of each.
        strata = list(dict.fromkeys(self.balance_by[speaker] for speaker in unique))
        unique.sort(key=lambda speaker: strata.index(self.balance_by[speaker]))
        return [tuple(unique[k::n_tuples]) for k in range(n_tuples)]


class _PreviousSpeakersOut(BaseCrossValidator):
    """Hold out the tuple of speakers before the one that is missing."""

    __metadata_request__split: ClassVar = {"groups": True}

    def __init__(self, groups):
        self.groups = groups

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        return 1

    def _iter_test_masks(self, X: Any, y: Any, groups: Any) -> Iterator[np.ndarray]:
        speakers = check_groups(groups, X)
        present = [bool(set(speakers) & set(left_out)) for left_out in self.groups]
        unknown = sorted(set(speakers).difference(*self.groups))
        if unknown:
            raise ValueError(f"the speakers {list_names(unknown)} are in none of the tuples")
        if all(present):
            raise ValueError(
                "no tuple of speakers is missing: inner() splits the training part of a fold, "
                "for all speakers use the LeaveSpeakersOut itself"
            )
        # Nested once more, two tuples in a row are missing, and the one before both is held out.
        before_missing = [k - 1 for k, here in enumerate(present) if present[k - 1] and not here]
        if sum(present) < 2 or len(before_missing) != 1:
            raise ValueError(
                f"of the {len(present)} tuples of speakers these have utterances: "
                f"{list_names(np.flatnonzero(present))}; expected are two or more, "
                "with one gap"
            )
        yield _rows_of(self.groups[before_missing[0]], speakers)


def _check_partition(groups: Any) -> None:
    tuples = [left_out for left_out in groups if not isinstance(left_out, str)]
    if len(tuples) < 2 or len(tuples) < len(groups) or not all(len(each) for each in tuples):
        raise ValueError(f"groups must be two or more non-empty tuples of speakers, got {groups!r}")
    listed = [speaker for left_out in tuples for speaker in left_out]
    repeated = [speaker for speaker in dict.fromkeys(listed) if listed.count(speaker) > 1]
    if repeated:
        raise ValueError(f"groups lists these speakers more than once: {list_names(repeated)}")


def _match(groups: Any, unique: list[Any]) -> list[Speakers]:
    """Return the tuples if they hold exactly the speakers of the data."""
    listed = {speaker for left_out in groups for speaker in left_out}
    absent = [speaker for left_out in groups for speaker in left_out if speaker not in unique]
    if absent:
        raise ValueError(
            f"groups names speakers without utterances: {list_names(absent)}; the data has "
            f"{list_names(unique)}. For the training part of a fold use inner()"
        )
    uncovered = [speaker for speaker in unique if speaker not in listed]
    if uncovered:
        raise ValueError(
            f"groups leaves these speakers in no tuple: {list_names(uncovered)}; add them or "
            "drop their utterances"
        )
    return [tuple(left_out) for left_out in groups]


def _rows_of(left_out: Speakers, speakers: np.ndarray) -> np.ndarray:
    members = set(left_out)
    return np.fromiter((speaker in members for speaker in speakers), bool, len(speakers))
