"""Which time scales of a network win, before training and after it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from serkit.papers._experiment import Experiment, Found, fit_with_speakers
from serkit.papers._guizzo2023_time_scales import time_scale_system
from serkit.papers._kept import kept
from serkit.papers._setting import Folds, Setting

__all__ = ["ScaleUsage"]

#: The sets of scales that are the best of the thesis on some corpus.
_SETS = {
    "smoke": ((0.7, 1.0, 1.428),),
    "bench": ((0.7, 1.0, 1.428), (0.5, 1.0, 2.0)),
    "paper": ((0.7, 1.0, 1.428), (0.5, 1.0, 2.0), (0.5, 0.7, 1.0, 1.428, 2.0)),
}


@dataclass(frozen=True)
class ScaleUsage(Experiment):
    """The share of cells that every scale wins, on the test speakers of the first fold."""

    repeated: ClassVar[bool] = False

    def run(self, setting: Setting) -> Iterator[Found]:
        """Train a network with every set of scales, and a copy that stays as it began."""
        for corpus in setting.corpora.values():
            folds = self.folds(corpus, setting)
            rows = [row for system in _systems(folds) for row in _shares(*system, folds)]
            if rows:
                found = pd.DataFrame(rows).assign(SD=np.nan, folds=1, seeds=1)
                table = found.pivot(index="system", columns="metric", values="value").round(1)
                number = next(iter(folds.parts))
                details = f"A1, test speakers of fold {number}, cells won\n{table.to_string()}"
                yield Found(self.name, corpus.name or "", found, details)


def _systems(folds: Folds) -> Iterator[tuple[str, BaseEstimator]]:
    for factors in _SETS[folds.scale]:
        text = f"scales {', '.join(f'{factor:g}' for factor in factors)}"
        for name, changes in {f"{text}, untrained [A1]": {"lr": 1e-12}, f"{text} [A1]": {}}.items():
            if folds.setting.wants(name):
                yield name, time_scale_system("A1", factors, folds, cut=False, **changes)


def _shares(name: str, system: BaseEstimator, folds: Folds) -> list[dict[str, Any]]:
    corpus = folds.corpus
    parts = next(iter(folds.parts.values()))
    data = corpus.audio, corpus.y, corpus.speakers, *parts
    shares = kept(_usage, folds.setting, system, *data)
    return [
        {"system": name, "metric": f"scale {factor:g}", "value": 100 * share}
        for factor, share in shares.items()
    ]


def _usage(
    system: Any, X: Any, y: np.ndarray, speakers: np.ndarray, train: np.ndarray, test: np.ndarray
) -> dict[float, float]:
    """Fit, and return the share of each factor in the only convolution."""
    fit_with_speakers(system, X[train], y[train], speakers[train])
    usage = system[-1].scale_usage(system[:-1].transform(X[test]))
    return usage.iloc[0].to_dict()
