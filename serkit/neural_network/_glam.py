"""Multi-scale convolutional networks with a global-aware block."""

from numbers import Integral, Real
from typing import Any, ClassVar

from sklearn.utils._param_validation import Interval, StrOptions
from torch import nn

from serkit.modules import GLAMEncoder, UtteranceNetwork
from serkit.neural_network._classifier import NeuralClassifier
from serkit.training import ExponentialDecay, Mixup

__all__ = ["GLAMClassifier"]

_POSITIVE = Interval(Integral, 1, None, closed="left")
_AUTO = StrOptions({"auto"})

#: Where the learning rate stops to fall.
_LEAST_LR = 1e-6


class GLAMClassifier(NeuralClassifier):
    """Classify segments by convolutions of several sizes and a gated perceptron (GLAM).

    Made for MFCCs of segments of about two seconds. A convolution along bins
    beside one along time, multi-scale blocks with max-pooling between them, a
    convolution of 5 by 5, and a global-aware block, a gMLP that looks at all
    maps and places at once. GLAM has three multi-scale blocks; the Modified GLAM
    of Lazarević (2024) is ``GLAMClassifier(n_blocks=4)``.

    The network takes utterances of one length, the longest that it was fitted
    on: shorter ones are padded, longer ones are cut with a warning. Cut
    utterances into segments by
    :class:`~serkit.neural_network.SegmentAggregationClassifier`.

    Parameters
    ----------
    preset : {"paper", "reference"}, default="paper"
        What the parameters that are "auto" stand for. "paper" is what Lazarević
        (2024) writes: lr 1e-4, no mixup. "reference" is the public code of Zhu
        and Li (2022): lr 1e-3, mixup 0.5.
    n_blocks : int, default=3
        Number of multi-scale blocks, each of which doubles the number of maps.
    n_pools : int or None, default=None
        How many of them, from the first, are followed by 2 by 2 max-pooling;
        ``None`` is all but the last.
    n_filters : int, default=16
        Filters of each of the first two convolutions.
    expansion : int, default=4
        By how much the gMLP widens its input.
    gate_activation : {"tanh", "identity"}, default="tanh"
        The last step of its gate.
    mixup : "auto", float or None, default="auto"
        Parameter of the Beta distribution by which utterances are mixed in
        training, as of :class:`~serkit.training.Mixup`; ``None`` mixes none.
    decay : float, default=0.95
        The learning rate is multiplied by it after every epoch, until it is
        1e-6.
    %(training)s

    Attributes
    ----------
    %(fitted)s

    See Also
    --------
    SegmentAggregationClassifier : Cuts utterances into segments and joins what
        the network says of them.
    ACRNNClassifier : A network with attention, for utterances of any length.

    References
    ----------
    Lazarević (2024), "An evaluation of speech emotion recognition systems based on
    transformer and long-short term memory architectures", sections 3.2, 4.3.2 and
    5.3.

    Zhu and Li, "Speech Emotion Recognition with Global-Aware Fusion on Multi-Scale
    Feature Representation", ICASSP 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.neural_network import GLAMClassifier
    >>> X = np.random.default_rng(0).normal(size=(8, 1, 13, 20))
    >>> glam = GLAMClassifier(n_filters=2, max_epochs=2, random_state=0)
    >>> glam.fit(X, ["calm", "anger"] * 4).stages_
    ['convolution', 'scale1', 'scale2', 'scale3', 'convolution2', 'global_aware', 'head']
    >>> glam.n_frames_
    20
    """

    _is_fixed_length = True
    _presets: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {"lr": 1e-4, "mixup": None},
        "reference": {"lr": 1e-3, "mixup": 0.5},
    }
    _parameter_constraints: ClassVar[dict] = {
        **NeuralClassifier._parameter_constraints,
        "preset": [StrOptions(set(_presets))],
        "n_blocks": [_POSITIVE],
        "n_pools": [Interval(Integral, 0, None, closed="left"), None],
        "n_filters": [_POSITIVE],
        "expansion": [Interval(Integral, 2, None, closed="left")],
        "gate_activation": [StrOptions({"tanh", "identity"})],
        "mixup": [_AUTO, Interval(Real, 0, None, closed="neither"), None],
        "decay": [Interval(Real, 0, 1, closed="right")],
        "lr": [_AUTO, *NeuralClassifier._parameter_constraints["lr"]],
    }

    def __init__(
        self,
        preset="paper",
        *,
        n_blocks=3,
        n_pools=None,
        n_filters=16,
        expansion=4,
        gate_activation="tanh",
        mixup="auto",
        decay=0.95,
        optimizer="adam",
        lr="auto",
        weight_decay=1e-6,
        batch_size=32,
        max_epochs=50,
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
        self.n_blocks = n_blocks
        self.n_pools = n_pools
        self.n_filters = n_filters
        self.expansion = expansion
        self.gate_activation = gate_activation
        self.mixup = mixup
        self.decay = decay

    def _make_module(self, n_channels: int, n_bins: int, n_outputs: int) -> nn.Module:
        encoder = GLAMEncoder(
            n_channels,
            n_bins,
            self.n_frames_,
            n_blocks=self.n_blocks,
            n_pools=self.n_pools,
            n_filters=self.n_filters,
            expansion=self.expansion,
            gate_activation=self.gate_activation,
        )
        return UtteranceNetwork(encoder, nn.Linear(encoder.embedding_size, n_outputs))

    def _make_callbacks(self) -> list[Any]:
        mixup = self._setting("mixup")
        return [
            ExponentialDecay(self.decay, floor=_LEAST_LR),
            *([Mixup(mixup)] if mixup else []),
        ]
