import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from serkit.modules import DomainAdversarialNetwork
from serkit.training import (
    ClassificationObjective,
    ConcordanceObjective,
    DomainAdversarialObjective,
    RegressionObjective,
)


@pytest.mark.parametrize(
    ("gamma", "expected"),
    [
        (1.25, (0, 0.0624, 0.1550, 0.3027, 0.4372, 0.5546)),
        (2.50, (0, 0.1244, 0.3027, 0.5546, 0.7341, 0.8483)),
        (3.33, (0, 0.1650, 0.3938, 0.6818, 0.8479, 0.9309)),
    ],
)
def test_lambda_follows_the_published_table(gamma, expected):
    objective = DomainAdversarialObjective(gamma)
    for progress, value in zip((0, 0.1, 0.25, 0.5, 0.75, 1), expected, strict=True):
        assert objective.lambda_at(progress) == pytest.approx(value, abs=1e-4)
        printed = 2 / (1 + math.exp(-gamma * progress)) - 1
        assert objective.lambda_at(progress) == pytest.approx(printed, abs=1e-12)


def make_network(n_speakers=4):
    torch.manual_seed(0)
    return DomainAdversarialNetwork(nn.Linear(5, 4), nn.Linear(4, 3), nn.Linear(4, n_speakers))


def batch(n=6):
    torch.manual_seed(1)
    targets = {"y": torch.randint(3, (n,)), "speaker": torch.randint(4, (n,))}
    return {"x": torch.randn(n, 5)}, targets


@pytest.mark.parametrize("form", ["grl", "negated_ce"])
def test_utterances_without_a_speaker_count_for_the_emotion_only(form):
    network, (inputs, targets) = make_network(), batch()
    objective = DomainAdversarialObjective(2.5, form=form)
    _, everything = objective(network, inputs, targets, 0.5)
    known = {"x": inputs["x"][:3]}, {name: value[:3] for name, value in targets.items()}
    targets["speaker"][3:] = -1
    _, parts = objective(network, inputs, targets, 0.5)
    _, of_known = objective(network, *known, 0.5)
    torch.testing.assert_close(parts["speaker_loss"], of_known["speaker_loss"])
    torch.testing.assert_close(parts["speaker_accuracy"], of_known["speaker_accuracy"])
    torch.testing.assert_close(parts["emotion_loss"], everything["emotion_loss"])


@pytest.mark.parametrize("form", ["grl", "negated_ce"])
def test_a_batch_without_any_speaker_is_trained_on_its_emotions(form):
    network, (inputs, targets) = make_network(), batch()
    targets["speaker"][:] = -1
    _, parts = DomainAdversarialObjective(2.5, form=form)(network, inputs, targets, 0.5)
    assert parts["speaker_loss"] == parts["speaker_accuracy"] == 0
    torch.testing.assert_close(parts["loss"].detach(), parts["emotion_loss"])
    parts["loss"].backward()
    assert all(weight.grad.isfinite().all() for weight in network.parameters())
    assert not network.speaker_head.weight.grad.any()


@pytest.mark.parametrize("n_classes", [7, 8, 10, 24])
@pytest.mark.parametrize("right", [True, False])
def test_two_softmaxes_bound_the_loss(n_classes, right):
    logits = torch.full((2, n_classes), -1e4)
    logits[:, 0] = 1e4
    target = torch.full((2,), 0 if right else 1)
    network = DomainAdversarialNetwork(nn.Identity(), nn.Identity(), nn.Identity()).train()
    _, parts = DomainAdversarialObjective(2.5, form="negated_ce")(
        network, {"x": logits}, {"y": target, "speaker": target}, 0.5
    )
    least, most = math.log(1 + (n_classes - 1) / math.e), math.log(math.e + n_classes - 1)
    for name in ("emotion_loss", "speaker_loss"):
        assert parts[name].item() == pytest.approx(least if right else most, abs=1e-5)


def test_speaker_accuracy_and_lambda_are_recorded():
    network, (inputs, targets) = make_network(), batch()
    logits = network.speaker_head(network.encoder(inputs["x"]))
    _, parts = DomainAdversarialObjective(2.5)(network, inputs, targets, 0.25)
    accuracy = (logits.argmax(1) == targets["speaker"]).float().mean()
    torch.testing.assert_close(parts["speaker_accuracy"], accuracy)
    assert parts["lambda"].item() == pytest.approx(math.tanh(2.5 * 0.25 / 2), abs=1e-6)


def test_in_evaluation_only_the_emotions_are_asked():
    network, (inputs, targets) = make_network().eval(), batch()
    network.speaker_head = None
    output, parts = DomainAdversarialObjective(2.5)(network, inputs, {"y": targets["y"]}, 0.5)
    assert set(parts) == {"loss"}
    torch.testing.assert_close(parts["loss"], functional.cross_entropy(output, targets["y"]))


