"""Feature maps inside a network: which there are, and how to catch them on their way."""

from collections.abc import Iterable
from functools import partial
from numbers import Integral
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor, nn

from serkit.modules._frame_tracking import CONVOLUTIONS, FrameTracker
from serkit.modules._networks import find_part

__all__ = ["FeatureMap", "FeatureTap", "convolution_names"]

POSITIONS = ("activation", "convolution", "input")
_ACTIVATIONS = (
    nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.RReLU, nn.ELU, nn.CELU, nn.SELU, nn.GELU,
    nn.SiLU, nn.Mish, nn.Softplus, nn.Softsign, nn.Tanh, nn.Sigmoid, nn.Hardtanh,
    nn.Hardsigmoid, nn.Hardswish,
)  # fmt: skip


class FeatureMap(NamedTuple):
    """What was caught at a layer.

    Parameters
    ----------
    values : Tensor of shape (n_utterances, n_channels, n_bins, n_frames)
        The maps. What has no bins has one; what has no frames has one too.
    lengths : Tensor of shape (n_utterances,) or None
        Number of frames of every utterance in these maps; ``None`` if nothing is
        padded. Behind the end of an utterance the values mean nothing.
    """

    values: Tensor
    lengths: Tensor | None


class FeatureTap:
    """Catch feature maps while a network runs.

    It is a context manager, outside of which the network is as it was.

    Parameters
    ----------
    module : Module
        A network.
    layers : int, str or sequence of these
        Where to tap. A number is a convolution, counted from 1 in the order in
        which they are called, see :func:`convolution_names`; a name is a stage
        of the network or a part of one, as of :func:`find_part`, of which the
        output is caught.
    position : {"activation", "convolution", "input"}, default="activation"
        Where at a convolution: behind the first activation layer that is called
        after it and before the next convolution, of what is left there of its
        maps (normalised, pooled, added to those of a shortcut); its own output,
        which is also what is caught where no such layer follows, see
        `activations`; or what enters it. An activation that is a function, such
        as ``torch.relu``, is no layer.

    Attributes
    ----------
    names : list of str
        The convolutions called so far, in that order.
    activations : dict of int to str
        The activation behind which the maps of a convolution were caught, if one
        has followed.

    Raises
    ------
    TypeError
        If `layers` holds something else than numbers and names.
    ValueError
        If the network has no such layer, or calls one more than once in a pass.

    See Also
    --------
    AntiTransferLoss : Compares the maps of two networks.

    Notes
    -----
    Under a gradient, a map of a network in training that no trained weight has
    an influence on is an error: a loss on it would teach nothing. That is the
    input of the first convolution, or what frozen stages make.

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import CNN2DBiGRUEncoder, FeatureTap
    >>> encoder = CNN2DBiGRUEncoder(1, 20, n_conv_layers=2)
    >>> with FeatureTap(encoder, [1, "block2"]) as tap:
    ...     embedding = encoder(torch.zeros(2, 1, 20, 30), torch.tensor([30, 24]))
    >>> maps = tap.take()
    >>> maps[1].values.shape, maps["block2"].lengths
    (torch.Size([2, 64, 10, 15]), tensor([8, 6]))
    """

    def __init__(
        self,
        module: nn.Module,
        layers: int | str | Iterable[int | str],
        *,
        position: str = "activation",
    ) -> None:
        if position not in POSITIONS:
            raise ValueError(f"position is one of {POSITIONS}, not {position!r}")
        self.module = module
        self.layers = _as_layers(layers)
        self.position = position
        self.names: list[str] = []
        self.activations: dict[int, str] = {}
        self._names = _part_names(module)
        self._parts = {name: self._find(name) for name in self.layers if isinstance(name, str)}
        self._check_numbers()
        self._in_place = any(getattr(part, "inplace", False) for part in module.modules())
        self._trained = any(weights.requires_grad for weights in module.parameters())
        self._handles: list[Any] = []
        self._stop_early = False
        self._tracker = FrameTracker()
        self._forget()

    def __enter__(self) -> Self:
        self.names.clear()
        self._forget()
        self._handles.append(self.module.register_forward_pre_hook(self._begin_pass))
        for part in self.module.modules():
            self._handles += self._tracker.watch(part)
            if isinstance(part, CONVOLUTIONS):
                self._handles.append(part.register_forward_pre_hook(self._before_convolution))
                self._handles.append(part.register_forward_hook(self._behind_convolution))
            elif isinstance(part, _ACTIVATIONS):
                self._handles.append(part.register_forward_hook(self._behind_activation))
        for name, part in self._parts.items():
            self._handles.append(part.register_forward_hook(partial(self._behind_part, name)))
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def take(self) -> dict[int | str, FeatureMap]:
        """Return what the last forward pass has left, and forget it.

        Returns
        -------
        maps : dict
            A :class:`FeatureMap` for every layer, in the order of `layers`.

        Raises
        ------
        RuntimeError
            If the network has not run, or has not come by a layer.
        """
        missing = [layer for layer in self.layers if layer not in self._maps]
        if missing:
            raise RuntimeError(
                f"the network has not come by {', '.join(map(repr, missing))}; run it inside "
                "`with` first"
            )
        maps = {layer: self._maps[layer] for layer in self.layers}
        self._forget()
        return maps

    def collect(self, *args: Any, **kwargs: Any) -> dict[int | str, FeatureMap]:
        """Run the network as far as the last of the layers, and return its maps.

        Parameters
        ----------
        *args, **kwargs : object
            As of the network.

        Returns
        -------
        maps : dict
            As of :meth:`take`.
        """
        with self:
            self._stop_early = True
            try:
                self.module(*args, **kwargs)
            except _AllCaughtError:
                pass
            finally:
                self._stop_early = False
        return self.take()

    # What there is to tap.

    def _find(self, name: str) -> nn.Module:
        try:
            if hasattr(self.module, "stages"):
                return find_part(self.module, name)
            return self.module.get_submodule(name)
        except (ValueError, AttributeError):
            raise ValueError(f"there is no layer {name!r}; {self._offer()}") from None

    def _check_numbers(self) -> None:
        numbers = [layer for layer in self.layers if not isinstance(layer, str)]
        n_convolutions = sum(isinstance(part, CONVOLUTIONS) for part in self._names)
        for number in numbers:
            if not 1 <= number <= n_convolutions:
                raise ValueError(f"there is no convolution {number}; {self._offer()}")
        if len(set(self.layers)) < len(self.layers):
            raise ValueError(f"layers={self.layers} names a layer twice")

    def _offer(self) -> str:
        """Say what can be tapped."""
        names = [name for part, name in self._names.items() if isinstance(part, CONVOLUTIONS)]
        numbers = f"1 to {len(names)} ({', '.join(names)})" if names else "none"
        stages = getattr(self.module, "stages", None) or dict(self.module.named_children())
        return f"the convolutions are {numbers}, and the stages are {', '.join(stages)}"

    # What is caught.

    def _forget(self) -> None:
        self._maps: dict[int | str, FeatureMap] = {}
        self._sought = set(self.layers)
        self._awaiting: int | None = None
        self._tracker.forget()

    def _begin_pass(self, _module: nn.Module, _inputs: tuple) -> None:
        self.activations.clear()
        self._forget()

    def _raise_of_second_call(self, layer: int | str, name: str) -> None:
        if layer not in self._sought:
            raise ValueError(
                f"{name!r} is called more than once in a pass, so that layer {layer!r} would be "
                "the maps of one call among several; tap another layer"
            )

    def _keep(self, layer: int | str, values: Tensor, *, frames_axis: int = -1) -> Tensor:
        """Remember a map; return what the network goes on with."""
        if torch.is_grad_enabled() and self._trained and not values.requires_grad:
            raise ValueError(
                f"no weight that is trained has an influence on layer {layer!r}"
                + (f" at position={self.position!r}" if isinstance(layer, int) else "")
                + ", so that a loss there would teach nothing; tap behind a trained layer, or "
                "use torch.no_grad() to look only"
            )
        n_frames = values.shape[frames_axis] if values.ndim > 2 else None
        lengths = None if n_frames is None else self._tracker.lengths(layer, n_frames)
        self._maps[layer] = FeatureMap(_as_maps(values, frames_axis), lengths)
        # What changes its input in place must not change what was caught.
        return values.clone() if self._in_place else values

    def _finish(self, layer: int | str) -> None:
        self._sought.discard(layer)
        if self._stop_early and not self._sought:
            raise _AllCaughtError

    def _before_convolution(self, convolution: nn.Module, inputs: tuple) -> None:
        if self._awaiting is not None:  # no activation has followed the one before
            self._finish(self._awaiting)
            self._awaiting = None
        name = self._names[convolution]
        if name not in self.names:
            self.names.append(name)
        number = self.names.index(name) + 1
        if number not in self.layers:
            return
        self._raise_of_second_call(number, name)
        if self.position == "input":
            self._keep(number, inputs[0])
            self._finish(number)

    def _behind_convolution(
        self, convolution: nn.Module, _inputs: tuple, output: Tensor
    ) -> Tensor | None:
        number = self.names.index(self._names[convolution]) + 1
        if number not in self.layers or self.position == "input":
            return None
        output = self._keep(number, output)
        if self.position == "convolution":
            self._finish(number)
        else:
            self._awaiting = number
        return output

    def _behind_activation(
        self, activation: nn.Module, _inputs: tuple, output: Tensor
    ) -> Tensor | None:
        number = self._awaiting
        if number is None or not self._is_of(number, output):
            return None
        self._awaiting = None
        self.activations[number] = self._names[activation]
        output = self._keep(number, output)
        self._finish(number)
        return output

    def _is_of(self, number: int, output: Tensor) -> bool:
        """Say whether an activation is of the maps of a convolution, not of a later layer."""
        values = self._maps[number].values
        n_axes = 3 if isinstance(self._convolution(number), nn.Conv1d) else 4
        return output.ndim == n_axes and output.shape[:2] == values.shape[:2]

    def _convolution(self, number: int) -> nn.Module:
        name = self.names[number - 1]
        return next(part for part, own in self._names.items() if own == name)

    def _behind_part(
        self, name: str, part: nn.Module, _inputs: tuple, output: Any
    ) -> Tensor | tuple | None:
        values = output[0] if isinstance(output, tuple) and len(output) == 2 else output
        if not isinstance(values, Tensor) or values.ndim not in (2, 3, 4):
            raise ValueError(f"{name!r} makes no maps of utterances; {self._offer()}")
        self._raise_of_second_call(name, name)
        # Sequences have their time before their values, but for 1-D convolutions.
        of_sequences = values.ndim == 3 and not isinstance(part, nn.Conv1d)
        values = self._keep(name, values, frames_axis=1 if of_sequences else -1)
        self._finish(name)
        return (values, *output[1:]) if isinstance(output, tuple) else values


