"""The part of a pipeline that treats every utterance by itself, computed once for all folds."""

import os
from pathlib import Path
from typing import Any

from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils import get_tags

from serkit.feature_extraction import CachedTransformer
from serkit.utils import UtteranceTransformer

__all__ = ["choose_cache", "extract_features", "split_stateless"]


def split_stateless(estimator: BaseEstimator) -> tuple[Pipeline | None, BaseEstimator]:
    """Split a pipeline into its leading stateless steps and the rest.

    Parameters
    ----------
    estimator : estimator
        A Pipeline, or a search over one. Steps that a search varies belong to
        the rest.

    Returns
    -------
    stateless : Pipeline or None
        What computes each utterance from itself alone; None if there is nothing.
    rest : estimator
        A clone without those steps.
    """
    # What has a cv chooses rows; other estimators around a pipeline may change what it gets.
    pipeline = estimator.estimator if hasattr(estimator, "cv") else estimator
    if not isinstance(pipeline, Pipeline):
        return None, clone(estimator)
    varied = _varied_steps(estimator)
    n_leading = 0
    for name, step in pipeline.steps[:-1]:
        if name in varied or not _is_stateless(step):
            break
        n_leading += 1
    if all(_does_nothing(step) for _, step in pipeline.steps[:n_leading]):
        return None, clone(estimator)
    rest = clone(estimator)
    inner = rest.estimator if hasattr(rest, "cv") else rest
    inner.set_params(steps=inner.steps[n_leading:])
    return Pipeline(clone(pipeline).steps[:n_leading]), rest


def choose_cache(
    cache: str | os.PathLike | None, results_dir: str | os.PathLike | None
) -> str | os.PathLike | None:
    """Return where features are kept; "auto" is beside the results, if these are kept."""
    if cache != "auto":
        return cache
    return None if results_dir is None else Path(results_dir) / "cache"


def extract_features(
    stateless: Pipeline | None,
    X: Any,
    *,
    cache: str | os.PathLike | None,
    n_jobs: int | None,
    verbose: int | bool,
) -> Any:
    """Compute what the stateless steps make of X, reading from the cache what is there."""
    if stateless is None:
        return X
    if any(isinstance(part, CachedTransformer) for part in stateless.get_params().values()):
        return stateless.fit_transform(X)
    output = getattr(stateless[-1], "_sklearn_output_config", {}).get("transform")
    cached = CachedTransformer(stateless, cache, n_jobs=n_jobs).set_output(transform=output)
    return cached.fit(X).set_params(verbose=verbose).transform(X)


def _varied_steps(search: BaseEstimator) -> set[str]:
    grids = [
        value
        for name, value in search.get_params(deep=False).items()
        if name in ("param_grid", "param_distributions")
    ]
    if grids and isinstance(grids[0], list | tuple):
        grids = list(grids[0])
    return {name.partition("__")[0] for grid in grids for name in grid}


def _is_stateless(step: Any) -> bool:
    """Say whether a step computes each utterance from itself alone.

    The tag ``requires_fit`` does not say so of transformers in general (a
    function may mix rows), of those of serkit it does.
    """
    if _does_nothing(step):
        return True
    if isinstance(step, Pipeline):
        return all(_is_stateless(inner) for _, inner in step.steps)
    if isinstance(step, FeatureUnion):
        return all(inner == "drop" or _is_stateless(inner) for _, inner in step.transformer_list)
    ours = isinstance(step, UtteranceTransformer) or type(step).__module__.startswith("serkit.")
    compares = getattr(step, "sampling_rate", 0) is None  # the rates of all files
    return ours and not compares and hasattr(step, "transform") and not get_tags(step).requires_fit


def _does_nothing(step: Any) -> bool:
    if isinstance(step, Pipeline):
        return all(_does_nothing(inner) for _, inner in step.steps)
    return step is None or (isinstance(step, str) and step == "passthrough")
