"""From one corpus to another: networks tuned there or not, beside functionals and an SVM."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import permutations
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone

from serkit.datasets import Corpus
from serkit.evaluation import ComparisonResult, compare, cross_corpus_validate
from serkit.papers._experiment import (
    BASELINE,
    Experiment,
    Found,
    Systems,
    classical,
    cost_of_epochs,
    summarize,
    without_note,
)
from serkit.papers._setting import Folds, Setting

__all__ = ["CrossCorpus"]

UNFREEZE = (0, 1, 2, 3)
_WAYS = ["in-corpus", "zero-shot", "last 1 tuned", "last 2 tuned", "last 3 tuned"]


@dataclass(frozen=True)
class CrossCorpus(Experiment):
    """Networks of one corpus on the folds of another, from every corpus to every other.

    Parameters
    ----------
    systems : callable
        As in :class:`FoldComparison`; pipelines that end in a network, which validates on
        whatever speakers there are.
    prepare : callable
        Takes a corpus, returns the utterances that are used.
    fine_tune : dict of str to dict
        By scale, how the last stages are trained.
    lr : float
        Rate at which they are.
    """

    n_corpora: ClassVar[int] = 2
    systems: Systems = field(repr=False, default=lambda folds: {})
    prepare: Callable[[Corpus], Corpus] = field(repr=False, default=lambda corpus: corpus)
    fine_tune: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    lr: float = 1e-4

    def makers(self, folds: Folds) -> Mapping[str, Callable[[], BaseEstimator]]:
        """Return what makes each network."""
        return self.systems(folds)

    def folds(self, corpus: Corpus, setting: Setting) -> Folds:
        """Return the folds of the utterances that are used."""
        return self.protocol(self.prepare(corpus), setting)

    def run(self, setting: Setting) -> Iterator[Found]:
        """Go every way between two corpora."""
        for source, folds in self._ways(setting):
            results = {
                name: self._tune(network, source, folds, name)
                for name, network in setting.wanted(self.makers(folds)).items()
            }
            for name, svm in setting.wanted(classical(folds)).items():
                results = {name: _baseline(svm, source, folds)} | results
            if results:
                yield self._found(source, folds, results)

    def estimate(self, setting: Setting) -> pd.DataFrame:
        """Measure what an epoch of every network costs, and how many there may be.

        Epochs are those of the training part of a fold of the target; those on the source are
        counted in proportion to its size.
        """
        rows = []
        for source, folds in self._ways(setting):
            train, _ = next(iter(folds.parts.values()))
            n_folds, n_seeds = len(folds.parts), len(setting.seeds)
            n_tuned = n_folds * sum(part > 0 for part in UNFREEZE)
            longer = len(source) / len(train)
            for name, network in setting.wanted(self.makers(folds)).items():
                seconds, n_epochs = cost_of_epochs(network, folds)
                most = (longer + n_folds) * n_epochs
                most += n_tuned * self.fine_tune[setting.scale]["max_epochs"]
                rows.append(
                    {
                        "experiment": self.name,
                        "corpus": f"{source.name} → {folds.corpus.name}",
                        "system": name,
                        "fits": n_seeds * (1 + n_folds + n_tuned),
                        "epochs": n_epochs,
                        "seconds per epoch": seconds,
                        "hours": n_seeds * most * seconds / 3600,
                    }
                )
        return pd.DataFrame(rows)

    def _ways(self, setting: Setting) -> Iterator[tuple[Corpus, Folds]]:
        """Yield every corpus to learn from with the folds of every other, of the same emotions."""
        prepared = [self.prepare(corpus) for corpus in setting.corpora.values()]
        for pair in permutations(prepared, 2):
            common = sorted(set(pair[0].emotions) & set(pair[1].emotions))
            source, target = (
                self.protocol(corpus.select(emotion=common), setting) for corpus in pair
            )
            yield source.corpus, target

    def _tune(
        self, network: BaseEstimator, source: Corpus, folds: Folds, name: str
    ) -> ComparisonResult:
        setting = folds.setting
        return cross_corpus_validate(
            network,
            source,
            folds.corpus,
            unfreeze=UNFREEZE,
            cv=list(folds.parts.values()),
            fine_tune={"lr": self.lr, **self.fine_tune[setting.scale]},
            seeds=setting.seeds,
            protocol=f"{name}; {folds.describe()}",
            **setting.store_options(),
        )

    def _found(
        self, source: Corpus, folds: Folds, results: Mapping[str, ComparisonResult]
    ) -> Found:
        rows = [
            summarize(result).assign(system=lambda frame, name=name: _named(name, frame["system"]))
            for name, result in results.items()
        ]
        scores = {name: result.formatted_table()["UAR folds"] for name, result in results.items()}
        shown = pd.DataFrame(scores).T.reindex(columns=_WAYS).fillna("")
        return Found(
            self.name,
            f"{source.name} → {folds.corpus.name}",
            pd.concat(rows, ignore_index=True),
            "\n\n".join([*map(str, results.values()), f"UAR over folds\n{shown.to_string()}"]),
            replace(_joined(results), protocol=_describe(source, folds)),
        )


def _describe(source: Corpus, folds: Folds, *words: str) -> str:
    emotions = ", ".join(folds.corpus.emotions)
    way = f"{source.name} → {folds.corpus.name} on {emotions}"
    return "; ".join([way, *words, folds.describe()])


def _named(network: str, ways: pd.Series) -> pd.Series:
    """Return "GLAM, zero-shot [8 filters]" for every way of training "GLAM [8 filters]"."""
    plain = without_note(network)
    return plain + ", " + ways + network.removeprefix(plain)


def _joined(results: Mapping[str, ComparisonResult]) -> ComparisonResult:
    """Return the results of all networks as one."""

    def join(part: str) -> pd.DataFrame:
        frames = [
            getattr(result, part).assign(
                pipeline=lambda frame, name=name: _named(name, frame["pipeline"])
            )
            for name, result in results.items()
        ]
        return pd.concat(frames, ignore_index=True)

    return replace(
        next(iter(results.values())), folds=join("folds"), predictions=join("predictions")
    )


def _baseline(svm: BaseEstimator, source: Corpus, folds: Folds) -> ComparisonResult:
    """Return what functionals and an SVM do, trained on the target and on the source."""
    setting, target = folds.setting, folds.corpus
    # Speakers of the target keep their names, by which the folds know them.
    both = Corpus.concat([target, source], prefix=[None, source.name], name=target.name)
    parts = list(folds.parts.values())
    others = np.arange(len(target), len(both))
    ways = {
        "in-corpus": (svm, parts),
        # Tuned on a fifth of the speakers of the source.
        "zero-shot": (clone(svm).set_params(cv=None), [(others, test) for _, test in parts]),
    }
    options = {**setting.store_options(), "seeds": setting.seeds[:1]}
    results = [
        compare(both, {way: system}, cv=cv, protocol=_describe(source, folds, BASELINE), **options)
        for way, (system, cv) in ways.items()
    ]
    return replace(
        results[0],
        folds=pd.concat([result.folds for result in results], ignore_index=True),
        predictions=pd.concat([result.predictions for result in results], ignore_index=True),
    )
