"""Networks that predict a sequence for every slice, such as valence over time."""

import math
from abc import ABC
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval
from torch import nn

from serkit.modules import BiGRUEncoder, SequenceCNNEncoder, UtteranceNetwork
from serkit.neural_network._regressor import NeuralRegressor
from serkit.training import ConcordanceObjective

__all__ = ["BiGRURegressor", "SequenceCNNRegressor"]


class _SequenceRegressor(NeuralRegressor, ABC):
    """Base of the networks whose targets are the values of a sequence."""

    _parameter_constraints: ClassVar[dict] = {
        **NeuralRegressor._parameter_constraints,
        "target_range": [tuple, list, None],
    }

    loss: str
    target_range: tuple[float, float] | None
    target_range_: tuple[float, float]

    def _make_objective(self) -> nn.Module:
        return ConcordanceObjective("time") if self.loss == "ccc" else super()._make_objective()

    def _check_target(self, y: Any, *, reset: bool) -> np.ndarray:
        y = super()._check_target(y, reset=reset)
        if self.loss == "ccc" and y.shape[1] < 2:
            raise ValueError(
                'loss="ccc" compares sequences, but y has one value per slice: give y of shape '
                '(n_slices, n_steps), or set loss="mse"'
            )
        if self.target_range is not None:
            given = _check_range(self.target_range)
            if not reset and given != self.target_range_:
                raise ValueError(
                    f"warm_start=True: target_range is {given}, but the network goes on from one "
                    f"of {self.target_range_}; set that, or warm_start=False"
                )
            if y.min() < given[0] or y.max() > given[1]:
                raise ValueError(
                    f"y has values from {y.min():.3g} to {y.max():.3g}, beyond target_range="
                    f"{self.target_range!r}; set it to the range of your labels, or to None for "
                    "that of the training targets"
                )
        return y

    def _scale_target(self, y: np.ndarray, train: np.ndarray, *, reset: bool) -> np.ndarray:
        if not reset:
            low, high = y[train].min(), y[train].max()
            if low < self.target_range_[0] or high > self.target_range_[1]:
                raise ValueError(
                    f"warm_start=True: y has values from {low:.3g} to {high:.3g}, but the network "
                    f"goes on from one of {self.target_range_}; set warm_start=False"
                )
        return super()._scale_target(y, train, reset=reset)

    def _target_statistics(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        # One unit for all steps: the CCC along a sequence stays what it is.
        low, high = (y.min(), y.max()) if self.target_range is None else self.target_range
        self.target_range_ = (float(low), float(high))
        half = (high - low) / 2 if high > low else 1.0
        return np.full(y.shape[1], (low + high) / 2), np.full(y.shape[1], half)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.single_output = self.loss != "ccc"
        return tags


def _check_range(target_range: Any) -> tuple[float, float]:
    numbers = [float(end) for end in target_range if isinstance(end, Real) and math.isfinite(end)]
    if len(numbers) != len(target_range) or len(numbers) != 2 or not numbers[0] < numbers[1]:
        raise ValueError(
            f"target_range is two numbers, (lowest, highest), or None, not {target_range!r}"
        )
    return numbers[0], numbers[1]


class BiGRURegressor(_SequenceRegressor):
    """Predict a sequence for every slice by a bidirectional gated recurrent unit.

    The final states of both directions, batch normalisation, and a linear output
    for every step of the sequence. Slices are usually of one length, with as many
    steps, but what is padded within a batch has no influence.

    Parameters
    ----------
    hidden_size : int, default=250
        Units of the GRU in each direction.
    dropout : float, default=0.3
        Probability that a value of the final states is dropped in training.
    loss : {"ccc", "mse"}, default="ccc"
        What is minimised: one minus the concordance correlation coefficient of
        every sequence, of which a constant one teaches nothing, or the mean
        squared error.
    target_range : (float, float) or None, default=(-1.0, 1.0)
        Lowest and highest value that targets can have, the unit of the network;
        ``None`` is the range of the training targets.
    %(training)s

    Attributes
    ----------
    target_range_ : tuple of float
        The range of the targets.
    %(fitted)s

    See Also
    --------
    SequenceCNNRegressor : Convolutions instead.
    join_slices : Makes one sequence of the slices of a recording.
    serkit.metrics.sequence_ccc_scorer : The score of sequences.

    References
    ----------
    Guizzo (2023), "Enhancing the Generalization of Convolutional Neural Networks
    for Speech Emotion Recognition", section 3.2.1, where 800 frames of 129 bins
    have 200 values of valence.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.neural_network import BiGRURegressor
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(6, 1, 8, 40)), rng.uniform(-1, 1, size=(6, 10))
    >>> gru = BiGRURegressor(8, max_epochs=2, patience=None, random_state=0)
    >>> gru.fit(X, y).predict(X).shape
    (6, 10)
    """

    _parameter_constraints: ClassVar[dict] = {
        **_SequenceRegressor._parameter_constraints,
        "hidden_size": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
        hidden_size=250,
        *,
        dropout=0.3,
        loss="ccc",
        target_range=(-1.0, 1.0),
        optimizer="adam",
        lr=1e-3,
        weight_decay=0.0,
        batch_size=50,
        max_epochs=100,
        patience=10,
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
        self.hidden_size = hidden_size
        self.dropout = dropout
        self.target_range = target_range

    def _make_module(self, n_channels: int, n_bins: int, n_outputs: int) -> nn.Module:
        encoder = BiGRUEncoder(
            n_channels, n_bins, hidden_size=self.hidden_size, dropout=self.dropout
        )
        return UtteranceNetwork(encoder, nn.Linear(encoder.embedding_size, n_outputs))


class SequenceCNNRegressor(_SequenceRegressor):
    """Predict a sequence for every slice by a convolutional network.

    Convolutions with tanh and max-pooling, and an output with tanh for every step
    of the sequence, which so stays in `target_range`. Slices have one length, the
    longest that it was fitted on: shorter ones are padded, longer ones are cut
    with a warning.

    Parameters
    ----------
    n_filters : tuple of int, default=(20, 28, 40)
        Filters of the convolutions.
    kernel_sizes : tuple of (int, int), default=((12, 16), (12, 8), (7, 5))
        Extents of their kernels (bins, frames).
    pool_size : int or (int, int), default=2
        Extent and stride of the max-pooling behind each of them (bins, frames).
    dropout : float, default=0.3
        Probability that an input of the last layer is dropped in training.
    loss : {"ccc", "mse"}, default="ccc"
        What is minimised: one minus the concordance correlation coefficient of
        every sequence, of which a constant one teaches nothing, or the mean
        squared error.
    target_range : (float, float) or None, default=(-1.0, 1.0)
        Lowest and highest value that targets can have; no prediction is beyond.
        ``None`` is the range of the training targets.
    %(training)s

    Attributes
    ----------
    target_range_ : tuple of float
        The range of the targets.
    %(fitted)s

    See Also
    --------
    BiGRURegressor : A recurrent network instead.
    join_slices : Makes one sequence of the slices of a recording.
    serkit.metrics.sequence_ccc_scorer : The score of sequences.

    References
    ----------
    Guizzo (2023), "Enhancing the Generalization of Convolutional Neural Networks
    for Speech Emotion Recognition", section 3.4, table 3.3.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.neural_network import SequenceCNNRegressor
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(6, 1, 8, 40)), rng.uniform(-1, 1, size=(6, 10))
    >>> cnn = SequenceCNNRegressor(
    ...     (4,), kernel_sizes=((3, 5),), max_epochs=2, patience=None, random_state=0
    ... )
    >>> cnn.fit(X, y).predict(X).shape
    (6, 10)
    """

    _is_fixed_length = True

    _parameter_constraints: ClassVar[dict] = {
        **_SequenceRegressor._parameter_constraints,
        "n_filters": ["array-like"],
        "kernel_sizes": ["array-like"],
        "pool_size": [Interval(Integral, 1, None, closed="left"), tuple],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
        n_filters=(20, 28, 40),
        *,
        kernel_sizes=((12, 16), (12, 8), (7, 5)),
        pool_size=2,
        dropout=0.3,
        loss="ccc",
        target_range=(-1.0, 1.0),
        optimizer="adam",
        lr=1e-3,
        weight_decay=0.0,
        batch_size=50,
        max_epochs=100,
        patience=10,
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
        self.n_filters = n_filters
        self.kernel_sizes = kernel_sizes
        self.pool_size = pool_size
        self.dropout = dropout
        self.target_range = target_range

    def _make_module(self, n_channels: int, n_bins: int, n_outputs: int) -> nn.Module:
        encoder = SequenceCNNEncoder(
            n_channels,
            n_bins,
            self.n_frames_,
            n_filters=self.n_filters,
            kernel_sizes=self.kernel_sizes,
            pool_size=self.pool_size,
            dropout=self.dropout,
        )
        head = nn.Sequential(nn.Linear(encoder.embedding_size, n_outputs), nn.Tanh())
        return UtteranceNetwork(encoder, head)
