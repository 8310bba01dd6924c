"""What embeddings know of the speaker: the check that training to forget the speaker needs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from serkit.inspection import speaker_probe_score
from serkit.papers._experiment import Experiment, Found, Systems
from serkit.papers._kept import kept
from serkit.papers._setting import Folds, Setting

__all__ = ["SpeakerProbe"]


@dataclass(frozen=True)
class SpeakerProbe(Experiment):
    """Speakers told apart from embeddings, of speakers trained on and of new ones.

    Parameters
    ----------
    systems : callable
        As in :class:`FoldComparison`; pipelines that end in a network.
    """

    systems: Systems = field(repr=False, default=lambda folds: {})

    def makers(self, folds: Folds) -> Mapping[str, Any]:
        """Return what makes each system."""
        return self.systems(folds)

    def run(self, setting: Setting) -> Iterator[Found]:
        """Train and probe in every fold."""
        for corpus in setting.corpora.values():
            folds = self.folds(corpus, setting)
            scores = [
                {
                    "system": name,
                    "fold": fold,
                    **kept(
                        _probe, setting, system, corpus.audio, corpus.speakers, corpus.y, *parts
                    ),
                }
                for name, system in setting.wanted(self.makers(folds)).items()
                for fold, parts in _parts(folds).items()
            ]
            if scores:
                yield _found(self.name, corpus.name or "", pd.DataFrame(scores), folds)


def _parts(folds: Folds) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Return, by fold, the training rows with those validated on, and the unseen rows."""
    parts = {}
    speakers = np.asarray(folds.corpus.speakers)
    for number, (train, test) in folds.parts.items():
        _, validation = next(folds.cv.inner().split(train, groups=speakers[train]))
        parts[number] = train, np.concatenate([train[validation], test])
    return parts


def _probe(
    system: BaseEstimator,
    X: np.ndarray,
    speakers: np.ndarray,
    y: np.ndarray,
    train: np.ndarray,
    unseen: np.ndarray,
) -> dict[str, float]:
    """Fit, and score a fresh classifier of the speakers on two sets of embeddings."""
    last = system.steps[-1][0]
    fitted = system.fit(X[train], y[train], **{f"{last}__speakers": speakers[train]})
    rows = {"trained on": np.setdiff1d(train, unseen), "unseen": unseen}
    return {
        name: speaker_probe_score(fitted, X[part], speakers[part]) for name, part in rows.items()
    }


def _found(name: str, corpus: str, scores: pd.DataFrame, folds: Folds) -> Found:
    table = 100 * scores.groupby("system", sort=False)[["trained on", "unseen"]].mean()
    spread = 100 * scores.groupby("system", sort=False)[["trained on", "unseen"]].std()
    rows = [
        {
            "system": system,
            "metric": f"speakers {part}",
            "value": table.loc[system, part],
            "SD": spread.loc[system, part],
            "folds": len(folds.parts),
            "seeds": 1,
        }
        for system in table.index
        for part in table
    ]
    details = f"{folds.describe()}; speakers recognised, in percent\n{table.round(1).to_string()}"
    return Found(name, corpus, pd.DataFrame(rows), details)
