"""Speaker labels as the splitters need them: complete, and more than one."""

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from serkit.utils import check_speakers

__all__ = ["check_groups", "check_strata", "list_names", "unique_speakers"]


def check_groups(groups: Any, X: Any = None) -> np.ndarray:
    """Return one speaker per utterance, or say what is wrong with the labels."""
    if groups is None:
        raise ValueError("the speaker of every utterance is needed: pass groups=speakers")
    speakers = check_speakers(groups, groups if X is None else X, name="groups")
    missing = np.flatnonzero(pd.isna(speakers))
    if missing.size:
        raise ValueError(
            f"{missing.size} utterances have no speaker (rows {list_names(missing)}); split real "
            "utterances first and let a sampler in a Pipeline add synthetic ones to the training "
            "part"
        )
    return speakers


def unique_speakers(speakers: np.ndarray) -> list[Hashable]:
    """Return the different speakers, sorted, or raise if there is only one."""
    unique = sorted(set(speakers))
    if len(unique) < 2:
        raise ValueError(
            f"all utterances are of one speaker ({list_names(unique)}); a split by speakers "
            "needs two or more"
        )
    return unique


def check_strata(balance_by: Mapping[Any, Any], speakers: Iterable[Hashable]) -> None:
    """Raise if a speaker has no stratum."""
    without = [speaker for speaker in speakers if speaker not in balance_by]
    if without:
        raise ValueError(f"balance_by has no entry for the speakers {list_names(without)}")


def list_names(names: Iterable[Any], limit: int = 10) -> str:
    """Join names for a message, at most ``limit`` of them."""
    names = [str(name) for name in names]
    return ", ".join(names[:limit]) + (", ..." if len(names) > limit else "")
