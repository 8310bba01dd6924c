"""How a network is trained away from a reference: where it begins, what is frozen, what is kept."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from skorch.callbacks import Callback
from torch import nn

from serkit.modules import AntiTransferLoss, FeatureTap, convolution_names
from serkit.neural_network._base import NeuralEstimator
from serkit.neural_network._reference_leakage import Source, check_training
from serkit.training import AntiTransferObjective, UtteranceData, UtteranceNet

__all__ = ["AntiTransferTraining", "copy_convolutions"]

#: Most bytes of Gram matrices that are kept without being asked for.
_MOST_KEPT = 2**30


@dataclass
class AntiTransferTraining:
    """Train a network that another estimator has made; stands in for its own way of training."""

    #: What is compared with, if anything is.
    reference: NeuralEstimator | None
    layers: tuple[int | str, ...]
    position: str
    loss: AntiTransferLoss
    #: The fitted network whose convolutions the new one begins with.
    start: NeuralEstimator | None = None
    freeze: bool = False
    cache_grams: Any = "auto"
    #: What is known from before, which may be more than should be.
    known: Sequence[Source] = ()
    leakage: str = "warn"
    n_initialized: int = 0

    def __call__(
        self,
        network: NeuralEstimator,
        module: Any,
        data: UtteranceData,
        valid: UtteranceData | None,
        *,
        seed: int,
    ) -> UtteranceNet:
        """Train the network, and return it as if nothing but itself had been there."""
        if self.reference is not None:
            _check_input(network, self.reference)
        check_training(self.known, network, self.leakage)
        example, _ = data.batch(np.array([0]))
        if self.start is not None:
            names = convolution_names(module, *example.values())
            self.n_initialized = copy_convolutions(self.start.net_.module_, module, names)
        if self.freeze:
            network.frozen_stages_ = self._stages_to_freeze(module, example)
        elif self.loss.beta == 0:
            FeatureTap(module, self.layers, position=self.position)  # raises of unknown ones
        if self.loss.beta == 0 or self.reference is None:
            return network._make_net(module, seed=seed).fit((data, valid))
        reference = copy.deepcopy(self.reference.net_.module_).eval().requires_grad_(False)
        return self._train_away(network, module, reference, data, valid, seed=seed)

    def _train_away(
        self,
        network: NeuralEstimator,
        module: Any,
        reference: nn.Module,
        data: UtteranceData,
        valid: UtteranceData | None,
        *,
        seed: int,
    ) -> UtteranceNet:
        n_bytes = self._compare(module, reference.cpu(), data) * (len(data) + len(valid or ()))
        net = network._make_net(module, seed=seed)
        device = torch.device(net.device)
        own = net.criterion_
        objective = AntiTransferObjective(
            own, reference.to(device), self.layers, position=self.position, loss=self.loss
        )
        if self._keeps_grams(network, n_bytes):
            for part in (data, valid):
                if part is not None:
                    part.targets |= objective.grams(
                        part, batch_size=net.batch_size, device=device, autocast=net._autocast
                    )
        net.criterion_ = objective
        net.partial_fit((data, valid))  # fit would make the criterion anew
        net.criterion_ = own
        return net

    def _compare(self, module: Any, reference: nn.Module, data: UtteranceData) -> int:
        """Raise if the maps differ in shape; return the bytes of Gram matrices per utterance."""
        example, _ = data.batch(np.array([0]))
        options = {"position": self.position}
        # With a gradient, for layers that nothing can be learnt at are refused.
        trained = FeatureTap(module.eval(), self.layers, **options).collect(**example)
        with torch.no_grad():
            known = FeatureTap(reference, self.layers, **options).collect(**example)
        for layer, (values, _) in trained.items():
            shape, expected = tuple(values.shape[1:]), tuple(known[layer].values.shape[1:])
            if shape != expected:
                raise ValueError(
                    f"at layer {layer!r} the network has feature maps of shape {shape} "
                    f"(n_channels, n_bins, n_frames), and the reference of shape {expected}: both "
                    "have to be of the same structure up to there"
                )
        return sum(4 * values.shape[1] ** 2 for values, _ in trained.values())

    def _keeps_grams(self, network: NeuralEstimator, n_bytes: int) -> bool:
        """Say whether Gram matrices of the reference are computed once, before training."""
        obstacle = None
        if self.loss.aggregation != "gram" or self.loss.gram != "sample":
            obstacle = 'only those of aggregation="gram" and gram="sample" can be'
        elif network.augment is not None:
            obstacle = "augment changes the utterances in every epoch"
        elif any(_changes_batches(callback) for callback in network.callbacks or ()):
            obstacle = "a callback, such as Mixup, changes the batches"
        if self.cache_grams is True and obstacle is not None:
            raise ValueError(f"cache_grams=True: Gram matrices cannot be kept, for {obstacle}")
        if self.cache_grams == "auto":
            return obstacle is None and n_bytes <= _MOST_KEPT
        return bool(self.cache_grams)

    def _stages_to_freeze(self, module: Any, example: dict[str, torch.Tensor]) -> tuple[str, ...]:
        FeatureTap(module, self.layers, position=self.position)  # raises of unknown ones
        names = convolution_names(module, *example.values())
        stages = list(module.stages)
        tapped = [names[layer - 1] if isinstance(layer, int) else layer for layer in self.layers]
        last = max(stages.index(name.partition(".")[0]) for name in tapped)
        if last == len(stages) - 1:
            raise ValueError(
                f"freeze=True with layers={self.layers} freezes all stages, so nothing would be "
                "left to train"
            )
        return tuple(stages[: last + 1])


def copy_convolutions(source: Any, target: Any, names: list[str]) -> int:
    """Give a network the weights that another one has, as far as the last convolution.

    Without a convolution it is as far as the head.

    Parameters
    ----------
    source : Module
        Where they are taken from.
    target : Module
        Where they are put.
    names : list of str
        The convolutions of the target.

    Returns
    -------
    n_tensors : int
        How many tensors were copied.
    """
    stages = list(target.stages)
    last = max((stages.index(name.partition(".")[0]) for name in names), default=len(stages) - 2)
    n_tensors = 0
    for stage in stages[: last + 1]:
        try:
            state = source.stages[stage].state_dict()
            target.stages[stage].load_state_dict(state)
        except KeyError:
            raise ValueError(_misfit(stage, f"that has the stages {list(source.stages)}")) from None
        except RuntimeError as error:
            raise ValueError(_misfit(stage, " ".join(str(error).split()))) from error
        n_tensors += len(state)
    return n_tensors


def _misfit(stage: str, why: str) -> str:
    return (
        f"the network cannot begin with the weights of another one, whose stage {stage!r} does not "
        f"fit: {why}"
    )


def _check_input(network: NeuralEstimator, reference: NeuralEstimator) -> None:
    """Raise if the two networks take input of different shape."""
    takes = [
        (part._input_kind, part.n_channels_in_, part.n_bins_in_) for part in (network, reference)
    ]
    if takes[0] != takes[1]:
        here, there = (
            f"{kind} of {channels} channels and {bins} bins" for kind, channels, bins in takes
        )
        raise ValueError(f"X has {here}, and the reference was trained on {there}")


def _changes_batches(callback: Any) -> bool:
    """Say whether a callback does something before a batch, which may change it."""
    callback = callback[-1] if isinstance(callback, tuple) else callback
    cls: Any = callback if isinstance(callback, type) else type(callback)
    return cls.on_batch_begin is not Callback.on_batch_begin
