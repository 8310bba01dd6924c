"""Convolutional networks of several time scales."""

from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar

import pandas as pd
import torch
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from serkit.modules import (
    MultiTimeScaleConv2d,
    MultiTimeScaleEncoder,
    UtteranceNetwork,
    convert_to_multi_time_scale,
    is_length_aware,
)
from serkit.neural_network._base import NeuralEstimator
from serkit.neural_network._classifier import NeuralClassifier
from serkit.neural_network._encoders import (
    embedding_size,
    input_kind,
    is_fixed_length,
    make_encoder,
)

__all__ = ["MultiTimeScaleClassifier"]


class MultiTimeScaleClassifier(NeuralClassifier):
    """Classify utterances by convolutions of several time scales.

    Each kernel is stretched in time by the scale factors, and every cell of a map
    takes the scale with the largest value: speech may be faster or slower than
    what the kernel has learnt. There are no more weights than with one scale.

    The architectures of the thesis take utterances of one length, the longest
    that they were fitted on: shorter ones are padded, longer ones are cut with a
    warning. Other networks may be given in their place.

    Parameters
    ----------
    architecture : {"A1", "A2", "A3", "A4"}, network or Module, default="A2"
        One convolution of one filter, one of ten, or two of ten with pooling
        between them, each before a hidden layer of 200; or AlexNet ("A4"), whose
        first two convolutions have several scales. An unfitted network of serkit,
        such as ``CRNNClassifier(2)``, or a module of torch, as for
        :class:`DomainAdversarialClassifier`, is trained with all its
        convolutions converted.
    scale_factors : sequence of float or None, default=(0.7, 1.0, 1.428)
        Factors of the length of kernels in time; 1 is added if it is not among
        them. ``None`` is a plain network. The sets of the thesis are
        :data:`serkit.modules.SCALE_SETS`.
    n_filters : tuple of int or None, default=None
        Filters of the convolutions of an architecture; ``None`` is as above.
    kernel_size : int or (int, int), default=(5, 10)
        Extent of the kernels of "A1" to "A3" (bins, frames).
    hidden_layer_sizes : tuple of int or None, default=None
        Units of the hidden layers of an architecture; ``None`` is as above, or
        twice 4096 for "A4".
    dropout : float, default=0.5
        Probability that an input of the hidden layers of "A4" is dropped.
    align : {"auto", "interpolate", "pad"}, default="auto"
        How maps of all scales come to one size, as of
        :class:`~serkit.modules.MultiTimeScaleConv2d`. "auto" is "interpolate",
        as in the thesis, for its architectures, and "pad" for other networks.
    kernel_norm : {"sum", "l2"} or None, default=None
        How a stretched kernel is scaled, as of
        :class:`~serkit.modules.MultiTimeScaleConv2d`. With ``None`` longer
        kernels win by their length.
    scale_penalty : float, default=0.0
        A map is multiplied by 1 minus this times the absolute logarithm of its
        factor.
    %(training)s

    Attributes
    ----------
    %(fitted)s

    See Also
    --------
    SegmentAggregationClassifier : Cuts utterances into segments and joins what
        the network says of them.
    serkit.modules.convert_to_multi_time_scale : Does so to any module.

    References
    ----------
    Guizzo (2023), "Enhancing the Generalization of Convolutional Neural Networks
    for Speech Emotion Recognition", chapter 4.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.neural_network import MultiTimeScaleClassifier
    >>> X = np.random.default_rng(0).normal(size=(8, 1, 20, 30))
    >>> network = MultiTimeScaleClassifier("A1", max_epochs=2, patience=None, random_state=0)
    >>> network.fit(X, ["calm", "anger"] * 4).stages_
    ['convolution1', 'hidden1', 'head']
    >>> network.scale_usage(X).shape
    (1, 3)
    """

    _parameter_constraints: ClassVar[dict] = {
        **NeuralClassifier._parameter_constraints,
        "architecture": [StrOptions({"A1", "A2", "A3", "A4"}), NeuralEstimator, nn.Module],
        "scale_factors": ["array-like", None],
        "n_filters": ["array-like", None],
        "kernel_size": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "hidden_layer_sizes": ["array-like", None],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "align": [StrOptions({"auto", "interpolate", "pad"})],
        "kernel_norm": [StrOptions({"sum", "l2"}), None],
        "scale_penalty": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        architecture="A2",
        *,
        scale_factors=(0.7, 1.0, 1.428),
        n_filters=None,
        kernel_size=(5, 10),
        hidden_layer_sizes=None,
        dropout=0.5,
        align="auto",
        kernel_norm=None,
        scale_penalty=0.0,
        optimizer="adam",
        lr=1e-4,
        weight_decay=0.0,
        batch_size=32,
        max_epochs=500,
        patience=10,
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
        self.architecture = architecture
        self.scale_factors = scale_factors
        self.n_filters = n_filters
        self.kernel_size = kernel_size
        self.hidden_layer_sizes = hidden_layer_sizes
        self.dropout = dropout
        self.align = align
        self.kernel_norm = kernel_norm
        self.scale_penalty = scale_penalty

    def scale_usage(self, X: Any) -> pd.DataFrame:
        """Say how often every scale wins, convolution by convolution.

        Longer kernels have larger values by their length alone, so that they win
        more often in an untrained network too; compare with one.

        Parameters
        ----------
        X : frames
            The utterances.

        Returns
        -------
        shares : DataFrame
            A row per convolution, named by its stage, with a number if there are
            several in one; a column per factor. The share of the cells at which
            scales differ; NaN where a kernel is too short for a factor to make it
            another one.
        """
        check_is_fitted(self, "net_")
        layers = _scaled_layers(self.net_.module_)
        wins = {name: torch.zeros(len(layer.scale_factors)) for name, layer in layers.items()}
        hooks = [
            layer.register_forward_pre_hook(partial(_count, wins[name]))
            for name, layer in layers.items()
        ]
        utterances = self._check_input(X, reset=False)
        try:
            for row in range(len(utterances)):  # each by itself, so that none is padded
                self._apply(utterances[row : row + 1], stage=None)
        finally:
            for hook in hooks:
                hook.remove()
        shares = {
            name: pd.Series((wins[name] / wins[name].sum()).numpy(), index=layer.scale_factors)
            for name, layer in layers.items()
        }
        return pd.DataFrame(shares).T

    @property
    def _input_kind(self) -> str:
        return input_kind(self.architecture)

    @property
    def _is_fixed_length(self) -> bool:  # type: ignore[override]
        return isinstance(self.architecture, str) or is_fixed_length(self.architecture)

    def _make_module(self, n_channels: int, n_bins: int, n_outputs: int) -> nn.Module:
        options = {"kernel_norm": self.kernel_norm, "scale_penalty": self.scale_penalty}
        if isinstance(self.architecture, str):
            encoder: nn.Module = MultiTimeScaleEncoder(
                n_channels,
                n_bins,
                self.n_frames_,
                architecture=self.architecture,
                scale_factors=self.scale_factors,
                n_filters=self.n_filters,
                kernel_size=self.kernel_size,
                hidden_layer_sizes=self.hidden_layer_sizes,
                dropout=self.dropout,
                align="interpolate" if self.align == "auto" else self.align,
                **options,
            )
        else:
            encoder = make_encoder(self, "architecture", n_channels, n_bins)
            if self.scale_factors is not None:
                align = "pad" if self.align == "auto" else self.align
                if align == "interpolate" and is_length_aware(encoder):
                    raise ValueError(
                        'align="interpolate" stretches maps as a whole, padding included, so that '
                        "utterances of unequal lengths would influence each other; use "
                        'align="pad" with networks that take any length'
                    )
                encoder = convert_to_multi_time_scale(
                    encoder, self.scale_factors, align=align, **options
                )
        size = embedding_size(encoder, self._input_kind, n_channels, n_bins, self.n_frames_)
        return UtteranceNetwork(encoder, nn.Linear(size, n_outputs))


def _count(wins: Tensor, layer: Any, inputs: tuple[Tensor, ...]) -> None:
    wins += layer.count_wins(inputs[0]).cpu()


def _scaled_layers(network: Any) -> dict[str, MultiTimeScaleConv2d]:
    """Return the convolutions of several scales by the stage that they are in."""
    found = {}
    for stage, part in network.stages.items():
        layers = [
            layer
            for layer in part.modules()
            if isinstance(layer, MultiTimeScaleConv2d) and len(layer.scale_factors) > 1
        ]
        for number, layer in enumerate(layers, start=1):
            found[stage if len(layers) == 1 else f"{stage}.{number}"] = layer
    return found
