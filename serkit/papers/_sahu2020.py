"""Sahu et al. (2020): feature vectors of emotional speech, drawn by adversarial autoencoders."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.preprocessing import StandardScaler

from serkit.evaluation import code_discriminability
from serkit.over_sampling import AppendUniform, GANSampler
from serkit.papers._experiment import Found, classical, run_folds, summarize
from serkit.papers._kept import kept
from serkit.papers._paper import Paper
from serkit.papers._sahu2020_across import CrossCorpus, LowResource
from serkit.papers._sahu2020_models import (
    MODELS,
    SIZES,
    Vectors,
    functionals,
    linear_svm,
    make_model,
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
from serkit.papers._setting import Folds, Setting
from serkit.pipeline import make_pipeline

__all__ = ["sahu2020"]

#: Updates of M1 at the rates of the paper, beside those of our own, and where.
_PAPER_UPDATES, _PAPER_FOLDS, _PAPER_CORPUS = 10_000, (0, 2), "emodb"
#: Rates that were tried, on training speakers.
_PAPER, _TUNED = {"preset": "paper"}, {"preset": "tuned"}
_FASTER = {"lr_feature_discriminator": 3e-4, "lr_generator": 3e-4}
RATES: dict[str, list[dict[str, Any]]] = {
    "M1": [_PAPER, {**_PAPER, "lr_reconstruction": 0.1}, _TUNED],
    "M2": [
        {**_PAPER, "lr_reconstruction": 0.1},
        _TUNED,
        {**_TUNED, "lr_feature_discriminator": 2e-5},
        {**_TUNED, "lr_feature_discriminator": 2e-5, "lr_generator": 1e-3},
    ],
    "M3": [
        _PAPER,
        _TUNED,
        {**_TUNED, "lr_generator": 1e-3},
        {**_TUNED, **_FASTER},
        {**_TUNED, **_FASTER, "lr_code_discriminator": 1e-3, "lr_encoder": 1e-3},
        {**_TUNED, **_FASTER, "aux_on_real": False, "aux_update_trunk": True},
    ],
}


@dataclass(frozen=True)
class Rates(GeneratorExperiment):
    """Which rates train, found on validation speakers of the first corpus."""

    repeated: ClassVar[bool] = False

    def n_fits(self, setting: Setting, n_folds: int) -> dict[str, int]:
        """Return one for each of the rates, in two folds."""
        n_folds = min(n_folds, len(_PAPER_FOLDS))
        return {name: n_folds * len(tried) for name, tried in RATES.items()}

    def run(self, setting: Setting) -> Iterator[Found]:
        """Try all rates."""
        vectors = Vectors(next(iter(setting.corpora.values())), setting)
        folds = [fold for fold in _PAPER_FOLDS if fold in vectors.folds.parts]
        reports: list[dict[str, Any]] = []
        for name, parameters in _tried(setting):
            model = make_model(name, setting.scale, device=setting.device, **parameters)
            text = ", ".join(f"{key} {value}" for key, value in parameters.items())
            reports += [
                {
                    "system": f"{name}, {text}",
                    "fold": fold,
                    **_judged(vectors, model, 0, fold, True),
                }
                for fold in folds
            ]
        if not reports:
            return
        rows = as_rows(reports + _real_rows(reports))
        details = (
            f"validation speakers of folds {folds}; scale {setting.scale}: {about(setting)}\n"
            f"{as_text(rows, reports)}"
        )
        yield Found(self.name, vectors.name, rows, details)


@dataclass(frozen=True)
class InDomain(GeneratorExperiment):
    """What two linear SVMs and a network say of the rows that every system makes."""

    def n_fits(self, setting: Setting, n_folds: int) -> dict[str, int]:
        """Return one for every fold and repeat."""
        return every_model(n_folds * len(repeats(setting)))

    def makers(self, folds: Folds) -> Mapping[str, Callable[[], BaseEstimator]]:
        """Return the models as they are used: behind functionals, before a linear SVM."""
        return {name: partial(_augmented, name, folds.scale) for name in MODELS}

    def run(self, setting: Setting) -> Iterator[Found]:
        """Judge every system in every fold."""
        for corpus in setting.corpora.values():
            vectors = Vectors(corpus, setting)
            # Repeat by repeat, so that a run that was stopped has whole tables.
            reports = [
                {
                    "system": name,
                    "fold": fold,
                    "repeat": seed,
                    **_judged(vectors, system, seed, fold, False),
                }
                for seed in repeats(setting)
                for name, system, folds in self._systems(vectors)
                for fold in folds
                if seed == repeats(setting)[0] or folds is vectors.folds.parts
            ]
            found = join_rows(_classical_rows(vectors), as_rows(reports + _real_rows(reports)))
            if len(found):
                often = about(setting, len(repeats(setting)))
                details = f"{vectors.folds.describe()}: {often}\n{as_text(found, reports)}"
                yield Found(self.name, vectors.name, found, details)

    def _systems(self, vectors: Vectors) -> Iterator[tuple[str, BaseEstimator, Any]]:
        """Yield every system with its folds; at the rates of the paper there are few."""
        setting, parts = vectors.setting, vectors.folds.parts
        for name, system in make_systems(setting).items():
            yield name, system, parts
        name = f"M1, rates of the paper [{_PAPER_UPDATES} updates, folds 0 and 2, once]"
        if (setting.scale, vectors.name) == ("bench", _PAPER_CORPUS) and setting.wants(name):
            model = make_model("M1", setting.scale, preset="paper", max_updates=_PAPER_UPDATES)
            yield name, model, [fold for fold in _PAPER_FOLDS if fold in parts]


@dataclass(frozen=True)
class Codes(GeneratorExperiment):
    """How much of the emotions is left in the codes."""

    repeated: ClassVar[bool] = False

    def n_fits(self, setting: Setting, n_folds: int) -> dict[str, int]:
        """Return one for every fold."""
        return every_model(n_folds)

    def run(self, setting: Setting) -> Iterator[Found]:
        """Compare an SVM on vectors with one on the codes of every model."""
        for corpus in setting.corpora.values():
            vectors = Vectors(corpus, setting)
            rows = [_classical_rows(vectors)]
            for name in filter(setting.wants, MODELS):
                model = make_model(name, setting.scale, random_state=0, device=setting.device)
                folds = list(vectors.folds.parts.values())
                data = vectors.values, vectors.y, vectors.speakers, folds
                scores = 100 * kept(_discriminability, setting, model, *data)
                shown = {"UAR codes": "UAR_codes", "UAR vectors": "UAR_raw", "lost": "difference"}
                rows.append(
                    pd.DataFrame(
                        {
                            "system": name,
                            "metric": metric,
                            "value": scores[column].mean(),
                            "SD": scores[column].std(),
                            "folds": len(scores),
                            "seeds": 1,
                        }
                        for metric, column in shown.items()
                    )
                )
            found = join_rows(*rows)
            if len(found):
                details = f"{vectors.folds.describe()}: {about(setting)}\n{as_text(found)}"
                yield Found(self.name, vectors.name, found, details)


def _tried(setting: Setting) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, tried in RATES.items():
        if setting.wants(name):
            few = tried[:1] if setting.scale == "smoke" else tried
            yield from ((name, parameters) for parameters in few)


def _judged(
    vectors: Vectors, system: BaseEstimator, seed: int, fold: int, on_training: bool
) -> dict[str, Any]:
    """Return the report of a system in a fold, found or computed now."""
    train, valid = vectors.inner(fold) if on_training else vectors.folds.parts[fold]
    data = vectors.values, vectors.y, train, valid, seed, not on_training
    return kept(vectors.judge, vectors.setting, system, *data)


def _real_rows(reports: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what the real training rows are worth to the same classifier."""
    by_fold = {report["fold"]: report for report in reports if "real to real" in report}
    return [
        {"system": "real rows", "fold": fold, "repeat": 0, "TSTR_valid": report["real to real"]}
        for fold, report in by_fold.items()
    ]


