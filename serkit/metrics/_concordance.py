"""The concordance correlation coefficient."""

import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import make_scorer
from sklearn.utils import check_array, check_consistent_length, column_or_1d

__all__ = [
    "ccc_scorer",
    "concordance_correlation_coefficient",
    "sequence_ccc_score",
    "sequence_ccc_scorer",
]

_MULTIOUTPUT = ("raw_values", "uniform_average")


def concordance_correlation_coefficient(
    y_true: Any,
    y_pred: Any,
    *,
    multioutput: Any = "uniform_average",
    sample_weight: Any = None,
) -> Any:
    """Compute the concordance correlation coefficient (CCC).

    How close the predicted values are to the true ones: a correlation that is
    lowered by a wrong mean and by a wrong spread.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_outputs)
        True values.
    y_pred : array-like of the shape of `y_true`
        Predicted values.
    multioutput : {"uniform_average", "raw_values"} or array-like of shape (n_outputs,), \
            default="uniform_average"
        The mean over the outputs, the CCC of every output, or the weights of
        the outputs in the mean.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples; a sample of weight 0 counts as absent.

    Returns
    -------
    ccc : float or ndarray of shape (n_outputs,)
        In [-1, 1]; an array for "raw_values".

    Warns
    -----
    UndefinedMetricWarning
        If an output is the same constant in both, so that nothing can vary
        together. It counts as 0, like every other output that is constant in
        one of the two.

    See Also
    --------
    sequence_ccc_score : Compares sequences over time.
    serkit.modules.CCCLoss : One minus the CCC, to train networks by.

    Notes
    -----
    The CCC is ``2 * cov / (var_true + var_pred + (mean_true - mean_pred)**2)``, with
    moments that divide by the number of samples. Outputs are columns: of
    sequences in rows, pass the transposed arrays to get the CCC of every sequence.

    References
    ----------
    .. [1] L. I. Lin, "A concordance correlation coefficient to evaluate
       reproducibility", Biometrics 45(1), 1989, pp. 255-268.

    Examples
    --------
    >>> from serkit.metrics import concordance_correlation_coefficient
    >>> concordance_correlation_coefficient([1, 2, 3, 4], [1, 2, 3, 4])
    1.0
    >>> concordance_correlation_coefficient([1, 2, 3, 4], [2, 3, 4, 5])  # correlation 1
    0.714...
    """
    y_true, y_pred = _as_columns(y_true, "y_true"), _as_columns(y_pred, "y_pred")
    check_consistent_length(y_true, y_pred, sample_weight)
    if y_true.shape != y_pred.shape:
        raise ValueError(
            f"y_true has {y_true.shape[1]} outputs, y_pred has {y_pred.shape[1]}; "
            "they must be the same"
        )
    weights = _output_weights(multioutput, n_outputs=y_true.shape[1])
    if sample_weight is not None:
        sample_weight = column_or_1d(sample_weight, dtype=np.float64)
        counts = sample_weight != 0
        if not counts.any():
            raise ValueError("sample_weight is 0 for all samples; give one of them more")
        y_true, y_pred, sample_weight = y_true[counts], y_pred[counts], sample_weight[counts]
    ccc = _defined(_concordance(y_true, y_pred, sample_weight), "outputs")
    if isinstance(multioutput, str) and multioutput == "raw_values":
        return ccc
    return float(np.average(ccc, weights=weights))


def _as_columns(y: Any, name: str) -> np.ndarray:
    y = check_array(y, dtype=np.float64, ensure_2d=False, input_name=name)
    return y.reshape(len(y), -1)


def _output_weights(multioutput: Any, n_outputs: int) -> np.ndarray | None:
    if isinstance(multioutput, str):
        if multioutput not in _MULTIOUTPUT:
            raise ValueError(
                f"multioutput is one of {_MULTIOUTPUT} or an array of weights, not {multioutput!r}"
            )
        return None
    weights = column_or_1d(multioutput, dtype=np.float64)
    if len(weights) != n_outputs:
        raise ValueError(f"multioutput has {len(weights)} weights for {n_outputs} outputs")
    return weights


