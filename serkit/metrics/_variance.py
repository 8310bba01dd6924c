"""How much rows vary within and between classes."""

from typing import Any

import numpy as np

__all__ = ["separation", "within_and_between", "within_class_sd_ratio"]


def within_class_sd_ratio(X_real: Any, y_real: Any, X_synth: Any, y_synth: Any) -> dict[Any, float]:
    """Return, by class, how much synthetic rows vary compared with real ones.

    The root of the ratio of variances, summed over features, so that a feature
    which hardly varies counts for little; NaN if no feature varies.
    """
    real, synthetic = _by_class(X_real, y_real), _by_class(X_synth, y_synth)
    if real.keys() != synthetic.keys():
        raise ValueError(
            f"the training rows have the classes {list(real)}, the synthetic rows "
            f"{list(synthetic)}; they must be the same"
        )
    return {label: _ratio(rows, synthetic[label]) for label, rows in real.items()}


def separation(X: Any, y: Any) -> float:
    """Return the variance between the means of classes over the variance within.

    Summed over features, every class counting alike; infinite without variance
    within.
    """
    within, between = within_and_between(X, y)
    return between / within if within else np.inf


def within_and_between(X: Any, y: Any) -> tuple[float, float]:
    """Return the mean variance within classes, and the variance between their means.

    Both are summed over features, every class counting alike.
    """
    classes = list(_by_class(X, y).values())
    means = np.array([rows.mean(axis=0) for rows in classes])
    within = np.mean([rows.var(axis=0).sum() for rows in classes])
    return float(within), float(means.var(axis=0).sum())


def _ratio(real: np.ndarray, synthetic: np.ndarray) -> float:
    variance = _variance(real)
    return float(np.sqrt(_variance(synthetic) / variance)) if variance else np.nan


def _variance(rows: np.ndarray) -> float:
    """Return the sum of the variances of the features; equal rows have none."""
    varies = np.ptp(rows, axis=0) > 0
    return float(rows[:, varies].var(axis=0, ddof=min(1, len(rows) - 1)).sum())


def _by_class(X: Any, y: Any) -> dict[Any, np.ndarray]:
    X, y = np.asarray(X, dtype=float), np.asarray(y)
    return {label: X[y == label] for label in np.unique(y).tolist()}
