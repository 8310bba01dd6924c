import warnings

import pytest

from serkit.cli._pipelines import DEMO_PIPELINES, PIPELINES, make_pipelines
from serkit.evaluation import baseline_pipelines


def test_every_pipeline_has_a_short_name():
    assert set(PIPELINES.values()) == set(baseline_pipelines())
    assert set(DEMO_PIPELINES) <= set(PIPELINES)


def test_the_device_is_that_of_networks_alone():
    pipelines = make_pipelines(["mfcc-dat", "mfcc-svm"], device="cpu")
    dat, svm = pipelines.values()
    assert dat[-1].device == "cpu"
    assert dat.get_params()["mfcc__device"] is None
    assert list(pipelines) == ["MFCC + DAT", "MFCC statistics + SVM"]
    assert svm[-1].C == 0.1


@pytest.mark.parametrize("device", ["cuda:77", "abacus"])
def test_a_device_that_is_not_there_is_an_error_before_the_run(device):
    with pytest.raises(ValueError, match=f"--device {device} cannot be used here"):
        make_pipelines(["mfcc-crnn"], device=device)


def test_what_cannot_be_made_is_noted_if_it_is_asked_for(monkeypatch):
    monkeypatch.setattr("serkit.evaluation._baselines.find_spec", lambda _: None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert list(make_pipelines(["mfcc-svm"])) == ["MFCC statistics + SVM"]
    with pytest.warns(UserWarning, match="the package opensmile is not installed"):
        assert list(make_pipelines(["mfcc-svm", "egemaps-svm"])) == ["MFCC statistics + SVM"]
    with (
        pytest.warns(UserWarning, match="opensmile"),
        pytest.raises(ValueError, match="none of the pipelines can be run"),
    ):
        make_pipelines(["egemaps-svm"])
