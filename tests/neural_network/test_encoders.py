"""Encoders by name, and any network made speaker-adversarial."""

from contextlib import nullcontext

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.utils import get_tags
from torch import nn

from serkit.modules import (
    CNN1DGRUEncoder,
    CNN2DBiGRUEncoder,
    DomainAdversarialNetwork,
    TDNNBiLSTMEncoder,
    UtteranceNetwork,
)
from serkit.neural_network import (
    ACRNNClassifier,
    CLDNNClassifier,
    CRNNClassifier,
    CRNNRegressor,
    DomainAdversarialClassifier,
    GLAMClassifier,
    LDNNClassifier,
    MLPClassifier,
    NeuralClassifier,
)

HEAD = {"hidden_layer_sizes": (8,), "max_epochs": 1, "random_state": 0}


class FirstFrames(nn.Module):
    """Of fixed length: a linear function of all values of the first frames."""

    def __init__(self, n_values, n_frames):
        super().__init__()
        self.n_frames = n_frames
        self.linear = nn.Linear(n_values * n_frames, 6)

    def forward(self, x):
        return self.linear(x.flatten(1))


class FixedLength(NeuralClassifier):
    """A network of one's own, whose head is deeper than a layer."""

    def __init__(self, share=1.0, *, max_epochs=100):
        super().__init__(max_epochs=max_epochs)
        self.share = share

    def _make_module(self, n_channels, n_bins, n_outputs):
        n_frames = round(self.share * self.n_frames_)
        encoder = FirstFrames(n_channels * n_bins, n_frames)
        return UtteranceNetwork(encoder, nn.Sequential(nn.ReLU(), nn.Linear(6, n_outputs)))


class Headless(FixedLength):
    def _make_module(self, n_channels, n_bins, n_outputs):
        network = nn.Sequential(nn.Flatten(), nn.LazyLinear(n_outputs))
        network.stages = dict(network.named_children())
        return network


@pytest.fixture
def fit(corpus):
    """Train against the speakers of a small corpus."""

    def fit(encoder, **options):
        dat = DomainAdversarialClassifier(encoder, **HEAD | options)
        return dat.fit(corpus.X, corpus.y, speakers=corpus.speakers)

    return fit


def correlation(embedding, other):
    """Equal weights do not make it 1: batch statistics go on."""
    return np.corrcoef(embedding.ravel(), other.ravel())[0, 1]


@pytest.mark.parametrize(
    ("name", "kind"), [("tdnn_bilstm", TDNNBiLSTMEncoder), ("cnn1d_gru", CNN1DGRUEncoder)]
)
def test_encoders_by_name_have_the_sizes_of_their_modules(corpus, fit, name, kind):
    dat = fit(name, n_filters=3, rnn_hidden_size=3)
    encoder = dat.net_.module_.encoder
    assert repr(encoder) == repr(kind(1, 4))
    assert dat.stages_ == [*encoder.stages, "head"]
    assert dat.transform(corpus.X).shape == (24, 1024)
    one_by_one = np.concatenate([dat.predict_proba(corpus.X[[row]]) for row in range(24)])
    np.testing.assert_allclose(dat.predict_proba(corpus.X), one_by_one, atol=1e-6)


def test_a_network_gives_all_but_its_head(corpus, fit):
    sizes = {"n_filters": 3, "rnn_hidden_size": 5, "kernel_size": (1, 3), "projection": False}
    dat = fit(CRNNClassifier(2, **sizes, hidden_layer_sizes=(7,), max_epochs=50, lr=9.0))
    network = dat.net_.module_
    assert isinstance(network, DomainAdversarialNetwork)
    assert repr(network.encoder) == repr(CNN2DBiGRUEncoder(1, 4, n_conv_layers=2, **sizes))
    assert [layer.out_features for layer in network.head if isinstance(layer, nn.Linear)] == [8, 2]
    assert network.speaker_head[-1].out_features == len(dat.speakers_)
    assert len(dat.history_) == 1
    assert dat.transform(corpus.X).shape == (24, 20)
    assert not hasattr(dat.encoder, "net_")


@pytest.mark.parametrize(
    "network",
    [
        ACRNNClassifier(n_conv_layers=2, conv_channels=(2, 3), linear_size=4, lstm_hidden_size=3),
        CLDNNClassifier("fst", n_filters=2, kernel_sizes=((4, 4), (1, 3)), lstm_hidden_size=3),
        GLAMClassifier(n_filters=2, n_pools=0),
        LDNNClassifier(lstm_hidden_size=3),
    ],
    ids=lambda network: type(network).__name__,
)
def test_every_network_can_be_trained_against_the_speakers(corpus, fit, network):
    dat = fit(network)
    plain = clone(network).set_params(max_epochs=1, patience=None).fit(corpus.X, corpus.y)
    assert isinstance(dat.net_.module_, DomainAdversarialNetwork)
    assert repr(dat.net_.module_.encoder) == repr(plain.net_.module_.encoder)
    assert dat.stages_ == plain.stages_
    assert (dat.n_frames_, dat.net_.module_.min_shape) == (
        plain.n_frames_,
        plain.net_.module_.min_shape,
    )
    for estimator in (dat, plain):
        tags = get_tags(estimator).input_tags
        assert tags.fixed_length == (dat.n_frames_ is not None)
    assert dat.transform(corpus.X).shape == plain.transform(corpus.X).shape


