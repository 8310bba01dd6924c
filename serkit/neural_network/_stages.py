"""Which stages of a fitted network are trained on, and which stay."""

from collections.abc import Iterable
from numbers import Integral
from typing import Any

import pandas as pd
from torch import nn

from serkit.modules import find_part
from serkit.neural_network._base import NeuralEstimator

__all__ = ["freed_stages", "frozen_stages", "stage_table"]


def stage_table(network: NeuralEstimator) -> pd.DataFrame:
    """Return the stages that have weights, with their number, counted from the output."""
    stages = network.net_.module_.stages
    counts = {
        name: sum(weights.numel() for weights in stages[name].parameters())
        for name in reversed(stages)
    }
    weights = pd.Series(counts, name="weights").rename_axis("stage")
    table = weights[weights > 0].to_frame()
    return table.assign(unfreeze=range(1, len(table) + 1))


def freed_stages(network: NeuralEstimator, unfreeze: Any) -> set[str]:
    """Return the names of the stages, or of parts of stages, that are to be trained."""
    stages = network.stages_
    weighted = stage_table(network).index.tolist()
    if isinstance(unfreeze, str) and unfreeze == "all":
        return set(stages)
    if isinstance(unfreeze, Integral):
        number = int(unfreeze)
        if number > len(weighted):
            raise ValueError(
                f"unfreeze={number}, but only {len(weighted)} stages have weights: {weighted}, "
                "from the output"
            )
        return set(stages[stages.index(weighted[number - 1]) :]) if number else set()
    names = [unfreeze] if isinstance(unfreeze, str) else list(unfreeze)
    if not all(isinstance(name, str) for name in names):
        raise TypeError(f"a list in unfreeze holds names of stages, got {names}")
    parts = {name: find_part(network.net_.module_, name) for name in names}
    empty = [name for name, part in parts.items() if not list(part.parameters())]
    if empty or not names:
        what = f"{', '.join(map(repr, empty))} without weights" if empty else "nothing"
        raise ValueError(
            f"unfreeze={unfreeze!r} names {what}; the stages that have weights to train are "
            f"{weighted}, from the output"
        )
    return set(names)


def frozen_stages(network: NeuralEstimator, freed: Iterable[str]) -> list[str]:
    """Return the names of what is left of the stages beside what is freed."""
    stages = network.net_.module_.stages
    return [left for name in stages for left in _rest(name, stages[name], freed)]


def _rest(name: str, module: nn.Module, freed: Iterable[str]) -> list[str]:
    if name in freed:
        return []
    if not any(part.startswith(f"{name}.") for part in freed):
        return [name]
    if list(module.parameters(recurse=False)):
        raise ValueError(f"{name!r} has weights of its own beside its parts; free all of it")
    return [
        left
        for child, part in module.named_children()
        for left in _rest(f"{name}.{child}", part, freed)
    ]
