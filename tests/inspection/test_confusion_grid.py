import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix

from serkit.evaluation import ComparisonResult
from serkit.inspection import ConfusionGridDisplay

pytestmark = pytest.mark.usefixtures("pyplot")


@pytest.fixture
def result():
    """Two pipelines, two folds, two speakers each; the second never says joy."""
    rng = np.random.default_rng(0)
    y_true = np.array(["anger", "calm", "joy"] * 8, dtype=object)
    rows = []
    for pipeline, classes in (("SVM", ["anger", "calm", "joy"]), ("CRNN", ["anger", "calm"])):
        rows.append(
            pd.DataFrame(
                {
                    "pipeline": pipeline,
                    "seed": 0,
                    "fold": np.repeat([0, 1], 12),
                    "row": np.arange(24),
                    "speaker": np.repeat(list("abcd"), 6),
                    "y_true": y_true,
                    "y_pred": rng.choice(classes, size=24),
                }
            )
        )
    predictions = pd.concat(rows, ignore_index=True)
    folds = predictions[["pipeline", "seed", "fold"]].drop_duplicates()
    return ComparisonResult(folds, predictions, corpus="tiny", protocol="two folds")


def test_a_panel_for_every_pipeline(result):
    display = ConfusionGridDisplay.from_result(result)
    assert list(display.displays_) == ["SVM", "CRNN"]
    for name in ("SVM", "CRNN"):
        counts = result.confusion(name).to_numpy()
        shares = display.displays_[name].confusion_matrix
        np.testing.assert_allclose(shares, counts / counts.sum(axis=1, keepdims=True))
    texts = display.displays_["CRNN"].text_
    assert texts[0, 2].get_text() == "0"
    assert texts[1, 1].get_text() == f"{100 * display.displays_['CRNN'].confusion_matrix[1, 1]:.0f}"
    assert [ax.get_title() for ax in display.axes_] == ["SVM", "CRNN"]


def test_a_panel_for_every_fold_and_speaker(result):
    display = ConfusionGridDisplay.from_result(result, pipelines="SVM", by="fold")
    assert list(display.displays_) == ["fold 0", "fold 1"]
    rows = result.predictions.query("pipeline == 'SVM' and fold == 1")
    expected = confusion_matrix(
        list(rows["y_true"]), list(rows["y_pred"]), labels=result.labels, normalize="true"
    )
    np.testing.assert_allclose(display.displays_["fold 1"].confusion_matrix, expected)
    speakers = ConfusionGridDisplay.from_result(result, by="speaker")
    assert list(speakers.displays_)[:2] == ["SVM, speaker a", "SVM, speaker b"]
    assert len(speakers.axes_) == 8


def test_only_the_outer_panels_have_names(result):
    display = ConfusionGridDisplay.from_result(result, by="speaker", n_columns=4)
    assert [ax.get_ylabel() for ax in display.axes_] == ["true", "", "", ""] * 2
    assert [ax.get_xlabel() for ax in display.axes_] == [""] * 4 + ["predicted"] * 4


@pytest.mark.parametrize(("n_panels", "n_columns"), [(1, 1), (4, 4), (5, 3), (6, 3), (9, 3)])
def test_rows_are_as_even_as_can_be(n_panels, n_columns):
    predictions = {f"p{n}": ["anger", "joy"] for n in range(n_panels)}
    display = ConfusionGridDisplay.from_predictions(["anger", "joy"], predictions)
    places = [ax.get_subplotspec() for ax in display.axes_]
    assert len(places) == n_panels
    assert places[0].get_gridspec().ncols == n_columns


def test_the_order_of_classes_may_be_given_and_one_may_be_absent():
    display = ConfusionGridDisplay.from_predictions(
        ["joy", "joy"], {"SVM": ["joy", "anger"]}, labels=["joy", "calm", "anger"]
    )
    expected = [[0.5, 0, 0.5], [0, 0, 0], [0, 0, 0]]
    np.testing.assert_array_equal(display.displays_["SVM"].confusion_matrix, expected)


@pytest.mark.parametrize(
    ("cmap", "colors"), [("Blues", ["white", "black"]), ("Greys_r", ["black", "white"])]
)
def test_numbers_can_be_read_on_any_colour(cmap, colors):
    display = ConfusionGridDisplay.from_predictions(["a", "b"], {"SVM": ["a", "b"]}, cmap=cmap)
    texts = display.displays_["SVM"].text_
    assert [texts[0, 0].get_color(), texts[0, 1].get_color()] == colors


def test_the_axes_given_are_used(pyplot, result):
    _, axes = pyplot.subplots(1, 2)
    display = ConfusionGridDisplay.from_result(result, axes=axes, cmap="Greys")
    assert display.axes_.tolist() == axes.tolist()
    assert display.axes_[0].images[0].get_cmap().name == "Greys"


def test_what_cannot_be_drawn_is_refused(result):
    with pytest.raises(ValueError, match=r"no pipelines \['MLP'\]; there are \['SVM', 'CRNN'\]"):
        ConfusionGridDisplay.from_result(result, pipelines=["MLP"])
    with pytest.raises(ValueError, match='by is "fold", "speaker" or None'):
        ConfusionGridDisplay.from_result(result, by="seed")
    with pytest.raises(ValueError, match="nothing to draw"):
        ConfusionGridDisplay.from_result(result, pipelines=[])
