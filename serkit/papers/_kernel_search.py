"""Networks with every kernel size, of which the best on the validation speakers is kept."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone

from serkit.neural_network import CLDNNClassifier, convolution_param_grid

__all__ = ["KernelSearch"]


class KernelSearch(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Train a network with every kernel size, and keep the one that validates best.

    The utterances that end the training of a network choose among the networks
    too, which is what the paper does with its one validation set.

    Parameters
    ----------
    network : CLDNNClassifier
        What is trained; with a part of the speakers to validate on. Of type "st"
        are tried the best of "s" combined with the best of "t", which are
        trained before.
    n_best : int, default=3
        How many of either; the paper does not say.

    Attributes
    ----------
    network_ : CLDNNClassifier
        The best, fitted.
    """

    #: Speakers choose the validation utterances.
    __metadata_request__fit: ClassVar = {"speakers": True}

    def __init__(self, network: CLDNNClassifier, *, n_best: int = 3):
        self.network = network
        self.n_best = n_best

    def fit(self, X: Any, y: Any, *, speakers: Any = None) -> "KernelSearch":
        """Train all, and keep the best."""
        best: dict[str, Any] = {}
        if self.network.convolution == "st":
            for way in "st":
                ranked = self._ranked(way, X, y, speakers)
                best[f"top_{way}"] = [net.kernel_sizes for net in ranked[: self.n_best]]
        self.network_ = self._ranked(self.network.convolution, X, y, speakers, **best)[0]
        self.classes_ = self.network_.classes_
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return the classes that the best network predicts."""
        return self.network_.predict(X)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the posteriors of the best network."""
        return self.network_.predict_proba(X)

    def _ranked(
        self, convolution: str, X: Any, y: Any, speakers: Any, **best: Any
    ) -> Sequence[CLDNNClassifier]:
        """Return a network for every kernel size, those that validate best first."""
        grid = convolution_param_grid(
            convolution, X[0].shape[-2], context=self.network.context, **best
        )
        networks = [
            clone(self.network).set_params(convolution=convolution, kernel_sizes=sizes)
            for sizes in grid["kernel_sizes"]
        ]
        for network in networks:
            network.fit(X, y, speakers=speakers)
        return sorted(networks, key=lambda net: -net.history_["valid_uar"].max())
