"""Saved models."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serkit.cli._arguments import CORPORA
from serkit.cli._pipelines import check_device

if TYPE_CHECKING:
    from serkit.datasets import Corpus

__all__ = ["check_model", "load_model", "sampling_rate", "trained_on"]

_DIGEST = 16  # characters of a digest that a file keeps of every utterance


def check_model(path: Path) -> None:
    """Raise if there is no such file, and say how to get one."""
    if not path.is_file():
        raise FileNotFoundError(f"there is no model {path}; serkit train makes one")


def load_model(path: Path, device: str) -> Any:
    """Return a saved model, its networks on a device."""
    import serkit
    from serkit.neural_network import NeuralEstimator
    from serkit.training import choose_device

    check_device(device)
    check_model(path)
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
    """Say what of a corpus a model was trained on, or None if it is not known to be any.

    An utterance is known again by its audio, whatever its file is called, and a
    speaker by the name, in a corpus of one name.
    """
    from serkit.persistence import describe
    from serkit.utils import utterance_digest

    data = describe(path)["data"]
    if not data:
        warnings.warn(
            f"{path} does not say what the model was trained on: whether these speakers are new "
            "to it, nobody can tell",
            UserWarning,
            stacklevel=2,
        )
        return None
    heard = set(data["utterances"])
    same = [utterance_digest(item)[:_DIGEST] in heard for item in corpus.audio]
    known = set(corpus.speakers[same])
    namesakes = set(corpus.speakers) & set(data["speakers"])
    if data["name"] == corpus.name:
        known |= namesakes
    elif namesakes - known and not {data["name"], corpus.name} <= set(CORPORA):
        warnings.warn(
            f"the model was trained on speakers of {data['name']} that have the same names: "
            f"{_listed(namesakes)}. If they are the same persons, the scores are too good",
            UserWarning,
            stacklevel=2,
        )
    if not known:
        return None
    utterances = f", {sum(same)} of these {len(corpus)} utterances among them" if any(same) else ""
    return f"speakers {_listed(known)} of {data['name']}{utterances}"


def _listed(speakers: set[str]) -> str:
    listed = sorted(speakers)
    return ", ".join(listed[:10]) + (f" and {len(listed) - 10} more" if len(listed) > 10 else "")
