"""What every part of a network knows of the emotion, and how it groups utterances."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from sklearn import config_context
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from sklearn.svm import SVC

from serkit.evaluation import HoldoutSearchCV
from serkit.inspection import ModuleFeatureExtractor, module_contributions, module_probe
from serkit.metrics import cluster_inertia_ratio
from serkit.papers._experiment import Experiment, Found, Systems
from serkit.papers._kept import kept
from serkit.papers._measured import seeded
from serkit.papers._setting import Folds, Setting
from serkit.utils import requested_speakers

__all__ = ["ModuleProbe"]

#: Where networks are looked into, by the names of the paper.
STAGES = {"Raw": "input", "CNN": "context", "BLSTM": "recurrence", "MLP": "output"}


@dataclass(frozen=True)
class ModuleProbe(Experiment):
    """Emotions told apart by an SVM from what every part of a network makes.

    Beside it stands how far utterances of a class scatter, compared with how far classes lie
    apart, for emotions, speakers and genders of the training utterances.

    Parameters
    ----------
    systems : callable
        As in :class:`FoldComparison`; pipelines that end in a network.
    grid : callable
        Takes the scale, returns what the SVM is chosen from on the validation speakers.
    """

    systems: Systems = field(repr=False, default=lambda folds: {})
    grid: Callable[[str], Any] = field(repr=False, default=lambda scale: {"kernel": ["linear"]})

    def makers(self, folds: Folds) -> Mapping[str, Callable[[], BaseEstimator]]:
        """Return what makes each system."""
        return self.systems(folds)

    def run(self, setting: Setting) -> Iterator[Found]:
        """Train and probe in every fold."""
        for given in setting.corpora.values():
            folds = self.folds(given, setting)
            corpus = folds.corpus
            known = {"emotion": corpus.y, "speaker": corpus.speakers, "gender": corpus.genders}
            grid = self.grid(setting.scale)
            others = corpus.audio, known
            tables = [
                kept(
                    _probe, setting, seeded(system, seed), *others, *parts, folds.validation, grid
                ).assign(network=name, fold=fold)
                for name, system in setting.wanted(self.makers(folds)).items()
                for seed in setting.seeds
                for fold, parts in folds.parts.items()
            ]
            if tables:
                yield self._found(folds, pd.concat(tables, ignore_index=True))

    def _found(self, folds: Folds, table: pd.DataFrame) -> Found:
        # The mean over seeds.
        scores = table.groupby(["network", "fold", "stage"], sort=False).mean()
        grouped = (100 * scores["UAR"]).groupby(["network", "stage"], sort=False)
        tested = np.concatenate([test for _, test in folds.parts.values()])
        n_speakers = len(set(folds.corpus.speakers[tested]))
        added = 100 * module_contributions(scores.reset_index())[["mean", "std"]]
        n_seeds = len(folds.setting.seeds)
        about = {"folds": len(folds.parts), "seeds": n_seeds, "speakers": n_speakers}
        rows = [
            {
                "system": name,
                "metric": f"UAR {stage}",
                "value": group.mean(),
                "SD": group.std(),
                **about,
            }
            for (name, stage), group in grouped
        ]
        ratios = [column for column in scores if column.startswith("inertia")]
        parts = [
            f"{folds.describe()}; an SVM on what parts of a network make, UAR in percent",
            _by_stage(grouped.mean()),
            "What every part adds, in points",
            added.round(1).to_string(),
        ]
        for column in ratios:
            mean = scores[column].groupby(["network", "stage"], sort=False).mean()
            parts += [
                f"Scatter within over distance between classes of {column[8:]}",
                _by_stage(mean, 2),
            ]
        return Found(self.name, folds.corpus.name or "", pd.DataFrame(rows), "\n".join(parts))


def _by_stage(scores: pd.Series, digits: int = 1) -> str:
    return scores.unstack()[list(STAGES)].round(digits).to_string()


def _probe(
    system: BaseEstimator,
    X: np.ndarray,
    known: Mapping[str, np.ndarray],
    train: np.ndarray,
    test: np.ndarray,
    inner: Any,
    grid: Any,
) -> pd.DataFrame:
    """Fit, and test every part: a row each."""
    y, speakers = known["emotion"], known["speaker"]
    with config_context(enable_metadata_routing=True):
        metadata = requested_speakers(system, "fit", speakers[train])
        fitted = system.fit(X[train], y[train], **metadata)
    network = fitted[-1]
    frames, frames_of_test = (fitted[:-1].transform(X[rows]) for rows in (train, test))
    table = module_probe(
        network,
        frames,
        y[train],
        speakers=speakers[train],
        X_test=frames_of_test,
        y_test=y[test],
        stages=STAGES,
        probe=HoldoutSearchCV(SVC(class_weight="balanced"), grid, cv=inner),
    )
    learnt, _ = next(iter(inner.split(train, y[train], speakers[train])))
    vectors = [
        ModuleFeatureExtractor(FrozenEstimator(network), stage).fit_transform(frames)[learnt]
        for stage in STAGES.values()
    ]
    ratios = {
        f"inertia {what}": [cluster_inertia_ratio(made, labels[train][learnt]) for made in vectors]
        for what, labels in known.items()
        if not pd.isna(labels).any() and len(set(labels[train][learnt])) > 1
    }
    return table[["stage", "n_values", "UAR"]].assign(**ratios)
