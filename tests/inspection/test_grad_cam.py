import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from torch import nn

from serkit.feature_extraction import FrameScaler
from serkit.inspection import GradCAMDisplay, grad_cam
from serkit.modules import UtteranceNetwork
from serkit.neural_network import (
    ACRNNClassifier,
    CLDNNClassifier,
    CRNNClassifier,
    CRNNRegressor,
    DomainAdversarialClassifier,
    FineTuneClassifier,
    GLAMClassifier,
    MLPClassifier,
    MultiTimeScaleClassifier,
    NeuralClassifier,
    RHEmoTransformer,
    SegmentAggregationClassifier,
)
from serkit.preprocessing import FixedLengthSegmenter
from serkit.utils import as_ragged

Y = ["joy", "anger", "joy", "calm"]
TRAINING = {"max_epochs": 1, "random_state": 0}
CRNN = {"n_filters": 3, "rnn_hidden_size": 3, **TRAINING}


@pytest.fixture
def frames():
    rng = np.random.default_rng(0)
    return as_ragged(rng.normal(size=(1, 8, n)).astype(np.float32) for n in (12, 16, 14, 13))


class Points(nn.Module):
    """Two maps: the values of every other bin and frame, and their negatives."""

    def __init__(self, convolution):
        super().__init__()
        self.convolution = convolution
        self.activation = nn.ReLU(inplace=True)
        self.embedding_size = 2

    @property
    def stages(self):
        return {"convolution": self.convolution, "activation": self.activation}

    def forward(self, x, lengths=None):
        return self.activation(self.convolution(x)).mean(dim=(2, 3))


class ByHand(NeuralClassifier):
    """A network with the weights that it is given."""

    def _make_module(self, n_channels, n_bins, n_outputs):
        encoder = Points(nn.Conv2d(1, 2, 1, stride=2, bias=False))
        return UtteranceNetwork(encoder, nn.Linear(2, 3))


@pytest.fixture
def by_hand(frames):
    network = ByHand(max_epochs=1, random_state=0).fit(frames, Y)
    module = network.net_.module_
    with torch.no_grad():
        module.encoder.convolution.weight[:, 0, 0, 0] = torch.tensor([1.0, -1.0])
        module.head.weight[:] = torch.tensor([[1.0, -2.0], [0.0, 3.0], [-1.0, -1.0]])
        module.head.bias[:] = torch.tensor([1.8, 0.0, -100.0])
    return network


def test_maps_are_those_computed_by_hand(by_hand, frames):
    """The output of a class is the mean of maps times weights, so these are its gradients."""
    weights = {"anger": (1, -2), "calm": (0, 3), "joy": (-1, -1)}
    for label, (positive, negative) in weights.items():
        found = grad_cam(by_hand, frames, target=label, normalize=False)
        for one, (x,) in zip(found, frames, strict=True):
            points = x[::2, ::2]
            expected = positive * np.maximum(points, 0) + negative * np.maximum(-points, 0)
            expected = np.maximum(expected, 0) / points.size
            stretched = nn.functional.interpolate(
                torch.tensor(expected)[None, None], size=x.shape, mode="bilinear"
            )
            np.testing.assert_allclose(one, stretched[0, 0], rtol=1e-5, atol=1e-7)


def test_a_single_spot_is_found(by_hand):
    x = np.zeros((1, 1, 8, 12), dtype=np.float32)
    x[0, 0, 6, 2] = 1
    (seen,) = grad_cam(by_hand, x, target="anger")
    assert seen.shape == (8, 12)
    assert seen[6:, 2:4].min() > 0.5
    assert not seen[:4].any()
    assert not seen[:, 6:].any()


def test_maps_are_for_the_predicted_class_if_none_is_given(by_hand, frames):
    predicted = by_hand.predict(frames)
    assert len(set(predicted)) > 1
    default = grad_cam(by_hand, frames)
    for row, label in enumerate(predicted):
        (alone,) = grad_cam(by_hand, frames[row : row + 1], target=label)
        np.testing.assert_array_equal(default[row], alone)
    for one, other in zip(grad_cam(by_hand, frames, target=predicted), default, strict=True):
        np.testing.assert_array_equal(one, other)


