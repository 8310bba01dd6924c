"""Stateless steps, run once per utterance."""

import os
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from joblib import effective_n_jobs
from sklearn import config_context
from sklearn.base import BaseEstimator, _fit_context, clone
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils import check_array, get_tags
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from serkit.feature_extraction._functionals import NamedOutputMixin, input_names
from serkit.feature_extraction._spectral_threads import ONE_THREAD
from serkit.feature_extraction._utterance_key import utterance_key
from serkit.feature_extraction._utterance_store import Entry, UtteranceStore
from serkit.utils import (
    SignalWarning,
    UtteranceTransformer,
    as_ragged,
    at_row,
    estimator_digest,
    forget_features,
    is_ragged,
    parallel_map,
    source_digest,
)

__all__ = ["CachedTransformer"]


_N_NAMED = 10  # failed utterances that an error lists
#: Of all rooms whose code changes waveforms or makes features of them.
_SOURCE = source_digest("utils", "preprocessing", "feature_extraction", "augmentation")


def _has_names(cached: "CachedTransformer") -> bool:
    steps = _steps(cached.transformer)
    return bool(steps) and hasattr(steps[-1], "get_feature_names_out")


class CachedTransformer(NamedOutputMixin, BaseEstimator):
    """Run stateless steps on every utterance by itself, and remember the result.

    What stands in the cache is shared by the folds of a cross-validation, the
    points of a grid, by processes and by later runs. Several processes may use
    one folder, and a killed one does no harm.

    An entry is found by the content of the utterance (the samples, or the bytes
    of the file, whatever its name) together with the code and the parameters of
    every step except ``n_jobs``, ``verbose`` and ``device``, the source of serkit
    and the versions of torch and, where used, openSMILE. What counts as code of
    a function or class of your own says
    :func:`~serkit.utils.describe_estimator`.

    Nothing that is learnt can leak through the cache: only steps that learn
    nothing are accepted.

    Parameters
    ----------
    transformer : transformer or Pipeline
        Its steps must be stateless: have the tag ``requires_fit=False``, and keep
        to one ``sampling_rate``.
    location : str or path-like or None, default=None
        Folder of the cache. ``None`` remembers nothing, but still takes one
        utterance through all steps before the next, so that intermediate
        results of all utterances are never held together.
    n_jobs : int or None, default=None
        Number of parallel jobs over utterances that are not in the cache. The
        steps themselves run with one job.
    verbose : int or bool, default=0
        Show a progress bar when positive.

    Attributes
    ----------
    transformer_ : transformer or Pipeline
        Copy of `transformer`; those of its steps are fitted that check the
        input or name the output, and all if one reads files of its own.
    n_features_in_ : int
        Number of features seen in ``fit``; only for 2-D numeric input.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features seen in ``fit``; only for data frames.

    See Also
    --------
    sklearn.pipeline.Pipeline : Its ``memory`` remembers whole training sets.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from serkit.feature_extraction import CachedTransformer, TemporalPooling
    >>> frames = [np.array([[[1.0, 3.0]]]), np.array([[[5.0, 7.0, 9.0]]])]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     CachedTransformer(TemporalPooling(("mean",)), folder).fit_transform(frames)
    array([[2.],
           [7.]], dtype=float32)
    """

    _without_effect: ClassVar[frozenset[str]] = frozenset({"location"})

    _parameter_constraints: ClassVar[dict] = {
        "transformer": [HasMethods(["fit", "transform"])],
        "location": [None, str, os.PathLike],
        "n_jobs": [None, int],
        "verbose": ["verbose"],
    }

    def __init__(self, transformer, location=None, *, n_jobs=None, verbose=0):
        self.transformer = transformer
        self.location = location
        self.n_jobs = n_jobs
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None) -> "CachedTransformer":
        """Check the steps and the input; nothing is learnt.

        Parameters
        ----------
        X : audio, frames or functionals
            The utterances.
        y : None
            Ignored.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If a step has something to learn, or has to see all utterances.
        """
        X = self._check_input(X, reset=True)
        self.transformer_ = clone(self.transformer)
        steps = _stateless_steps(self.transformer_)
        for step in _first_steps(self.transformer_):
            step.fit(X)
        if _has_names(self) or any(hasattr(step, "_cache_state") for step in steps):
            # Names are made of what each step sees, and files are looked at: one utterance does.
            if isinstance(steps[0], FeatureUnion):
                steps[0].fit(X[:1])
            for n_before in range(1, len(steps)):
                steps[n_before].fit(self._run(steps[:n_before], X[:1]))
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Take every utterance through the steps, or its result out of the cache.

        Parameters
        ----------
        X : audio, frames or functionals
            The utterances; paths too, if the first step reads files.

        Returns
        -------
        Xt : ndarray
            What the steps give: ragged, numeric, or functionals, then a data
            frame after ``set_output(transform="pandas")``.

        Raises
        ------
        ValueError
            If utterances cannot be computed. The others are in the cache then.
        """
        self._validate_params()
        X = self._check_input(X, reset=False)
        return self._run(_stateless_steps(getattr(self, "transformer_", self.transformer)), X)

    @available_if(_has_names)
    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names that the last step gives.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the input, for steps that pass them on.

        Returns
        -------
        names : ndarray of shape (n_features_out,), dtype=object
        """
        check_is_fitted(self, "transformer_")
        names: Any = input_names(self, input_features)
        for step in _steps(self.transformer_):
            named = hasattr(step, "get_feature_names_out")
            names = step.get_feature_names_out(names) if named else None
        return names

    def clear(self) -> None:
        """Remove everything from the cache at `location`, whichever steps made it."""
        if self.location is not None:
            UtteranceStore(self.location).clear()

    def _check_input(self, X: Any, *, reset: bool) -> np.ndarray:
        if not is_ragged(X) and np.asarray(X).ndim <= 2:
            return validate_data(self, X, reset=reset, ensure_all_finite=False)
        if reset:
            forget_features(self)
        if is_ragged(X):
            X = as_ragged(X)
            if not len(X):
                raise ValueError("X has no utterances")
            return X
        return check_array(X, allow_nd=True, ensure_all_finite=False)

    def _run(self, steps: list[BaseEstimator], X: np.ndarray) -> np.ndarray:
        """Look every utterance up, and compute those that are missing."""
        collected = _Collected(len(X))
        store = None if self.location is None else UtteranceStore(self.location)
        description = "" if store is None else _describe(steps)
        missing = []
        for row in range(len(X)):
            utterance = X[row : row + 1]
            key = None if store is None else utterance_key(utterance, description)
            entry = None if store is None or key is None else store.load(key)
            if entry is None:
                missing.append((row, key, utterance))
            else:
                _warn_again(row, entry)
                collected.put(row, entry)
        if missing:
            jobs = effective_n_jobs(self.n_jobs)
            entries = parallel_map(
                _Computation(tuple(map(_prepared, steps)), store, one_thread=jobs > 1),
                missing,
                n_jobs=self.n_jobs,
                verbose=self.verbose,
                description="Features",
            )
            problems = []
            for (row, _, _), entry in zip(missing, entries, strict=True):
                if isinstance(entry, ValueError):
                    problems.append(entry)
                else:
                    collected.put(row, entry)
            _raise_all(problems, len(X))
        return collected.output

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        steps = _steps(self.transformer)
        if steps:
            tags.input_tags = get_tags(steps[0]).input_tags
            kept = [get_tags(step).transformer_tags.preserves_dtype for step in steps]
            tags.transformer_tags.preserves_dtype = kept[0] if len(steps) == 1 else []
        return tags


