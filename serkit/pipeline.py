"""A pipeline whose samplers carry speakers and weights along."""

from contextlib import suppress
from functools import cached_property
from typing import Any

import numpy as np
from imblearn import pipeline as imblearn_pipeline
from imblearn.pipeline import _fit_resample_one, _fit_transform_one
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.pipeline import _name_estimators
from sklearn.utils._user_interface import _print_elapsed_time
from sklearn.utils.validation import _is_arraylike, _num_samples, check_memory

from serkit.utils import as_ragged, follow_rows, is_ragged, note_resampling

__all__ = ["Pipeline", "make_pipeline"]


class Pipeline(imblearn_pipeline.Pipeline):
    """Chain transformers, samplers and a final estimator; metadata follow the samplers.

    A sampler (a step with ``fit_resample``) acts in ``fit`` only. What is
    passed along with one entry per utterance (speakers, weights) is brought
    into line with its output for all later steps: a kept or copied utterance
    keeps its entry, a synthetic one has the weight 1 and ``None`` for
    everything else, its speaker above all. That holds with scikit-learn's
    metadata routing on and off. A network as the last step, which holds out
    utterances to choose its best epoch, holds out none that a sampler has
    added, and does not train on copies of those it holds out.

    Which utterance is which says the sampler's ``sample_indices_``, -1 meaning
    synthetic. A sampler without it, such as SMOTE, must put the utterances that
    it was given first and unchanged; this is checked.

    Parameters
    ----------
    steps : list of (str, estimator) tuples
        Names and estimators, in order. ``"passthrough"`` skips a step.
    transform_input : list of str, default=None
        Names of metadata, such as a validation set, that the earlier steps
        transform for the step that requests them; with metadata routing only.
        They are no entries per utterance and are left as they are.
    memory : str or object with the joblib.Memory interface, default=None
        Where fitted transformers and samplers are cached. For features,
        which are computed per utterance, use a ``CachedTransformer`` instead.
    verbose : bool, default=False
        Print how long each step took to fit.

    Attributes
    ----------
    named_steps : Bunch
        The steps by name.
    classes_ : ndarray of shape (n_classes,)
        The classes of the final estimator.
    n_features_in_ : int
        Number of features that the first step has seen.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features that the first step has seen.

    See Also
    --------
    make_pipeline : Names the steps itself.
    serkit.over_sampling.BaseSampler : Base of the samplers.

    Notes
    -----
    With routing off, ``fit`` takes metadata by step (``svc__sample_weight=w``)
    and hands what ``predict`` is given to the final step only. With routing on
    (``sklearn.set_config(enable_metadata_routing=True)``) both take plain names,
    and each step receives what it requests: ``predict(X, speakers=speakers)``
    reaches a transformer that needs speakers.

    Examples
    --------
    >>> import numpy as np
    >>> from imblearn.over_sampling import SMOTE
    >>> from sklearn.svm import SVC
    >>> from serkit.pipeline import Pipeline
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0], [9.0], [8.0]])
    >>> y = ["joy", "joy", "joy", "joy", "anger", "anger"]
    >>> pipe = Pipeline([("smote", SMOTE(k_neighbors=1)), ("svc", SVC())])
    >>> pipe.fit(X, y, svc__sample_weight=[1, 1, 1, 1, 2, 2]).predict([[8.5]])
    array(['anger'], dtype='<U5')
    """

    steps: list[tuple[str, Any]]

    def fit(self, X: Any, y: Any = None, **params: Any) -> "Pipeline":
        """Fit the transformers, resample by the samplers, fit the final estimator.

        Parameters
        ----------
        X : audio, frames or functionals
            What the first step takes.
        y : array-like of shape (n_utterances,), default=None
            What is to be predicted.
        **params : dict
            Metadata: by step (``svc__sample_weight``), or by plain names with
            metadata routing.

        Returns
        -------
        self : Pipeline
        """
        with follow_rows():
            return super().fit(X, y, **params)

    def _fit(
        self, X: Any, y: Any = None, routed_params: Any = None, raw_params: Any = None
    ) -> tuple[Any, Any]:
        """Fit all steps but the last; `routed_params` is brought into line on the way."""
        self.steps = list(self.steps)
        self._validate_steps()
        memory = check_memory(self.memory)
        # Without a cache the instance given is the one fitted, as in scikit-learn.
        in_place = hasattr(memory, "location") and memory.location is None
        fit_transform = memory.cache(_fit_transform_one)
        fit_resample = memory.cache(_fit_resample_one)
        for index, name, step in self._iter(
            with_final=False, filter_passthrough=False, filter_resample=False
        ):
            log = {"message_clsname": "Pipeline", "message": self._log_message(index)}
            if step is None or step == "passthrough":
                with _print_elapsed_time(*log.values()):
                    continue
            step = step if in_place else clone(step)
            params = self._get_metadata_for_step(
                step_idx=index, step_params=routed_params[name], all_params=raw_params
            )
            if hasattr(step, "fit_resample"):
                before = X, y
                X, y, step = fit_resample(step, X, y, **log, params=params)
                origins = _Origins(name, step, before, after=(X, y))
                self._realign(routed_params, after=index, origins=origins)
                with suppress(ValueError):  # of one that loses track of the rows
                    note_resampling(origins.rows, n_before=_num_samples(before[0]))
            else:
                X, step = fit_transform(step, X, y, weight=None, **log, params=params)
            self.steps[index] = (name, step)
        return X, y

    def _realign(self, routed_params: Any, *, after: int, origins: "_Origins") -> None:
        """Bring the metadata of all steps after a sampler into line with its output."""
        for name, _ in self.steps[after + 1 :]:
            for params in routed_params.get(name, {}).values():
                for key, value in params.items():
                    if key not in (self.transform_input or ()) and origins.describes(value):
                        params[key] = origins.realign(key, value)


