"""From frames to posteriors as one torch module, whose parts all have an ONNX operator."""

import copy
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from serkit.feature_extraction import FrameScaler
from serkit.modules import BidirectionalGRU, BidirectionalLSTM, is_length_aware, mask_frames

__all__ = ["FrameClassifier", "FrameScaling", "FunctionalsClassifier"]


class FunctionalsClassifier(nn.Module):
    """A network of functionals and the softmax behind it.

    Parameters
    ----------
    network : Module
        A fitted network; a copy is taken.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = _with_onnx_operators(network)

    def forward(self, functionals: Tensor) -> Tensor:
        return self.network(functionals).softmax(dim=1)


class FrameClassifier(nn.Module):
    """All that comes between a padded batch of frames and posteriors.

    Parameters
    ----------
    network : Module
        A fitted network; a copy is taken.
    n_frames : int or None
        The only number of frames that it takes; ``None`` if it takes any.
    scaling : FrameScaling or None
        What is done to the frames before.
    """

    def __init__(
        self, network: nn.Module, n_frames: int | None, scaling: "FrameScaling | None"
    ) -> None:
        super().__init__()
        least: tuple[int, int] = getattr(network, "min_shape", (1, 1))
        self.least_bins, self.least_frames = least
        self.n_frames = n_frames and max(n_frames, self.least_frames)
        self.scaling = scaling or nn.Identity()
        self.length_aware = is_length_aware(network)
        self.network = _with_onnx_operators(network)

    def forward(self, frames: Tensor, lengths: Tensor) -> Tensor:
        # Zeros behind the end come after the scaling, as where utterances are scaled one by one.
        x = mask_frames(self.scaling(frames), lengths)
        if x.shape[2] < self.least_bins:
            x = functional.pad(x, (0, 0, 0, self.least_bins - x.shape[2]))
        if self.n_frames is not None:
            x, lengths = _longer(x, self.n_frames), lengths.clamp(max=self.n_frames)
            x = x[..., : self.n_frames]
        elif self.least_frames > 1:
            x, lengths = _longer(x, self.least_frames), lengths.clamp(min=self.least_frames)
        outputs = self.network(x, lengths) if self.length_aware else self.network(x)
        return outputs.softmax(dim=1)


def _longer(x: Tensor, n_frames: int) -> Tensor:
    return torch.cat([x, x.new_zeros(*x.shape[:-1], n_frames)], dim=-1)


class FrameScaling(nn.Module):
    """What a fitted :class:`~serkit.feature_extraction.FrameScaler` does.

    Parameters
    ----------
    scaler : FrameScaler
        Fitted on a corpus.
    """

    def __init__(self, scaler: FrameScaler) -> None:
        super().__init__()
        self.mean = _constant(scaler.mean_)
        self.scale = _constant(scaler.scale_)
        self.clip = bool(scaler.clip and scaler.method == "max")

    def forward(self, x: Tensor) -> Tensor:
        if self.mean is not None:
            x = x - self.mean
        if self.scale is not None:
            x = x / self.scale
        return x.clamp(-1, 1) if self.clip else x


def _constant(values: np.ndarray | None) -> nn.Parameter | None:
    if values is None:
        return None
    return nn.Parameter(torch.tensor(values, dtype=torch.float32)[..., None], requires_grad=False)


class _OnnxRecurrence(nn.Module):
    """ONNX's own recurrent operator, which reads every utterance from end to end by its length.

    Parameters
    ----------
    layer : GRU or LSTM
        A layer whose weights are taken.
    """

    #: Its operator, and where it wants the gates of torch.
    _OPERATORS: ClassVar[dict[type[nn.Module], tuple[str, tuple[int, ...], dict[str, int]]]] = {
        nn.GRU: ("GRU", (1, 0, 2), {"linear_before_reset": 1}),
        nn.LSTM: ("LSTM", (0, 3, 1, 2), {}),
    }

    input_weight: Tensor
    hidden_weight: Tensor
    bias: Tensor

    def __init__(self, layer: nn.RNNBase) -> None:
        super().__init__()
        self.operator, order, attributes = self._OPERATORS[type(layer)]
        self.hidden_size = layer.hidden_size
        self.n_directions = 2 if layer.bidirectional else 1
        direction = "bidirectional" if layer.bidirectional else "forward"
        self.attributes: dict[str, Any] = {
            "hidden_size": self.hidden_size,
            "direction": direction,
            **attributes,
        }

        def in_order(weight: Tensor) -> Tensor:
            gates = weight.detach().chunk(len(order))
            return torch.cat([gates[place] for place in order])

        weights = [list(map(in_order, of_direction)) for of_direction in layer.all_weights]
        self.register_buffer("input_weight", torch.stack([w[0] for w in weights]))
        self.register_buffer("hidden_weight", torch.stack([w[1] for w in weights]))
        self.register_buffer("bias", torch.stack([torch.cat(w[2:]) for w in weights]))

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        n_utterances, n_frames = x.shape[:2]
        y = torch.onnx.ops.symbolic(
            self.operator,
            (
                x.transpose(0, 1),
                self.input_weight,
                self.hidden_weight,
                self.bias,
                None if lengths is None else lengths.to(torch.int32),
            ),
            self.attributes,
            dtype=x.dtype,
            shape=(n_frames, self.n_directions, n_utterances, self.hidden_size),
        )
        return y.permute(2, 0, 1, 3).flatten(2)


class _BidirectionalLayer(nn.Module):
    """In the place of :class:`~serkit.modules.BidirectionalGRU` or that of the LSTM."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.recurrence = _OnnxRecurrence(layer.layer)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        if x.ndim == 4:
            x = x.flatten(1, 2).transpose(1, 2)
        return self.recurrence(x, lengths), lengths


class _PlainLayer(nn.Module):
    """In the place of a layer of torch, where only the output of every frame is used."""

    def __init__(self, layer: nn.RNNBase) -> None:
        super().__init__()
        self.recurrence = _OnnxRecurrence(layer)

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        return self.recurrence(x), None


_REPLACED: dict[type[nn.Module], Callable[[Any], nn.Module]] = {
    BidirectionalGRU: _BidirectionalLayer,
    BidirectionalLSTM: _BidirectionalLayer,
    nn.GRU: _PlainLayer,
    nn.LSTM: _PlainLayer,
}


def _with_onnx_operators(network: nn.Module) -> nn.Module:
    """Return a copy whose recurrent layers are replaced; the exporter would unroll them."""
    network = copy.deepcopy(network).cpu().eval()
    _replace_parts(network)
    return network


def _replace_parts(module: nn.Module) -> None:
    for name, part in list(module.named_children()):
        replacement = _REPLACED.get(type(part))
        if replacement is None:
            _replace_parts(part)
        elif not isinstance(part, nn.RNNBase) or (part.num_layers == 1 and part.batch_first):
            setattr(module, name, replacement(part))
