"""Unweighted average recall and weighted accuracy."""

import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import accuracy_score, recall_score
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import unique_labels

__all__ = ["uar_score", "wa_score"]


def uar_score(y_true: Any, y_pred: Any, *, labels: Any = None, sample_weight: Any = None) -> float:
    """Compute the unweighted average recall (UAR).

    The mean, over the classes that occur in `y_true`, of the share of their
    utterances that were recognised. Every class counts alike, whatever its
    size; chance is one over the number of classes.

    Parameters
    ----------
    y_true : array-like of shape (n_utterances,)
        True emotions.
    y_pred : array-like of shape (n_utterances,)
        Predicted emotions. A class that occurs only here takes no part in the
        mean.
    labels : array-like of shape (n_classes,), default=None
        The classes to average over. Recall is undefined for a class without
        an utterance in `y_true`: it is left out with a warning, as if not
        named.
    sample_weight : array-like of shape (n_utterances,), default=None
        Weights of the utterances within their class.

    Returns
    -------
    uar : float
        In [0, 1].

    Raises
    ------
    ValueError
        If none of the `labels` occurs in `y_true`.

    See Also
    --------
    wa_score : Every utterance counts alike.
    sklearn.metrics.balanced_accuracy_score : The same without `labels`.

    References
    ----------
    .. [1] B. Schuller, S. Steidl and A. Batliner, "The INTERSPEECH 2009 Emotion
       Challenge", Interspeech, 2009.

    Examples
    --------
    >>> from serkit.metrics import uar_score, wa_score
    >>> y_true = ["anger", "anger", "anger", "joy"]
    >>> y_pred = ["anger", "anger", "anger", "anger"]
    >>> uar_score(y_true, y_pred), wa_score(y_true, y_pred)
    (0.5, 0.75)
    """
    y_true, y_pred = column_or_1d(y_true), column_or_1d(y_pred)
    classes = unique_labels(y_true) if labels is None else np.asarray(labels)
    recall = recall_score(
        y_true,
        y_pred,
        labels=classes,
        average=None,
        sample_weight=sample_weight,
        zero_division=np.nan,
    )
    defined = ~np.isnan(recall)
    if not defined.any():
        raise ValueError(f"y_true has no utterance of the classes {classes.tolist()}")
    if not defined.all():
        warnings.warn(
            f"y_true has no utterance of the classes {classes[~defined].tolist()}; "
            "they are left out of the UAR",
            UndefinedMetricWarning,
            stacklevel=2,
        )
    return float(recall[defined].mean())


def wa_score(y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> float:
    """Compute the weighted accuracy (WA): the share of utterances that were recognised.

    It is plain accuracy. The field calls it weighted because it is the mean of
    the recalls of the classes, weighted by their size.

    Parameters
    ----------
    y_true : array-like of shape (n_utterances,)
        True emotions.
    y_pred : array-like of shape (n_utterances,)
        Predicted emotions.
    sample_weight : array-like of shape (n_utterances,), default=None
        Weights of the utterances.

    Returns
    -------
    wa : float
        In [0, 1].

    See Also
    --------
    uar_score : Every class counts alike.

    Examples
    --------
    >>> from serkit.metrics import wa_score
    >>> wa_score(["anger", "joy"], ["anger", "anger"])
    0.5
    """
    return float(accuracy_score(y_true, y_pred, sample_weight=sample_weight))
