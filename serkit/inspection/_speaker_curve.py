"""What more speakers to train on would bring."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from serkit.datasets import Corpus
from serkit.evaluation import compare
from serkit.model_selection import LeaveSpeakersOut

__all__ = ["speaker_learning_curve"]


def speaker_learning_curve(
    corpus: Corpus,
    pipelines: Mapping[str, BaseEstimator],
    n_speakers: Sequence[int],
    *,
    cv: Any = None,
    n_repeats: int = 1,
    random_state: int = 0,
    X: Any = None,
    **options: Any,
) -> pd.DataFrame:
    """Score pipelines that are trained on few speakers, then on more.

    Of the training speakers of every fold some are drawn, with all of their
    utterances, and the next larger number has these among them; the test
    speakers stay. :class:`~sklearn.model_selection.LearningCurveDisplay` draws
    utterances instead, and so has nearly all speakers at any size.

    Parameters
    ----------
    corpus : Corpus
        The utterances, each with speaker and emotion.
    pipelines : dict of str to estimator
        What is trained, as of :func:`~serkit.evaluation.compare`.
    n_speakers : sequence of int
        The numbers of speakers to train on.
    cv : splitter, iterable of (train, test) or None, default=None
        The folds, made with the speakers as groups; ``None`` is
        ``LeaveSpeakersOut(1)``.
    n_repeats : int, default=1
        How often speakers are drawn in every fold.
    random_state : int, default=0
        Seed of the draws.
    X : audio, frames, functionals or None, default=None
        What the pipelines get instead of ``corpus.audio``.
    **options : dict
        Handed to :func:`~serkit.evaluation.compare`: ``seeds``, ``results_dir``,
        ``n_jobs`` and so on.

    Returns
    -------
    table : DataFrame
        One row per ``pipeline``, ``n_speakers``, ``repeat``, ``seed`` and
        ``fold``, with ``UAR``, ``WA`` and ``n_test``.

    Raises
    ------
    ValueError
        If a fold has fewer training speakers than asked for.

    See Also
    --------
    SpeakerCurveDisplay : Draws the table.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from serkit.datasets import Corpus
    >>> from serkit.inspection import speaker_learning_curve
    >>> corpus = Corpus(
    ...     {"speaker": list("aabbcc"), "emotion": ["anger", "calm"] * 3},
    ...     waveforms=[np.zeros(1)] * 6,
    ...     sampling_rate=16000,
    ... )
    >>> features = np.array([[0.1], [0.9]] * 3)
    >>> table = speaker_learning_curve(
    ...     corpus, {"Bayes": GaussianNB()}, [1, 2], X=features, verbose=0
    ... )
    >>> table.groupby("n_speakers")["UAR"].agg(["mean", "count"])
                mean  count
    n_speakers
    1            1.0      3
    2            1.0      3
    """
    speakers, audio = np.asarray(corpus.speakers), corpus.audio if X is None else X
    cv = LeaveSpeakersOut(1) if cv is None else cv
    folds = list(cv.split(audio, corpus.y, speakers) if hasattr(cv, "split") else cv)
    rng = np.random.default_rng(random_state)
    orders = [
        [rng.permutation(np.unique(speakers[train])) for train, _ in folds]
        for _ in range(n_repeats)
    ]
    sizes = sorted({int(size) for size in n_speakers})
    fewest = min(map(len, orders[0]))
    if not sizes or sizes[0] < 1 or sizes[-1] > fewest:
        raise ValueError(
            f"n_speakers holds numbers from 1 to {fewest}, the training speakers of the smallest "
            f"fold, not {list(n_speakers)}"
        )
    options = {"protocol": str(cv) if hasattr(cv, "split") else None} | options
    tables = []
    for size in sizes:
        for repeat, drawn in enumerate(orders):
            splits = [
                (np.asarray(train)[np.isin(speakers[train], order[:size])], test)
                for (train, test), order in zip(folds, drawn, strict=True)
            ]
            scores = compare(corpus, pipelines, cv=splits, X=X, **options).folds
            tables.append(scores.assign(n_speakers=size, repeat=repeat))
    columns = ["pipeline", "n_speakers", "repeat", "seed", "fold", "UAR", "WA", "n_test"]
    return pd.concat(tables, ignore_index=True)[columns]
