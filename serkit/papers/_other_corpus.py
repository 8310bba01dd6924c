"""What is learnt of another corpus beforehand, and stays as it is."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from serkit.datasets import Corpus
from serkit.neural_network import SegmentAggregationClassifier
from serkit.papers._experiment import fit_with_speakers
from serkit.papers._kept import kept
from serkit.papers._setting import Folds
from serkit.utils import estimator_digest

__all__ = ["OtherCorpora"]

#: Which is taken if there are several: that of the thesis, then those of our tables.
_PREFERRED = ("iemocap", "emodb", "ravdess")
_RATINGS = ("valence", "arousal", "dominance")


class OtherCorpora:
    """The other corpora of a setting, on which networks are trained once for all folds.

    Parameters
    ----------
    folds : Folds
        Of the corpus that is tested on.
    """

    def __init__(self, folds: Folds):
        given = folds.setting.corpora
        names = sorted(given, key=lambda name: (*_PREFERRED, name).index(name))
        self._corpora = [given[name] for name in names if given[name] is not folds.corpus]
        self._setting = folds.setting
        self._made: dict[str, FrozenEstimator] = {}

    def with_labels(self, column: str) -> Corpus | None:
        """Return the first that has two labels or more in a column, if there is one."""
        for corpus in self._corpora:
            if corpus.table[column].nunique() > 1:
                return corpus
        return None

    @property
    def has_ratings(self) -> bool:
        """Whether valence, arousal and dominance are known where emotions are learnt."""
        corpus = self.with_labels("emotion")
        return corpus is not None and not set(_RATINGS).isdisjoint(corpus.table)

    def frozen(self, system: Pipeline, column: str) -> FrozenEstimator:
        """Return what a pipeline ends in, trained on the labels of a column, or found.

        Parameters
        ----------
        system : Pipeline
            From audio to a network, or to a classifier of segments with one at its end.
        column : str
            "sentence" or "emotion", with the ratings that there are.

        Returns
        -------
        network : FrozenEstimator
        """
        corpus = self.with_labels(column)
        assert corpus is not None, f"no other corpus has labels {column!r}"
        if self._setting.trial:
            names = [name for name in system.get_params() if name.endswith("max_epochs")]
            system.set_params(**dict.fromkeys(names, 1))
        key = f"{column} {estimator_digest(system)}"
        if key not in self._made:
            labelled = corpus[corpus.table[column].notna()]
            labels = _labels(labelled, column)
            # Speakers of two corpora may have the same names.
            speakers = np.array([f"{corpus.name}:{name}" for name in labelled.speakers], object)
            fit: Callable[..., Any] = _fit_emotions if column == "emotion" else _fit
            network = kept(fit, self._setting, system, labelled.audio, labels, speakers)
            self._made[key] = FrozenEstimator(network)
        return self._made[key]


def _labels(corpus: Corpus, column: str) -> Any:
    labels = corpus.table[column].to_numpy(object)
    ratings = [name for name in _RATINGS if name in corpus.table]
    if column != "emotion" or not ratings:
        return labels
    return corpus.table[[column, *ratings]]


def _fit(system: Pipeline, X: Any, labels: np.ndarray, speakers: np.ndarray) -> BaseEstimator:
    """Fit, and return the network at the end."""
    network = fit_with_speakers(system, X, labels, speakers)[-1]
    if isinstance(network, SegmentAggregationClassifier):
        return network.estimator_[-1]
    return network


def _fit_emotions(system: Pipeline, X: Any, labels: Any, speakers: np.ndarray) -> BaseEstimator:
    """Fit on emotions, with ratings if the network can learn them."""
    if isinstance(labels, pd.DataFrame) and not hasattr(system[-1], "vad"):
        labels = labels["emotion"].to_numpy(object)
    return _fit(system, X, labels, speakers)
