"""Validation of what travels beside X and y."""

from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import column_or_1d
from sklearn.utils.validation import _num_samples

__all__ = ["check_speakers"]


def check_speakers(speakers: Any, X: Any, *, name: str = "speakers") -> np.ndarray:
    """Validate one speaker label per utterance.

    Parameters
    ----------
    speakers : array-like of shape (n_utterances,)
        Labels; ``None`` or a missing value marks an utterance without a
        speaker (a synthetic one).
    X : array-like
        The utterances that the labels belong to.
    name : str, default="speakers"
        What the argument is called in the error message.

    Returns
    -------
    speakers : ndarray of shape (n_utterances,), dtype=object

    Raises
    ------
    ValueError
        If the number of labels differs from the number of utterances, or if
        some labels are strings and others numbers.

    Examples
    --------
    >>> from serkit.utils import check_speakers
    >>> check_speakers(["03", "08"], [[0.0], [1.0]])
    array(['03', '08'], dtype=object)
    """
    speakers = column_or_1d(np.array(speakers, dtype=object))
    speakers[pd.isna(speakers)] = None
    if len(speakers) != _num_samples(X):
        raise ValueError(
            f"{name} has {len(speakers)} labels for {_num_samples(X)} utterances; give one each"
        )
    strings = [label for label in speakers if isinstance(label, str)]
    numbers = [label for label in speakers if isinstance(label, Real) and label == label]
    if strings and numbers:
        raise ValueError(
            f"{name} mixes strings and numbers, such as {strings[0]!r} and {numbers[0]}: "
            "make all of them strings"
        )
    return speakers
