"""What is known of the emotion in utterances: its class, and ratings of three dimensions."""

import warnings
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from serkit.modules import binarize_vad

__all__ = ["DIMENSIONS", "emotion_codes", "high_or_low", "label_table"]

DIMENSIONS = ("valence", "arousal", "dominance")


def label_table(y: Any, X: Any) -> pd.DataFrame:
    """Return all labels as columns "emotion", "valence", "arousal" and "dominance".

    What is not given is missing; ratings are float64.
    """
    if y is None:
        y = pd.DataFrame(index=range(len(X)))
    elif isinstance(y, pd.DataFrame) or getattr(getattr(y, "dtype", None), "names", None):
        y = pd.DataFrame(y).reset_index(drop=True)
    else:
        y = pd.DataFrame({"emotion": column_or_1d(y, warn=True)})
    check_consistent_length(X, y)
    names = ["emotion", *DIMENSIONS]
    unknown = [name for name in y if name not in names]
    if unknown:
        raise ValueError(f"y has the columns {unknown}, but labels are in {names}")
    for name in y.columns.intersection(DIMENSIONS):
        y[name] = _finite_ratings(y[name])
    return y.reindex(columns=names)


def emotion_codes(emotion: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return the classes, and the number of that of every row, -1 where it is missing."""
    known = emotion.notna().to_numpy()
    if not known.any():
        return np.array([], dtype=object), np.full(len(emotion), -1)
    found = np.asarray(emotion[known].tolist())
    check_classification_targets(found)
    classes, numbers = np.unique(found, return_inverse=True)
    if not set(DIMENSIONS).isdisjoint(classes.tolist()):
        raise ValueError(
            f"an emotion is called as one of {', '.join(DIMENSIONS)}, which are columns of y of "
            "ratings; give it another name"
        )
    codes = np.full(len(emotion), -1)
    codes[known] = numbers
    return classes, codes


def high_or_low(ratings: pd.DataFrame, threshold: float) -> np.ndarray:
    """Return 1 where a dimension is high, 0 where it is low, NaN where it is missing.

    Warn of one that is the same wherever it is known, as of ratings on another scale.
    """
    high = binarize_vad(ratings.to_numpy(copy=True), threshold).numpy()
    for name, column in zip(ratings, high.T, strict=True):
        found = np.unique(column[~np.isnan(column)])
        if len(found) == 1:
            least, greatest = ratings[name].min(), ratings[name].max()
            warnings.warn(
                f"{name} is {'high' if found[0] else 'low'} everywhere, for its ratings from "
                f"{least:g} to {greatest:g} are on one side of vad_threshold={threshold:g}: set "
                "vad_threshold to the middle of their scale",
                UserWarning,
                stacklevel=6,
            )
    return high


def _finite_ratings(column: pd.Series) -> np.ndarray:
    """Return ratings as numbers, NaN where one is missing."""
    ratings = pd.to_numeric(column).to_numpy(dtype=np.float64, na_value=np.nan)
    infinite = np.flatnonzero(np.isinf(ratings))
    if len(infinite):
        raise ValueError(f"the column {column.name!r} of y is infinite in row {infinite[0]}")
    return ratings
