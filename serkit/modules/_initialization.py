"""Weights to start from."""

from typing import TypeVar

from torch import nn

from serkit.modules._pooling import AttentionWeights

__all__ = ["initialize_acrnn", "initialize_glorot"]

M = TypeVar("M", bound=nn.Module)


def initialize_acrnn(module: M) -> M:
    """Draw the weights of a network as the authors of the ACRNN did.

    Those of convolutions and linear layers come from a normal distribution of
    deviation 0.1, cut at twice that; their biases are 0.1. Those of the attention
    come from the same distribution, uncut. An LSTM keeps the weights it has; its
    forget gates get a bias of 1, the others 0.

    Parameters
    ----------
    module : Module
        It is changed, all its parts included.

    Returns
    -------
    module : Module
        The same.

    References
    ----------
    Chen et al., "3-D Convolutional Recurrent Neural Networks With Attention Model
    for Speech Emotion Recognition", IEEE Signal Processing Letters 2018; their
    public code.

    Examples
    --------
    >>> from torch import nn
    >>> from serkit.modules import initialize_acrnn
    >>> initialize_acrnn(nn.Linear(3, 2)).bias.data
    tensor([0.1000, 0.1000])
    """
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.Linear):
            nn.init.trunc_normal_(part.weight, std=0.1, a=-0.2, b=0.2)
            if part.bias is not None:
                nn.init.constant_(part.bias, 0.1)
        elif isinstance(part, nn.LSTM):
            _open_forget_gates(part)
    for part in module.modules():
        if isinstance(part, AttentionWeights):  # its linear layer has been drawn above
            for weights in part.parameters():
                nn.init.normal_(weights, std=0.1)
    return module


def initialize_glorot(module: M) -> M:
    """Draw the weights of convolutions, linear layers and LSTMs as Keras does.

    Kernels are uniform after Glorot, recurrent weights orthogonal, biases zero
    but for the forget gates, where they are one.

    Parameters
    ----------
    module : Module
        It is changed, all its parts included.

    Returns
    -------
    module : Module
        The same.

    Examples
    --------
    >>> from torch import nn
    >>> from serkit.modules import initialize_glorot
    >>> initialize_glorot(nn.Linear(3, 2)).bias.tolist()
    [0.0, 0.0]
    """
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(part.weight)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
        elif isinstance(part, nn.LSTM):
            _initialize_lstm(part)
    return module


def _initialize_lstm(lstm: nn.LSTM) -> None:
    for name, weights in lstm.named_parameters():
        if name.startswith("weight_ih"):
            nn.init.xavier_uniform_(weights)
        elif name.startswith("weight_hh"):
            nn.init.orthogonal_(weights)
    _open_forget_gates(lstm)


def _open_forget_gates(lstm: nn.LSTM) -> None:
    """Set the biases of the forget gates to one, all others to zero."""
    forget_gate = slice(lstm.hidden_size, 2 * lstm.hidden_size)
    for name, weights in lstm.named_parameters():
        if name.startswith("bias"):
            nn.init.zeros_(weights)
            if name.startswith("bias_ih"):  # torch adds a second bias, which stays zero
                nn.init.ones_(weights[forget_gate])
