"""The network computes what the same one in stock layers of torch does."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from serkit.neural_network import CRNNClassifier

N_BINS, N_CLASSES = 9, 3


class StockCRNN(nn.Module):
    """Dropout and ELU before the pooling, one layout of memory, no lengths."""

    def __init__(self, n_blocks, n_filters=4, n_hidden=5, n_units=8):
        super().__init__()
        layers, channels, n_bins = [], 1, N_BINS
        for _ in range(n_blocks):
            layers += [
                nn.Conv2d(channels, n_filters, kernel_size=2, padding=1, bias=False),
                nn.BatchNorm2d(n_filters),
                nn.Dropout2d(0.0),
                nn.ELU(),
                nn.MaxPool2d(2),
            ]
            channels, n_bins = n_filters, (n_bins + 1) // 2
        self.convolutions = nn.Sequential(*layers)
        self.gru = nn.GRU(n_filters * n_bins, n_hidden, batch_first=True, bidirectional=True)
        self.projection = nn.Linear(2 * n_hidden, 2 * n_hidden)
        self.head = nn.Sequential(
            *(nn.Linear(4 * n_hidden, n_units), nn.BatchNorm1d(n_units), nn.Dropout(0.0)),
            *(nn.ReLU(), nn.Linear(n_units, N_CLASSES)),
        )

    def forward(self, x):
        x = self.convolutions(x).flatten(1, 2).transpose(1, 2)
        x = self.projection(self.gru(x)[0])
        return self.head(torch.cat([x.mean(dim=1), x.std(dim=1)], dim=1))


def first_step(network, X, y):
    network.train().zero_grad()
    loss = functional.cross_entropy(network(X), y)
    loss.backward()
    return loss.item(), [parameter.grad for parameter in network.parameters()]


@pytest.mark.parametrize("n_blocks", [1, 2])
def test_first_step_is_that_of_stock_layers(n_blocks):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(16, 1, N_BINS, 30)), np.arange(16) % N_CLASSES
    crnn = CRNNClassifier(
        n_blocks,
        n_filters=4,
        rnn_hidden_size=5,
        hidden_layer_sizes=(8,),
        conv_dropout=0.0,
        dropout=0.0,
        max_epochs=1,
        random_state=0,
        device="cpu",
    )
    network = crnn.fit(X, y).net_.module_.double()
    stock = StockCRNN(n_blocks).double()
    weights = network.state_dict().values()
    stock.load_state_dict(dict(zip(stock.state_dict(), weights, strict=True)))

    X, y = torch.from_numpy(X), torch.from_numpy(y)
    loss, gradients = first_step(network, X, y)
    expected_loss, expected_gradients = first_step(stock, X, y)
    assert loss == pytest.approx(expected_loss, rel=1e-10)
    for gradient, expected in zip(gradients, expected_gradients, strict=True):
        # Relative to the largest of the tensor; the bias that batch normalisation takes away
        # again has none.
        tolerance = 1e-10 * expected.abs().max().item() + 1e-12
        torch.testing.assert_close(gradient, expected, rtol=0, atol=tolerance)
    for name, value in zip(stock.state_dict(), network.state_dict().values(), strict=True):
        torch.testing.assert_close(value, stock.state_dict()[name], rtol=1e-10, atol=1e-12)
