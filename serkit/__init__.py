"""Scikit-learn-compatible estimators for speech emotion recognition."""

import importlib
from typing import Any

from serkit._version import __version__

_ROOMS = (
    "app",
    "augmentation",
    "datasets",
    "evaluation",
    "feature_extraction",
    "inference",
    "inspection",
    "metrics",
    "model_selection",
    "modules",
    "neural_network",
    "over_sampling",
    "papers",
    "persistence",
    "pipeline",
    "preprocessing",
    "testing",
    "training",
    "utils",
)

#: Functions that have a short address, and their room.
_SHORT = {"load": "persistence", "save": "persistence"}

__all__ = ["__version__", *_ROOMS]


def __getattr__(name: str) -> Any:
    # Rooms are imported at first use, so that `import serkit` stays instant.
    if name in _ROOMS:
        return importlib.import_module(f"serkit.{name}")
    if name in _SHORT:
        return getattr(importlib.import_module(f"serkit.{_SHORT[name]}"), name)
    raise AttributeError(f"module 'serkit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_ROOMS, *_SHORT])
