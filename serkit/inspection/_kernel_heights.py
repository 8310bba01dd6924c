"""How many bins a filter should span."""

from collections.abc import Iterable
from typing import Any

import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing

from serkit.datasets import Corpus
from serkit.evaluation import compare
from serkit.neural_network import CLDNNClassifier, convolution_param_grid
from serkit.utils import last_step

__all__ = ["kernel_height_sweep"]

#: From this height on the paper tries all that fit.
_LOWEST = 4
#: Of "st": how many frames filters span that are not given.
_FRAMES = ((1, 5), (1, 2))


def kernel_height_sweep(
    corpus: Corpus,
    pipeline: BaseEstimator,
    *,
    heights: Iterable[int] | None = None,
    second_height: int = 3,
    X: Any = None,
    **options: Any,
) -> pd.DataFrame:
    """Try one kernel height of a network after the other, on the same folds.

    A height is the number of bins that filters of the first convolution span. All
    else stays as it is. Finished folds are found again with ``results_dir``.

    Parameters
    ----------
    corpus : Corpus
        The utterances, each with speaker and emotion.
    pipeline : estimator
        A :class:`~serkit.neural_network.CLDNNClassifier` with
        ``convolution="s"`` or "st", or a pipeline that ends in one.
    heights : iterable of int or None, default=None
        The heights; ``None`` is all from 4 on that fit.
    second_height : int, default=3
        The height in the second convolution.
    X : audio, frames or None, default=None
        What the pipeline gets instead of ``corpus.audio``.
    **options : dict
        Handed to :func:`~serkit.evaluation.compare`: ``cv``, ``seeds``,
        ``results_dir``, ``n_jobs`` and so on.

    Returns
    -------
    table : DataFrame
        One row per ``height``, ``seed`` and ``fold``, with ``UAR``, ``WA`` and the
        number of utterances tested, ``n_test``.

    Raises
    ------
    TypeError
        If the pipeline does not end in a network of that kind.
    ValueError
        If a height does not fit.

    See Also
    --------
    KernelHeightDisplay : Draws the table.
    serkit.neural_network.convolution_param_grid : Heights and widths to search among.

    Notes
    -----
    The paper chooses by validation speakers and tests the best height once:
    let `cv` be the folds among the training speakers. It draws a curve for clean
    and one for noisy speech: call the function with either as `X`, and put a
    column ``condition`` into the tables.

    References
    ----------
    .. [1] C.-W. Huang and S. Narayanan, "Characterizing Types of Convolution in Deep
       Convolutional Recurrent Neural Networks for Robust Speech Emotion Recognition",
       arXiv:1706.02901, 2017, section 7.4.

    Examples
    --------
    >>> from serkit.datasets import make_emotional_speech
    >>> from serkit.feature_extraction import LogMelSpectrogram
    >>> from serkit.inspection import kernel_height_sweep
    >>> from serkit.model_selection import LeaveSpeakersOut
    >>> from serkit.neural_network import CLDNNClassifier
    >>> from serkit.pipeline import make_pipeline
    >>> corpus = make_emotional_speech(4, ["anger", "sadness"], 2, random_state=0)
    >>> cldnn = CLDNNClassifier("s", n_filters=2, lstm_hidden_size=2, max_epochs=1, patience=None)
    >>> pipe = make_pipeline(LogMelSpectrogram(n_mels=20), cldnn)
    >>> table = kernel_height_sweep(corpus, pipe, heights=[4, 8], cv=LeaveSpeakersOut(2), verbose=0)
    >>> table[["height", "fold", "n_test"]]
       height  fold  n_test
    0       4     0       8
    1       4     1       8
    2       8     0       8
    3       8     1       8
    """
    network = last_step(pipeline)
    if not isinstance(network, CLDNNClassifier) or network.convolution not in ("s", "st"):
        raise TypeError(
            'the height varies of a CLDNNClassifier with convolution="s" or "st", at the end of '
            f"the pipeline; this is {network!r}"
        )
    audio = corpus.audio if X is None else X
    n_bins = _count_bins(pipeline, _safe_indexing(audio, [0, 1]), corpus.y[:2])
    sizes = _kernel_sizes(network, n_bins, heights, second_height)
    candidates = {f"{height} bins": _with(pipeline, size) for height, size in sizes.items()}
    folds = compare(corpus, candidates, X=X, **options).folds
    height = folds["pipeline"].str.removesuffix(" bins").astype(int)
    return folds.assign(height=height)[["height", "seed", "fold", "UAR", "WA", "n_test"]]


def _count_bins(pipeline: BaseEstimator, X: Any, y: Any) -> int:
    """Return the number of bins of what comes to the network."""
    if isinstance(pipeline, Pipeline) and len(pipeline) > 1:
        X = clone(pipeline[:-1]).fit_transform(X, y)
    return next(iter(X)).shape[-2]


def _kernel_sizes(
    network: CLDNNClassifier, n_bins: int, heights: Iterable[int] | None, second: int
) -> dict[int, Any]:
    """Return the kernel sizes of both layers by the height in the first."""
    wanted = list(range(_LOWEST, n_bins + 1) if heights is None else heights)
    frames = {}
    if network.convolution == "st":
        sizes = _FRAMES if network.kernel_sizes is None else network.kernel_sizes
        frames = {"top_t": [tuple(map(tuple, sizes))]}
    grid = convolution_param_grid(
        network.convolution, n_bins, context=network.context, heights=(wanted, [second]), **frames
    )
    found = {int(size[0][0]): size for size in grid["kernel_sizes"]}
    if heights is not None and (missing := sorted(set(wanted) - set(found))):
        raise ValueError(
            f"filters of {missing} bins, and then {second}, do not fit {n_bins} bins; the highest "
            f"of those wanted that fit span {max(found)}"
        )
    return found


def _with(pipeline: BaseEstimator, kernel_sizes: Any) -> BaseEstimator:
    pipeline = clone(pipeline)
    last_step(pipeline).set_params(kernel_sizes=kernel_sizes)
    return pipeline
