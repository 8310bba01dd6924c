"""Training that goes on where it was interrupted."""

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from skorch.callbacks import Callback
from skorch.history import History

from serkit.training._data import UtteranceData

__all__ = ["Checkpoint"]


class Checkpoint(Callback):
    """Save the state of training every few epochs, and go on from it.

    A training that begins with the same weights, settings and utterances as one
    that was interrupted goes on from its last checkpoint, and ends with the
    weights that it would have had without the interruption. Each training has
    a file of its own, so the folds and candidates of a search may share a
    folder. The file is deleted when training is complete.

    Of other callbacks only those that have ``state_dict`` and
    ``load_state_dict`` are restored.

    Parameters
    ----------
    folder : path-like
        Where the files are written; it is made if necessary.
    every : int, default=10
        Number of epochs between checkpoints.

    Examples
    --------
    >>> from serkit.neural_network import CRNNClassifier
    >>> from serkit.training import Checkpoint
    >>> CRNNClassifier(callbacks=[Checkpoint("checkpoints", every=5)])
    CRNNClassifier(callbacks=[...])
    """

    def __init__(self, folder: str | os.PathLike, every: int = 10) -> None:
        self.folder = folder
        self.every = every

    def on_train_begin(self, net, X=None, **_):
        """Look for a checkpoint of this training, and load it."""
        self._file = Path(self.folder) / f"{_fingerprint(net, X)}.pt"
        if not self._file.exists():
            return
        state = torch.load(self._file, map_location=net.device, weights_only=True)
        net.module_.load_state_dict(state["network"])
        net.optimizer_.load_state_dict(state["optimizer"])
        net.history = History(state["history"])
        net.n_steps_ = state["n_steps"]
        torch.set_rng_state(state["random_state"].cpu())
        for name, callback_state in state["callbacks"].items():
            dict(net.callbacks_)[name].load_state_dict(callback_state)

    def on_epoch_end(self, net, **_):
        """Save, if it is time."""
        if (net.epoch_ + 1) % self.every or net.stopped_:
            return
        state = {
            "network": net.module_.state_dict(),
            "optimizer": net.optimizer_.state_dict(),
            "history": list(net.history),
            "n_steps": net.n_steps_,
            "random_state": torch.get_rng_state(),
            "callbacks": {
                name: callback.state_dict()
                for name, callback in net.callbacks_
                if hasattr(callback, "state_dict")
            },
        }
        self._file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._file.with_suffix(f".{os.getpid()}.tmp")
        torch.save(state, unfinished)
        unfinished.replace(self._file)

    def on_train_end(self, net, **_):
        """Delete the checkpoint of the completed training."""
        self._file.unlink(missing_ok=True)


def _fingerprint(net: Any, data: tuple[UtteranceData, UtteranceData | None]) -> str:
    """Digest everything that decides how training goes."""
    digest = hashlib.sha256()
    settings = {name: net.get_params_for(name) for name in ("optimizer", "criterion")}
    objective = {name: value for name, value in vars(net.criterion_).items() if name[0] != "_"}
    callbacks = [
        (name, sorted((key, repr(value)) for key, value in callback.get_params(deep=False).items()))
        for name, callback in net.callbacks_
    ]
    for part in (
        net.max_epochs, net.batch_size, net.lr, net.seed, net.mixed_precision, net.frozen,
        repr(net.augment), net.optimizer_, net.module_, settings, objective, callbacks,
    ):  # fmt: skip
        digest.update(repr(part).encode())
    for name, value in net.module_.state_dict().items():
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(value.detach().cpu().numpy()).tobytes())
    for part in data:
        if part is not None:
            part.update_digest(digest)
    return digest.hexdigest()[:32]
