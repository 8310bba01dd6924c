import numpy as np
import pytest
import torch
from skorch.callbacks import Callback
from torch import nn

from serkit.metrics import uar_score
from serkit.modules import DomainAdversarialNetwork
from serkit.training import (
    BestEpoch,
    ClassificationObjective,
    DomainAdversarialObjective,
    ExponentialDecay,
    Mixup,
    ProgressBar,
    RegressionObjective,
    UtteranceData,
)


class Script(Callback):
    """Set a score to given values, and keep the weights of every epoch."""

    def __init__(self, *scores):
        self.scores = scores

    def on_train_begin(self, net, **_):
        self.weights = []

    def on_epoch_end(self, net, **_):
        net.history.record("score", self.scores[net.epoch_])
        self.weights.append(net.module_.head.weight.detach().clone())


def run(make_net, linear, data, scores, **options):
    script = Script(*scores)
    best = BestEpoch("score", **options)
    net = make_net(
        ("script", script), ("best", best), module=linear, best=False, max_epochs=len(scores)
    )
    net.fit(data)
    return net, script


@pytest.mark.parametrize(
    ("scores", "lower_is_better", "expected"),
    [([1, 3, 2, 3], False, 1), ([3, 1, 2, 1], True, 1), ([1, 2, 3, 4], False, 3)],
)
def test_the_earliest_best_epoch_is_put_back(
    make_net, linear, data, scores, lower_is_better, expected
):
    net, script = run(make_net, linear, data, scores, lower_is_better=lower_is_better)
    weights = [weight for weight in script.weights if torch.equal(weight, net.module_.head.weight)]
    assert len(weights) == 1
    assert weights[0] is script.weights[expected]
    assert max(np.flatnonzero(net.history[:, "best"])) == expected


@pytest.mark.parametrize(("patience", "n_epochs"), [(1, 3), (2, 4), (None, 6)])
def test_patience_ends_training(make_net, linear, data, patience, n_epochs):
    net, script = run(make_net, linear, data, [1, 2, 2, 1, 1, 0], patience=patience)
    assert len(net.history) == n_epochs
    assert torch.equal(net.module_.head.weight, script.weights[1])


def test_without_validation_the_last_epoch_stays(make_net, linear, data):
    net, script = run(make_net, linear, (data[0], None), [3, 2, 1], patience=1)
    assert len(net.history) == 3
    assert torch.equal(net.module_.head.weight, script.weights[-1])


def test_there_is_one_copy_of_the_best_weights(make_net, linear, data, monkeypatch):
    kept = []
    state_dict = linear.state_dict
    best = BestEpoch("score")

    def watch(*args, **options):
        kept.append(best.weights_)
        return state_dict(*args, **options)

    monkeypatch.setattr(linear, "state_dict", watch)
    make_net(Script(1, 2), ("best", best), module=linear, best=False, max_epochs=2).fit(data)
    assert kept[:2] == [None, None]


class Parts(ClassificationObjective):
    """Record the loss under names of its own."""

    def forward(self, network, inputs, targets, progress):
        output, parts = super().forward(network, inputs, targets, progress)
        own = {"valid_own": parts["loss"]} if not network.training else {}
        return output, parts | own | {"part": parts["loss"].detach()}


def test_values_of_validation_utterances_have_names_of_their_own(make_net, linear, data):
    last = make_net(module=linear, objective=Parts()).fit(data).history[-1]
    assert last["part"] == pytest.approx(last["train_loss"])
    assert last["valid_part"] == last["valid_own"] == pytest.approx(last["valid_loss"])
    assert last["train_loss"] != last["valid_loss"]


def test_summary_records_means_and_uar(make_net, linear, data):
    net = make_net(module=linear, best=False, max_epochs=2).fit(data)
    last = net.history[-1]
    rows = [row for row in last["batches"] if "train_batch_size" in row]
    sizes = [row["train_batch_size"] for row in rows]
    losses = [row["train_loss"] for row in rows]
    assert sum(sizes) == 28
    assert last["train_loss"] == pytest.approx(np.average(losses, weights=sizes))
    inputs, targets = data[1].batch(np.arange(12))
    logits = net.module_.eval()(**inputs)
    assert last["valid_uar"] == pytest.approx(uar_score(targets["y"], logits.argmax(1)))
    expected = nn.functional.cross_entropy(logits, targets["y"]).item()
    assert last["valid_loss"] == pytest.approx(expected, rel=1e-5)
    assert last["lr"] == 0.01


