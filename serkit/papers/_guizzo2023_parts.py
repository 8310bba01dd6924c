"""What the systems of Guizzo (2023) have in common: how they begin, and how they are named."""

from collections.abc import Callable
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline, make_pipeline

from serkit.neural_network import SegmentAggregationClassifier
from serkit.papers._setting import Folds
from serkit.preprocessing import AudioLoader, FixedLengthSegmenter, PadOrTruncate

__all__ = ["RATE", "SPEECH", "Makers", "beginning", "in_segments", "named"]

Makers = dict[str, Callable[[], BaseEstimator]]
#: Sampling rate in Hz.
RATE = 16_000
#: The same, and seconds of every utterance, short of the paper.
SPEECH = {"smoke": (RATE, 1), "bench": (8_000, 3)}


def beginning(folds: Folds) -> tuple[BaseEstimator, BaseEstimator]:
    """Return the steps from files to speech of one duration."""
    rate, seconds = SPEECH[folds.scale]
    return AudioLoader(rate), PadOrTruncate(rate * seconds)


def in_segments(loader: BaseEstimator, *steps: Any, overlap: bool = False) -> Pipeline:
    """Return a pipeline that classifies segments of 4 s."""
    segmenter = FixedLengthSegmenter(4 * RATE, hop=2 * RATE if overlap else None)
    classifier = make_pipeline(*steps)
    return make_pipeline(
        loader, SegmentAggregationClassifier(classifier, segmenter, aggregate="mean")
    )


def named(name: str, *notes: str) -> str:
    """Return a name as in the thesis, and in brackets what is other than there."""
    text = ", ".join(filter(None, notes))
    return f"{name} [{text}]" if text else name
