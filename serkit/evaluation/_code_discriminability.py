"""What a classifier loses when it gets codes in place of the vectors."""

from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator, clone
from sklearn.metrics.pairwise import linear_kernel
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils import check_array, column_or_1d

from serkit.evaluation._checks import list_splits
from serkit.metrics import uar_score
from serkit.model_selection import check_speaker_leakage
from serkit.utils import check_speakers

__all__ = ["code_discriminability"]


def code_discriminability(
    encoder: BaseEstimator,
    X: Any,
    y: Any,
    groups: Any,
    *,
    cv: Any,
    classifier: BaseEstimator | None = None,
    n_jobs: int | None = None,
) -> pd.DataFrame:
    """Compare a classifier on vectors with the same classifier on their codes.

    In every fold the vectors are scaled, the encoder is fitted, and the codes
    are scaled, all on the training rows alone.

    Parameters
    ----------
    encoder : transformer
        Makes codes of scaled vectors, such as
        :class:`~serkit.over_sampling.AdversarialAutoencoder`; a clone is fitted
        in every fold.
    X : array-like of shape (n_utterances, n_features)
        Functionals.
    y : array-like of shape (n_utterances,)
        Their emotions.
    groups : array-like of shape (n_utterances,)
        Speakers or sessions, none of which may be on both sides of a fold.
    cv : splitter or iterable of (train, test)
        The folds, made with the groups.
    classifier : estimator or None, default=None
        ``None`` is a linear support vector machine with C=1, whose kernel is
        divided by the number of features: so C means the same for long vectors
        and for short codes.
    n_jobs : int or None, default=None
        Number of folds computed in parallel, by joblib.

    Returns
    -------
    table : DataFrame
        A row per fold, with the columns ``fold``, ``UAR_raw``, ``UAR_codes``,
        and ``difference``, which is what the codes cost.

    Raises
    ------
    SpeakerLeakageError
        If a group is on both sides of a fold.

    References
    ----------
    .. [1] S. Sahu, R. Gupta and C. Espy-Wilson, "Modeling Feature Representations
       for Affective Speech using Generative Adversarial Networks", IEEE
       Transactions on Affective Computing, 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.decomposition import PCA
    >>> from serkit.evaluation import code_discriminability
    >>> from serkit.model_selection import LeaveSpeakersOut
    >>> rng = np.random.default_rng(0)
    >>> y, speakers = np.tile(["anger", "calm"], 30), np.repeat(["a", "b", "c"], 20)
    >>> X = rng.normal(size=(60, 6)) + 9 * (y == "anger")[:, None]
    >>> code_discriminability(PCA(1), X, y, speakers, cv=LeaveSpeakersOut(1))
       fold  UAR_raw  UAR_codes  difference
    0     0      1.0        1.0         0.0
    1     1      1.0        1.0         0.0
    2     2      1.0        1.0         0.0
    """
    X, y = check_array(X), column_or_1d(y)
    groups = check_speakers(groups, X, name="groups")
    folds = list_splits(cv, y, groups, X=X)
    check_speaker_leakage(folds, speakers=groups)
    classifier = SVC(kernel=_mean_product) if classifier is None else classifier
    on_vectors = make_pipeline(StandardScaler(), classifier)
    on_codes = make_pipeline(StandardScaler(), encoder, StandardScaler(), classifier)
    scores = Parallel(n_jobs=n_jobs)(
        delayed(_score)(model, X, y, train, test)
        for train, test in folds
        for model in (on_vectors, on_codes)
    )
    table = pd.DataFrame({"fold": range(len(folds)), "UAR_raw": scores[::2]})
    table["UAR_codes"] = scores[1::2]
    table["difference"] = table["UAR_raw"] - table["UAR_codes"]
    return table


def _mean_product(X: np.ndarray, Y: np.ndarray) -> np.ndarray:
    # A kernel that is a function is computed by BLAS, far faster than in libsvm.
    return linear_kernel(X, Y) / X.shape[1]


def _score(
    model: BaseEstimator, X: np.ndarray, y: np.ndarray, train: np.ndarray, test: np.ndarray
) -> float:
    model = clone(model).fit(X[train], y[train])
    return uar_score(y[test], model.predict(X[test]))
