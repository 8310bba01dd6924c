import warnings

import numpy as np
import pytest
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import accuracy_score, balanced_accuracy_score

from serkit.metrics import uar_score, wa_score


def test_uar_by_hand():
    y_true = ["a", "a", "a", "a", "b", "b", "c"]
    y_pred = ["a", "a", "a", "b", "b", "c", "a"]
    assert uar_score(y_true, y_pred) == pytest.approx((3 / 4 + 1 / 2 + 0) / 3)
    assert wa_score(y_true, y_pred) == pytest.approx(4 / 7)


@pytest.mark.parametrize("weighted", [False, True])
def test_agrees_with_scikit_learn(weighted):
    rng = np.random.default_rng(0)
    y_true, y_pred = rng.choice(["x", "y", "z"], (2, 60))
    weight = rng.random(60) if weighted else None
    expected = balanced_accuracy_score(y_true, y_pred, sample_weight=weight)
    assert uar_score(y_true, y_pred, sample_weight=weight) == pytest.approx(expected)
    expected = accuracy_score(y_true, y_pred, sample_weight=weight)
    assert wa_score(y_true, y_pred, sample_weight=weight) == pytest.approx(expected)


def test_class_that_is_only_predicted_takes_no_part():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert uar_score(["a", "a", "b"], ["a", "c", "b"]) == 0.75


def test_labels():
    y_true, y_pred = ["a", "a", "b", "c"], ["a", "b", "b", "a"]
    assert uar_score(y_true, y_pred, labels=["a", "b"]) == 0.75
    with pytest.warns(UndefinedMetricWarning, match=r"classes \['d'\]"):
        assert uar_score(y_true, y_pred, labels=["a", "b", "d"]) == 0.75
    with pytest.raises(ValueError, match=r"no utterance of the classes \['d'\]"):
        uar_score(y_true, y_pred, labels=["d"])


def test_returns_plain_floats():
    assert type(uar_score([0, 1], [0, 0])) is type(wa_score([0, 1], [0, 0])) is float


@pytest.mark.parametrize("score", [uar_score, wa_score])
def test_wrong_input(score):
    with pytest.raises(ValueError, match="inconsistent"):
        score(["a", "b"], ["a"])
    with pytest.raises(ValueError, match=r"(?i)mix"):
        score(["a", "b"], [0.5, 1.5])
