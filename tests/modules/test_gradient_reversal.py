import pytest
import torch
from torch import nn
from torch.nn import functional

from serkit.modules import DomainAdversarialNetwork, GradientReversal
from serkit.training import DomainAdversarialObjective


def test_forward_is_the_identity_and_backward_turns_the_gradient():
    x = torch.randn(3, 4, requires_grad=True)
    y = GradientReversal()(x, 0.3)
    assert torch.equal(y, x)
    weights = torch.randn(3, 4)
    (y * weights).sum().backward()
    torch.testing.assert_close(x.grad, -0.3 * weights)


def test_reversal_leaves_its_input_to_other_branches():
    x = torch.ones(2, requires_grad=True)
    (GradientReversal()(x, 2.0).sum() + 5 * x.sum()).backward()
    assert x.grad.tolist() == [3.0, 3.0]


def _network():
    torch.manual_seed(0)
    return DomainAdversarialNetwork(
        nn.Sequential(nn.Linear(5, 4), nn.Tanh()), nn.Linear(4, 3), nn.Linear(4, 6)
    ).double()


@pytest.mark.parametrize("form", ["grl", "negated_ce"])
def test_gradients_of_every_part(form):
    network = _network()
    x = torch.randn(7, 5).double()
    emotion, speaker = torch.randint(3, (7,)), torch.randint(6, (7,))
    objective = DomainAdversarialObjective(gamma=2.5, form=form)
    factor = objective.lambda_at(0.4)
    outputs = {
        "grl": lambda logits: logits,
        "negated_ce": lambda logits: logits.softmax(1),
    }[form]

    def gradients(loss):
        network.zero_grad()
        loss.backward()
        return {
            name: torch.zeros_like(weight) if weight.grad is None else weight.grad.clone()
            for name, weight in network.named_parameters()
        }

    of_emotion = gradients(functional.cross_entropy(outputs(network(x)), emotion))
    speakers = network.speaker_head(network.encoder(x))
    of_speaker = gradients(functional.cross_entropy(outputs(speakers), speaker))
    _, parts = objective(network.train(), {"x": x}, {"y": emotion, "speaker": speaker}, 0.4)
    combined = gradients(parts["loss"])

    assert any(part.startswith("encoder") for part in combined)
    for name, gradient in combined.items():
        expected = {
            "encoder": of_emotion[name] - factor * of_speaker[name],
            "head": of_emotion[name],
            "speaker_head": of_speaker[name] * (1 if form == "grl" else -factor),
        }[name.split(".")[0]]
        torch.testing.assert_close(gradient, expected)
        assert gradient.abs().max() > 0