class _Origins:
    """Where the rows of a sampler's output come from; found out when first asked."""

    def __init__(self, name: str, sampler: Any, before: tuple[Any, Any], after: tuple[Any, Any]):
        self.name = name
        self.sampler = sampler
        self.before = before
        self.after = after

    def describes(self, value: Any) -> bool:
        """Say whether a value has one entry for every row before sampling."""
        return (
            _is_arraylike(value)
            and not isinstance(value, str | bytes | dict)
            and getattr(value, "ndim", 1) > 0
            and _num_samples(value) == _num_samples(self.before[0])
        )

    def realign(self, key: str, value: Any) -> np.ndarray:
        """Return one entry for every row after sampling."""
        value = as_ragged(value) if is_ragged(value) else np.asarray(value)
        aligned = value[self.rows]
        synthetic = self.rows < 0
        if synthetic.any():
            if key.endswith("sample_weight"):
                aligned = aligned.astype(np.result_type(value.dtype, np.float32))
                aligned[synthetic] = 1
            else:
                aligned = aligned.astype(object)
                aligned[synthetic] = None
        return aligned

    @cached_property
    def rows(self) -> np.ndarray:
        """The row before sampling for every row after it, -1 for a synthetic one."""
        n_before, n_after = _num_samples(self.before[0]), _num_samples(self.after[0])
        indices = getattr(self.sampler, "sample_indices_", None)
        if indices is not None:
            if len(indices) != n_after:
                raise ValueError(
                    f"the sampler {self.name!r} returned {n_after} rows, but its sample_indices_ "
                    f"has {len(indices)} entries; it must have one for each"
                )
            return np.asarray(indices)
        if n_after < n_before or not all(map(_begins_with, self.after, self.before)):
            raise ValueError(
                f"the sampler {self.name!r} ({type(self.sampler).__name__}) has no "
                "sample_indices_ and does not begin its output with the rows it was given, so "
                "speakers and other metadata cannot follow it. Use a sampler that does either, "
                "or pass no metadata to the steps behind it"
            )
        return np.concatenate([np.arange(n_before), np.full(n_after - n_before, -1)])


def _begins_with(longer: Any, shorter: Any) -> bool:
    n_rows = _num_samples(shorter)
    if is_ragged(shorter):
        return all(
            a is b or np.array_equal(a, b) for a, b in zip(longer[:n_rows], shorter, strict=True)
        )
    if issparse(shorter):
        return (longer.tocsr()[:n_rows] != shorter.tocsr()).nnz == 0
    return np.array_equal(np.asarray(longer)[:n_rows], np.asarray(shorter))


def make_pipeline(
    *steps: Any, memory: Any = None, transform_input: list[str] | None = None, verbose: bool = False
) -> Pipeline:
    """Make a :class:`Pipeline` whose steps are named after their classes.

    Parameters
    ----------
    *steps : estimators
        Transformers, samplers and the final estimator, in order.
    memory : str or object with the joblib.Memory interface, default=None
        Where fitted transformers and samplers are cached.
    transform_input : list of str, default=None
        Names of metadata that the earlier steps transform.
    verbose : bool, default=False
        Print how long each step took to fit.

    Returns
    -------
    pipeline : Pipeline

    Examples
    --------
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn.svm import SVC
    >>> from serkit.pipeline import make_pipeline
    >>> make_pipeline(StandardScaler(), SVC())
    Pipeline(steps=[('standardscaler', StandardScaler()), ('svc', SVC())])
    """
    return Pipeline(
        _name_estimators(steps), memory=memory, transform_input=transform_input, verbose=verbose
    )
