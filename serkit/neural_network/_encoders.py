"""The encoders that can be trained against the speakers."""

import copy
from collections.abc import Callable
from typing import Any

import torch
from sklearn.base import clone
from torch import nn

from serkit.modules import (
    CNN1DGRUEncoder,
    MLPEncoder,
    TDNNBiLSTMEncoder,
    UtteranceNetwork,
    is_length_aware,
)
from serkit.neural_network._base import NeuralEstimator
from serkit.neural_network._crnn import make_crnn_encoder

__all__ = ["ENCODERS", "embedding_size", "input_kind", "is_fixed_length", "make_encoder"]


def _make_mlp_encoder(estimator: Any, n_channels: int, n_bins: int) -> MLPEncoder:
    return MLPEncoder(
        n_bins,
        hidden_layer_sizes=estimator.encoder_layer_sizes,
        dropout=estimator.dropout,
        batch_norm=True,
    )


#: How each encoder is made: of the estimator, the channels and the bins of its input.
ENCODERS: dict[str, Callable[[Any, int, int], nn.Module]] = {
    "cnn1d_gru": lambda _, n_channels, n_bins: CNN1DGRUEncoder(n_channels, n_bins),
    "cnn2d_bigru": make_crnn_encoder,
    "mlp": _make_mlp_encoder,
    "tdnn_bilstm": lambda _, n_channels, n_bins: TDNNBiLSTMEncoder(n_channels, n_bins),
}


def input_kind(encoder: Any) -> str:
    """Return what an encoder takes, frames or functionals."""
    if isinstance(encoder, NeuralEstimator):
        return encoder._input_kind
    return "functionals" if isinstance(encoder, str) and encoder == "mlp" else "frames"


def is_fixed_length(encoder: Any) -> bool:
    """Say whether an encoder takes frames of one length only."""
    if isinstance(encoder, NeuralEstimator):
        return encoder._is_fixed_length
    return isinstance(encoder, nn.Module) and not is_length_aware(encoder)


def make_encoder(estimator: Any, name: str, n_channels: int, n_bins: int) -> nn.Module:
    """Make the encoder that a parameter of an estimator describes."""
    encoder = getattr(estimator, name)
    if isinstance(encoder, str):
        return ENCODERS[encoder](estimator, n_channels, n_bins)
    if isinstance(encoder, NeuralEstimator):
        return _encoder_of_network(estimator, name, n_channels, n_bins)
    return copy.deepcopy(encoder)


def _encoder_of_network(estimator: Any, parameter: str, n_channels: int, n_bins: int) -> nn.Module:
    """Make the network that another estimator describes and return what its head reads."""
    encoder = getattr(estimator, parameter)
    name = type(encoder).__name__
    if hasattr(encoder, "net_"):
        raise ValueError(
            f"{parameter} is a fitted {name}, and what it has learnt would be lost. To begin with "
            "its weights pass the encoder of its network, network.net_.module_.encoder; to begin "
            "anew pass sklearn.base.clone(network)"
        )
    if isinstance(encoder, type(estimator)):
        raise ValueError(f"{parameter} is itself a {name}: pass the {parameter} of that one")
    template = clone(encoder)
    template._validate_params()
    template.n_frames_ = estimator.n_frames_
    if "gamma" in template.get_params(deep=False):  # it has no speakers of its own to forget
        template.gamma = None
    network = template._make_module(n_channels, n_bins, n_outputs=2)  # of a head that goes
    if not isinstance(network, UtteranceNetwork):
        raise TypeError(
            f"{name}._make_module must return a serkit.modules.UtteranceNetwork, whose encoder can "
            f"have another head; it returned {type(network).__name__}"
        )
    return network.encoder


def embedding_size(
    encoder: nn.Module, kind: str, n_channels: int, n_bins: int, n_frames: int | None
) -> int:
    """Return the number of values that an encoder makes of an utterance."""
    size = getattr(encoder, "embedding_size", None)
    if size is not None:
        return size
    least_bins, least_frames = getattr(encoder, "min_shape", (1, 1))
    n_frames = getattr(encoder, "n_frames", None) or n_frames or 1
    frames = n_channels, max(n_bins, least_bins), max(n_frames, least_frames)
    shape = (2, *((n_bins,) if kind == "functionals" else frames))
    training = encoder.training
    # Where the encoder is, for the network around it may be made elsewhere.
    device = next((weights.device for weights in encoder.parameters()), torch.get_default_device())
    try:
        with torch.no_grad(), device:
            batch = torch.zeros(shape)
            embedding = UtteranceNetwork(encoder.eval(), nn.Identity())(batch)
    except RuntimeError as error:
        raise ValueError(
            f"the encoder does not take {kind} of shape {shape}, the axes "
            f"(n_utterances, n_channels, n_bins, n_frames): {error}"
        ) from error
    encoder.train(training)
    if getattr(embedding, "shape", ())[:-1] != (2,):
        raise ValueError(
            "the encoder must return one vector per utterance, (n_utterances, n_values); of "
            f"{shape} it made {tuple(getattr(embedding, 'shape', ()))}"
        )
    return embedding.shape[1]
