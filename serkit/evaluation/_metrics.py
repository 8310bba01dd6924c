"""The metrics of tables, and failures that leave holes in them."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from serkit.evaluation._bootstrap import SpeakerCounts, count_hits
from serkit.metrics import uar_score, wa_score

__all__ = ["METRICS", "FailedFold", "check_metric", "count_by_seed", "pooled_score"]

METRICS = {"UAR": uar_score, "WA": wa_score}


class FailedFold(NamedTuple):
    """A fold without a result, and why."""

    pipeline: str
    seed: int
    fold: int
    error: str


def check_metric(metric: str) -> None:
    """Raise if there is no such metric."""
    if metric not in METRICS:
        raise ValueError(f"metric must be one of {sorted(METRICS)}, got {metric!r}")


def pooled_score(predictions: pd.DataFrame, metric: str) -> float:
    """Score all predictions together, seed by seed, and average."""
    score = METRICS[metric]
    scores = [
        score(group["y_true"].to_numpy(object), group["y_pred"].to_numpy(object))
        for _, group in predictions.groupby("seed")
    ]
    return float(np.mean(scores))


def count_by_seed(predictions: pd.DataFrame) -> SpeakerCounts:
    """Count what is right by seed, speaker and class."""
    return count_hits(
        [
            (
                group["y_true"].to_numpy(object),
                group["y_pred"].to_numpy(object),
                group["speaker"].to_numpy(object),
            )
            for _, group in predictions.groupby("seed")
        ]
    )