def test_maps_are_scaled_one_by_one(by_hand, frames):
    for one in grad_cam(by_hand, frames):
        assert one.min() >= 0
        assert one.max() == 1
    for one in grad_cam(by_hand, frames, target="joy"):
        assert not one.any(), "nothing speaks for it, and nothing is divided by zero"


NETWORKS = {
    "ACRNN": ACRNNClassifier(
        n_conv_layers=2, conv_channels=(2, 2), linear_size=4, lstm_hidden_size=3, fc_size=4
    ),
    "CLDNN": CLDNNClassifier(
        "st",
        n_filters=2,
        kernel_sizes=[(3, 3)],
        hidden_layer_sizes=(4,),
        lstm_hidden_size=3,
    ),
    "CRNN": CRNNClassifier(n_filters=3, rnn_hidden_size=3),
    "DAT": DomainAdversarialClassifier(CRNNClassifier(n_filters=3, rnn_hidden_size=3), gamma=None),
    "GLAM": GLAMClassifier(n_blocks=1, n_filters=2),
    "MTS A1": MultiTimeScaleClassifier("A1", kernel_size=3, hidden_layer_sizes=(4,)),
}


def gradient_of(weights):
    return np.nan if weights.grad is None else weights.grad.clone().numpy()


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", NETWORKS)
def test_any_convolutional_network_is_explained_and_stays_as_it_is(name, frames):
    network = NETWORKS[name].set_params(max_epochs=1, validation=None, patience=None)
    network.set_params(random_state=0).fit(frames, Y)
    network.predict(frames)
    module = network.net_.module_
    weights = {key: value.clone() for key, value in module.state_dict().items()}
    before = [(part.requires_grad, gradient_of(part)) for part in module.parameters()]
    maps = [grad_cam(network, frames, target=label) for label in network.classes_]
    assert any(one.any() for of_class in maps for one in of_class)
    for of_class in maps:
        for one, x in zip(of_class, frames, strict=True):
            assert one.shape == x.shape[1:]
            assert one.min() >= 0
            assert one.max() in (0, 1)
    assert not module.training
    for key, value in module.state_dict().items():
        assert torch.equal(value, weights[key])
    for part, (requires_grad, gradient) in zip(module.parameters(), before, strict=True):
        assert part.requires_grad is requires_grad
        np.testing.assert_array_equal(gradient_of(part), gradient)
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in module.modules())


@pytest.mark.parametrize("name", ["CLDNN", "CRNN"])
def test_other_utterances_have_no_influence(name, frames):
    network = NETWORKS[name].set_params(max_epochs=1, random_state=0).fit(frames, Y)
    together = grad_cam(network, frames)
    for row in range(len(frames)):
        np.testing.assert_array_equal(grad_cam(network, frames[row : row + 1])[0], together[row])


def test_what_a_network_of_fixed_length_cuts_off_is_zero(frames):
    network = NETWORKS["MTS A1"].set_params(max_epochs=1, random_state=0)
    network.fit(as_ragged([x[..., :12] for x in frames]), Y)
    with pytest.warns(UserWarning, match="were cut"):
        maps = grad_cam(network, frames, normalize=False)
    assert [one.shape for one in maps] == [x.shape[1:] for x in frames]
    assert not maps[1][:, 12:].any()
    np.testing.assert_array_equal(
        maps[1][:, :12], grad_cam(network, [frames[1][..., :12]], normalize=False)[0]
    )


def test_layers_are_counted_and_named(frames):
    crnn = CRNNClassifier(**CRNN, n_conv_layers=2).fit(frames, Y)
    last, first, second = (grad_cam(crnn, frames, layer=layer)[0] for layer in (None, 1, 2))
    np.testing.assert_array_equal(last, second)
    assert not np.array_equal(first, second)
    block = grad_cam(crnn, frames, layer="block1.convolution")[0]
    assert block.shape == first.shape
    with pytest.raises(ValueError, match="no convolution 3; the convolutions are 1 to 2"):
        grad_cam(crnn, frames, layer=3)
    with pytest.raises(ValueError, match="no layer 'block3'"):
        grad_cam(crnn, frames, layer="block3")
    with pytest.raises(ValueError, match="'recurrence' makes no maps over bins and frames"):
        grad_cam(crnn, frames, layer="recurrence")


