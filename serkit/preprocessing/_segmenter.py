"""Utterances cut into segments of one length."""

import warnings
from functools import partial
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_array
from sklearn.utils._param_validation import Interval, StrOptions

from serkit.utils import SignalWarning, as_ragged, check_container, is_path, name_rows, stack

__all__ = ["FixedLengthSegmenter"]


class FixedLengthSegmenter(BaseEstimator):
    """Cut utterances into segments of one length.

    The last axis is cut, whatever it is: samples of audio, frames of frames.
    There are more segments than utterances, so this is no step of a pipeline;
    :class:`~serkit.neural_network.SegmentAggregationClassifier` cuts by it.

    Parameters
    ----------
    segment_length : int
        Length of every segment, in samples or frames.
    hop : int or None, default=None
        From the start of a segment to the start of the next; less than the
        length makes them overlap. ``None`` is the length itself.
    strategy : {"sliding", "first_last"}, default="sliding"
        Segments at every hop, or only the first and the last of an utterance
        (one if it is no longer than a segment).
    tail : {"align_end", "drop", "pad"}, default="align_end"
        What becomes of the rest behind the last full segment: it is in another
        segment that ends with the utterance, or is left out, or is in the
        segment of the next hop, padded by zeros.
    short : {"pad", "repeat", "drop"}, default="pad"
        What becomes of an utterance shorter than a segment: zeros are added at
        its end, or it is repeated from its beginning, or it has no segment, of
        which a warning tells.

    See Also
    --------
    PadOrTruncate : One length for every utterance, without cutting it in parts.
    serkit.neural_network.SegmentAggregationClassifier : Classifies utterances
        by their segments.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.preprocessing import FixedLengthSegmenter
    >>> segmenter = FixedLengthSegmenter(4, hop=2)
    >>> segments, parents = segmenter.split([np.arange(7), np.arange(3)])
    >>> [segment.tolist() for segment in segments]
    [[0, 1, 2, 3], [2, 3, 4, 5], [3, 4, 5, 6], [0, 1, 2, 0]]
    >>> parents
    array([0, 0, 0, 1])
    """

    _parameter_constraints: ClassVar[dict] = {
        "segment_length": [Interval(Integral, 1, None, closed="left")],
        "hop": [Interval(Integral, 1, None, closed="left"), None],
        "strategy": [StrOptions({"sliding", "first_last"})],
        "tail": [StrOptions({"align_end", "drop", "pad"})],
        "short": [StrOptions({"pad", "repeat", "drop"})],
    }

    def __init__(
        self, segment_length, *, hop=None, strategy="sliding", tail="align_end", short="pad"
    ):
        self.segment_length = segment_length
        self.hop = hop
        self.strategy = strategy
        self.tail = tail
        self.short = short

    def split(self, X: Any) -> tuple[np.ndarray, np.ndarray]:
        """Cut every utterance.

        Parameters
        ----------
        X : audio or frames
            The utterances. Of numeric arrays, the rows.

        Returns
        -------
        segments : ndarray
            Ragged (1-D, dtype object) if X is ragged, numeric if X is numeric.
            Segments of a ragged X are views of its arrays unless something was
            added to them.
        parent_index : ndarray of shape (n_segments,)
            The row of X that each segment is from; it never decreases.

        Raises
        ------
        ValueError
            If an utterance is empty or has NaN or infinity, or if all of them
            are dropped.
        TypeError
            If X is no container of utterances, or an utterance is a path.

        Warns
        -----
        SignalWarning
            Of utterances that are dropped.
        """
        self._validate_params()
        ragged = check_container(X)
        if not ragged:
            X = check_array(X, allow_nd=True, ensure_all_finite=False)
        segments: list[np.ndarray] = []
        counts = []
        for row, item in enumerate(X):
            parts = self._cut(_check_utterance(row, item))
            segments += parts
            counts.append(len(parts))
        self._report([row for row, count in enumerate(counts) if not count], len(counts))
        restore = as_ragged if ragged else partial(stack, length=len(segments))
        return restore(segments), np.repeat(np.arange(len(counts)), counts)

    def _cut(self, utterance: np.ndarray) -> list[np.ndarray]:
        length = utterance.shape[-1]
        if length < self.segment_length:
            if self.short == "drop":
                return []
            if self.short == "repeat":
                return [utterance[..., np.arange(self.segment_length) % length]]
        return [
            _pad(utterance[..., start : start + self.segment_length], self.segment_length)
            for start in self._starts(length)
        ]

    def _starts(self, length: int) -> list[int]:
        """Return where the segments of an utterance begin."""
        last = max(0, length - self.segment_length)
        if self.strategy == "first_last":
            return sorted({0, last})
        hop = self.segment_length if self.hop is None else self.hop
        starts = list(range(0, last + 1, hop))
        following = starts[-1] + hop
        has_tail = max(following, starts[-1] + self.segment_length) < length
        if has_tail and self.tail != "drop":
            starts.append(last if self.tail == "align_end" else following)
        return starts

    def _report(self, dropped: list[int], n_utterances: int) -> None:
        if not dropped:
            return
        shorter = f"{name_rows(dropped)}: shorter than a segment of {self.segment_length}"
        if len(dropped) == n_utterances:
            raise ValueError(
                f"{shorter}, so nothing is left; set short='pad' or short='repeat', or a lesser "
                "segment_length"
            )
        warnings.warn(
            SignalWarning(f"{shorter}, dropped ({len(dropped)} of {n_utterances})"), stacklevel=3
        )


def _check_utterance(row: int, item: Any) -> np.ndarray:
    if is_path(item):
        raise TypeError(
            f"utterance {row} is a path ({item}), but segments are cut from waveforms or frames: "
            "put an AudioLoader before"
        )
    utterance = np.asarray(item)
    if utterance.ndim == 0 or utterance.dtype.kind not in "biuf":
        raise TypeError(
            f"utterance {row} is of type {type(item).__name__} ({utterance.dtype}), not an array "
            "of real numbers"
        )
    if utterance.size == 0:
        raise ValueError(f"utterance {row} is empty (shape {utterance.shape}); remove it")
    if not np.isfinite(utterance).all():
        raise ValueError(f"utterance {row} contains NaN or infinity; remove or repair it first")
    return utterance


def _pad(segment: np.ndarray, length: int) -> np.ndarray:
    missing = length - segment.shape[-1]
    if not missing:
        return segment
    return np.pad(segment, [(0, 0)] * (segment.ndim - 1) + [(0, missing)])
