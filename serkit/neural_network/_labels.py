"""Classes as they are given to ``fit``."""

from typing import Any

import numpy as np
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import assert_all_finite

__all__ = ["check_labels"]


def check_labels(estimator: Any, y: Any) -> np.ndarray:
    """Return the classes of the utterances as a vector; raise if they are none."""
    if y is None:
        name = type(estimator).__name__
        raise ValueError(f"{name} requires y to be passed, but the target y is None")
    y = column_or_1d(y, warn=True)
    assert_all_finite(y, input_name="y")
    check_classification_targets(y)
    return y
