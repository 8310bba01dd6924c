import runpy
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback

from serkit.training import (
    Checkpoint,
    ExponentialDecay,
    Mixup,
    ProgressBar,
    UtteranceData,
)
from serkit.utils import estimator_digest


class Killed(Exception):  # noqa: N818
    pass


class Kill(Callback):
    """Break off in the middle of an epoch; no parameter, so the settings are the same."""

    epoch_ = None

    def on_batch_end(self, net, training, **_):
        if training and net.epoch_ == self.epoch_:
            raise Killed


class NumPyScore(Callback):
    def on_epoch_end(self, net, **_):
        net.history.record("score", np.float32(0.1 * net.epoch_))


def double(x, lengths, generator):
    return 2 * x


def triple(x, lengths, generator):
    return 3 * x


@pytest.fixture
def train(make_net, data, tmp_path):
    """Return what trains a net with checkpoints every two epochs, killed if asked to."""

    def train(*callbacks, kill=None, data=data, folder=tmp_path, verbose=0, **options):
        killer = Kill()
        killer.epoch_ = kill
        net = make_net(
            *callbacks, killer, Checkpoint(folder, every=2), ProgressBar(verbose),
            **{"max_epochs": 7} | options,
        )  # fmt: skip
        torch.manual_seed(5)
        net.initialize()
        if kill is None:
            return net.fit(data)
        with pytest.raises(Killed):
            net.fit(data)
        return net

    return train


def values_of(history):
    return [{k: v for k, v in row.items() if k not in ("dur", "batches")} for row in history]


def assert_same(net, other):
    assert values_of(net.history) == values_of(other.history)
    torch.testing.assert_close(net.module_.state_dict(), other.module_.state_dict(), rtol=0, atol=0)


class CountEpochs(Callback):
    n_ = 0

    def on_epoch_begin(self, net, **_):
        self.n_ += 1


@pytest.fixture
def count():
    """Return a callback that counts the epochs of all trainings of a test."""
    return CountEpochs()


@pytest.mark.parametrize("kill", [1, 2, 5])
def test_a_killed_training_ends_as_if_nothing_had_happened(train, tmp_path, kill):
    extra = (ExponentialDecay(0.8), Mixup(), NumPyScore())
    whole = train(*extra, folder=tmp_path / "other", augment=double)
    train(*extra, kill=kill, augment=double)
    assert len(list(tmp_path.glob("*.pt"))) == (kill >= 2)
    torch.rand(3)  # the state of the process is another by now
    again = train(*extra, augment=double)
    assert_same(again, whole)
    assert not list(tmp_path.glob("*.pt"))


def test_only_what_was_lost_is_trained_again(train, count):
    train(count, kill=5)
    assert count.n_ == 6
    train(count)
    assert count.n_ == 6 + 3


def test_a_training_may_be_killed_twice(train, tmp_path):
    whole = train(folder=tmp_path / "other")
    train(kill=2)
    train(kill=5)
    assert_same(train(), whole)


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 2}, {"lr": 0.02}, {"batch_size": 7}, {"max_epochs": 8}, {"augment": triple},
        {"optimizer": torch.optim.AdamW}, {"optimizer__weight_decay": 0.1},
        {"frozen": ("hidden1",)},
    ],
    ids=lambda changes: next(iter(changes)),
)  # fmt: skip
def test_other_settings_begin_anew(train, count, changes):
    train(count, kill=5, augment=double)
    count.n_ = 0
    options = {"augment": double} | changes
    train(count, **options)
    assert count.n_ == options.get("max_epochs", 7)


def test_other_data_callbacks_and_weights_begin_anew(train, count, data, make_net):
    train(count, ExponentialDecay(0.9), kill=5)
    utterances, targets = data[0].batch(np.arange(28))
    relabelled = UtteranceData(utterances["x"].numpy(), y=1 - targets["y"])
    module = make_net().module
    with torch.no_grad():
        module.head[0].bias += 1
    for callbacks, options in [
        ([ExponentialDecay(0.8)], {}),
        ([Mixup()], {}),
        ([ExponentialDecay(0.9)], {"data": (relabelled, data[1])}),
        ([ExponentialDecay(0.9)], {"data": (data[0], None)}),
        ([ExponentialDecay(0.9)], {"module": module}),
    ]:
        count.n_ = 0
        train(count, *callbacks, **options)
        assert count.n_ == 7