def _steps(transformer: Any) -> list[BaseEstimator]:
    """Return the steps in the order in which they run."""
    if isinstance(transformer, Pipeline):
        return [inner for _, step in transformer.steps for inner in _steps(step)]
    return [] if transformer is None or isinstance(transformer, str) else [transformer]


def _first_steps(transformer: BaseEstimator) -> Iterator[BaseEstimator]:
    """Return the steps that see the input, more than one in a FeatureUnion."""
    first = _steps(transformer)[0]
    if isinstance(first, FeatureUnion):
        for _, inner in first.transformer_list:
            if _steps(inner):
                yield from _first_steps(inner)
    else:
        yield first


def _stateless_steps(transformer: BaseEstimator) -> list[BaseEstimator]:
    for name, step in _named_parts(type(transformer).__name__, transformer):
        if get_tags(step).requires_fit:
            raise ValueError(
                f"the step {name!r} ({type(step).__name__}) has something to learn, so what it "
                "gives for an utterance depends on the training set: put it behind "
                "CachedTransformer, not into it"
            )
        if getattr(step, "sampling_rate", 0) is None:
            raise ValueError(
                f"the step {name!r} has sampling_rate=None: whether all files have one rate does "
                "not show in one utterance at a time; choose a sampling rate"
            )
    steps = _steps(transformer)
    if not steps:
        raise ValueError("CachedTransformer got a Pipeline without steps")
    return steps