def test_a_layer_is_a_whole_number_or_a_name(by_hand, frames):
    expected = grad_cam(by_hand, frames, layer=1)[0]
    np.testing.assert_array_equal(grad_cam(by_hand, frames, layer=np.int64(1))[0], expected)
    for wrong in ([1], 1.0):
        with pytest.raises(TypeError, match="layer is the number of a convolution or a name, not"):
            grad_cam(by_hand, frames, layer=wrong)


def test_utterances_are_counted_by_their_place(by_hand, frames):
    series = pd.Series(list(frames), index=[1, 0, 3, 2])
    for one, other in zip(grad_cam(by_hand, series), grad_cam(by_hand, frames), strict=True):
        np.testing.assert_array_equal(one, other)


def test_frames_that_cannot_be_written_are_left_as_they_are(by_hand, frames):
    expected = grad_cam(by_hand, frames)
    for x in frames:
        x.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        maps = grad_cam(by_hand, frames)
    np.testing.assert_array_equal(maps[0], expected[0])


def test_convolutions_over_time_alone_say_the_same_in_all_bins(frames):
    network = DomainAdversarialClassifier("cnn1d_gru", gamma=None, **TRAINING).fit(frames, Y)
    maps = grad_cam(network, frames, target="joy")
    assert any(np.ptp(one, axis=1).max() > 0 for one in maps)
    for one in maps:
        np.testing.assert_allclose(np.ptp(one, axis=0), 0, atol=1e-6)


def test_frozen_networks_are_explained_too(frames):
    crnn = CRNNClassifier(**CRNN, warm_start=True).fit(frames, Y)
    crnn.freeze(["block1", "recurrence", "projection"]).fit(frames, Y)
    expected = grad_cam(crnn, frames)[0]
    for weights in crnn.net_.module_.parameters():
        weights.requires_grad_(False)
    np.testing.assert_array_equal(grad_cam(crnn, frames)[0], expected)


def test_numeric_frames_give_numeric_maps(by_hand, frames):
    numeric = np.stack([x[..., :12] for x in frames])
    maps = grad_cam(by_hand, numeric)
    assert maps.shape == (4, 8, 12)
    np.testing.assert_array_equal(grad_cam(by_hand, numeric[:, 0]), maps)


def test_what_stands_around_the_network_is_passed_through(frames):
    scaler = FrameScaler().fit(frames)
    crnn = CRNNClassifier(**CRNN).fit(scaler.transform(frames), Y)
    expected = grad_cam(crnn, scaler.transform(frames))
    pipeline = make_pipeline(scaler, crnn)
    tuned = FineTuneClassifier(FrozenEstimator(pipeline), unfreeze=0).fit(frames, Y)
    for model in (pipeline, FrozenEstimator(pipeline), make_pipeline(pipeline), tuned):
        np.testing.assert_array_equal(grad_cam(model, frames)[1], expected[1])
    twice = as_ragged([*frames, *frames])
    search = GridSearchCV(CRNNClassifier(**CRNN), {"lr": [0.01]}, cv=2).fit(twice, Y * 2)
    np.testing.assert_array_equal(
        grad_cam(search, frames)[0], grad_cam(search.best_estimator_, frames)[0]
    )


def test_targets_of_regressors_have_numbers(frames):
    one = CRNNRegressor(**CRNN).fit(frames, [0.1, 0.5, 0.2, 0.9])
    np.testing.assert_array_equal(grad_cam(one, frames)[0], grad_cam(one, frames, target=0)[0])
    two = CRNNRegressor(**CRNN).fit(frames, [[0.1, 0.5], [0.2, 0.9], [0.3, 0.1], [0.6, 0.6]])
    assert grad_cam(two, frames, target=[0, 1, 1, 0])[1].shape == (8, 16)
    with pytest.raises(ValueError, match="predicts 2 targets; give the number of one"):
        grad_cam(two, frames)
    with pytest.raises(ValueError, match=r"target \[2\] is none of the targets \[0, 1\]"):
        grad_cam(two, frames, target=2)


