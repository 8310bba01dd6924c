"""Choose among utterances that annotators have labelled."""

import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from serkit.datasets._table import listed

__all__ = ["FOUR_EMOTIONS", "choose_rows", "label_lines", "look_up"]

FOUR_EMOTIONS = ("anger", "happiness", "neutral", "sadness")


def label_lines(file: Path, start: str) -> Iterator[tuple[str, str]]:
    """Yield the lines of a label file that begin as labels do, and where each is."""
    lines = file.read_text("utf-8", errors="replace").splitlines()
    for number, line in enumerate(lines, start=1):
        if line.startswith(start):
            yield f"{file}, line {number}", line.strip()


def look_up(code: str, emotions: Mapping[str, str | None], place: str) -> str | None:
    """Return the emotion that a code stands for, ``None`` if annotators did not agree."""
    if code not in emotions:
        raise ValueError(f"{place}: {code!r} is no emotion; the codes are {listed(emotions)}")
    return emotions[code]


def choose_rows(
    name: str,
    rows: Mapping[str, dict[str, Any]],
    emotions: Sequence[str] | None,
    known: Collection[str | None],
    *,
    part: str,
    parts: Collection[str],
    keep_unlabelled: bool,
) -> dict[str, dict[str, Any]]:
    """Return the rows of the wanted emotions and part, by the names of their files."""
    if part not in (*parts, "all"):
        raise ValueError(f"part must be {listed([*parts, 'all'])}, got {part!r}")
    occurring = sorted(emotion for emotion in set(known) if emotion is not None)
    asked = [emotions] if isinstance(emotions, str) else emotions
    wanted: set[str | None] = set(occurring if asked is None else asked)
    unknown = [emotion for emotion in asked or () if emotion not in occurring]
    if unknown:
        raise ValueError(f"{name} has no emotion {listed(unknown)}; it has {listed(occurring)}")
    of_part = {stem: row for stem, row in rows.items() if part in (row["part"], "all")}
    n_unlabelled = sum(row["emotion"] is None for row in of_part.values())
    if keep_unlabelled:
        wanted.add(None)
    elif asked is None and n_unlabelled:
        warnings.warn(
            f"{name}: {n_unlabelled} utterances on whose emotion the annotators did not agree are "
            "left out; keep_unlabelled=True keeps them, their emotion missing",
            UserWarning,
            stacklevel=3,
        )
    chosen = {stem: row for stem, row in of_part.items() if row["emotion"] in wanted}
    if not chosen:
        raise ValueError(f"{name} has no utterance with emotions={asked!r} and part={part!r}")
    return chosen
