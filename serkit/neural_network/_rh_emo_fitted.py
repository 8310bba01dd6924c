"""What a fitted RH-emo offers: maps of utterances, spectrograms of maps, and what its heads say."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, softmax
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from serkit.training import UtteranceData, torch_session
from serkit.utils import PlainOutputMixin, as_ragged, is_ragged, name_rows, stack

__all__ = ["FittedRHEmo"]


def _has_decoder(transformer: Any) -> bool:
    if hasattr(transformer, "net_"):
        return transformer.net_.module_.decoder is not None
    return transformer.decoder is not None


def _has_heads(transformer: Any) -> bool:
    return bool(getattr(transformer, "heads_", transformer.keep_heads))


class FittedRHEmo(PlainOutputMixin):
    """Mixin: what can be done with the network in ``net_``."""

    net_: Any
    scale_: float
    classes_: np.ndarray
    heads_: tuple[str, ...]
    num_threads: int | None
    _check_input: Any
    _fit_lengths: Any
    _infer: Any

    def transform(self, X: Any) -> np.ndarray:
        """Return the maps of every utterance, whatever the others are.

        Parameters
        ----------
        X : frames
            Magnitudes of one channel, at least 0.

        Returns
        -------
        maps : ndarray of shape (n_utterances, 4, n_bins / 2, n_frames / 8)
            float32; one array per utterance (1-D, dtype object) if X is ragged.
        """
        check_is_fitted(self, "net_")
        network = self.net_.module_
        utterances = self._check_input(X, reset=False)
        rows = range(len(utterances))
        inputs = (self._fit_lengths(utterances, [row], network) for row in rows)
        return self._apply_singly(network.encoder, inputs, len(utterances), ragged=is_ragged(X))

    @available_if(_has_decoder)
    def inverse_transform(self, X: Any) -> np.ndarray:
        """Return the spectrograms that maps stand for, the mean of what the decoder makes.

        Parameters
        ----------
        X : array-like of shape (n_utterances, 4, n_bins / 2, n_frames / 8)
            Maps that ``transform`` has returned.

        Returns
        -------
        frames : ndarray of shape (n_utterances, 1, n_bins, n_frames)
            Magnitudes, float32; one array per utterance (1-D, dtype object) if X is
            ragged. A bin that was dropped stays away.

        Raises
        ------
        ValueError
            If the maps have another shape.
        """
        check_is_fitted(self, "net_")
        network = self.net_.module_
        maps = [np.asarray(item, dtype=np.float32) for item in X]
        wrong = [row for row, item in enumerate(maps) if item.shape != network.embedding_shape]
        if wrong:
            raise ValueError(
                f"{name_rows(wrong)}: the shape is {maps[wrong[0]].shape}, and that of maps is "
                f"{network.embedding_shape}"
            )
        if not maps:
            return np.empty((0, 1, *network.min_shape), dtype=np.float32)
        scale = np.float32(self.scale_)
        return self._apply_singly(
            lambda x: network.decode(x) * scale,
            (item[None] for item in maps),
            len(maps),
            ragged=is_ragged(X),
        )

    @available_if(_has_heads)
    def label_probabilities(self, X: Any) -> pd.DataFrame:
        """Return what the heads say, with ``keep_heads=True``.

        Parameters
        ----------
        X : frames
            Magnitudes of one channel, at least 0.

        Returns
        -------
        probabilities : DataFrame
            Probability of every emotion, and that "valence", "arousal" and
            "dominance" are high, as far as they have been trained on.
        """
        logits = self._infer(X, stage="heads")
        emotions = self.classes_.tolist() if "emotion" in self.heads_ else []
        others = [name for name in self.heads_ if name != "emotion"]
        n_emotions = len(emotions)
        probabilities = expit(logits)
        if emotions:
            probabilities[:, :n_emotions] = softmax(logits[:, :n_emotions], axis=1)
        return pd.DataFrame(probabilities, columns=[*emotions, *others])

    @property
    def get_feature_names_out(self):
        raise AttributeError("maps have no feature names")

    def _apply_singly(
        self, function: Any, inputs: Iterable[np.ndarray], n_inputs: int, *, ragged: bool
    ) -> np.ndarray:
        """Apply a function to one utterance at a time.

        That takes no longer than batches, and little memory, and no utterance
        changes what comes out of another.
        """

        def apply(x: np.ndarray) -> np.ndarray:
            [(_, output)] = self.net_.infer_batches(
                UtteranceData(x), function=lambda x: function(x)
            )
            return output[0].float().cpu().numpy()

        with torch_session(num_threads=self.num_threads):
            outputs = map(apply, inputs)
            return as_ragged(outputs) if ragged else stack(outputs, length=n_inputs)
