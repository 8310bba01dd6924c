"""Tuning on held-out validation speakers."""

from copy import deepcopy
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, _fit_context, clone, is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import GridSearchCV, check_cv
from sklearn.utils import _safe_indexing, get_tags, indexable
from sklearn.utils._param_validation import HasMethods, StrOptions
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _routing_enabled,
    process_routing,
)
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_method_params, _num_samples, check_is_fitted

from serkit.metrics import uar_scorer
from serkit.model_selection import SpeakerHoldout, check_speaker_leakage

__all__ = ["HoldoutSearchCV"]

_METHODS = ("predict", "predict_proba", "decision_function")


def _estimator_has(method: str):
    def check(self: "HoldoutSearchCV") -> bool:
        getattr(getattr(self, "best_estimator_", self.estimator), method)
        return True

    return check


class HoldoutSearchCV(MetaEstimatorMixin, BaseEstimator):
    """Search over parameters, each candidate fitted once and scored on held-out utterances.

    Published protocols often name, beside the test speakers of a fold, the
    speakers to tune on. This search fits every candidate on the other speakers,
    keeps the best by the score of the held-out ones, and leaves it as it is:
    fitted without them. :class:`~sklearn.model_selection.GridSearchCV` with the
    same `cv` would fit it again on all.

    Parameters
    ----------
    estimator : estimator
        What is tuned; a Pipeline, for instance.
    param_grid : dict or list of dict
        Values to try, as for :class:`~sklearn.model_selection.GridSearchCV`.
    cv : splitter, iterable of (train, test) or None, default=None
        Its first split says what is fitted on and what is held out; such as
        ``LeaveSpeakersOut(...).inner()``. ``None`` holds out a fifth of the
        speakers.
    scoring : str, callable or None, default=uar_scorer
        What to maximise.
    refit : {"train", "train+validation"}, default="train"
        What the best candidate is fitted on in the end.
    n_jobs : int or None, default=None
        Number of candidates fitted in parallel.
    verbose : int, default=0
        Verbosity of the search.

    Attributes
    ----------
    best_estimator_ : estimator
        The best candidate, fitted.
    best_params_ : dict
        Its parameters in the grid.
    best_score_ : float
        Its score on the held-out utterances, fitted without them.
    best_index_ : int
        Its place in ``cv_results_``.
    cv_results_ : dict of ndarray
        Parameters, scores and times of all candidates.
    scorer_ : callable
        The scorer used.
    validation_rows_ : ndarray of shape (n_validation,)
        Rows of X that were held out.
    classes_ : ndarray of shape (n_classes,)
        Classes of a classifier.
    n_features_in_ : int
        Number of features, if the best estimator knows it.

    See Also
    --------
    compare : Evaluates searches on speaker-independent folds.
    sklearn.model_selection.GridSearchCV : Several splits, always fitted again.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.svm import LinearSVC
    >>> from serkit.evaluation import HoldoutSearchCV
    >>> from serkit.model_selection import LeaveSpeakersOut
    >>> X = np.array([[0.0], [1.0], [0.1], [0.9], [0.2], [0.8]])
    >>> y = ["calm", "anger"] * 3
    >>> speakers = ["03", "03", "08", "08", "09", "09"]
    >>> search = HoldoutSearchCV(LinearSVC(), {"C": [0.1, 1.0]}, cv=LeaveSpeakersOut(1))
    >>> float(search.fit(X, y, groups=speakers).best_score_)
    1.0
    >>> search.validation_rows_
    array([0, 1])
    """

    _parameter_constraints: ClassVar[dict] = {
        "estimator": [HasMethods(["fit"])],
        "param_grid": [dict, list],
        "cv": ["cv_object"],
        "scoring": [str, callable, None],
        "refit": [StrOptions({"train", "train+validation"})],
        "n_jobs": [int, None],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator,
        param_grid,
        *,
        cv=None,
        scoring=uar_scorer,
        refit="train",
        n_jobs=None,
        verbose=0,
    ):
        self.estimator = estimator
        self.param_grid = param_grid
        self.cv = cv
        self.scoring = scoring
        self.refit = refit
        self.n_jobs = n_jobs
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None, *, groups: Any = None, **params: Any) -> "HoldoutSearchCV":
        """Search, then fit the best candidate.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            What the estimator takes.
        y : array-like of shape (n_samples,), default=None
            Labels.
        groups : array-like of shape (n_samples,), default=None
            The speakers, for `cv`; a split with one on both sides is warned of.
        **params : dict
            Passed on to ``fit`` of the estimator, such as ``step__speakers``; with
            metadata routing to estimator and scorer as they request.

        Returns
        -------
        self : object
        """
        X, y, groups = indexable(X, y, groups)
        if is_classifier(self.estimator):
            check_classification_targets(y)
        cv = check_cv(self._splitter(), y, classifier=is_classifier(self.estimator))
        train, validation = next(iter(cv.split(X, y, groups)))
        if groups is not None:
            check_speaker_leakage([(train, validation)], speakers=groups, on_leak="warn")
        search = GridSearchCV(
            self.estimator,
            self.param_grid,
            scoring=self.scoring,
            cv=[(train, validation)],
            refit=False,
            n_jobs=self.n_jobs,
            verbose=self.verbose,
            error_score="raise",
        ).fit(X, y, **params)
        for name in ("best_params_", "best_score_", "best_index_", "cv_results_", "scorer_"):
            setattr(self, name, getattr(search, name))
        self.validation_rows_ = np.asarray(validation)
        rows = np.asarray(train) if self.refit == "train" else np.arange(_num_samples(X))
        best = clone(self.estimator).set_params(**clone(self.best_params_, safe=False))
        fit_params = _check_method_params(X, self._routed("fit", params), indices=rows)
        labels = () if y is None else (_safe_indexing(y, rows),)
        self.best_estimator_ = best.fit(_safe_indexing(X, rows), *labels, **fit_params)
        return self

    @available_if(_estimator_has("predict"))
    def predict(self, X: Any, **params: Any) -> np.ndarray:
        """Predict with the best estimator.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            What the estimator takes.
        **params : dict
            Passed on, such as ``speakers``.

        Returns
        -------
        y_pred : ndarray of shape (n_samples,)
        """
        return self._delegate("predict", X, params)

    @available_if(_estimator_has("predict_proba"))
    def predict_proba(self, X: Any, **params: Any) -> np.ndarray:
        """Return posteriors of the best estimator.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            What the estimator takes.
        **params : dict
            Passed on, such as ``speakers``.

        Returns
        -------
        posteriors : ndarray of shape (n_samples, n_classes)
        """
        return self._delegate("predict_proba", X, params)

    @available_if(_estimator_has("decision_function"))
    def decision_function(self, X: Any, **params: Any) -> np.ndarray:
        """Return decision values of the best estimator.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            What the estimator takes.
        **params : dict
            Passed on, such as ``speakers``.

        Returns
        -------
        values : ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        return self._delegate("decision_function", X, params)

    def score(self, X: Any, y: Any = None, **params: Any) -> float:
        """Score the best estimator.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            What the estimator takes.
        y : array-like of shape (n_samples,), default=None
            Labels.
        **params : dict
            Passed on to the scorer.

        Returns
        -------
        score : float
            Of ``scorer_``.
        """
        check_is_fitted(self)
        return self.scorer_(self.best_estimator_, X, y, **params)

    @property
    def classes_(self) -> np.ndarray:
        """Classes of the best estimator."""
        _estimator_has("classes_")(self)
        return self.best_estimator_.classes_

    @property
    def n_features_in_(self) -> int:
        """Number of features of the best estimator."""
        try:
            check_is_fitted(self)
        except ValueError as error:
            raise AttributeError(f"{type(self).__name__} has no n_features_in_ yet") from error
        return self.best_estimator_.n_features_in_

    def get_metadata_routing(self) -> MetadataRouter:
        """Return what the estimator, the splitter and the scorer request.

        Returns
        -------
        routing : MetadataRouter
        """
        mapping = MethodMapping().add(caller="fit", callee="fit")
        for method in _METHODS:
            mapping.add(caller=method, callee=method)
        scored = (
            MethodMapping().add(caller="fit", callee="score").add(caller="score", callee="score")
        )
        return (
            MetadataRouter(owner=self)
            .add(estimator=self.estimator, method_mapping=mapping)
            .add(
                splitter=self._splitter(),
                method_mapping=MethodMapping().add(caller="fit", callee="split"),
            )
            .add(scorer=check_scoring(self.estimator, self.scoring), method_mapping=scored)
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.estimator_type = inner.estimator_type
        tags.classifier_tags = deepcopy(inner.classifier_tags)
        tags.regressor_tags = deepcopy(inner.regressor_tags)
        tags.input_tags = deepcopy(inner.input_tags)
        return tags

    def _splitter(self) -> Any:
        return SpeakerHoldout(0.2, random_state=0) if self.cv is None else self.cv

    def _routed(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """Return what of the metadata is for the estimator."""
        if not _routing_enabled():
            return params
        return process_routing(self, method, **params).estimator[method]

    def _delegate(self, method: str, X: Any, params: dict[str, Any]) -> np.ndarray:
        check_is_fitted(self)
        return getattr(self.best_estimator_, method)(X, **self._routed(method, params))
