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
