"""The base of the networks that predict numbers."""

from typing import Any, ClassVar

import numpy as np
from sklearn.base import RegressorMixin, _fit_context
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import _check_y
from torch import nn

from serkit.neural_network._base import NeuralEstimator
from serkit.training import ConcordanceObjective, RegressionObjective

__all__ = ["NeuralRegressor"]


class NeuralRegressor(RegressorMixin, NeuralEstimator):
    """Base of the networks that predict numbers, such as valence and arousal.

    A subclass adds its own parameters and ``_make_module(n_channels, n_bins,
    n_outputs)``, which returns a network from a batch to as many values per
    utterance as there are targets.

    Parameters
    ----------
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
    NeuralClassifier : Tells classes apart.
    UtteranceRegressor : Predicts by any network.

    Examples
    --------
    >>> import numpy as np
    >>> from torch import nn
    >>> from serkit.modules import UtteranceNetwork
    >>> from serkit.neural_network import NeuralRegressor
    >>> class Average(nn.Module):
    ...     def forward(self, x):
    ...         return x.mean(dim=(1, 3))
    >>> class LinearRegressor(NeuralRegressor):
    ...     def _make_module(self, n_channels, n_bins, n_outputs):
    ...         return UtteranceNetwork(Average(), nn.Linear(n_bins, n_outputs))
    >>> X = [np.full((1, 2, 5), valence) for valence in (-1.0, -0.5, 0.5, 1.0)]
    >>> regressor = LinearRegressor(lr=0.1, random_state=0).fit(X, [-1.0, -0.5, 0.5, 1.0])
    >>> regressor.predict(X[:2]).round(2)
    array([-1. , -0.5])
    """

    _parameter_constraints: ClassVar[dict] = {
        **NeuralEstimator._parameter_constraints,
        "loss": [StrOptions({"mse", "ccc"})],
    }
    _monitor = "valid_loss"

    def __init__(
        self,
        *,
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
        self.loss = loss

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, *, speakers: Any = None, sample_weight: Any = None):
        """Train the network.

        Parameters
        ----------
        X : frames or functionals
            The utterances.
        y : array-like of shape (n_utterances,) or (n_utterances, n_targets)
            What to predict of each.
        speakers : array-like of shape (n_utterances,), default=None
            Their speakers, by which validation utterances are held out;
            ``None`` marks an utterance without one, which is only trained on.
        sample_weight : array-like of shape (n_utterances,), default=None
            Their weights in the loss.

        Returns
        -------
        self : object
        """
        return self._fit(X, y, speakers=speakers, sample_weight=sample_weight)

    def predict(self, X: Any) -> np.ndarray:
        """Predict the targets of every utterance.

        Parameters
        ----------
        X : frames or functionals
            The utterances.

        Returns
        -------
        y_pred : ndarray of shape (n_utterances,) or (n_utterances, n_targets)
        """
        y_pred = self._infer(X) * self._target_scale + self._target_mean
        return y_pred if self._multi_output else y_pred[:, 0]

    @property
    def _n_outputs(self) -> int:
        return len(self._target_mean)

    def _make_objective(self) -> nn.Module:
        if self.loss == "mse":
            return RegressionObjective()
        if self._setting("batch_size") == 1:
            raise ValueError(
                'loss="ccc" compares the utterances of a batch with each other, and batch_size=1 '
                "has one; set batch_size to 2 or more, the larger the better"
            )
        return ConcordanceObjective()

    def _check_target(self, y: Any, *, reset: bool) -> np.ndarray:
        y = _check_y(y, multi_output=True, y_numeric=True, estimator=self).astype(np.float64)
        columns = y[:, None] if y.ndim == 1 else y
        if reset:
            self._multi_output = y.ndim == 2
        elif columns.shape[1] != self._n_outputs:
            raise ValueError(
                f"warm_start=True: y has {columns.shape[1]} targets, the last fit had "
                f"{self._n_outputs}"
            )
        return columns

    def _scale_target(self, y: np.ndarray, train: np.ndarray, *, reset: bool) -> np.ndarray:
        # The learning rate suits any unit. The CCC is the same in any that both sides share.
        if reset:
            self._target_mean, self._target_scale = self._target_statistics(y[train])
        return ((y - self._target_mean) / self._target_scale).astype(np.float32)

    def _target_statistics(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return what is subtracted from every target, and by what it is divided."""
        scale = y.std(axis=0)
        return y.mean(axis=0), np.where(scale > 0, scale, 1.0)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
