"""What is known of the emotion in utterances: its class, and ratings of three dimensions."""

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

    What is not given is missing.
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
        y[name] = pd.to_numeric(y[name])
    return y.reindex(columns=names)


def emotion_codes(emotion: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return the classes, and the number of that of every row, -1 where it is missing."""
    known = emotion.notna().to_numpy()
    if not known.any():
        return np.array([], dtype=object), np.full(len(emotion), -1)
    found = np.asarray(emotion[known].tolist())
    check_classification_targets(found)
    classes, numbers = np.unique(found, return_inverse=True)
    codes = np.full(len(emotion), -1)
    codes[known] = numbers
    return classes, codes


def high_or_low(table: pd.DataFrame, threshold: float) -> np.ndarray:
    """Return 1 where a dimension is high, 0 where it is low, NaN where it is missing."""
    ratings = np.array(table[list(DIMENSIONS)], dtype=np.float64)
    return binarize_vad(ratings, threshold).numpy()