def test_display_and_folder_names_do_not_matter(train, count, tmp_path, capsys):
    train(count, kill=5)
    (tmp_path / "moved").mkdir()
    for file in tmp_path.glob("*.pt"):
        file.rename(tmp_path / "moved" / file.name)
    train(count, folder=tmp_path / "moved", verbose=2)
    assert count.n_ == 6 + 3
    assert "epoch 7" in "".join(capsys.readouterr())


@pytest.mark.parametrize("damage", ["truncate", "empty", "garbage"])
def test_a_damaged_file_is_replaced_with_a_warning(train, tmp_path, damage):
    whole = train(folder=tmp_path / "other")
    train(kill=5)
    (file,) = tmp_path.glob("*.pt")
    content = file.read_bytes()
    file.write_bytes(
        {"truncate": content[: len(content) // 2], "empty": b"", "garbage": b"no file"}[damage]
    )
    with pytest.warns(
        UserWarning, match=r"checkpoint .*\.pt cannot be read .*Training begins anew"
    ):
        again = train()
    assert_same(again, whole)
    assert not file.exists()


def test_an_undamaged_file_is_read_in_silence(train):
    train(kill=5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train()


def test_folds_share_a_folder(train, data, tmp_path):
    halves = [
        UtteranceData(data[0].batch(rows)[0]["x"].numpy(), y=data[0].targets["y"][rows])
        for rows in (np.arange(14), np.arange(14, 28))
    ]
    whole = [train(data=(half, data[1]), folder=tmp_path / "other") for half in halves]
    for half in halves:
        train(kill=5, data=(half, data[1]))
    assert len(list(tmp_path.glob("*.pt"))) == 2
    for half, net in zip(halves, whole, strict=True):
        assert_same(train(data=(half, data[1])), net)
    assert not list(tmp_path.glob("*.pt"))


SCRIPT = """
import numpy as np, torch
from torch import nn
from serkit.modules import CNN2DBiGRUEncoder, UtteranceNetwork
from serkit.training import Checkpoint, ClassificationObjective, UtteranceData, UtteranceNet

def scale(x, lengths, generator):
    return 2 * x

names = []

class Stop(Exception):
    pass

class Keep(Checkpoint):
    def on_train_begin(self, net, **about):
        super().on_train_begin(net, **about)
        names.append(self._file.name)
        raise Stop

torch.manual_seed(0)
encoder = CNN2DBiGRUEncoder(1, 4, n_filters=2, rnn_hidden_size=2)
network = UtteranceNetwork(encoder, nn.Linear(8, 2))
data = UtteranceData([np.ones((1, 4, n), np.float32) for n in (4, 6, 5)], y=[0, 1, 0])
net = UtteranceNet(network, ClassificationObjective(), augment=scale, callbacks=[Keep(".")],
                   max_epochs=2, verbose=0)
try:
    net.fit((data, None))
except Stop:
    pass
print(*names)
"""


def test_another_process_finds_the_file(tmp_path):
    file = tmp_path / "script.py"
    file.write_text(SCRIPT)
    there = subprocess.run(
        [sys.executable, str(file)], capture_output=True, text=True, check=True
    ).stdout.split()
    here = runpy.run_path(str(file), run_name="__main__")["names"]
    assert here == there
    assert len(here) == 1


def test_a_checkpoint_has_no_place_in_keys_of_results():
    here, there = Checkpoint("here"), Checkpoint("there", every=3)
    assert estimator_digest([here]) == estimator_digest([there])
    assert estimator_digest([Mixup(0.2)]) != estimator_digest([Mixup(0.3)])
