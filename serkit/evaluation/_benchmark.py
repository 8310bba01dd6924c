"""Compare pipelines on several corpora, by several protocols."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sklearn.base import BaseEstimator

from serkit.datasets import Corpus
from serkit.evaluation._benchmark_result import BenchmarkResult, Cell
from serkit.evaluation._checks import check_keep_models, check_on_error, describe_folds
from serkit.evaluation._collect import collect_result, failed_folds
from serkit.evaluation._features import choose_cache
from serkit.evaluation._metrics import FailedFold
from serkit.evaluation._plan import Plan, make_plan
from serkit.evaluation._result import ComparisonResult
from serkit.evaluation._run import first_error, run_plan
from serkit.evaluation._store import ResultsStore
from serkit.model_selection import LeaveSpeakersOut

__all__ = ["benchmark"]


def benchmark(
    corpora: Mapping[str, Corpus] | Sequence[Corpus],
    pipelines: Mapping[str, BaseEstimator] | Callable[[Corpus, Any], Mapping[str, BaseEstimator]],
    protocols: Any = None,
    *,
    X: Mapping[str, Any] | None = None,
    seeds: Sequence[int] | None = None,
    results_dir: str | os.PathLike | None = None,
    cache: str | os.PathLike | None = "auto",
    allow_speaker_overlap: bool = False,
    return_train_score: bool = False,
    keep_models: bool = False,
    on_error: str = "raise",
    n_jobs: int | None = None,
    verbose: int | bool = 1,
) -> BenchmarkResult:
    """Compare pipelines on every corpus by every protocol, with one leaderboard.

    Each corpus and protocol is a cell, computed as by :func:`compare`. All cells
    are checked before the first is computed. With a ``results_dir`` a stopped
    run goes on where it was, whatever stopped it, and further corpora, pipelines
    or seeds cost no more than themselves.

    Parameters
    ----------
    corpora : dict of str to Corpus, or sequence of Corpus
        What to test on; in a sequence each has a name of its own.
    pipelines : dict of str to estimator, or callable
        What to compare. A callable gets the corpus and the splitter and returns
        such a dict, for pipelines that depend on these, by validation speakers
        say; one that it leaves out is missing from that cell.
    protocols : splitter, callable, dict of str to these, or None, default=None
        The folds, by the name in tables. A callable gets the corpus and returns
        what ``cv`` of :func:`compare` takes, or None where the protocol does not
        exist for the corpus. ``None`` is ``LeaveSpeakersOut(1)``.
    X : dict of str to audio, frames or functionals, or None, default=None
        What the pipelines get instead of the audio, by the names of corpora.
    seeds : sequence of int or None, default=None
        One run per seed, to which every ``random_state`` is set. ``None`` is
        one run in which those ``random_state`` that are None are set to 0.
    results_dir : path-like or None, default=None
        Where finished folds are kept; ``None`` keeps nothing.
    cache : path-like, "auto" or None, default="auto"
        Where features of utterances are kept; "auto" is the folder ``cache`` in
        ``results_dir``, or nothing without one, and then each cell computes its
        own.
    allow_speaker_overlap : bool, default=False
        Accept folds with a speaker on both sides, and say so.
    return_train_score : bool, default=False
        Score the training utterances too.
    keep_models : bool, default=False
        Write the fitted model of every fold to the folder ``models`` in
        `results_dir`, by :func:`serkit.persistence.save`; of a search, the best
        estimator. A fold that was finished without is fitted again, but for
        models that cannot be written, whatever is installed or registered.
        The ``load_model`` of a cell's result loads one.
    on_error : {"raise", "warn"}, default="raise"
        What a fold that fails means. With "raise" all other folds of all cells
        are finished and stored first, if there is a ``results_dir``; then its
        error is raised. With "warn" what failed is missing from the result,
        which says so.
    n_jobs : int or None, default=None
        Number of folds (and utterances) computed in parallel, by joblib.
    verbose : int or bool, default=1
        Show progress bars when positive.

    Returns
    -------
    result : BenchmarkResult
        Leaderboard, tests, the :class:`ComparisonResult` of every cell, and
        reports of them.

    Raises
    ------
    SpeakerLeakageError
        If a fold has a speaker in both parts.
    ValueError
        If there is nothing to run, a corpus has no name, or what
        :func:`compare` says. An error of a fold is raised as it is, with notes
        that name fold and cell.

    Warns
    -----
    FitFailedWarning
        If a fold fails and the others go on.
    UserWarning
        If a search inside a pipeline has speakers on both sides of its splits.

    See Also
    --------
    compare : Does this for one corpus and protocol.
    cross_corpus_validate : Trains on one corpus and tests on another.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from serkit.datasets import make_emotional_speech
    >>> from serkit.evaluation import benchmark
    >>> from serkit.feature_extraction import MFCC, TemporalPooling
    >>> from serkit.model_selection import LeaveSpeakersOut
    >>> from serkit.pipeline import make_pipeline
    >>> corpora = {
    ...     name: make_emotional_speech(4, ["anger", "sadness"], n_sentences=2, random_state=seed)
    ...     for seed, name in enumerate(["here", "there"])
    ... }
    >>> steps = MFCC(n_mfcc=5), TemporalPooling()
    >>> pipelines = {
    ...     "Bayes": make_pipeline(*steps, GaussianNB()),
    ...     "chance": make_pipeline(*steps, DummyClassifier()),
    ... }
    >>> protocols = {"loso": LeaveSpeakersOut(1), "leave 2": LeaveSpeakersOut(2)}
    >>> result = benchmark(corpora, pipelines, protocols, verbose=0)
    >>> result.leaderboard()[["UAR here, loso", "UAR there, loso", "mean rank", "wins"]]
              UAR here, loso  UAR there, loso  mean rank  wins
    pipeline
    Bayes               0.75             0.75        1.0     4
    chance              0.50             0.50        2.0     0
    """
    check_on_error(on_error)
    check_keep_models(keep_models, results_dir)
    corpora = _name_corpora(corpora, X)
    plans: dict[Cell, Plan] = {}
    for cell, cv in _list_cells(corpora, protocols).items():
        corpus = corpora[cell.corpus]
        try:
            plans[cell] = make_plan(
                corpus,
                pipelines(corpus, cv) if callable(pipelines) else pipelines,
                cv=cv,
                X=None if X is None else X.get(cell.corpus),
                seeds=seeds,
                allow_speaker_overlap=allow_speaker_overlap,
                return_train_score=return_train_score,
                protocol=cell.protocol,
                keyed=results_dir is not None,
                name=cell.corpus,
            )
        except Exception as error:
            error.add_note(f"on {cell}")
            raise
    store = ResultsStore(results_dir)
    results: dict[tuple[str, str], ComparisonResult] = {}
    failures: dict[tuple[str, str], tuple[FailedFold, ...]] = {}
    errors: dict[tuple[Cell, str], Exception] = {}
    for cell, plan in plans.items():
        records, found = run_plan(
            plan,
            store,
            cache=choose_cache(cache, results_dir),
            stop=on_error == "raise" and results_dir is None,
            n_jobs=n_jobs,
            verbose=verbose,
            keep_models=keep_models,
        )
        errors |= {(cell, key): error for key, error in found.items()}
        if found:
            failures[cell] = failed_folds(plan.tasks, found)
        if records:
            results[cell] = collect_result(plan, records, found, store)
    if errors and (on_error == "raise" or not results):
        raise first_error(errors)
    return BenchmarkResult(results, failures)


def _name_corpora(
    corpora: Mapping[str, Corpus] | Sequence[Corpus], X: Mapping[str, Any] | None
) -> dict[str, Corpus]:
    if isinstance(corpora, Corpus):
        corpora = [corpora]
    if isinstance(corpora, Mapping):
        named = dict(corpora)
    else:
        named = {corpus.name or "": corpus for corpus in corpora}
        if "" in named or len(named) < len(corpora):
            raise ValueError(
                "every corpus needs a name of its own, these have "
                f"{[corpus.name for corpus in corpora]}; give them as a dict of names to corpora"
            )
    if not named:
        raise ValueError("there are no corpora to test on")
    unknown = sorted(set(X or ()) - set(named))
    if unknown:
        raise ValueError(f"X is of corpora that are not there: {unknown}; there are {list(named)}")
    return named


def _list_cells(corpora: Mapping[str, Corpus], protocols: Any) -> dict[Cell, Any]:
    """Return the folds of every corpus and protocol that go together."""
    protocols = LeaveSpeakersOut(1) if protocols is None else protocols
    single = not isinstance(protocols, Mapping)
    cells = {}
    for corpus_name, corpus in corpora.items():
        for name, protocol in ({"": protocols} if single else protocols).items():
            cv = protocol(corpus) if callable(protocol) else protocol
            if cv is not None:
                cells[Cell(corpus_name, name or describe_folds(cv))] = cv
    if not cells:
        raise ValueError("there is nothing to run: no protocol exists for any corpus")
    return cells
