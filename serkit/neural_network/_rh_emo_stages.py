"""The two stages in which an RH-emo is trained."""

import copy
import warnings
from typing import Any

import numpy as np
from torch import Tensor, nn

from serkit.modules import RHEmoLoss

__all__ = ["BY_STAGE", "RHEmoObjective", "of_stage", "plan_stages"]

#: Parameters that may be a pair, one value for each of the two stages.
BY_STAGE = ("lr", "weight_decay", "max_epochs", "patience")


def of_stage(transformer: Any, number: int) -> Any:
    """Return a copy with the parameters of stage 1 (reconstruction) or 2 (labels too)."""
    stage = copy.copy(transformer)
    for name in BY_STAGE:
        value = getattr(transformer, name)
        if isinstance(value, tuple | list):
            if len(value) != 2:
                raise ValueError(
                    f"{name}={value!r}: give one value, or one for each of the two stages"
                )
            setattr(stage, name, value[number - 1])
    if number == 1:
        stage.beta = 0.0
    stage._validate_params()
    return stage


def plan_stages(
    transformer: Any, train: np.ndarray, valid: np.ndarray | None, labelled: np.ndarray
) -> dict[int, tuple[Any, np.ndarray, np.ndarray]]:
    """Return by number the stages: their parameters, and rows to train and validate on."""
    valid = train[:0] if valid is None else valid
    chosen = {1: np.ones_like(labelled)} if transformer.decoder else {}
    if transformer.heads_:
        chosen[2] = labelled
    stages = {}
    for number, rows in chosen.items():
        stage = of_stage(transformer, number)
        trained, validated = train[rows[train]], valid[rows[valid]]
        having = " that have labels" if number == 2 else ""
        if len(trained) < 2:
            raise ValueError(
                f"stage {number} of {type(transformer).__name__} needs two utterances or more"
                f"{having} to train on, got {len(trained)} sample"
            )
        if stage.patience is not None and not len(validated):
            warnings.warn(
                f"patience={stage.patience} has no effect in stage {number} without validation "
                f"utterances{having}: pass speakers to fit, or set validation",
                UserWarning,
                stacklevel=4,
            )
        stages[number] = stage, trained, validated
    return stages


class RHEmoObjective(nn.Module):
    """The loss of a network on a batch, as training asks for it."""

    is_mean = True

    def __init__(self, loss: RHEmoLoss) -> None:
        super().__init__()
        self.loss = loss

    def forward(
        self,
        network: nn.Module,
        inputs: dict[str, Tensor],
        targets: dict[str, Tensor],
        progress: float,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        output = network(**inputs, heads=self.loss.beta > 0)
        parts = self.loss(output, inputs["x"], emotion=targets["y"], vad=targets["vad"])
        return output.embedding, parts
