"""Several regressors that answer as one."""

import warnings
from collections.abc import Callable
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from sklearn import config_context
from sklearn.base import RegressorMixin, _fit_context, clone
from sklearn.ensemble._base import _BaseHeterogeneousEnsemble
from sklearn.utils import Bunch, _safe_indexing, check_random_state, get_tags
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import (
    _check_y,
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from serkit.metrics import concordance_correlation_coefficient, sequence_ccc_score
from serkit.neural_network._validation_rows import split_validation_rows
from serkit.utils import check_container, check_speakers, forget_features, requested_speakers

__all__ = ["WeightedAverageFusion"]

_METRICS: dict[str, Callable] = {
    "ccc": concordance_correlation_coefficient,
    "sequence_ccc": sequence_ccc_score,
}


class WeightedAverageFusion(RegressorMixin, _BaseHeterogeneousEnsemble):
    """Predict the weighted mean of what several regressors predict.

    Targets may be one number, several, or a sequence per row. Regressors of other
    features are pipelines from the same X.

    Parameters
    ----------
    estimators : list of (str, regressor)
        The regressors by name; "drop" in the place of one leaves it out.
    weights : "score", array-like of shape (n_estimators,) or None, default="score"
        "score" weighs each by what `metric` says of it on speakers held out of the
        training rows, below zero or undefined (NaN) as zero, after which all are
        fitted anew on all rows. ``None`` weighs all the same.
    metric : {"ccc", "sequence_ccc"} or callable, default="ccc"
        The mean concordance correlation coefficient of targets, or of sequences
        over time; a callable takes true and predicted targets, both of shape
        (n_rows, n_targets), and more is better.
    validation : float or splitter, default=0.2
        The rows that are held out for "score". A float is the share of speakers, or
        of rows, with a warning, if speakers are not given. A splitter gives its
        first split and gets the speakers as groups.
    random_state : int, RandomState instance or None, default=None
        Seed of the rows that are held out. The regressors have seeds of their own.

    Attributes
    ----------
    estimators_ : list of regressor
        The fitted regressors, without those that are dropped.
    named_estimators_ : Bunch
        The same by name.
    weights_ : ndarray of shape (n_estimators,)
        The weights of `estimators_`; their sum is 1.
    scores_ : ndarray of shape (n_estimators,)
        What `metric` says of each on the speakers held out; only for "score".
    n_features_in_ : int
        Number of columns of a numeric 2-D input.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, if all are strings.

    See Also
    --------
    sklearn.ensemble.VotingRegressor : The same for a single target.

    Notes
    -----
    Speakers go to whatever asks for them inside. A regressor given as fitted, in a
    :class:`~sklearn.frozen.FrozenEstimator`, must not have seen any of the
    training rows if it is to be weighed fairly.

    References
    ----------
    Guizzo (2023), "Enhancing the Generalization of Convolutional Neural Networks
    for Speech Emotion Recognition", section 3.2.4.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.dummy import DummyRegressor
    >>> from sklearn.linear_model import Ridge
    >>> from serkit.neural_network import WeightedAverageFusion
    >>> X = np.random.default_rng(0).normal(size=(40, 2))
    >>> y, speakers = X @ [[1, 0], [1, 2]], np.repeat(["a", "b", "c", "d"], 10)
    >>> fusion = WeightedAverageFusion([("mean", DummyRegressor()), ("ridge", Ridge())])
    >>> fusion.fit(X, y, speakers=speakers).weights_
    array([0., 1.])
    """

    estimators_: list[Any]

    #: Speakers are handed on to whatever inside requests them.
    __metadata_request__fit: ClassVar = {"speakers": True}
    __metadata_request__predict: ClassVar = {"speakers": True}

    _parameter_constraints: ClassVar[dict] = {
        "estimators": [list],
        "weights": [StrOptions({"score"}), "array-like", None],
        "metric": [StrOptions(set(_METRICS)), callable],
        "validation": [Interval(Real, 0, 1, closed="neither"), HasMethods(["split"])],
        "random_state": ["random_state"],
    }

    def __init__(
        self, estimators, *, weights="score", metric="ccc", validation=0.2, random_state=None
    ):
        super().__init__(estimators)
        self.weights = weights
        self.metric = metric
        self.validation = validation
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, *, speakers: Any = None) -> "WeightedAverageFusion":
        """Weigh the regressors and fit them.

        Parameters
        ----------
        X : audio, frames or functionals
            What all regressors take.
        y : array-like of shape (n_rows,) or (n_rows, n_targets)
            What to predict.
        speakers : array-like of shape (n_rows,), default=None
            The speakers; ``None`` marks a row without one.

        Returns
        -------
        self : object

        Warns
        -----
        UserWarning
            If the score of a regressor is undefined, or none is above zero, where
            all weigh the same.
        """
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None"
            )
        names, given = self._validate_estimators()
        X = self._check_input(X, reset=True)
        y = _check_y(y, multi_output=True, y_numeric=True, estimator=self)
        check_consistent_length(X, y)
        self._multi_output = y.ndim == 2
        if speakers is not None:
            speakers = check_speakers(speakers, X)
        kept = {
            name: estimator
            for name, estimator in zip(names, given, strict=True)
            if not isinstance(estimator, str)
        }
        self.__dict__.pop("scores_", None)
        if isinstance(self.weights, str):
            self.scores_ = self._score_held_out(list(kept.values()), X, y, speakers)
            weights = _weights_of_scores(self.scores_, list(kept))
        else:
            weights = self._given_weights([name in kept for name in names])
        self.weights_ = weights / weights.sum()
        rows = np.arange(len(y))
        self.estimators_ = [_fit(each, X, y, speakers, rows) for each in kept.values()]
        self.named_estimators_ = Bunch(**dict(zip(kept, self.estimators_, strict=True)))
        return self

    def predict(self, X: Any, *, speakers: Any = None) -> np.ndarray:
        """Predict the weighted mean.

        Parameters
        ----------
        X : audio, frames or functionals
            What all regressors take.
        speakers : array-like of shape (n_rows,), default=None
            The speakers, for steps inside that need them.

        Returns
        -------
        y_pred : ndarray of shape (n_rows,) or (n_rows, n_targets)
        """
        check_is_fitted(self)
        X = self._check_input(X, reset=False)
        if speakers is not None:
            speakers = check_speakers(speakers, X)
        predictions = [_predict(each, X, speakers) for each in self.estimators_]
        y_pred = np.average(predictions, axis=0, weights=self.weights_)
        return y_pred if self._multi_output else y_pred[:, 0]

    def _check_input(self, X: Any, *, reset: bool) -> Any:
        if not check_container(X) and np.asarray(X).ndim <= 2:
            # Tables stay tables, whose columns steps inside may choose by name.
            is_table = hasattr(X, "iloc")
            checks = {} if is_table else {"accept_sparse": "csr", "ensure_all_finite": False}
            return validate_data(self, X, reset=reset, skip_check_array=is_table, **checks)
        if reset:
            forget_features(self)
        return X

    def _given_weights(self, is_kept: list[bool]) -> np.ndarray:
        if self.weights is None:
            return np.ones(sum(is_kept))
        weights = column_or_1d(self.weights, dtype=np.float64)
        if len(weights) != len(is_kept):
            raise ValueError(f"there are {len(weights)} weights for {len(is_kept)} estimators")
        weights = weights[is_kept]
        if not np.isfinite(weights).all() or (weights < 0).any() or not weights.any():
            raise ValueError(f"weights are numbers of 0 or more, not all 0; got {self.weights!r}")
        return weights

    def _score_held_out(
        self, estimators: list[Any], X: Any, y: np.ndarray, speakers: np.ndarray | None
    ) -> np.ndarray:
        """Return the score of every regressor on speakers that it was not fitted on."""
        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        train, valid = split_validation_rows(
            self.validation, y, speakers, stratify=False, seed=seed
        )
        assert valid is not None
        metric = self.metric if callable(self.metric) else _METRICS[self.metric]
        held_out = _safe_indexing(X, valid)
        of_held_out = None if speakers is None else speakers[valid]
        return np.array(
            [
                metric(
                    y[valid].reshape(len(valid), -1),
                    _predict(_fit(each, X, y, speakers, train), held_out, of_held_out),
                )
                for each in estimators
            ]
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = [get_tags(each) for _, each in self.estimators if not isinstance(each, str)]
        tags.non_deterministic = any(of.non_deterministic for of in inner)
        tags.input_tags.three_d_array = all(of.input_tags.three_d_array for of in inner)
        tags.target_tags.multi_output = all(of.target_tags.multi_output for of in inner)
        return tags


def _weights_of_scores(scores: np.ndarray, names: list[str]) -> np.ndarray:
    undefined = ~np.isfinite(scores)
    if undefined.any():
        found = ", ".join(
            f"{name!r} ({score})"
            for name, score in zip(names, scores, strict=True)
            if not np.isfinite(score)
        )
        warnings.warn(
            f"the score on the rows held out is undefined of {found} and counts as 0",
            UserWarning,
            stacklevel=4,
        )
    weights = np.where(undefined, 0.0, np.maximum(scores, 0.0))
    if weights.any():
        return weights
    warnings.warn(
        "no regressor has a score above 0 on the rows held out, so all weigh the same",
        UserWarning,
        stacklevel=4,
    )
    return np.ones(len(scores))


def _fit(
    estimator: Any, X: Any, y: np.ndarray, speakers: np.ndarray | None, rows: np.ndarray
) -> Any:
    speakers = None if speakers is None else speakers[rows]
    with config_context(enable_metadata_routing=True):
        metadata = requested_speakers(estimator, "fit", speakers)
        return clone(estimator).fit(_safe_indexing(X, rows), y[rows], **metadata)


def _predict(estimator: Any, X: Any, speakers: np.ndarray | None) -> np.ndarray:
    """Return a column per target, also of those that answer a single one with a vector."""
    with config_context(enable_metadata_routing=True):
        y_pred = estimator.predict(X, **requested_speakers(estimator, "predict", speakers))
    return y_pred.reshape(len(y_pred), -1)
