"""Plain estimators of scikit-learn, written and read by skops with nothing trusted."""

import re
import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator

from serkit.persistence._archive import read_json, read_members
from serkit.persistence._attributes import check_attribute
from serkit.persistence._compiled import check_compiled
from serkit.persistence._errors import ModelFileError
from serkit.utils import import_optional

__all__ = ["PlainPartError", "is_plain", "read_plain", "write_plain"]

_PACKAGES = {"builtins", "collections", "numpy", "scipy", "sklearn"}

#: What skops trusts, and what nevertheless follows its numbers without a look.
_UNCHECKED = "sklearn.ensemble._hist_gradient_boosting"

#: Members of a file of skops: the description, arrays and sparse matrices.
_MEMBER = re.compile(r"schema\.json|[0-9]+\.(npy|npz)")

#: The nodes of skops that hold data. Those that look up methods, operators and constructors
#: by name are not among them, and no plain estimator needs them.
_NODES = frozenset(
    {
        "BytesNode",
        "BytearrayNode",
        "CachedNode",
        "DefaultDictNode",
        "DictNode",
        "DTypeNode",
        "FunctionNode",
        "JsonNode",
        "ListNode",
        "LossNode",
        "MaskedArrayNode",
        "NdArrayNode",
        "ObjectNode",
        "RandomGeneratorNode",
        "RandomStateNode",
        "SetNode",
        "SliceNode",
        "SparseMatrixNode",
        "TupleNode",
        "TypeNode",
    }
)


class PlainPartError(TypeError):
    """An estimator of scikit-learn holds what skops does not load without being told to."""


def is_plain(value: Any) -> bool:
    """Say whether an estimator is of scikit-learn alone, with all that it holds.

    One that holds a network is not: files of skops have been shown to run code
    when they hold objects of skorch.
    """
    return type(value).__module__.partition(".")[0] == "sklearn" and all(
        _is_of_packages(part) for part in _walk(value)
    )


def write_plain(estimator: BaseEstimator) -> bytes:
    """Return an estimator as a file of skops; raise PlainPartError if it would not be loaded."""
    skops = import_optional("skops.io", extra="persist", caller="serkit.save")
    name = type(estimator).__name__
    try:
        data = skops.dumps(estimator)
        untrusted = skops.get_untrusted_types(data=data)
    except (TypeError, ValueError, AttributeError, RecursionError) as error:
        raise PlainPartError(f"{name}: {error}") from error
    if untrusted:
        raise PlainPartError(
            f"{name} holds {', '.join(untrusted)}, which a file made by someone else could use to "
            "crash or to run code"
        )
    try:
        _check_schema(data)
    except ModelFileError as error:
        raise PlainPartError(f"{name}: {error}") from error
    return data


def read_plain(data: bytes) -> BaseEstimator:
    """Return the estimator of a file of skops that holds nothing but plain estimators."""
    skops = import_optional("skops.io", extra="persist", caller="serkit.load")
    _check_schema(data)
    try:
        estimator = skops.loads(data, trusted=[])
    except Exception as error:  # whatever a crafted file makes skops run into
        raise ModelFileError(f"a part in the format of skops was refused: {error}") from error
    if not isinstance(estimator, BaseEstimator) or not is_plain(estimator):
        raise ModelFileError(
            "a part in the format of skops is no plain estimator of scikit-learn, but "
            f"{type(estimator).__name__}"
        )
    _check_parts(estimator)
    return estimator


def _check_schema(data: bytes) -> None:
    """Look through the description of a file of skops, before skops does."""
    members = read_members(data, _MEMBER)
    if "schema.json" not in members:
        raise ModelFileError("a part in the format of skops has no schema.json")
    for name, content in members.items():
        if name.endswith(".npz") and _is_compressed(content):
            raise ModelFileError(f"the member {name!r} of a part is compressed")
    stack = [read_json(members["schema.json"])]
    named = 0
    while stack:
        node = stack.pop()
        if isinstance(node, list):
            stack += node
        elif isinstance(node, dict):
            stack += node.values()
            loader, module = node.get("__loader__"), node.get("__module__")
            # An array that is named again takes its memory again.
            named += len(members.get(str(node.get("file")), b""))
            if named > 2**24 + 4 * len(data):
                raise ModelFileError("a part in the format of skops names its arrays too often")
            if loader is not None and loader not in _NODES:
                raise ModelFileError(f"a part in the format of skops has a {str(loader)[:60]}")
            if module is not None and (
                str(module).partition(".")[0] not in _PACKAGES or str(module).startswith(_UNCHECKED)
            ):
                name = f"{module}.{node.get('__class__')}"
                raise ModelFileError(
                    f"a part in the format of skops names {name[:100]!r}, which is not of "
                    "scikit-learn, or not safe"
                )


def _is_compressed(data: bytes) -> bool:
    with zipfile.ZipFile(BytesIO(data)) as archive:
        return any(
            entry.file_size > 2**20 + 100 * entry.compress_size for entry in archive.infolist()
        )


def _walk(value: Any) -> Iterator[Any]:
    """Yield a value and all that it holds, each once."""
    seen: dict[int, Any] = {}
    stack = [value]
    while stack:
        part = stack.pop()
        if id(part) in seen:
            continue
        seen[id(part)] = part  # held, so that no id is used again
        yield part
        if isinstance(part, np.ndarray):
            stack += part.ravel().tolist() if part.dtype == object else []
        elif isinstance(part, dict):
            stack += [*part.keys(), *part.values()]
        elif isinstance(part, list | tuple | set | frozenset):
            stack += part
        elif not (issparse(part) or isinstance(part, type) or callable(part)):
            stack += getattr(part, "__dict__", {}).values()


def _is_of_packages(value: Any) -> bool:
    if type(value).__module__.partition(".")[0] not in _PACKAGES:
        return False
    if isinstance(value, type) or callable(value):
        return (getattr(value, "__module__", None) or "").partition(".")[0] in _PACKAGES
    # A memory is a folder of this machine.
    return getattr(value, "memory", None) is None


def _check_parts(estimator: BaseEstimator) -> None:
    """Require of all that skops has made what is required of other estimators."""
    for part in _walk(estimator):
        if isinstance(part, BaseEstimator):
            _check_estimator(part)
        check_compiled(part)


def _check_estimator(estimator: BaseEstimator) -> None:
    cls: Any = type(estimator)
    found = vars(estimator)
    # An older scikit-learn may have had fewer parameters, or others.
    params = {name: found[name] for name in cls._get_param_names() if name in found}
    if hasattr(cls, "_parameter_constraints"):
        cls(**params)._validate_params()
    for name in found.keys() - params.keys():
        check_attribute(estimator, name, set(found))
