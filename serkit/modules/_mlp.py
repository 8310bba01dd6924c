"""Fully connected networks: heads of other networks, and encoders of functionals."""

from collections.abc import Sequence

from torch import Tensor, nn

__all__ = ["MLPEncoder", "MLPHead"]

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "elu": nn.ELU, "tanh": nn.Tanh}


class MLPHead(nn.Sequential):
    """Hidden layers with batch normalisation and dropout, and an output layer.

    Parameters
    ----------
    n_inputs : int
        Size of the embedding.
    n_outputs : int
        Number of classes, or of values to predict.
    hidden_layer_sizes : sequence of int, default=(128, 128)
        Units of the hidden layers.
    dropout : float, default=0.5
        Probability that a unit is dropped in training.
    batch_norm : bool, default=True
        Normalise each layer's values over the batch before the nonlinearity.

    References
    ----------
    Leow (2021), "Speaker-Invariant Speech Emotion Recognition with Domain
    Adversarial Training", section 3.3.2.

    Examples
    --------
    >>> from serkit.modules import MLPHead
    >>> sum(weights.numel() for weights in MLPHead(1024, 7).parameters())
    149127
    """

    def __init__(
        self,
        n_inputs: int,
        n_outputs: int,
        *,
        hidden_layer_sizes: Sequence[int] = (128, 128),
        dropout: float = 0.5,
        batch_norm: bool = True,
    ) -> None:
        layers: list[nn.Module] = []
        for width in hidden_layer_sizes:
            layers.append(nn.Linear(n_inputs, width))
            if batch_norm:
                layers.append(nn.BatchNorm1d(width))
            layers += [nn.Dropout(dropout), nn.ReLU()]
            n_inputs = width
        super().__init__(*layers, nn.Linear(n_inputs, n_outputs))


class MLPEncoder(nn.Module):
    """Fully connected hidden layers on functionals.

    Parameters
    ----------
    n_features : int
        Number of functionals.
    hidden_layer_sizes : sequence of int, default=(256, 128)
        Units of the hidden layers.
    activation : {"relu", "elu", "tanh"}, default="relu"
        The nonlinearity behind each of them.
    dropout : float, default=0.5
        Probability that a unit is dropped in training.
    batch_norm : bool, default=False
        Normalise each layer's values over the batch before the nonlinearity.

    Attributes
    ----------
    embedding_size : int
        Units of the last hidden layer.
    stages : dict of str to Module
        The layers by name: "hidden1", "hidden2", …

    Examples
    --------
    >>> import torch
    >>> from serkit.modules import MLPEncoder
    >>> encoder = MLPEncoder(88, hidden_layer_sizes=(64, 32))
    >>> encoder(torch.zeros(5, 88)).shape
    torch.Size([5, 32])
    """

    def __init__(
        self,
        n_features: int,
        *,
        hidden_layer_sizes: Sequence[int] = (256, 128),
        activation: str = "relu",
        dropout: float = 0.5,
        batch_norm: bool = False,
    ) -> None:
        if not len(hidden_layer_sizes):
            raise ValueError("an encoder has one hidden layer or more, and there is none")
        super().__init__()
        self.layers = nn.ModuleList()
        for width in hidden_layer_sizes:
            layer: list[nn.Module] = [nn.Linear(n_features, width)]
            if batch_norm:
                layer.append(nn.BatchNorm1d(width))
            layer += [ACTIVATIONS[activation](), nn.Dropout(dropout)]
            self.layers.append(nn.Sequential(*layer))
            n_features = width
        self.embedding_size = n_features

    @property
    def stages(self) -> dict[str, nn.Module]:
        """The layers by name, from input to output."""
        return {f"hidden{number}": layer for number, layer in enumerate(self.layers, start=1)}

    def forward(self, x: Tensor) -> Tensor:
        """Encode every utterance.

        Parameters
        ----------
        x : Tensor of shape (n_utterances, n_features)
            Functionals.

        Returns
        -------
        embedding : Tensor of shape (n_utterances, embedding_size)
        """
        for layer in self.layers:
            x = layer(x)
        return x
