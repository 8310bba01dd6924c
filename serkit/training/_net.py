"""The skorch net that every neural estimator owns."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet
from torch import Tensor, nn

from serkit.modules import find_part, mask_frames
from serkit.training._data import BatchLoader, UtteranceData, to_device
from serkit.utils import describe_estimator

__all__ = ["OPTIMIZERS", "UtteranceNet"]

#: Optimizers by name. Fused they cost a quarter, which is half the time of a small network.
OPTIMIZERS: dict[Any, Callable] = {
    "adam": partial(torch.optim.Adam, fused=True),
    "adamw": partial(torch.optim.AdamW, fused=True),
    "nadam": torch.optim.NAdam,
    "sgd": partial(torch.optim.SGD, momentum=0.9, fused=True),
    "rmsprop": torch.optim.RMSprop,
}

Batch = tuple[dict[str, Tensor], dict[str, Tensor]]


class UtteranceNet(NeuralNet):
    """A skorch net that trains on utterances, with an objective for its criterion.

    It differs from its base in four ways: batches come from tensors in memory;
    the objective sees the network and the progress of training; what the
    objective returns beside the loss is recorded; an interruption by the user is
    not mistaken for the end of training.

    Parameters
    ----------
    module : Module
        The network, ready to be trained.
    criterion : Module
        An objective such as :class:`ClassificationObjective`.
    seed : int or None, default=None
        Seed of the order of batches.
    augment : callable or None, default=None
        Applied to every training batch: takes the padded utterances, their
        lengths (``None`` if nothing is padded) and a `torch.Generator`, and
        returns the utterances.
    mixed_precision : bool, default=False
        Compute in bfloat16 where torch deems it safe.
    frozen : tuple of str, default=()
        Stages of the network that are not trained: their weights and batch
        statistics stay and they drop nothing.
    **options : object
        As of :class:`skorch.NeuralNet`.

    Examples
    --------
    >>> import numpy as np, torch
    >>> from serkit.training import ClassificationObjective, UtteranceData, UtteranceNet
    >>> data = UtteranceData(np.eye(4), y=[0, 1, 0, 1])
    >>> class Linear(torch.nn.Linear):
    ...     def forward(self, x):
    ...         return super().forward(x)
    >>> net = UtteranceNet(Linear(4, 2), ClassificationObjective(), max_epochs=3)
    >>> net = net.fit((data, None))
    >>> len(net.history)
    3
    """

    module: nn.Module | type[nn.Module]
    module_: Any  # a Module with `stages`

    def __init__(
        self,
        module: nn.Module,
        criterion: nn.Module,
        *,
        seed: int | None = None,
        augment: Any = None,
        mixed_precision: bool = False,
        frozen: tuple[str, ...] = (),
        **options: Any,
    ) -> None:
        self.seed = seed
        self.augment = augment
        self.mixed_precision = mixed_precision
        self.frozen = frozen
        super().__init__(module, criterion=criterion, **options)

    @property
    def _default_callbacks(self):
        return []

    @property
    def progress(self) -> float:
        """Share of the steps of this fit that are done, in [0, 1)."""
        return self.n_steps_ / self.n_steps_total_

    def initialize_module(self) -> "UtteranceNet":
        """Take the network as it is; the parameter keeps its class only.

        Returns
        -------
        self : UtteranceNet
        """
        if isinstance(self.module, nn.Module):
            self.module_ = self.module
            # Two references would become two copies when the net is pickled.
            self.module = type(self.module)
            for stage in self.frozen:
                find_part(self.module_, stage).requires_grad_(False)
            # So that the first step of training sets the mode, which leaves frozen stages alone.
            self.module_.eval()
        return self

    def partial_fit(self, X: Any, y: Any = None, classes: Any = None, **_: Any) -> "UtteranceNet":
        """Train, going on from where the network is.

        Parameters
        ----------
        X : tuple of (UtteranceData, UtteranceData or None)
            Training and validation utterances.
        y, classes : None
            Ignored.
        **_ : object
            Ignored.

        Returns
        -------
        self : UtteranceNet
        """
        if not self.initialized_:
            self.initialize()
        # skorch would end training silently when the user interrupts it.
        train, valid = X
        seed = self.seed or 0
        loader = BatchLoader(train, self.batch_size, seed=seed)
        valid_loader = None if valid is None else BatchLoader(valid, self.batch_size)
        self.stopped_ = False
        self.n_steps_, self.n_steps_total_ = 0, self.max_epochs * len(loader)
        self.generator_ = torch.Generator()
        self.notify("on_train_begin", X=X, y=None)
        data = {"dataset_train": train, "dataset_valid": valid}
        for epoch in range(self.n_steps_ // len(loader), self.max_epochs):
            self.epoch_ = loader.epoch = epoch
            self.generator_.manual_seed(int(np.random.default_rng([seed, epoch]).integers(2**62)))
            self.notify("on_epoch_begin", **data)
            self.run_single_epoch(loader, training=True, prefix="train", step_fn=self.train_step)
            self.run_single_epoch(
                valid_loader, training=False, prefix="valid", step_fn=self.validation_step
            )
            try:
                self.notify("on_epoch_end", **data)
            except KeyboardInterrupt:  # how callbacks of skorch end training
                self.stopped_ = True
            if self.stopped_:
                break
        self.notify("on_train_end", X=X, y=None)
        self.optimizer_ = None  # twice the weights, and of no use any more
        self.module_.zero_grad(set_to_none=True)  # as much again
        return self

    def run_single_epoch(
        self,
        iterator: Iterable[Batch] | None,
        training: bool,
        prefix: str,
        step_fn: Callable[[Batch], dict[str, Any]],
        **_: Any,
    ) -> None:
        """Go once through the utterances; the base's way costs a small network some percent.

        Parameters
        ----------
        iterator : iterable or None
            The batches; nothing is done without.
        training : bool
            The network is trained.
        prefix : str
            Beginning of the names of recorded values.
        step_fn : callable
            What is done with a batch.
        **_ : object
            Ignored.
        """
        for batch in iterator or ():
            self.notify("on_batch_begin", batch=batch, training=training)
            step = step_fn(batch)
            self.history.record_batch(f"{prefix}_loss", step["loss"].item())
            self.history.record_batch(f"{prefix}_batch_size", len(batch[1]["y"]))
            self.notify("on_batch_end", batch=batch, training=training, **step)

    def train_step_single(self, batch: Any, **_: Any) -> dict[str, Any]:
        """Compute the loss of a batch and its gradients.

        Parameters
        ----------
        batch : tuple of dict
            Inputs and targets.
        **_ : object
            Ignored.

        Returns
        -------
        step : dict
            "loss" and "y_pred".
        """
        self._set_training(True)
        inputs, targets = batch
        if self.augment is not None:
            lengths = inputs.get("lengths")
            augmented = self.augment(inputs["x"], lengths, self.generator_)
            inputs["x"] = mask_frames(augmented, lengths)
        output, parts = self._train_on(inputs, targets)
        parts["loss"].backward()
        self._record(parts)
        self.n_steps_ += 1
        return {"loss": parts["loss"].detach(), "y_pred": output.detach()}

    def validation_step(self, batch: Any, **_: Any) -> dict[str, Any]:
        """Compute the loss of a batch.

        Parameters
        ----------
        batch : tuple of dict
            Inputs and targets.
        **_ : object
            Ignored.

        Returns
        -------
        step : dict
            "loss" and "y_pred".
        """
        self._set_training(False)
        with torch.no_grad():
            output, parts = self._evaluate(*batch)
        self._record({_validated(name): value for name, value in parts.items()})
        return {"loss": parts["loss"], "y_pred": output}

    def _record(self, parts: dict[str, Tensor]) -> None:
        """Record what the objective has returned beside the loss."""
        for name, value in parts.items():
            if name not in ("loss", "valid_loss"):
                self.history.record_batch(name, value.item())

    def _set_training(self, training: bool = True) -> None:
        if self.module_.training is training:
            return  # To go through all modules at every step costs as much as a small network.
        super()._set_training(training)
        for stage in self.frozen:
            for part in find_part(self.module_, stage).eval().modules():
                if isinstance(part, nn.RNNBase):  # on a GPU it has a gradient in training mode only
                    part.train(training)

    def _train_on(
        self, inputs: dict[str, Tensor], targets: dict[str, Tensor]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        try:
            return self._evaluate(inputs, targets)
        except ValueError as error:
            if "more than 1 value per channel" not in str(error):
                raise
            raise ValueError(
                f"batch_size={self.batch_size}: the network normalises by the variance of a batch, "
                "which a single utterance has not; set batch_size to 2 or more"
            ) from error

    def _evaluate(
        self, inputs: dict[str, Tensor], targets: dict[str, Tensor]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        device = torch.device(self.device)
        inputs, targets = to_device(inputs, device), to_device(targets, device)
        with self._autocast():
            return self.criterion_(self.module_, inputs, targets, self.progress)

    def _autocast(self) -> AbstractContextManager:
        if not self.mixed_precision:
            return nullcontext()
        return torch.autocast(torch.device(self.device).type, torch.bfloat16)

    def infer_batches(self, data: UtteranceData, *, function: Any = None) -> list[tuple]:
        """Apply the network, or a function, to all utterances, in batches of similar length.

        Parameters
        ----------
        data : UtteranceData
            The utterances.
        function : callable or None, default=None
            Called with the inputs of a batch instead of the network.

        Returns
        -------
        outputs : list of (ndarray of int, object)
            The rows of a batch and what the function returned for it.
        """
        self._set_training(False)
        device = torch.device(self.device)
        function = self.module_ if function is None else function
        with torch.inference_mode(), self._autocast():
            return [
                (rows, function(**to_device(data.batch(rows)[0], device)))
                for rows in BatchLoader(data, self.batch_size).rows(0)
            ]


def _validated(name: str) -> str:
    """Return the name under which a value of validation utterances is recorded."""
    return name if name.startswith("valid_") else f"valid_{name}"


@describe_estimator.register
def _(net: UtteranceNet) -> Any:
    """Describe what a net computes; the bytes of its pickle differ from one to an equal one."""
    return [describe_estimator(type(net)), describe_estimator(vars(net).get("module_", net.module))]