def _classical_rows(vectors: Vectors) -> pd.DataFrame:
    systems = vectors.setting.wanted(classical(vectors.folds))
    return summarize(run_folds(systems, vectors.folds)) if systems else pd.DataFrame()


def _augmented(name: str, scale: str) -> BaseEstimator:
    """Return a linear SVM that learns what a model draws beside the real rows."""
    model = make_model(name, scale, random_state=0)
    drawn = AppendUniform(SIZES[scale]["n_samples"])
    sampler = GANSampler(model, sampling_strategy=drawn, random_state=0)
    return make_pipeline(*functionals(scale), StandardScaler(), sampler, linear_svm())


def _discriminability(
    model: BaseEstimator, X: np.ndarray, y: np.ndarray, speakers: Any, folds: Any
) -> pd.DataFrame:
    return code_discriminability(model, X, y, speakers, cv=folds)


_OURS = ("emodb", "ravdess")

sahu2020 = Paper(
    "sahu2020",
    'S. Sahu, R. Gupta and C. Espy-Wilson, "Modeling Feature Representations for Affective Speech '
    'using Generative Adversarial Networks", IEEE Transactions on Affective Computing, 2020',
    [
        Rates(
            "rates",
            "Which learning rates train within our numbers of updates",
            "not in the paper",
            _OURS,
        ),
        InDomain(
            "in-domain",
            "Vectors drawn from training speakers, judged by classifiers and distances",
            "Tables 2 and 3",
            ("iemocap", *_OURS),
        ),
        Codes(
            "codes",
            "What codes in place of vectors cost a classifier",
            "section 4.2",
            ("iemocap", *_OURS),
        ),
        CrossCorpus(
            "cross-corpus",
            "Vectors drawn from one corpus, judged on another",
            "Table 4",
            ("iemocap", "msp_improv", *_OURS),
        ),
        LowResource(
            "low-resource",
            "A part of a corpus and synthetic rows to learn, another corpus to test",
            "Figure 6",
            ("iemocap", "msp_improv", *_OURS),
        ),
    ],
)
