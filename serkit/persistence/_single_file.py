"""Networks in files of format 1: one safetensors file, all but the weights in its header."""

import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
from torch import Tensor

from serkit import neural_network
from serkit.neural_network import NeuralEstimator
from serkit.persistence._attributes import check_attribute
from serkit.persistence._errors import ModelFileError
from serkit.persistence._single_file_values import from_json
from serkit.persistence._weights import make_with_weights
from serkit.training import torch_session

__all__ = ["describe_single_file", "load_single_file"]

_FORMAT = 1

#: The only classes that such a file can name.
_NETWORKS: dict[str, type[NeuralEstimator]] = {
    name: found
    for name in neural_network.__all__
    if inspect.isclass(found := getattr(neural_network, name))
    and issubclass(found, NeuralEstimator)
    and not inspect.isabstract(found)
}


def load_single_file(path: Path) -> NeuralEstimator:
    """Read a network as serkit wrote it before it saved whole pipelines."""
    contents, weights = _read(path)
    try:
        return _rebuild(contents, weights)
    except Exception as error:
        # Whatever a file made by someone else runs into, the file is to blame.
        raise ModelFileError(f"it holds no network that can be rebuilt: {error}") from error


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    try:
        with safetensors.safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except safetensors.SafetensorError as error:
        raise ModelFileError(
            f"it is damaged, or neither an archive of serkit.save nor a safetensors file: {error}"
        ) from error
    if "serkit" not in metadata:
        raise ModelFileError("it was not written by serkit.save: its header does not say so")
    try:
        contents = json.loads(metadata["serkit"])
        number = contents["format"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ModelFileError(f"it has a damaged header: {error}") from error
    if number != _FORMAT:
        raise ModelFileError(
            f"it has format {str(number)[:60]!r}, and a single safetensors file has format "
            f"{_FORMAT}"
        )
    return contents, weights


def _make_estimator(contents: dict[str, Any]) -> NeuralEstimator:
    cls = _NETWORKS.get(contents["class"])
    if cls is None:
        raise ValueError(f"there is no network {contents['class']!r} in this version of serkit")
    unknown = contents["parameters"].keys() - inspect.signature(cls).parameters
    if unknown:
        raise ValueError(f"{cls.__name__} has no parameter {', '.join(sorted(unknown))}")
    estimator = cls(**{name: _decode(value) for name, value in contents["parameters"].items()})
    estimator._validate_params()
    return estimator


def _decode(encoded: Any) -> Any:
    match encoded:
        case {"network": contents}:
            return _make_estimator(contents)
    return from_json(encoded)


def _rebuild(contents: dict[str, Any], weights: Mapping[str, Tensor]) -> NeuralEstimator:
    estimator = _make_estimator(contents)
    made_by_constructor = set(vars(estimator))
    for name, value in contents["attributes"].items():
        check_attribute(estimator, name, made_by_constructor)
        setattr(estimator, name, from_json(value))
    with torch_session(seed=0):
        module = make_with_weights(estimator._make_network, weights)
        estimator.net_ = estimator._make_net(module, seed=0)
    return estimator


def describe_single_file(path: Path) -> dict[str, Any]:
    """Return what such a file says about itself."""
    contents, _ = _read(path)
    name = f"serkit.neural_network:{contents.get('class')}"
    versions = dict(contents.get("versions") or {})
    return {
        "format": _FORMAT,
        "serkit": versions.pop("serkit", None),
        "versions": versions,
        "class": name,
        "classes": [name],
        "data": None,
        "card": None,
    }
