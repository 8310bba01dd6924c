"""Bidirectional LSTMs that read every frame with its context, as it is or convolved."""

from numbers import Integral, Real
from typing import Any, ClassVar

from sklearn.utils._param_validation import Interval, StrOptions
from torch import nn

from serkit.modules import (
    CLDNNEncoder,
    LDNNEncoder,
    MLPHead,
    UtteranceNetwork,
    initialize_glorot,
)
from serkit.neural_network._classifier import NeuralClassifier

__all__ = ["CLDNNClassifier", "LDNNClassifier"]

_POSITIVE = Interval(Integral, 1, None, closed="left")

_CONSTRAINTS: dict[str, list] = {
    "context": ["array-like"],
    "lstm_hidden_size": [_POSITIVE],
    "dropout": [Interval(Real, 0, 1, closed="left")],
    "hidden_layer_sizes": ["array-like"],
}


def _add_head(estimator: Any, encoder: Any, n_outputs: int) -> UtteranceNetwork:
    head = MLPHead(
        encoder.embedding_size,
        n_outputs,
        hidden_layer_sizes=estimator.hidden_layer_sizes,
        dropout=0.0,
        batch_norm=False,
    )
    return UtteranceNetwork(encoder, initialize_glorot(head))


class LDNNClassifier(NeuralClassifier):
    """Classify utterances by a bidirectional LSTM on frames with their context.

    Every frame is read together with those around it, 16 in all, of which the
    first and the last of an utterance are repeated at its edges. One layer of
    LSTM cells in either direction, the mean of their output over time, and a
    head of three hidden layers. Utterances keep their lengths: what is padded
    within a batch has no influence.

    Parameters
    ----------
    context : (int, int), default=(10, 5)
        Number of frames before and behind each that the LSTM reads with it.
    lstm_hidden_size : int, default=128
        Cells of the LSTM in each direction.
    dropout : float, default=0.2
        Probability that a value of the mean over time is dropped in training.
    hidden_layer_sizes : tuple of int, default=(128, 32, 32)
        Units of the hidden layers of the head.
    %(training)s

    Attributes
    ----------
    %(fitted)s

    See Also
    --------
    CLDNNClassifier : Convolves each frame with its context before the LSTM.

    Notes
    -----
    Frames are laid beside their context batch by batch: the data set and its
    copies stay as large as they are, the input of the LSTM is 16 times a batch.

    The paper ends training when 3 epochs have brought nothing better, but does
    not say by which measure. Here it is the unweighted average recall on the
    validation utterances, as of all classifiers of this package; without
    validation utterances `patience` has no effect, and a warning says so.

    References
    ----------
    Huang and Narayanan, "Characterizing Types of Convolution in Deep Convolutional
    Recurrent Neural Networks for Robust Speech Emotion Recognition",
    arXiv:1706.02901, sections 4.2 and 6.2.

    Examples
    --------
    >>> from serkit.datasets import make_emotional_speech
    >>> from serkit.feature_extraction import LogMelSpectrogram
    >>> from serkit.neural_network import LDNNClassifier
    >>> from serkit.pipeline import make_pipeline
    >>> corpus = make_emotional_speech(4, n_sentences=2, random_state=0)
    >>> ldnn = LDNNClassifier(lstm_hidden_size=8, max_epochs=2, random_state=0)
    >>> pipe = make_pipeline(LogMelSpectrogram(n_mels=40), ldnn)
    >>> pipe = pipe.fit(corpus.audio, corpus.y, ldnnclassifier__speakers=corpus.speakers)
    >>> pipe.predict_proba(corpus.audio[:3]).shape
    (3, 4)
    >>> ldnn.stages_
    ['context', 'recurrence', 'pooling', 'head']
    """

    _parameter_constraints: ClassVar[dict] = {
        **NeuralClassifier._parameter_constraints,
        **_CONSTRAINTS,
    }

    def __init__(
        self,
        *,
        context=(10, 5),
        lstm_hidden_size=128,
        dropout=0.2,
        hidden_layer_sizes=(128, 32, 32),
        optimizer="adam",
        lr=1e-3,
        weight_decay=0.0,
        batch_size=10,
        max_epochs=100,
        patience=3,
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
        self.context = context
        self.lstm_hidden_size = lstm_hidden_size
        self.dropout = dropout
        self.hidden_layer_sizes = hidden_layer_sizes

    def _make_module(self, n_channels: int, n_bins: int, n_outputs: int) -> nn.Module:
        encoder = LDNNEncoder(
            n_channels,
            n_bins,
            context=self.context,
            lstm_hidden_size=self.lstm_hidden_size,
            dropout=self.dropout,
        )
        return _add_head(self, encoder, n_outputs)


class CLDNNClassifier(NeuralClassifier):
    """Classify utterances by one of four types of convolution and a bidirectional LSTM.

    The layers of :class:`LDNNClassifier` behind two layers of convolution,
    applied to each frame with its context: along bins ("s", spectral), along
    frames ("t", temporal), along both ("st"), or of all bins along frames
    ("fst", full-spectrum temporal). Pooling, a maximum over 3 with a stride of
    2, goes the way that the filters move.

    Parameters
    ----------
    convolution : {"s", "t", "st", "fst"}, default="fst"
        The type. Cepstral coefficients, which have no order along bins, suit
        "t" and "fst" only.
    kernel_sizes : array-like of shape (n_layers, 2) or None, default=None
        Extent of the filters (bins, frames), one pair for each layer:
        ``((4, 3), (3, 2))``. "s" takes one frame, "t" one bin, "fst" all bins
        in the first layer and one behind it. ``None`` is ((22, 1), (3, 1)) for
        "s", ((1, 5), (1, 2)) for "t", ((6, 5), (3, 2)) for "st" and
        ((n_bins, 5), (1, 2)) for "fst"; or, where these do not fit, the
        largest below them that do.
    n_filters : int, default=32
        Filters of each layer.
    context : (int, int), default=(10, 5)
        Number of frames before and behind each that are convolved with it.
    lstm_hidden_size : int, default=128
        Cells of the LSTM in each direction.
    dropout : float, default=0.2
        Probability that a value of the mean over time is dropped in training.
    hidden_layer_sizes : tuple of int, default=(128, 32, 32)
        Units of the hidden layers of the head.
    %(training)s

    Attributes
    ----------
    %(fitted)s

    See Also
    --------
    LDNNClassifier : The same without convolution.
    convolution_param_grid : The kernel sizes of the paper, to search among.

    Notes
    -----
    The convolutions go once over an utterance, which is the same as once over
    each frame with its context, and no context is copied before them. What they
    leave of a context is the input of the LSTM: of 40 bins, 160 to 3584 values
    per frame for the sizes of the paper, 32 or 64 for "fst".

    The paper tells one pair of kernel sizes that won a search, that of "s",
    which is the default here; the other defaults lie within its
    ranges. It ends training when 3 epochs have brought nothing better, but does
    not say by which measure. Here it is the unweighted average recall on the
    validation utterances, as of all classifiers of this package; without
    validation utterances `patience` has no effect, and a warning says so.

    With ``kernel_sizes=None``, frames of fewer bins than the smallest filters
    need (7 for "s", 10 for "st") are padded by zeros. Sizes that are given are
    taken as they are, and are an error if a layer leaves nothing.

    References
    ----------
    Huang and Narayanan, "Characterizing Types of Convolution in Deep Convolutional
    Recurrent Neural Networks for Robust Speech Emotion Recognition",
    arXiv:1706.02901, sections 3 and 6.2.

    Examples
    --------
    >>> from serkit.datasets import make_emotional_speech
    >>> from serkit.feature_extraction import LogMelSpectrogram
    >>> from serkit.neural_network import CLDNNClassifier
    >>> from serkit.pipeline import make_pipeline
    >>> corpus = make_emotional_speech(4, n_sentences=2, random_state=0)
    >>> cldnn = CLDNNClassifier(
    ...     "fst",
    ...     kernel_sizes=((40, 4), (1, 3)),
    ...     lstm_hidden_size=8,
    ...     max_epochs=2,
    ...     random_state=0,
    ... )
    >>> pipe = make_pipeline(LogMelSpectrogram(n_mels=40), cldnn)
    >>> pipe = pipe.fit(corpus.audio, corpus.y, cldnnclassifier__speakers=corpus.speakers)
    >>> pipe.predict_proba(corpus.audio[:3]).shape
    (3, 4)
    >>> cldnn.stages_
    ['convolution1', 'convolution2', 'context', 'recurrence', 'pooling', 'head']
    """

    _parameter_constraints: ClassVar[dict] = {
        **NeuralClassifier._parameter_constraints,
        **_CONSTRAINTS,
        "convolution": [StrOptions({"s", "t", "st", "fst"})],
        "kernel_sizes": ["array-like", None],
        "n_filters": [_POSITIVE],
    }

    def __init__(
        self,
        convolution="fst",
        *,
        kernel_sizes=None,
        n_filters=32,
        context=(10, 5),
        lstm_hidden_size=128,
        dropout=0.2,
        hidden_layer_sizes=(128, 32, 32),
        optimizer="adam",
        lr=1e-3,
        weight_decay=0.0,
        batch_size=10,
        max_epochs=100,
        patience=3,
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
        self.convolution = convolution
        self.kernel_sizes = kernel_sizes
        self.n_filters = n_filters
        self.context = context
        self.lstm_hidden_size = lstm_hidden_size
        self.dropout = dropout
        self.hidden_layer_sizes = hidden_layer_sizes

    def _make_module(self, n_channels: int, n_bins: int, n_outputs: int) -> nn.Module:
        encoder = CLDNNEncoder(
            n_channels,
            n_bins,
            self.convolution,
            kernel_sizes=self.kernel_sizes,
            n_filters=self.n_filters,
            context=self.context,
            lstm_hidden_size=self.lstm_hidden_size,
            dropout=self.dropout,
        )
        return _add_head(self, encoder, n_outputs)
