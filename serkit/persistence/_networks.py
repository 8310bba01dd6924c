"""A fitted network as one safetensors file: weights, and all else as JSON in its header."""

import inspect
import json
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import save as to_bytes
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from serkit import __version__, neural_network
from serkit.neural_network import NeuralClassifier, NeuralEstimator, NeuralRegressor
from serkit.persistence._values import from_json, to_json
from serkit.training import torch_session

__all__ = ["load", "save"]

#: Raised by one whenever files change so that earlier versions would misread them.
_FORMAT = 1

#: The only classes that a file can name.
_NETWORKS: dict[str, type[NeuralEstimator]] = {
    name: found
    for name in neural_network.__all__
    if inspect.isclass(found := getattr(neural_network, name))
    and issubclass(found, NeuralEstimator)
    and not inspect.isabstract(found)
}

#: Without these a network predicts as before; all other parameters decide what it is.
_TRAINING_ONLY = {
    name
    for base in (NeuralClassifier, NeuralRegressor)
    for name in inspect.signature(base).parameters
}


def save(estimator: NeuralEstimator, path: str | os.PathLike) -> None:
    """Write a fitted network to a file that holds no code.

    The file is in the format of safetensors: the weights as tensors, everything
    else (class, parameters, classes, history) as JSON in its header. Unlike a
    pickle it runs nothing when it is loaded.

    Parameters
    ----------
    estimator : estimator
        A fitted network of :mod:`serkit.neural_network`.
    path : path-like
        The file; one that exists is replaced once the new one is complete.

    Raises
    ------
    TypeError
        If the estimator is not such a network, such as a pipeline, or holds
        something that JSON cannot, such as a module given as encoder.
    sklearn.exceptions.NotFittedError
        If it is not fitted.

    Warns
    -----
    UserWarning
        If parameters that matter for training only, such as callbacks, have no
        form in JSON; they are back at their defaults after :func:`load`.

    See Also
    --------
    load : Reads the file.

    Notes
    -----
    The parameter `device` is not written: a network is loaded to "auto".

    Examples
    --------
    >>> import tempfile
    >>> import serkit
    >>> from sklearn.datasets import load_iris
    >>> from serkit.neural_network import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> mlp = MLPClassifier((8,), max_epochs=2, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     serkit.save(mlp, f"{folder}/mlp.safetensors")
    ...     loaded = serkit.load(f"{folder}/mlp.safetensors")
    >>> bool((loaded.predict_proba(X) == mlp.predict_proba(X)).all())
    True
    """
    name = type(estimator).__name__
    if not _is_network(estimator):
        raise TypeError(
            f"only networks of serkit.neural_network ({', '.join(_NETWORKS)}) can be saved so far, "
            f"and this is {name}. Save the network alone (pipeline[-1], say), or all of it by "
            "joblib.dump; joblib.load runs code from the file, so load only files that you trust"
        )
    check_is_fitted(estimator, "net_")
    contents = {
        "format": _FORMAT,
        "class": name,
        "parameters": _encode_parameters(estimator),
        "attributes": _encode_attributes(estimator),
        "versions": {"serkit": __version__, "torch": str(torch.__version__)},
    }
    _check_parameters(estimator)
    weights = {
        key: value.detach().cpu().clone(memory_format=torch.contiguous_format)
        for key, value in estimator.net_.module_.state_dict().items()
    }
    _write(Path(path), to_bytes(weights, {"serkit": json.dumps(contents, allow_nan=False)}))


def load(path: str | os.PathLike) -> NeuralEstimator:
    """Read a network that :func:`save` has written.

    Nothing in the file is executed, so files from others may be loaded.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    estimator : estimator
        The fitted network. On the kind of device that it was saved from it
        predicts what it did, bit for bit, and can be trained further with
        ``warm_start=True``.

    Raises
    ------
    ValueError
        If the file was not written by :func:`save`, is damaged, or needs a
        newer version of serkit.

    See Also
    --------
    save : Writes the file.
    """
    path = Path(path)
    contents, weights = _read(path)
    try:
        return _rebuild(contents, weights)
    except Exception as error:
        # Whatever a file made by someone else runs into, the file is to blame.
        raise ValueError(f"{path} holds no network that can be rebuilt: {error}") from error


