"""Every public estimator, fitted, saved and loaded, does what it did."""

import os
import warnings

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, is_regressor

import serkit
import serkit.testing
from serkit.testing import make_input
from serkit.utils import is_ragged

INSTANCES = serkit.testing.test_instances()
METHODS = ("predict", "predict_proba", "decision_function", "transform")


@pytest.fixture(params=INSTANCES, ids=lambda instance: type(instance).__name__)
def fitted(request):
    estimator = request.param
    paths = {k: v for k, v in estimator.get_params().items() if isinstance(v, os.PathLike)}
    estimator.set_params(**{name: os.fspath(path) for name, path in paths.items()})
    X = make_input(estimator)
    y = np.arange(len(X)) % 2
    if is_regressor(estimator):
        y = np.random.default_rng(0).normal(size=len(X))
    if "max_epochs" in estimator.get_params():
        estimator.set_params(max_epochs=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if hasattr(estimator, "fit_resample"):
            estimator.fit_resample(X, y)
        else:
            estimator.fit(X, y)
    return estimator, X, y


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_loaded_estimator_does_what_the_saved_one_did(fitted, tmp_path):
    estimator, X, y = fitted
    file = tmp_path / "model.serkit"
    serkit.save(estimator, file)
    loaded = serkit.load(file)
    assert type(loaded) is type(estimator)
    assert_equal(params(loaded), params(estimator))
    assert vars(loaded).keys() == vars(estimator).keys()
    called = 0
    if hasattr(estimator, "fit_resample"):
        assert_equal(loaded.fit_resample(X, y), estimator.fit_resample(X, y))
        called += 1
    else:
        for method in METHODS:
            if hasattr(estimator, method):
                assert_equal(getattr(loaded, method)(X), getattr(estimator, method)(X))
                called += 1
    if hasattr(estimator, "sample"):
        assert_equal(loaded.sample(5), estimator.sample(5))
    if hasattr(estimator, "transform") and hasattr(estimator, "get_feature_names_out"):
        assert_array_equal(loaded.get_feature_names_out(), estimator.get_feature_names_out())
    assert called or hasattr(estimator, "sample")
    again = tmp_path / "again.serkit"
    serkit.save(loaded, again)
    description = serkit.persistence.describe(file)
    assert serkit.persistence.describe(again) == {**description, "size": again.stat().st_size}


def params(estimator):
    """Return parameters, with the objects among them as text."""
    return {
        name: repr(value) if is_object(value) else value
        for name, value in estimator.get_params().items()
    }


def is_object(value):
    return isinstance(value, BaseEstimator | torch.nn.Module) or hasattr(value, "__dict__")


def assert_equal(found, expected):
    """Compare down to the types, and arrays down to the last digit."""
    assert type(found) is type(expected)
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for key, value in expected.items():
            assert_equal(found[key], value)
    elif isinstance(expected, list | tuple) or is_ragged(expected):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            if hasattr(other, "change") or is_object(other):  # such as a copy yet to be changed
                assert repr(one) == repr(other)
            else:
                assert_equal(one, other)
    elif isinstance(expected, np.ndarray):
        assert found.dtype == expected.dtype
        assert_array_equal(found, expected)
    else:
        assert found == expected
