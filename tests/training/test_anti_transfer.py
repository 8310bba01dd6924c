"""The likeness to a reference is added to any objective, and the reference stays what it is."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from serkit.modules import (
    AntiTransferLoss,
    CNN2DBiGRUEncoder,
    DomainAdversarialNetwork,
    FeatureTap,
    MLPHead,
    UtteranceNetwork,
)
from serkit.training import (
    AntiTransferObjective,
    ClassificationObjective,
    ConcordanceObjective,
    DomainAdversarialObjective,
    EpochSummary,
    UtteranceData,
    UtteranceNet,
)

N_BINS = 4


def make_network(seed, **options):
    torch.manual_seed(seed)
    encoder = CNN2DBiGRUEncoder(1, N_BINS, n_conv_layers=2, n_filters=3, rnn_hidden_size=3)
    return UtteranceNetwork(encoder, nn.Linear(encoder.embedding_size, 2))


def make_reference(seed=1):
    return make_network(seed).eval().requires_grad_(False)


def make_data(n=12):
    rng = np.random.default_rng(0)
    frames = [rng.normal(size=(1, N_BINS, 9 + row % 5)) for row in range(n)]
    return UtteranceData(frames, y=np.arange(n) % 2)


def inputs_and_targets():
    return make_data().batch(np.arange(6))


class Fixed(nn.Module):
    """A network whose feature maps are given."""

    def __init__(self, maps):
        super().__init__()
        self.maps = nn.Parameter(torch.tensor(maps)[None, :, None])
        self.layer = nn.Identity()

    def forward(self, x):
        return self.layer(self.maps)


class NoTask(nn.Module):
    """An objective that is always met."""

    def forward(self, network, inputs, targets, progress):
        output = network(**inputs)
        return output, {"loss": 0 * output.sum()}


def test_the_check_value_of_the_thesis():
    trained = Fixed([[1.0, 1.0, 0.0], [2.0, 0.0, 1.0]])
    reference = Fixed([[1.0, 0.0, 2.0], [0.0, 1.0, 1.0]])
    objective = AntiTransferObjective(NoTask(), reference, "layer")
    _, parts = objective(trained, {"x": torch.zeros(1)}, {}, 0.0)
    assert parts["loss"].item() == pytest.approx((28 / 37) ** 2)
    assert parts["train_at_loss"].item() == pytest.approx(0.572681, abs=1e-6)


def test_losses_of_layers_are_added_to_that_of_the_task():
    network, reference = make_network(0).eval(), make_reference()
    inputs, targets = inputs_and_targets()
    task = ClassificationObjective()
    loss = AntiTransferLoss(beta=2.0)
    objective = AntiTransferObjective(task, reference, [1, "block2"], loss=loss)
    output, parts = objective(network, inputs, targets, 0.0)
    layers = [1, "block2"]
    trained, known = (FeatureTap(net, layers).collect(**inputs) for net in (network, reference))
    expected = {
        layer: loss(trained[layer].values, known[layer].values, trained[layer].lengths)
        for layer in layers
    }
    torch.testing.assert_close(output, network(**inputs))
    torch.testing.assert_close(parts["valid_at_loss_1"], expected[1])
    torch.testing.assert_close(parts["valid_at_loss_block2"], expected["block2"])
    total = expected[1] + expected["block2"]
    torch.testing.assert_close(parts["valid_at_loss"], total)
    torch.testing.assert_close(parts["loss"], task.loss(output, targets) + total)


@pytest.mark.parametrize("beta", [0.5, 1.0, 20.0, -1.0])
def test_the_loss_is_between_zero_and_beta(beta):
    inputs, targets = inputs_and_targets()
    reference = make_reference()
    for network in (make_network(0), copy.deepcopy(reference).requires_grad_(True)):
        objective = AntiTransferObjective(
            ClassificationObjective(), reference, 2, loss=AntiTransferLoss(beta=beta)
        )
        at_loss = float(objective(network.eval(), inputs, targets, 0.0)[1]["valid_at_loss"])
        assert 0 <= at_loss / beta <= 1 + 1e-6
    assert at_loss == pytest.approx(beta)  # of equal features


def test_no_gradient_reaches_the_reference():
    network, reference = make_network(0), make_network(1).eval()  # with trainable weights
    objective = AntiTransferObjective(ClassificationObjective(), reference, 1)
    _, parts = objective(network.train(), *inputs_and_targets(), 0.0)
    parts["loss"].backward()
    assert all(weights.grad is None for weights in reference.parameters())
    assert all(weights.grad is not None for weights in network.parameters())
    assert not reference.training
    assert list(objective.parameters()) == []
    assert objective.state_dict() == {}
    assert list(objective.train().modules()) == [objective, objective.objective, objective.loss]
    assert not reference.training


def test_a_domain_adversarial_network_is_watched_too():
    encoder = make_network(0).encoder
    heads = (MLPHead(encoder.embedding_size, n, hidden_layer_sizes=(4,)) for n in (2, 3))
    network = DomainAdversarialNetwork(encoder, *heads)
    inputs, targets = inputs_and_targets()
    targets["speaker"] = torch.arange(6) % 3
    objective = AntiTransferObjective(DomainAdversarialObjective(1.0), make_reference(), 1)
    _, parts = objective(network.train(), inputs, targets, 0.5)
    assert {"train_at_loss", "speaker_loss", "emotion_loss", "lambda"} < parts.keys()
    expected = parts["emotion_loss"] + parts["speaker_loss"] + parts["train_at_loss"]
    torch.testing.assert_close(parts["loss"].detach(), expected)


def test_kept_matrices_are_worth_the_reference():
    network, data = make_network(0).eval(), make_data()
    objective = AntiTransferObjective(ClassificationObjective(), make_reference(), [1, "block2"])
    grams = objective.grams(data, batch_size=4)
    assert {name: gram.shape for name, gram in grams.items()} == {
        "gram_1": (12, 3, 3),
        "gram_block2": (12, 3, 3),
    }
    rows = np.array([11, 3, 0, 7])
    inputs, targets = data.batch(rows)
    _, computed = objective(network, inputs, targets, 0.0)
    data.targets |= grams
    objective._reference = ()  # is not asked any more
    _, kept = objective(network, *data.batch(rows), 0.0)
    for name, value in computed.items():
        torch.testing.assert_close(kept[name], value)


def test_history_has_both_losses():
    data, valid = make_data(), make_data(6)
    objective = AntiTransferObjective(ClassificationObjective(), make_reference(), 1)
    net = UtteranceNet(
        make_network(0),
        objective,
        seed=0,
        max_epochs=2,
        batch_size=4,
        callbacks=[EpochSummary()],
    ).fit((data, valid))
    for epoch in net.history:
        batches = [batch for batch in epoch["batches"] if "train_at_loss" in batch]
        mean = np.mean([batch["train_at_loss"] for batch in batches])
        assert len(batches) == 3
        assert epoch["train_at_loss"] == pytest.approx(mean)
        assert 0 < epoch["valid_at_loss"] < epoch["valid_loss"]


def test_losses_that_are_no_means_of_batches_are_refused():
    with pytest.raises(ValueError, match="ConcordanceObjective .*take an objective with is_mean"):
        AntiTransferObjective(ConcordanceObjective(), make_reference(), 1)
    AntiTransferObjective(ConcordanceObjective("time"), make_reference(), 1)
