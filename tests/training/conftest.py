import numpy as np
import pytest
import torch
from torch import nn

from serkit.modules import MLPEncoder, MLPHead, UtteranceNetwork
from serkit.training import (
    BestEpoch,
    ClassificationObjective,
    EpochSummary,
    UtteranceData,
    UtteranceNet,
)


@pytest.fixture
def data():
    """Return training and validation utterances of two classes that a line tells apart."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3)).astype(np.float32)
    y = (X[:, 0] > 0).astype(int)
    return UtteranceData(X[:28], y=y[:28]), UtteranceData(X[28:], y=y[28:])


@pytest.fixture
def make_net():
    """Return what makes a small net, the same at every call."""

    def make(*callbacks, module=None, objective=None, summary=True, best=True, **options):
        if module is None:
            torch.manual_seed(0)
            encoder = MLPEncoder(3, hidden_layer_sizes=(4,))
            module = UtteranceNetwork(encoder, MLPHead(4, 2, hidden_layer_sizes=(5,)))
        objective = ClassificationObjective() if objective is None else objective
        if best:
            callbacks = (("best", BestEpoch()), *callbacks)
        if summary:
            callbacks = (("summary", EpochSummary()), *callbacks)
        options = {"optimizer": torch.optim.Adam, "lr": 0.01, "batch_size": 8, "seed": 1} | options
        options = {"max_epochs": 4, "verbose": 0, "callbacks": list(callbacks)} | options
        return UtteranceNet(module, objective, **options)

    return make


@pytest.fixture
def linear():
    """Return a network of one linear layer, with stages."""
    torch.manual_seed(0)
    return UtteranceNetwork(nn.Flatten(), nn.Linear(3, 2))
