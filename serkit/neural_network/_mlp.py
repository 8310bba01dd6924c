"""A fully connected network for functionals."""

from numbers import Real
from typing import ClassVar

from sklearn.utils._param_validation import Interval, StrOptions
from torch import nn

from serkit.modules import MLPEncoder, UtteranceNetwork
from serkit.neural_network._classifier import NeuralClassifier

__all__ = ["MLPClassifier"]


class MLPClassifier(NeuralClassifier):
    """Classify functionals by a fully connected network whose layers can be read.

    Beside :class:`sklearn.neural_network.MLPClassifier` it has dropout,
    validation by speakers, class weights, a GPU, and the values of its hidden
    layers: ``activations(X, "hidden1")``.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(256, 128)
        Units of the hidden layers.
    activation : {"relu", "elu", "tanh"}, default="relu"
        The nonlinearity behind each of them.
    dropout : float, default=0.5
        Probability that a unit is dropped in training.
    batch_norm : bool, default=False
        Normalise each layer's values over the batch before the nonlinearity.
    %(training)s

    Attributes
    ----------
    %(fitted)s

    See Also
    --------
    DomainAdversarialClassifier : Makes the network ignore who speaks.
    serkit.feature_extraction.OpenSmileFunctionals : Computes functionals.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from serkit.neural_network import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> mlp = MLPClassifier((32, 16), dropout=0.1, max_epochs=30, random_state=0)
    >>> make_pipeline(StandardScaler(), mlp).fit(X, y).score(X, y) > 0.9
    True
    >>> mlp.activations(X, "hidden1").shape
    (150, 32)
    """

    _input_kind = "functionals"
    _parameter_constraints: ClassVar[dict] = {
        **NeuralClassifier._parameter_constraints,
        "hidden_layer_sizes": ["array-like"],
        "activation": [StrOptions({"relu", "elu", "tanh"})],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "batch_norm": ["boolean"],
    }

    def __init__(
        self,
        hidden_layer_sizes=(256, 128),
        *,
        activation="relu",
        dropout=0.5,
        batch_norm=False,
        optimizer="adam",
        lr=1e-3,
        weight_decay=0.0,
        batch_size=32,
        max_epochs=100,
        patience=None,
        validation="auto",
        class_weight=None,
        augment=None,
        callbacks=None,
        device="auto",
        mixed_precision="auto",
        num_threads=1,
        random_state=None,
        verbose=0,
        warm_start=False,
    ):
        super().__init__(
            optimizer=optimizer,
            lr=lr,
            weight_decay=weight_decay,
            batch_size=batch_size,
            max_epochs=max_epochs,
            patience=patience,
            validation=validation,
            class_weight=class_weight,
            augment=augment,
            callbacks=callbacks,
            device=device,
            mixed_precision=mixed_precision,
            num_threads=num_threads,
            random_state=random_state,
            verbose=verbose,
            warm_start=warm_start,
        )
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.dropout = dropout
        self.batch_norm = batch_norm

    def _make_module(self, n_channels: int, n_bins: int, n_outputs: int) -> nn.Module:
        encoder = MLPEncoder(
            n_bins,
            hidden_layer_sizes=self.hidden_layer_sizes,
            activation=self.activation,
            dropout=self.dropout,
            batch_norm=self.batch_norm,
        )
        return UtteranceNetwork(encoder, nn.Linear(encoder.embedding_size, n_outputs))
