"""Networks that are trained not to know who speaks."""

from numbers import Real
from typing import ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions
from torch import nn

from serkit.modules import DomainAdversarialNetwork, MLPHead, UtteranceNetwork
from serkit.neural_network._base import NeuralEstimator
from serkit.neural_network._classifier import NeuralClassifier
from serkit.neural_network._crnn import CRNN_CONSTRAINTS
from serkit.neural_network._encoders import (
    ENCODERS,
    embedding_size,
    input_kind,
    is_fixed_length,
    make_encoder,
)
from serkit.training import ClassificationObjective, DomainAdversarialObjective

__all__ = ["DomainAdversarialClassifier"]


class DomainAdversarialClassifier(NeuralClassifier):
    """Classify utterances by a network that is trained not to know who speaks.

    Two heads read the embedding that the encoder makes of an utterance: one
    tells emotions apart, the other speakers. What the second one learns is
    turned against the encoder, the more so the further training has come. The
    second head is needed in training only: ``predict`` takes no speakers.

    Parameters
    ----------
    encoder : str, network or Module, default="cnn2d_bigru"
        Turns utterances into embeddings. By name: "cnn2d_bigru", "tdnn_bilstm"
        and "cnn1d_gru" encode frames, "mlp" functionals. The parameters below
        describe "cnn2d_bigru", but for `encoder_layer_sizes`, which is of "mlp",
        and for those of the heads, `hidden_layer_sizes` and `dropout`.
        "tdnn_bilstm" and "cnn1d_gru" are
        :class:`~serkit.modules.TDNNBiLSTMEncoder` and
        :class:`~serkit.modules.CNN1DGRUEncoder` of their default sizes.

        An unfitted network of serkit, such as ``CRNNClassifier(2)``, gives all its
        layers but the head. Those of its parameters that describe layers count,
        and can be searched (``encoder__n_filters``); those of training do not,
        for training is described below.

        A module of torch turns frames (n_utterances, n_channels, n_bins,
        n_frames) into embeddings (n_utterances, n_values); if its ``forward``
        has the parameter ``lengths``, it gets batches of unequal lengths. A copy
        of it is trained, from the weights that it has.
    gamma : float or None, default=2.5
        How fast the weight of the speakers grows: it is
        ``2 / (1 + exp(-gamma * p)) - 1`` when the share p of `max_epochs` is
        done. The paper has 1.25, 2.5 and 3.33. ``None`` trains without the
        speaker head; otherwise ``fit`` needs the speakers, two of them or more
        to train on.
    adversarial_loss : {"grl", "negated_ce"}, default="grl"
        "grl" reverses the gradient between the speaker head and the encoder;
        the head itself is trained to tell speakers apart. "negated_ce" is the
        form that the paper prints: the loss of the speakers is subtracted and
        both heads end in a softmax before the cross-entropy, which has a
        softmax of its own. The speaker head is then trained to fail.
    n_conv_layers : int, default=1
        Number of convolution blocks, 1 to 4 in the paper.
    %(crnn)s
    encoder_layer_sizes : tuple of int, default=(256, 128)
        Units of the layers of the encoder "mlp".
    %(training)s

    Attributes
    ----------
    speakers_ : ndarray of shape (n_speakers,)
        The speakers trained on, one output of the speaker head each.
    %(fitted)s

    See Also
    --------
    CRNNClassifier : The same network without the speaker head.
    serkit.inspection.speaker_probe_score : Says what an embedding knows of the
        speaker.

    Notes
    -----
    ``history_`` has the columns ``lambda``, ``emotion_loss``, ``speaker_loss``
    and ``speaker_accuracy``, means over the batches of an epoch. Utterances
    whose speaker is ``None`` take part in the first loss only. With
    ``warm_start=True`` the speaker head begins anew, as its weight does, so the
    speakers may be others.

    References
    ----------
    Leow (2021), "Speaker-Invariant Speech Emotion Recognition with Domain
    Adversarial Training", sections 3.3 and 3.4.

    Ganin et al., "Domain-Adversarial Training of Neural Networks", JMLR 2016.

    Examples
    --------
    >>> from serkit.datasets import make_emotional_speech
    >>> from serkit.feature_extraction import MFCC, FrameScaler
    >>> from serkit.neural_network import DomainAdversarialClassifier
    >>> from serkit.pipeline import Pipeline
    >>> corpus = make_emotional_speech(4, n_sentences=2, random_state=0)
    >>> dat = DomainAdversarialClassifier(
    ...     gamma=3.33, n_filters=8, rnn_hidden_size=8, max_epochs=4, random_state=0
    ... )
    >>> pipe = Pipeline([("mfcc", MFCC(n_mfcc=20)), ("scale", FrameScaler()), ("dat", dat)])
    >>> pipe = pipe.fit(corpus.audio, corpus.y, dat__speakers=corpus.speakers)
    >>> dat.history_["lambda"].round(2).tolist()
    [0.0, 0.39, 0.68, 0.85]
    """

    _parameter_constraints: ClassVar[dict] = {
        **NeuralClassifier._parameter_constraints,
        **CRNN_CONSTRAINTS,
        "encoder": [StrOptions(set(ENCODERS)), NeuralEstimator, nn.Module],
        "gamma": [Interval(Real, 0, None, closed="left"), None],
        "adversarial_loss": [StrOptions({"grl", "negated_ce"})],
        "encoder_layer_sizes": ["array-like"],
    }

    def __init__(
        self,
        encoder="cnn2d_bigru",
        *,
        gamma=2.5,
        adversarial_loss="grl",
        n_conv_layers=1,
        n_filters=64,
        kernel_size=2,
        pool_size=2,
        conv_dropout=0.1,
        rnn_hidden_size=256,
        projection=True,
        hidden_layer_sizes=(128, 128),
        dropout=0.5,
        encoder_layer_sizes=(256, 128),
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
        self.encoder = encoder
        self.gamma = gamma
        self.adversarial_loss = adversarial_loss
        self.n_conv_layers = n_conv_layers
        self.n_filters = n_filters
        self.kernel_size = kernel_size
        self.pool_size = pool_size
        self.conv_dropout = conv_dropout
        self.rnn_hidden_size = rnn_hidden_size
        self.projection = projection
        self.hidden_layer_sizes = hidden_layer_sizes
        self.dropout = dropout
        self.encoder_layer_sizes = encoder_layer_sizes

    @property
    def _input_kind(self) -> str:
        return input_kind(self.encoder)

    @property
    def _is_fixed_length(self) -> bool:  # type: ignore[override]
        return is_fixed_length(self.encoder)

    def _make_targets(self, y: np.ndarray, speakers: np.ndarray | None) -> dict[str, np.ndarray]:
        if self.gamma is None:
            self.__dict__.pop("speakers_", None)
            return {"y": y}
        if speakers is None:
            raise ValueError(
                "domain-adversarial training needs the speakers: fit(X, y, speakers=…), in a "
                "pipeline fit(X, y, <step>__speakers=…); gamma=None trains without them"
            )
        real = [speaker for speaker in speakers if speaker is not None]
        trained_on = np.array(sorted(set(real)), dtype=object)
        if len(trained_on) < 2:
            raise ValueError(
                "domain-adversarial training needs two speakers or more to train on, beside those "
                f"held out for validation; there are {len(trained_on)}"
            )
        self.speakers_ = trained_on
        codes = {speaker: code for code, speaker in enumerate(self.speakers_)}
        return {"y": y, "speaker": np.array([codes.get(speaker, -1) for speaker in speakers])}

    def _make_objective(self) -> nn.Module:
        if self.gamma is None:
            return ClassificationObjective()
        return DomainAdversarialObjective(self.gamma, form=self.adversarial_loss)

    def _make_module(self, n_channels: int, n_bins: int, n_outputs: int) -> nn.Module:
        encoder = make_encoder(self, "encoder", n_channels, n_bins)
        size = embedding_size(encoder, self._input_kind, n_channels, n_bins, self.n_frames_)
        return self._add_speaker_head(encoder, self._make_head(size, n_outputs), size)

    def _continue_module(self) -> nn.Module:
        # The speakers may be others now, and their weight begins at zero again.
        module = super()._continue_module()
        assert isinstance(module, UtteranceNetwork)
        return self._add_speaker_head(module.encoder, module.head, self._n_features_out)

    def _add_speaker_head(self, encoder: nn.Module, head: nn.Module, size: int) -> nn.Module:
        if self.gamma is None:
            return UtteranceNetwork(encoder, head)
        return DomainAdversarialNetwork(encoder, head, self._make_head(size, len(self.speakers_)))

    def _make_head(self, size: int, n_outputs: int) -> MLPHead:
        return MLPHead(
            size, n_outputs, hidden_layer_sizes=self.hidden_layer_sizes, dropout=self.dropout
        )
