"""Every corpus as the source of every other one."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from serkit.datasets import Corpus
from serkit.evaluation._checks import check_arguments
from serkit.evaluation._compare import compare
from serkit.evaluation._cross_corpus import can_be_tuned, cross_corpus_validate
from serkit.evaluation._features import choose_cache
from serkit.evaluation._metrics import METRICS
from serkit.evaluation._result import ComparisonResult
from serkit.evaluation._source import remember_sources

__all__ = ["CrossCorpusMatrix", "cross_corpus_matrix"]

_OTHERS = "all others"
_IN_CORPUS = "in-corpus"


@dataclass(frozen=True)
class CrossCorpusMatrix:
    """Scores of classifiers trained on one corpus and tested on another, for all pairs.

    Made by :func:`cross_corpus_matrix`.

    Parameters
    ----------
    frame : DataFrame
        One row per estimator, source, target and way of training ("in-corpus",
        "zero-shot", "last 1 tuned" and so on): ``UAR`` and ``WA`` of all predictions
        pooled, their mean and standard deviation over folds, the numbers of
        folds, speakers and utterances tested, the emotions, transductive steps.
    results : dict of tuple to ComparisonResult
        All predictions, by (estimator, source, target).
    corpora : tuple of str
        Names of the corpora, in the order given.

    Examples
    --------
    See :func:`cross_corpus_matrix`.
    """

    frame: pd.DataFrame
    results: Mapping[tuple[str, str, str], ComparisonResult]
    corpora: tuple[str, ...]

    def matrix(
        self, estimator: str, metric: str = "UAR", *, training: str = "zero-shot"
    ) -> pd.DataFrame:
        """Return the scores of one estimator.

        Parameters
        ----------
        estimator : str
            Its name.
        metric : str, default="UAR"
            A column of `frame`.
        training : str, default="zero-shot"
            What is done with the target; the diagonal is "in-corpus" in any case.

        Returns
        -------
        scores : DataFrame
            Sources in rows, the last of which is "all others" together if that was
            run; targets in columns; NaN where nothing was run.

        Raises
        ------
        ValueError
            If there is no such estimator, metric or way of training.
        """
        frame = self.frame
        for what, value, known in (
            ("estimator", estimator, frame["estimator"].unique()),
            ("training", training, frame["training"].unique()),
            ("metric", metric, frame.columns),
        ):
            if value not in known:
                raise ValueError(f"there is no {what} {value!r}; there are {list(known)}")
        chosen = frame[
            (frame["estimator"] == estimator) & frame["training"].isin([training, _IN_CORPUS])
        ]
        sources = [name for name in (*self.corpora, _OTHERS) if name in set(frame["source"])]
        scores = chosen.pivot(index="source", columns="target", values=metric)
        return scores.reindex(index=sources, columns=list(self.corpora))

    def to_csv(self, path: str | os.PathLike) -> Path:
        """Write the frame as a CSV file.

        Parameters
        ----------
        path : path-like
            The file to write.

        Returns
        -------
        path : pathlib.Path
        """
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.frame.to_csv(path, index=False)
        return path

    def __str__(self) -> str:
        blocks = []
        across = self.frame[self.frame["training"] != _IN_CORPUS]
        for estimator, rows in self.frame.groupby("estimator", sort=False):
            ways = across.loc[across["estimator"] == estimator, "training"].unique()
            for training in ways if len(ways) else [_IN_CORPUS]:
                scores = 100 * self.matrix(estimator, training=training)
                shown = scores.to_string(float_format="{:.1f}".format, na_rep="")
                blocks.append(f"{estimator}, {training}: UAR in percent, pooled\n{shown}")
            transductive = sorted(set(rows["transductive"]) - {""})
            if transductive:
                blocks[-1] += f"\n*transductive: {', '.join(transductive)}*"
        notes = ["Rows are sources, columns are targets"]
        if (self.frame["training"] == _IN_CORPUS).any():
            notes.append("the diagonal is trained on other speakers of the target")
        emotions = self.frame["emotions"].unique()
        notes.append(f"emotions: {emotions[0]}" if len(emotions) == 1 else "emotions differ")
        return "\n\n".join([*blocks, "; ".join(notes) + "."])


def cross_corpus_matrix(
    estimators: Mapping[str, BaseEstimator],
    corpora: Sequence[Corpus],
    *,
    unfreeze: int | str | Sequence[Any] = (0,),
    labels: str | Mapping[str, str] | Sequence[str] = "all",
    cv: Any = None,
    in_corpus: bool = True,
    pooled: bool = True,
    statistics: str = "source",
    fine_tune: Mapping[str, Any] | None = None,
    seeds: Sequence[int] = (0,),
    results_dir: str | os.PathLike | None = None,
    cache: str | os.PathLike | None = "auto",
    n_jobs: int | None = None,
    verbose: int | bool = 1,
) -> CrossCorpusMatrix:
    """Train on every corpus and test on every other one.

    Each ordered pair is a :func:`cross_corpus_validate`; on the diagonal stands
    what is trained and tested on speakers of one corpus, by :func:`compare`; a last
    row is trained on all corpora but the one that is tested.

    Every estimator is trained once on each source, and a stopped run goes on where
    it was.

    Parameters
    ----------
    estimators : dict of str to estimator
        Classifiers that take ``corpus.audio``, networks and others.
    corpora : sequence of Corpus
        Two or more, with different names.
    unfreeze : int, str or sequence of these, default=(0,)
        What of a network is trained on the target, see
        :func:`cross_corpus_validate`. Estimators without a network have zero-shot
        alone.
    labels : {"all", "pair"}, dict of str to str, or sequence of str, default="all"
        The emotions that are used: those common to all corpora; those common to
        source and target, and on the diagonal all; or new labels of old ones, or
        labels, which every corpus must have.
    cv : splitter, int, dict of these by name of the corpus, or None, default=None
        The folds of every target, made with its speakers as groups; ``None`` is
        ``LeaveSpeakersOut(1)``.
    in_corpus : bool, default=True
        Fill the diagonal.
    pooled : bool, default=True
        Train on all other corpora together, too, if there are three or more.
    statistics : {"source", "target"}, default="source"
        What scalers of tuned networks keep to, see :func:`cross_corpus_validate`.
    fine_tune : dict or None, default=None
        Further parameters of the
        :class:`~serkit.neural_network.FineTuneClassifier`.
    seeds : sequence of int, default=(0,)
        One run per seed, to which every ``random_state`` is set.
    results_dir : path-like or None, default=None
        Where finished folds and what is trained on sources are kept; ``None`` keeps
        nothing. What is trained are pickles: read none from others.
    cache : path-like, "auto" or None, default="auto"
        Where features of utterances are kept between calls; "auto" is the folder
        ``cache`` in `results_dir`, without one a folder for this call.
    n_jobs : int or None, default=None
        Number of folds (and utterances) computed in parallel, by joblib.
    verbose : int or bool, default=1
        Show progress bars when positive.

    Returns
    -------
    scores : CrossCorpusMatrix
        A tidy frame, and a matrix per estimator.

    Raises
    ------
    ValueError
        If there are less than two corpora, or two of one name, or less than two
        emotions in common.
    SpeakerLeakageError
        If a fold has a speaker in both parts.

    See Also
    --------
    cross_corpus_validate : One pair of corpora.

    Notes
    -----
    Where corpora have speakers of the same names, all speakers get the name of
    their corpus before their own.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn.svm import SVC
    >>> from serkit.datasets import make_emotional_speech
    >>> from serkit.evaluation import cross_corpus_matrix
    >>> from serkit.feature_extraction import MFCC, TemporalPooling
    >>> corpora = [
    ...     make_emotional_speech(2, ["anger", "sadness"], n_sentences=2, random_state=seed)
    ...     for seed in (0, 1)
    ... ]
    >>> corpora[0].name, corpora[1].name = "here", "there"
    >>> svm = make_pipeline(MFCC(n_mfcc=13), TemporalPooling(), StandardScaler(), SVC())
    >>> scores = cross_corpus_matrix({"SVM": svm}, corpora, verbose=0)
    >>> scores.matrix("SVM").shape
    (2, 2)
    >>> scores.frame[["source", "target", "training"]]
      source target   training
    0   here   here  in-corpus
    1  there   here  zero-shot
    2   here  there  zero-shot
    3  there  there  in-corpus
    """
    check_arguments(estimators, seeds)
    corpora = _check_corpora(corpora)
    chosen = _choose_labels(corpora, labels)
    pairs = list(_pairs(corpora, in_corpus=in_corpus, pooled=pooled))
    results: dict[tuple[str, str, str], ComparisonResult] = {}
    with _folder_of_features(cache, results_dir) as folder, remember_sources():
        options: dict[str, Any] = {
            "seeds": seeds,
            "results_dir": results_dir,
            "cache": folder,
            "n_jobs": n_jobs,
            "verbose": verbose,
        }
        for name, estimator in estimators.items():
            tunable = can_be_tuned(estimator)
            across: dict[str, Any] = {
                "unfreeze": unfreeze if tunable else 0,
                "fine_tune": fine_tune if tunable else None,
                "statistics": statistics,
                "labels": chosen,
                "in_corpus": False,
            }
            for source, target in pairs:
                folds = cv.get(target.name) if isinstance(cv, Mapping) else cv
                if source is target:
                    corpus = target if chosen is None else _relabel(target, chosen)
                    result = compare(corpus, {_IN_CORPUS: estimator}, cv=folds, **options)
                else:
                    result = cross_corpus_validate(
                        estimator, source, target, cv=folds, **across, **options
                    )
                known = any(source is corpus for corpus in corpora)
                origin = str(source.name) if known else _OTHERS
                results[name, origin, str(target.name)] = result
    rows = [row for place, result in results.items() for row in _rows(place, result)]
    return CrossCorpusMatrix(pd.DataFrame(rows), results, tuple(str(c.name) for c in corpora))


def _check_corpora(corpora: Sequence[Corpus]) -> list[Corpus]:
    """Return the corpora, with speakers whose names tell the corpus where they have to."""
    corpora = list(corpora)
    names = [corpus.name for corpus in corpora]
    if len(corpora) < 2 or len(set(names)) < len(names) or None in names or _OTHERS in names:
        raise ValueError(
            f"corpora must be two or more with different names, of which none is {_OTHERS!r}; got "
            f"{names}. Set them with corpus.name = ..."
        )
    speakers = [set(corpus.speakers) - {None} for corpus in corpora]
    if any(one & other for one, other in combinations(speakers, 2)):
        return [Corpus.concat([corpus], prefix=True, name=corpus.name) for corpus in corpora]
    return corpora


def _choose_labels(
    corpora: Sequence[Corpus], labels: str | Mapping[str, str] | Sequence[str]
) -> Mapping[str, str] | Sequence[str] | None:
    """Return the labels for every pair; None lets each pair have its own."""
    if labels == "pair":
        return None
    if labels == "all":
        common = reduce(set.intersection, (set(corpus.emotions) for corpus in corpora))
        if len(common) < 2:
            listed = "; ".join(f"{corpus.name} has {corpus.emotions}" for corpus in corpora)
            raise ValueError(
                f"two emotions that all corpora have are needed; {listed}. Bring their names "
                'together with labels={old: new, ...}, or take labels="pair"'
            )
        return sorted(common)
    if isinstance(labels, str):
        raise ValueError(f'labels must be "all", "pair", labels or a dict of them; got {labels!r}')
    return labels


def _relabel(corpus: Corpus, labels: Mapping[str, str] | Sequence[str]) -> Corpus:
    mapping = labels if isinstance(labels, Mapping) else {label: label for label in labels}
    return corpus.map_labels(mapping, drop_unmapped=True)


def _pairs(
    corpora: Sequence[Corpus], *, in_corpus: bool, pooled: bool
) -> Iterator[tuple[Corpus, Corpus]]:
    """Yield sources and targets; the same object is one corpus by itself."""
    for target in corpora:
        others = [corpus for corpus in corpora if corpus is not target]
        yield from ((source, target) for source in corpora if in_corpus or source is not target)
        if pooled and len(others) > 1:
            yield Corpus.concat(others, prefix=False), target


def _rows(place: tuple[str, str, str], result: ComparisonResult) -> Iterator[dict[str, Any]]:
    """Yield what a result says, one row per way of training."""
    scores = [f"{metric}{what}" for metric in METRICS for what in ("", " mean", " SD")]
    for training, row in result.table().iterrows():
        yield {
            **dict(zip(("estimator", "source", "target"), place, strict=True)),
            "training": training,
            **row[scores],
            "folds": row["folds"],
            "speakers": row["speakers"],
            "utterances": result.predictions["row"].nunique(),
            "emotions": ", ".join(np.unique(result.predictions["y_true"].to_numpy(str))),
            "transductive": row["transductive"],
        }


@contextmanager
def _folder_of_features(
    cache: str | os.PathLike | None, results_dir: str | os.PathLike | None
) -> Iterator[str | os.PathLike | None]:
    """Give a folder where features are kept until all pairs are done, unless there is one."""
    if cache != "auto" or results_dir is not None:
        yield choose_cache(cache, results_dir)
        return
    with tempfile.TemporaryDirectory() as folder:
        yield folder
