"""What transformers have in common that give named numbers, one row per utterance."""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils.validation import _check_feature_names_in

from serkit.utils import stack

__all__ = ["FunctionalsMixin", "NamedOutputMixin", "input_names"]


class NamedOutputMixin(TransformerMixin):
    """Let ``set_output`` work as in scikit-learn where there are feature names.

    A class (or an instance, where it depends on parameters) gives functionals
    when it has ``get_feature_names_out``, and something else when it has not.
    """

    def set_output(self, *, transform: str | None = None) -> "NamedOutputMixin":
        """Choose the container of the output; without feature names it stays an array.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None, default=None
            The container; ``None`` leaves the choice as it is.

        Returns
        -------
        self : object
        """
        if hasattr(self, "get_feature_names_out"):
            TransformerMixin.set_output(self, transform=transform)
        return self


class FunctionalsMixin(NamedOutputMixin):
    """Give functionals as a numeric 2-D array, whatever the container of the input.

    Put it before a :class:`~serkit.utils.UtteranceTransformer`.
    """

    def transform(self, X: Any) -> np.ndarray:
        """Transform every utterance by itself.

        Parameters
        ----------
        X : audio or frames
            The utterances.

        Returns
        -------
        Xt : ndarray of shape (n_utterances, n_features)
            Functionals; a data frame after ``set_output(transform="pandas")``.
        """
        return super().transform(X)  # type: ignore[misc]

    def _apply(self, kernel: Callable[[Any], np.ndarray], X: Any) -> np.ndarray:
        if not hasattr(self, "get_feature_names_out"):
            return super()._apply(kernel, X)  # type: ignore[misc]
        utterances, _ = self._check_input(X, reset=False)  # type: ignore[attr-defined]
        outputs = self._map(kernel, utterances)  # type: ignore[attr-defined]
        return stack(outputs, length=len(utterances))


def input_names(estimator: Any, input_features: Any) -> np.ndarray | None:
    """Check names of the input as scikit-learn does; ragged input has none."""
    if not hasattr(estimator, "n_features_in_"):
        return None
    return _check_feature_names_in(estimator, input_features)
