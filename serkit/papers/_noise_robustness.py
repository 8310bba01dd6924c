"""Systems trained with and without noisy copies, and tested in noise."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import takewhile
from typing import Any, ClassVar

import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags

from serkit.augmentation import NoiseMixer
from serkit.evaluation import HoldoutSearchCV, robustness_curve
from serkit.feature_extraction import CachedTransformer
from serkit.papers._experiment import (
    Experiment,
    Found,
    Systems,
    classical,
    without_note,
)
from serkit.papers._setting import Folds, Setting
from serkit.pipeline import Pipeline

__all__ = ["NoiseRobustness"]

#: In dB; the paper draws from the range that they span.
RATIOS = (15.0, 10.0, 5.0, 0.0, -5.0, -10.0)


@dataclass(frozen=True)
class NoiseRobustness(Experiment):
    """Systems trained on clean speech, and on noisy copies as well, tested at every ratio.

    At scale "paper" all noises are both trained and tested with, as there; else every other one
    is trained with, and the rest is tested with.

    Parameters
    ----------
    systems : callable
        As in :class:`FoldComparison`; pipelines from audio that end in a network.
    copies : dict of str to int or (int, int)
        By scale, the noisy copies of every utterance, or noises and ratios of each.
    """

    with_noise: ClassVar[bool] = True
    systems: Systems = field(repr=False, default=lambda folds: {})
    copies: Mapping[str, Any] = field(default_factory=dict)

    def makers(self, folds: Folds) -> Mapping[str, Callable[[], BaseEstimator]]:
        """Return what makes each system, trained clean, and with noise if there is any."""
        makers = {**classical(folds), **self.systems(folds)}
        ways = {"clean": lambda make: make()}
        if folds.setting.noises:
            ways["with noise"] = partial(_with_noise, folds.setting, self.copies[folds.scale])
        return {
            _named(name, way): partial(train, make)
            for name, make in makers.items()
            for way, train in ways.items()
        }

    def run(self, setting: Setting) -> Iterator[Found]:
        """Train on every corpus, and test its folds at every ratio."""
        for corpus in setting.corpora.values():
            folds = self.folds(corpus, setting)
            systems = setting.wanted(self.makers(folds))
            if systems:
                curve = robustness_curve(
                    folds.corpus,
                    systems,
                    _divide(setting)[1],
                    snrs=RATIOS,
                    cv=list(folds.parts.values()),
                    seeds=setting.seeds,
                    **setting.store_options(),
                )
                yield self._found(folds, curve)

    def _found(self, folds: Folds, curve: pd.DataFrame) -> Found:
        seeds = folds.setting.seeds
        by_fold = 100 * curve.pivot_table(
            index=["pipeline", "fold"], columns="snr", values="UAR", sort=False
        )
        columns = {"UAR clean": by_fold[math.inf], "UAR noisy": by_fold[list(RATIOS)].mean(axis=1)}
        columns |= {f"UAR {ratio:g} dB": by_fold[ratio] for ratio in RATIOS}
        tested = pd.concat([folds.corpus.table.iloc[test] for _, test in folds.parts.values()])
        about = {
            "folds": len(folds.parts),
            "seeds": len(seeds),
            "speakers": tested["speaker"].nunique(),
        }
        rows = [
            {"system": name, "metric": metric, "value": scores.mean(), "SD": scores.std(), **about}
            for metric, column in columns.items()
            for name, scores in column.groupby("pipeline", sort=False)
        ]
        shown = pd.DataFrame(
            {
                metric.removeprefix("UAR "): column.groupby("pipeline", sort=False).mean().round(1)
                for metric, column in columns.items()
            }
        )
        trained, heard = (len(noises) for noises in _divide(folds.setting))
        return Found(
            self.name,
            folds.corpus.name or "",
            pd.DataFrame(rows),
            f"{folds.describe()}; {trained} noises trained with, {heard} tested with; mean UAR "
            f"over folds in percent, noisy: {RATIOS[-1]:g} to {RATIOS[0]:g} dB\n"
            f"{shown.to_string()}",
        )


def _named(name: str, way: str) -> str:
    plain = without_note(name)
    return f"{plain}, trained {way}{name.removeprefix(plain)}"


def _divide(setting: Setting) -> tuple[Sequence[Any], Sequence[Any]]:
    """Return the noises to train with, and those to test with."""
    noises = list(setting.noises)
    if setting.scale == "paper" or len(noises) < 2:
        return noises, noises
    return noises[::2], noises[1::2]


def _with_noise(setting: Setting, copies: Any, make: Callable[[], BaseEstimator]) -> BaseEstimator:
    """Return a system that adds noisy copies to what it is trained on, of which features are kept.

    Copies come in every fold, and their audio would fill the memory.
    """
    noises, _ = _divide(setting)
    cache = None if setting.results_dir is None else setting.results_dir / "cache"

    def behind(pipeline: Any) -> Pipeline:
        steps = list(pipeline.steps)
        head = list(takewhile(lambda step: not get_tags(step[1]).requires_fit, steps[:-1]))
        features = make_pipeline(*(step for _, step in head))
        return Pipeline(
            [
                ("noisemixer", NoiseMixer(noises, n_copies=copies, random_state=0)),
                ("features", CachedTransformer(features, cache)),
                *steps[len(head) :],
            ]
        )

    system = make()
    if isinstance(system, HoldoutSearchCV):
        return clone(system).set_params(estimator=behind(system.estimator))
    return behind(system)
