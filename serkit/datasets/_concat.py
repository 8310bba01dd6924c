"""What has to be settled before corpora can be put one behind the other."""

import os
from collections.abc import Sequence
from pathlib import Path

from serkit.datasets._table import listed

__all__ = ["choose_prefixes", "common_root", "require_one_rate"]


def choose_prefixes(
    names: Sequence[str | None], speakers: Sequence[set[str]], prefix: bool | Sequence[str] | None
) -> Sequence[str | None]:
    """Return what goes before the codes of each corpus, None for nothing."""
    if isinstance(prefix, Sequence):
        if isinstance(prefix, str) or len(prefix) != len(names):
            raise ValueError(f"prefix has to hold one text for each of the {len(names)} corpora")
        return prefix
    if prefix is None and all(names):
        prefix = len(set(names)) > 1
    if prefix:
        if not all(names):
            raise ValueError("prefix=True takes the names of the corpora, but one has no name")
        return names
    if prefix is None:
        _refuse_common_speakers(speakers)
    return [None] * len(names)


def _refuse_common_speakers(speakers: Sequence[set[str]]) -> None:
    seen: set[str] = set()
    for codes in speakers:
        if codes & seen:
            raise ValueError(
                f"corpora without a name have the speakers {listed(sorted(codes & seen))} in "
                "common; give prefix=[...], or prefix=False if these are the same persons"
            )
        seen |= codes


def require_one_rate(rates: Sequence[int | None]) -> None:
    """Refuse to mix files and waveforms, or waveforms of several sampling rates."""
    if len(set(rates)) > 1:
        kinds = ["files" if rate is None else f"waveforms at {rate} Hz" for rate in rates]
        raise ValueError(
            f"{' and '.join(dict.fromkeys(kinds))} do not go together; load or resample them to "
            "one rate first"
        )


def common_root(roots: Sequence[Path | None]) -> Path | None:
    """Return the deepest folder that holds all roots."""
    if len(set(roots)) == 1:
        return roots[0]
    try:
        return Path(os.path.commonpath([root or Path.cwd() for root in roots]))
    except ValueError:  # folders on different drives
        return None
