"""The arguments that an object was made with, read from the object."""

import inspect
from collections.abc import Mapping
from typing import Any

from torch import nn

from serkit.persistence._registry import recipe_of

__all__ = ["arguments_of", "children_of", "comes_again_with_weights", "has_hooks"]

#: Modules whose constructors do not name their parameters.
_RECURRENT = (
    ["input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional"],
    (nn.RNN, nn.LSTM, nn.GRU),
)

#: Where and how numbers are kept is decided by the weights and by the machine.
_PLACES = {"device", "dtype"}


def children_of(module: nn.Module) -> list[tuple[str, Any]] | None:
    """Return what a container of torch holds, or None if it is no such container."""
    if type(module) in (nn.Sequential, nn.ModuleList, nn.ModuleDict):
        return list(module._modules.items())  # unlike named_children, with those that come again
    return None


def comes_again_with_weights(children: list[tuple[str, Any]]) -> nn.Module | None:
    """Return the first of the children that is there twice and has weights."""
    seen: set[int] = set()
    for _, child in children:
        if id(child) in seen and child.state_dict():
            return child
        seen.add(id(child))
    return None


def has_hooks(module: nn.Module) -> bool:
    """Say whether functions were hung on a module, or on one within it, that change what it does.

    Those of ``torch.nn.utils``, such as norms of weights, belong to the module.
    """
    return any(
        not type(hook).__module__.startswith("torch.nn.utils.")
        for part in module.modules()
        for hook in [*part._forward_hooks.values(), *part._forward_pre_hooks.values()]
    )


def arguments_of(value: Any, *, where: str, advice: str) -> Mapping[str, Any]:
    """Return the arguments that make an object like this one."""
    cls = type(value)
    recipe = recipe_of(cls)
    if recipe is not None:
        return recipe(value)
    names, classes = _RECURRENT
    if cls in classes:
        return {name: getattr(value, name) for name in names} | (
            {"proj_size": value.proj_size} if cls is nn.LSTM else {}
        )
    found = {}
    for name, parameter in inspect.signature(cls).parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if isinstance(value, nn.Module) and name in _PLACES:
            continue
        if not hasattr(value, name):
            raise TypeError(
                f"{where} is {cls.__name__}(...), which does not keep its argument {name!r} as an "
                "attribute of that name. Register the class with "
                "serkit.persistence.register(cls, arguments=...), which says what they were"
            )
        found[name] = getattr(value, name)
        if isinstance(value, nn.Module) and name == "bias":
            found[name] = found[name] is not None and found[name] is not False
    return found
