"""How many frames of the maps inside a network are real: lengths, followed from layer to layer."""

import inspect
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor, nn

from serkit.modules._quaternion_layers import QuaternionConv2d

__all__ = ["CONVOLUTIONS", "FrameTracker"]

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, QuaternionConv2d)
_LAYERS = (*CONVOLUTIONS, nn.MaxPool1d, nn.MaxPool2d, nn.AvgPool1d, nn.AvgPool2d)


class FrameTracker:
    """Follow the lengths of a batch through a network.

    Whatever takes or returns ``lengths`` tells them; convolutions and poolings
    change them by their geometry.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        #: The number of frames of every utterance, and at last with padding.
        self._frames: Tensor | None = None

    def watch(self, part: nn.Module) -> list[Any]:
        """Follow what a part of the network does to lengths; return the handles of the hooks."""
        cls: Any = type(part)
        place = _place_of_lengths(cls)
        if place is not None:
            return [
                part.register_forward_pre_hook(partial(self._enter, place), with_kwargs=True),
                part.register_forward_hook(self._leave),
            ]
        if isinstance(part, _LAYERS):
            return [part.register_forward_hook(self._move)]
        return []

    def lengths(self, layer: int | str, n_frames: int) -> Tensor | None:
        """Return how many of the frames of a map belong to each utterance, if it is padded."""
        if self._frames is None:
            return None
        if int(self._frames[-1]) != n_frames:
            raise ValueError(
                f"which frames of the maps of layer {layer!r} belong to their utterance cannot be "
                f"told: there are {n_frames}, and by the layers before there should be "
                f"{int(self._frames[-1])}. Tap a stage that returns (values, lengths)"
            )
        return self._frames[:-1]

    def _enter(self, place: int, _part: nn.Module, args: tuple, kwargs: dict[str, Any]) -> None:
        lengths = args[place] if len(args) > place else kwargs.get("lengths")
        self._set(args[0] if args else next(iter(kwargs.values())), lengths)

    def _leave(self, _part: nn.Module, _inputs: tuple, output: Any) -> None:
        if isinstance(output, tuple) and len(output) == 2 and isinstance(output[0], Tensor):
            self._set(*output)

    def _set(self, x: Tensor, lengths: Tensor | None) -> None:
        self._frames = None
        if lengths is not None:
            n_frames = x.shape[1] if x.ndim == 3 else x.shape[-1]
            self._frames = torch.cat([lengths, lengths.new_tensor([n_frames])])

    def _move(self, layer: nn.Module, _inputs: tuple, _output: Tensor) -> None:
        if self._frames is not None:
            self._frames = _frames_behind(layer, self._frames)


@cache
def _place_of_lengths(cls: Any) -> int | None:
    """Return the number of the argument ``lengths`` of modules of a class, if there is one."""
    _self, *names = inspect.signature(cls.forward).parameters
    return names.index("lengths") if "lengths" in names else None


def _frames_behind(layer: Any, frames: Tensor) -> Tensor:
    """Return how many frames a convolution or a pooling leaves of so many."""
    sizes = ("kernel_size", "stride", "dilation", "padding")
    kernel, stride, dilation, padding = (_of_time(getattr(layer, size, 1)) for size in sizes)
    if padding == "same":
        return frames
    both_sides = 0 if padding == "valid" else 2 * int(padding)
    reach = int(dilation) * (int(kernel) - 1) + 1
    moved = frames + both_sides - reach
    if not getattr(layer, "ceil_mode", False):
        return torch.div(moved, int(stride), rounding_mode="floor") + 1
    left = torch.div(moved + int(stride) - 1, int(stride), rounding_mode="floor") + 1
    # No window begins behind the frames.
    return left - ((left - 1) * int(stride) >= frames + int(padding)).to(left.dtype)


def _of_time(size: Any) -> int | str:
    """Return the part of a size that is along frames."""
    return size if isinstance(size, int | str) else size[-1]
