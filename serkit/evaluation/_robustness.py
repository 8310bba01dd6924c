"""How pipelines hold when what is tested gets noisier."""

import math
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed, effective_n_jobs
from sklearn import config_context
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing
from threadpoolctl import threadpool_limits
from tqdm.auto import tqdm

from serkit.augmentation import NoiseCorruptor, NoiseMixer
from serkit.datasets import Corpus
from serkit.evaluation._checks import (
    check_arguments,
    check_labels,
    check_sampling_rate,
    find_crossing,
    make_folds,
    warn_of_known_speakers,
)
from serkit.evaluation._features import choose_cache, extract_features
from serkit.evaluation._fold import Task, fit, predict
from serkit.evaluation._metrics import METRICS
from serkit.evaluation._plan import make_tasks
from serkit.evaluation._provenance import corpus_digest, result_key
from serkit.evaluation._run import by_features, leave_with, threads_per_worker
from serkit.evaluation._store import ResultsStore
from serkit.model_selection import LeaveSpeakersOut
from serkit.over_sampling import LeakageWarning
from serkit.utils import describe_estimator, utterance_digest

__all__ = ["robustness_curve"]

#: What the noises are called where they are not told apart.
_ALL = "all"


def robustness_curve(
    corpus: Corpus,
    pipelines: Mapping[str, BaseEstimator],
    noises: Sequence[Any] | Mapping[str, Sequence[Any]],
    *,
    snrs: Sequence[float] = (20.0, 15.0, 10.0, 5.0, 0.0, -5.0),
    cv: Any = None,
    seeds: Sequence[int] | None = None,
    sampling_rate: int = 16000,
    power: str = "full",
    rescale: bool = True,
    random_state: int = 0,
    results_dir: str | os.PathLike | None = None,
    cache: str | os.PathLike | None = "auto",
    n_jobs: int | None = None,
    verbose: int | bool = 1,
) -> pd.DataFrame:
    """Score pipelines on clean and on ever noisier speech of unseen speakers.

    Every pipeline is fitted once per fold, on the training utterances as they
    are (or as a :class:`~serkit.augmentation.NoiseMixer` in it makes them), and
    then predicts the test utterances, clean and at every signal-to-noise ratio.
    An utterance gets the same noise, from the same place in it, at all ratios
    and for all pipelines.

    Parameters
    ----------
    corpus : Corpus
        The utterances, each with speaker and emotion.
    pipelines : dict of str to estimator
        What to compare: classifiers that take ``corpus.audio``, or searches
        over such.
    noises : sequence, or dict of str to sequence
        The noises of the test, as of :class:`~serkit.augmentation.NoiseCorruptor`.
        Those of a dict are kinds of noise, with a curve each.
    snrs : sequence of float, default=(20.0, 15.0, 10.0, 5.0, 0.0, -5.0)
        Signal-to-noise ratios in dB; without noise is always there.
    cv : splitter, iterable of (train, test) or None, default=None
        The folds, made with the speakers as groups; ``None`` is
        ``LeaveSpeakersOut(1)``.
    seeds : sequence of int or None, default=None
        One run per seed, to which every ``random_state`` is set. ``None`` is
        one run in which those ``random_state`` that are None are set to 0.
    sampling_rate : int, default=16000
        Sampling rate in Hz at which noise is added: that of the loader at the
        head of the pipelines.
    power : {"full", "active"}, default="full"
        Over what the power of speech is taken, see
        :func:`~serkit.augmentation.mix_noise`.
    rescale : bool, default=True
        Scale mixtures that go beyond [-1, 1] back to there.
    random_state : int, default=0
        Seed of the noises.
    results_dir : path-like or None, default=None
        Where finished folds are kept, each ratio by itself; ``None`` keeps
        nothing. A later call computes what is missing, and fits again only for
        that.
    cache : path-like, "auto" or None, default="auto"
        Where features of utterances are kept between calls, noisy ones too;
        "auto" is the folder ``cache`` in ``results_dir``, or nothing without one.
    n_jobs : int or None, default=None
        Number of folds (and utterances) computed in parallel, by joblib.
    verbose : int or bool, default=1
        Show progress bars when positive.

    Returns
    -------
    table : DataFrame
        A row per pipeline, seed, fold, kind of noise and ratio, with the columns
        ``pipeline``, ``seed``, ``fold``, ``noise`` ("all" where kinds are not
        told apart), ``snr`` (infinity without noise, a row for every kind),
        ``UAR``, ``WA`` and ``n_test``, the number of utterances tested.

    Raises
    ------
    SpeakerLeakageError
        If a fold has a speaker in both parts.
    ValueError
        If an utterance has no speaker or no emotion, or is silent, if a noise
        cannot be read, or if sampling rates differ.

    Warns
    -----
    LeakageWarning
        If a noise of the test is one that a pipeline is trained on.

    See Also
    --------
    compare : Compares pipelines on clean speech, with tests.
    serkit.augmentation.NoiseMixer : Makes training noisy.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from serkit.datasets import make_emotional_speech
    >>> from serkit.evaluation import robustness_curve
    >>> from serkit.feature_extraction import MFCC, TemporalPooling
    >>> corpus = make_emotional_speech(2, ["anger", "calm"], n_sentences=2, random_state=0)
    >>> noise = np.random.default_rng(0).normal(size=16000)
    >>> linear = make_pipeline(MFCC(), TemporalPooling(), LogisticRegression())
    >>> table = robustness_curve(corpus, {"MFCC": linear}, [noise], snrs=[0.0], verbose=0)
    >>> table[["pipeline", "fold", "noise", "snr"]]
      pipeline  fold noise  snr
    0     MFCC     0   all  inf
    1     MFCC     0   all  0.0
    2     MFCC     1   all  inf
    3     MFCC     1   all  0.0
    """
    check_arguments(pipelines, seeds)
    if corpus.sampling_rate not in (None, sampling_rate):
        raise ValueError(
            f"the waveforms of the corpus have {corpus.sampling_rate} Hz; set sampling_rate to that"
        )
    check_sampling_rate(pipelines, sampling_rate)
    X = corpus.audio
    y, speakers = check_labels(corpus, X)
    kinds = dict(noises) if isinstance(noises, Mapping) else {_ALL: noises}
    settings = {"sampling_rate": sampling_rate, "power": power, "rescale": rescale}
    conditions = _make_conditions(kinds, snrs, random_state=random_state, **settings)
    _warn_of_known_noises(pipelines, kinds)
    cv = LeaveSpeakersOut(1) if cv is None else cv
    folds, _ = make_folds(cv, X, y, speakers, allow_overlap=False)
    find_crossing(pipelines, folds, y, speakers)
    warn_of_known_speakers(pipelines, folds, speakers)
    store = ResultsStore(results_dir)
    digest = None if results_dir is None else corpus_digest(X, y, speakers)
    tasks = make_tasks(pipelines, folds, seeds, digest, train_score=False)
    records = store.load_all(
        (condition.key(task) for task in tasks for condition in conditions),
        what="scores",
        verbose=verbose,
    )
    experiment = _Experiment(X, y, speakers, conditions, choose_cache(cache, results_dir), store)
    records |= _compute(experiment, tasks, records, n_jobs=n_jobs, verbose=verbose)
    return pd.DataFrame(
        {
            "pipeline": task.pipeline,
            "seed": task.seed,
            "fold": task.fold,
            "noise": kind,
            "snr": condition.snr,
            **_score(y[task.test], records[condition.key(task)]["y_pred"]),
            "n_test": len(task.test),
        }
        for task in tasks
        for kind in kinds
        for condition in conditions
        if condition.kind in (None, kind)
    )


