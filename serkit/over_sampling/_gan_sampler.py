"""Add what a generator draws to a training set."""

import warnings
from typing import Any, ClassVar

import numpy as np
from sklearn import config_context
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils._param_validation import HasMethods

from serkit.over_sampling._adversarial_autoencoder import AdversarialAutoencoder
from serkit.over_sampling._base import BaseSampler
from serkit.utils import check_frozen, is_path, row_digests

__all__ = ["GANSampler", "LeakageWarning"]


class LeakageWarning(UserWarning):
    """A fitted generator or network has seen, or may have seen, utterances kept for testing."""


class GANSampler(BaseSampler):
    """Add synthetic utterances, drawn from a generator, to a training set.

    The generator is fitted on the rows given to the sampler and on nothing else:
    in a :class:`~serkit.pipeline.Pipeline` these are the training rows of a
    fold. One that has been fitted before, in a
    :class:`~sklearn.frozen.FrozenEstimator`, is used as it is; if it was fitted
    on rows that are not among those given, a :class:`LeakageWarning` says so.

    Parameters
    ----------
    generator : estimator or None, default=None
        Has ``fit(X, y)`` and ``sample``, as :class:`AdversarialAutoencoder`,
        which is also what None means, and :class:`GaussianGenerator` have. A
        clone is fitted; where its `random_state` is None, it gets one from that
        of the sampler.
    sampling_strategy : float, str, dict or callable, default="auto"
        How many utterances to add to which class; see :class:`BaseSampler`, and
        :class:`AppendUniform` for equally many of every class.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same utterances at every call.

    Attributes
    ----------
    generator_ : estimator
        The fitted generator; missing if there was nothing to add, for then none
        is fitted.
    sampling_strategy_ : dict
        Number of utterances to add to each class.
    sample_indices_ : ndarray of shape (n_resampled,)
        For every row that came out, the row of the input that it is; -1 for a
        synthetic one.
    n_features_in_ : int
        Number of features seen; only for functionals and other 2-D input.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features; only for data frames.

    See Also
    --------
    RandomOverSampler : Repeats utterances, of any lengths.
    serkit.pipeline.Pipeline : Gives synthetic utterances the speaker None.

    Notes
    -----
    Most generators compute with all features together, so features of different
    scales should be standardised in a step before. Frames and waveforms of one
    size are laid out in a row for the generator, and brought back into shape.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.over_sampling import AppendUniform, GANSampler, GaussianGenerator
    >>> X = np.array([[0.0, 1.0], [1.0, 0.0], [8.0, 9.0], [9.0, 8.0]])
    >>> y = ["calm", "calm", "joy", "joy"]
    >>> sampler = GANSampler(
    ...     GaussianGenerator(), sampling_strategy=AppendUniform(2), random_state=0
    ... )
    >>> X_resampled, y_resampled = sampler.fit_resample(X, y)
    >>> y_resampled
    ['calm', 'calm', 'joy', 'joy', 'calm', 'joy']
    >>> sampler.sample_indices_
    array([ 0,  1,  2,  3, -1, -1])
    """

    _parameter_constraints: ClassVar[dict] = {
        **BaseSampler._parameter_constraints,
        "generator": [HasMethods(["fit", "sample", "get_params"]), None],
    }

    def __init__(self, generator=None, *, sampling_strategy="auto", random_state=None):
        super().__init__(sampling_strategy=sampling_strategy, random_state=random_state)
        self.generator = generator

    def _generate(
        self,
        X: np.ndarray,
        y: np.ndarray,
        strategy: dict[Any, int],
        random_state: np.random.RandomState,
    ) -> tuple[np.ndarray, np.ndarray, None]:
        self.__dict__.pop("generator_", None)
        if self.generator is not None:
            check_frozen(self.generator, owner=type(self).__name__)
        utterances = _stack(X)
        rows = utterances.reshape(len(X), -1)
        wanted = {label: n_new for label, n_new in strategy.items() if n_new > 0}
        if not wanted:
            return utterances[:0], y[:0], None
        if isinstance(self.generator, FrozenEstimator):
            self.generator_ = self.generator.estimator
            _check_fit(self.generator_, rows, wanted, getattr(self, "feature_names_in_", None))
            _warn_of_leakage(self.generator_, rows)
        else:
            self.generator_ = _fit_clone(self.generator, rows, y, random_state)
        X_new, y_new = self.generator_.sample(y=wanted, random_state=random_state)
        X_new = _cast(np.asarray(X_new), rows.dtype)
        return X_new.reshape(-1, *utterances.shape[1:]), y_new, None


