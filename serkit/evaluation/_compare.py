"""Compare pipelines on the same speaker-independent folds."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from sklearn.base import BaseEstimator

from serkit.datasets import Corpus
from serkit.evaluation._checks import check_keep_models, check_on_error
from serkit.evaluation._collect import collect_result
from serkit.evaluation._features import choose_cache
from serkit.evaluation._plan import make_plan
from serkit.evaluation._result import ComparisonResult
from serkit.evaluation._run import first_error, run_plan
from serkit.evaluation._store import ResultsStore

__all__ = ["compare"]


def compare(
    corpus: Corpus,
    pipelines: Mapping[str, BaseEstimator],
    *,
    cv: Any = None,
    X: Any = None,
    seeds: Sequence[int] | None = None,
    results_dir: str | os.PathLike | None = None,
    cache: str | os.PathLike | None = "auto",
    allow_speaker_overlap: bool = False,
    check_leakage: bool = False,
    return_train_score: bool = False,
    keep_models: bool = False,
    protocol: str | None = None,
    on_error: str = "raise",
    n_jobs: int | None = None,
    verbose: int | bool = 1,
) -> ComparisonResult:
    """Compare pipelines fold by fold, with no speaker in both training and test.

    Every pipeline is fitted on the training part of every fold and predicts the
    test part. Speakers are handed to every step, search or scorer that requests
    them, in ``fit`` and in ``predict``; ``groups`` of a splitter inside a search
    are the speakers too.

    Steps at the head of a pipeline that treat every utterance by itself
    (loading, frames, functionals) are run once per utterance, not once per fold.
    Steps that a search varies are left where they are.

    Each finished fold is stored at once. A second call with the same
    ``results_dir`` computes only what is missing: a result is found again if the
    audio, the labels, the pipeline's parameters, the fold, the seed, and the
    versions of the packages are the same.

    Parameters
    ----------
    corpus : Corpus
        The utterances, each with speaker and emotion.
    pipelines : dict of str to estimator
        What to compare: classifiers that take ``corpus.audio``, or searches
        over such (:class:`~sklearn.model_selection.GridSearchCV`,
        :class:`HoldoutSearchCV`).
    cv : splitter, iterable of (train, test) or None, default=None
        The folds, made with the speakers as groups; ``None`` is
        ``LeaveSpeakersOut(1)``.
    X : audio, frames, functionals or None, default=None
        What the pipelines get instead of ``corpus.audio``, such as features
        computed before.
    seeds : sequence of int or None, default=None
        One run per seed, to which every ``random_state`` is set. ``None`` is
        one run in which those ``random_state`` that are None are set to 0.
    results_dir : path-like or None, default=None
        Where finished folds are kept; ``None`` keeps nothing.
    cache : path-like, "auto" or None, default="auto"
        Where features of utterances are kept between calls; "auto" is the
        folder ``cache`` in ``results_dir``, or nothing without one. A pipeline
        that has a :class:`~serkit.feature_extraction.CachedTransformer` of its
        own is left as it is.
    allow_speaker_overlap : bool, default=False
        Accept folds with a speaker on both sides; the result is then labelled
        speaker-dependent.
    check_leakage : bool, default=False
        Run the first fold of every pipeline with poisoned features of the test rows
        before the others, see :func:`check_leakage`. That takes two fits of those
        that are not found in `results_dir`.
    return_train_score : bool, default=False
        Score the training utterances too, which tells a model that has learnt
        nothing from one that does not generalise.
    keep_models : bool, default=False
        Write the fitted model of every fold to the folder ``models`` in
        `results_dir`, by :func:`serkit.persistence.save`; of a search, the best
        estimator. A fold that was finished without is fitted again, but for
        models that cannot be written, whatever is installed or registered.
        ``result.load_model(pipeline, fold)`` loads one.
    protocol : str or None, default=None
        What the folds are called in tables; ``None`` takes the text of ``cv``.
    on_error : {"raise", "warn"}, default="raise"
        What a fold that fails means. With "raise" the other folds are finished
        and stored first, if there is a ``results_dir``; then its error is
        raised. With "warn" the fold is missing from the result, which says so;
        only if nothing worked is the error raised.
    n_jobs : int or None, default=None
        Number of folds (and utterances) computed in parallel, by joblib;
        ``joblib.parallel_config`` chooses the backend, one of other machines too.
    verbose : int or bool, default=1
        Show progress bars when positive.

    Returns
    -------
    result : ComparisonResult
        Tables, paired tests, confusion matrices, and reports of them.

    Raises
    ------
    SpeakerLeakageError
        If a fold has a speaker in both parts.
    LeakageError
        If `check_leakage` finds a step that depends on other test rows, or a frozen
        part that was fitted on test speakers.
    ValueError
        If an utterance has no speaker or no emotion, or if a pipeline expects
        another sampling rate than the waveforms of the corpus have. An error of
        a fold is raised as it is, with a note that names the fold.

    Warns
    -----
    FitFailedWarning
        If a fold fails and the others go on.
    UserWarning
        If a search inside a pipeline has speakers on both sides of its splits;
        the pipeline is then marked in tables. If models cannot be kept.
    LeakageWarning
        If a network in ``FrozenEstimator`` was fitted on speakers of this corpus
        alone, by their names, and some of them are tested.

    See Also
    --------
    benchmark : Does this for several corpora and protocols.
    HoldoutSearchCV : Tunes a pipeline on validation speakers.
    baseline_pipelines : Pipelines to start from.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.dummy import DummyClassifier
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from serkit.datasets import Corpus
    >>> from serkit.evaluation import compare
    >>> corpus = Corpus(
    ...     {"speaker": list("aabbcc"), "emotion": ["anger", "calm"] * 3},
    ...     waveforms=[np.zeros(1)] * 6,
    ...     sampling_rate=16000,
    ... )
    >>> features = np.array([[0.1], [0.9]] * 3)
    >>> pipelines = {"Bayes": GaussianNB(), "chance": DummyClassifier()}
    >>> result = compare(corpus, pipelines, X=features, verbose=0)
    >>> result.table()[["UAR", "WA"]]
              UAR   WA
    pipeline
    Bayes     1.0  1.0
    chance    0.5  0.5
    """
    check_on_error(on_error)
    check_keep_models(keep_models, results_dir)
    plan = make_plan(
        corpus,
        pipelines,
        cv=cv,
        X=X,
        seeds=seeds,
        allow_speaker_overlap=allow_speaker_overlap,
        return_train_score=return_train_score,
        protocol=protocol,
        keyed=results_dir is not None,
    )
    store = ResultsStore(results_dir)
    records, errors = run_plan(
        plan,
        store,
        cache=choose_cache(cache, results_dir),
        stop=on_error == "raise" and results_dir is None,
        n_jobs=n_jobs,
        verbose=verbose,
        check_leakage=check_leakage,
        keep_models=keep_models,
    )
    if errors and (on_error == "raise" or not records):
        raise first_error(errors)
    return collect_result(plan, records, errors, store)