def test_weights_make_a_weighted_mean():
    torch.manual_seed(0)
    output, y, weight = torch.randn(4, 3), torch.tensor([0, 1, 2, 1]), torch.tensor([1, 0, 2, 0.5])
    losses = functional.cross_entropy(output, y, reduction="none")
    loss = ClassificationObjective().loss(output, {"y": y, "weight": weight})
    torch.testing.assert_close(loss, (losses * weight).sum() / weight.sum())


def test_zero_weights_teach_nothing():
    output = torch.randn(4, 3, requires_grad=True)
    targets = {"y": torch.zeros(4, dtype=torch.long), "weight": torch.zeros(4)}
    loss = ClassificationObjective().loss(output, targets)
    loss.backward()
    assert loss == 0
    assert not output.grad.any()


def test_mixed_targets_are_the_cross_entropy_of_mixed_labels():
    torch.manual_seed(0)
    output, y, other = torch.randn(4, 3), torch.tensor([0, 1, 2, 1]), torch.tensor([2, 1, 0, 0])
    targets = {"y": y, "mixed_y": other, "share": torch.tensor(0.3)}
    soft = 0.3 * functional.one_hot(y, 3) + 0.7 * functional.one_hot(other, 3)
    torch.testing.assert_close(
        ClassificationObjective().loss(output, targets), functional.cross_entropy(output, soft)
    )
    weight = torch.tensor([1.0, 2.0, 0.0, 1.0])
    targets |= {"weight": weight, "mixed_weight": weight[[1, 0, 3, 2]]}
    first = functional.cross_entropy(output, y, reduction="none") * weight
    second = functional.cross_entropy(output, other, reduction="none") * weight[[1, 0, 3, 2]]
    torch.testing.assert_close(
        ClassificationObjective().loss(output, targets),
        (0.3 * first + 0.7 * second).sum() / weight.sum(),
    )


def test_regression_is_the_mean_over_utterances_and_values():
    torch.manual_seed(0)
    output, y, weight = torch.randn(4, 2), torch.randn(4, 2), torch.tensor([1.0, 3.0, 0.0, 1.0])
    objective = RegressionObjective()
    torch.testing.assert_close(objective.loss(output, {"y": y}), functional.mse_loss(output, y))
    torch.testing.assert_close(
        objective.loss(output, {"y": y, "weight": weight}),
        ((output - y).square().mean(1) * weight).sum() / 5,
    )


def make_sequences(*shape):
    torch.manual_seed(0)
    y = torch.randn(*shape, dtype=torch.float64)
    return 0.5 * y + torch.randn(*shape, dtype=torch.float64), y


def concordance(x, y):
    covariance = ((x - x.mean()) * (y - y.mean())).mean()
    return 2 * covariance / (x.var(correction=0) + y.var(correction=0) + (x.mean() - y.mean()) ** 2)


def test_concordance_is_of_columns_or_of_rows():
    output, y = make_sequences(6, 4)
    columns = torch.stack([1 - concordance(x, t) for x, t in zip(output.T, y.T, strict=True)])
    rows = torch.stack([1 - concordance(x, t) for x, t in zip(output, y, strict=True)])
    torch.testing.assert_close(ConcordanceObjective().loss(output, {"y": y}), columns.mean())
    torch.testing.assert_close(ConcordanceObjective("time").loss(output, {"y": y}), rows.mean())
    weight = torch.tensor([1.0, 0, 2, 0, 0, 1])
    torch.testing.assert_close(
        ConcordanceObjective("time").loss(output, {"y": y, "weight": weight}),
        (rows[0] + 2 * rows[2] + rows[5]) / 4,
    )


def test_weighted_concordance_is_that_of_repeated_utterances():
    output, y = make_sequences(5, 2)
    weight = torch.tensor([1.0, 0, 3, 2, 1])
    loss = ConcordanceObjective().loss(output, {"y": y, "weight": weight})
    repeated = [values.repeat_interleave(weight.long(), dim=0) for values in (output, y)]
    torch.testing.assert_close(loss, ConcordanceObjective().loss(repeated[0], {"y": repeated[1]}))


def test_concordance_of_mixed_targets_is_a_mixture():
    output, y = make_sequences(5, 2)
    targets = {"y": y, "mixed_y": y.flip(0), "share": torch.tensor(0.3)}
    objective = ConcordanceObjective()
    first, second = (objective.loss(output, {"y": targets[name]}) for name in ("y", "mixed_y"))
    torch.testing.assert_close(objective.loss(output, targets), 0.3 * first + 0.7 * second)


@pytest.mark.parametrize("over", ["utterances", "time"])
def test_zero_weights_teach_no_concordance(over):
    output, y = make_sequences(5, 3)
    output.requires_grad_()
    loss = ConcordanceObjective(over).loss(output, {"y": y, "weight": torch.zeros(5)})
    loss.backward()
    assert loss == 0
    assert not output.grad.any()
