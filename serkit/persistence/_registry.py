"""The classes and functions that a model file can name, and no others."""

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from sklearn.base import BaseEstimator
from torch import nn

from serkit.persistence._errors import ModelFileError

__all__ = ["address_of", "find", "is_referable", "recipe_of", "register"]

Named = TypeVar("Named", bound=Callable[..., Any])

#: Rooms whose public estimators a file can name.
_ROOMS = (
    "augmentation",
    "feature_extraction",
    "neural_network",
    "over_sampling",
    "pipeline",
    "preprocessing",
)

#: What lies above this room, and what is no estimator but a parameter of one.
_OTHERS = frozenset(
    {
        "serkit.augmentation:Compose",
        "serkit.augmentation:GainChange",
        "serkit.augmentation:PitchShift",
        "serkit.augmentation:RandomGain",
        "serkit.augmentation:Reverberation",
        "serkit.augmentation:SpecAugment",
        "serkit.augmentation:SpeedChange",
        "serkit.evaluation:HoldoutSearchCV",
        "serkit.inspection:ModuleFeatureExtractor",
        "serkit.metrics:ccc_scorer",
        "serkit.metrics:sequence_ccc_scorer",
        "serkit.metrics:uar_scorer",
        "serkit.metrics:wa_scorer",
        "serkit.model_selection:LeaveSpeakersOut",
        "serkit.model_selection:SpeakerHoldout",
        "serkit.over_sampling:AppendUniform",
        "serkit.training:ExponentialDecay",
        "serkit.training:Mixup",
        "sklearn.calibration:_CalibratedClassifier",
        "sklearn.calibration:_SigmoidCalibration",
        "sklearn.feature_selection:chi2",
        "sklearn.feature_selection:f_classif",
        "sklearn.feature_selection:f_regression",
        "sklearn.feature_selection:mutual_info_classif",
        "sklearn.feature_selection:mutual_info_regression",
    }
)

#: Public modules of other packages, whose estimators and splitters a file can name.
_PACKAGES = {
    "sklearn": (
        "calibration",
        "cluster",
        "compose",
        "covariance",
        "cross_decomposition",
        "decomposition",
        "discriminant_analysis",
        "dummy",
        "ensemble",
        "feature_selection",
        "frozen",
        "gaussian_process",
        "impute",
        "isotonic",
        "kernel_approximation",
        "kernel_ridge",
        "linear_model",
        "manifold",
        "mixture",
        "model_selection",
        "multiclass",
        "multioutput",
        "naive_bayes",
        "neighbors",
        "neural_network",
        "pipeline",
        "preprocessing",
        "random_projection",
        "semi_supervised",
        "svm",
        "tree",
    ),
    "imblearn": ("combine", "ensemble", "over_sampling", "pipeline", "under_sampling"),
}


@dataclass(frozen=True)
class _Registered:
    """A class or function of the user, and how the arguments of an object are found."""

    found: Callable[..., Any]
    arguments: Callable[[Any], Mapping[str, Any]] | None


_REGISTERED: dict[str, _Registered] = {}


def register(
    cls: Named | None = None,
    *,
    name: str | None = None,
    arguments: Callable[[Any], Mapping[str, Any]] | None = None,
) -> Any:
    """Allow model files to name a class or a function of yours.

    :func:`load` makes objects of serkit, scikit-learn, imbalanced-learn and
    ``torch.nn`` only. A network, a transformer, a module or a function of your
    own has to be registered before a model that holds it is saved, and before
    it is loaded. Its code is never in the file: it is the one that is
    registered where the file is loaded.

    Parameters
    ----------
    cls : class or function, default=None
        What files may name: an estimator, a ``torch.nn.Module``, another class
        whose objects are parameters, or a function. Without it a decorator is
        returned.
    name : str, default=None
        The name in files; ``None`` is the module and the name of the class.
        Name it if one of them may change.
    arguments : callable, default=None
        Called with an object of the class, it returns the arguments of the
        constructor as a dict; ``None`` reads attributes of the names of the
        parameters. Estimators have ``get_params``, and need none.

    Returns
    -------
    cls : class or function
        What was given, or a decorator.

    Raises
    ------
    ValueError
        If the name belongs to something else.
    TypeError
        If it is neither a class nor a function.

    See Also
    --------
    save : Refuses what is not registered.

    Examples
    --------
    >>> import torch
    >>> from serkit.persistence import register
    >>> @register(name="example:Louder")
    ... class Louder(torch.nn.Module):
    ...     def __init__(self, gain):
    ...         super().__init__()
    ...         self.gain = gain
    ...
    ...     def forward(self, x):
    ...         return self.gain * x
    """
    if cls is None:
        return lambda found: register(found, name=name, arguments=arguments)
    if not inspect.isclass(cls) and not inspect.isroutine(cls):
        raise TypeError(f"a class or a function can be registered, not {cls!r}")
    name = name or f"{cls.__module__}:{cls.__qualname__}"
    before = _REGISTERED.get(name)
    if _is_reserved(name) or (before is not None and not _is_same(before.found, cls)):
        raise ValueError(f"the name {name!r} belongs to something else: pass another by name=")
    _REGISTERED[name] = _Registered(cls, arguments)
    return cls


