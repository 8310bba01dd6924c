"""Scores over kernel heights, numbers of speakers, and noise."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.signal import medfilt
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from serkit.datasets import Corpus
from serkit.evaluation import compare
from serkit.feature_extraction import FrameScaler
from serkit.inspection import (
    KernelHeightDisplay,
    SNRCurveDisplay,
    SpeakerCurveDisplay,
    kernel_height_sweep,
    speaker_learning_curve,
)
from serkit.model_selection import LeaveSpeakersOut
from serkit.neural_network import CLDNNClassifier, LDNNClassifier, convolution_param_grid

pytestmark = pytest.mark.usefixtures("pyplot")


@pytest.fixture
def corpus(speech):
    X, y, speakers = speech
    return Corpus(
        {"speaker": speakers, "emotion": y},
        waveforms=[np.full(4, row / 48) for row in range(len(X))],
        sampling_rate=16000,
    )


@pytest.fixture
def network():
    return CLDNNClassifier(
        "s",
        n_filters=2,
        context=(2, 1),
        lstm_hidden_size=2,
        hidden_layer_sizes=(2,),
        max_epochs=1,
        patience=None,
        validation=None,
        random_state=0,
    )


def test_heights_are_tried_on_the_same_folds(speech, corpus, network, tmp_path):
    X = speech[0]
    pipe = make_pipeline(FrameScaler(), network)
    options = {"X": X, "cv": LeaveSpeakersOut(2), "results_dir": tmp_path, "verbose": 0}
    table = kernel_height_sweep(corpus, pipe, heights=[3, 4], second_height=2, **options)
    assert table[["height", "fold"]].to_numpy().tolist() == [[3, 0], [3, 1], [4, 0], [4, 1]]
    own = pipe.set_params(cldnnclassifier__kernel_sizes=((4, 1), (2, 1)))
    result = compare(corpus, {"own": own}, **options | {"results_dir": None})
    assert table.loc[table["height"] == 4, "UAR"].tolist() == result.folds["UAR"].tolist()
    n_files = len(list(tmp_path.glob("folds/*.json")))
    again = kernel_height_sweep(corpus, pipe, heights=[3, 4], second_height=2, **options)
    pd.testing.assert_frame_equal(again, table)
    assert len(list(tmp_path.glob("folds/*.json"))) == n_files == 4


def test_the_paper_tries_the_heights_from_4_to_30(network):
    from serkit.inspection._kernel_heights import _kernel_sizes

    network.set_params(context=(10, 5))
    assert list(_kernel_sizes(network, 40, None, 3)) == list(range(4, 31))
    with pytest.raises(ValueError, match=r"filters of \[31, 32\] bins, and then 3, do not fit 40"):
        _kernel_sizes(network, 40, [30, 31, 32], 3)
    both = network.set_params(convolution="st", kernel_sizes=((6, 4), (3, 2)))
    assert _kernel_sizes(both, 40, [7], 3) == {7: ((7, 4), (3, 2))}


def test_the_grid_takes_other_heights():
    grid = convolution_param_grid("s", 40, heights=(range(4, 41), [3]))["kernel_sizes"]
    assert grid == [((height, 1), (3, 1)) for height in range(4, 31)]
    with pytest.raises(ValueError, match='heights are for convolution="s"'):
        convolution_param_grid("t", 40, heights=([4], [3]))


@pytest.mark.parametrize("other", ["fst", None])
def test_a_network_without_heights_is_refused(speech, corpus, network, other):
    network = LDNNClassifier() if other is None else network.set_params(convolution=other)
    with pytest.raises(TypeError, match="the height varies of a CLDNNClassifier"):
        kernel_height_sweep(corpus, make_pipeline(FrameScaler(), network), X=speech[0])


def test_heights_are_drawn_with_their_moving_median():
    rng = np.random.default_rng(0)
    rows = [
        (condition, height, fold, rng.random())
        for condition, height, fold in product(["clean", "noisy"], range(4, 15), range(3))
    ]
    table = pd.DataFrame(rows, columns=["condition", "height", "fold", "UAR"])
    display = KernelHeightDisplay.from_table(table.sample(frac=1, random_state=0), name="heights")
    assert set(display.lines_) == set(display.medians_) == {"clean", "noisy"}
    mean = table[table["condition"] == "noisy"].groupby("height")["UAR"].mean().to_numpy()
    np.testing.assert_allclose(display.lines_["noisy"].get_ydata(), mean)
    padded = np.pad(mean, 2, mode="edge")
    np.testing.assert_allclose(display.medians_["noisy"].get_ydata(), medfilt(padded, 5)[2:-2])
    one = KernelHeightDisplay.from_table(table.drop(columns="condition"), window=1)
    (median,) = one.medians_.values()
    np.testing.assert_array_equal(median.get_ydata(), one.lines_[""].get_ydata())


@pytest.fixture
def functionals(speech):
    return np.stack([x[0].mean(axis=1) for x in speech[0]])


def test_speakers_are_drawn_whole_and_the_test_stays(speech, corpus, functionals, monkeypatch):
    seen = []

    def note(corpus, pipelines, *, cv, **options):
        seen.extend(cv)
        return compare(corpus, pipelines, cv=cv, **options)

    monkeypatch.setattr("serkit.inspection._speaker_curve.compare", note)
    table = speaker_learning_curve(
        corpus, {"Bayes": GaussianNB()}, [3, 1], n_repeats=2, X=functionals, verbose=0
    )
    assert table.groupby(["n_speakers", "repeat"])["fold"].apply(list).to_dict() == {
        (n, repeat): [0, 1, 2, 3] for n in (1, 3) for repeat in (0, 1)
    }
    speakers = corpus.speakers
    folds = list(LeaveSpeakersOut(1).split(functionals, corpus.y, speakers))
    for number, (train, test) in enumerate(seen):
        np.testing.assert_array_equal(test, folds[number % 4][1])
        drawn = set(speakers[train])
        assert len(drawn) == (1 if number < 8 else 3)
        assert len(train) == 12 * len(drawn)
        assert not drawn & set(speakers[test])
    # The larger number has the smaller among them.
    for (few, _), (many, _) in zip(seen[:8], seen[8:], strict=True):
        assert set(few) < set(many)
    drawn = [sorted(set(speakers[train]))[0] for train, _ in seen[:8]]
    assert drawn[:4] != drawn[4:]


def test_more_speakers_than_there_are_is_an_error(corpus, functionals):
    with pytest.raises(ValueError, match=r"numbers from 1 to 3.*not \[2, 4\]"):
        speaker_learning_curve(corpus, {"Bayes": GaussianNB()}, [2, 4], X=functionals)


def test_a_line_over_speakers_is_the_mean_over_folds():
    rows = [
        (pipeline, n, repeat, fold, 0.1 * n + 0.2 * fold + 0.05 * repeat)
        for pipeline, n, repeat, fold in product(["A", "B"], [4, 1], [0, 1], [0, 1])
    ]
    table = pd.DataFrame(rows, columns=["pipeline", "n_speakers", "repeat", "fold", "UAR"])
    display = SpeakerCurveDisplay.from_table(table, chance=0.25)
    assert list(display.lines_) == ["A", "B"]
    assert display.lines_["A"].get_xdata().tolist() == [1, 4]
    np.testing.assert_allclose(display.lines_["A"].get_ydata(), [0.225, 0.525])
    band = display.bands_["A"].get_paths()[0].vertices[:, 1]
    assert band.max() == pytest.approx(0.525 + 0.2 / np.sqrt(2))
    with pytest.raises(ValueError, match=r"no columns \['fold'\]"):
        SpeakerCurveDisplay.from_table(table.drop(columns="fold"))
    with pytest.raises(ValueError, match="no rows"):
        SpeakerCurveDisplay.from_table(table[:0])


@pytest.fixture
def noisy():
    rows = [
        (pipeline, noise, snr, fold, 0.02 * min(snr, 30) + 0.1 * fold - 0.05 * (noise == "babble"))
        for pipeline, noise, snr, fold in product(
            ["A", "B"], ["babble", "white"], [10.0, 0.0, np.inf], [0, 1]
        )
    ]
    return pd.DataFrame(rows, columns=["pipeline", "noise", "snr", "fold", "UAR"])


def test_clean_speech_stands_apart(noisy):
    display = SNRCurveDisplay.from_table(
        noisy[noisy["noise"] == "white"], chance=0.25, name="noise"
    )
    assert list(display.lines_) == ["A", "B"]
    line = display.lines_["A"]
    assert line.get_xdata().tolist() == [0, 10]
    np.testing.assert_allclose(line.get_ydata(), [0.05, 0.25])
    assert [tick.get_text() for tick in display.ax_.get_xticklabels()] == ["0", "10", "clean"]
    (clean,) = display.clean_["A"][0].get_ydata()
    assert clean == pytest.approx(0.65)
    assert display.clean_["A"][0].get_xdata()[0] > 15
    assert display.clean_["A"][0].get_xdata() != display.clean_["B"][0].get_xdata()
    assert display.ax_.get_title() == "noise"


def test_kinds_of_noise_have_dashes(noisy):
    lines = SNRCurveDisplay.from_table(noisy).lines_
    assert list(lines) == ["A, babble", "A, white", "B, babble", "B, white"]
    dashes = [line.get_linestyle() for line in lines.values()]
    assert dashes[0] == dashes[2] != dashes[1] == dashes[3]
    colors = [line.get_color() for line in lines.values()]
    assert colors[0] == colors[1] != colors[2] == colors[3]


def test_noise_alone_and_no_kind_of_noise_are_drawn_too(noisy):
    display = SNRCurveDisplay.from_table(noisy[np.isfinite(noisy["snr"])].drop(columns="noise"))
    assert display.clean_ == {}
    assert [tick.get_text() for tick in display.ax_.get_xticklabels()] == ["0", "10"]
    with pytest.raises(ValueError, match="all rows are of clean speech"):
        SNRCurveDisplay.from_table(noisy[np.isinf(noisy["snr"])])
    with pytest.raises(ValueError, match=r"no columns \['snr'\]"):
        SNRCurveDisplay.from_table(noisy.drop(columns="snr"))


@pytest.mark.parametrize("display", [SNRCurveDisplay, SpeakerCurveDisplay, KernelHeightDisplay])
def test_the_axes_given_are_used(pyplot, noisy, display):
    _, ax = pyplot.subplots()
    table = noisy.assign(n_speakers=noisy["fold"], height=noisy["fold"])
    drawn = display.from_table(table, ax=ax, color="black")
    assert drawn.ax_ is ax
    heavy = drawn.medians_ if display is KernelHeightDisplay else drawn.lines_
    assert {line.get_color() for line in heavy.values()} == {"black"}
    assert drawn.plot().ax_ is not ax
