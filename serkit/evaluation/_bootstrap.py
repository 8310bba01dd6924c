"""Confidence intervals of pooled scores: speakers are drawn, with all their utterances."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import bootstrap

from serkit.utils import check_speakers

__all__ = ["ScoreInterval", "SpeakerCounts", "bootstrap_counts", "count_hits", "speaker_bootstrap"]

_METHODS = ("BCa", "percentile")


class ScoreInterval(NamedTuple):
    """Outcome of :func:`speaker_bootstrap`.

    Parameters
    ----------
    score : float
        The pooled score, or the difference of two.
    low, high : float
        Ends of the interval; NaN with a single speaker.
    n_speakers : int
        Number of speakers.
    """

    score: float
    low: float
    high: float
    n_speakers: int


class SpeakerCounts(NamedTuple):
    """Utterances and those recognised, both of shape (n_runs, n_speakers, n_classes)."""

    hits: np.ndarray
    totals: np.ndarray


def speaker_bootstrap(
    y_true: Any,
    y_pred: Any,
    speakers: Any,
    *,
    other: Any = None,
    metric: str = "UAR",
    confidence_level: float = 0.95,
    method: str = "BCa",
    n_resamples: int = 9_999,
    random_state: int = 0,
) -> ScoreInterval:
    """Return a confidence interval of UAR or WA, or of the difference of two systems.

    Utterances of one speaker are alike: their number says little about how sure
    a score is. Speakers are drawn with replacement, each with all utterances,
    and the pooled score is computed of every draw [1]_. What is left out is the
    chance in training: predictions stay as they are.

    Parameters
    ----------
    y_true : array-like of shape (n_utterances,)
        True emotions.
    y_pred : array-like of shape (n_utterances,)
        Predicted emotions.
    speakers : array-like of shape (n_utterances,)
        Who speaks.
    other : array-like of shape (n_utterances,) or None, default=None
        Predictions of a second system, for the interval of the difference, first
        minus second; both get the same draws.
    metric : {"UAR", "WA"}, default="UAR"
        The score.
    confidence_level : float, default=0.95
        How often such intervals hold the true score.
    method : {"BCa", "percentile"}, default="BCa"
        "percentile" takes quantiles of the drawn scores, "BCa" corrects them for
        bias and skewness [1]_; where that is undefined, as with scores at 0 or
        1, it takes the quantiles as they are.
    n_resamples : int, default=9_999
        Number of draws.
    random_state : int, default=0
        Seed of the draws.

    Returns
    -------
    interval : ScoreInterval
        ``score`` as it is, ``low``, ``high`` and ``n_speakers``.

    Raises
    ------
    ValueError
        If lengths differ, a speaker is missing, or an argument is unknown.

    See Also
    --------
    paired_test : Tests the difference.

    Notes
    -----
    With few speakers intervals are too narrow: few persons cannot show how much
    persons differ.

    References
    ----------
    .. [1] B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap",
       Chapman & Hall, 1993, chapters 13 and 14.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.evaluation import speaker_bootstrap
    >>> y_true = np.tile(["anger", "calm"], 40)
    >>> speakers = np.repeat(list("abcdefgh"), 10)
    >>> y_pred = np.where(np.arange(80) % 7 == 0, "calm", y_true)
    >>> interval = speaker_bootstrap(y_true, y_pred, speakers)
    >>> round(interval.score, 3), round(interval.low, 3), round(interval.high, 3)
    (0.925, 0.9, 0.963)
    """
    y_true, y_pred = np.asarray(y_true, dtype=object), np.asarray(y_pred, dtype=object)
    names = check_speakers(speakers, y_true)
    if not len(y_true) or None in set(names):
        raise ValueError("there must be utterances, each with a speaker")
    systems = [y_pred] if other is None else [y_pred, np.asarray(other, dtype=object)]
    for predicted in systems:
        if predicted.shape != y_true.shape:
            raise ValueError(
                f"one prediction per utterance is needed; got shapes {predicted.shape} and "
                f"{y_true.shape}"
            )
    counts = [count_hits([(y_true, predicted, names)]) for predicted in systems]
    return bootstrap_counts(
        *counts,
        metric=metric,
        confidence_level=confidence_level,
        method=method,
        n_resamples=n_resamples,
        random_state=random_state,
    )


def count_hits(
    runs: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]],
) -> SpeakerCounts:
    """Count, in every run (true, predicted, speakers), the utterances by speaker and class."""
    classes = sorted({label for y_true, _, _ in runs for label in y_true})
    names = sorted({name for _, _, speakers in runs for name in speakers})
    size = len(names), len(classes)
    column = {label: number for number, label in enumerate(classes)}
    row = {name: number for number, name in enumerate(names)}
    hits, totals = np.zeros((2, len(runs), *size))
    for run, (y_true, y_pred, speakers) in enumerate(runs):
        cells = [row[name] for name in speakers], [column[label] for label in y_true]
        np.add.at(totals[run], cells, 1)
        np.add.at(hits[run], cells, y_true == y_pred)
    return SpeakerCounts(hits, totals)


def bootstrap_counts(
    first: SpeakerCounts,
    second: SpeakerCounts | None = None,
    *,
    metric: str = "UAR",
    confidence_level: float = 0.95,
    method: str = "BCa",
    n_resamples: int = 9_999,
    random_state: int = 0,
) -> ScoreInterval:
    """Return the interval of a score, averaged over runs, or of the difference of two."""
    if metric not in _SCORES:
        raise ValueError(f"metric must be one of {list(_SCORES)}, got {metric!r}")
    if method not in _METHODS:
        raise ValueError(f"method must be one of {list(_METHODS)}, got {method!r}")
    if not 0 < confidence_level < 1:
        raise ValueError(f"confidence_level must be between 0 and 1, got {confidence_level!r}")
    n_speakers = first.hits.shape[1]
    systems = [first] if second is None else [first, second]

    def statistic(drawn: np.ndarray, axis: int = -1) -> np.ndarray:
        weights = _count_draws(drawn, n_speakers)
        of_first, *of_second = (
            _weighted_score(counts, weights, _SCORES[metric]) for counts in systems
        )
        scores = of_first - of_second[0] if of_second else of_first
        return scores.reshape(drawn.shape[:-1])

    everyone = np.arange(n_speakers)
    with warnings.catch_warnings():
        # A draw without a class that only one run has; scores that do not vary.
        warnings.simplefilter("ignore", RuntimeWarning)
        score = float(statistic(everyone))
        if n_speakers < 2:
            return ScoreInterval(score, np.nan, np.nan, n_speakers)
        found = bootstrap(
            (everyone,),
            statistic,
            n_resamples=n_resamples,
            batch=1000,
            vectorized=True,
            confidence_level=confidence_level,
            method=method,
            rng=np.random.default_rng(random_state),
        )
    low, high = found.confidence_interval
    if np.isnan([low, high]).any():
        tail = (1 - confidence_level) / 2
        low, high = np.quantile(found.bootstrap_distribution, [tail, 1 - tail])
    return ScoreInterval(score, float(low), float(high), n_speakers)


def _count_draws(drawn: np.ndarray, n_speakers: int) -> np.ndarray:
    """Return how often each speaker is drawn, of shape (n_draws, n_speakers)."""
    drawn = drawn.reshape(-1, drawn.shape[-1])
    places = drawn + n_speakers * np.arange(len(drawn))[:, None]
    counts = np.bincount(places.ravel(), minlength=len(drawn) * n_speakers)
    return counts.reshape(len(drawn), n_speakers).astype(float)


def _weighted_score(
    counts: SpeakerCounts, weights: np.ndarray, score: Callable[..., np.ndarray]
) -> np.ndarray:
    return score(weights @ counts.hits, weights @ counts.totals).mean(axis=0)


def _uar(hits: np.ndarray, totals: np.ndarray) -> np.ndarray:
    present = totals > 0
    recalls = np.divide(hits, totals, out=np.zeros_like(hits), where=present)
    return np.mean(recalls, axis=-1, where=present)


def _wa(hits: np.ndarray, totals: np.ndarray) -> np.ndarray:
    return hits.sum(axis=-1) / totals.sum(axis=-1)


_SCORES = {"UAR": _uar, "WA": _wa}
