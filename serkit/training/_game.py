"""Training in which networks move in turns, each by a loss of its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.optim import Optimizer
from tqdm.auto import tqdm

__all__ = ["Batch", "GameStep", "play"]

#: Epochs over which losses are averaged before they are compared.
_WINDOW = 10
#: Weights beyond it belong to a training that has diverged.
_LARGE = 1e4


@dataclass
class Batch:
    """Rows of a minibatch, and what one step computes of them for the next.

    Parameters
    ----------
    x : Tensor of shape (n_rows, n_features)
        The rows.
    classes : Tensor of shape (n_rows, n_classes)
        Their classes, one-hot.
    shared : dict of str to Tensor
        What a step leaves for the steps after it.
    """

    x: Tensor
    classes: Tensor
    shared: dict[str, Tensor] = field(default_factory=dict)


@dataclass
class GameStep:
    """A move in the game: a loss, and the optimizer of the weights that it may change.

    Parameters
    ----------
    name : str
        What the step is called in messages.
    losses : callable
        From a :class:`Batch` to the losses by name, whose sum is minimised.
    optimizer : Optimizer
        Of the weights that the step changes; no others get a gradient.
    rates : str
        The learning rate in words, for messages.
    n_times : int, default=1
        How often the step is taken for every minibatch.
    weights : dict of str to float
        Factors of losses in the sum; those that are not named have 1.
    """

    name: str
    losses: Callable[[Batch], dict[str, Tensor]]
    optimizer: Optimizer
    rates: str = ""
    n_times: int = 1
    weights: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.moved = [w for group in self.optimizer.param_groups for w in group["params"]]

    def take(self, batch: Batch) -> dict[str, Tensor]:
        """Move once.

        Parameters
        ----------
        batch : Batch
            The rows.

        Returns
        -------
        losses : dict of str to Tensor
            The losses before the move.

        Raises
        ------
        FloatingPointError
            If a loss is no number; then nothing has moved.
        """
        losses = self.losses(batch)
        total = torch.stack([self.weights.get(name, 1.0) * loss for name, loss in losses.items()])
        total = total.sum()
        if not total.isfinite():
            raise FloatingPointError(f"a loss of the step {self.name!r} is no number")
        self.optimizer.zero_grad()
        total.backward(inputs=self.moved)
        self.optimizer.step()
        return {name: loss.detach() for name, loss in losses.items()}


def play(
    steps: Sequence[GameStep],
    x: Tensor,
    classes: Tensor,
    *,
    valid: tuple[Tensor, Tensor] | None = None,
    batch_size: int = 32,
    max_epochs: int = 200,
    max_updates: int | None = None,
    tol: float | None = None,
    n_iter_no_change: int = 20,
    score: Callable[[], dict[str, float]] | None = None,
    verbose: int = 0,
    description: str = "",
) -> pd.DataFrame:
    """Let every step be taken for every minibatch, in order.

    Parameters
    ----------
    steps : sequence of GameStep
        The moves.
    x : Tensor of shape (n_rows, n_features)
        The training rows.
    classes : Tensor of shape (n_rows, n_classes)
        Their classes, one-hot.
    valid : tuple of (x, classes) or None, default=None
        Rows on which all losses are computed after every epoch, and nothing is
        learnt.
    batch_size : int, default=32
        Rows of a minibatch.
    max_epochs : int, default=200
        Passes over the rows.
    max_updates : int or None, default=None
        Number of minibatches, instead of `max_epochs`.
    tol : float or None, default=None
        Stop when no loss, averaged over ten epochs, has changed by this share
        within `n_iter_no_change` epochs; ``None`` never stops.
    n_iter_no_change : int, default=20
        See `tol`.
    score : callable or None, default=None
        Called after every epoch; the values it returns go into the history.
    verbose : int, default=0
        A bar at 1, a line per epoch above.
    description : str, default=""
        What is trained.

    Returns
    -------
    history : DataFrame
        A row per epoch: ``epoch``, ``n_updates`` so far, the mean of every loss,
        and as ``valid_…`` those on the rows of `valid`.

    Raises
    ------
    FloatingPointError
        If training diverges; the message names the step and its rate.
    """
    n_batches = -(-len(x) // batch_size)
    if max_updates is not None:
        max_epochs = -(-max_updates // n_batches)
    n_left = n_batches * max_epochs if max_updates is None else max_updates
    history: list[dict[str, float]] = []
    bar = tqdm(total=max_epochs, desc=description, unit="epoch", disable=verbose < 1)
    with bar:
        for epoch in range(max_epochs):
            n_updates = min(n_batches, n_left)
            row: dict[str, float] = {"epoch": epoch, "n_updates": n_updates + epoch * n_batches}
            row |= _epoch(steps, x, classes, batch_size, n_updates, before=epoch * n_batches)
            n_left -= n_updates
            if valid is not None:
                row |= {f"valid_{name}": value for name, value in _losses(steps, *valid).items()}
            if score is not None:
                row |= score()
            history.append(row)
            bar.set_postfix({name: f"{value:.3f}" for name, value in _shown(row)})
            bar.update()
            if verbose > 1:
                text = ", ".join(f"{name} {value:.3f}" for name, value in _shown(row))
                bar.write(f"{description}: epoch {epoch + 1}, {text}")
            if tol is not None and _has_converged(history, tol, n_iter_no_change):
                break
    return pd.DataFrame(history)


def _epoch(
    steps: Sequence[GameStep],
    x: Tensor,
    classes: Tensor,
    batch_size: int,
    n_updates: int,
    *,
    before: int,
) -> dict[str, float]:
    """Take the steps for every minibatch of an epoch; return the mean losses."""
    losses: dict[str, list[Tensor]] = {}
    turns = [step for step in steps for _ in range(step.n_times)]
    order = torch.randperm(len(x), device=x.device)
    for update, rows in enumerate(order.split(batch_size)[:n_updates], start=before + 1):
        batch = Batch(x[rows], classes[rows])
        for number, step in enumerate(turns):
            try:
                found = step.take(batch)
            except FloatingPointError:
                _raise_divergence([*turns[number:], *turns[:number]], update)
            for name, loss in found.items():
                losses.setdefault(name, []).append(loss)
    if not all(weight.isfinite().all() for step in steps for weight in step.moved):
        _raise_divergence(turns, update)  # the last move shows in no loss
    return {f"{name}_loss": torch.stack(values).mean().item() for name, values in losses.items()}


def _raise_divergence(turns: Sequence[GameStep], update: int) -> NoReturn:
    """Blame the step that moves what has grown and nothing else, or the one that noticed."""
    grown = {id(weight) for step in turns for weight in step.moved if _has_grown(weight)}

    def guilt(step: GameStep) -> float:
        moved = set(map(id, step.moved))
        return len(moved & grown) / len(moved | grown)

    culprit = max(turns, key=guilt)
    others = {
        f"the step {step.name!r} ({step.rates})": None
        for step in turns
        if step.name != culprit.name and grown & set(map(id, step.moved))
    }
    hint = f" Some of them are moved by {' and '.join(others)} too." if others else ""
    raise FloatingPointError(
        f"training diverged in update {update}: the weights that the step {culprit.name!r} moves "
        f"have grown beyond measure.{hint} Lower {culprit.rates} or the momentum, or scale the "
        "features"
    ) from None


def _has_grown(weight: Tensor) -> bool:
    return not weight.detach().abs().max() < _LARGE


@torch.no_grad()
def _losses(steps: Sequence[GameStep], x: Tensor, classes: Tensor) -> dict[str, float]:
    """Return all losses on some rows; training draws the same numbers with and without."""
    devices = [x.device] if x.device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        torch.manual_seed(0)
        batch = Batch(x, classes)
        found = {name: loss for step in steps for name, loss in step.losses(batch).items()}
    return {f"{name}_loss": loss.item() for name, loss in found.items()}


def _shown(row: dict[str, float]) -> list[tuple[str, float]]:
    return [(name, value) for name, value in row.items() if name not in ("epoch", "n_updates")]


def _has_converged(history: list[dict[str, float]], tol: float, n_iter_no_change: int) -> bool:
    """Say whether all losses stay where they were `n_iter_no_change` epochs ago."""
    if len(history) < _WINDOW + n_iter_no_change:
        return False
    losses = pd.DataFrame(history).filter(regex="^(?!valid_).*_loss$")
    now = losses[-_WINDOW:].mean()
    then = losses[-_WINDOW - n_iter_no_change : -n_iter_no_change].mean()
    return bool(np.all(np.abs(now - then) < tol * np.abs(then)))
