"""How far classes lie apart, compared with how far their rows scatter."""

from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import check_array, check_consistent_length

from serkit.metrics._variance import within_and_between

__all__ = ["ClusterInertia", "cluster_inertia", "cluster_inertia_ratio"]


class ClusterInertia(NamedTuple):
    """Outcome of :func:`cluster_inertia`.

    Parameters
    ----------
    within : float
        Mean squared distance of a row from the mean of its class.
    between : float
        Mean squared distance between the means of two classes.
    """

    within: float
    between: float

    @property
    def ratio(self) -> float:
        """`within` over `between`; infinite where all classes have the same mean."""
        return self.within / self.between if self.between else np.inf


def cluster_inertia(X: Any, labels: Any) -> ClusterInertia:
    """Compute how far rows lie from the mean of their class, and these means from each other.

    Every class counts alike, whatever its size.

    Parameters
    ----------
    X : array-like of shape (n_rows, n_features)
        Vectors, such as what a module of a network makes of utterances.
    labels : array-like of shape (n_rows,)
        Their classes: emotions, speakers or genders.

    Returns
    -------
    inertia : ClusterInertia
        ``within`` and ``between``, both squared distances, and their ``ratio``.

    Raises
    ------
    ValueError
        If there are fewer than two classes.

    See Also
    --------
    cluster_inertia_ratio : The ratio alone.

    References
    ----------
    .. [1] C.-W. Huang and S. Narayanan, "Characterizing Types of Convolution in Deep
       Convolutional Recurrent Neural Networks for Robust Speech Emotion Recognition",
       arXiv:1706.02901, 2017, equations 15 to 17.

    Examples
    --------
    >>> from serkit.metrics import cluster_inertia
    >>> inertia = cluster_inertia([[0, 0], [2, 0], [10, 0], [12, 0]], ["a", "a", "b", "b"])
    >>> inertia, inertia.ratio
    (ClusterInertia(within=1.0, between=100.0), 0.01)
    """
    X, labels = check_array(X, dtype=np.float64), np.asarray(labels)
    check_consistent_length(X, labels)
    n_classes = len(np.unique(labels))
    if n_classes < 2:
        raise ValueError(
            f"two classes or more are compared, and the labels of all {len(X)} rows are alike"
        )
    within, variance = within_and_between(X, labels)
    # The mean over all ordered pairs of two classes, from the variance of their means.
    return ClusterInertia(within, 2 * n_classes / (n_classes - 1) * variance)


def cluster_inertia_ratio(X: Any, labels: Any) -> float:
    """Compute how far the rows of a class scatter, relative to how far classes lie apart.

    The smaller, the better the classes are separated. It depends neither on
    rotation nor on a common scale of the features, but on the scale of one
    feature relative to another.

    Parameters
    ----------
    X : array-like of shape (n_rows, n_features)
        Vectors, such as what a module of a network makes of utterances.
    labels : array-like of shape (n_rows,)
        Their classes: emotions, speakers or genders.

    Returns
    -------
    ratio : float
        0 where all rows of a class are equal, infinite where all classes have
        the same mean.

    Raises
    ------
    ValueError
        If there are fewer than two classes.

    See Also
    --------
    cluster_inertia : Its numerator and its denominator.
    serkit.inspection.LDADisplay : Prints it over pictures of the classes.

    References
    ----------
    .. [1] C.-W. Huang and S. Narayanan, "Characterizing Types of Convolution in Deep
       Convolutional Recurrent Neural Networks for Robust Speech Emotion Recognition",
       arXiv:1706.02901, 2017, equations 15 to 17.

    Examples
    --------
    >>> from serkit.metrics import cluster_inertia_ratio
    >>> cluster_inertia_ratio([[0, 0], [2, 0], [10, 0], [12, 0]], ["a", "a", "b", "b"])
    0.01
    """
    return cluster_inertia(X, labels).ratio
