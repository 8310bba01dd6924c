import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline

from serkit.feature_extraction import CachedTransformer, FrameScaler, LogMelSpectrogram
from serkit.inspection import AttentionDisplay
from serkit.neural_network import (
    ACRNNClassifier,
    CRNNClassifier,
    DomainAdversarialClassifier,
    SegmentAggregationClassifier,
)
from serkit.preprocessing import FixedLengthSegmenter, PadOrTruncate
from serkit.utils import as_ragged

pyplot = pytest.importorskip("matplotlib.pyplot")


SMALL = {
    "n_conv_layers": 1,
    "conv_channels": (2, 2),
    "linear_size": 4,
    "lstm_hidden_size": 3,
    "fc_size": 4,
}


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
    return ACRNNClassifier(**SMALL, max_epochs=1, random_state=0).fit(frames, [0, 1, 0, 1])


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


@pytest.mark.parametrize("depth", [1, 2])
def test_a_pipeline_of_one_step_is_drawn(acrnn, frames, depth):
    pipeline = acrnn
    for _ in range(depth):
        pipeline = make_pipeline(pipeline)
    display = AttentionDisplay.from_estimator(pipeline, frames)
    np.testing.assert_allclose(display.weights, acrnn.attention_weights(frames)[0], rtol=1e-5)


def test_a_frozen_network_is_drawn_of_a_series(acrnn, frames):
    series = pd.Series(list(frames), index=[5, 6, 7, 8])
    display = AttentionDisplay.from_estimator(FrozenEstimator(acrnn), series, utterance=1)
    np.testing.assert_array_equal(display.image_.get_array(), frames[1][0])


def test_an_encoder_with_attention_is_drawn(frames):
    encoder = ACRNNClassifier(**SMALL, pool_size=(2, 3))
    dat = DomainAdversarialClassifier(encoder, max_epochs=1, validation=None, random_state=0)
    dat.fit(frames, [0, 1, 0, 1], speakers=list("abab"))
    display = AttentionDisplay.from_estimator(dat, frames, utterance=1)
    assert display.weights.sum() == pytest.approx(1, abs=1e-5)
    assert display.line_.get_data().edges.tolist() == [0, 3, 6, 9, 12]
    np.testing.assert_array_equal(display.image_.get_array(), frames[1][0])


def test_segments_are_drawn_one_by_one(acrnn, frames):
    model = SegmentAggregationClassifier(acrnn, FixedLengthSegmenter(8)).fit(frames, [0, 1, 0, 1])
    with pytest.raises(TypeError, match=r"segmenter.split\(X\).*model.estimator_, segments"):
        AttentionDisplay.from_estimator(make_pipeline(model), frames)
    segments, _ = model.segmenter.split(frames)
    display = AttentionDisplay.from_estimator(model.estimator_, segments, utterance=2)
    assert len(display.weights) == 4


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
    crnn = CRNNClassifier(n_filters=2, rnn_hidden_size=2, max_epochs=1)
    for other in (crnn.fit(frames, [0, 1, 0, 1]), DummyClassifier().fit(frames, [0, 1, 0, 1])):
        with pytest.raises(TypeError, match=f"{type(other).__name__} has no attention over time"):
            AttentionDisplay.from_estimator(other, frames)
    with pytest.raises(NotFittedError):
        AttentionDisplay.from_estimator(ACRNNClassifier(), frames)
    with pytest.raises(ValueError, match=r"not \(2, 3\)"):
        AttentionDisplay.from_weights(np.ones((2, 3)) / 3)


@pytest.fixture
def audio():
    rng = np.random.default_rng(0)
    return as_ragged(0.1 * rng.normal(size=n) for n in (1600, 2400, 2000, 1700))


def make_pipe(*steps):
    return make_pipeline(*steps, ACRNNClassifier(**SMALL, max_epochs=1, random_state=0))


def test_a_pipeline_of_audio_is_drawn_over_seconds_and_its_waveform(audio):
    mel = LogMelSpectrogram(n_mels=5, n_fft=256, hop_length=80)
    pipe = make_pipe(mel, FrameScaler()).fit(audio, [0, 1, 0, 1])
    display = AttentionDisplay.from_estimator(pipe, audio, utterance=1, background="waveform")
    np.testing.assert_array_equal(display.waveform_.get_ydata(), audio[1])
    assert display.waveform_.get_xdata()[-1] == pytest.approx(2399 / 16000)
    assert display.image_ is None
    edges = display.line_.get_data().edges
    np.testing.assert_allclose(np.diff(edges), 2 * 80 / 16000)
    assert display.ax_.get_xlabel() == "time, s"
    over_frames = AttentionDisplay.from_estimator(pipe, audio, utterance=1)
    np.testing.assert_allclose(over_frames.line_.get_data().edges, edges)
    assert over_frames.image_.get_extent()[1] == pytest.approx(31 * 80 / 16000)
    slower = AttentionDisplay.from_estimator(pipe, audio, hop_length=160, sampling_rate=16000)
    np.testing.assert_allclose(np.diff(slower.line_.get_data().edges), 2 * 160 / 16000)


def test_the_waveform_is_what_the_frames_are_made_of(audio):
    """Behind the steps that change it, also where these are cached, and with an automatic hop."""
    mel = LogMelSpectrogram(n_mels=5, win_length=256, n_fft=256)
    inner = make_pipeline(PadOrTruncate(2600), mel)
    for steps in ([inner], [CachedTransformer(inner)], [PadOrTruncate(2600), mel]):
        pipe = make_pipe(*steps).fit(audio, [0, 1, 0, 1])
        display = AttentionDisplay.from_estimator(
            FrozenEstimator(pipe), audio, background="waveform"
        )
        np.testing.assert_array_equal(display.waveform, np.pad(audio[0], (0, 1000)))
        assert display.hop_length == 64


def test_known_weights_are_drawn_over_a_known_waveform():
    rates = {"hop_length": 4, "sampling_rate": 8}
    display = AttentionDisplay.from_weights([0.2, 0.8], waveform=np.arange(8.0), **rates)
    assert display.line_.get_data().edges.tolist() == [0, 0.5, 1]
    assert display.waveform_.get_xdata().tolist() == (np.arange(8) / 8).tolist()
    with pytest.raises(ValueError, match="hop_length and sampling_rate, or neither"):
        AttentionDisplay.from_weights([0.2, 0.8], hop_length=4)
    with pytest.raises(ValueError, match="over a waveform time is in seconds"):
        AttentionDisplay.from_weights([0.2, 0.8], waveform=np.arange(8.0))


def test_frames_have_no_waveform(acrnn, frames):
    with pytest.raises(ValueError, match="no waveform to draw: the pipeline has no step"):
        AttentionDisplay.from_estimator(acrnn, frames, background="waveform")
    with pytest.raises(ValueError, match='background is "frames" or "waveform", not \'audio\''):
        AttentionDisplay.from_estimator(acrnn, frames, background="audio")
