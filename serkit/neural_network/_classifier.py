"""The base of the networks that tell classes apart."""

from typing import Any, ClassVar

import numpy as np
from scipy.special import softmax
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.utils import check_random_state, compute_class_weight
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted
from torch import nn

from serkit.modules import find_part
from serkit.neural_network._base import NeuralEstimator
from serkit.neural_network._labels import check_labels
from serkit.training import ClassificationObjective, torch_session

__all__ = ["NeuralClassifier"]


class NeuralClassifier(ClassifierMixin, NeuralEstimator):
    """Base of the networks that classify utterances.

    A subclass adds its own parameters and ``_make_module(n_channels, n_bins,
    n_outputs)``, which returns a network from a batch to logits, such as a
    :class:`~serkit.modules.UtteranceNetwork`.

    Parameters
    ----------
    %(training)s

    Attributes
    ----------
    %(fitted)s

    See Also
    --------
    NeuralRegressor : Predicts numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from torch import nn
    >>> from serkit.modules import UtteranceNetwork
    >>> from serkit.neural_network import NeuralClassifier
    >>> class Average(nn.Module):
    ...     def forward(self, x):
    ...         return x.mean(dim=(1, 3))
    >>> class LinearClassifier(NeuralClassifier):
    ...     def _make_module(self, n_channels, n_bins, n_outputs):
    ...         return UtteranceNetwork(Average(), nn.Linear(n_bins, n_outputs))
    >>> X = [np.full((1, 2, n), n % 2) for n in (5, 6, 7, 8)]
    >>> classifier = LinearClassifier(lr=0.1, random_state=0)
    >>> classifier.fit(X, ["calm", "anger", "calm", "anger"]).predict(X[:2])
    array(['calm', 'anger'], dtype='<U5')
    """

    _parameter_constraints: ClassVar[dict] = {
        **NeuralEstimator._parameter_constraints,
        "class_weight": [StrOptions({"balanced"}), dict, None],
    }
    _monitor = "valid_uar"

    def __init__(
        self,
        *,
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
            augment=augment,
            callbacks=callbacks,
            device=device,
            mixed_precision=mixed_precision,
            num_threads=num_threads,
            random_state=random_state,
            verbose=verbose,
            warm_start=warm_start,
        )
        self.class_weight = class_weight

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, *, speakers: Any = None, sample_weight: Any = None):
        """Train the network.

        Parameters
        ----------
        X : frames or functionals
            The utterances.
        y : array-like of shape (n_utterances,)
            Their classes.
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
        """Return the most probable class of every utterance.

        Parameters
        ----------
        X : frames or functionals
            The utterances.

        Returns
        -------
        y_pred : ndarray of shape (n_utterances,)
        """
        check_is_fitted(self, "net_")
        return self.classes_[self._infer(X).argmax(axis=1)]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of every class.

        Parameters
        ----------
        X : frames or functionals
            The utterances.

        Returns
        -------
        probabilities : ndarray of shape (n_utterances, n_classes), float32
        """
        return softmax(self._infer(X), axis=1)

    @property
    def _n_outputs(self) -> int:
        return len(self.classes_)

    def _make_objective(self) -> nn.Module:
        return ClassificationObjective()

    def _check_target(self, y: Any, *, reset: bool) -> np.ndarray:
        y = check_labels(self, y)
        if reset:
            self.classes_, codes = np.unique(y, return_inverse=True)
            if len(self.classes_) < 2:
                raise ValueError(
                    f"{type(self).__name__} needs utterances of two classes or more; y has "
                    f"1 class, {self.classes_.tolist()[0]!r}"
                )
            return codes
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise ValueError(
                f"warm_start=True: the classes {unknown.tolist()} were not in the last fit"
            )
        return np.searchsorted(self.classes_, y)

    def _replace_head(self, y: Any) -> None:
        """Give the fitted network a head that has not been trained, for other classes."""
        self._check_target(y, reset=True)
        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        with torch_session(seed=seed):
            head = find_part(self._make_network(), "head")
        self.net_.module_.head = head.to(self.net_.device)

    def _weigh(
        self, y: np.ndarray, train: np.ndarray, sample_weight: np.ndarray | None
    ) -> np.ndarray | None:
        if self.class_weight is None:
            return sample_weight
        of_class = np.ones(len(self.classes_), dtype=np.float32)
        if isinstance(self.class_weight, dict):
            of_class[:] = compute_class_weight(
                self.class_weight, classes=self.classes_, y=self.classes_
            )
        else:
            present = np.unique(y[train])
            of_class[present] = compute_class_weight("balanced", classes=present, y=y[train])
        return of_class[y] if sample_weight is None else of_class[y] * sample_weight
