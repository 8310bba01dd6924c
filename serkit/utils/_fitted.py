"""What is inside a model that somebody fitted."""

from typing import Any

from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

__all__ = ["check_frozen", "is_fitted", "last_step", "up_to_last_step"]


def is_fitted(estimator: Any) -> bool:
    """Say whether an estimator is fitted.

    Parameters
    ----------
    estimator : estimator
        Any.

    Returns
    -------
    answer : bool

    Examples
    --------
    >>> from sklearn.svm import SVC
    >>> from serkit.utils import is_fitted
    >>> is_fitted(SVC())
    False
    """
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        return False
    return True


def check_frozen(estimator: Any, *, owner: str) -> None:
    """Raise if a parameter is fitted and not frozen, or frozen and not fitted.

    Parameters
    ----------
    estimator : estimator
        The parameter of another estimator.
    owner : str
        The class of that, for the error.

    Raises
    ------
    TypeError
        If it is fitted: a clone of its owner would forget what it has learnt.
    NotFittedError
        If it is in a :class:`~sklearn.frozen.FrozenEstimator`, but not fitted.

    Examples
    --------
    >>> from sklearn.svm import SVC
    >>> from serkit.utils import check_frozen
    >>> check_frozen(SVC(), owner="ModuleFeatureExtractor")
    >>> check_frozen(SVC().fit([[0], [1]], [0, 1]), owner="ModuleFeatureExtractor")
    Traceback (most recent call last):
    ...
    TypeError: the SVC given is fitted, which scikit-learn's clones forget. ...
    """
    if isinstance(estimator, FrozenEstimator):
        if not is_fitted(estimator):
            raise NotFittedError(
                f"the {type(estimator.estimator).__name__} in FrozenEstimator is not fitted: fit "
                "it first, or give it without FrozenEstimator to have it fitted here"
            )
    elif get_tags(estimator).requires_fit and is_fitted(estimator):
        raise TypeError(
            f"the {type(estimator).__name__} given is fitted, which scikit-learn's clones forget. "
            f"Wrap it, {owner}(FrozenEstimator(fitted)), to have it used as it is; or give a "
            f"clone, {owner}(clone(fitted)), to have it fitted on the training rows"
        )


def last_step(estimator: Any) -> Any:
    """Return what a pipeline ends in; anything else as it is.

    Parameters
    ----------
    estimator : estimator
        Any, frozen or not.

    Returns
    -------
    step : estimator

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn.svm import SVC
    >>> from serkit.utils import last_step
    >>> last_step(make_pipeline(StandardScaler(), SVC()))
    SVC()
    """
    if isinstance(estimator, FrozenEstimator):
        return last_step(estimator.estimator)
    return last_step(estimator[-1]) if isinstance(estimator, Pipeline) else estimator


def up_to_last_step(estimator: Any, X: Any) -> Any:
    """Return what the last step of a fitted pipeline gets for some rows.

    Samplers are passed by, as they are whenever a pipeline predicts.

    Parameters
    ----------
    estimator : estimator
        Any, frozen or not; what is no pipeline gets the rows as they are.
    X : array-like
        The rows.

    Returns
    -------
    X : array-like

    Examples
    --------
    >>> from sklearn.svm import SVC
    >>> from serkit.utils import up_to_last_step
    >>> up_to_last_step(SVC(), [[1.0]])
    [[1.0]]
    """
    if isinstance(estimator, FrozenEstimator):
        return up_to_last_step(estimator.estimator, X)
    if not isinstance(estimator, Pipeline):
        return X
    for _, step in estimator.steps[:-1]:
        if step not in (None, "passthrough") and not hasattr(step, "fit_resample"):
            X = step.transform(X)
    return up_to_last_step(estimator[-1], X)
