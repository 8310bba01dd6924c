"""What vectors drawn from one corpus are worth on another."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from serkit.datasets import Corpus
from serkit.evaluation import low_resource_curve, low_resource_tests
from serkit.metrics import uar_score, wa_score
from serkit.model_selection import SpeakerHoldout
from serkit.papers._experiment import Found, classical
from serkit.papers._kept import kept
from serkit.papers._sahu2020_models import (
    EMOTIONS,
    FRACTIONS,
    SIZES,
    Vectors,
    emotion_network,
    make_systems,
    repeats,
)
from serkit.papers._sahu2020_tables import (
    GeneratorExperiment,
    about,
    as_rows,
    as_text,
    every_model,
    join_rows,
)
from serkit.papers._setting import Setting

__all__ = ["CrossCorpus", "LowResource"]

#: From where to where: the corpora of the paper, and those of our tables.
_PAIRS: tuple[tuple[str, ...], ...] = (("iemocap", "msp_improv"), ("emodb", "ravdess"))


@dataclass(frozen=True)
class _Across(GeneratorExperiment):
    """Models that have learnt one corpus, tried on another one."""

    n_corpora: ClassVar[int] = 2

    def run(self, setting: Setting) -> Iterator[Found]:
        """Run it from every source to its target."""
        for source, target in _pairs(setting):
            yield self.across(source, target, setting)

    def across(self, source: Vectors, target: Vectors, setting: Setting) -> Found:
        """Run it from one corpus to another."""
        raise NotImplementedError

    def learnt(self, setting: Setting) -> list[Corpus]:
        """Return the sources."""
        return [source.corpus for source, _ in _pairs(setting)]


@dataclass(frozen=True)
class CrossCorpus(_Across):
    """The judges of generated vectors on another corpus than that which the models have learnt."""

    def n_fits(self, setting: Setting, n_folds: int) -> dict[str, int]:
        """Return one for every repeat."""
        return every_model(len(repeats(setting)))

    def across(self, source: Vectors, target: Vectors, setting: Setting) -> Found:
        """Draw from all of the source, judge on the target."""
        data = source.values, source.y, target.values, target.y
        reports = [
            {
                "system": name,
                "repeat": seed,
                **kept(target.judge_across, setting, system, *data, seed),
            }
            for seed in repeats(setting)
            for name, system in make_systems(setting).items()
        ]
        for report in reports[:1]:
            real = {"system": "real rows", "repeat": report["repeat"]}
            reports.append({**real, "TSTR": report["real to real"]})
        rows = join_rows(
            _classical_across(source, target, setting), as_rows(reports, over="repeat")
        ).assign(speakers=len(set(target.speakers)))
        details = f"{_title(source, target, setting)}\n{as_text(rows, reports)}"
        return Found(self.name, f"{source.name} → {target.name}", rows, details)


@dataclass(frozen=True)
class LowResource(_Across):
    """A part of a corpus and synthetic rows to learn, another corpus to test."""

    def n_fits(self, setting: Setting, n_folds: int) -> dict[str, int]:
        """Return the fits on all rows, and on every part."""
        return every_model(len(repeats(setting)) * (1 + len(FRACTIONS[setting.scale])))

    def across(self, source: Vectors, target: Vectors, setting: Setting) -> Found:
        """Train on parts of the source, with models that know all of it or the part."""
        table = pd.concat(
            [
                low_resource_curve(
                    emotion_network(setting.scale)[-1],
                    make_systems(setting),
                    *(source.values, source.y, target.values, target.y),
                    fractions=FRACTIONS[setting.scale],
                    n_synthetic=SIZES[setting.scale]["n_synthetic"],
                    generator_fit=generator_fit,
                    n_repeats=len(repeats(setting)),
                    speakers_target=target.speakers,
                    random_state=repeats(setting)[0],
                    **setting.store_options(),
                )
                for generator_fit in ("full", "subset")
            ],
            ignore_index=True,
        )
        whole = table[table["speaker"] == "all"].assign(system=_names)
        groups = whole.groupby(["system", "fraction"], sort=False)["UAR"]
        drawn = pd.DataFrame(
            {
                "system": system,
                "metric": f"UAR at {fraction:.0%}",
                "value": 100 * scores.mean(),
                "SD": 100 * scores.std(),
                "folds": 1,
                "seeds": len(scores),
            }
            for (system, fraction), scores in groups
        )
        rows = join_rows(_classical_across(source, target, setting), drawn).assign(
            speakers=len(set(target.speakers))
        )
        tests = low_resource_tests(table).round(3).to_string(index=False)
        details = f"{_title(source, target, setting)}\n{as_text(rows)}\n\n{tests}"
        return Found(self.name, f"{source.name} → {target.name}", rows, details)


def _pairs(setting: Setting) -> Iterator[tuple[Vectors, Vectors]]:
    """Yield sources and targets: those that are known, otherwise the first two corpora."""
    known = [pair for pair in _PAIRS if set(pair) <= set(setting.corpora)]
    for pair in known or [tuple(setting.corpora)[:2]]:
        source, target = (Vectors(setting.corpora[name], setting, EMOTIONS) for name in pair)
        yield source, target


def _names(table: pd.DataFrame) -> pd.Series:
    synthetic = "real + " + table["n_synthetic"].astype(str) + " of " + table["system"]
    known = table["generator_fit"].map({"full": "all rows", "subset": "the same rows"})
    names = table["system"].where(table["n_synthetic"] == 0, synthetic)
    return names + ", generators learnt " + known


def _title(source: Vectors, target: Vectors, setting: Setting) -> str:
    often = about(setting, len(repeats(setting)))
    return (
        f"{source.name} → {target.name}, {', '.join(EMOTIONS)}; statistics of the source; "
        f"scale {setting.scale}: {often}"
    )


def _classical_across(source: Vectors, target: Vectors, setting: Setting) -> pd.DataFrame:
    """Return the rows of the classical system, trained on the source."""
    rows = []
    audio = np.concatenate([source.corpus.audio, target.corpus.audio])
    for name, system in setting.wanted(classical(source.folds)).items():
        system.set_params(cv=SpeakerHoldout(0.2, random_state=0))
        y_pred = kept(_predict_rest, setting, system, audio, source.y, source.speakers)
        for metric, score in {"UAR": uar_score, "WA": wa_score}.items():
            value = {"value": 100 * score(target.y, y_pred), "SD": np.nan, "folds": 1, "seeds": 1}
            rows.append({"system": name, "metric": metric, **value})
    return pd.DataFrame(rows)


def _predict_rest(system: BaseEstimator, audio: Any, y: np.ndarray, speakers: Any) -> np.ndarray:
    """Train on the first utterances, those with labels, and predict the others."""
    return system.fit(audio[: len(y)], y, groups=speakers).predict(audio[len(y) :])
