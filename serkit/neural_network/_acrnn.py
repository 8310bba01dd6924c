"""Convolutional and recurrent networks with attention."""

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions
from torch import nn

from serkit.modules import ACRNNEncoder, UtteranceNetwork, initialize_acrnn
from serkit.neural_network._classifier import NeuralClassifier
from serkit.training import OPTIMIZERS
from serkit.utils import as_ragged, is_ragged

__all__ = ["ACRNNClassifier"]

_POSITIVE = Interval(Integral, 1, None, closed="left")
_AUTO = StrOptions({"auto"})


class ACRNNClassifier(NeuralClassifier):
    """Classify utterances by convolutions, an LSTM and attention over time (ACRNN).

    Made for log-mels, their deltas and delta-deltas as three channels. Six
    convolutions over bins and frames, of which the first is followed by
    max-pooling; a linear layer on every frame, a bidirectional LSTM, the mean of
    its output weighted by attention, and a linear layer before that of the
    classes. Utterances keep their lengths: what is padded within a batch has no
    influence.

    Parameters
    ----------
    preset : {"paper", "reference"}, default="paper"
        What the parameters that are "auto" stand for. "paper" is what Lazarević
        (2024) writes: optimizer "nadam", lr 1e-4, batch_size 40, pool_size
        (2, 2), attention "linear", batch_norm "fc", initialization "torch".
        "reference" is the public code of Chen et al. (2018): "adam", 1e-5, 60,
        (4, 2), "sigmoid", "linear", "truncated_normal".
    n_conv_layers : int, default=6
        Number of convolutions.
    conv_channels : (int, int), default=(128, 256)
        Filters of the first convolution, and of each of the others.
    kernel_size : int or (int, int), default=(3, 5)
        Extent of the filters (bins, frames).
    pool_size : "auto", int or (int, int), default="auto"
        Extent of the max-pooling (bins, frames).
    linear_size : int, default=768
        Units of the linear layer on every frame.
    lstm_hidden_size : int, default=128
        Cells of the LSTM in each direction.
    attention : {"auto", "linear", "sigmoid"}, default="auto"
        Score of a frame h, of which the softmax over time is its weight:
        ``w · h``, or ``u * sigmoid(w · h + b)``.
    fc_size : int, default=64
        Units of the layer before that of the classes.
    batch_norm : {"auto", "fc", "linear"} or None, default="auto"
        The layer with batch normalisation: the one before that of the classes,
        or the one on every frame.
    negative_slope : float, default=0.01
        Of the leaky ReLU behind every layer.
    initialization : {"auto", "torch", "truncated_normal"}, default="auto"
        How the weights are drawn: as torch does, or as
        :func:`~serkit.modules.initialize_acrnn` does.
    %(training)s

    Attributes
    ----------
    frames_per_weight_ : int
        Number of frames of the input that share a weight of the attention.
    %(fitted)s

    See Also
    --------
    serkit.inspection.AttentionDisplay : Draws the attention.
    GLAMClassifier : Convolutions of several sizes, for segments of one length.
    CRNNClassifier : Smaller, without attention.

    Notes
    -----
    The public code normalises by the statistics of the batch in ``predict`` too,
    so that an answer depends on the other utterances. That is not repeated here.
    Neither paper nor code has epochs: the code takes 5000 steps.

    The public code also leaves out segments at random, so that every class has
    300. ``RandomUnderSampler`` of imbalanced-learn cannot do that, for it takes
    functionals only; ``class_weight="balanced"`` gives the classes equal weight
    without leaving anything out. In a :class:`~serkit.pipeline.Pipeline` a step
    of your own can, with ``fit_resample`` and ``sample_indices_``, the rows kept.

    References
    ----------
    Lazarević (2024), "An evaluation of speech emotion recognition systems based on
    transformer and long-short term memory architectures", sections 3.1 and 4.3.1.

    Chen et al., "3-D Convolutional Recurrent Neural Networks With Attention Model
    for Speech Emotion Recognition", IEEE Signal Processing Letters 2018.

    Examples
    --------
    >>> from serkit.datasets import make_emotional_speech
    >>> from serkit.feature_extraction import Deltas, FrameScaler, LogMelSpectrogram
    >>> from serkit.neural_network import ACRNNClassifier
    >>> from serkit.pipeline import make_pipeline
    >>> corpus = make_emotional_speech(4, n_sentences=2, random_state=0)
    >>> features = make_pipeline(LogMelSpectrogram(n_mels=20), Deltas(), FrameScaler())
    >>> frames = features.fit_transform(corpus.audio)
    >>> acrnn = ACRNNClassifier(
    ...     n_conv_layers=2, conv_channels=(4, 8), linear_size=16, max_epochs=2, random_state=0
    ... )
    >>> acrnn.fit(frames, corpus.y, speakers=corpus.speakers).stages_
    ['conv1', 'conv2', 'linear', 'recurrence', 'fc', 'head']
    >>> weights = acrnn.attention_weights(frames)[0]
    >>> len(weights) == frames[0].shape[-1] // 2
    True
    """

    _presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {
            "pool_size": (2, 2),
            "attention": "linear",
            "batch_norm": "fc",
            "initialization": "torch",
            "optimizer": "nadam",
            "lr": 1e-4,
            "batch_size": 40,
        },
        "reference": {
            "pool_size": (4, 2),
            "attention": "sigmoid",
            "batch_norm": "linear",
            "initialization": "truncated_normal",
            "optimizer": "adam",
            "lr": 1e-5,
            "batch_size": 60,
        },
    }
    _parameter_constraints: ClassVar[dict] = {
        **NeuralClassifier._parameter_constraints,
        "preset": [StrOptions(set(_presets))],
        "n_conv_layers": [_POSITIVE],
        "conv_channels": ["array-like"],
        "kernel_size": [_POSITIVE, "array-like"],
        "pool_size": [_AUTO, _POSITIVE, "array-like"],
        "linear_size": [_POSITIVE],
        "lstm_hidden_size": [_POSITIVE],
        "attention": [StrOptions({"auto", "linear", "sigmoid"})],
        "fc_size": [_POSITIVE],
        "batch_norm": [StrOptions({"auto", "fc", "linear"}), None],
        "negative_slope": [Interval(Real, 0, None, closed="left")],
        "initialization": [StrOptions({"auto", "torch", "truncated_normal"})],
        "optimizer": [StrOptions({"auto", *OPTIMIZERS}), callable],
        "lr": [_AUTO, *NeuralClassifier._parameter_constraints["lr"]],
        "batch_size": [_AUTO, *NeuralClassifier._parameter_constraints["batch_size"]],
    }

    def __init__(
        self,
        preset="paper",
        *,
        n_conv_layers=6,
        conv_channels=(128, 256),
        kernel_size=(3, 5),
        pool_size="auto",
        linear_size=768,
        lstm_hidden_size=128,
        attention="auto",
        fc_size=64,
        batch_norm="auto",
        negative_slope=0.01,
        initialization="auto",
        optimizer="auto",
        lr="auto",
        weight_decay=0.0,
        batch_size="auto",
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
        self.preset = preset
        self.n_conv_layers = n_conv_layers
        self.conv_channels = conv_channels
        self.kernel_size = kernel_size
        self.pool_size = pool_size
        self.linear_size = linear_size
        self.lstm_hidden_size = lstm_hidden_size
        self.attention = attention
        self.fc_size = fc_size
        self.batch_norm = batch_norm
        self.negative_slope = negative_slope
        self.initialization = initialization

    def _make_module(self, n_channels: int, n_bins: int, n_outputs: int) -> nn.Module:
        encoder = ACRNNEncoder(
            n_channels,
            n_bins,
            n_conv_layers=self.n_conv_layers,
            conv_channels=self.conv_channels,
            kernel_size=self.kernel_size,
            pool_size=self._setting("pool_size"),
            linear_size=self.linear_size,
            lstm_hidden_size=self.lstm_hidden_size,
            attention=self._setting("attention"),
            fc_size=self.fc_size,
            batch_norm=self._setting("batch_norm"),
            negative_slope=self.negative_slope,
        )
        network = UtteranceNetwork(encoder, nn.Linear(encoder.embedding_size, n_outputs))
        if self._setting("initialization") == "truncated_normal":
            initialize_acrnn(network)
        return network

    @property
    def frames_per_weight_(self) -> int:
        """Number of frames of the input that share a weight of the attention."""
        return self.net_.module_.min_shape[1]

    def attention_weights(self, X: Any) -> np.ndarray:
        """Return how much every part of an utterance counts.

        Parameters
        ----------
        X : frames
            The utterances.

        Returns
        -------
        weights : ndarray
            Of every utterance its weights in order of time, which sum to one:
            one per `frames_per_weight_` frames, for that is what max-pooling
            leaves. A 1-D object array of arrays if `X` is ragged, otherwise of
            shape (n_utterances, n_weights).
        """
        weights = self.activations(X, "recurrence.attention.weights")
        if is_ragged(weights):
            return as_ragged(row.ravel() for row in weights)
        return weights.reshape(len(weights), -1)
