"""Numbers of utterances, such as valence, arousal and dominance, by any encoder."""

from numbers import Real
from typing import ClassVar

from sklearn.utils._param_validation import Interval, StrOptions
from torch import nn

from serkit.modules import MLPHead, UtteranceNetwork
from serkit.neural_network._base import NeuralEstimator
from serkit.neural_network._domain_adversarial import DomainAdversarialClassifier
from serkit.neural_network._encoders import (
    ENCODERS,
    embedding_size,
    input_kind,
    is_fixed_length,
    make_encoder,
)
from serkit.neural_network._regressor import NeuralRegressor

__all__ = ["UtteranceRegressor"]


class UtteranceRegressor(NeuralRegressor):
    """Predict numbers, such as valence, arousal and dominance, by any encoder.

    A head of hidden layers, with one output per target, reads the embedding that
    the encoder makes of an utterance.

    Parameters
    ----------
    encoder : str, network or Module, default="cnn2d_bigru"
        Turns utterances into embeddings. By name: "cnn2d_bigru", "tdnn_bilstm"
        and "cnn1d_gru" encode frames, "mlp" functionals, in the sizes that they
        have by default in :class:`DomainAdversarialClassifier`.

        An unfitted network of serkit, such as ``CRNNClassifier(2)``, gives all its
        layers but the head. Those of its parameters that describe layers count,
        and can be searched (``encoder__n_filters``).

        A module of torch turns frames (n_utterances, n_channels, n_bins,
        n_frames) into embeddings (n_utterances, n_values); if its ``forward``
        has the parameter ``lengths``, it gets batches of unequal lengths. A copy
        of it is trained, from the weights that it has.
    loss : {"mse", "ccc"}, default="mse"
        What is minimised: the mean squared error of standardised targets, or one
        minus the concordance correlation coefficient of every target over the
        utterances of a batch, for which batches should be large.
    hidden_layer_sizes : tuple of int, default=(128, 128)
        Units of the hidden layers of the head.
    dropout : float, default=0.5
        Probability that a unit of the head is dropped in training.
    %(training)s

    Attributes
    ----------
    %(fitted)s

    See Also
    --------
    BiGRURegressor : Predicts a value for every moment.
    serkit.metrics.ccc_scorer : The score of dimensional labels.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.neural_network import CRNNClassifier, UtteranceRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=(1, 20, n)) for n in (30, 40, 50, 60)]
    >>> y = [[0.1, 0.9], [0.4, 0.2], [0.3, 0.3], [0.7, 0.1]]  # valence and arousal
    >>> network = CRNNClassifier(n_filters=8, rnn_hidden_size=8)
    >>> regressor = UtteranceRegressor(network, loss="ccc", max_epochs=2, random_state=0)
    >>> regressor.fit(X, y).predict(X).shape
    (4, 2)
    """

    _parameter_constraints: ClassVar[dict] = {
        **NeuralRegressor._parameter_constraints,
        "encoder": [StrOptions(set(ENCODERS)), NeuralEstimator, nn.Module],
        "hidden_layer_sizes": ["array-like"],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
        encoder="cnn2d_bigru",
        *,
        loss="mse",
        hidden_layer_sizes=(128, 128),
        dropout=0.5,
        optimizer="adam",
        lr=1e-3,
        weight_decay=0.0,
        batch_size=32,
        max_epochs=100,
        patience=None,
        validation="auto",
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
            loss=loss,
            optimizer=optimizer,
            lr=lr,
            weight_decay=weight_decay,
            batch_size=batch_size,
            max_epochs=max_epochs,
            patience=patience,
            validation=validation,
            augment=augment,
            callbacks=callbacks,
            device=device,
            mixed_precision=mixed_precision,
            num_threads=num_threads,
            random_state=random_state,
            verbose=verbose,
            warm_start=warm_start,
        )
        self.encoder = encoder
        self.hidden_layer_sizes = hidden_layer_sizes
        self.dropout = dropout

    @property
    def _input_kind(self) -> str:
        return input_kind(self.encoder)

    @property
    def _is_fixed_length(self) -> bool:  # type: ignore[override]
        return is_fixed_length(self.encoder)

    def _make_module(self, n_channels: int, n_bins: int, n_outputs: int) -> nn.Module:
        by_name = isinstance(self.encoder, str)
        described = DomainAdversarialClassifier(self.encoder) if by_name else self
        encoder = make_encoder(described, "encoder", n_channels, n_bins)
        size = embedding_size(encoder, self._input_kind, n_channels, n_bins, self.n_frames_)
        head = MLPHead(
            size, n_outputs, hidden_layer_sizes=self.hidden_layer_sizes, dropout=self.dropout
        )
        return UtteranceNetwork(encoder, head)
