"""Run an evaluation with other test rows, and see who notices."""

import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_consistent_length
from tqdm.auto import tqdm

from serkit.datasets import Corpus
from serkit.evaluation._checks import (
    check_labels,
    find_crossing,
    make_folds,
    warn_of_known_speakers,
)
from serkit.evaluation._fold import seeded
from serkit.evaluation._leakage_report import Leak, LeakageReport
from serkit.evaluation._poisoned_fold import Evaluation, FitPipeline, PoisonedFold, collect_leaks
from serkit.model_selection import LeaveSpeakersOut
from serkit.utils import check_speakers

__all__ = ["check_leakage", "find_leaks"]


def check_leakage(
    evaluation: BaseEstimator | Evaluation,
    X: Any,
    y: Any = None,
    *,
    speakers: Any = None,
    cv: Any = None,
    n_folds: int | None = 2,
    on_leak: str | None = "raise",
    random_state: int = 0,
    verbose: int | bool = 0,
) -> LeakageReport:
    """Check that nothing in an evaluation depends on what it is tested on.

    A fold is run as it is, and then with *poisoned* test rows: half of the test
    utterances of every speaker are exchanged for something very different, and
    all test labels are wrong; then the other half. Nothing that is fitted may
    change, nor what is said of the test utterances that stayed, and what is said
    of the exchanged ones has to. What changes first is reported.

    A pipeline is run as :func:`compare` runs it. That shows steps that look at
    other test utterances, and frozen parts that were fitted on test speakers.
    What is done before a pipeline, with all rows (scaling, sampling, choosing
    features or parameters), it cannot show: hand in the whole evaluation of a
    fold, as a function.

    Parameters
    ----------
    evaluation : estimator or callable
        A pipeline; or ``evaluation(X, y, speakers, train, test)``, which gets
        *all* rows, and the indices of a fold. It returns what it has fitted, or
        what it says of the test rows, the classes or better the scores, with one
        entry per test row; or a dict of these by name, in the order in which
        they are made. Other arrays in it, such as the features that are trained
        on, have to stay as they are.
    X : Corpus, audio, frames or functionals
        The utterances. A corpus brings `y` and `speakers` along.
    y : array-like of shape (n_utterances,), default=None
        Their classes.
    speakers : array-like of shape (n_utterances,), default=None
        Their speakers.
    cv : splitter, int, iterable of (train, test) or None, default=None
        The folds, made with the speakers as groups; ``None`` is
        ``LeaveSpeakersOut(1)``.
    n_folds : int or None, default=2
        How many of the folds are run, spread over all; ``None`` runs all. A fold
        takes two fits of a pipeline, three calls of a function, and some more
        where there is a leak.
    on_leak : {"raise", "warn"} or None, default="raise"
        What to do besides returning the report.
    random_state : int, default=0
        Seed of what is put in place of the test utterances, of every
        ``random_state`` of a pipeline that is None, and of the global generators
        of NumPy, PyTorch and Python during each run.
    verbose : int or bool, default=0
        Show a progress bar over folds when positive.

    Returns
    -------
    report : LeakageReport
        The leaks, and the transductive steps, which are named and not failed.

    Raises
    ------
    LeakageError
        If there is a leak and `on_leak` is "raise".
    ValueError
        If two equal runs differ, so that nothing can be said.
    TypeError
        If a function returns a score, which depends on the test rows by nature.

    Warns
    -----
    UserWarning
        If there is a leak and `on_leak` is "warn"; if a search inside a pipeline
        has speakers on both sides of its splits.

    See Also
    --------
    serkit.model_selection.check_speaker_leakage : The same of splits alone.
    compare : Has ``check_leakage=True``.

    Notes
    -----
    What is exchanged shows where it goes, not what is looked up: of a parameter
    tuned on test rows nothing is seen if the poisoned ones happen to choose the
    same one and the search itself is not returned. A cache is found out if it goes
    by names or row numbers; one by the content of utterances that keeps what a
    fitted step made of them is not (a
    :class:`~serkit.feature_extraction.CachedTransformer` refuses such steps).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn.svm import SVC
    >>> from serkit.evaluation import check_leakage
    >>> X = np.random.default_rng(0).normal(size=(24, 3))
    >>> y, speakers = ["joy", "anger"] * 12, np.repeat(["a", "b", "c"], 8)
    >>> print(check_leakage(make_pipeline(StandardScaler(), SVC()), X, y, speakers=speakers))
    no leak in folds 0, 2
    >>> def scaled_before(X, y, speakers, train, test):
    ...     X = StandardScaler().fit_transform(X)
    ...     return SVC().fit(X[train], y[train])
    >>> print(check_leakage(scaled_before, X, y, speakers=speakers, n_folds=1, on_leak=None))
    1 leak in fold 0
      fold 0: what SVC has learnt (support_vectors_, dual_coef_, intercept_, ...)
      depends on utterances of the test part
    """
    if on_leak not in ("raise", "warn", None):
        raise ValueError(f'on_leak must be "raise", "warn" or None, got {on_leak!r}')
    X, y, speakers = _check_data(X, y, speakers)
    cv = LeaveSpeakersOut(1) if cv is None else cv
    folds, shared = make_folds(cv, X, y, speakers, allow_overlap=True)
    chosen = _spread(len(folds), n_folds)
    report = find_leaks(
        evaluation,
        X,
        y,
        speakers,
        {number: folds[number] for number in chosen},
        random_state=random_state,
        verbose=verbose,
    )
    on_both_sides = [
        Leak("speakers", fold, what=f"speakers {', '.join(map(str, names))}")
        for fold, names in shared.items()
    ]
    crossing = isinstance(evaluation, BaseEstimator) and bool(
        find_crossing({type(evaluation).__name__: evaluation}, folds, y, speakers)
    )
    report = replace(report, leaks=(*on_both_sides, *report.leaks), crossing=crossing)
    if on_leak == "raise":
        report.raise_for_leaks()
    if on_leak == "warn" and not report.ok:
        warnings.warn(str(report), UserWarning, stacklevel=2)
    return report


