"""What a fitted network offers: its stages, what they make of utterances, freezing."""

from collections.abc import Iterable
from functools import partial
from typing import Any, Self

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from serkit.modules import find_part
from serkit.neural_network._batches import separate, tap
from serkit.training import UtteranceData, UtteranceNet, torch_session
from serkit.utils import as_ragged, is_ragged

__all__ = ["FittedNetwork"]


class FittedNetwork(ClassNamePrefixFeaturesOutMixin, TransformerMixin):
    """Mixin of the neural estimators: what can be done with the network in ``net_``."""

    net_: UtteranceNet
    frozen_stages_: tuple[str, ...]
    num_threads: int | None
    _check_input: Any
    _fit_lengths: Any

    def activations(self, X: Any, stage: str) -> np.ndarray:
        """Return what a stage of the fitted network makes of every utterance.

        Parameters
        ----------
        X : frames or functionals
            The utterances.
        stage : str
            Name in ``stages_``, or of a part of a stage: "recurrence.layer".

        Returns
        -------
        values : ndarray
            One vector per utterance; behind a stage that still has a time axis
            one array per utterance (1-D, dtype object), of the frames that are
            its own.

        Raises
        ------
        ValueError
            If the network has no such stage.
        """
        check_is_fitted(self, "net_")
        find_part(self.net_.module_, stage)
        return self._infer(X, stage=stage)

    def prepare(self, X: Any) -> list[np.ndarray]:
        """Return every utterance as the network gets it: checked, padded or cut.

        For what runs ``net_.module_`` itself, such as explanations.

        Parameters
        ----------
        X : frames or functionals
            The utterances.

        Returns
        -------
        utterances : list of ndarray, float32
            Frames of shape (n_channels, n_bins, n_frames), or vectors.
        """
        check_is_fitted(self, "net_")
        utterances = self._check_input(X, reset=False)
        rows = np.arange(len(utterances))
        fitted = self._fit_lengths(utterances, rows, self.net_.module_)
        return [np.asarray(utterance, dtype=np.float32) for utterance in fitted]

    def transform(self, X: Any) -> np.ndarray:
        """Return the embedding of every utterance, which the head of the network reads.

        Parameters
        ----------
        X : frames or functionals
            The utterances.

        Returns
        -------
        embedding : ndarray of shape (n_utterances, n_values)
        """
        return self._infer(X, stage=self.stages_[-2])

    @property
    def stages_(self) -> list[str]:
        """Names of the parts of the fitted network, from input to output."""
        check_is_fitted(self, "net_")
        return list(self.net_.module_.stages)

    def freeze(self, stages: str | Iterable[str]) -> Self:
        """Keep stages of the fitted network as they are in later calls of ``fit``.

        It takes effect with ``warm_start=True``: neither the weights of the
        stages change nor their batch statistics.

        Parameters
        ----------
        stages : str or iterable of str
            Names in ``stages_``, or of parts of stages, such as
            "recurrence.layer"; none thaws all.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If the network has no such stage.
        """
        stages = (stages,) if isinstance(stages, str) else tuple(stages)
        check_is_fitted(self, "net_")
        module = self.net_.module_
        for stage in stages:
            find_part(module, stage)
        if set(stages) >= set(self.stages_):
            raise ValueError("all stages are to be frozen, so nothing would be left to train")
        for stage in getattr(self, "frozen_stages_", ()):
            find_part(module, stage).requires_grad_(True)
        self.frozen_stages_ = stages
        return self

    def _infer(self, X: Any, *, stage: str | None = None) -> Any:
        """Return the outputs of the network, or of one of its stages."""
        check_is_fitted(self, "net_")
        outputs = self._apply(self._check_input(X, reset=False), stage=stage)
        has_time = outputs[0].ndim > 1
        return as_ragged(outputs) if has_time and is_ragged(X) else np.stack(outputs)

    def _apply(self, utterances: Any, *, stage: str | None) -> list[np.ndarray]:
        module = self.net_.module_
        rows = np.arange(len(utterances))
        with torch_session(num_threads=self.num_threads):
            data = UtteranceData(self._fit_lengths(utterances, rows, module))
            function = None if stage is None else partial(tap, module, find_part(module, stage))
            batches = self.net_.infer_batches(data, function=function)
        outputs: list[Any] = [None] * len(utterances)
        for batch_rows, output in batches:
            for row, value in zip(batch_rows, separate(output), strict=True):
                outputs[row] = value
        return outputs
