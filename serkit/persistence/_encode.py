"""A fitted estimator as a tree of tagged nodes, arrays, weights and plain parts."""

import math
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator
from sklearn.utils import Bunch
from sklearn.utils._metadata_requests import MetadataRequest
from torch import Tensor, nn

from serkit.neural_network import NeuralEstimator
from serkit.persistence._arguments import (
    arguments_of,
    children_of,
    comes_again_with_weights,
    has_hooks,
)
from serkit.persistence._dtypes import encode_dtype
from serkit.persistence._plain import PlainPartError, is_plain, write_plain
from serkit.persistence._registry import address_of, is_referable
from serkit.persistence._scorers import scorer_name
from serkit.persistence._training_only import (
    is_local,
    is_training_only,
    reads_file,
    stand_in,
    state_to_drop,
)

__all__ = ["Encoder"]

_CONTAINERS: dict[type, str] = {list: "list", tuple: "tuple", set: "set", frozenset: "frozenset"}
_MAPPINGS: dict[type, str] = {dict: "dict", OrderedDict: "ordered", Bunch: "bunch"}

_ADVICE = (
    "A model file holds no code, so it can name only what is registered: call "
    "serkit.persistence.register(...) with it, before saving and before loading"
)


class Encoder:
    """Turn estimators into nodes, and collect what is too large for JSON.

    Attributes
    ----------
    arrays : dict of str to ndarray
    weights : dict of str to Tensor
    parts : dict of str to bytes
        Plain scikit-learn estimators, each as a file of skops.
    left_out : list of str
        What matters for training only and has no form in a file.
    """

    def __init__(self) -> None:
        self.arrays: dict[str, np.ndarray] = {}
        self.weights: dict[str, Tensor] = {}
        self.parts: dict[str, bytes] = {}
        self.left_out: list[str] = []
        self._known: dict[int, tuple[int, Any]] = {}  # holds objects, so that no id is used again
        self._trail: list[str] = []
        self._n_networks = 0
        self._within_network = 0

    def encode(self, value: Any) -> Any:
        """Return the node of a value; raise TypeError if there is none."""
        if value is None or type(value) in (bool, int, str):
            return value
        if type(value) is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        if isinstance(value, np.generic):
            return self._encode_scalar(value)
        if type(value) in _CONTAINERS:
            items = [self._at(f"[{i}]", item) for i, item in enumerate(value)]
            return items if type(value) is list else {_CONTAINERS[type(value)]: items}
        if type(value) in _MAPPINGS:
            pairs = [[self.encode(key), self._at(f"[{key!r}]", value[key])] for key in value]
            return {_MAPPINGS[type(value)]: pairs}
        if isinstance(value, np.ndarray):
            return self._encode_array(value)
        if type(value) is pd.DataFrame:
            return self._encode_frame(value)
        if isinstance(value, BaseEstimator):
            return self._encode_once(value, self._encode_estimator)
        if isinstance(value, nn.Module):
            return self._encode_module(value)
        if isinstance(value, Tensor):
            return {"tensor": self._keep_weights({"value": value})}
        return self._encode_rare(value)

    def _encode_rare(self, value: Any) -> Any:
        if isinstance(value, slice):
            return {"slice": [self.encode(part) for part in (value.start, value.stop, value.step)]}
        if isinstance(value, Path):
            return {"path": str(value)}
        if (node := encode_dtype(value)) is not None:
            return node
        if isinstance(value, torch.dtype):
            return {"dtype": str(value).removeprefix("torch.")}
        if isinstance(value, torch.device):
            return {"device": str(value)}
        if type(value) is np.random.RandomState:
            state: Any = value.get_state(legacy=False)
            return {"random_state": self.encode(state)}
        if isinstance(value, MetadataRequest):
            return {"requests": self.encode(_requests(value))}
        if (name := scorer_name(value)) is not None:
            return {"scorer": name}
        if (name := address_of(value)) is not None and is_referable(name):
            return {"name": name}
        if not isinstance(value, type) and address_of(type(value)) is not None:
            return self._encode_once(value, self._encode_object)
        raise TypeError(f"{self._where()} is {_text(value)}, which cannot be saved. {_ADVICE}")

    # Small things.

    def _encode_scalar(self, value: np.generic) -> Any:
        if isinstance(value, np.str_):
            return str(value)
        if value.dtype.kind not in "biuf":
            raise TypeError(f"{self._where()} is a {value.dtype} number, which cannot be saved")
        return {"number": [value.dtype.str, self.encode(value.item())]}

    def _encode_array(self, value: np.ndarray) -> Any:
        if type(value) is np.ma.MaskedArray:
            return {"masked": [self.encode(value.data), self.encode(np.ma.getmaskarray(value))]}
        if type(value) is not np.ndarray:
            raise TypeError(f"{self._where()} is {_text(value)}, which cannot be saved")
        kind = value.dtype.kind
        if kind in "UO":
            values = [self._at(f"[{i}]", item) for i, item in enumerate(value.ravel().tolist())]
            return {"objects": {"type": value.dtype.str, "shape": value.shape, "values": values}}
        if kind not in "biuf" or value.dtype.itemsize > 8:
            raise TypeError(f"{self._where()} is an array of {value.dtype}, which cannot be saved")
        key = f"a{len(self.arrays)}"
        # The order in memory decides the order of sums, and so the last digit of predictions.
        order = "F" if value.flags.f_contiguous and not value.flags.c_contiguous else "C"
        native = value.astype(value.dtype.newbyteorder("="), copy=False)
        self.arrays[key] = np.array(native, order="C")
        return {"array": key} if order == "C" else {"array": key, "order": order}

    def _encode_frame(self, value: pd.DataFrame) -> Any:
        columns = [[self.encode(name), self.encode(value[name].to_numpy())] for name in value]
        plain = value.index.equals(pd.RangeIndex(len(value)))
        return {"frame": columns, "index": None if plain else self.encode(value.index.to_numpy())}

    # Estimators, modules and other objects.

    def _encode_once(self, value: Any, encode: Any) -> Any:
        """Encode an object, or say that it is one that was met before."""
        if id(value) in self._known:
            return {"same": self._known[id(value)][0]}
        number = len(self._known)
        self._known[id(value)] = (number, value)
        return {**encode(value), "id": number}

    def _encode_estimator(self, estimator: BaseEstimator) -> dict[str, Any]:
        reason = ""
        if is_plain(estimator):
            try:
                data = write_plain(estimator)
            except PlainPartError as error:
                reason = str(error)
            else:
                member = f"parts/{len(self.parts)}.skops"
                self.parts[member] = data
                return {"skops": {"member": member, "class": address_of(type(estimator))}}
        name = address_of(type(estimator))
        if name is None:
            raise TypeError(f"{self._where()} is {_text(estimator)}, which is unknown. {_ADVICE}")
        with self._inside(type(estimator).__name__):
            try:
                contents = {
                    "class": name,
                    "params": self._encode_params(estimator),
                    "fitted": self._encode_fitted(estimator),
                    **self._encode_network(estimator),
                }
            except TypeError as error:
                if reason and not isinstance(error, PlainPartError):
                    raise PlainPartError(f"{self._where()} cannot be saved: {reason}") from error
                raise
        return {"estimator": contents}

    def _encode_params(self, estimator: BaseEstimator) -> dict[str, Any]:
        encoded: dict[str, Any] = {}
        is_network = isinstance(estimator, NeuralEstimator)
        self._within_network += is_network
        for name, value in estimator.get_params(deep=False).items():
            if is_local(estimator, name):
                continue
            if reads_file(estimator, name, value):
                raise TypeError(
                    f"{self._where()}.{name} names the file {value}, which would not be part of "
                    "the model"
                )
            try:
                with self._all_or_nothing():
                    encoded[name] = self._at(f".{name}", value)
            except TypeError:
                if not is_training_only(estimator, name):
                    raise
                # A network within another one is never trained.
                if self._within_network - is_network == 0:
                    self.left_out.append(name)
                if (value := stand_in(estimator, name)) is not None:
                    encoded[name] = self.encode(value)
        self._within_network -= is_network
        return encoded

    def _encode_fitted(self, estimator: BaseEstimator) -> dict[str, Any]:
        encoded = {}
        others = {"net_", *estimator.get_params(deep=False)}
        if hasattr(estimator, "_make_network"):
            others.add("network_")
        for name, value in vars(estimator).items():
            if name in others:
                continue
            try:
                with self._all_or_nothing():
                    encoded[name] = self._at(f".{name}", value)
            except TypeError:
                if not state_to_drop(estimator, name):
                    raise
        return encoded

    def _encode_network(self, estimator: BaseEstimator) -> dict[str, Any]:
        """Keep the weights of a network that the estimator can make again."""
        if not hasattr(estimator, "_make_network"):
            return {}
        if isinstance(estimator, NeuralEstimator):
            module = estimator.net_.module_ if hasattr(estimator, "net_") else None
        else:
            module = getattr(estimator, "network_", None)
        return {} if module is None else {"network": self._keep_weights(module.state_dict())}

    def _encode_module(self, module: nn.Module) -> dict[str, Any]:
        if has_hooks(module):
            raise TypeError(
                f"{self._where()} is {_text(module)} with hooks, which cannot be saved: write a "
                "module that does what they do in its forward"
            )
        contents = self._describe_module(module)
        contents["weights"] = self._keep_weights(module.state_dict())
        contents["training"] = module.training
        if frozen := [name for name, part in module.named_parameters() if not part.requires_grad]:
            contents["frozen"] = frozen
        contents["repr"] = repr(module)
        return {"module": contents}

    def _describe_module(self, module: nn.Module) -> dict[str, Any]:
        name = address_of(type(module))
        if name is None:
            raise TypeError(f"{self._where()} is {_text(module)}, which is unknown. {_ADVICE}")
        children = children_of(module)
        if children is not None and (twice := comes_again_with_weights(children)):
            raise TypeError(
                f"{self._where()} is {_text(module)} that holds one {type(twice).__name__} twice, "
                "whose weights would not be shared any more: write a module that calls it twice"
            )
        with self._inside(type(module).__name__):
            if children is not None:
                pairs = [[name, self._describe_module(child)] for name, child in children]
                return {"class": name, "children": pairs}
            found = arguments_of(module, where=self._where(), advice=_ADVICE)
            arguments = {
                key: {"module": self._describe_module(value)}
                if isinstance(value, nn.Module)
                else self._at(f".{key}", value)
                for key, value in found.items()
            }
        return {"class": name, "arguments": arguments}

    def _encode_object(self, value: Any) -> dict[str, Any]:
        found = arguments_of(value, where=self._where(), advice=_ADVICE)
        arguments = {key: self._at(f".{key}", item) for key, item in found.items()}
        return {"object": {"class": address_of(type(value)), "arguments": arguments}}

    def _keep_weights(self, tensors: dict[str, Tensor]) -> str:
        prefix = f"n{self._n_networks}"
        self._n_networks += 1
        for key, value in tensors.items():
            if not isinstance(value, Tensor):
                raise TypeError(f"{self._where()} has the state {key!r}, which is no tensor")
            self.weights[f"{prefix}/{key}"] = (
                value.detach().cpu().clone(memory_format=torch.contiguous_format)
            )
        return prefix

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        """Forget what was collected of a value that turns out to have no form in a file."""
        collected: list[dict] = [self.arrays, self.weights, self.parts, self._known]
        lengths = [len(found) for found in collected]
        try:
            yield
        except TypeError:
            for found, length in zip(collected, lengths, strict=True):
                while len(found) > length:
                    found.popitem()
            raise

    # Where in the estimator we are, for messages.

    def _at(self, step: str, value: Any) -> Any:
        with self._inside(step):
            return self.encode(value)

    @contextmanager
    def _inside(self, step: str) -> Iterator[None]:
        self._trail.append(step)
        try:
            yield
        finally:
            self._trail.pop()

    def _where(self) -> str:
        return "".join(self._trail) or "what was given"


def _requests(value: MetadataRequest) -> dict[str, Any]:
    """Return what the methods of an estimator request, by method."""
    return {
        method: dict(found.requests)
        for method in value.__dict__
        if hasattr(found := getattr(value, method), "requests") and found.requests
    }


def _text(value: Any) -> str:
    cls = value if isinstance(value, type) else type(value)
    kind = f"the class {cls.__name__}" if isinstance(value, type) else f"{cls.__name__}(...)"
    name = getattr(value, "__qualname__", None)
    return f"{cls.__name__} {name}" if name and not isinstance(value, type) else kind