def _concordance(x: np.ndarray, y: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    """Return the CCC of every column; NaN if both sides are the same constant."""

    def mean(values: np.ndarray) -> np.ndarray:
        return np.average(values, axis=0, weights=weight)

    def deviation(values: np.ndarray) -> np.ndarray:
        values = values - values[0]  # of a constant no rounding is left
        return values - mean(values)

    dx, dy = deviation(x), deviation(y)
    spread = mean(dx**2) + mean(dy**2) + mean(x - y) ** 2
    undefined = spread < np.finfo(np.float64).tiny
    return 2 * mean(dx * dy) / np.where(undefined, np.nan, spread)


def _defined(ccc: np.ndarray, noun: str) -> np.ndarray:
    undefined = np.isnan(ccc)
    if undefined.any():
        warnings.warn(
            f"the CCC of the {noun} {np.flatnonzero(undefined).tolist()} is undefined and set "
            "to 0: y_true and y_pred are the same constant",
            UndefinedMetricWarning,
            stacklevel=3,
        )
    return np.where(undefined, 0.0, ccc)


def sequence_ccc_score(y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> float:
    """Compute the mean concordance correlation coefficient (CCC) of sequences over time.

    Every predicted sequence is compared with the true one, value by value.

    Parameters
    ----------
    y_true : array-like of shape (n_sequences, n_steps), or list of 1-D arrays
        True sequences; those in a list may differ in length.
    y_pred : array-like of the shape of `y_true`, or list of 1-D arrays
        Predicted sequences.
    sample_weight : array-like of shape (n_sequences,), default=None
        Weights of the sequences in the mean.

    Returns
    -------
    score : float
        In [-1, 1].

    Raises
    ------
    ValueError
        If a sequence and its prediction differ in length, or have one value only.

    Warns
    -----
    UndefinedMetricWarning
        If a sequence and its prediction are the same constant; it counts as 0.

    See Also
    --------
    concordance_correlation_coefficient : Compares outputs over samples.

    Examples
    --------
    >>> from serkit.metrics import sequence_ccc_score
    >>> sequence_ccc_score([[1, 2, 3, 4], [1, 2, 3, 4]], [[1, 2, 3, 4], [4, 3, 2, 1]])
    0.0
    """
    check_consistent_length(y_true, y_pred, sample_weight)
    scores = [
        _sequence_ccc(row, true, pred)
        for row, (true, pred) in enumerate(zip(y_true, y_pred, strict=True))
    ]
    ccc = _defined(np.array(scores), "sequences")
    if sample_weight is not None:
        sample_weight = column_or_1d(sample_weight, dtype=np.float64)
    return float(np.average(ccc, weights=sample_weight))


def _sequence_ccc(row: int, y_true: Any, y_pred: Any) -> float:
    if np.ndim(y_true) == 0 or np.ndim(y_pred) == 0:
        raise ValueError(
            "y_true and y_pred are sequences, of shape (n_sequences, n_steps) or in a list, not "
            "one number per row; of numbers take concordance_correlation_coefficient"
        )
    true, pred = _as_columns(y_true, f"y_true[{row}]"), _as_columns(y_pred, f"y_pred[{row}]")
    if true.shape != pred.shape or true.shape[1] != 1:
        raise ValueError(
            f"sequence {row} has shape {np.shape(y_true)}, its prediction {np.shape(y_pred)}; both "
            "must be 1-D and of one length"
        )
    if len(true) < 2:
        raise ValueError(
            f"sequence {row} has one value, and the CCC over time compares two or more; of one "
            "number per row take concordance_correlation_coefficient"
        )
    return _concordance(true, pred, None)[0]


#: Concordance correlation coefficient; see :func:`concordance_correlation_coefficient`.
ccc_scorer = make_scorer(concordance_correlation_coefficient)

#: Concordance correlation coefficient over time; see :func:`sequence_ccc_score`.
sequence_ccc_scorer = make_scorer(sequence_ccc_score)
