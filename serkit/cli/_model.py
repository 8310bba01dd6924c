"""Saved models."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from serkit.cli._pipelines import check_device

if TYPE_CHECKING:
    from serkit.datasets import Corpus

__all__ = ["load_model", "sampling_rate"]


def load_model(path: Path, device: str) -> Any:
    """Return a saved model, its networks on a device."""
    import serkit
    from serkit.neural_network import NeuralEstimator
    from serkit.training import choose_device

    check_device(device)
    if not path.is_file():
        raise FileNotFoundError(f"there is no model {path}; serkit train makes one")
    model = serkit.load(path)
    place = choose_device(device)
    for part in (model, *model.get_params(deep=True).values()):
        if isinstance(part, NeuralEstimator):
            part.set_params(device=device)
            if hasattr(part, "net_"):
                part.net_.device = str(place)
                part.net_.module_.to(place)
    return model


def sampling_rate(model: Any) -> int:
    """Return the rate in Hz that the first step that has one brings audio to."""
    for name, value in model.get_params(deep=True).items():
        if name.rpartition("__")[2] == "sampling_rate" and value is not None:
            return int(value)
    return 16000


def trained_on(path: Path, corpus: "Corpus") -> str | None:
    """Say what of the corpus a model was trained on, or None if nothing is known of that."""
    raise NotImplementedError
