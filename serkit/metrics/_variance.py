"""How much rows vary within and between classes."""

from typing import Any

import numpy as np

__all__ = ["separation", "within_class_sd_ratio"]


def within_class_sd_ratio(X_real: Any, y_real: Any, X_synth: Any, y_synth: Any) -> dict[Any, float]:
    """Return, by class, the mean over features of the ratio of standard deviations.

    Features that do not vary among the real rows of a class are left out there;
    if none is left the ratio is NaN.
    """
    real, synthetic = _by_class(X_real, y_real), _by_class(X_synth, y_synth)
    if real.keys() != synthetic.keys():
        raise ValueError(
            f"the training rows have the classes {list(real)}, the synthetic rows "
            f"{list(synthetic)}; they must be the same"
        )
    ratios = {}
    for label, rows in real.items():
        sd = _sd(rows)
        # Equal numbers have a deviation of a rounding error.
        varies = sd > 1e-9 * np.abs(rows).max(axis=0)
        ratio = _sd(synthetic[label])[varies] / sd[varies]
        ratios[label] = float(ratio.mean()) if varies.any() else np.nan
    return ratios


def separation(X: Any, y: Any) -> float:
    """Return the variance between the means of classes over the variance within.

    Summed over features, every class counting alike; infinite without variance
    within.
    """
    classes = list(_by_class(X, y).values())
    means = np.array([rows.mean(axis=0) for rows in classes])
    between = means.var(axis=0).sum()
    within = np.mean([rows.var(axis=0).sum() for rows in classes])
    return float(between / within) if within else np.inf


def _sd(rows: np.ndarray) -> np.ndarray:
    return rows.std(axis=0, ddof=min(1, len(rows) - 1))


def _by_class(X: Any, y: Any) -> dict[Any, np.ndarray]:
    X, y = np.asarray(X, dtype=float), np.asarray(y)
    return {label: X[y == label] for label in np.unique(y).tolist()}
