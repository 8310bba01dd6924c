import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from serkit.feature_extraction import FrameScaler
from serkit.inspection import AttentionDisplay
from serkit.neural_network import ACRNNClassifier, GLAMClassifier
from serkit.utils import as_ragged

pyplot = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def no_window():
    pyplot.switch_backend("agg")
    yield
    pyplot.close("all")


@pytest.fixture
def frames():
    rng = np.random.default_rng(0)
    return as_ragged(rng.normal(size=(2, 5, n)).astype(np.float32) for n in (9, 12, 15, 10))


@pytest.fixture
def acrnn(frames):
    small = {"n_conv_layers": 1, "conv_channels": (2, 2), "linear_size": 4, "fc_size": 4}
    acrnn = ACRNNClassifier(**small, lstm_hidden_size=3, max_epochs=1, random_state=0)
    return acrnn.fit(frames, [0, 1, 0, 1])


@pytest.mark.parametrize("utterance", [1, -3])
def test_an_utterance_is_drawn_with_its_frames(acrnn, frames, utterance):
    display = AttentionDisplay.from_estimator(acrnn, frames, utterance=utterance, name="joy")
    values, edges, _ = display.line_.get_data()
    np.testing.assert_allclose(values, acrnn.attention_weights(frames)[1], rtol=1e-5)
    assert edges.tolist() == [0, 2, 4, 6, 8, 10, 12]
    np.testing.assert_array_equal(display.image_.get_array(), frames[1][0])
    assert display.ax_.get_title() == "joy"
    assert display.figure_ is display.ax_.figure


def test_a_pipeline_is_drawn_behind_its_transformers(acrnn, frames):
    scaler = FrameScaler().fit(frames)
    display = AttentionDisplay.from_estimator(make_pipeline(scaler, acrnn), frames, utterance=2)
    scaled = scaler.transform(frames)
    np.testing.assert_array_equal(display.image_.get_array(), scaled[2][0])
    np.testing.assert_allclose(display.weights, acrnn.attention_weights(scaled)[2], rtol=1e-5)


def test_numeric_frames_are_drawn(acrnn, frames):
    numeric = np.stack([x[..., :9] for x in frames])
    display = AttentionDisplay.from_estimator(acrnn, numeric, utterance=3)
    np.testing.assert_array_equal(display.image_.get_array(), numeric[3, 0])
    assert len(display.weights) == 4


def test_weights_are_drawn_into_the_axes_given():
    _, ax = pyplot.subplots()
    display = AttentionDisplay.from_weights([0.2, 0.8], ax=ax, color="black")
    assert display.ax_ is ax
    assert display.image_ is None
    assert display.line_.get_edgecolor() == (0, 0, 0, 1)
    again = display.plot()
    assert again.ax_ is not ax


def test_what_cannot_be_drawn_is_refused(frames):
    with pytest.raises(TypeError, match="GLAMClassifier has no attention over time"):
        AttentionDisplay.from_estimator(GLAMClassifier(), frames)
    with pytest.raises(ValueError, match=r"not \(2, 3\)"):
        AttentionDisplay.from_weights(np.ones((2, 3)) / 3)
