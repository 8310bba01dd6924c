"""The simplest generator of feature vectors, which others are measured against."""

from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, _fit_context
from sklearn.covariance import ledoit_wolf_shrinkage
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from serkit.over_sampling._class_counts import class_counts
from serkit.utils import row_digests

__all__ = ["GaussianGenerator"]


class GaussianGenerator(BaseEstimator):
    """Draw feature vectors from a normal distribution per class.

    The covariance of a class is shrunk towards a multiple of the identity as
    Ledoit and Wolf do, so that there may be more features than rows. What a
    network generates should be of more use than this.

    Parameters
    ----------
    random_state : int, RandomState instance or None, default=None
        Seed of :meth:`sample`, where that gets none. With an int, every call
        gives the same rows.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes.
    means_ : ndarray of shape (n_classes, n_features)
        Mean of every class.
    shrinkage_ : ndarray of shape (n_classes,)
        Share of the identity in the covariance of every class; 0 for a class of
        one row.
    training_rows_ : ndarray of shape (n_utterances,)
        Sorted digests of the rows fitted on, by which
        :class:`GANSampler` finds out whether they are those it is given.
    n_features_in_ : int
        Number of features seen in ``fit``.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if they have any.

    See Also
    --------
    GANSampler : Adds what is drawn to a training set.

    Notes
    -----
    Of a class of one row nothing is known but that row, so it is repeated.

    References
    ----------
    Ledoit and Wolf, "A well-conditioned estimator for large-dimensional
    covariance matrices", Journal of Multivariate Analysis 88, 2004.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.over_sampling import GaussianGenerator
    >>> X = np.array([[0.0, 1.0], [1.0, 0.0], [8.0, 9.0], [9.0, 8.0]])
    >>> generator = GaussianGenerator(random_state=0).fit(X, ["calm", "calm", "joy", "joy"])
    >>> generator.means_
    array([[0.5, 0.5],
           [8.5, 8.5]])
    >>> X_synth, y_synth = generator.sample(3)
    >>> X_synth.shape, y_synth.tolist()
    ((3, 2), ['calm', 'calm', 'joy'])
    """

    _parameter_constraints: ClassVar[dict] = {"random_state": ["random_state"]}

    def __init__(self, random_state=None):
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any) -> "GaussianGenerator":
        """Learn mean and covariance of every class.

        Parameters
        ----------
        X : array-like of shape (n_utterances, n_features)
            Functionals.
        y : array-like of shape (n_utterances,)
            Their classes.

        Returns
        -------
        self : object
        """
        X, y = validate_data(self, X, y, dtype=[np.float64, np.float32])
        check_classification_targets(y)
        self.classes_ = np.unique(y)
        rows_by_class = [X[y == label] for label in self.classes_]
        self.means_ = np.stack([rows.mean(axis=0) for rows in rows_by_class])
        self._centred = [rows - mean for rows, mean in zip(rows_by_class, self.means_, strict=True)]
        self.shrinkage_ = np.array([_shrinkage(rows) for rows in self._centred])
        self.training_rows_ = np.sort(row_digests(X))
        return self

    def sample(
        self,
        n_samples: int = 1000,
        y: Any = None,
        *,
        class_balance: str = "stratified",
        random_state: Any = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw feature vectors.

        Parameters
        ----------
        n_samples : int, default=1000
            Number of rows; has no effect if `y` is a dict.
        y : None, label or dict, default=None
            None spreads the rows over all classes; a label asks for that class
            only; a dict has the number of rows of every class that is wanted.
        class_balance : {"stratified", "multinomial"}, default="stratified"
            How rows are spread over all classes: in equal shares, the first
            classes getting one more if that does not come out even, or by a
            uniform draw for every row.
        random_state : int, RandomState instance or None, default=None
            Seed; None means that of the generator.

        Returns
        -------
        X_synth : ndarray of shape (n_samples, n_features)
            The rows, sorted by class.
        y_synth : ndarray of shape (n_samples,)
            Their classes.
        """
        check_is_fitted(self)
        rng = check_random_state(self.random_state if random_state is None else random_state)
        counts = class_counts(self.classes_, n_samples, y, class_balance, rng)
        rows = [self._draw(index, count, rng) for index, count in enumerate(counts)]
        return np.concatenate(rows), np.repeat(self.classes_, counts)

    def _draw(self, index: int, count: int, rng: np.random.RandomState) -> np.ndarray:
        # Normal weights of the centred rows have their covariance; a matrix of
        # n_features x n_features is never needed.
        centred, shrinkage = self._centred[index], self.shrinkage_[index]
        n_rows, n_features = centred.shape
        variance = np.square(centred, dtype=np.float64).sum() / n_rows / n_features
        weights = rng.standard_normal((count, n_rows)) * np.sqrt((1 - shrinkage) / n_rows)
        noise = rng.standard_normal((count, n_features)) * np.sqrt(shrinkage * variance)
        return (self.means_[index] + weights @ centred + noise).astype(centred.dtype)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags


def _shrinkage(centred: np.ndarray) -> float:
    if len(centred) == 1:
        return 0.0
    return float(ledoit_wolf_shrinkage(centred.astype(np.float64), assume_centered=True))
