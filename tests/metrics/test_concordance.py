import warnings

import numpy as np
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import cross_val_score

from serkit.metrics import (
    ccc_scorer,
    concordance_correlation_coefficient,
    sequence_ccc_score,
    sequence_ccc_scorer,
)

RNG = np.random.default_rng(0)
Y_TRUE = RNG.normal(size=(30, 3))
Y_PRED = 0.5 * Y_TRUE + RNG.normal(size=(30, 3)) + [0, 1, -2]


def by_formula(x, y):
    """Return 2 rho sigma_x sigma_y / (sigma_x^2 + sigma_y^2 + (mu_x - mu_y)^2)."""
    covariance = 2 * np.corrcoef(x, y)[0, 1] * x.std() * y.std()
    return covariance / (x.var() + y.var() + (x.mean() - y.mean()) ** 2)


def test_by_hand():
    ccc = concordance_correlation_coefficient([1, 2, 3, 4], [1, 2, 3, 5])
    assert ccc == pytest.approx(13 / 14, rel=1e-15)
    assert round(ccc, 6) == 0.928571
    assert type(ccc) is float


def test_each_output_is_the_printed_formula_and_symmetric():
    expected = [by_formula(x, y) for x, y in zip(Y_TRUE.T, Y_PRED.T, strict=True)]
    assert len(set(np.round(expected, 2))) == 3
    for pair in ((Y_TRUE, Y_PRED), (Y_PRED, Y_TRUE)):
        found = concordance_correlation_coefficient(*pair, multioutput="raw_values")
        np.testing.assert_allclose(found, expected)


def test_perfect_and_opposite():
    y = RNG.normal(size=40)
    assert concordance_correlation_coefficient(y, y) == pytest.approx(1)
    y -= y.mean()
    assert concordance_correlation_coefficient(y, -y) == pytest.approx(-1)


def test_average_over_outputs():
    raw = concordance_correlation_coefficient(Y_TRUE, Y_PRED, multioutput="raw_values")
    assert concordance_correlation_coefficient(Y_TRUE, Y_PRED) == pytest.approx(raw.mean())
    weighted = concordance_correlation_coefficient(Y_TRUE, Y_PRED, multioutput=[1, 0, 3])
    assert weighted == pytest.approx((raw[0] + 3 * raw[2]) / 4)


def test_a_column_is_a_vector():
    expected = concordance_correlation_coefficient(Y_TRUE[:, 0], Y_PRED[:, 0])
    assert concordance_correlation_coefficient(Y_TRUE[:, :1], Y_PRED[:, 0]) == expected


def test_whole_weights_repeat_samples():
    weight = RNG.integers(0, 4, 30)
    found = concordance_correlation_coefficient(Y_TRUE, Y_PRED, sample_weight=weight)
    repeated = [np.repeat(y, weight, axis=0) for y in (Y_TRUE, Y_PRED)]
    assert found == pytest.approx(concordance_correlation_coefficient(*repeated))
    assert found != pytest.approx(concordance_correlation_coefficient(Y_TRUE, Y_PRED))


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e9 / 3])
def test_a_constant_agrees_with_nothing(constant):
    y = np.full(7, constant)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert concordance_correlation_coefficient(y, y + np.arange(7)) == 0
        assert concordance_correlation_coefficient(y, y + 1) == 0
    with pytest.warns(UndefinedMetricWarning, match=r"outputs \[1\] is undefined"):
        found = concordance_correlation_coefficient(
            np.c_[np.arange(7), y], np.c_[np.arange(7), y], multioutput="raw_values"
        )
    np.testing.assert_allclose(found, [1, 0])


@pytest.mark.parametrize("constant", [0.3, 1e9 / 3])
def test_a_sample_of_weight_zero_is_no_sample(constant):
    y = [5, constant, constant, constant]
    with pytest.warns(UndefinedMetricWarning, match=r"outputs \[0\] is undefined"):
        assert concordance_correlation_coefficient(y, y, sample_weight=[0, 1, 2, 0.3]) == 0


def test_scorer():
    X = RNG.normal(size=(60, 2))
    y = X @ [1, 2] + 0.1 * RNG.normal(size=60)
    scores = cross_val_score(LinearRegression(), X, y, scoring=ccc_scorer, cv=3)
    assert (scores > 0.95).all()
    assert ccc_scorer(DummyRegressor().fit(X, y), X, y) == 0


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([1, 2], [1]), {}, "inconsistent"),
        (([1, 2], [1, 2]), {"sample_weight": [1]}, "inconsistent"),
        (([1, 2], [1, 2]), {"sample_weight": [0, 0]}, "sample_weight is 0 for all samples"),
        ((Y_TRUE, Y_PRED[:, :2]), {}, "y_true has 3 outputs, y_pred has 2"),
        (([1, np.nan], [1, 2]), {}, "y_true contains NaN"),
        (([1, 2], [np.inf, 2]), {}, "y_pred contains infinity"),
        (([], []), {}, "minimum of 1"),
        ((Y_TRUE, Y_PRED), {"multioutput": [1, 2]}, "2 weights for 3 outputs"),
        ((Y_TRUE, Y_PRED), {"multioutput": "mean"}, "multioutput is one of .*not 'mean'"),
    ],
    ids=[
        "length", "weights", "zero_weights", "outputs", "nan", "inf", "empty", "output_weights",
        "multioutput",
    ],
)  # fmt: skip
def test_wrong_input(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        concordance_correlation_coefficient(*arguments, **options)


def test_sequences_are_compared_over_time():
    expected = [by_formula(x, y) for x, y in zip(Y_TRUE, Y_PRED, strict=True)]
    assert sequence_ccc_score(Y_TRUE, Y_PRED) == pytest.approx(np.mean(expected))
    weight = np.arange(30)
    found = sequence_ccc_score(Y_TRUE, Y_PRED, sample_weight=weight)
    assert found == pytest.approx(np.average(expected, weights=weight))


def test_sequences_of_unequal_lengths():
    true, pred = [Y_TRUE[:9, 0], Y_TRUE[:4, 1]], [Y_PRED[:9, 0], Y_PRED[:4, 1]]
    expected = [by_formula(x, y) for x, y in zip(true, pred, strict=True)]
    assert sequence_ccc_score(true, pred) == pytest.approx(np.mean(expected))
    with pytest.raises(ValueError, match=r"sequence 1 has shape \(4,\), its prediction \(9,\)"):
        sequence_ccc_score(true, [pred[0], pred[0]])


def test_constant_sequences_are_named():
    with pytest.warns(UndefinedMetricWarning, match=r"sequences \[1\] is undefined"):
        score = sequence_ccc_score([[1, 2, 3], [0.1, 0.1, 0.1]], [[1, 2, 3], [0.1, 0.1, 0.1]])
    assert score == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("true", "pred", "message"),
    [
        ([1, 2, 3], [1, 2, 4], "of numbers take concordance_correlation_coefficient"),
        ([[1], [2]], [[1], [3]], "sequence 0 has one value, and the CCC over time"),
        ([[1, 2], [5]], [[1, 2], [5]], "sequence 1 has one value"),
    ],
    ids=["numbers", "column", "one_of_them"],
)
def test_without_time_there_is_nothing_to_compare(true, pred, message):
    with pytest.raises(ValueError, match=message):
        sequence_ccc_score(true, pred)


def test_sequence_scorer():
    X = RNG.normal(size=(60, 2))
    y = X @ RNG.normal(size=(2, 7))
    scores = cross_val_score(LinearRegression(), X, y, scoring=sequence_ccc_scorer, cv=3)
    np.testing.assert_allclose(scores, 1)
