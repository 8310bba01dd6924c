import pytest

from serkit.evaluation import HoldoutSearchCV, baseline_pipelines
from serkit.model_selection import load_protocol


def test_without_opensmile_the_rest_is_offered(monkeypatch):
    everything = set(baseline_pipelines())
    monkeypatch.setattr("serkit.evaluation._baselines.find_spec", lambda name: None)
    with pytest.warns(UserWarning, match="opensmile is not installed"):
        rest = set(baseline_pipelines())
    assert everything - rest <= {"eGeMAPSv02 + SVM", "ComParE_2016 + SVM"}
    assert rest == {"MFCC statistics + SVM", "MFCC statistics + MLP"}


def test_tuned_pipelines_vary_parameters_that_they_have():
    cv = load_protocol("leow2021-emodb").inner()
    for search in baseline_pipelines(validation=cv).values():
        assert isinstance(search, HoldoutSearchCV)
        assert set(search.param_grid) <= set(search.estimator.get_params())
