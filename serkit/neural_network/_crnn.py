"""Convolutional and recurrent networks for utterances of any length."""

from numbers import Integral, Real
from typing import Any, ClassVar

from sklearn.utils._param_validation import Interval
from torch import nn

from serkit.modules import CNN2DBiGRUEncoder, MLPHead, UtteranceNetwork
from serkit.neural_network._classifier import NeuralClassifier
from serkit.neural_network._regressor import NeuralRegressor

__all__ = ["CRNN_CONSTRAINTS", "CRNNClassifier", "CRNNRegressor", "make_crnn_encoder"]

_POSITIVE = Interval(Integral, 1, None, closed="left")

CRNN_CONSTRAINTS: dict[str, list] = {
    "n_conv_layers": [_POSITIVE],
    "n_filters": [_POSITIVE],
    "kernel_size": [_POSITIVE, tuple],
    "pool_size": [_POSITIVE, tuple],
    "conv_dropout": [Interval(Real, 0, 1, closed="left")],
    "rnn_hidden_size": [_POSITIVE],
    "projection": ["boolean"],
    "hidden_layer_sizes": ["array-like"],
    "dropout": [Interval(Real, 0, 1, closed="left")],
}


def make_crnn_encoder(estimator: Any, n_channels: int, n_bins: int) -> CNN2DBiGRUEncoder:
    """Make the encoder that an estimator's parameters describe."""
    return CNN2DBiGRUEncoder(
        n_channels,
        n_bins,
        n_conv_layers=estimator.n_conv_layers,
        n_filters=estimator.n_filters,
        kernel_size=estimator.kernel_size,
        pool_size=estimator.pool_size,
        conv_dropout=estimator.conv_dropout,
        rnn_hidden_size=estimator.rnn_hidden_size,
        projection=estimator.projection,
    )


def _make_crnn(estimator: Any, n_channels: int, n_bins: int, n_outputs: int) -> UtteranceNetwork:
    encoder = make_crnn_encoder(estimator, n_channels, n_bins)
    head = MLPHead(
        encoder.embedding_size,
        n_outputs,
        hidden_layer_sizes=estimator.hidden_layer_sizes,
        dropout=estimator.dropout,
    )
    return UtteranceNetwork(encoder, head)


class CRNNClassifier(NeuralClassifier):
    """Classify utterances by a 2-D convolutional and bidirectional recurrent network.

    Convolution blocks over bins and frames, a bidirectional GRU along time, the
    mean and standard deviation of its output over time, and a head of two
    hidden layers. Utterances keep their lengths: what is padded within a batch
    has no influence.

    Parameters
    ----------
    n_conv_layers : int, default=1
        Number of convolution blocks, 1 to 4 in the paper.
    %(crnn)s
    %(training)s

    Attributes
    ----------
    %(fitted)s

    See Also
    --------
    DomainAdversarialClassifier : Makes the network ignore who speaks.
    CRNNRegressor : Predicts numbers.

    References
    ----------
    Leow (2021), "Speaker-Invariant Speech Emotion Recognition with Domain
    Adversarial Training", sections 3.3 and 3.5.

    Examples
    --------
    >>> from serkit.datasets import make_emotional_speech
    >>> from serkit.feature_extraction import MFCC, FrameScaler
    >>> from serkit.neural_network import CRNNClassifier
    >>> from serkit.pipeline import make_pipeline
    >>> corpus = make_emotional_speech(4, n_sentences=2, random_state=0)
    >>> crnn = CRNNClassifier(n_filters=8, rnn_hidden_size=8, max_epochs=5, random_state=0)
    >>> pipe = make_pipeline(MFCC(n_mfcc=20), FrameScaler(), crnn)
    >>> pipe = pipe.fit(corpus.audio, corpus.y, crnnclassifier__speakers=corpus.speakers)
    >>> pipe.predict_proba(corpus.audio[:3]).shape
    (3, 4)
    >>> crnn.stages_
    ['block1', 'recurrence', 'projection', 'pooling', 'head']
    """

    _parameter_constraints: ClassVar[dict] = {
        **NeuralClassifier._parameter_constraints,
        **CRNN_CONSTRAINTS,
    }

    def __init__(
        self,
        n_conv_layers=1,
        *,
        n_filters=64,
        kernel_size=2,
        pool_size=2,
        conv_dropout=0.1,
        rnn_hidden_size=256,
        projection=True,
        hidden_layer_sizes=(128, 128),
        dropout=0.5,
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
        self.n_conv_layers = n_conv_layers
        self.n_filters = n_filters
        self.kernel_size = kernel_size
        self.pool_size = pool_size
        self.conv_dropout = conv_dropout
        self.rnn_hidden_size = rnn_hidden_size
        self.projection = projection
        self.hidden_layer_sizes = hidden_layer_sizes
        self.dropout = dropout

    def _make_module(self, n_channels: int, n_bins: int, n_outputs: int) -> nn.Module:
        return _make_crnn(self, n_channels, n_bins, n_outputs)


class CRNNRegressor(NeuralRegressor):
    """Predict numbers, such as valence, by a convolutional and recurrent network.

    The network of :class:`CRNNClassifier` with one output per target.

    Parameters
    ----------
    n_conv_layers : int, default=1
        Number of convolution blocks, 1 to 4 in the paper.
    %(crnn)s
    loss : {"mse", "ccc"}, default="mse"
        What is minimised: the mean squared error of standardised targets, or one
        minus the concordance correlation coefficient of every target over the
        utterances of a batch, for which batches should be large.
    %(training)s

    Attributes
    ----------
    %(fitted)s

    See Also
    --------
    CRNNClassifier : Tells classes apart.

    References
    ----------
    Leow (2021), "Speaker-Invariant Speech Emotion Recognition with Domain
    Adversarial Training", section 3.3.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.neural_network import CRNNRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=(1, 20, n)) for n in (30, 40, 50)]
    >>> regressor = CRNNRegressor(n_filters=8, rnn_hidden_size=8, max_epochs=2)
    >>> regressor.fit(X, [[0.1, 0.9], [0.4, 0.2], [0.3, 0.3]]).predict(X).shape
    (3, 2)
    """

    _parameter_constraints: ClassVar[dict] = {
        **NeuralRegressor._parameter_constraints,
        **CRNN_CONSTRAINTS,
    }

    def __init__(
        self,
        n_conv_layers=1,
        *,
        n_filters=64,
        kernel_size=2,
        pool_size=2,
        conv_dropout=0.1,
        rnn_hidden_size=256,
        projection=True,
        hidden_layer_sizes=(128, 128),
        dropout=0.5,
        loss="mse",
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
        self.n_conv_layers = n_conv_layers
        self.n_filters = n_filters
        self.kernel_size = kernel_size
        self.pool_size = pool_size
        self.conv_dropout = conv_dropout
        self.rnn_hidden_size = rnn_hidden_size
        self.projection = projection
        self.hidden_layer_sizes = hidden_layer_sizes
        self.dropout = dropout

    def _make_module(self, n_channels: int, n_bins: int, n_outputs: int) -> nn.Module:
        return _make_crnn(self, n_channels, n_bins, n_outputs)
