"""Experiments: what is run, on which corpora, and the rows that come out of it."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from serkit.datasets import Corpus
from serkit.evaluation import ComparisonResult, HoldoutSearchCV, compare
from serkit.feature_extraction import OpenSmileFunctionals
from serkit.papers._setting import Folds, Setting, pairs_out
from serkit.preprocessing import AudioLoader

__all__ = [
    "BASELINE",
    "Experiment",
    "FoldComparison",
    "Found",
    "Systems",
    "classical",
    "cost_of_epochs",
    "fit_with_speakers",
    "functionals_svm",
    "summarize",
    "without_note",
]

#: The classical system that stands in every table.
BASELINE = "ComParE_2016 + SVM"
Systems = Callable[[Folds], Mapping[str, Callable[[], BaseEstimator]]]


@dataclass
class Found:
    """What an experiment found on one corpus, or from one corpus to another.

    Parameters
    ----------
    experiment : str
        Its name.
    corpus : str
        The corpus tested.
    rows : DataFrame
        One row per system and metric: ``system``, ``metric``, ``value`` and its standard
        deviation over folds ``SD``, both in percent, number of ``folds``, ``seeds`` and test
        ``speakers``.
    details : str
        What is printed.
    comparison : ComparisonResult or None
        Every prediction, if the experiment compares pipelines on folds.
    """

    experiment: str
    corpus: str
    rows: pd.DataFrame
    details: str
    comparison: ComparisonResult | None = None


@dataclass(frozen=True)
class Experiment(ABC):
    """Something that a paper did, as far as it can be done here.

    Parameters
    ----------
    name : str
        How it is asked for.
    title : str
        What it is.
    part : str
        Where in the paper it is.
    corpora : tuple of str
        What the paper ran it on, by the names of the loaders.
    """

    name: str
    title: str
    part: str
    corpora: tuple[str, ...]
    #: Takes a corpus and the setting, returns the folds.
    protocol: Callable[[Corpus, Setting], Folds] = field(
        default=pairs_out, kw_only=True, repr=False
    )
    #: Whether other corpora than those of the paper do as well.
    any_corpus: ClassVar[bool] = True
    #: How many corpora it needs.
    n_corpora: ClassVar[int] = 1
    #: Whether it is run once for every seed.
    repeated: ClassVar[bool] = True
    #: Whether it needs noises.
    with_noise: ClassVar[bool] = False

    @property
    def needs(self) -> str:
        """Say what has to be given for it to run."""
        if self.with_noise:
            return "it needs noise or musan, a folder of noises, beside a corpus"
        if self.n_corpora > 1:
            return f"it needs two corpora, such as {' and '.join(self.corpora[:2])}"
        one_of = " or ".join(self.corpora)
        return f"it needs a corpus, such as {one_of}" if self.any_corpus else f"it needs {one_of}"

    @abstractmethod
    def run(self, setting: Setting) -> Iterator[Found]:
        """Run it on every corpus of the setting."""

    def makers(self, folds: Folds) -> Mapping[str, Callable[[], BaseEstimator]]:
        """Return what makes each system as a pipeline from audio; nothing if it has none."""
        return {}

    def folds(self, corpus: Corpus, setting: Setting) -> Folds:
        """Return the folds of a corpus."""
        return self.protocol(corpus, setting)

    def estimate(self, setting: Setting) -> pd.DataFrame:
        """Measure what an epoch of every network costs, and how many there may be.

        Parameters
        ----------
        setting : Setting
            What would be run.

        Returns
        -------
        costs : DataFrame
            One row per corpus and system: ``fits``, ``epochs`` at most, CPU ``seconds per
            epoch``, and ``hours`` at most.
        """
        rows = []
        setting = replace(setting, trial=True)
        for corpus in setting.corpora.values():
            folds = self.folds(corpus, setting)
            for name, system in setting.wanted(self.makers(folds)).items():
                n_fits = len(folds.parts) * len(setting.seeds)
                seconds, n_epochs = cost_of_epochs(system, folds)
                rows.append(self.cost(corpus, name, n_fits, n_epochs, seconds))
        return pd.DataFrame(rows)

    def cost(
        self, corpus: Corpus, system: str, n_fits: int, n_epochs: int, seconds: float
    ) -> dict[str, Any]:
        """Return a row of :meth:`estimate`."""
        return {
            "experiment": self.name,
            "corpus": corpus.name,
            "system": system,
            "fits": n_fits,
            "epochs": n_epochs,
            "seconds per epoch": seconds,
            "hours": n_fits * n_epochs * seconds / 3600,
        }


@dataclass(frozen=True)
class FoldComparison(Experiment):
    """Systems compared on the same folds, beside functionals and a linear SVM.

    Parameters
    ----------
    systems : callable
        Takes the folds, returns what makes each system by name: a pipeline from audio.
    baseline : bool
        Whether the classical system stands beside.
    note : str
        What a table has to say beside folds and scale.
    """

    systems: Systems = field(repr=False, default=lambda folds: {})
    baseline: bool = True
    note: str = ""

    def makers(self, folds: Folds) -> Mapping[str, Callable[[], BaseEstimator]]:
        """Return what makes each system, the classical one first."""
        beside = classical(folds) if self.baseline else {}
        return {**beside, **self.systems(folds)}

    def run(self, setting: Setting) -> Iterator[Found]:
        """Compare the systems on every corpus of the setting."""
        for corpus in setting.corpora.values():
            folds = self.folds(corpus, setting)
            systems = setting.wanted(self.makers(folds))
            if not systems:
                continue
            note = f"; {self.note}" if self.note else ""
            result = run_folds(systems, folds, protocol=f"{folds.describe()}{note}")
            yield Found(self.name, corpus.name or "", summarize(result), str(result), result)


def run_folds(systems: Mapping[str, BaseEstimator], folds: Folds, **options: Any) -> Any:
    """Compare fold by fold, so that a run that was stopped has whole folds."""
    setting = folds.setting
    options = {
        "seeds": setting.seeds,
        "return_train_score": True,
        **setting.store_options(),
        **options,
    }
    parts = list(folds.parts.values())
    if setting.results_dir is not None and setting.n_jobs in (None, 1):
        for part in parts:
            compare(folds.corpus, systems, cv=[part], **options)
        options["verbose"] = 0
    return compare(folds.corpus, systems, cv=parts, **options)


def summarize(result: ComparisonResult) -> pd.DataFrame:
    """Return the rows of a comparison in percent: means over folds, and all predictions pooled.

    Parameters
    ----------
    result : ComparisonResult
        What was found.

    Returns
    -------
    rows : DataFrame
        See :class:`Found`.
    """
    table = result.table()
    n_seeds = result.folds["seed"].nunique()
    rows = []
    for system, row in table.iterrows():
        about = {"folds": row["folds"], "seeds": n_seeds, "speakers": row["speakers"]}
        for metric in ("UAR", "WA"):
            mean, spread = 100 * row[f"{metric} mean"], 100 * row[f"{metric} SD"]
            rows.append({"system": system, "metric": metric, "value": mean, "SD": spread, **about})
            pooled = {"metric": f"{metric} pooled", "value": 100 * row[metric], "SD": np.nan}
            rows.append({"system": system, **pooled, **about})
    return pd.DataFrame(rows)


def without_note(system: str) -> str:
    """Return the name of a system without what it says in brackets of being other."""
    return system.partition(" [")[0]


def classical(folds: Folds) -> dict[str, Callable[[], BaseEstimator]]:
    """Return what makes the classical system, if there is openSMILE, and nothing on made speech.

    Parameters
    ----------
    folds : Folds
        Whose validation speakers it is tuned on.

    Returns
    -------
    makers : dict of str to callable
    """
    if folds.scale == "smoke" or find_spec("opensmile") is None:
        return {}
    return {BASELINE: lambda: functionals_svm("ComParE_2016", folds)}


def functionals_svm(feature_set: str, folds: Folds) -> HoldoutSearchCV:
    """Return functionals and a linear SVM whose C is chosen on the validation speakers.

    Parameters
    ----------
    feature_set : str
        See :class:`~serkit.feature_extraction.OpenSmileFunctionals`.
    folds : Folds
        Whose validation speakers.

    Returns
    -------
    search : HoldoutSearchCV
        From audio to emotions.
    """
    svm = make_pipeline(
        AudioLoader(), OpenSmileFunctionals(feature_set), StandardScaler(), SVC(kernel="linear")
    )
    return HoldoutSearchCV(svm, {"svc__C": [1e-4, 1e-3, 1e-2, 1e-1]}, cv=folds.validation)


def cost_of_epochs(system: BaseEstimator, folds: Folds) -> tuple[float, int]:
    """Return the CPU seconds of an epoch on the first fold, and the most epochs of a fit."""
    names = [name for name in system.get_params() if name.endswith("max_epochs")]
    if not names or isinstance(system, HoldoutSearchCV):
        return 0.0, 0
    train, _ = next(iter(folds.parts.values()))
    data = folds.corpus.audio[train], folds.corpus.y[train]
    seconds = []
    for n_epochs in (1, 1, 2):  # the first time is longer
        trial = clone(system).set_params(**dict.fromkeys(names, n_epochs))
        start = time.process_time()
        fit_with_speakers(trial, *data, folds.corpus.speakers[train])
        seconds.append(time.process_time() - start)
    return max(seconds[2] - seconds[1], 0.0), max(system.get_params()[name] for name in names)


def fit_with_speakers(system: Any, X: Any, y: Any, speakers: Any) -> Any:
    """Fit a pipeline whose last step asks for the speakers, and return it."""
    return system.fit(X, y, **{f"{system.steps[-1][0]}__speakers": speakers})