def _stack(X: np.ndarray) -> np.ndarray:
    """Return utterances of one size as one array."""
    if X.dtype != object:
        return X
    if any(map(is_path, X)) or len({np.shape(item) for item in X}) > 1:
        raise ValueError(
            "GANSampler needs utterances of one size, not paths or utterances of unequal lengths. "
            "Put TemporalPooling (frames) or PadOrTruncate (audio) before it, or take "
            "RandomOverSampler, which repeats utterances of any lengths"
        )
    return np.stack(list(X))


def _fit_clone(
    generator: Any, rows: np.ndarray, y: np.ndarray, random_state: np.random.RandomState
) -> Any:
    generator = AdversarialAutoencoder() if generator is None else clone(generator)
    seeds = {
        name: random_state.randint(np.iinfo(np.int32).max)
        for name, value in sorted(generator.get_params().items())
        if name.split("__")[-1] == "random_state" and value is None
    }
    generator.set_params(**seeds)
    # What was checked of the sampler says nothing of the generator's parameters.
    with config_context(skip_parameter_validation=False):
        return generator.fit(rows, y)


def _check_fit(
    generator: Any, rows: np.ndarray, wanted: dict[Any, int], names: np.ndarray | None
) -> None:
    """Raise if a generator that was fitted before is not one for these rows."""
    known_names = getattr(generator, "feature_names_in_", None)
    if names is not None and known_names is not None and list(names) != list(known_names):
        raise ValueError(
            "the columns of X are not those that the generator was fitted on, or in another order; "
            "give it the columns of its feature_names_in_"
        )
    if generator.n_features_in_ != rows.shape[1]:
        raise ValueError(
            f"the generator was fitted on {generator.n_features_in_} features, but X has "
            f"{rows.shape[1]}"
        )
    known = np.asarray(generator.classes_).tolist()
    unknown = [label for label in np.array(list(wanted)).tolist() if label not in known]
    if unknown:
        raise ValueError(
            f"utterances of {unknown} are asked for, but the generator was fitted on {known}; "
            "fit it on all classes, or give a sampling_strategy that names those it knows"
        )


def _warn_of_leakage(generator: Any, rows: np.ndarray) -> None:
    """Warn if a generator that was fitted before has seen other rows than these."""
    instead = (
        "Fit it inside the fold instead: GANSampler(generator), without FrozenEstimator. If it is "
        "meant to know other rows, such as those of another corpus, silence this LeakageWarning"
    )
    seen = getattr(generator, "training_rows_", None)
    if seen is None:
        message = (
            f"the {type(generator).__name__} has no training_rows_, so it is unknown whether it "
            f"was fitted on test rows of this fold. {instead}"
        )
    else:
        n_others = int((~np.isin(seen, row_digests(rows))).sum())
        if n_others == 0:
            return
        message = (
            f"the generator was fitted on {n_others} rows that are not among these {len(rows)} "
            "training rows: if they are test rows of this fold, what it generates has seen them. "
        )
        if n_others == len(seen):
            message += (
                "It knows none of the training rows; maybe the features were scaled in another way "
                "when it was fitted, and it has seen training and test rows alike. "
            )
        message += instead
    warnings.warn(message, LeakageWarning, stacklevel=2)


def _cast(X_new: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return generated rows in the type of the real ones."""
    if dtype.kind not in "iu":
        return X_new.astype(dtype) if dtype.kind == "f" else X_new
    limits = np.iinfo(dtype)
    return np.rint(X_new).clip(limits.min, limits.max).astype(dtype)
