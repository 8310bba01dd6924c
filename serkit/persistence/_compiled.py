"""What compiled code follows without a look: counts, indices and sizes, looked at on loading."""

from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.cluster._kmeans import _BaseKMeans
from sklearn.neighbors._base import NeighborsBase
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm._base import BaseLibSVM
from sklearn.utils._openmp_helpers import _openmp_effective_n_threads

from serkit.persistence._errors import ModelFileError

__all__ = ["check_compiled"]

_N_KEYS = 624  # of the Mersenne twister


def check_compiled(value: Any) -> None:
    """Refuse numbers that would make compiled code read or write beyond its arrays."""
    if isinstance(value, np.random.RandomState):
        state: Any = value.get_state(legacy=False)
        _require(0 <= state["state"]["pos"] <= _N_KEYS, value, "the position")
    elif isinstance(value, np.random.Generator):
        state = value.bit_generator.state
        position = state.get("buffer_pos", state["state"].get("pos", 0))
        last = 4 if "buffer_pos" in state else _N_KEYS
        _require(0 <= position <= last, value, "the position")
    elif issparse(value) and hasattr(value, "check_format"):
        value.check_format(full_check=True)
    elif isinstance(value, BaseEstimator):
        fitted = vars(value)
        if isinstance(value, BaseLibSVM) and "support_" in fitted:
            _check_support_vectors(value)
        elif isinstance(value, NeighborsBase) and "_fit_X" in fitted:
            _check_neighbors(value)
        elif isinstance(value, _BaseKMeans) and "cluster_centers_" in fitted:
            _require(value.cluster_centers_.shape[1] == value.n_features_in_, value, "centers")
            value._n_threads = _openmp_effective_n_threads()  # of this machine
        elif isinstance(value, OneHotEncoder) and "categories_" in fitted:
            _check_one_hot(value)
        elif isinstance(vocabulary := fitted.get("vocabulary_"), dict):
            indices = sorted(vocabulary.values())
            _require(indices == list(range(len(indices))), value, "the vocabulary")


def _check_support_vectors(svm: Any) -> None:
    """Require the sizes of libsvm."""
    n_vectors = len(svm.support_)
    is_classifier = svm._impl in ("c_svc", "nu_svc")
    n_classes = len(svm.classes_) if is_classifier else 2
    n_pairs = n_classes * (n_classes - 1) // 2
    counts, coefficients, vectors = svm._n_support, svm._dual_coef_, svm.support_vectors_
    _require(counts.shape == (n_classes,), svm, "the numbers of support vectors")
    if is_classifier:
        _require((counts >= 0).all(), svm, "the numbers of support vectors")
        _require(int(counts.sum(dtype=np.int64)) == n_vectors, svm, "the support vectors")
    _require(issparse(vectors) == issparse(coefficients) == bool(svm._sparse), svm, "sparsity")
    _require(coefficients.shape == (n_classes - 1, n_vectors), svm, "the coefficients")
    values = coefficients.data if svm._sparse else coefficients
    _require(values.size == (n_classes - 1) * n_vectors, svm, "the coefficients")
    _require(np.isfinite(values).all(), svm, "the coefficients")
    _require(svm._intercept_.shape == (n_pairs,), svm, "the intercepts")
    _require(np.isfinite(svm._intercept_).all(), svm, "the intercepts")
    sizes = (svm._probA.size, svm._probB.size)
    known = [(0, 0), (n_pairs, n_pairs)] if is_classifier else [(0, 0), (1, 0)]
    _require(sizes in known, svm, "the probabilities")
    if svm.kernel == "precomputed" or callable(svm.kernel):
        # The vectors are columns of the kernel.
        n_samples = svm.shape_fit_[0]
        within = (0 <= svm.support_) & (svm.support_ < n_samples)
        _require(within.all(), svm, "the support vectors")
        if callable(svm.kernel):
            _require(svm._BaseLibSVM__Xfit.shape[0] == n_samples, svm, "the samples")
    else:
        _require(vectors.shape == (n_vectors, svm.n_features_in_), svm, "the support vectors")


def _check_neighbors(neighbors: Any) -> None:
    """Require one target for each neighbour, and a class for each target."""
    _require(neighbors._fit_X.ndim == 2, neighbors, "the neighbours")
    n_samples, n_features = neighbors._fit_X.shape
    _require(n_features == neighbors.n_features_in_, neighbors, "the neighbours")
    _require(n_samples == neighbors.n_samples_fit_, neighbors, "the neighbours")
    if (targets := getattr(neighbors, "_y", None)) is None:
        return
    _require(len(targets) == n_samples, neighbors, "the targets")
    classes = getattr(neighbors, "classes_", None)
    if isinstance(classes, np.ndarray) and n_samples:
        _require(0 <= targets.min() and targets.max() < len(classes), neighbors, "the targets")


def _check_one_hot(encoder: Any) -> None:
    """Require columns for all categories, whichever are dropped or rare."""
    n_outs = encoder._compute_n_features_outs()
    _require(list(encoder._n_features_outs) == n_outs, encoder, "the columns")
    n_columns = len(encoder.categories_)
    dropped = encoder._drop_idx_after_grouping
    dropped = [None] * n_columns if dropped is None else list(dropped)
    rare = getattr(encoder, "_default_to_infrequent_mappings", None) or [None] * n_columns
    for n_out, drop, mapping in zip(n_outs, dropped, rare, strict=True):
        n_kept = n_out + (drop is not None)
        _require(drop is None or 0 <= drop < n_kept, encoder, "the dropped categories")
        if mapping is not None:
            within = (0 <= mapping) & (mapping < n_kept)
            _require(within.all(), encoder, "the rare categories")


def _require(is_right: Any, value: Any, what: str) -> None:
    if not is_right:
        raise ModelFileError(f"{type(value).__name__}: {what} cannot be what fitting leaves behind")
