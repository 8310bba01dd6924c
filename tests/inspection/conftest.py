import numpy as np
import pytest

from serkit.neural_network import CLDNNClassifier
from serkit.utils import as_ragged

EMOTIONS = ("anger", "calm")


@pytest.fixture
def pyplot():
    """Draw without a window, and close what was drawn."""
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    yield pyplot
    pyplot.close("all")


@pytest.fixture(scope="session")
def speech():
    """Frames of four speakers, of unequal lengths, with their emotions and speakers.

    The emotion raises the lower bins, and the speaker one of the upper ones.
    """
    rng = np.random.default_rng(0)
    speakers = np.repeat(np.array(["a", "b", "c", "d"], dtype=object), 12)
    y = np.tile(EMOTIONS, 24)
    frames = []
    for row, (emotion, speaker) in enumerate(zip(y, speakers, strict=True)):
        utterance = 0.5 * rng.normal(size=(1, 12, 14 + row % 5)).astype(np.float32)
        utterance[0, :6] += 2 * (emotion == "anger")
        utterance[0, 7 + "abcd".index(speaker)] += 3
        frames.append(utterance)
    return as_ragged(frames), y, speakers


@pytest.fixture(scope="session")
def cldnn(speech):
    """A small network, fitted on the speakers a and b."""
    X, y, speakers = speech
    network = CLDNNClassifier(
        "s",
        kernel_sizes=((3, 1), (2, 1)),
        n_filters=3,
        context=(2, 1),
        lstm_hidden_size=4,
        hidden_layer_sizes=(4,),
        lr=0.02,
        max_epochs=12,
        patience=None,
        validation=None,
        random_state=0,
    )
    known = np.isin(speakers, ["a", "b"])
    return network.fit(X[known], y[known])
