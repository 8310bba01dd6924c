"""One or more small instances of every public estimator."""

import importlib
import inspect
from typing import Any

import torch
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import ShuffleSplit
from sklearn.pipeline import make_pipeline

import serkit
from serkit.utils import import_optional

__all__ = ["all_estimators", "expected_failed_checks", "test_instances"]

#: Rooms whose public classes are estimators that users put into pipelines.
_ROOMS = ("preprocessing", "feature_extraction", "evaluation")

#: Accepted failures of scikit-learn's checks, each with its reason.
_EXPECTED_FAILURES: dict[str, dict[str, str]] = {}


def all_estimators() -> dict[str, type[BaseEstimator]]:
    """Find every public estimator.

    Returns
    -------
    estimators : dict of str to class
        By class name.

    Examples
    --------
    >>> from serkit.testing import all_estimators
    >>> "WienerFilter" in all_estimators()
    True
    """
    estimators = {}
    for room in serkit.__all__:
        if room in ("__version__", "testing", "utils"):
            continue
        module = importlib.import_module(f"serkit.{room}")
        for name in module.__all__:
            found = getattr(module, name)
            if inspect.isclass(found) and issubclass(found, BaseEstimator):
                estimators[name] = found
    return estimators
