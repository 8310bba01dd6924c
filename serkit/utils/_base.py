"""Bases of the transformers that treat every utterance by itself."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context

from serkit.utils._containers import Restore
from serkit.utils._input import check_audio, check_frames
from serkit.utils._parallel import parallel_map

__all__ = [
    "AudioTransformer",
    "FrameTransformer",
    "PlainOutputMixin",
    "UtteranceTransformer",
    "WaveformTransformer",
]


class PlainOutputMixin:
    """Let transformers whose output has no named columns stand in any pipeline.

    Put it before :class:`~sklearn.base.TransformerMixin`.
    """

    def set_output(self, *, transform: str | None = None) -> Self:
        """Accept the request of a pipeline; what comes out stays an array.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None, default=None
            Has no effect.

        Returns
        -------
        self : object
        """
        return self


class UtteranceTransformer(  # type: ignore[call-arg]
    PlainOutputMixin, TransformerMixin, BaseEstimator, auto_wrap_output_keys=None
):
    """Base of all transformers that map utterances to arrays, one at a time.

    A subclass says in :meth:`_check_input` what it takes and in
    :meth:`_make_kernel` what happens to one utterance. Waveforms and frames
    have no feature names, so there is no ``get_feature_names_out``, and
    ``set_output`` accepts a request and leaves the output as it is: a whole
    pipeline can be set to pandas.

    Subclasses have the parameters ``n_jobs`` and ``verbose``.
    """

    _parameter_constraints: ClassVar[dict] = {"n_jobs": [None, int], "verbose": ["verbose"]}

    n_jobs: int | None
    verbose: int | bool

    def _check_input(self, X: Any, *, reset: bool) -> tuple[list[Any], Restore]:
        raise NotImplementedError

    def _make_kernel(self) -> Callable[[Any], np.ndarray]:
        """Return the function of one utterance; what all share is computed here, once."""
        raise NotImplementedError

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> "UtteranceTransformer":
        """Check the parameters and the input; nothing is learnt.

        Parameters
        ----------
        X : audio or frames
            The utterances.
        y : None
            Ignored.

        Returns
        -------
        self : object
        """
        self._check_input(X, reset=True)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Transform every utterance by itself.

        Parameters
        ----------
        X : audio or frames
            The utterances.

        Returns
        -------
        Xt : ndarray
            Ragged (1-D, dtype object) if X is ragged, numeric if X is numeric.
        """
        return self._prepare()(X)

    def _prepare(self) -> Callable[[Any], np.ndarray]:
        """Return ``transform`` as a function that computes only once what all calls share."""
        self._validate_params()
        return partial(self._apply, self._make_kernel())

    def _apply(self, kernel: Callable[[Any], np.ndarray], X: Any) -> np.ndarray:
        utterances, restore = self._check_input(X, reset=False)
        return restore(self._map(kernel, utterances))

    def _map(self, kernel: Callable[[Any], Any], utterances: list[Any]) -> Iterator[Any]:
        return parallel_map(
            kernel,
            utterances,
            n_jobs=self.n_jobs,
            verbose=self.verbose,
            description=type(self).__name__,
        )

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags


class AudioTransformer(UtteranceTransformer):
    """Base of the transformers of waveforms."""

    def _check_input(self, X: Any, *, reset: bool) -> tuple[list[Any], Restore]:
        return check_audio(self, X, reset=reset)


class WaveformTransformer(AudioTransformer):
    """Base of the transformers from waveforms to waveforms.

    They keep the type of the samples, and leave it to the step that makes
    features of them to warn of samples beyond [-1, 1].
    """

    def _check_input(self, X: Any, *, reset: bool) -> tuple[list[Any], Restore]:
        return check_audio(self, X, reset=reset, levels=False)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


class FrameTransformer(UtteranceTransformer):
    """Base of the transformers of frames."""

    def _check_input(self, X: Any, *, reset: bool) -> tuple[list[Any], Restore]:
        return check_frames(self, X, reset=reset)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