def _describe(steps: list[BaseEstimator]) -> str:
    """Digest everything that values depend on, except the utterance."""
    # Input that differs from that of fit must not find what others have computed.
    names = ("n_channels_in_", "n_bins_in_")
    seen = [[getattr(step, name, None) for name in names] for step in _first_steps(steps[0])]
    return estimator_digest([_SOURCE, torch.__version__, steps, seen])


def _named_parts(name: str, part: Any) -> Iterator[tuple[str, BaseEstimator]]:
    if isinstance(part, Pipeline | FeatureUnion):
        inner = part.steps if isinstance(part, Pipeline) else part.transformer_list
        for inner_name, step in inner:
            yield from _named_parts(inner_name, step)
    elif part is not None and not isinstance(part, str):
        yield name, part


def _prepared(step: BaseEstimator) -> Callable[[Any], Any]:
    """Return what a step does as a function that sees one utterance at a time."""
    step = deepcopy(step)  # What it knows of the input in fit, it checks.
    for name in step.get_params():
        if name.rpartition("__")[2] in ("n_jobs", "verbose"):
            step.set_params(**{name: 1 if name.endswith("n_jobs") else False})
    if hasattr(step, "set_output"):
        step.set_output(transform="default")
    return step._prepare() if isinstance(step, UtteranceTransformer) else step.transform


@dataclass(frozen=True)
class _Computation:
    """Take one utterance through all steps and save the result."""

    steps: tuple[Callable[[Any], Any], ...]
    store: UtteranceStore | None
    one_thread: bool

    def __call__(self, task: tuple[int, str | None, np.ndarray]) -> Entry | ValueError:
        row, key, utterance = task
        threads = ONE_THREAD if self.one_thread else nullcontext()
        try:
            with at_row(row) as notes, threads, config_context(transform_output="default"):
                for step in self.steps:
                    utterance = step(utterance)
        except ValueError as error:
            return error
        value, texts = np.asarray(utterance[0]), tuple(dict.fromkeys(notes))
        entry = Entry(value, ragged=is_ragged(utterance), notes=texts)
        if self.store is not None and key is not None:
            self.store.save(key, entry)
        return entry


class _Collected:
    """The output, filled in any order and never held twice."""

    output: np.ndarray

    def __init__(self, length: int):
        self.length = length

    def put(self, row: int, entry: Entry) -> None:
        value = entry.value
        if not hasattr(self, "output"):
            shape, dtype = ((), object) if entry.ragged else (value.shape, value.dtype)
            self.output = np.empty((self.length, *shape), dtype=dtype)
        if not entry.ragged and value.shape != self.output.shape[1:]:
            raise ValueError(
                f"utterance {row} gives an array of shape {value.shape}, others of shape "
                f"{self.output.shape[1:]}"
            )
        # Entries from memory are read-only and shared.
        self.output[row] = value if value.flags.writeable or not entry.ragged else value.copy()


def _warn_again(row: int, entry: Entry) -> None:
    """Say of an utterance out of the cache what the steps said of it."""
    with at_row(row):
        for note in entry.notes:
            warnings.warn(SignalWarning(note), stacklevel=5)


def _raise_all(problems: list[ValueError], n_utterances: int) -> None:
    if len(problems) == 1:
        raise problems[0]
    if problems:
        lines = list(map(_in_one_line, problems[:_N_NAMED]))
        if len(problems) > _N_NAMED:
            lines.append(f"and {len(problems) - _N_NAMED} more")
        listed = "\n  ".join(lines)
        raise ValueError(
            f"{len(problems)} of {n_utterances} utterances cannot be computed:\n  {listed}"
        ) from problems[0]


def _in_one_line(problem: ValueError) -> str:
    """Return the line that names the utterance."""
    lines = str(problem).splitlines() or [repr(problem)]
    return next((line.strip() for line in lines if re.search(r"\butterance \d", line)), lines[0])
