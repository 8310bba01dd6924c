"""Modules of torch in files: what is shared, frozen or hung on them."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from torch import nn

import serkit
from serkit.feature_extraction import TorchTransformer
from serkit.persistence import register

X = list(np.random.default_rng(0).uniform(-1, 1, size=(3, 4)).astype(np.float32))


@pytest.fixture
def reloaded(tmp_path):
    """Return a function that saves and loads a module, with a look at what it does."""

    def reload(module):
        transformer = TorchTransformer(module, output="functionals").fit(X)
        serkit.save(transformer, tmp_path / "model.serkit", card=False)
        loaded = serkit.load(tmp_path / "model.serkit")
        assert_array_equal(loaded.transform(X), transformer.transform(X))
        return loaded.module

    return reload


@register(name="tests:Times")
class Times(nn.Module):
    """Multiply by an array, which lies outside the description."""

    def __init__(self, factors):
        super().__init__()
        self.factors = factors

    def forward(self, x):
        return x * torch.from_numpy(self.factors)


def test_one_activation_may_stand_between_all_layers(reloaded):
    activation = nn.ReLU()
    loaded = reloaded(nn.Sequential(nn.Linear(4, 3), activation, nn.Linear(3, 2), activation))
    assert [type(part) for part in loaded] == [nn.Linear, nn.ReLU, nn.Linear, nn.ReLU]


def test_one_layer_twice_is_refused(reloaded):
    layer = nn.Linear(4, 4)
    with pytest.raises(TypeError, match="TorchTransformer.module is .* holds one Linear twice"):
        reloaded(nn.Sequential(layer, nn.ReLU(), layer))


def test_frozen_layers_stay_frozen(reloaded):
    module = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))
    module[0].requires_grad_(False)
    loaded = reloaded(module)
    assert [part.requires_grad for part in loaded.parameters()] == [False, False, True, True]


@pytest.mark.parametrize("kind", ["register_forward_hook", "register_forward_pre_hook"])
def test_hooks_are_refused(kind, reloaded):
    module = nn.Sequential(nn.Linear(4, 3), nn.ReLU())
    hook = getattr(module[0], kind)(lambda *given: None)
    with pytest.raises(TypeError, match=r"TorchTransformer\.module is .* with hooks"):
        reloaded(module)
    hook.remove()
    reloaded(module)


def test_arrays_among_the_arguments_are_kept(reloaded):
    loaded = reloaded(nn.Sequential(Times(np.arange(4, dtype=np.float32)), nn.Linear(4, 2)))
    assert_array_equal(loaded[0].factors, np.arange(4))
