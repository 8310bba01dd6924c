"""What synthetic rows are worth when there are few real ones."""

import os
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_array, check_consistent_length, column_or_1d
from tqdm.auto import tqdm

from serkit.evaluation._low_resource_run import (
    Experiment,
    Setting,
    check_systems,
    make_keys,
    nested_subsets,
    run_settings,
)
from serkit.evaluation._metrics import METRICS
from serkit.evaluation._store import ResultsStore
from serkit.utils import check_speakers

__all__ = ["ALL_SPEAKERS", "low_resource_curve"]

#: The system without synthetic rows.
_BASELINE = "real only"

#: The "speaker" of the scores over all rows of the target.
ALL_SPEAKERS = "all"


def low_resource_curve(
    classifier: BaseEstimator,
    systems: Mapping[str, BaseEstimator],
    X_source: Any,
    y_source: Any,
    X_target: Any,
    y_target: Any,
    *,
    fractions: Sequence[float] = (0.1, 0.25, 0.5, 0.8, 1.0),
    n_synthetic: Sequence[int] = (600, 2000, 6000),
    generator_fit: str = "full",
    n_repeats: int = 5,
    speakers_target: Any = None,
    scaler: BaseEstimator | str | None = "standard",
    random_state: int = 0,
    results_dir: str | os.PathLike | None = None,
    n_jobs: int | None = None,
    verbose: int | bool = 0,
) -> pd.DataFrame:
    """Train on a part of a corpus and on synthetic rows, test on another corpus.

    In every repeat the classes of the source are shuffled, and the first part of
    each is taken: a smaller fraction is part of a larger one, and has a row of
    every class. The classifier learns these rows, and then these rows and
    synthetic ones of each system, as many of every class.

    Parameters
    ----------
    classifier : estimator
        What is trained; a clone in every setting.
    systems : dict of str to estimator
        Where synthetic rows come from: generators (with ``fit`` and ``sample``),
        fitted ones in a :class:`~sklearn.frozen.FrozenEstimator`, or samplers
        (with ``fit_resample``), of which the rows that they add are used.
    X_source : array-like of shape (n_source, n_features)
        Functionals of the corpus that is trained on.
    y_source : array-like of shape (n_source,)
        Their emotions.
    X_target : array-like of shape (n_target, n_features)
        Functionals of the corpus that is tested on.
    y_target : array-like of shape (n_target,)
        Their emotions; the source has to have them all.
    fractions : sequence of float, default=(0.1, 0.25, 0.5, 0.8, 1.0)
        Parts of the source that the classifier learns.
    n_synthetic : sequence of int, default=(600, 2000, 6000)
        Numbers of synthetic rows. Without any is a system of its own, "real
        only", which is always there.
    generator_fit : {"full", "subset"}, default="full"
        What systems and scaler are fitted on: all rows of the source, as in the
        paper [1]_, or the rows that the classifier learns. With "full", what is
        generated knows rows that the classifier does not, which makes the gain
        at small fractions too good: oversampling by repetition then adds real
        rows.
    n_repeats : int, default=5
        Number of repeats, each with subsets and seeds of its own.
    speakers_target : array-like of shape (n_target,) or None, default=None
        Speakers of the target, for a score of each.
    scaler : transformer, "standard" or None, default="standard"
        Scales the rows before all else; "standard" is a
        :class:`~sklearn.preprocessing.StandardScaler`. ``None`` leaves them as
        they are, such as when each corpus was scaled by itself before. A fitted
        generator has to have learnt rows that were scaled alike.
    random_state : int, default=0
        Seed of the first repeat; each further one has the next integer. It is
        set to every ``random_state`` of classifier and systems.
    results_dir : path-like or None, default=None
        Where finished settings are kept, so that a stopped run goes on;
        ``None`` keeps nothing.
    n_jobs : int or None, default=None
        Number of systems and repeats computed in parallel, by joblib.
    verbose : int or bool, default=0
        Show a progress bar when positive.

    Returns
    -------
    table : DataFrame
        A row per setting and speaker, with the columns ``system``,
        ``generator_fit``, ``n_synthetic``, ``fraction``, ``repeat``, ``speaker``,
        ``UAR`` and ``WA``. The speaker is "all" for the scores over all rows of
        the target.

    Raises
    ------
    TypeError
        If a system is no generator and no sampler, or is fitted but not frozen.
    ValueError
        If the target has emotions that the source lacks, or if arguments do not
        fit each other. An error while training names the setting.

    See Also
    --------
    low_resource_tests : Tests the gain over speakers.
    serkit.metrics.generator_report : Judges a generator by itself.

    References
    ----------
    .. [1] S. Sahu, R. Gupta and C. Espy-Wilson, "Modeling Feature Representations
       for Affective Speech using Generative Adversarial Networks", IEEE
       Transactions on Affective Computing, 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from serkit.evaluation import low_resource_curve
    >>> from serkit.over_sampling import GaussianGenerator
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["anger", "calm"], 50)
    >>> X = rng.normal(size=(100, 5)) + (y == "calm")[:, None]
    >>> table = low_resource_curve(
    ...     LogisticRegression(),
    ...     {"Gaussian": GaussianGenerator()},
    ...     X[::2], y[::2], X[1::2], y[1::2],
    ...     fractions=(0.1, 1.0), n_synthetic=[200], n_repeats=3,
    ... )  # fmt: skip
    >>> table.groupby(["system", "fraction"])["UAR"].agg(["mean", "std"]).shape
    (4, 2)
    """
    X_source, y_source = _check_rows(X_source, y_source)
    X_target, y_target = _check_rows(X_target, y_target)
    _check_alike(X_source, y_source, X_target, y_target)
    _check_numbers(fractions, n_synthetic, n_repeats, random_state)
    if generator_fit not in ("full", "subset"):
        raise ValueError(f"generator_fit must be 'full' or 'subset', got {generator_fit!r}")
    if _BASELINE in systems:
        raise ValueError(f"{_BASELINE!r} is the name of the baseline; give the system another")
    check_systems(systems, generator_fit)
    parts = _split_by_speaker(speakers_target, X_target)
    scaler = StandardScaler() if isinstance(scaler, str) and scaler == "standard" else scaler
    experiment = Experiment(
        classifier,
        {_BASELINE: None, **systems},
        scaler,
        generator_fit,
        X_source,
        y_source,
        X_target,
    )
    settings = _make_settings(experiment, fractions, n_synthetic, n_repeats, random_state)
    records = _compute(experiment, settings, results_dir, n_jobs=n_jobs, verbose=verbose)
    scores = []
    for setting, record in zip(settings, records, strict=True):
        y_pred = np.asarray(record["y_pred"])
        for speaker, rows in parts.items():
            about = {
                "system": setting.system,
                "generator_fit": generator_fit,
                "n_synthetic": setting.n_synthetic,
                "fraction": setting.fraction,
                "repeat": setting.repeat,
                "speaker": speaker,
            }
            metrics = {name: score(y_target[rows], y_pred[rows]) for name, score in METRICS.items()}
            scores.append(about | metrics)
    return pd.DataFrame(scores)


