"""Training that keeps away from what another network has learnt."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from serkit.modules import AntiTransferLoss, FeatureMap, FeatureTap, gram_matrix
from serkit.training._data import BatchLoader, UtteranceData, to_device

__all__ = ["AntiTransferObjective"]


class AntiTransferObjective(nn.Module):
    """Any objective, and the likeness of feature maps to those of a reference.

    Called as the objective inside it. It records "train_at_loss" or
    "valid_at_loss", and if there are several layers also "train_at_loss_1" and
    the like.

    Parameters
    ----------
    objective : Module
        What is minimised besides, such as :class:`ClassificationObjective`.
    reference : Module
        The network to keep away from, which gets what the trained one gets. It
        is neither trained nor part of the state of this module.
    layers : int, str or sequence of these
        Where the two are compared, as of :class:`~serkit.modules.FeatureTap`.
        The losses of several are added.
    position : {"activation", "convolution", "input"}, default="activation"
        Where at a convolution.
    loss : AntiTransferLoss or None, default=None
        How they are compared; ``None`` is the default of
        :class:`~serkit.modules.AntiTransferLoss`.

    Raises
    ------
    ValueError
        If the reference has no such layer, or the loss of the objective inside is
        not the mean of those of its batches.

    See Also
    --------
    serkit.neural_network.AntiTransferClassifier : Trains by it.

    References
    ----------
    Guizzo, Weyde and Tarroni, "Anti-transfer learning for task invariance in
    convolutional neural networks for speech processing", Neural Networks 142, 2021.

    Examples
    --------
    >>> import copy, torch
    >>> from torch import nn
    >>> from serkit.training import AntiTransferObjective, ClassificationObjective
    >>> layers = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten())
    >>> reference = copy.deepcopy(layers).eval().requires_grad_(False)
    >>> objective = AntiTransferObjective(ClassificationObjective(), reference, 1)
    >>> inputs, targets = {"input": torch.ones(1, 1, 3, 3)}, {"y": torch.tensor([0])}
    >>> output, parts = objective(layers, inputs, targets, 0.0)
    >>> sorted(parts)
    ['loss', 'train_at_loss']
    """

    def __init__(
        self,
        objective: nn.Module,
        reference: nn.Module,
        layers: int | str | Iterable[int | str],
        *,
        position: str = "activation",
        loss: AntiTransferLoss | None = None,
    ) -> None:
        super().__init__()
        if not getattr(objective, "is_mean", True):
            raise ValueError(
                f"the loss of {type(objective).__name__} on all utterances is not the mean of "
                "those of batches, so that no likeness can be added to it: take an objective with "
                "is_mean=True"
            )
        self.objective = objective
        self.layers = FeatureTap(reference, layers, position=position).layers
        self.position = position
        self.loss = AntiTransferLoss() if loss is None else loss
        # In a tuple it is no part of the module: nobody trains it, moves it or sets its mode.
        self._reference = (reference,)

    def forward(
        self,
        network: nn.Module,
        inputs: dict[str, Tensor],
        targets: dict[str, Tensor],
        progress: float,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Evaluate the objective on a batch.

        Parameters
        ----------
        network : Module
            The network that is trained.
        inputs : dict of str to Tensor
            What it gets.
        targets : dict of str to Tensor
            What the objective inside takes, and what :meth:`grams` has returned
            for these utterances, if it has been asked.
        progress : float
            Share of the training that is done, in [0, 1).

        Returns
        -------
        output : Tensor
            That of the network.
        parts : dict of str to Tensor
            Those of the objective inside; the losses are added to "loss".
        """
        with FeatureTap(network, self.layers, position=self.position) as tap:
            output, parts = self.objective(network, inputs, targets, progress)
        trained = tap.take()
        names = self._gram_names()
        if names.keys() <= targets.keys():
            known = {layer: targets[name] for name, layer in names.items()}
        else:
            known = {layer: found.values for layer, found in self.reference_maps(inputs).items()}
        losses = {
            layer: self.loss(values, known[layer], lengths)
            for layer, (values, lengths) in trained.items()
        }
        total = torch.stack(list(losses.values())).sum()
        name = "train_at_loss" if network.training else "valid_at_loss"
        recorded = {name: total.detach()}
        if len(losses) > 1:
            recorded |= {f"{name}_{layer}": loss.detach() for layer, loss in losses.items()}
        return output, {**parts, "loss": parts["loss"] + total, **recorded}

    def reference_maps(self, inputs: dict[str, Tensor]) -> dict[int | str, FeatureMap]:
        """Return what the reference makes of a batch, as far as the last layer.

        Parameters
        ----------
        inputs : dict of str to Tensor
            What the network gets.

        Returns
        -------
        maps : dict
            By layer; without gradient.
        """
        (reference,) = self._reference
        with torch.no_grad():
            return FeatureTap(reference, self.layers, position=self.position).collect(**inputs)

    def grams(
        self,
        data: UtteranceData,
        *,
        batch_size: int,
        device: torch.device | None = None,
        autocast: Callable[[], AbstractContextManager] = nullcontext,
    ) -> dict[str, Tensor]:
        """Return the Gram matrices that the reference makes, to be kept as targets of the data.

        Of "gram" and "sample" alone: they are compared utterance by utterance.

        Parameters
        ----------
        data : UtteranceData
            The utterances, which must not be changed before they are trained on.
        batch_size : int
            Most utterances per batch.
        device : torch.device or None, default=None
            Where the reference is; ``None`` is the CPU.
        autocast : callable, default=contextlib.nullcontext
            Returns the context in which the network computes.

        Returns
        -------
        grams : dict of str to Tensor of shape (n_utterances, n_channels, n_channels)
            One for each layer.
        """
        kept: dict[str, Any] = {}
        for rows in BatchLoader(data, batch_size).rows(0):
            inputs = to_device(data.batch(rows)[0], device or torch.device("cpu"))
            with autocast():
                maps = self.reference_maps(inputs)
            for name, layer in self._gram_names().items():
                gram = gram_matrix(*maps[layer]).cpu()
                if name not in kept:
                    kept[name] = gram.new_empty(len(data), *gram.shape[1:])
                kept[name][rows] = gram
        return kept

    def _gram_names(self) -> dict[str, int | str]:
        """Return the layers by the names of their Gram matrices among the targets."""
        return {f"gram_{layer}": layer for layer in self.layers}
