"""The gallery runs, and shows what it says."""

import runpy
from pathlib import Path

import pytest
import torch

GALLERY = Path(__file__).parents[2] / "examples" / "gallery"


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


def test_modules_know_ever_less_of_the_speaker(pyplot, capsys):
    shown = runpy.run_path(str(GALLERY / "plot_inside_a_network.py"))
    known = shown["known"].set_index("stage")["accuracy"]
    assert known["Raw"] > 0.9 > 0.6 > known["CNN"] > known["BLSTM"] > known["MLP"]
    assert shown["table"]["stage"].tolist() == ["Raw", "CNN", "BLSTM", "MLP"]
    lda, embeddings = (pyplot.figure(number) for number in pyplot.get_fignums())
    assert len(lda.axes) == 8
    assert [ax.get_title() for ax in embeddings.axes] == ["emotions", "speakers"]
    assert "BLSTM" in capsys.readouterr().out


def test_a_comparison_is_shown_in_pictures(pyplot):
    shown = runpy.run_path(str(GALLERY / "plot_a_comparison.py"))
    confusions, reliability, curve = (pyplot.figure(number) for number in pyplot.get_fignums())
    names = list(shown["pipelines"])
    for figure in (confusions, reliability):
        assert [ax.get_title() for ax in figure.axes] == names
    scores = shown["curve"].groupby(["pipeline", "n_speakers"])["UAR"].mean().unstack()
    assert (scores[6] > scores[1]).all()
    assert curve.axes[0].get_xlabel() == "speakers trained on"


def test_an_svm_and_networks_are_compared(pyplot, capsys):
    shown = runpy.run_path(str(GALLERY / "plot_svm_versus_deep.py"))
    assert (shown["result"].table()["UAR"] > 1.2 / 4).all()
    assert len(shown["tests"]) == 3
    confusions, known = (pyplot.figure(number) for number in pyplot.get_fignums())
    assert [ax.get_title() for ax in confusions.axes] == ["SVM", "CRNN", "DAT"]
    assert [bar.get_height() > 1 / 8 for bar in known.axes[0].patches] == [True, True]
    assert "SVM" in capsys.readouterr().out
