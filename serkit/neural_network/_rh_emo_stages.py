"""The two stages in which an RH-emo is trained."""

import copy
import warnings
from typing import Any

import numpy as np
from torch import Tensor, nn

from serkit.modules import RHEmoLoss

__all__ = [
    "BY_STAGE",
    "RHEmoObjective",
    "check_architecture",
    "check_heads",
    "of_stage",
    "plan_stages",
]

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
                stacklevel=5,
            )
        stages[number] = stage, trained, validated
    return stages


def check_architecture(transformer: Any) -> None:
    """Refuse parameters by which the fitted autoencoder could not go on."""
    for name, fitted in transformer.net_.module_.architecture.items():
        given = getattr(transformer, name)
        given = tuple(sorted(set(given))) if name == "bn_blocks" else given
        if given != fitted:
            raise ValueError(
                f"{name}={given!r}, but the network that goes on with warm_start=True was fitted "
                f"with {name}={fitted!r}: set that, or warm_start=False"
            )


def check_heads(heads: tuple[str, ...], targets: dict[str, np.ndarray], train: np.ndarray) -> None:
    """Raise if there is a head for what is known of validation utterances alone."""
    known = list(~np.isnan(targets["vad"][train]).T)
    if "emotion" in heads:
        known.insert(0, targets["y"][train] >= 0)
    unlearnt = [head for head, rows in zip(heads, known, strict=True) if not rows.any()]
    if unlearnt:
        raise ValueError(
            f"{' and '.join(unlearnt)}: known of validation utterances alone, so that there is "
            "nothing to learn from; leave it out of y, or set validation"
        )


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
