"""Descriptions of modules and tensors; imported once torch is."""

from typing import Any

import torch

from serkit.utils._hashing import content_digest, describe_estimator

#: What every module has; the weights and hooks among it are described below. Recurrent
#: layers refer to their weights once more.
_MACHINERY = frozenset({*vars(torch.nn.Module()), "training", "_flat_weights", "_flat_weight_refs"})


@describe_estimator.register
def _(module: torch.nn.Module) -> Any:
    """Describe classes, settings, weights and hooks of all submodules, repeated ones too.

    A pickle of a module differs from process to process, for it names storages
    by their address, and so do the numbers under which hooks are kept.
    """
    return [
        [
            name,
            describe_estimator(type(part)),
            describe_estimator({k: v for k, v in vars(part).items() if k not in _MACHINERY}),
            describe_estimator({**part._parameters, **part._buffers}),
            describe_estimator(list(part._forward_pre_hooks.values())),
            describe_estimator(list(part._forward_hooks.values())),
        ]
        for name, part in module.named_modules(remove_duplicate=False)
    ]


@describe_estimator.register
def _(tensor: torch.Tensor) -> Any:
    values = tensor.detach().cpu()
    values = values.float() if values.dtype == torch.bfloat16 else values
    return [str(tensor.dtype), content_digest(values.numpy())]
