"""Standardisation of functionals, speaker by speaker."""

import warnings
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin, _fit_context
from sklearn.preprocessing import StandardScaler
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from serkit.utils import check_speakers

__all__ = ["SpeakerStandardizer"]

_DTYPES = (np.float64, np.float32)


class SpeakerStandardizer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Give the features of every speaker zero mean and unit variance.

    Who speaks changes the features more than the emotion does; this removes
    what is constant in a speaker. It has to know the speakers, in ``fit`` and
    in ``transform``::

        with sklearn.config_context(enable_metadata_routing=True):
            pipeline.fit(X, y, speakers=speakers)
            pipeline.predict(X_test, speakers=speakers_test)

    A speaker of the training set is scaled with what was learnt in ``fit``. For
    any other speaker `unseen` decides. Utterances without a speaker (``None``),
    and speakers with a single utterance, which alone have no variance, are
    scaled with the statistics of all training utterances.

    Fitted without speakers it is a :class:`~sklearn.preprocessing.StandardScaler`.

    Parameters
    ----------
    unseen : {"own", "global"}, default="own"
        How a speaker is scaled who was not in ``fit``: with the statistics of
        the speaker's own utterances in the X given to ``transform``, or with
        those of all training utterances. "own" is transductive: the prediction
        of one utterance depends on others of the test set, which usually raises
        scores; ``serkit.evaluation.compare`` names it in every result.
    with_mean : bool, default=True
        Subtract the mean.
    with_std : bool, default=True
        Divide by the standard deviation; constant features are left at that.

    Attributes
    ----------
    speakers_ : ndarray of shape (n_speakers,), dtype=object
        The training speakers that have statistics of their own, in the order in
        which they appeared.
    mean_ : ndarray of shape (n_speakers, n_features)
        Mean of each of them.
    scale_ : ndarray of shape (n_speakers, n_features)
        Standard deviation of each of them, 1 for constant features.
    global_mean_ : ndarray of shape (n_features,)
        Mean of all training utterances.
    global_scale_ : ndarray of shape (n_features,)
        Standard deviation of all training utterances.
    with_speakers_ : bool
        Whether ``fit`` was given the speakers.
    transductive_ : bool
        Whether ``transform`` uses other utterances of its X to scale one.
    n_features_in_ : int
        Number of features seen in ``fit``.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if all are strings.

    See Also
    --------
    sklearn.preprocessing.StandardScaler : The same for all utterances at once.
    serkit.metrics.uar_scorer : Hands the speakers on to ``predict``.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.preprocessing import SpeakerStandardizer
    >>> X = np.array([[1.0], [3.0], [10.0], [30.0]])
    >>> SpeakerStandardizer().fit_transform(X, speakers=["a", "a", "b", "b"])
    array([[-1.],
           [ 1.],
           [-1.],
           [ 1.]])
    """

    # Without these requests routing would stop at this step with an error.
    __metadata_request__fit: ClassVar = {"speakers": True}
    __metadata_request__transform: ClassVar = {"speakers": True}

    _parameter_constraints: ClassVar[dict] = {
        "unseen": [StrOptions({"own", "global"})],
        "with_mean": ["boolean"],
        "with_std": ["boolean"],
    }

    def __init__(self, *, unseen="own", with_mean=True, with_std=True):
        self.unseen = unseen
        self.with_mean = with_mean
        self.with_std = with_std

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None, *, speakers: Any = None) -> "SpeakerStandardizer":
        """Learn the statistics of every speaker, and of all together.

        Parameters
        ----------
        X : array-like of shape (n_utterances, n_features)
            Functionals.
        y : None
            Ignored.
        speakers : array-like of shape (n_utterances,) or None, default=None
            Who speaks; ``None`` as a label marks an utterance without a speaker.

        Returns
        -------
        self : object
        """
        X = validate_data(self, X, dtype=_DTYPES)
        self.global_mean_, self.global_scale_ = _statistics(X)
        self.with_speakers_ = speakers is not None
        groups = {} if speakers is None else _groups(speakers, X)
        own = {speaker: _statistics(X[rows]) for speaker, rows in groups.items() if len(rows) > 1}
        self.speakers_ = np.array(list(own), dtype=object)
        shape = (len(own), X.shape[1])
        self.mean_ = np.array([mean for mean, _ in own.values()]).reshape(shape)
        self.scale_ = np.array([scale for _, scale in own.values()]).reshape(shape)
        return self

    def transform(self, X: Any, *, speakers: Any = None) -> np.ndarray:
        """Standardise every utterance with the statistics of its speaker.

        Parameters
        ----------
        X : array-like of shape (n_utterances, n_features)
            Functionals.
        speakers : array-like of shape (n_utterances,) or None, default=None
            Who speaks; needed if and only if ``fit`` had them.

        Returns
        -------
        Xt : ndarray of shape (n_utterances, n_features)

        Raises
        ------
        ValueError
            If speakers were given to ``fit`` and are missing here, or the other
            way round; if they were strings there and are numbers here.
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=_DTYPES, copy=True)
        self._check_consistent(speakers)
        rest = np.ones(len(X), dtype=bool)
        for rows, mean, scale in self._own_statistics(X, speakers):
            rest[rows] = False
            X[rows] = self._standardized(X[rows], mean, scale)
        X[rest] = self._standardized(X[rest], self.global_mean_, self.global_scale_)
        return X

    def fit_transform(self, X: Any, y: Any = None, *, speakers: Any = None) -> np.ndarray:
        """Learn the statistics and standardise the same utterances.

        Parameters
        ----------
        X : array-like of shape (n_utterances, n_features)
            Functionals.
        y : None
            Ignored.
        speakers : array-like of shape (n_utterances,) or None, default=None
            Who speaks.

        Returns
        -------
        Xt : ndarray of shape (n_utterances, n_features)
        """
        return self.fit(X, y, speakers=speakers).transform(X, speakers=speakers)

    @property
    def transductive_(self) -> bool:
        """Whether ``transform`` uses other utterances of its X to scale one."""
        check_is_fitted(self)
        return self.with_speakers_ and self.unseen == "own"

    def _check_consistent(self, speakers: Any) -> None:
        if self.with_speakers_ and speakers is None:
            raise ValueError(
                "this SpeakerStandardizer was fitted with speakers, so it needs them to transform "
                "as well. Ways that hand them on: transform(X, speakers=...); "
                "pipeline.predict(X, speakers=...) with "
                "sklearn.set_config(enable_metadata_routing=True); serkit.metrics.uar_scorer "
                "as the scoring of cross_validate or GridSearchCV; serkit.evaluation.compare"
            )
        if speakers is not None and not self.with_speakers_:
            raise ValueError(
                "this SpeakerStandardizer was fitted without speakers, so it cannot scale "
                "speakers by themselves: fit it with speakers=..., too"
            )

    def _own_statistics(
        self, X: np.ndarray, speakers: Any
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Yield the rows of every speaker who is not scaled with all, with mean and scale."""
        if speakers is None:
            return
        positions = {speaker: i for i, speaker in enumerate(self.speakers_)}
        groups = _groups(speakers, X)
        _check_same_type(list(positions), list(groups))
        single = []
        for speaker, rows in groups.items():
            if speaker in positions:
                i = positions[speaker]
                yield rows, self.mean_[i], self.scale_[i]
            elif self.unseen == "own" and len(rows) > 1:
                yield rows, *_statistics(X[rows])
            elif self.unseen == "own":
                single.append(speaker)
        if single:
            warnings.warn(
                f"speakers with a single utterance ({len(single)}, such as {single[0]!r}) have no "
                "statistics of their own and are scaled with those of all training utterances",
                UserWarning,
                stacklevel=3,
            )

    def _standardized(self, X: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
        if self.with_mean:
            X = X - mean
        if self.with_std:
            X = X / scale
        return X

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _statistics(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    scaler = StandardScaler().fit(X)
    return scaler.mean_, scaler.scale_


def _check_same_type(known: list[Any], given: list[Any]) -> None:
    """Refuse labels that can be none of those in fit: 3 is not "3"."""
    if known and given and isinstance(known[0], str) != isinstance(given[0], str):
        raise ValueError(
            f"speakers were of type {type(known[0]).__name__} in fit (such as {known[0]!r}) and "
            f"are of type {type(given[0]).__name__} here (such as {given[0]!r}): give strings to "
            "both"
        )


def _groups(speakers: Any, X: np.ndarray) -> dict[Any, np.ndarray]:
    """Return the rows of every speaker; rows without a speaker are in none."""
    codes, labels = pd.factorize(check_speakers(speakers, X))
    return {label: np.flatnonzero(codes == code) for code, label in enumerate(labels)}