@dataclass(frozen=True)
class _Condition:
    """What is tested: speech as it is, or with a kind of noise at one ratio."""

    kind: str | None
    corruptor: NoiseCorruptor | None
    about: Any

    @property
    def snr(self) -> float:
        return math.inf if self.corruptor is None else float(self.corruptor.snr)

    def key(self, task: Task) -> str:
        """Return what the predictions of a task are found by."""
        return result_key(fold=task.key, condition=self.about)

    def corrupt(self, X: np.ndarray) -> np.ndarray:
        return X if self.corruptor is None else self.corruptor.defer(X)


@dataclass(frozen=True)
class _Experiment:
    """What all tasks share."""

    X: np.ndarray
    y: np.ndarray
    speakers: np.ndarray
    conditions: list[_Condition]
    cache: str | os.PathLike | None
    store: ResultsStore


def _make_conditions(
    kinds: Mapping[str, Sequence[Any]], snrs: Sequence[float], **settings: Any
) -> list[_Condition]:
    if len(set(snrs)) < len(snrs) or not all(math.isfinite(snr) for snr in snrs):
        raise ValueError(
            f"snrs must be different numbers of dB, got {snrs!r}; without noise is always there"
        )
    if not kinds:
        raise ValueError("noises is an empty dict; give one kind of noise or more")
    conditions = [_Condition(None, None, None)]
    for kind, noises in kinds.items():
        for snr in snrs:
            corruptor = NoiseCorruptor(noises, float(snr), **settings)
            conditions.append(_Condition(kind, corruptor, describe_estimator(corruptor)))
    return conditions


