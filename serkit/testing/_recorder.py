"""A classifier that remembers what it was given."""

from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

__all__ = ["RecordingClassifier"]


class RecordingClassifier(ClassifierMixin, BaseEstimator):
    """Remember the arguments of ``fit``; predict the most frequent class.

    For tests of what reaches the last step of a pipeline.

    Attributes
    ----------
    X_ : array-like
        What ``fit`` was given.
    y_ : ndarray of shape (n_utterances,)
        The labels that ``fit`` was given.
    speakers_ : array-like or None
        The speakers that ``fit`` was given.
    sample_weight_ : array-like or None
        The weights that ``fit`` was given.
    classes_ : ndarray of shape (n_classes,)
        The labels that occur.

    Examples
    --------
    >>> from serkit.testing import RecordingClassifier
    >>> RecordingClassifier().fit([[0], [1]], ["anger", "anger"], speakers=["03", "08"]).speakers_
    ['03', '08']
    """

    __metadata_request__fit: ClassVar[dict] = {"speakers": True, "sample_weight": True}

    def fit(
        self, X: Any, y: Any, *, speakers: Any = None, sample_weight: Any = None
    ) -> "RecordingClassifier":
        """Remember the arguments.

        Parameters
        ----------
        X : array-like
            Any input.
        y : array-like of shape (n_utterances,)
            Labels.
        speakers : array-like of shape (n_utterances,) or None, default=None
            Speaker labels.
        sample_weight : array-like of shape (n_utterances,) or None, default=None
            Weights.

        Returns
        -------
        self : object
        """
        self.X_, self.y_ = X, np.asarray(y)
        self.speakers_, self.sample_weight_ = speakers, sample_weight
        self.classes_, counts = np.unique(self.y_, return_counts=True)
        self._majority = self.classes_[np.argmax(counts)]
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Predict the most frequent class.

        Parameters
        ----------
        X : array-like
            Any input.

        Returns
        -------
        y : ndarray of shape (n_utterances,)
        """
        check_is_fitted(self)
        return np.full(len(X), self._majority)
