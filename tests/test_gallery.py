"""The gallery runs, and shows what it says."""

import runpy
from pathlib import Path

import pytest
import torch

GALLERY = Path(__file__).parents[1] / "examples" / "gallery"


@pytest.fixture
def pyplot():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    yield pyplot
    pyplot.close("all")


def test_the_information_term_drives_clusters_apart(pyplot, capsys):
    shown = runpy.run_path(str(GALLERY / "plot_toy_gan.py"))
    ratios = shown["ratios"]
    assert ratios["InfoGAN, by code"] > ratios["vanilla GAN"]
    assert ratios["InfoGAN, by code"] > ratios["target"]
    points, codes = shown["panels"]["InfoGAN, by code"]
    clusters = torch.cdist(points, shown["MEANS"]).argmin(dim=1)
    assert {int(clusters[codes == code].mode().values) for code in range(4)} == {0, 1, 2, 3}
    assert [ax.get_title() for ax in shown["axes"]] == list(ratios)
    printed = capsys.readouterr().out
    for name, ratio in ratios.items():
        assert f"{name}: between / within = {ratio:.1f}" in printed
