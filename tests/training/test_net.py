import math
import pickle

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback, EarlyStopping
from torch import nn

from serkit.modules import DomainAdversarialNetwork, UtteranceNetwork
from serkit.training import DomainAdversarialObjective, UtteranceData


class Interrupt(Callback):
    def on_batch_end(self, net, training, **_):
        if net.n_steps_ == 3:
            raise KeyboardInterrupt


def weights_of(net):
    return torch.cat([weight.detach().flatten() for weight in net.module_.parameters()])


def test_training_learns(make_net, linear, data):
    net = make_net(module=linear, lr=0.1, max_epochs=9).fit(data)
    assert net.history[-1, "valid_uar"] > 0.8
    assert net.history[-1, "train_loss"] < net.history[0, "train_loss"]


def test_equal_seeds_make_equal_weights(make_net, data):
    torch.manual_seed(7)
    first = weights_of(make_net().fit(data))
    torch.manual_seed(7)
    assert torch.equal(first, weights_of(make_net().fit(data)))
    torch.manual_seed(7)
    assert not torch.equal(first, weights_of(make_net(seed=2).fit(data)))


def test_lambda_grows_with_every_batch(make_net, data):
    train = UtteranceData(data[0].batch(np.arange(28))[0]["x"].numpy(), y=[0, 1] * 14,
                          speaker=[0, 1, 2, -1] * 7)  # fmt: skip
    network = DomainAdversarialNetwork(nn.Linear(3, 4), nn.Linear(4, 2), nn.Linear(4, 3))
    net = make_net(module=network, objective=DomainAdversarialObjective(3.33), max_epochs=3)
    net.fit((train, data[1]))
    recorded = [
        row["lambda"] for row in net.history[:, "batches"] for row in row if "lambda" in row
    ]
    n_steps = 3 * math.ceil(28 / 8)
    expected = [math.tanh(3.33 * step / n_steps / 2) for step in range(n_steps)]
    assert recorded == pytest.approx(expected, abs=1e-6)
    for name in ("lambda", "emotion_loss", "speaker_loss", "speaker_accuracy"):
        assert all(name in row for row in net.history)
    assert net.history[-1, "lambda"] == pytest.approx(np.mean(expected[-4:]), abs=1e-6)


def test_an_interruption_by_the_user_is_passed_on(make_net, data):
    net = make_net(Interrupt())
    with pytest.raises(KeyboardInterrupt):
        net.fit(data)
    assert len(net.history) == 1


def test_callbacks_of_skorch_end_training_in_order(make_net, data):
    never = EarlyStopping("valid_loss", patience=2, threshold=1e9, threshold_mode="abs")
    net = make_net(never, max_epochs=9)
    net.fit(data)
    assert len(net.history) == 3
    assert net.callbacks_[1][0] == "best"
    assert net.callbacks_[1][1].weights_ is None  # put back, so training has ended


def test_pickles_hold_the_weights_once(make_net, data):
    module = UtteranceNetwork(nn.Linear(3, 20_000), nn.Linear(20_000, 2))
    net = make_net(module=module, optimizer=torch.optim.SGD, max_epochs=1).fit(data)
    n_bytes = 4 * sum(weight.numel() for weight in module.parameters())
    assert n_bytes < len(pickle.dumps(net)) < 1.2 * n_bytes


def test_a_pickle_predicts_the_same(make_net, data):
    net = make_net().fit(data)
    copy = pickle.loads(pickle.dumps(net))
    for (rows, output), (copied_rows, copied) in zip(
        net.infer_batches(data[0]), copy.infer_batches(data[0]), strict=True
    ):
        assert np.array_equal(rows, copied_rows)
        assert torch.equal(output, copied)


class Noise:
    """Add noise, and keep what was asked for."""

    def __init__(self):
        self.calls = []

    def __call__(self, x, lengths, generator):
        noise = torch.randn(x.shape, generator=generator)
        self.calls.append((len(x), lengths, noise.flatten()[0].item()))
        return x + noise


def test_training_batches_alone_are_augmented(make_net, data):
    noise = Noise()
    torch.manual_seed(7)
    net = make_net(augment=noise).fit(data)
    assert [n for n, _, _ in noise.calls] == [7, 7, 7, 7] * 4
    net.infer_batches(data[0])
    assert len(noise.calls) == 16
    assert len({value for *_, value in noise.calls}) == 16

    again = Noise()
    torch.manual_seed(7)
    assert torch.equal(weights_of(make_net(augment=again).fit(data)), weights_of(net))
    assert again.calls == noise.calls


def test_augmentation_is_told_the_lengths(make_net):
    utterances = [np.ones((1, 3, n), np.float32) for n in (4, 6, 5, 6)]
    noise = Noise()
    head = UtteranceNetwork(Mean(), nn.Linear(3, 2))
    train = UtteranceData(utterances, y=[0, 1, 0, 1])
    make_net(module=head, augment=noise, max_epochs=1).fit((train, None))
    assert sorted(noise.calls[0][1].tolist()) == [4, 5, 6, 6]


class Mean(nn.Module):
    def forward(self, x, lengths):
        return x.sum(-1)[:, 0] / lengths[:, None]


def test_mixed_precision_trains(make_net, linear, data):
    dtypes = set()
    net = make_net(module=linear, mixed_precision=True, lr=0.1, max_epochs=9).initialize()
    net.module_.head.register_forward_hook(lambda _m, _i, output: dtypes.add(output.dtype))
    net.fit(data)
    assert dtypes == {torch.bfloat16}
    assert all(weight.dtype == torch.float32 for weight in net.module_.parameters())
    assert net.history[-1, "valid_uar"] > 0.8


def test_frozen_stages_stay(make_net, data):
    net = make_net(frozen=("hidden1",)).initialize()
    before = {name: value.clone() for name, value in net.module_.state_dict().items()}
    net.fit(data)
    changed = {
        name.split(".")[0]
        for name, value in net.module_.state_dict().items()
        if not torch.equal(value, before[name])
    }
    assert changed == {"head"}


def test_inference_returns_every_row_once_and_trains_nothing(make_net, data):
    net = make_net(batch_size=5).fit(data)
    before = {name: value.clone() for name, value in net.module_.state_dict().items()}
    batches = net.infer_batches(data[0])
    assert sorted(row for rows, _ in batches for row in rows) == list(range(28))
    x = data[0].batch(np.arange(28))[0]["x"]
    for rows, output in batches:
        torch.testing.assert_close(output, net.module_.eval()(x[rows]))
    doubled = net.infer_batches(data[0], function=lambda x: 2 * x)
    assert all(torch.equal(output, 2 * x[rows]) for rows, output in doubled)
    torch.testing.assert_close(net.module_.state_dict(), before, rtol=0, atol=0)


def test_divergence_says_what_to_do(make_net, data):
    net = make_net(lr=float("inf"), optimizer=torch.optim.SGD)
    with pytest.raises(FloatingPointError, match=r"diverged in epoch 1.*Lower the learning rate"):
        net.fit(data)


def test_no_gradients_are_left_behind(make_net, linear, data):
    net = make_net(module=linear).fit(data)
    assert all(weights.grad is None for weights in net.module_.parameters())
