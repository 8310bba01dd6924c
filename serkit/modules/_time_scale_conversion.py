"""Networks whose convolutions become those of several time scales."""

import copy
from collections.abc import Sequence
from typing import Any, TypeVar

import torch
from torch import nn

from serkit.modules._multi_time_scale import MultiTimeScaleConv2d

__all__ = ["convert_to_multi_time_scale"]

M = TypeVar("M", bound=nn.Module)


def convert_to_multi_time_scale(
    module: M, scale_factors: Sequence[float] = (0.7, 1.0, 1.428), **options
) -> M:
    """Return a copy of a network whose convolutions are of several time scales.

    Kernels that cover a single frame have nothing to stretch and stay, as do
    convolutions with groups, or with a padding other than zeros.

    Parameters
    ----------
    module : Module
        Any network; it is not changed. Its weights are those of scale 1.
    scale_factors : sequence of float, default=(0.7, 1.0, 1.428)
        As of :class:`MultiTimeScaleConv2d`.
    **options : dict
        As of :class:`MultiTimeScaleConv2d`; `align` is "pad", by which what
        becomes of an utterance does not depend on the padding of its batch.

    Returns
    -------
    module : Module

    Raises
    ------
    ValueError
        If there is no convolution to convert.

    Examples
    --------
    >>> from serkit.modules import CNN2DBiGRUEncoder, convert_to_multi_time_scale
    >>> encoder = convert_to_multi_time_scale(CNN2DBiGRUEncoder(1, 20), (0.5, 1.0, 2.0))
    >>> encoder.stages["block1"].convolution.kernel_lengths
    (1, 2, 4)
    """
    module = copy.deepcopy(module)
    options = {"align": "pad", **options}
    layers = [layer for layer in module.modules() if _can_be_converted(layer)]
    if not layers:
        known = any(isinstance(layer, MultiTimeScaleConv2d) for layer in module.modules())
        state = "is converted already" if known else "has no convolution over frames to convert"
        raise ValueError(f"{type(module).__name__} {state}")
    converted = {layer: _convert(layer, scale_factors, options) for layer in layers}
    if module in converted:
        return converted[module]
    for parent in module.modules():
        for name, layer in parent._modules.items():
            if layer in converted:
                setattr(parent, name, converted[layer])
    return module


def _can_be_converted(layer: nn.Module) -> bool:
    return (
        type(layer) is nn.Conv2d
        and layer.kernel_size[1] > 1
        and layer.groups == 1
        and layer.padding_mode == "zeros"
    )


def _convert(layer: Any, scale_factors: Sequence[float], options: dict) -> Any:
    with torch.device("meta"):  # draws no weights, for the layer has those it is to have
        converted = MultiTimeScaleConv2d(
            layer.in_channels,
            layer.out_channels,
            layer.kernel_size,
            stride=layer.stride,
            padding=layer.padding,
            dilation=layer.dilation,
            bias=layer.bias is not None,
            scale_factors=scale_factors,
            **options,
        )
    converted.weight, converted.bias = layer.weight, layer.bias
    return converted.train(layer.training)
