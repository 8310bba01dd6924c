"""scikit-learn's checks and serkit's own, over every public estimator."""

import tempfile
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from imblearn.over_sampling import SMOTE, RandomOverSampler
from sklearn.base import BaseEstimator, clone, is_classifier, is_regressor
from sklearn.utils import estimator_checks, get_tags
from sklearn.utils.estimator_checks import check_estimator

import serkit.testing
from serkit.feature_extraction import CachedTransformer
from serkit.neural_network import NeuralEstimator
from serkit.preprocessing import WienerFilter
from serkit.testing import (
    all_estimators,
    expected_failed_checks,
    input_kind,
    make_input,
    yield_checks,
)
from serkit.utils import as_ragged

#: The same folder in every process: what one check stores is a hit in the next.
CACHE = Path(tempfile.gettempdir()) / "serkit-common-tests"
INSTANCES = [*serkit.testing.test_instances(), CachedTransformer(WienerFilter(), CACHE)]
SAMPLERS = [SMOTE(random_state=0, k_neighbors=3), RandomOverSampler(random_state=0)]


@estimator_checks.parametrize_with_checks(INSTANCES, expected_failed_checks=expected_failed_checks)
@pytest.mark.filterwarnings("ignore")
def test_sklearn_checks(estimator, check, request):
    in_single_precision = is_regressor(estimator) or hasattr(estimator, "segmenter")
    if in_single_precision and check.func.__name__ == "check_methods_subset_invariance":
        # Networks compute in single precision; serkit's own check asks for 1e-6.
        reason = "1e-7 is within reach of rounding, on some machines and not on others"
        request.applymarker(pytest.mark.xfail(reason=reason, strict=False))
    check(estimator)


@serkit.testing.parametrize_with_checks([*INSTANCES, *SAMPLERS])
def test_serkit_checks(estimator, check):
    check(estimator)


def test_every_public_estimator_has_an_instance():
    instances = serkit.testing.test_instances()
    assert all_estimators().keys() == {type(instance).__name__ for instance in instances}


#: Number of serkit's checks by what an estimator takes, does, and whether it learns.
N_CHECKS = {
    ("frames", "classifies and transforms", "learns"): 13,
    ("frames", "predicts and transforms", "learns"): 11,
    ("frames", "classifies", "learns"): 11,
    ("functionals", "classifies and transforms", "learns"): 6,
    ("audio", "transforms", "learns"): 11,
    ("audio", "transforms", "stateless"): 12,
    ("frames", "transforms", "learns"): 11,
    ("frames", "transforms", "stateless"): 12,
    ("functionals", "transforms", "learns"): 4,
    ("functionals", "classifies", "learns"): 5,
    ("functionals", "predicts", "learns"): 3,
    ("functionals", "transforms and generates", "learns"): 4,
    ("functionals", "generates", "learns"): 3,
    ("functionals", "samples", "learns"): 2,
    ("audio", "samples", "learns"): 2,
}


@pytest.mark.parametrize("estimator", INSTANCES, ids=lambda estimator: type(estimator).__name__)
def test_number_of_checks(estimator):
    """A wrong tag would silently shrink scikit-learn's suite from about 50 checks to one."""
    predicts = hasattr(estimator, "predict")
    checks = list(estimator_checks.estimator_checks_generator(estimator, mark="skip"))
    transforms = hasattr(estimator, "transform")
    assert len(checks) >= (53 if predicts else 45 if transforms else 42)
    learns = get_tags(estimator).requires_fit
    does = ["classifies" if is_classifier(estimator) else "predicts"] if predicts else []
    does += ["transforms"] if transforms else []
    does += ["generates"] if hasattr(estimator, "sample") else []
    does += ["samples"] if hasattr(estimator, "fit_resample") else []
    kind = (
        input_kind(estimator),
        " and ".join(does),
        "learns" if learns else "stateless",
    )
    without_jobs = (
        kind[0] != "functionals" and kind[1] != "samples" and "n_jobs" not in estimator.get_params()
    )
    assert len(list(yield_checks(estimator))) == N_CHECKS[kind] - without_jobs


@pytest.mark.filterwarnings("ignore")
def test_networks_are_small():
    networks = [estimator for estimator in INSTANCES if isinstance(estimator, NeuralEstimator)]
    assert len(networks) >= 5
    for network in networks:
        X = make_input(network)
        fitted = clone(network).set_params(max_epochs=1).fit(X, np.arange(len(X)) % 2)
        tags = get_tags(network).input_tags
        assert tags.fixed_length is (fitted.n_frames_ is not None)
        assert sum(weights.numel() for weights in fitted.net_.module_.parameters()) < 1e5


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
        if self.promise == "silence":
            Xt = as_ragged(x / x.any() for x in Xt)
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
        ("silence", "check_silence_is_finite"),
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