class _AllCaughtError(Exception):
    """Ends a forward pass of which the rest is not needed."""


def convolution_names(module: nn.Module, *inputs: Tensor) -> list[str]:
    """Return the names of the convolutions of a network in the order in which they are called.

    Parameters
    ----------
    module : Module
        A network.
    *inputs : Tensor
        An example of what it takes.

    Returns
    -------
    names : list of str
        "stage.part" if the network has stages. The first is layer 1 of
        :class:`FeatureTap`.

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import CNN2DBiGRUEncoder, convolution_names
    >>> convolution_names(CNN2DBiGRUEncoder(1, 20, n_conv_layers=2), torch.zeros(1, 1, 20, 30))
    ['block1.convolution', 'block2.convolution']
    """
    modes = {part: part.training for part in module.modules()}
    try:
        with torch.no_grad(), FeatureTap(module.eval(), ()) as tap:
            module(*inputs)
    finally:
        for part, training in modes.items():
            part.training = training
    return list(tap.names)


def _as_layers(layers: Any) -> tuple[int | str, ...]:
    """Return one layer or several as a tuple; raise if something else is among them."""
    several = [layers] if isinstance(layers, Integral | str) else layers
    try:
        several = list(several)
    except TypeError:
        several = [None]
    if not all(isinstance(layer, Integral | str) for layer in several):
        raise TypeError(f"layers holds numbers of convolutions or names, got {layers!r}")
    return tuple(layer if isinstance(layer, str) else int(layer) for layer in several)


def _part_names(module: Any) -> dict[nn.Module, str]:
    """Return all parts of a network with the names by which they can be tapped."""
    if not hasattr(module, "stages"):
        return {part: name for name, part in module.named_modules()}
    names = {part: name for name, part in module.named_modules()}
    for stage, of_stage in module.stages.items():
        for name, part in of_stage.named_modules():
            names[part] = f"{stage}.{name}" if name else stage
    return names


def _as_maps(values: Tensor, frames_axis: int) -> Tensor:
    """Return values with the axes utterances, channels, bins, frames."""
    if values.ndim == 2:
        return values[:, :, None, None]
    if values.ndim == 3:
        return (values.transpose(1, 2) if frames_axis == 1 else values).unsqueeze(2)
    return values
