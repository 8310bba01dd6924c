"""Networks, modules, functions and transformers of the user."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.preprocessing import FunctionTransformer
from torch import nn

import serkit
from serkit.feature_extraction import TorchTransformer
from serkit.modules import MLPEncoder, UtteranceNetwork
from serkit.neural_network import DomainAdversarialClassifier, NeuralClassifier
from serkit.persistence import ModelFileError, describe, register
from serkit.persistence import _registry as registry
from serkit.pipeline import make_pipeline

X = np.random.default_rng(0).normal(size=(8, 6)).astype(np.float32)
Y = np.array(["calm", "anger"] * 4)


@pytest.fixture(autouse=True)
def no_registration_stays(monkeypatch):
    monkeypatch.setattr(registry, "_REGISTERED", {})


@pytest.fixture
def file(tmp_path):
    return tmp_path / "model.serkit"


class Centre(TransformerMixin, BaseEstimator):
    """A transformer with a parameter and a result."""

    def __init__(self, factor=1.0):
        self.factor = factor

    def fit(self, X, y=None):
        self.mean_ = X.mean(axis=0)
        return self

    def transform(self, X):
        return self.factor * (X - self.mean_)


class Louder(nn.Module):
    """A module that keeps its arguments, with a weight and a child that is an argument."""

    def __init__(self, n_values, inner, gain=2.0):
        super().__init__()
        self.n_values, self.inner, self.gain = n_values, inner, gain
        self.bias = nn.Parameter(torch.zeros(n_values))

    def forward(self, x):
        return self.gain * self.inner(x) + self.bias


class Forgetful(nn.Module):
    """A module that does not keep its argument."""

    def __init__(self, power):
        super().__init__()
        self.function = lambda x: x**power
        self.exponent = power

    def forward(self, x):
        return self.function(x)[:, None]


class Network(NeuralClassifier):
    """A network of a page of code."""

    def __init__(self, size=4, *, max_epochs=1, random_state=None):
        super().__init__(max_epochs=max_epochs, random_state=random_state)
        self.size = size

    @property
    def _input_kind(self):
        return "functionals"

    def _make_module(self, n_channels, n_bins, n_outputs):
        encoder = MLPEncoder(n_bins, hidden_layer_sizes=(self.size,))
        return UtteranceNetwork(encoder, nn.Linear(self.size, n_outputs))


def double(x):
    return 2 * x


def check_refused_then_kept(model, cls, file, method="predict", **options):
    """Check that a class is needed at saving, and at loading."""
    with pytest.raises(TypeError, match=rf"{cls.__name__}.*serkit\.persistence\.register"):
        serkit.save(model, file)
    assert not file.exists()
    assert register(cls, **options) is cls
    serkit.save(model, file)
    assert f"{cls.__module__}:{cls.__qualname__}" in file.read_bytes().decode(errors="replace")
    assert_array_equal(getattr(serkit.load(file), method)(X), getattr(model, method)(X))
    registry._REGISTERED.clear()
    with pytest.raises(ModelFileError, match=rf"{cls.__name__}' is not among.*register"):
        serkit.load(file)


def test_a_transformer(file):
    model = make_pipeline(Centre(2.0)).fit(X)
    check_refused_then_kept(model, Centre, file, "transform")


def test_a_network(file):
    check_refused_then_kept(Network(5, random_state=0).fit(X, Y), Network, file, "predict_proba")


def test_a_module_of_a_transformer(file):
    module = Louder(6, nn.Sequential(nn.Linear(6, 6), nn.ReLU()))
    nn.init.normal_(module.bias)
    model = TorchTransformer(module, output="functionals").fit(X)
    check_refused_then_kept(model, Louder, file, "transform")


def test_a_module_as_encoder_of_a_network(file):
    encoder = Louder(6, nn.Linear(6, 6))
    encoder.embedding_size = 6
    model = DomainAdversarialClassifier(nn.Sequential(nn.Flatten(), encoder), gamma=None)
    model.set_params(max_epochs=1, random_state=0).fit(X.reshape(8, 1, 6, 1), Y)
    register(Louder)
    serkit.save(model, file)
    frames = X.reshape(8, 1, 6, 1)
    assert_array_equal(serkit.load(file).predict_proba(frames), model.predict_proba(frames))


def test_a_module_that_forgets_its_arguments(file):
    model = TorchTransformer(Forgetful(3)).fit(X)
    register(Forgetful)
    with pytest.raises(TypeError, match=r"does not keep its argument 'power'.*arguments="):
        serkit.save(model, file)
    register(Forgetful, arguments=lambda module: {"power": module.exponent})
    serkit.save(model, file)
    assert_array_equal(serkit.load(file).transform(X), model.transform(X))


def test_a_module_that_is_made_otherwise_than_it_says(file):
    model = TorchTransformer(nn.Linear(6, 6, bias=False), output="functionals").fit(X)
    serkit.save(model, file)
    model.module.out_features = 7
    with pytest.raises(ModelFileError, match=r"weight is .* of shape \(6, 6\), and should be"):
        serkit.save(model, file)
    assert_array_equal(serkit.load(file).module.weight.detach(), model.module.weight.detach())


@pytest.mark.parametrize(
    "module",
    [
        nn.GRU(6, 3, bidirectional=True, batch_first=True),
        nn.LSTM(6, 4, num_layers=2, proj_size=3),
        nn.Sequential(nn.Unflatten(1, (1, -1)), nn.Conv1d(1, 2, 3, padding=1, bias=False)),
        nn.Sequential(nn.LayerNorm(6), nn.Dropout(0.3), nn.PReLU(), nn.BatchNorm1d(6)),
        nn.Sequential(nn.ModuleDict({"one": nn.ModuleList([nn.Linear(2, 2)])})),
    ],
    ids=lambda module: type(module).__name__,
)
def test_modules_of_torch_need_no_registration(module, file):
    model = TorchTransformer(module, output="functionals")
    model.n_features_out_ = 1
    serkit.save(model, file)
    loaded = serkit.load(file).module
    assert repr(loaded) == repr(module)
    assert loaded.training is module.training
    for name, value in module.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)


def test_a_function(file):
    model = FunctionTransformer(double).fit(X)
    check_refused_then_kept(model, double, file, "transform")


def test_as_a_decorator_with_a_name_that_stays(file):
    @register(name="my-project:centre")
    class Moved(Centre):
        pass

    model = Moved(3.0).fit(X)
    serkit.save(model, file)
    assert describe(file)["class"] == "my-project:centre"
    assert_array_equal(serkit.load(file).transform(X), model.transform(X))

    @register(name="my-project:centre")  # as when a cell of a notebook is run again
    class Moved(Centre):
        pass

    Moved.__qualname__ = Centre.__qualname__
    assert type(serkit.load(file)) is Moved


def test_names_of_others_cannot_be_taken():
    with pytest.raises(ValueError, match="belongs to something else"):
        register(Centre, name="sklearn.svm:SVC")
    register(Centre, name="mine")
    with pytest.raises(ValueError, match="'mine' belongs to something else"):
        register(Louder, name="mine")
    with pytest.raises(TypeError, match="a class or a function can be registered"):
        register(Centre())
