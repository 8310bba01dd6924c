"""Large convolutional networks, of quaternions or of real numbers."""

from numbers import Integral, Real
from typing import ClassVar

from sklearn.utils._param_validation import Interval, StrOptions
from torch import nn

from serkit.modules import UtteranceNetwork, make_backbone
from serkit.neural_network._classifier import NeuralClassifier

__all__ = ["QuaternionCNNClassifier"]


class QuaternionCNNClassifier(NeuralClassifier):
    """Classify utterances by VGG16, AlexNet or a ResNet of quaternions.

    Every four channels are one number, so that a layer has a quarter of the
    weights that it has over the real numbers. It is made for frames of four
    channels that belong together. Of 8 and more, the first quarter are all real
    parts, the next all of i, then of j and of k. Channels of zeros fill up the end
    to a multiple of 4.
    With ``domain="real"`` it is the usual network, to compare with.

    The network takes utterances of one length, the longest that it was fitted
    on: shorter ones are padded, longer ones are cut with a warning.

    Parameters
    ----------
    backbone : {"vgg16", "alexnet", "resnet18", "resnet50"}, default="resnet50"
        The network; VGG16 is the one without batch normalisation.
    domain : {"quaternion", "real"}, default="quaternion"
        What weights and maps are made of. The last layer is real.
    width : float, default=1.0
        Factor of the number of filters and hidden units. They are rounded, those of
        quaternions to multiples of 4.
    adaptive_pool : int, (int, int), "auto" or None, default="auto"
        The size (bins, frames) that average pooling makes of the last maps; ``None``
        leaves them as they are. "auto" is 6 for AlexNet, 1 for a ResNet and ``None``
        for VGG16; that of torchvision has 7.
    dropout : float, default=0.5
        Probability that a hidden unit of VGG16 or AlexNet is dropped in training.
    %(training)s

    Attributes
    ----------
    %(fitted)s

    See Also
    --------
    FineTuneClassifier : Goes on with a fitted network on other speech.
    SegmentAggregationClassifier : Cuts utterances into segments and joins what
        the network says of them.
    serkit.modules.make_backbone : The networks as modules.

    References
    ----------
    Guizzo (2023), "Enhancing the Generalization of Convolutional Neural Networks
    for Speech Emotion Recognition", section 6.3 and appendix A.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.neural_network import QuaternionCNNClassifier
    >>> X = np.random.default_rng(0).normal(size=(8, 4, 64, 64))
    >>> small = {"width": 1 / 16, "max_epochs": 1, "patience": None, "random_state": 0}
    >>> network = QuaternionCNNClassifier("resnet50", **small).fit(X, ["calm", "anger"] * 4)
    >>> network.stages_
    ['stem', 'layer1', 'layer2', 'layer3', 'layer4', 'pooling', 'head']
    >>> network.transform(X).shape
    (8, 128)
    """

    _is_fixed_length = True
    _parameter_constraints: ClassVar[dict] = {
        **NeuralClassifier._parameter_constraints,
        "backbone": [StrOptions({"vgg16", "alexnet", "resnet18", "resnet50"})],
        "domain": [StrOptions({"quaternion", "real"})],
        "width": [Interval(Real, 0, None, closed="neither")],
        "adaptive_pool": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
            "array-like",
            None,
        ],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
        backbone="resnet50",
        *,
        domain="quaternion",
        width=1.0,
        adaptive_pool="auto",
        dropout=0.5,
        optimizer="adam",
        lr=1e-5,
        weight_decay=0.0,
        batch_size=20,
        max_epochs=500,
        patience=20,
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
        self.backbone = backbone
        self.domain = domain
        self.width = width
        self.adaptive_pool = adaptive_pool
        self.dropout = dropout

    def _make_module(self, n_channels: int, n_bins: int, n_outputs: int) -> nn.Module:
        encoder = make_backbone(
            self.backbone,
            n_channels=n_channels,
            n_bins=n_bins,
            n_frames=self.n_frames_,
            domain=self.domain,
            width=self.width,
            adaptive_pool=self.adaptive_pool,
            dropout=self.dropout,
        )
        return UtteranceNetwork(encoder, nn.Linear(encoder.embedding_size, n_outputs))
