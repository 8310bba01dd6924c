from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from serkit.inspection import LossCurveDisplay
from serkit.neural_network import MLPClassifier

pytestmark = pytest.mark.usefixtures("pyplot")

GAME = pd.DataFrame(
    {
        "epoch": [0, 1, 2],
        "n_updates": [4, 8, 12],
        "reconstruction_loss": [1.0, 0.8, 0.3],
        "valid_reconstruction_loss": [1.1, 0.9, 0.7],
        "code_discriminator_loss": [0.5, 0.6, 0.7],
        "valid_code_discriminator_loss": [0.4, 0.6, 0.8],
        "encoder_loss": [0.9, 0.8, 0.7],
        "valid_encoder_loss": [0.9, 0.8, 0.9],
    }
)


class Fitted(BaseEstimator):
    """Holds what fitting left behind."""

    def __init__(self, **attributes):
        vars(self).update(attributes)

    def fit(self, X, y=None):
        return self


def dotted_lines(ax):
    return [line.get_ydata()[0] for line in ax.lines if line.get_linestyle() == ":"]


def legend(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def test_training_is_solid_and_validation_dashed_in_the_same_colour():
    display = LossCurveDisplay.from_history(GAME, name="M1")
    assert set(display.lines_) == {column for column in GAME if column.endswith("_loss")}
    for column, line in display.lines_.items():
        np.testing.assert_array_equal(line.get_xdata(), GAME["epoch"])
        np.testing.assert_array_equal(line.get_ydata(), GAME[column])
        assert line.get_linestyle() == ("--" if column.startswith("valid_") else "-")
        assert line.get_color() == display.lines_[column.removeprefix("valid_")].get_color()
    assert display.lines_["encoder_loss"].get_color() == "#D55E00"
    assert display.lines_["code_discriminator_loss"].get_color() == "#0072B2"
    names = ["reconstruction", "code discriminator", "encoder", "validation", "ln 2"]
    assert legend(display) == names
    assert display.ax_.get_title() == "M1"
    assert display.figure_ is display.ax_.figure


@pytest.mark.parametrize(
    ("losses", "dotted"), [(["reconstruction_loss"], []), (["encoder_loss"], [np.log(2)])]
)
def test_the_line_of_an_even_game_stands_beside_the_losses_of_a_game(losses, dotted):
    display = LossCurveDisplay.from_history(GAME, losses=losses)
    assert list(display.lines_) == [losses[0], f"valid_{losses[0]}"]
    assert dotted_lines(display.ax_) == dotted


def test_validation_can_be_left_out():
    display = LossCurveDisplay.from_history(GAME, valid=False)
    assert not [column for column in display.lines_ if column.startswith("valid_")]
    assert "validation" not in legend(display)


def test_a_moving_mean_is_centred_and_shorter_at_the_ends():
    line = LossCurveDisplay.from_history({"train_loss": [3.0, 0.0, 6.0, 3.0]}, smooth=3)
    np.testing.assert_allclose(line.lines_["train_loss"].get_ydata(), [1.5, 3.0, 3.0, 4.5])
    np.testing.assert_array_equal(line.lines_["train_loss"].get_xdata(), [0, 1, 2, 3])


def test_losses_of_other_names_have_colours_of_their_own():
    names = ["encoder_loss", "train_loss", "emotion_loss", "speaker_loss"]
    display = LossCurveDisplay.from_history({name: [1.0, 2.0] for name in names})
    assert len({line.get_color() for line in display.lines_.values()}) == 4


def test_a_loss_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match=r"\['aux_loss'\] in the history.*'encoder_loss'"):
        LossCurveDisplay.from_history(GAME, losses=["aux_loss"])


def test_a_network_is_drawn_by_itself_and_at_the_end_of_a_pipeline():
    X = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    network = MLPClassifier((4,), max_epochs=3, validation=0.3, random_state=0)
    pipeline = make_pipeline(StandardScaler(), network)
    pipeline.fit(X, np.arange(20) % 2, mlpclassifier__speakers=np.repeat(list("abcd"), 5))
    for estimator in (pipeline, pipeline[-1], make_pipeline(pipeline)):
        display = LossCurveDisplay.from_estimator(estimator)
        for column in ("train_loss", "valid_loss"):
            np.testing.assert_array_equal(
                display.lines_[column].get_ydata(), pipeline[-1].history_[column]
            )
        assert legend(display) == ["loss", "validation"]


@pytest.mark.parametrize("attribute", ["generator_", "estimator_", "best_estimator_"])
def test_what_is_inside_another_estimator_is_drawn(attribute):
    inner = make_pipeline(StandardScaler(), FrozenEstimator(Fitted(history_=GAME)))
    display = LossCurveDisplay.from_estimator(make_pipeline(Fitted(**{attribute: inner})))
    np.testing.assert_array_equal(display.lines_["encoder_loss"].get_ydata(), GAME["encoder_loss"])


def test_without_a_history_nothing_is_drawn():
    with pytest.raises(TypeError, match="PCA keeps no history of its training"):
        LossCurveDisplay.from_estimator(PCA().fit(np.eye(3)))
    with pytest.raises(NotFittedError):
        LossCurveDisplay.from_estimator(MLPClassifier())
    with pytest.raises(TypeError, match="Fitted keeps no history"):
        LossCurveDisplay.from_estimator(Fitted(generator_=Fitted(means_=0)))


def test_the_axes_given_are_used(pyplot):
    _, ax = pyplot.subplots()
    display = LossCurveDisplay.from_estimator(
        SimpleNamespace(history_=GAME), ax=ax, linewidth=3, losses=["encoder_loss"]
    )
    assert display.ax_ is ax
    assert {line.get_linewidth() for line in display.lines_.values()} == {3}
    assert display.plot().ax_ is not ax
