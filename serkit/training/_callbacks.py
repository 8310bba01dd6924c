"""What happens at the end of an epoch: scores, the best epoch, progress, schedules, mixing."""

from typing import Any

import numpy as np
import torch
from skorch.callbacks import Callback
from torch import Tensor
from tqdm.auto import tqdm

from serkit.metrics import uar_score
from serkit.training._objectives import NO_SPEAKER

__all__ = ["BestEpoch", "EpochSummary", "ExponentialDecay", "Mixup", "ProgressBar"]


class EpochSummary(Callback):
    """Record the mean of every batch value, and UAR on the validation utterances, per epoch.

    Parameters
    ----------
    uar : bool, default=True
        The outputs are logits of classes.
    """

    _outputs: list[Tensor]
    _targets: list[dict[str, Tensor]]

    def __init__(self, uar: bool = True) -> None:
        self.uar = uar

    def on_epoch_begin(self, net, **_):
        """Forget the outputs of the epoch before."""
        self._outputs, self._targets = [], []

    def on_batch_end(self, net, batch, training, y_pred=None, **_):
        """Record how much the batch weighs, and keep the outputs on validation utterances."""
        targets = batch[1]
        weight = targets["weight"].sum().item() if "weight" in targets else len(targets["y"])
        net.history.record_batch("train_weight" if training else "valid_weight", weight)
        if "speaker" in targets:
            net.history.record_batch("speakers_known", (targets["speaker"] >= 0).sum().item())
        if not training and (self.uar or not _is_mean(net)):
            self._outputs.append(y_pred.cpu())
            self._targets.append({k: v for k, v in targets.items() if k in ("y", "weight")})

    def on_epoch_end(self, net, **_):
        """Record the values of the epoch."""
        batches = net.history[-1, "batches"]
        train = [row for row in batches if "train_loss" in row]
        for name in _values(train):
            weight = "speakers_known" if name.startswith("speaker_") else "train_weight"
            net.history.record(name, _mean(train, name, weight))
        valid = [row for row in batches if "valid_loss" in row]
        for name in _values(valid):
            net.history.record(name, _mean(valid, name, "valid_weight"))
        if valid and not _is_mean(net):  # the loss of all utterances at once
            net.history.record("valid_loss", float(net.criterion_.loss(*self._validated())))
        if not np.isfinite(net.history[-1, "train_loss"]):
            raise FloatingPointError(
                f"training diverged in epoch {net.epoch_ + 1}: the loss is no number any more. "
                f"Lower the learning rate (lr={net.lr}), or scale the features"
            )
        if self.uar and self._outputs:
            net.history.record("valid_uar", self._valid_uar())
        net.history.record("lr", net.optimizer_.param_groups[0]["lr"])

    def _validated(self) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the outputs on all validation utterances, and their targets."""
        names = self._targets[0]
        targets = {name: torch.cat([batch[name] for batch in self._targets]) for name in names}
        return torch.cat(self._outputs), targets

    def _valid_uar(self) -> float:
        outputs, targets = self._validated()
        weight = targets.get("weight", torch.ones(len(outputs)))
        counted = weight > 0
        return uar_score(
            targets["y"][counted].numpy(),
            outputs[counted].argmax(1).numpy(),
            sample_weight=weight[counted].numpy() if "weight" in targets else None,
        )


def _is_mean(net: Any) -> bool:
    """Say whether the loss of many utterances is the mean of the losses of batches."""
    return getattr(net.criterion_, "is_mean", True)


def _values(rows: list[dict]) -> list[str]:
    """Return the names of what batches have recorded, without how much they weigh."""
    names = {name for row in rows[:1] for name in row}
    return sorted(name for name in names if not name.endswith(("_weight", "_size", "_known")))


def _mean(rows: list[dict], name: str, weight: str) -> float:
    """Return the mean of a value over batches that weigh differently."""
    weights = [row[weight] for row in rows]
    return float(np.average([row[name] for row in rows], weights=weights if any(weights) else None))


class BestEpoch(Callback):
    """Keep the weights of the epoch with the best validation score, and stop when none follows.

    The earliest of equal epochs wins. Without validation utterances the last
    epoch stays.

    Parameters
    ----------
    monitor : str, default="valid_uar"
        Name in the history.
    lower_is_better : bool, default=False
        The score is a loss.
    patience : int or None, default=None
        Number of epochs without improvement after which training ends; ``None``
        goes on to the last epoch.
    """

    epoch_: int
    score_: float
    weights_: dict[str, Tensor] | None

    def __init__(
        self,
        monitor: str = "valid_uar",
        *,
        lower_is_better: bool = False,
        patience: int | None = None,
    ) -> None:
        self.monitor = monitor
        self.lower_is_better = lower_is_better
        self.patience = patience

    def on_train_begin(self, net, **_):
        """Forget an earlier training."""
        self.epoch_, self.score_, self.weights_ = -1, -np.inf, None

    def on_epoch_end(self, net, dataset_valid=None, **_):
        """Compare the epoch with the best so far."""
        if dataset_valid is None:
            return
        score = net.history[-1, self.monitor]
        score = -score if self.lower_is_better else score
        improved = score > self.score_
        net.history.record("best", bool(improved))
        if improved:
            self.epoch_, self.score_ = net.epoch_, score
            self.weights_ = None  # so that there are never two copies
            self.weights_ = {
                name: value.clone() for name, value in net.module_.state_dict().items()
            }
        elif self.patience is not None and net.epoch_ - self.epoch_ >= self.patience:
            net.stopped_ = True

    def on_train_end(self, net, **_):
        """Put the best weights back."""
        if self.weights_ is not None:
            net.module_.load_state_dict(self.weights_)
            self.weights_ = None

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps.

        Returns
        -------
        state : dict
        """
        return {"epoch": self.epoch_, "score": float(self.score_), "weights": self.weights_}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint.

        Parameters
        ----------
        state : dict
            As `state_dict` has returned it.
        """
        self.epoch_, self.score_ = state["epoch"], state["score"]
        self.weights_ = state["weights"]


class ExponentialDecay(Callback):
    """Multiply the learning rate by a constant factor after every epoch, down to a floor.

    Parameters
    ----------
    rate : float, default=0.95
        The factor.
    floor : float, default=0.0
        The least learning rate; one that begins below it stays.

    Examples
    --------
    >>> from serkit.neural_network import MLPClassifier
    >>> from serkit.training import ExponentialDecay
    >>> MLPClassifier(lr=1e-3, callbacks=[ExponentialDecay(0.9, floor=1e-4)])
    MLPClassifier(callbacks=[...])
    """

    def __init__(self, rate: float = 0.95, floor: float = 0.0) -> None:
        self.rate = rate
        self.floor = floor

    def on_epoch_begin(self, net, **_):
        """Set the learning rate of the epoch."""
        floor = min(self.floor, net.lr)
        for group in net.optimizer_.param_groups:
            group["lr"] = max(floor, net.lr * self.rate**net.epoch_)


class Mixup(Callback):
    """Train on mixtures of two utterances and of their targets.

    Every utterance of a batch is mixed with another one of the batch. The share
    of the first is drawn per batch from a Beta distribution. Of two utterances
    of unequal length the shorter is silent behind its end. A mixture of two
    speakers counts as one of none, so the more speakers there are the less is
    left of domain-adversarial training.

    Parameters
    ----------
    alpha : float, default=0.2
        Both parameters of the Beta distribution; the larger, the more alike are
        the shares.

    References
    ----------
    Zhang et al., "mixup: Beyond Empirical Risk Minimization", ICLR 2018.

    Examples
    --------
    >>> from serkit.neural_network import CRNNClassifier
    >>> from serkit.training import Mixup
    >>> CRNNClassifier(callbacks=[Mixup(0.4)])
    CRNNClassifier(callbacks=[...])
    """

    def __init__(self, alpha: float = 0.2) -> None:
        self.alpha = alpha

    def on_batch_begin(self, net, batch, training, **_):
        """Mix the batch."""
        if not training:
            return
        inputs, targets = batch
        seed = torch.randint(2**62, (), generator=net.generator_).item()
        rng = np.random.default_rng(seed)
        share = float(rng.beta(self.alpha, self.alpha))
        other = torch.from_numpy(rng.permutation(len(targets["y"])))
        inputs["x"] = share * inputs["x"] + (1 - share) * inputs["x"][other]
        if "lengths" in inputs:
            inputs["lengths"] = torch.maximum(inputs["lengths"], inputs["lengths"][other])
        if "speaker" in targets:
            speaker = targets["speaker"]
            targets["speaker"] = torch.where(speaker == speaker[other], speaker, NO_SPEAKER)
        mixed = {
            f"mixed_{name}": targets[name][other] for name in ("y", "weight") if name in targets
        }
        targets.update(mixed, share=torch.tensor(share))


class ProgressBar(Callback):
    """Show how far training is: a bar at verbose=1, a line per epoch above.

    Parameters
    ----------
    verbose : int, default=1
        Nothing is shown at zero.
    description : str, default=""
        What is trained.
    """

    def __init__(self, verbose: int = 1, description: str = "") -> None:
        self.verbose = verbose
        self.description = description

    def on_train_begin(self, net, **_):
        """Begin to show."""
        self._bar = tqdm(
            total=net.max_epochs,
            initial=net.n_steps_ * net.max_epochs // net.n_steps_total_,
            desc=self.description,
            unit="epoch",
            disable=self.verbose < 1,
        )

    def on_epoch_end(self, net, **_):
        """Show the values of the epoch."""
        names = ("train_loss", "valid_loss", "valid_uar", "speaker_accuracy")
        row = net.history[-1]
        values = {name: f"{row[name]:.3f}" for name in names if name in row}
        self._bar.set_postfix(values)
        self._bar.update()
        if self.verbose > 1:
            text = ", ".join(f"{name} {value}" for name, value in values.items())
            self._bar.write(f"{self.description}: epoch {net.epoch_ + 1}, {text}")

    def on_train_end(self, net, **_):
        """End the bar."""
        self._bar.close()
        del self._bar