def _check_rows(X: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
    X, y = check_array(X), column_or_1d(y)
    check_consistent_length(X, y)
    return X, y


def _check_alike(
    X_source: np.ndarray, y_source: np.ndarray, X_target: np.ndarray, y_target: np.ndarray
) -> None:
    if X_source.shape[1] != X_target.shape[1]:
        raise ValueError(
            f"source and target must have the same features; the source has {X_source.shape[1]}, "
            f"the target {X_target.shape[1]}"
        )
    unknown = sorted(set(y_target.tolist()) - set(y_source.tolist()))
    if unknown:
        raise ValueError(
            f"the target has the emotions {unknown}, which the source lacks; leave them out, or "
            "give them the names of the source"
        )


def _check_numbers(
    fractions: Sequence[float], n_synthetic: Sequence[int], n_repeats: int, random_state: int
) -> None:
    if not len(fractions) or len(set(fractions)) < len(fractions):
        raise ValueError(f"fractions must be one or more different numbers, got {fractions!r}")
    if not all(0 < fraction <= 1 for fraction in fractions):
        raise ValueError(f"fractions must be above 0 and at most 1, got {fractions!r}")
    if len(set(n_synthetic)) < len(n_synthetic) or not all(number >= 1 for number in n_synthetic):
        raise ValueError(
            f"n_synthetic must be different numbers, 1 or more, got {n_synthetic!r}; {_BASELINE!r} "
            "is always there"
        )
    if n_repeats < 1:
        raise ValueError(f"n_repeats must be 1 or more, got {n_repeats!r}")
    if not isinstance(random_state, int | np.integer):
        raise TypeError(f"random_state must be an int, got {random_state!r}")


def _split_by_speaker(speakers: Any, X: np.ndarray) -> dict[Any, np.ndarray]:
    """Return the rows of each speaker, and all."""
    parts = {ALL_SPEAKERS: np.arange(len(X))}
    if speakers is None:
        return parts
    speakers = check_speakers(speakers, X, name="speakers_target")
    names = set(speakers)
    if None in names or ALL_SPEAKERS in names:
        raise ValueError(
            f"every row of the target needs a speaker, and none may be called {ALL_SPEAKERS!r}"
        )
    return parts | {name: np.flatnonzero(speakers == name) for name in sorted(names)}


def _make_settings(
    experiment: Experiment,
    fractions: Sequence[float],
    n_synthetic: Sequence[int],
    n_repeats: int,
    random_state: int,
) -> list[Setting]:
    """Return the settings, those of one system in one repeat together."""
    seeds = range(random_state, random_state + n_repeats)
    subsets = [nested_subsets(experiment.y_source, fractions, seed) for seed in seeds]
    return [
        Setting(name, number, fraction, repeat, seed, subsets[repeat][fraction])
        for name, system in experiment.systems.items()
        for repeat, seed in enumerate(seeds)
        for number in ((0,) if system is None else n_synthetic)
        for fraction in fractions
    ]


def _compute(
    experiment: Experiment,
    settings: list[Setting],
    results_dir: str | os.PathLike | None,
    *,
    n_jobs: int | None,
    verbose: int | bool,
) -> list[dict[str, Any]]:
    """Return the records of the settings, found or computed now."""
    store = ResultsStore(results_dir)
    # What is not kept needs no key that tells it apart from other runs.
    keys = [str(number) for number in range(len(settings))]
    if results_dir is not None:
        keys = make_keys(experiment, settings)
    records = store.load_all(keys, what="settings", verbose=verbose)
    missing = [pair for pair in zip(settings, keys, strict=True) if pair[1] not in records]
    jobs = [
        list(group) for _, group in groupby(missing, lambda pair: (pair[0].system, pair[0].repeat))
    ]
    done = Parallel(n_jobs=n_jobs, return_as="generator_unordered")(
        delayed(run_settings)(experiment, *zip(*job, strict=True), store, os.getpid())
        for job in jobs
    )
    with tqdm(total=len(missing), desc="settings", disable=not verbose) as bar:
        for found in done:
            records |= found
            bar.update(len(found))
    return [records[key] for key in keys]
