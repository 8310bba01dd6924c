"""A plain loop over the network of an estimator, in turns with its own training."""

import copy
import time

import numpy as np
import torch
from skorch.callbacks import Callback
from torch.nn import functional

from serkit.modules import DomainAdversarialNetwork
from serkit.training import BatchLoader

__all__ = ["PlainLoop"]


class PlainLoop(Callback):
    """Train a copy of the network by a plain loop, an epoch behind each of serkit's."""

    X: list[torch.Tensor]
    seconds: list[tuple[float, float, float]]  # copies of the callback share it

    def on_train_begin(self, net, X, **_):
        """Begin with the weights, the optimizer and the batches of serkit."""
        data, _ = X
        self.targets = data.targets
        self.loader = BatchLoader(data, net.batch_size, seed=net.seed)
        self.network = copy.deepcopy(net.module_).train()
        optimizer = net.optimizer_
        self.optimizer = type(optimizer)(self.network.parameters(), **optimizer.defaults)
        self.start = time.process_time()

    def on_epoch_end(self, net, **_):
        """Train for an epoch, then only go through the batches."""
        times = [self.start, time.process_time()]
        for rows in self.loader.rows(net.epoch_):
            x, lengths = self.batch(rows)
            self.optimizer.zero_grad()
            self.loss(x, lengths, torch.from_numpy(rows)).backward()
            self.optimizer.step()
        times.append(time.process_time())
        self.loader.epoch = net.epoch_
        for _ in self.loader:
            pass
        times.append(time.process_time())
        PlainLoop.seconds.append(tuple(np.diff(times)))
        self.start = time.process_time()

    def batch(self, rows):
        """Return utterances in one tensor, and their lengths if these differ."""
        lengths = torch.tensor([self.X[row].shape[-1] for row in rows])
        longest = int(lengths.max())
        x = [functional.pad(self.X[row], (0, longest - self.X[row].shape[-1])) for row in rows]
        return torch.stack(x), lengths if (lengths != longest).any() else None

    def loss(self, x, lengths, rows):
        """Return the cross-entropy of the emotions, and of the speakers if they are trained."""
        y = self.targets["y"][rows]
        if not isinstance(self.network, DomainAdversarialNetwork):
            return functional.cross_entropy(self.network(x, lengths), y)
        emotions, speakers = self.network.both(x, lengths, reversal=0.5)
        speaker_loss = functional.cross_entropy(speakers, self.targets["speaker"][rows])
        return functional.cross_entropy(emotions, y) + speaker_loss