def test_what_cannot_be_explained_is_refused(by_hand, frames):
    with pytest.raises(ValueError, match=r"target \['fear'\] is none of the classes \['anger', "):
        grad_cam(by_hand, frames, target="fear")
    with pytest.raises(ValueError, match="one for each of the 4 utterances, not .* shape \\(2,\\)"):
        grad_cam(by_hand, frames, target=["joy", "calm"])
    with pytest.raises(NotFittedError):
        grad_cam(CRNNClassifier(), frames)
    with pytest.raises(TypeError, match="DummyClassifier does not end in a network"):
        grad_cam(DummyClassifier().fit(frames, Y), frames)
    with pytest.raises(TypeError, match="RHEmoTransformer predicts nothing"):
        grad_cam(RHEmoTransformer(), frames)
    X = np.random.default_rng(0).normal(size=(4, 5))
    with pytest.raises(ValueError, match="no convolution over bins and frames"):
        grad_cam(MLPClassifier((3,), max_epochs=1).fit(X, Y), X)


def test_segments_are_explained_one_by_one(frames):
    model = SegmentAggregationClassifier(CRNNClassifier(**CRNN), FixedLengthSegmenter(8))
    model.fit(frames, Y)
    with pytest.raises(TypeError, match=r"segmenter.split\(X\), grad_cam\(model.estimator_, seg"):
        grad_cam(make_pipeline(model), frames)
    segments, _ = model.segmenter.split(frames)
    assert grad_cam(model.estimator_, segments)[0].shape == (8, 8)


class TestDisplay:
    @pytest.fixture(autouse=True)
    def no_window(self, pyplot):
        self.pyplot = pyplot

    def test_the_map_of_an_utterance_is_drawn_over_it(self, by_hand, frames):
        scaler = FrameScaler().fit(frames)
        display = GradCAMDisplay.from_estimator(
            make_pipeline(scaler, by_hand), frames, utterance=-2, target="calm", name="calm"
        )
        scaled = scaler.transform(frames)
        np.testing.assert_array_equal(display.image_.get_array(), scaled[2][0])
        (expected,) = grad_cam(by_hand, scaled[2:3], target="calm")
        np.testing.assert_allclose(display.overlay_.get_array(), expected, rtol=1e-6)
        np.testing.assert_allclose(display.overlay_.get_alpha(), 0.8 * expected, rtol=1e-6)
        assert display.overlay_.get_extent() == display.image_.get_extent()
        assert display.overlay_.get_extent() == [0, 14, -0.5, 7.5]
        labels = display.ax_.get_xlabel(), display.ax_.get_ylabel(), display.ax_.get_title()
        assert labels == ("frame", "bin", "calm")
        display.figure_.canvas.draw()

    def test_an_utterance_of_a_series_is_counted_by_its_place(self, by_hand, frames):
        series = pd.Series(list(frames), index=[5, 6, 7, 8])
        display = GradCAMDisplay.from_estimator(by_hand, series, utterance=1)
        np.testing.assert_array_equal(display.image_.get_array(), frames[1][0])

    def test_a_map_alone_is_drawn_into_the_axes_given(self):
        _, ax = self.pyplot.subplots()
        weights = np.arange(6.0).reshape(2, 3)
        display = GradCAMDisplay(weights).plot(ax, colorbar=False, cmap="cividis", alpha=1)
        assert display.ax_ is ax
        assert display.image_ is display.colorbar_ is None
        assert display.overlay_.get_cmap().name == "cividis"
        assert display.overlay_.get_clim() == (0, 5)
        assert display.plot().colorbar_.ax.get_ylabel() == "weight"

    def test_an_empty_map_hides_nothing(self):
        display = GradCAMDisplay(np.zeros((2, 3))).plot()
        assert not display.overlay_.get_alpha().any()
        display.figure_.canvas.draw()
