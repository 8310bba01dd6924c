"""Train on few real rows and on synthetic ones, test on another corpus."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from serkit.evaluation._fold import seeded
from serkit.evaluation._provenance import describe_code, result_key
from serkit.evaluation._run import leave_with
from serkit.evaluation._store import ResultsStore
from serkit.over_sampling import AppendUniform
from serkit.utils import content_digest, describe_estimator, is_fitted

__all__ = ["Experiment", "Setting", "check_systems", "make_keys", "nested_subsets", "run_settings"]


@dataclass(frozen=True)
class Experiment:
    """What all settings share; a system is None where nothing is added."""

    classifier: BaseEstimator
    systems: Mapping[str, BaseEstimator | None]
    scaler: BaseEstimator | None
    generator_fit: str
    X_source: np.ndarray
    y_source: np.ndarray
    X_target: np.ndarray


@dataclass(frozen=True)
class Setting:
    """One classifier to train: on which real rows, and how many synthetic ones of which system."""

    system: str
    n_synthetic: int
    fraction: float
    repeat: int
    seed: int
    rows: np.ndarray

    def __str__(self) -> str:
        return (
            f"system {self.system!r}, {self.n_synthetic} synthetic rows, "
            f"{100 * self.fraction:.4g}% of the source, repeat {self.repeat}"
        )


def check_systems(systems: Mapping[str, BaseEstimator], generator_fit: str) -> None:
    """Raise if something is no generator and no sampler, or would lose what it has learnt."""
    for name, system in systems.items():
        parts = [system, *system.get_params(deep=True).values()]
        if generator_fit == "subset" and any(isinstance(p, FrozenEstimator) for p in parts):
            raise ValueError(
                f"system {name!r} has a FrozenEstimator, so it cannot be fitted on every "
                "subset; give the generator itself, or generator_fit='full'"
            )
        if hasattr(system, "fit_resample"):
            continue
        if not (hasattr(system, "fit") and hasattr(system, "sample")):
            raise TypeError(
                f"system {name!r} must be a generator, with fit and sample, or a sampler, with "
                f"fit_resample; got {type(system).__name__}"
            )
        if isinstance(system, FrozenEstimator):
            check_is_fitted(system)
        elif get_tags(system).requires_fit and is_fitted(system):
            raise TypeError(
                f"system {name!r} is fitted already, and would be fitted again. Use it as it is "
                "with FrozenEstimator(generator), or give clone(generator)"
            )


def nested_subsets(y: np.ndarray, fractions: Sequence[float], seed: int) -> dict[float, np.ndarray]:
    """Return the rows of each fraction, stratified; the smaller are parts of the larger."""
    rng = np.random.default_rng(seed)
    by_class = [rng.permutation(np.flatnonzero(y == label)) for label in np.unique(y)]
    return {
        fraction: np.sort(
            np.concatenate([rows[: max(1, round(fraction * len(rows)))] for rows in by_class])
        )
        for fraction in fractions
    }


def make_keys(experiment: Experiment, settings: Sequence[Setting]) -> list[str]:
    """Return the keys under which the results of settings are kept."""
    source = content_digest(experiment.X_source), describe_estimator(experiment.y_source)
    target = content_digest(experiment.X_target)

    @cache
    def describe(system: str, n_synthetic: int, seed: int) -> dict[str, Any]:
        parts = [experiment.classifier, experiment.systems[system], experiment.scaler]
        return {
            "classifier": describe_estimator(seeded(experiment.classifier, seed, override=True)),
            "system": _describe_system(
                experiment.systems[system], experiment.y_source, n_synthetic, seed
            ),
            "scaler": describe_estimator(experiment.scaler),
            "code": [describe_code(part) for part in parts if part is not None],
        }

    return [
        result_key(
            source=source,
            target=target,
            generator_fit=experiment.generator_fit,
            n_synthetic=setting.n_synthetic,
            rows=setting.rows,
            seed=setting.seed,
            **describe(setting.system, setting.n_synthetic, setting.seed),
        )
        for setting in settings
    ]


def _describe_system(system: Any, y: np.ndarray, n_synthetic: int, seed: int) -> Any:
    if isinstance(system, FrozenEstimator):
        # By what it draws: the pickle of a network differs from process to process.
        X_synth, _ = _sample(system, n_synthetic, y, seed)
        return ["drawn", content_digest(np.asarray(X_synth))]
    return describe_estimator(None if system is None else seeded(system, seed, override=True))


def run_settings(
    experiment: Experiment,
    settings: Sequence[Setting],
    keys: Sequence[str],
    store: ResultsStore,
    home: int,
) -> dict[str, dict[str, Any]]:
    """Train and test the settings of one system in one repeat, for the process ``home``.

    Returns the records by key.
    """
    leave_with(home)
    run = _Run(experiment, settings[0])
    records = {}
    for setting, key in zip(settings, keys, strict=True):
        try:
            records[key] = {"y_pred": run.predict(setting).tolist()}
        except Exception as error:
            error.add_note(f"in {setting}")
            raise
        store.save(key, records[key], about={"setting": str(setting)})
    return records


class _Run:
    """Settings of one system in one repeat, which share what was fitted and drawn."""

    def __init__(self, experiment: Experiment, setting: Setting):
        self.experiment = experiment
        self.system = experiment.systems[setting.system]
        self.seed = setting.seed
        self._fitted: dict[float, tuple[Callable, Callable]] = {}

    def predict(self, setting: Setting) -> np.ndarray:
        data = self.experiment
        scale, draw = self._fit(setting)
        X_synth, y_synth = draw(setting.n_synthetic)
        X = np.concatenate([scale(data.X_source[setting.rows]), X_synth])
        y = np.concatenate([data.y_source[setting.rows], y_synth])
        classifier = seeded(data.classifier, self.seed, override=True).fit(X, y)
        return np.asarray(classifier.predict(scale(data.X_target)))

    def _fit(self, setting: Setting) -> tuple[Callable, Callable]:
        """Return what scales rows, and what draws synthetic ones, fitted on the rows it may see."""
        data = self.experiment
        full = data.generator_fit == "full"
        fraction, rows = (1.0, slice(None)) if full else (setting.fraction, setting.rows)
        if fraction not in self._fitted:
            X, y = data.X_source[rows], data.y_source[rows]
            scale = _do_nothing if data.scaler is None else clone(data.scaler).fit(X).transform
            draw = cache(_fit_system(self.system, scale(X), y, self.seed))
            self._fitted[fraction] = scale, draw
        return self._fitted[fraction]


def _do_nothing(X: np.ndarray) -> np.ndarray:
    return X


def _fit_system(
    system: BaseEstimator | None, X: np.ndarray, y: np.ndarray, seed: int
) -> Callable[[int], tuple[np.ndarray, np.ndarray]]:
    """Return a function that draws rows, by their number."""
    if system is None:
        return lambda n_synthetic: (X[:0], y[:0])
    system = seeded(system, seed, override=True)
    if hasattr(system, "fit_resample"):
        return partial(_resample, system, X=X, y=y)
    return partial(_sample, system.fit(X, y), y=y, seed=seed)


def _sample(
    generator: Any, n_synthetic: int, y: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    classes = np.unique(y)
    # One row of each class is there before: what is asked for are the others.
    totals = AppendUniform(n_synthetic)(classes)
    counts = {label: total - 1 for label, total in totals.items()}
    return generator.sample(y=counts, random_state=seed)


def _resample(
    sampler: Any, n_synthetic: int, X: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows that a sampler adds."""
    sampler = clone(sampler).set_params(sampling_strategy=AppendUniform(n_synthetic))
    X_all, y_all = sampler.fit_resample(X, y)
    if len(X_all) != len(X) + n_synthetic or not np.array_equal(X_all[: len(X)], X):
        raise ValueError(
            f"{type(sampler).__name__} was to add {n_synthetic} rows behind the {len(X)} it was "
            f"given, which stay as they are; it returned {len(X_all)} rows, or changed the first"
        )
    return X_all[len(X) :], y_all[len(X) :]
