"""Repeat utterances of any kind."""

from typing import Any

import numpy as np

from serkit.over_sampling._base import BaseSampler

__all__ = ["RandomOverSampler"]


class RandomOverSampler(BaseSampler):
    """Repeat utterances that are drawn at random, with replacement.

    imbalanced-learn's sampler of that name, for audio and frames too, of any
    lengths. A copy keeps the speaker of its original.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        How many utterances to add to which class; see :class:`BaseSampler`.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same utterances at every call.

    Attributes
    ----------
    sampling_strategy_ : dict
        Number of utterances to add to each class.
    sample_indices_ : ndarray of shape (n_resampled,)
        For every row that came out, the row of the input that it is.
    n_features_in_ : int
        Number of features seen; only for functionals and other 2-D input.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features; only for data frames.

    See Also
    --------
    GANSampler : Adds utterances that are new.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.over_sampling import RandomOverSampler
    >>> audio = [np.zeros(4), np.ones(6), np.ones(5)]
    >>> sampler = RandomOverSampler(random_state=0)
    >>> X, y = sampler.fit_resample(audio, ["calm", "joy", "joy"])
    >>> [len(waveform) for waveform in X], y
    ([4, 6, 5, 4], ['calm', 'joy', 'joy', 'calm'])
    >>> sampler.sample_indices_
    array([0, 1, 2, 0])
    """

    def _generate(
        self,
        X: np.ndarray,
        y: np.ndarray,
        strategy: dict[Any, int],
        random_state: np.random.RandomState,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        rows = [np.empty(0, dtype=int)]
        for label, n_new in strategy.items():
            candidates = np.flatnonzero(y == label)
            rows.append(candidates[random_state.randint(len(candidates), size=n_new)])
        origins = np.concatenate(rows)
        return X[origins], y[origins], origins