def _warn_of_known_noises(
    pipelines: Mapping[str, BaseEstimator], kinds: Mapping[str, Sequence[Any]]
) -> None:
    tested = {utterance_digest(noise) for noises in kinds.values() for noise in noises}
    for name, pipeline in pipelines.items():
        mixers = [part for part in pipeline.get_params().values() if isinstance(part, NoiseMixer)]
        trained = {utterance_digest(noise) for mixer in mixers for noise in mixer.noises}
        if tested & trained:
            warnings.warn(
                f"pipeline {name!r} is trained on {len(tested & trained)} of the {len(tested)} "
                "noises of the test, so its scores say little of noises that it has not heard; "
                "give NoiseMixer others, or silence this LeakageWarning",
                LeakageWarning,
                stacklevel=3,
            )


def _compute(
    experiment: _Experiment,
    tasks: Sequence[Task],
    records: Mapping[str, Any],
    *,
    n_jobs: int | None,
    verbose: int | bool,
) -> dict[str, Any]:
    """Return the records that are missing, those of a task after one fit."""
    missing = {
        task.key: [one for one in experiment.conditions if one.key(task) not in records]
        for task in tasks
    }
    todo = list({task.key: task for task in tasks if missing[task.key]}.values())
    computed: dict[str, Any] = {}
    with tqdm(total=len(todo), desc="folds", disable=not verbose) as bar:
        for stateless, group in by_features(todo):
            clean = extract_features(
                stateless, experiment.X, cache=experiment.cache, n_jobs=n_jobs, verbose=verbose
            )
            with threadpool_limits(threads_per_worker(effective_n_jobs(n_jobs))):
                done = Parallel(n_jobs=n_jobs, return_as="generator_unordered")(
                    delayed(_run)(
                        task, missing[task.key], experiment, stateless, clean, os.getpid()
                    )
                    for task in group
                )
                for found in done:
                    computed |= found
                    bar.update()
    return computed


def _run(
    task: Task,
    conditions: Sequence[_Condition],
    experiment: _Experiment,
    stateless: Pipeline | None,
    clean: Any,
    home: int,
) -> dict[str, dict[str, Any]]:
    """Fit once for the process ``home``, predict under every condition; return records by key."""
    leave_with(home)
    y, speakers = experiment.y, experiment.speakers
    records = {}
    try:
        X_train = _safe_indexing(clean, task.train)
        model = fit(task.estimator, X_train, y[task.train], speakers[task.train])
        predictor = getattr(model, "best_estimator_", model)
        for condition in conditions:
            X_test = condition.corrupt(experiment.X[task.test])
            features = extract_features(
                stateless, X_test, cache=experiment.cache, n_jobs=None, verbose=0
            )
            with config_context(enable_metadata_routing=True):
                y_pred = predict(predictor, features, speakers[task.test])
            key = condition.key(task)
            records[key] = {"y_pred": np.asarray(y_pred).tolist()}
            about = {**task.about, "noise": condition.kind, "snr": str(condition.snr)}
            experiment.store.save(key, records[key], about=about)
    except Exception as error:
        tested = ", ".join(sorted(set(speakers[task.test])))
        error.add_note(f"in pipeline {task.pipeline!r}, fold {task.fold} (test speakers {tested})")
        raise
    return records


def _score(y_true: np.ndarray, y_pred: Sequence[Any]) -> dict[str, float]:
    predicted = np.asarray(y_pred, dtype=object)
    return {name: float(score(y_true, predicted)) for name, score in METRICS.items()}
