"""Base of the samplers: real utterances first, what is added behind them."""

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
from imblearn.over_sampling.base import BaseOverSampler
from imblearn.utils import check_target_type
from sklearn.utils import check_array, check_consistent_length, check_random_state
from sklearn.utils.validation import assert_all_finite, validate_data

from serkit.utils import as_ragged, is_path, is_ragged

__all__ = ["BaseSampler"]


class BaseSampler(BaseOverSampler):
    """Base of all samplers that add utterances to a training set.

    A sampler takes audio, frames or functionals and gives the same kind of
    container back: first the rows it was given, as they were, then the added
    ones. A step of :class:`serkit.pipeline.Pipeline`, it acts in ``fit`` only.
    It is not a transformer.

    A subclass implements one method, :meth:`_generate`.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        How many utterances to add to which class, as in imbalanced-learn: a
        float is the ratio of the minority class to the majority class of a
        two-class problem after sampling; a string names the classes that are
        filled up to the size of the largest ("minority", "not minority", "not
        majority", "all", and "auto", the same as "not majority"); a dict gives
        the wanted size of every class; a callable returns such a dict for `y`.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same utterances at every call.

    Attributes
    ----------
    sampling_strategy_ : dict
        Number of utterances to add to each class.
    sample_indices_ : ndarray of shape (n_resampled,)
        For every row that came out, the row of the input that it is, or is a
        changed copy of; -1 for a synthetic one.
    n_features_in_ : int
        Number of features seen; only for functionals and other 2-D input.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features; only for data frames.

    See Also
    --------
    serkit.pipeline.Pipeline : Carries speakers and weights along.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.over_sampling import BaseSampler
    >>> class Repeater(BaseSampler):
    ...     def _generate(self, X, y, strategy, random_state):
    ...         rows = [
    ...             random_state.choice(np.flatnonzero(y == label), n_new)
    ...             for label, n_new in strategy.items()
    ...         ]
    ...         rows = np.concatenate(rows)
    ...         return X[rows], y[rows], rows
    >>> sampler = Repeater(random_state=0)
    >>> sampler.fit_resample(np.array([[1.0], [2.0], [3.0]]), ["a", "a", "b"])
    (array([[1.], [2.], [3.], [3.]]), ['a', 'a', 'b', 'b'])
    >>> sampler.sample_indices_
    array([0, 1, 2, 2])
    """

    _parameter_constraints: ClassVar[dict] = {**BaseOverSampler._parameter_constraints}

    def __init__(self, *, sampling_strategy="auto", random_state=None):
        super().__init__(sampling_strategy=sampling_strategy)
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> "BaseSampler":
        """Check the input and find out how many utterances to add; use `fit_resample`.

        Parameters
        ----------
        X : audio, frames or functionals
            The utterances.
        y : array-like of shape (n_utterances,)
            Their classes.

        Returns
        -------
        self : object
        """
        return super().fit(X, y)

    def fit_resample(self, X: Any, y: Any) -> tuple[Any, Any]:
        """Add utterances behind those given.

        Parameters
        ----------
        X : audio, frames or functionals
            The utterances: a numeric array of two or more axes, a data frame,
            or a ragged list or object array.
        y : array-like of shape (n_utterances,)
            Their classes.

        Returns
        -------
        X_resampled : audio, frames or functionals
            The same kind of container; it begins with the utterances of `X`.
        y_resampled : array-like of shape (n_resampled,)
            Their classes.
        """
        return super().fit_resample(X, y)

    @abstractmethod
    def _generate(
        self,
        X: np.ndarray,
        y: np.ndarray,
        strategy: dict[Any, int],
        random_state: np.random.RandomState,
    ) -> tuple[Any, Any, Any]:
        """Make the utterances to add.

        Parameters
        ----------
        X : ndarray
            The utterances: a numeric array, or ragged (1-D, dtype object).
        y : ndarray of shape (n_utterances,)
            Their classes.
        strategy : dict
            Number of utterances to add to each class; none for a class that is
            not named.
        random_state : RandomState
            The only source of randomness.

        Returns
        -------
        X_new : sequence of shape (n_new, ...)
            The utterances to add.
        y_new : array-like of shape (n_new,)
            Their classes.
        origins : array-like of shape (n_new,) or None
            The row that each is a copy of, changed or not; -1, or ``None`` for
            all, if they are synthetic and belong to no speaker.
        """

    def _fit_resample(self, X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        X_new, y_new, origins = self._generate(
            X, y, self.sampling_strategy_, check_random_state(self.random_state)
        )
        if origins is None:
            origins = np.full(len(X_new), -1)
        check_consistent_length(X_new, y_new, origins)
        self.sample_indices_ = np.concatenate([np.arange(len(X)), np.asarray(origins, dtype=int)])
        return _append(X, X_new), np.concatenate([y, np.asarray(y_new, dtype=y.dtype)])

    def _check_X_y(self, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray, bool]:  # noqa: N802
        if hasattr(X, "sparse"):
            X = X.sparse.to_dense()
        y, binarized = check_target_type(y, indicate_one_vs_all=True)
        ragged = is_ragged(X)
        if not ragged and np.ndim(X) <= 2:
            X, y = validate_data(self, X, y, reset=True)
            return X, y, binarized
        for name in ("n_features_in_", "feature_names_in_"):
            self.__dict__.pop(name, None)
        X = _check_ragged(X) if ragged else check_array(X, allow_nd=True)
        y = np.asarray(y)
        assert_all_finite(y, input_name="y")
        check_consistent_length(X, y)
        return X, y, binarized

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        tags.input_tags.three_d_array = True
        tags.sampler_tags.sample_indices = True
        return tags


def _check_ragged(X: Any) -> np.ndarray:
    ragged = as_ragged(X)
    for row, item in enumerate(ragged):
        if is_path(item):
            continue
        if np.size(item) == 0:
            raise ValueError(f"utterance {row} is empty; remove it")
        if not np.isfinite(item).all():
            raise ValueError(f"utterance {row} has NaN or infinity; remove or repair it first")
    return ragged


def _append(X: np.ndarray, X_new: Any) -> np.ndarray:
    if X.dtype == object:
        return as_ragged([*X, *X_new])
    if len(X_new) == 0:
        return X.copy()
    X_new = np.asarray(X_new)
    # Computed in double precision or not, what is added has the type of what was there.
    return np.concatenate([X, X_new.astype(X.dtype) if X.dtype.kind == "f" else X_new])
