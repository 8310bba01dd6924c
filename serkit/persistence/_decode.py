"""A tree of nodes as an estimator again: every name looked up, every value checked."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator
from sklearn.metrics import check_scoring
from sklearn.model_selection import TunedThresholdClassifierCV
from sklearn.neighbors._base import NeighborsBase
from sklearn.utils import Bunch
from sklearn.utils._metadata_requests import SIMPLE_METHODS, MetadataRequest
from torch import Tensor, nn

from serkit.neural_network import NeuralEstimator
from serkit.persistence._attributes import check_attribute
from serkit.persistence._compiled import check_compiled
from serkit.persistence._dtypes import decode_dtype, decode_scalar_type
from serkit.persistence._errors import ModelFileError
from serkit.persistence._neighbors import plant_tree
from serkit.persistence._plain import read_plain
from serkit.persistence._registry import find, is_referable
from serkit.persistence._scorers import OWN_SCORE, find_scorer
from serkit.persistence._training_only import is_local, reads_file
from serkit.persistence._values import make_array, make_frame
from serkit.persistence._weights import make_with_weights
from serkit.training import torch_session

__all__ = ["Decoder"]

_CONTAINERS: dict[str, Callable[[list], Any]] = {
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
}
_MAPPINGS: dict[str, Callable[[Any], Any]] = {
    "dict": dict,
    "ordered": OrderedDict,
    "bunch": lambda pairs: Bunch(**dict(pairs)),
}
_DTYPES = {"float16", "bfloat16", "float32", "float64", "int8", "int16", "int32", "int64"}
_NUMBERS = "biuf"


class Decoder:
    """Make what :class:`Encoder` has described.

    Parameters
    ----------
    arrays : dict of str to ndarray
    weights : dict of str to Tensor
    parts : dict of str to bytes
    """

    def __init__(
        self,
        arrays: Mapping[str, np.ndarray],
        weights: Mapping[str, Tensor],
        parts: Mapping[str, bytes],
    ) -> None:
        self.arrays = arrays
        self.weights: dict[str, dict[str, Tensor]] = {}
        for key, tensor in weights.items():
            prefix, _, name = key.partition("/")
            self.weights.setdefault(prefix, {})[name] = tensor
        self.parts = parts
        self._made: dict[int, Any] = {}
        self._used: set[str] = set()
        self._nodes: dict[str, Callable[[Any], Any]] = {
            "array": self._lookup_array,
            "device": lambda text: torch.device(_text(text)),
            "dtype": _dtype,
            "estimator": self._make_estimator,
            "float": _float,
            "frame": self._make_frame,
            "masked": self._make_masked,
            "module": self._make_module,
            "name": _named,
            "number": self._make_number,
            "numpy_dtype": decode_dtype,
            "numpy_type": decode_scalar_type,
            "object": self._make_object,
            "objects": self._make_objects,
            "path": lambda text: Path(_text(text)),
            "random_state": self._make_random_state,
            "requests": self._make_requests,
            "same": self._lookup_same,
            "scorer": find_scorer,
            "skops": lambda part: read_plain(self._lookup(self.parts, part["member"])),
            "slice": lambda parts: slice(*self._list(parts)),
            "tensor": lambda prefix: self._lookup_weights(prefix)["value"],
        }

    def check_all_used(self) -> None:
        """Refuse members that hold more than the description speaks of."""
        known = {*self.arrays, *self.weights, *self.parts}
        if unused := sorted(known - self._used):
            raise ModelFileError(f"it holds more than it describes: {', '.join(unused)[:200]}")

    def decode(self, node: Any) -> Any:
        """Return the value of a node."""
        if isinstance(node, list):
            return self._list(node)
        if not isinstance(node, dict):
            return node
        tags = node.keys() - {"id", "order", "index"}
        if len(tags) != 1:
            raise ModelFileError(f"{str(node)[:80]} is no value that serkit writes")
        (tag,) = tags
        content = node[tag]
        if tag in _CONTAINERS:
            return _CONTAINERS[tag](self._list(content))
        if tag in _MAPPINGS:
            return _MAPPINGS[tag]([self._pair(pair) for pair in _check_list(content)])
        make = self._nodes.get(tag)
        if make is None:
            raise ModelFileError(f"{tag[:60]!r} is no kind of value that serkit writes")
        made = make(node if tag in ("array", "frame") else content)
        if "id" in node:
            if type(node["id"]) is not int or node["id"] in self._made:
                raise ModelFileError(f"the number {node['id']!r} is given twice")
            self._made[node["id"]] = made
        return made

    def _list(self, nodes: Any) -> list:
        return [self.decode(node) for node in _check_list(nodes)]

    def _pair(self, pair: Any) -> tuple[Any, Any]:
        key, value = self._list(pair)
        return key, value

    # What is looked up.

    def _lookup(self, where: Mapping[str, Any], name: Any) -> Any:
        if not isinstance(name, str) or name not in where:
            raise ModelFileError(f"it describes {str(name)[:60]!r}, which it does not hold")
        if name in self._used:
            raise ModelFileError(f"it describes {name[:60]!r} twice")
        self._used.add(name)
        return where[name]

    def _lookup_array(self, node: dict[str, Any]) -> np.ndarray:
        array = self._lookup(self.arrays, node["array"])
        return np.array(array, order="F" if node.get("order") == "F" else "C")

    def _lookup_weights(self, prefix: Any) -> dict[str, Tensor]:
        if isinstance(prefix, str) and prefix not in self.weights:
            return {}  # a module without weights
        return self._lookup(self.weights, prefix)

    def _lookup_same(self, number: Any) -> Any:
        if type(number) is not int or number not in self._made:
            raise ModelFileError(f"it refers to the object {str(number)[:60]} before it is made")
        return self._made[number]

    # Values.

    def _make_number(self, content: Any) -> Any:
        dtype, value = self._list(content)
        if np.dtype(_text(dtype)).kind not in _NUMBERS:
            raise ModelFileError(f"{dtype!r} is no type of numbers")
        return np.dtype(dtype).type(value)

    def _make_objects(self, content: Any) -> np.ndarray:
        values, dtype = self._list(content["values"]), np.dtype(_text(content["type"]))
        if dtype.kind not in "UO":
            raise ModelFileError(f"arrays of {dtype} are not read")
        return make_array(values, dtype).reshape(content["shape"])

    def _make_masked(self, content: Any) -> np.ma.MaskedArray:
        data, mask = self._list(content)
        return np.ma.MaskedArray(data, mask=mask)

    def _make_frame(self, node: dict[str, Any]) -> pd.DataFrame:
        columns = dict(self._pair(pair) for pair in _check_list(node["frame"]))
        return make_frame(columns, self.decode(node.get("index")))

    def _make_random_state(self, content: Any) -> np.random.RandomState:
        random_state = np.random.RandomState()
        random_state.set_state(self.decode(content))
        check_compiled(random_state)
        return random_state

    # Objects.

    def _make_object(self, content: dict[str, Any]) -> Any:
        cls = find(content["class"])
        if not isinstance(cls, type) or issubclass(cls, nn.Module | BaseEstimator):
            raise ModelFileError(f"{content['class']!r} is no parameter of an estimator")
        arguments = {name: self.decode(node) for name, node in content["arguments"].items()}
        try:
            return cls(**arguments)
        except Exception as error:  # whatever the arguments of a crafted file make it run into
            raise ModelFileError(f"{cls.__name__} refuses its arguments: {error}") from error

    def _make_module(self, content: dict[str, Any]) -> nn.Module:
        weights = self._lookup_weights(content["weights"])
        module = make_with_weights(self._plan_module(content), weights)
        if content.get("repr") != repr(module):
            raise ModelFileError(
                f"{content['class']!r} makes another module than the one that was saved"
            )
        if "frozen" in content:
            frozen = {_text(name) for name in _check_list(content["frozen"])}
            for name, parameter in module.named_parameters():
                parameter.requires_grad_(name not in frozen)
        return module.train(content.get("training") is True)

    def _plan_module(self, content: dict[str, Any]) -> Callable[[], nn.Module]:
        """Decode what a module is made of, once, for it is made twice."""
        cls = find(content["class"])
        if not isinstance(cls, type) or not issubclass(cls, nn.Module):
            raise ModelFileError(f"{content['class']!r} is no module of torch")
        if "children" in content:
            return self._plan_container(content)
        plans, arguments = {}, {}
        for name, node in content["arguments"].items():
            if isinstance(node, dict) and "module" in node and "weights" not in node["module"]:
                plans[name] = self._plan_module(node["module"])
            else:
                arguments[name] = self.decode(node)
        return lambda: cls(**arguments, **{name: make() for name, make in plans.items()})

    def _plan_container(self, content: dict[str, Any]) -> Callable[[], nn.Module]:
        cls = find(content["class"])
        if cls not in (nn.Sequential, nn.ModuleList, nn.ModuleDict):
            raise ModelFileError(f"{content['class']!r} is no container of modules")
        plans = {_text(name): self._plan_module(child) for name, child in content["children"]}
        if cls is nn.ModuleList:
            return lambda: cls(make() for make in plans.values())
        return lambda: cls(OrderedDict((name, make()) for name, make in plans.items()))

    # Estimators.

    def _make_estimator(self, content: dict[str, Any]) -> BaseEstimator:
        found = find(content["class"])
        if not isinstance(found, type) or not issubclass(found, BaseEstimator):
            raise ModelFileError(f"{content['class']!r} is no estimator")
        cls: Any = found
        unknown = content["params"].keys() - set(cls._get_param_names())
        if unknown:
            raise ModelFileError(f"{cls.__name__} has no parameter {', '.join(sorted(unknown))}")
        estimator = cls(**{name: self.decode(node) for name, node in content["params"].items()})
        for name in content["params"]:
            if is_local(estimator, name) or reads_file(estimator, name, getattr(estimator, name)):
                raise ModelFileError(f"{cls.__name__} with a {name} of another machine is refused")
        if hasattr(cls, "_parameter_constraints"):
            estimator._validate_params()
        made_by_constructor = set(vars(estimator))
        for name, node in content["fitted"].items():
            check_attribute(estimator, name, made_by_constructor)
            value = self.decode(node)
            if value is OWN_SCORE and name == "scorer_":
                value = check_scoring(estimator.estimator)
            setattr(estimator, name, value)
        check_compiled(estimator)
        if isinstance(estimator, NeighborsBase):
            plant_tree(estimator)
        if isinstance(estimator, TunedThresholdClassifierCV) and "best_threshold_" in vars(
            estimator
        ):
            estimator._curve_scorer = estimator._get_curve_scorer()
        if "network" in content:
            self._make_network(estimator, self._lookup_weights(content["network"]))
        return estimator

    def _make_network(self, estimator: Any, weights: dict[str, Tensor]) -> None:
        if not hasattr(estimator, "_make_network"):
            raise ModelFileError(f"{type(estimator).__name__} has no network of its own")
        with torch_session(seed=0):
            module = make_with_weights(estimator._make_network, weights)
            if isinstance(estimator, NeuralEstimator):
                estimator.net_ = estimator._make_net(module, seed=0)
            else:
                estimator.network_ = module.eval()

    def _make_requests(self, content: Any) -> MetadataRequest:
        requests = MetadataRequest(owner="a loaded estimator")
        for method, found in self.decode(content).items():
            if method not in SIMPLE_METHODS or not isinstance(found, dict):
                raise ModelFileError(f"{str(method)[:60]!r} is no method that takes metadata")
            for name, alias in found.items():
                getattr(requests, method).add_request(param=name, alias=alias)
        return requests


def _check_list(nodes: Any) -> list:
    if not isinstance(nodes, list):
        raise ModelFileError(f"{str(nodes)[:60]} should be a list")
    return nodes


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ModelFileError(f"{str(value)[:60]} should be text")
    return value


def _float(text: Any) -> float:
    if text not in ("nan", "inf", "-inf"):
        raise ModelFileError(f"{str(text)[:60]!r} is no number that serkit writes as text")
    return float(text)


def _dtype(name: Any) -> torch.dtype:
    if name not in _DTYPES:
        raise ModelFileError(f"{str(name)[:60]!r} is no type of tensors")
    return getattr(torch, name)


def _named(name: Any) -> Any:
    found = find(name)
    if not is_referable(name):
        raise ModelFileError(f"{name!r} can be named as a class only, not as a value")
    return found
