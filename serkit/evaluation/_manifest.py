"""What a folder of results needs to be read without the corpus: utterances, folds and keys."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from serkit.evaluation._plan import Plan
from serkit.evaluation._provenance import result_key
from serkit.evaluation._store import ResultsStore, complete_file

__all__ = ["KeptPlan", "KeptTask", "read_manifests", "utterances_of", "write_manifest"]

_COLUMNS = ("file", "speaker", "gender", "emotion", "start", "end", "duration")


@dataclass(frozen=True)
class KeptTask:
    """One fold of one pipeline, as a manifest knows it."""

    pipeline: str
    seed: int
    fold: int
    key: str
    train: np.ndarray
    test: np.ndarray


@dataclass(frozen=True)
class KeptPlan:
    """A plan, as far as it is known without corpus and pipelines."""

    name: str
    protocol: str
    root: str | None
    utterances: pd.DataFrame
    tasks: list[KeptTask]
    speaker_dependent: bool
    crossing: tuple[str, ...]

    @property
    def y(self) -> np.ndarray:
        """Emotions."""
        return self.utterances["emotion"].to_numpy(dtype=object)

    @property
    def speakers(self) -> np.ndarray:
        """Speakers."""
        return self.utterances["speaker"].to_numpy(dtype=object)


def utterances_of(plan: Plan) -> pd.DataFrame:
    """Return the table of the corpus with the labels that are compared, None where one is NA."""
    table = plan.corpus.table.reindex(columns=list(_COLUMNS)).astype(object)
    table["emotion"] = pd.Series(plan.y, dtype=object)
    table["speaker"] = pd.Series(plan.speakers, dtype=object)
    return table.where(table.notna(), None)


def write_manifest(plan: Plan, store: ResultsStore) -> None:
    """Say in the folder what is going to be there, before it is."""
    if store.folder is None:
        return
    folds: dict[int, dict[str, list[int]]] = {}
    for task in plan.tasks:
        folds.setdefault(task.fold, {"train": task.train.tolist(), "test": task.test.tolist()})
    root = plan.corpus.root
    manifest = {
        "corpus": plan.name,
        "protocol": plan.protocol,
        "root": None if root is None else os.fspath(root),
        "speaker_dependent": plan.speaker_dependent,
        "crossing": list(plan.crossing),
        "utterances": utterances_of(plan).to_dict(orient="list"),
        "folds": folds,
        "tasks": [
            {"pipeline": task.pipeline, "seed": task.seed, "fold": task.fold, "key": task.key}
            for task in plan.tasks
        ],
    }
    folder = store.folder.parent / "comparisons"
    folder.mkdir(exist_ok=True)
    name = result_key(keys=[task.key for task in plan.tasks], place=plan.place)
    with complete_file(folder / f"{name}.json") as file:
        file.write(json.dumps(manifest, default=_plain).encode())


def read_manifests(folder: Path) -> Iterator[KeptPlan]:
    """Yield what was compared, the latest last; what cannot be read is passed over."""
    paths = (folder / "comparisons").glob("*.json")
    for path in sorted(paths, key=lambda path: path.stat().st_mtime_ns):
        try:
            yield _from_json(json.loads(path.read_bytes()))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue


def _from_json(manifest: dict[str, Any]) -> KeptPlan:
    folds = {
        int(fold): {name: np.asarray(rows, dtype=int) for name, rows in parts.items()}
        for fold, parts in manifest["folds"].items()
    }
    return KeptPlan(
        manifest["corpus"],
        manifest["protocol"],
        manifest["root"],
        pd.DataFrame(manifest["utterances"], columns=list(_COLUMNS), dtype=object),
        [
            KeptTask(task["pipeline"], task["seed"], fold, task["key"], **folds[fold])
            for task in manifest["tasks"]
            for fold in (task["fold"],)
        ],
        manifest["speaker_dependent"],
        tuple(manifest["crossing"]),
    )


def _plain(value: Any) -> Any:
    """Return a number of numpy as one of Python, and anything else as text."""
    return value.item() if isinstance(value, np.generic) else str(value)