def _check_parameters(estimator: NeuralEstimator) -> None:
    """Refuse parameters that were changed since the network was made of them."""
    try:
        with torch_session(seed=0), torch.device("meta"):
            described = repr(estimator._make_network())
    except Exception as error:  # such as sizes that do not fit the input any more
        described = str(error)
    if described != repr(estimator.net_.module_):
        raise ValueError(
            "the parameters describe another network than the one that was fitted: fit again, or "
            "set them back"
        )


def _is_network(value: Any) -> bool:
    return _NETWORKS.get(type(value).__name__) is type(value)


def _encode_parameters(estimator: NeuralEstimator, *, nested: bool = False) -> dict[str, Any]:
    encoded, left_out = {}, []
    for name, value in estimator.get_params(deep=False).items():
        if name == "device":
            continue
        try:
            if _is_network(value):
                parameters = _encode_parameters(value, nested=True)
                about = {"class": type(value).__name__, "parameters": parameters}
                encoded[name] = {"network": about}
            else:
                encoded[name] = to_json(value)
        except TypeError as error:
            if name not in _TRAINING_ONLY:
                raise TypeError(
                    f"{type(estimator).__name__} with {name}={type(value).__name__}(...) cannot be "
                    "saved, for the file holds no code to rebuild it from. Save the weights, "
                    "estimator.net_.module_.state_dict(), by torch.save, or all of it by "
                    "joblib.dump; joblib.load runs code from the file, so load only files that "
                    "you trust"
                ) from error
            left_out.append(name)
    if hasattr(estimator, "_metadata_request"):
        left_out.append("set_fit_request")
    if left_out and not nested:  # A network within another one is never trained.
        warnings.warn(
            "what matters for training only and has no form in JSON is not saved, and will be at "
            f"its default: {', '.join(left_out)}",
            UserWarning,
            stacklevel=3,
        )
    return encoded


def _encode_attributes(estimator: NeuralEstimator) -> dict[str, Any]:
    encoded = {}
    others = {"net_", "_metadata_request", *estimator.get_params(deep=False)}
    for name, value in vars(estimator).items():
        if name not in others:
            try:
                encoded[name] = to_json(value)
            except TypeError as error:
                raise TypeError(f"{name} cannot be saved: {error}") from error
    return encoded


def _write(path: Path, data: bytes) -> None:
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        unfinished.write_bytes(data)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    try:
        with safetensors.safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except safetensors.SafetensorError as error:
        raise ValueError(f"{path} is damaged or no safetensors file: {error}") from error
    if "serkit" not in metadata:
        raise ValueError(f"{path} was not written by serkit.save: its header does not say so")
    try:
        contents = json.loads(metadata["serkit"])
        number = contents["format"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ValueError(f"{path} has a damaged header: {error}") from error
    if number != _FORMAT:
        raise ValueError(
            f"{path} has format {number!r}, and serkit {__version__} reads format {_FORMAT}: "
            "a newer version of serkit wrote it"
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
    cls = type(estimator)
    for name, value in contents["attributes"].items():
        if hasattr(cls, name) or name in estimator.get_params(deep=False):
            raise ValueError(f"{name} is no result of fitting")
        setattr(estimator, name, from_json(value))
    with torch_session(seed=0):
        with torch.device("meta"):  # Before memory is asked for, see whether the weights fit.
            _check_weights(estimator._make_network().state_dict(), weights)
        module = estimator._make_network()
        module.load_state_dict(weights)
        estimator.net_ = estimator._make_net(module, seed=0)
    return estimator


def _check_weights(expected: Mapping[str, Tensor], weights: Mapping[str, Tensor]) -> None:
    missing, foreign = expected.keys() - weights.keys(), weights.keys() - expected.keys()
    if missing or foreign:
        raise ValueError(
            f"tensors are missing: {sorted(missing)}, and others have no place: {sorted(foreign)}"
        )
    for name, value in expected.items():
        found = weights[name]
        if (found.shape, found.dtype) != (value.shape, value.dtype):
            raise ValueError(
                f"{name} is {found.dtype} of shape {tuple(found.shape)}, and should be "
                f"{value.dtype} of shape {tuple(value.shape)}"
            )