def recipe_of(cls: Any) -> Callable[[Any], Mapping[str, Any]] | None:
    """Return what was registered to find the arguments of an object, if anything was."""
    return next((entry.arguments for entry in _REGISTERED.values() if entry.found is cls), None)


def address_of(found: Any) -> str | None:
    """Return the name of a class or function in files, or None if it has none."""
    for name, entry in _REGISTERED.items():
        if entry.found is found:
            return name
    module, name = getattr(found, "__module__", None), getattr(found, "__name__", None)
    if not isinstance(module, str) or not isinstance(name, str):
        return None
    public = module.split("._")[0]
    if module.startswith("torch.nn.modules."):
        public = "torch.nn"
    elif module.startswith("torch.optim."):
        public = "torch.optim"
    candidates = [f"{public}:{name}"]
    if module.startswith(("sklearn.", "imblearn.")):
        candidates.append(f"{'.'.join(module.split('.')[:2])}:{name}")
    for candidate in candidates:
        if _is_reserved(candidate):
            try:
                same = find(candidate) is found
            except ModelFileError:
                continue
            if same:
                return candidate
    return None


def find(name: Any) -> Any:
    """Return what a file names, if files can name it."""
    if not isinstance(name, str):
        raise ModelFileError(f"a class is named by text, not by {str(name)[:60]!r}")
    if name in _REGISTERED:
        return _REGISTERED[name].found
    if not _is_reserved(name):
        raise ModelFileError(
            f"{name[:100]!r} is not among the classes that a model file may name. If it is yours, "
            "import it and call serkit.persistence.register(...) before loading"
        )
    room, _, part = name.partition(":")
    module = importlib.import_module(room)
    public = getattr(module, "__all__", None) or dir(module)
    found = getattr(module, part, None) if part in public else None
    if name in _OTHERS and found is not None:
        return found
    if inspect.isclass(found) and not inspect.isabstract(found) and _is_allowed(room, found):
        return found
    raise ModelFileError(
        f"there is no {part[:60]!r} in {room} of this version that a file may name"
    )


def is_referable(name: str) -> bool:
    """Say whether a file can hold the named thing itself, not only an object of it."""
    is_function = name in _OTHERS and name.startswith("sklearn.feature_selection:")
    return name in _REGISTERED or name.startswith("torch.optim:") or is_function


def _is_reserved(name: str) -> bool:
    """Say whether a name is in a module of which files can name something."""
    if name in _OTHERS:
        return True
    room, colon, part = name.partition(":")
    package, _, inner = room.partition(".")
    if not colon or not part.isidentifier() or part.startswith("_"):
        return False
    if package == "serkit":
        return inner in _ROOMS
    return room in ("torch.nn", "torch.optim") or inner in _PACKAGES.get(package, ())


def _is_allowed(room: str, found: type) -> bool:
    if room == "torch.nn":
        return issubclass(found, nn.Module) and found not in (nn.Module, nn.DataParallel)
    if room == "torch.optim":
        return issubclass(found, torch.optim.Optimizer)
    if room == "sklearn.model_selection" and hasattr(found, "get_n_splits"):
        return True
    return issubclass(found, BaseEstimator)


def _is_same(before: Any, now: Any) -> bool:
    """Say whether a definition is run again, as in a notebook."""
    return (before.__module__, before.__qualname__) == (now.__module__, now.__qualname__)