def test_decay_stops_at_its_floor(make_net, data):
    net = make_net(ExponentialDecay(0.5, floor=0.002), lr=0.01, max_epochs=5).fit(data)
    assert net.history[:, "lr"] == pytest.approx([0.01, 0.005, 0.0025, 0.002, 0.002])


class Mixed(Callback):
    """Keep training batches before and after another callback."""

    def on_train_begin(self, net, **_):
        self.seen = []

    def on_batch_begin(self, net, batch, training, **_):
        if training:
            inputs, targets = batch
            self.seen.append((dict(inputs), dict(targets)))


def mix(make_net, data, seed=1, **options):
    before, after = Mixed(), Mixed()
    options = {"max_epochs": 1} | options
    make_net(
        ("before", before), Mixup(0.4), ("after", after), seed=seed, best=False, summary=False,
        **options,
    ).fit(data)  # fmt: skip
    return before.seen, after.seen


def test_mixup_mixes_utterances_and_targets_alike(make_net, linear, data):
    before, after = mix(make_net, data, module=linear)
    shares = set()
    for (inputs, targets), (mixed_inputs, mixed_targets) in zip(before, after, strict=True):
        share = mixed_targets["share"]
        shares.add(share.item())
        assert torch.equal(mixed_targets["y"], targets["y"])
        others = (mixed_inputs["x"] - share * inputs["x"]) / (1 - share)
        distances = torch.cdist(others, inputs["x"])
        assert distances.min(1).values.max() < 1e-3
        partners = distances.argmin(1)
        assert sorted(partners.tolist()) == list(range(len(partners)))
        assert torch.equal(mixed_targets["mixed_y"], targets["y"][partners])
    assert len(shares) == len(after)


def test_mixup_is_decided_by_the_seed(make_net, data):
    def shares(seed):
        return [targets["share"].item() for _, targets in mix(make_net, data, seed)[1]]

    assert shares(1) == shares(1)
    assert shares(1) != shares(2)


def test_mixup_of_two_speakers_has_none(make_net, data):
    speakers = np.arange(28) % 2
    x = data[0].batch(np.arange(28))[0]["x"].numpy()
    train = UtteranceData(x, y=speakers, speaker=speakers, weight=np.ones(28, np.float32))
    network = DomainAdversarialNetwork(nn.Linear(3, 4), nn.Linear(4, 2), nn.Linear(4, 2))
    _, after = mix(
        make_net, (train, None), module=network, objective=DomainAdversarialObjective(2.5)
    )
    assert any((targets["speaker"] == -1).any() for _, targets in after)
    for _, targets in after:
        alike = targets["y"] == targets["mixed_y"]
        expected = torch.where(alike, targets["y"], -1)
        assert torch.equal(targets["speaker"], expected)
        assert torch.equal(targets["mixed_weight"], torch.ones(len(alike)))


class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, x, lengths=None):
        return self.scale * x.mean(dim=(1, 2, 3))[:, None]


def test_mixup_keeps_the_frames_of_the_longer_utterance(make_net):
    rng = np.random.default_rng(0)
    utterances = [1 + rng.random((1, 2, n), np.float32) for n in (3, 4, 5, 6, 5, 4)]
    train = UtteranceData(utterances, y=np.zeros((6, 1), np.float32))
    _, after = mix(
        make_net, (train, None), module=Scaled(), objective=RegressionObjective(), max_epochs=3
    )
    for inputs, _ in after:
        n_frames = (inputs["x"] != 0).any(dim=2)[:, 0].sum(1)
        assert torch.equal(inputs["lengths"], n_frames)


@pytest.mark.parametrize("verbose", [0, 1, 2])
def test_progress_is_shown_as_asked_for(make_net, data, capsys, verbose):
    make_net(("progress", ProgressBar(verbose, "Net")), max_epochs=3).fit(data)
    out, err = capsys.readouterr()
    assert ("3/3" in err) is (verbose > 0)
    assert ("Net" in err) is (verbose > 0)
    lines = [line for line in (out + err).splitlines() if "Net: epoch" in line]
    assert len(lines) == (3 if verbose > 1 else 0)
    if lines:
        assert "epoch 3, train_loss 0." in lines[-1]
        assert "valid_uar" in lines[-1]
