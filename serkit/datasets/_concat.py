"""What has to be settled before corpora can be put one behind the other."""

import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from serkit.datasets._table import listed

__all__ = ["choose_prefixes", "common_root", "move_files", "require_one_rate", "tag"]


def choose_prefixes(
    names: Sequence[str | None],
    speakers: Sequence[set[str]],
    prefix: bool | Sequence[str | None] | None,
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


def move_files(table: pd.DataFrame, root: Path | None, new_root: Path | None) -> pd.DataFrame:
    """Return a table of files below one root as one of files below another, None for none."""
    if root == new_root:
        return table
    paths = [os.path.join(root or Path.cwd(), file) for file in table["file"]]
    return table.assign(
        file=[os.path.relpath(path, new_root) for path in paths] if new_root else paths
    )


def tag(table: pd.DataFrame, name: str | None, prefix: str | None) -> pd.DataFrame:
    """Return a table with prefixed codes and the name of the corpus it comes from."""
    if prefix is not None:
        codes = ("speaker", "sentence", "session")
        table = table.assign(**{column: f"{prefix}:" + table[column] for column in codes})
    if "corpus" not in table:
        table = table.assign(corpus=pd.array([name] * len(table), dtype="string"))
    return table
