"""Networks that are made only if the weights in a file fit them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from serkit.persistence._errors import ModelFileError

__all__ = ["check_weights", "make_with_weights"]


def make_with_weights(make: Callable[[], nn.Module], weights: Mapping[str, Tensor]) -> nn.Module:
    """Return a network with the weights, after a look whether they fit.

    The look costs no memory: a description can ask for a network that no machine
    could hold.
    """
    with torch.device("meta"), _at_most(4 * len(weights) + 100):
        check_weights(make().state_dict(), weights)
    module = make()
    module.load_state_dict(weights)
    return module


def check_weights(expected: Mapping[str, Tensor], weights: Mapping[str, Tensor]) -> None:
    """Refuse weights of other names, shapes or types than expected."""
    missing, foreign = expected.keys() - weights.keys(), weights.keys() - expected.keys()
    if missing or foreign:
        raise ModelFileError(
            f"tensors are missing: {sorted(missing)}, and others have no place: {sorted(foreign)}"
        )
    for name, value in expected.items():
        found = weights[name]
        if (found.shape, found.dtype) != (value.shape, value.dtype):
            raise ModelFileError(
                f"{name} is {found.dtype} of shape {tuple(found.shape)}, and should be "
                f"{value.dtype} of shape {tuple(value.shape)}"
            )


@contextmanager
def _at_most(n_tensors: int) -> Iterator[None]:
    """Stop a description that asks for layers without end."""
    made = 0

    def count(module: nn.Module, name: str, parameter: Any) -> None:
        nonlocal made
        made += 1
        if made > n_tensors:
            raise ModelFileError("it describes a network of more layers than it has weights for")

    hook = register_module_parameter_registration_hook(count)
    try:
        yield
    finally:
        hook.remove()