def find_leaks(
    evaluation: BaseEstimator | Evaluation,
    X: Any,
    y: np.ndarray,
    speakers: np.ndarray,
    folds: Mapping[int, tuple[np.ndarray, np.ndarray]],
    *,
    random_state: int = 0,
    verbose: int | bool = 0,
) -> LeakageReport:
    """Run some folds with poisoned test rows; whether their speakers differ is not looked at."""
    reports = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if isinstance(evaluation, BaseEstimator):
            with collect_leaks() as leaks:
                warn_of_known_speakers(
                    {type(evaluation).__name__: evaluation}, list(folds.values()), speakers
                )
            reports.append(LeakageReport(tuple(leaks)))
            model = seeded(evaluation, random_state, override=False)
            evaluation = FitPipeline(model, folder / "cache")
        elif not callable(evaluation):
            raise TypeError(
                "evaluation must be an estimator or a function of X, y, speakers, train and test; "
                f"got {evaluation!r}"
            )
        for number, (train, test) in tqdm(folds.items(), desc="folds", disable=not verbose):
            fold = PoisonedFold(
                X, y, speakers, train, test, folder=folder / str(number), seed=random_state
            )
            found = fold.search(evaluation)
            leaks = [replace(leak, fold=number) for leak in found.leaks]
            reports.append(replace(found, leaks=tuple(leaks)))
    return LeakageReport(
        leaks=tuple(leak for report in reports for leak in report.leaks),
        transductive=tuple(sorted({step for report in reports for step in report.transductive})),
        folds=tuple(folds),
    )


def _check_data(X: Any, y: Any, speakers: Any) -> tuple[Any, np.ndarray, np.ndarray]:
    if isinstance(X, Corpus):
        if y is not None or speakers is not None:
            raise ValueError(
                "a corpus has y and speakers of its own; give corpus.audio with others"
            )
        return X.audio, *check_labels(X, X.audio)
    if y is None or speakers is None:
        raise ValueError("y and speakers are needed, unless X is a Corpus")
    y, speakers = np.asarray(y), check_speakers(speakers, X)
    check_consistent_length(X, y)
    if y.dtype.kind == "U":
        y = y.astype(object)
    return X, y, speakers


def _spread(n_folds: int, n_wanted: int | None) -> list[int]:
    """Return the numbers of some folds, as far from each other as they can be."""
    if n_wanted is None or n_wanted >= n_folds:
        return list(range(n_folds))
    if n_wanted < 1:
        raise ValueError(f"n_folds must be 1 or more, or None for all; got {n_wanted}")
    return np.linspace(0, n_folds - 1, n_wanted).round().astype(int).tolist()
