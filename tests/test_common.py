"""scikit-learn's checks and serkit's own, over every public estimator."""

import warnings
from collections import Counter

import numpy as np
import pytest
from imblearn.over_sampling import SMOTE, RandomOverSampler
from sklearn.base import BaseEstimator
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import check_estimator

import serkit.testing
from serkit.preprocessing import WienerFilter
from serkit.testing import all_estimators, expected_failed_checks, input_kind, yield_checks

INSTANCES = serkit.testing.test_instances()
SAMPLERS = [SMOTE(random_state=0, k_neighbors=3), RandomOverSampler(random_state=0)]


@estimator_checks.parametrize_with_checks(INSTANCES, expected_failed_checks=expected_failed_checks)
@pytest.mark.filterwarnings("ignore")
def test_sklearn_checks(estimator, check):
    check(estimator)


@serkit.testing.parametrize_with_checks([*INSTANCES, *SAMPLERS])
def test_serkit_checks(estimator, check):
    check(estimator)


def test_every_public_estimator_has_an_instance():
    assert all_estimators().keys() == {type(instance).__name__ for instance in INSTANCES}


@pytest.mark.parametrize("estimator", INSTANCES, ids=lambda estimator: type(estimator).__name__)
def test_enough_checks_run(estimator):
    """A wrong tag would silently shrink scikit-learn's suite from about 50 checks to one."""
    checks = list(estimator_checks.estimator_checks_generator(estimator, mark="skip"))
    assert len(checks) >= 40
    own = 4 if input_kind(estimator) == "functionals" else 10
    assert len(list(yield_checks(estimator))) >= own


class Broken(WienerFilter):
    """Breaks one promise, named by its parameter."""

    def __init__(self, size=3, noise=None, *, promise=None, n_jobs=None, verbose=0):
        super().__init__(size, noise, n_jobs=n_jobs, verbose=verbose)
        self.promise = promise

    def transform(self, X):
        if self.promise == "input":
            X[0][:] = 0
        Xt = super().transform(X)
        if self.promise == "batch" and len(X) > 1:
            Xt = Xt * 2
        if self.promise == "container" and Xt.dtype == object:
            Xt = np.stack([x[:300] for x in Xt])
        if self.promise == "seed":
            Xt = Xt + np.random.normal()  # noqa: NPY002
        return Xt


@pytest.mark.parametrize(
    ("promise", "check"),
    [
        ("input", "check_input_is_not_changed"),
        ("batch", "check_one_by_one_is_equal"),
        ("container", "check_container_is_kept"),
        ("seed", "check_same_seed_is_equal"),
    ],
)
def test_checks_find_what_is_broken(promise, check):
    estimator = Broken(promise=promise)
    checks = {found.__name__: found for found in yield_checks(estimator)}
    with pytest.raises((AssertionError, ValueError)):
        checks[check]("Broken", estimator)
    checks[check]("Broken", Broken())


def test_check_estimator_reports_no_failure_on_the_exemplar():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(WienerFilter(), on_fail=None)
    counts = Counter(result["status"] for result in results)
    assert counts["failed"] == 0
    assert counts["passed"] >= 40


def test_base_classes_are_not_public_estimators():
    for cls in all_estimators().values():
        assert issubclass(cls, BaseEstimator)
        assert not cls.__name__.startswith("Base")
