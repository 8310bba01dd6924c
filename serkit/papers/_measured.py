"""What is measured of a network in every fold, other than how it does on test speakers."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone

from serkit.inspection import speaker_probe_score
from serkit.papers._experiment import Experiment, Found, Systems, fit_with_speakers
from serkit.papers._kept import kept
from serkit.papers._setting import Folds, Setting

__all__ = ["Measured", "recognised_speakers", "seeded", "validation_uar"]


@dataclass(frozen=True)
class Measured(Experiment):
    """Networks trained in every fold, and something measured of each.

    Parameters
    ----------
    measure : callable
        Takes a fitted pipeline, audio, speakers, and the rows trained on, validated on and
        tested; returns values from 0 to 1 by name.
    systems : callable
        As in :class:`FoldComparison`; pipelines that end in a network.
    """

    measure: Callable[..., dict[str, float]] = field(kw_only=True)
    systems: Systems = field(kw_only=True, repr=False)

    def makers(self, folds: Folds) -> Mapping[str, Any]:
        """Return what makes each system."""
        return self.systems(folds)

    def run(self, setting: Setting) -> Iterator[Found]:
        """Train and measure in every fold."""
        for corpus in setting.corpora.values():
            folds = self.folds(corpus, setting)
            data = corpus.audio, corpus.y, corpus.speakers
            values = [
                {
                    "system": name,
                    "fold": fold,
                    **kept(
                        _fit_and_measure, setting, seeded(system, seed), *data, self.measure, parts
                    ),
                }
                for name, system in setting.wanted(self.makers(folds)).items()
                for seed in setting.seeds
                for fold, parts in _parts(folds).items()
            ]
            if values:
                yield self._found(folds, pd.DataFrame(values))

    def _found(self, folds: Folds, values: pd.DataFrame) -> Found:
        tidy = values.melt(["system", "fold"], var_name="metric")
        tidy["value"] *= 100
        # The mean over seeds.
        tidy = tidy.groupby(["system", "fold", "metric"], sort=False, as_index=False).mean()
        grouped = tidy.groupby(["system", "metric"], sort=False)["value"]
        rows = grouped.agg(value="mean", SD="std").reset_index()
        rows = rows.assign(folds=len(folds.parts), seeds=len(folds.setting.seeds))
        shown = tidy.pivot(index="system", columns=["metric", "fold"], values="value")
        shown = shown.reindex(values["system"].unique()).round(1)
        details = f"{folds.describe()}; {self.title}, in percent\n{shown.to_string()}"
        return Found(self.name, folds.corpus.name or "", rows, details)


def seeded(system: BaseEstimator, seed: int) -> BaseEstimator:
    """Return a clone whose network has a seed."""
    names = [name for name in system.get_params() if name.rpartition("__")[2] == "random_state"]
    return clone(system).set_params(**dict.fromkeys(names, seed))


def validation_uar(fitted: Any, *_: Any) -> dict[str, float]:
    """Return the UAR on the validation speakers, of the best epoch."""
    return {"UAR validation": float(fitted[-1].history_["valid_uar"].max())}


def recognised_speakers(
    fitted: Any,
    X: np.ndarray,
    speakers: np.ndarray,
    train: np.ndarray,
    validation: np.ndarray,
    test: np.ndarray,
) -> dict[str, float]:
    """Return how well speakers are told from embeddings, of those trained on and of others."""
    rows = {"trained on": train, "unseen": np.concatenate([validation, test])}
    return {
        f"speakers {name}": speaker_probe_score(fitted, X[part], speakers[part])
        for name, part in rows.items()
    }


def _parts(folds: Folds) -> dict[int, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return, by fold, the rows to train on, to validate on and to test."""
    parts = {}
    y, speakers = folds.corpus.y, np.asarray(folds.corpus.speakers)
    for number, (train, test) in folds.parts.items():
        splits = folds.validation.split(train, y[train], speakers[train])
        inner, validation = next(iter(splits))
        parts[number] = train[inner], train[validation], test
    return parts


def _fit_and_measure(
    system: BaseEstimator,
    X: np.ndarray,
    y: np.ndarray,
    speakers: np.ndarray,
    measure: Callable[..., dict[str, float]],
    parts: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> dict[str, float]:
    """Fit on the rows for training and validation, and measure."""
    train, validation, _ = parts
    rows = np.sort(np.concatenate([train, validation]))
    fitted = fit_with_speakers(system, X[rows], y[rows], speakers[rows])
    return measure(fitted, X, speakers, *parts)
