"""From one corpus to another: without tuning, tuned, and trained there."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone

from serkit.datasets import Corpus
from serkit.evaluation._checks import (
    check_arguments,
    check_labels,
    check_sampling_rate,
    describe_folds,
    list_splits,
)
from serkit.evaluation._compare import compare
from serkit.evaluation._features import choose_cache, extract_features, split_stateless
from serkit.evaluation._fold import seeded
from serkit.evaluation._result import ComparisonResult
from serkit.evaluation._source import train_source
from serkit.model_selection import LeaveSpeakersOut, check_speaker_leakage
from serkit.neural_network import FineTuneClassifier

__all__ = ["can_be_tuned", "cross_corpus_validate"]

#: What a FineTuneClassifier has from elsewhere, and the parameter that says it.
_SET_HERE = {
    "estimator": "estimator",
    "unfreeze": "unfreeze",
    "statistics": "statistics",
    "random_state": "seeds",
}


def cross_corpus_validate(
    estimator: BaseEstimator,
    source: Corpus,
    target: Corpus,
    *,
    unfreeze: int | str | Sequence[Any] = (0, 1, 2, 3),
    labels: Mapping[str, str] | Sequence[str] | None = None,
    cv: Any = None,
    statistics: str = "source",
    in_corpus: bool = True,
    fine_tune: Mapping[str, Any] | None = None,
    seeds: Sequence[int] = (0,),
    results_dir: str | os.PathLike | None = None,
    cache: str | os.PathLike | None = "auto",
    protocol: str | None = None,
    n_jobs: int | None = None,
    verbose: int | bool = 1,
) -> ComparisonResult:
    """Train on one corpus and test on another, with and without fine-tuning there.

    A network is trained on all utterances of the source, once for each seed.
    Then the speakers of the target are divided into folds, and on the test part
    of each fold are compared: the network trained from the start on the training
    part, the network of the source as it is, and the network of the source with
    its last stages trained on the training part.

    A stopped run goes on where it was, as with :func:`compare`; the networks of
    the source are kept too.

    Parameters
    ----------
    estimator : estimator
        A pipeline from ``corpus.audio`` that ends in a network, or anything else
        that a :class:`~serkit.neural_network.FineTuneClassifier` takes; with
        ``unfreeze=0`` any classifier. What it validates on has to be chosen from
        any speakers: ``validation="auto"`` of a network.
    source : Corpus
        What is trained on first.
    target : Corpus
        What is tested on.
    unfreeze : int, str or sequence of these, default=(0, 1, 2, 3)
        What is trained on the target, one row of the table for each; see
        :class:`~serkit.neural_network.FineTuneClassifier`. 0 is without tuning,
        which sees nothing of the target. Stages that are trained together are
        a list in the sequence: ``[["recurrence", "head"]]``.
    labels : dict of str to str, sequence of str or None, default=None
        The emotions: new labels of old ones, or the labels that are used;
        ``None`` takes those that both corpora have. Other utterances are left
        out.
    cv : splitter, int, iterable of (train, test) or None, default=None
        The folds of the target, made with its speakers as groups, once for all
        seeds; ``None`` is ``LeaveSpeakersOut(1)``. Rows are those of the
        utterances that are used.
    statistics : {"source", "target"}, default="source"
        Whether the transformers of a tuned pipeline (a scaler, say) keep to the
        source, or learn from the training part of the target. Without tuning
        they keep to the source.
    in_corpus : bool, default=True
        Train on the training part of the target alone as well.
    fine_tune : dict or None, default=None
        Further parameters of the
        :class:`~serkit.neural_network.FineTuneClassifier`, such as ``lr``.
    seeds : sequence of int, default=(0,)
        One run per seed, to which every ``random_state`` is set.
    results_dir : path-like or None, default=None
        Where finished folds and the networks of the source are kept; ``None``
        keeps nothing. The networks are pickles: read none from others.
    cache : path-like, "auto" or None, default="auto"
        Where features of utterances are kept between calls; "auto" is the
        folder ``cache`` in ``results_dir``, or nothing without one.
    protocol : str or None, default=None
        What the folds are called in tables; ``None`` takes the text of ``cv``.
    n_jobs : int or None, default=None
        Number of folds (and utterances) computed in parallel, by joblib.
    verbose : int or bool, default=1
        Show progress bars when positive.

    Returns
    -------
    result : ComparisonResult
        With a row for each way of training: "in-corpus", "zero-shot",
        "last 1 tuned" and so on. Its protocol names source, emotions and
        statistics. The times of tuned rows and of "zero-shot" leave out the
        training on the source.

    Raises
    ------
    ValueError
        If there are less than two emotions in common, or other emotions in
        one corpus than in the other; if both corpora have the same name, or
        none, and speakers in common.
    SpeakerLeakageError
        If a fold has a speaker in both parts.

    Warns
    -----
    UserWarning
        If a network of the source in ``results_dir`` cannot be read; it is
        trained again.

    See Also
    --------
    serkit.neural_network.FineTuneClassifier : What is done in each fold.
    cross_corpus_matrix : All pairs of several corpora.

    Notes
    -----
    Names of speakers mean something within a corpus only: speakers of the source
    who are named like one of the target get the name of the source before their
    own.

    Examples
    --------
    >>> from serkit.datasets import Corpus, make_emotional_speech
    >>> from serkit.evaluation import cross_corpus_validate
    >>> from serkit.feature_extraction import MFCC, FrameScaler
    >>> from serkit.neural_network import CRNNClassifier
    >>> from serkit.pipeline import make_pipeline
    >>> source, target = (
    ...     make_emotional_speech(3, ["anger", "sadness"], n_sentences=2, random_state=seed)
    ...     for seed in (0, 1)
    ... )
    >>> source.name, target.name = "here", "there"
    >>> crnn = CRNNClassifier(n_filters=8, rnn_hidden_size=8, max_epochs=2)
    >>> pipeline = make_pipeline(MFCC(n_mfcc=20), FrameScaler(), crnn)
    >>> result = cross_corpus_validate(
    ...     pipeline, source, target, unfreeze=(0, 2), fine_tune={"max_epochs": 2}, verbose=0
    ... )
    >>> result.pipelines
    ['in-corpus', 'zero-shot', 'last 2 tuned']
    >>> result.protocol
    'here → there on anger, sadness; statistics of the source; LeaveSpeakersOut(1)'
    """
    check_arguments({"estimator": estimator}, seeds)
    for corpus in (source, target):
        if corpus.sampling_rate is not None:
            check_sampling_rate({"estimator": estimator}, corpus.sampling_rate)
    tuned = _make_tuned(estimator, unfreeze, statistics, fine_tune or {})
    if not tuned and not in_corpus:
        raise ValueError("there is nothing to compare: unfreeze is empty, and in_corpus=False")
    source, target = _share_labels(source, target, labels)
    speakers = _tell_apart(source, target)
    cv = LeaveSpeakersOut(1) if cv is None else cv
    protocol = describe_folds(cv) if protocol is None else protocol
    # Made once: a splitter without a random_state makes others for each seed.
    folds = list_splits(cv, *check_labels(target, target.audio), X=target.audio)
    check_speaker_leakage(folds, speakers=target.speakers)
    cache = choose_cache(cache, results_dir)
    stateless, rest = split_stateless(seeded(estimator, seeds[0], override=True))
    X_source, X_target = (
        extract_features(stateless, corpus.audio, cache=cache, n_jobs=n_jobs, verbose=verbose)
        for corpus in (source, target)
    )
    results = []
    for seed in seeds:
        model = seeded(rest, seed, override=True)
        frozen = train_source(model, X_source, source.y, speakers, results_dir=results_dir)
        systems = {"in-corpus": model} if in_corpus else {}
        for name, classifier in tuned.items():
            if classifier is None:
                systems[name] = frozen
                continue
            systems[name] = clone(classifier).set_params(estimator=frozen)
            systems[name]._check_stages()
        results.append(
            compare(
                target,
                systems,
                cv=folds,
                X=X_target,
                seeds=[seed],
                results_dir=results_dir,
                cache=cache,
                protocol=_describe(source, target, statistics, protocol),
                n_jobs=n_jobs,
                verbose=verbose,
            )
        )
    return replace(
        results[0],
        folds=pd.concat([result.folds for result in results], ignore_index=True),
        predictions=pd.concat([result.predictions for result in results], ignore_index=True),
    )


def _make_tuned(
    estimator: BaseEstimator, unfreeze: Any, statistics: str, fine_tune: Mapping[str, Any]
) -> dict[str, FineTuneClassifier | None]:
    """Return what is tuned, by its name in tables, before there is a source.

    Where there is no network to tune, the answers of the source are all there can be: None.
    """
    for name in sorted(_SET_HERE.keys() & fine_tune.keys()):
        raise ValueError(
            f"fine_tune must not have {name!r}: use the parameter {_SET_HERE[name]!r} of "
            "cross_corpus_validate"
        )
    tuned = FineTuneClassifier(estimator, statistics=statistics, **fine_tune)
    parts = [unfreeze] if isinstance(unfreeze, Integral | str) else list(unfreeze)
    if parts != [0]:
        tuned._check_kind()
    names = [_name(part) for part in parts]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"unfreeze={unfreeze!r} has entries twice: {', '.join(twice)}")
    classifiers = [clone(tuned).set_params(unfreeze=part) for part in parts]
    for classifier in classifiers:
        classifier._validate_params()
    if parts == [0] and not can_be_tuned(estimator):
        return {names[0]: None}
    return dict(zip(names, classifiers, strict=True))


def can_be_tuned(estimator: BaseEstimator) -> bool:
    """Say whether a FineTuneClassifier takes an estimator, once it is fitted and frozen."""
    try:
        FineTuneClassifier(estimator)._check_kind()
    except TypeError:
        return False
    return True


def _share_labels(
    source: Corpus, target: Corpus, labels: Mapping[str, str] | Sequence[str] | None
) -> tuple[Corpus, Corpus]:
    """Return what of the corpora has the same emotions."""
    both = (source, target)
    if labels is None:
        labels = sorted(set(source.emotions) & set(target.emotions))
    unknown = sorted(set(labels) - set(source.emotions) - set(target.emotions))
    if unknown and not isinstance(labels, Mapping):
        raise ValueError(
            f"neither corpus has the labels {unknown}; the source has {source.emotions}, the "
            f"target {target.emotions}"
        )
    mapping = dict(labels) if isinstance(labels, Mapping) else {name: name for name in labels}
    found = [{mapping[name] for name in corpus.emotions if name in mapping} for corpus in both]
    if len(found[0] & found[1]) < 2:
        raise ValueError(
            f"two emotions in common are needed; the source has {source.emotions}, the target "
            f"{target.emotions}. Bring their names together with labels={{old: new, ...}}"
        )
    source, target = (corpus.map_labels(mapping, drop_unmapped=True) for corpus in both)
    if source.emotions != target.emotions:
        raise ValueError(
            f"with these labels the source has {source.emotions} and the target "
            f"{target.emotions}; both must have the same"
        )
    return source, target


def _tell_apart(source: Corpus, target: Corpus) -> np.ndarray:
    """Return the speakers of the source, under names that no speaker of the target has."""
    common = (set(source.speakers) & set(target.speakers)) - {None}
    if common and (source.name or "") == (target.name or ""):
        raise ValueError(
            f"source and target are both called {source.name!r} and have speakers in common: "
            f"{', '.join(sorted(common))}. Whoever is in both makes the scores too good; if these "
            "are different persons, give the corpora different names"
        )
    return np.array(
        [
            f"{source.name or 'source'}:{name}" if name in common else name
            for name in source.speakers
        ],
        dtype=object,
    )


def _name(unfreeze: Any) -> str:
    if isinstance(unfreeze, list | tuple):
        return f"{', '.join(map(str, unfreeze))} tuned"
    if isinstance(unfreeze, str):
        return f"{unfreeze} tuned"
    return f"last {unfreeze} tuned" if unfreeze else "zero-shot"


def _describe(source: Corpus, target: Corpus, statistics: str, folds: str) -> str:
    names = f"{source.name or 'source'} → {target.name or 'target'}"
    learnt = {
        "source": "statistics of the source",
        "target": "statistics of the target where tuned",
    }
    return f"{names} on {', '.join(target.emotions)}; {learnt[statistics]}; {folds}"
