"""What the last step of a pipeline gets."""

import numpy as np
import pytest
from imblearn import pipeline as imblearn_pipeline
from imblearn.over_sampling import SMOTE
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from serkit.over_sampling import RandomOverSampler
from serkit.pipeline import make_pipeline
from serkit.utils import last_step, up_to_last_step

X = np.random.default_rng(0).normal(size=(12, 3)) * [1, 5, 20]
Y = ["anger"] * 8 + ["calm"] * 4


@pytest.mark.parametrize(
    "make", [make_pipeline, imblearn_pipeline.make_pipeline], ids=["serkit", "imblearn"]
)
@pytest.mark.parametrize(
    "sampler", [RandomOverSampler(random_state=0), SMOTE(k_neighbors=2, random_state=0)]
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_samplers_are_passed_by(make, sampler, place):
    scalers = [StandardScaler(), MinMaxScaler()]
    steps = [*scalers[:place], sampler, *scalers[place:], LogisticRegression()]
    model = make(*steps).fit(X, Y)
    got = up_to_last_step(model, X)
    assert got.shape == X.shape
    np.testing.assert_array_equal(last_step(model).predict_proba(got), model.predict_proba(X))


def test_pipelines_in_pipelines():
    inner = make_pipeline(MinMaxScaler(), RandomOverSampler(random_state=0), LogisticRegression())
    steps = [("scaler", StandardScaler()), ("nothing", None), ("same", "passthrough")]
    model = Pipeline([*steps, ("inner", inner)]).fit(X, Y)
    for estimator in (model, FrozenEstimator(model)):
        got = last_step(model).predict_proba(up_to_last_step(estimator, X))
        np.testing.assert_array_equal(got, model.predict_proba(X))
    np.testing.assert_array_equal(up_to_last_step(LogisticRegression(), X), X)