@pytest.mark.parametrize(
    ("encoder", "answer"),
    [
        ("cnn2d_bigru", False),
        ("mlp", False),
        (MLPClassifier(), False),
        (TDNNBiLSTMEncoder(1, 4, n_filters=2, lstm_hidden_size=2), False),
        (FirstFrames(4, 3), True),
    ],
    ids=str,
)
def test_tags_say_which_encoders_have_a_fixed_length(encoder, answer):
    dat = DomainAdversarialClassifier(encoder)
    assert get_tags(dat).input_tags.fixed_length is answer


def test_a_regressor_gives_an_encoder_too(corpus, fit):
    dat = fit(CRNNRegressor(n_filters=2, rnn_hidden_size=3))
    assert dat.transform(corpus.X).shape == (24, 12)


def test_functionals_go_into_networks_for_functionals(functionals):
    dat = DomainAdversarialClassifier(MLPClassifier((6, 3)), **HEAD)
    dat.fit(functionals.X, functionals.y, speakers=functionals.speakers)
    assert dat.stages_ == ["hidden1", "hidden2", "head"]
    assert dat.transform(functionals.X).shape == (24, 3)


def test_functionals_go_into_encoders_that_do_not_tell_their_size(functionals):
    class Linear(MLPClassifier):
        def _make_module(self, n_channels, n_bins, n_outputs):
            return UtteranceNetwork(nn.Flatten(), nn.Linear(n_bins, n_outputs))

    dat = DomainAdversarialClassifier(Linear(), **HEAD)
    dat.fit(functionals.X, functionals.y, speakers=functionals.speakers)
    np.testing.assert_array_equal(dat.transform(functionals.X), functionals.X.astype(np.float32))


@pytest.mark.parametrize(("share", "n_frames"), [(1.0, 12), (0.5, 6)])
def test_networks_of_fixed_length_keep_it(corpus, fit, share, n_frames):
    with pytest.warns(UserWarning, match="cut") if share < 1 else nullcontext():
        dat = fit(FixedLength(share))
    assert dat.n_frames_ == n_frames
    with pytest.warns(UserWarning, match="cut"):
        longer = dat.transform([np.pad(corpus.X[0], ((0, 0), (0, 0), (0, 20)))])
    assert longer.shape == (1, 6)


def test_training_goes_on_with_a_network_as_encoder(corpus, fit):
    dat = fit(CRNNClassifier(n_filters=2, rnn_hidden_size=3), warm_start=True)
    before = dat.transform(corpus.X)
    dat.set_params(lr=1e-30).fit(corpus.X, corpus.y, speakers=corpus.speakers)
    assert correlation(before, dat.transform(corpus.X)) > 0.9


def test_layers_are_searched_and_cloned(corpus):
    dat = DomainAdversarialClassifier(
        CRNNClassifier(n_filters=2, rnn_hidden_size=3), validation=None, **HEAD
    )
    search = GridSearchCV(dat, {"encoder__n_filters": [2, 4]}, cv=2)
    search.fit(corpus.X, corpus.y, speakers=corpus.speakers)
    encoder = search.best_estimator_.net_.module_.encoder
    assert encoder.blocks[0].convolution.out_channels == search.best_params_["encoder__n_filters"]
    assert dat.get_params()["encoder__n_filters"] == 2
    fitted = dat.fit(corpus.X, corpus.y, speakers=corpus.speakers)
    again = clone(fitted).fit(corpus.X, corpus.y, speakers=corpus.speakers)
    np.testing.assert_array_equal(fitted.transform(corpus.X), again.transform(corpus.X))


def test_a_fitted_network_is_refused(corpus, fit):
    sizes = {"n_filters": 2, "rnn_hidden_size": 3}
    crnn = CRNNClassifier(**sizes, max_epochs=1, random_state=1).fit(corpus.X, corpus.y)
    with pytest.raises(ValueError, match=r"fitted CRNNClassifier.*module_\.encoder.*clone"):
        fit(crnn)
    dat = fit(crnn.net_.module_.encoder, lr=1e-30)
    assert correlation(crnn.transform(corpus.X), dat.transform(corpus.X)) > 0.9
    assert fit(clone(crnn)).n_channels_in_ == 1


@pytest.mark.parametrize(
    ("encoder", "error", "message"),
    [
        (CRNNClassifier(n_filters=0), ValueError, "'n_filters' parameter of CRNNClassifier"),
        (DomainAdversarialClassifier(), ValueError, "pass the encoder of that one"),
        (Headless(), TypeError, "Headless._make_module must return a .*UtteranceNetwork"),
        ("cnn3d", ValueError, "'encoder' parameter"),
        (CRNNClassifier, ValueError, "'encoder' parameter"),
    ],
)
def test_what_is_no_encoder_says_what_to_do(fit, encoder, error, message):
    with pytest.raises(error, match=message):
        fit(encoder)
