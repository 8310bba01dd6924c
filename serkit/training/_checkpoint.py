"""Training that goes on where it was interrupted."""

import hashlib
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from skorch.callbacks import Callback
from skorch.history import History

from serkit.training._callbacks import ProgressBar
from serkit.training._data import UtteranceData
from serkit.utils import describe_estimator, estimator_digest, source_digest

__all__ = ["Checkpoint"]


class Checkpoint(Callback):
    """Save the state of training every few epochs, and go on from it.

    A training that begins with the same weights, settings and utterances as one
    that was interrupted goes on from its last checkpoint, and ends with the
    weights that it would have had without the interruption. Each training has
    a file of its own, so the folds and candidates of a search may share a
    folder. The file is deleted when training is complete.

    Of other callbacks only those that have ``state_dict`` and
    ``load_state_dict`` are restored, and they have to stand before this one.

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
        state = _load(self._file, net.device) if self._file.exists() else None
        if state is None:
            return
        net.module_.load_state_dict(state["network"])
        net.optimizer_.load_state_dict(state["optimizer"])
        net.history = History(state["history"])
        net.n_steps_ = state["n_steps"]
        _set_random_states(state["random_states"])
        for name, callback_state in state["callbacks"].items():
            dict(net.callbacks_)[name].load_state_dict(callback_state)

    def on_epoch_end(self, net, **_):
        """Save, if it is time."""
        if (net.epoch_ + 1) % self.every or net.stopped_:
            return
        state = {
            "network": net.module_.state_dict(),
            "optimizer": net.optimizer_.state_dict(),
            "history": _plain(net.history),
            "n_steps": net.n_steps_,
            "random_states": _random_states(net.device),
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


def _load(file: Path, device: str) -> dict[str, Any] | None:
    """Return what a file holds, or nothing if it is damaged."""
    try:
        return torch.load(file, map_location=device, weights_only=True)
    except Exception as error:  # whatever torch trips over
        warnings.warn(
            f"the checkpoint {file} cannot be read ({type(error).__name__}): it is damaged, or the "
            "state of a callback holds more than tensors, numbers and strings. Training begins "
            "anew",
            UserWarning,
            stacklevel=2,
        )
        return None


def _plain(value: Any) -> Any:
    """Turn NumPy's numbers into Python's; torch reads no others back."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return value.item() if isinstance(value, np.generic) else value


def _random_states(device: str) -> dict[str, torch.Tensor]:
    states = {"cpu": torch.get_rng_state()}
    if torch.device(device).type == "cuda":
        states[device] = torch.cuda.get_rng_state(device)
    return states


def _set_random_states(states: dict[str, torch.Tensor]) -> None:
    for device, state in states.items():
        if device == "cpu":
            torch.set_rng_state(state.cpu())
        else:
            torch.cuda.set_rng_state(state.cpu(), device)


@describe_estimator.register
def _(checkpoint: Checkpoint) -> str:
    # Where and how often the state is saved does not change what is learnt.
    return "Checkpoint"


def _fingerprint(net: Any, data: tuple[UtteranceData, UtteranceData | None]) -> str:
    """Digest everything that decides how training goes."""
    callbacks = [
        (name, type(callback), callback.get_params(deep=False))
        for name, callback in net.callbacks_
        if not isinstance(callback, Checkpoint | ProgressBar)
    ]
    decisive = [
        source_digest("modules", "training"), torch.__version__,
        net.max_epochs, net.batch_size, net.lr, net.seed, net.mixed_precision, net.frozen,
        net.augment, net.optimizer, repr(net.optimizer_), net.module_, net.criterion_, callbacks,
    ]  # fmt: skip
    digest = hashlib.sha256(estimator_digest(decisive).encode())
    for part in data:
        if part is not None:
            part.update_digest(digest)
    return digest.hexdigest()[:32]
