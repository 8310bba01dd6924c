"""What every part of a network knows of the emotion."""

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import recall_score
from sklearn.svm import SVC
from sklearn.utils import _safe_indexing, check_consistent_length

from serkit.evaluation import HoldoutSearchCV
from serkit.inspection._networks import (
    choose_stages,
    network_and_input,
    stage_vectors,
    warn_of_known_rows,
)
from serkit.metrics import uar_score, wa_score
from serkit.model_selection import check_speaker_leakage
from serkit.utils import check_speakers, is_fitted, requested_speakers

__all__ = ["module_contributions", "module_probe"]

#: Of few values that are not scaled, support vectors for a large C would never be found.
_MAX_ITER = 100_000
_C = np.logspace(-5, 2, 8).tolist()
_GAMMA = ["scale", *np.logspace(-5, -1, 5).tolist()]
#: What the support vector machines of the paper are chosen from.
_GRID = [
    {"kernel": ["linear"], "C": _C},
    {"kernel": ["rbf"], "C": _C, "gamma": _GAMMA},
    {"kernel": ["poly"], "C": _C, "gamma": _GAMMA, "degree": [2, 3]},
]


def module_probe(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    stages: Any = None,
    probe: Any = None,
    speakers: Any = None,
    X_test: Any = None,
    y_test: Any = None,
    cv: Any = None,
    pooling: Any = "mean",
    n_jobs: int | None = None,
) -> pd.DataFrame:
    """Test how well a fresh classifier tells emotions from what each part of a network makes.

    A classifier is trained on the vectors that a part of the network makes of
    the training utterances, and tested on those of unseen speakers. The network
    itself is not changed. The experiment is table 5 of [1]_.

    Parameters
    ----------
    estimator : estimator, or dict of str to estimator
        A network, or what ends in one, such as a pipeline or a search; several
        by their names. What is fitted is used as it is; what is not is fitted on
        the training utterances of every fold.
    X : audio, frames or functionals
        The utterances, as the estimator takes them: those to train on, or with
        `cv` all.
    y : array-like of shape (n_utterances,)
        Their emotions.
    stages : str, sequence of str, dict of str to str, or None, default=None
        The parts, as of :class:`ModuleFeatureExtractor`; a dict gives them names
        of your own. ``None`` is "input", the ``stages_`` of the network without
        its head, and "output".
    probe : classifier or None, default=None
        The classifier. ``None`` is the support vector machine of the paper, as
        far as it tells: with balanced classes, and with the kernel (linear, RBF, or
        polynomial of degree 2 or 3), C (1e-5 to 100) and gamma ("scale", 1e-5 to
        0.1) that give the best UAR for a fifth of the training speakers, who are
        held out. Values are not scaled, and 100 000 iterations are the most.
    speakers : array-like of shape (n_utterances,) or None, default=None
        The speakers, by which `cv` splits and the probe of the paper is tuned.
    X_test : audio, frames or functionals, default=None
        Utterances to test on, of other speakers.
    y_test : array-like, default=None
        Their emotions.
    cv : splitter, iterable of (train, test) or None, default=None
        In place of `X_test`: folds, made with the speakers as groups.
    pooling : str or iterable of str, default="mean"
        Statistics over time of what has one.
    n_jobs : int or None, default=None
        Number of candidates of the paper's probe fitted in parallel.

    Returns
    -------
    table : DataFrame
        One row per network (``network``, if several are given), ``fold`` and
        ``stage``: the number of values that the probe gets, ``n_values``; ``UAR``
        and ``WA``; the recall of every class, ``recall[class]``; and the number
        of utterances tested, ``n_test``.

    Raises
    ------
    ValueError
        If not exactly one of `X_test` and `cv` is given, or speakers are lacking.
    SpeakerLeakageError
        If a fold has a speaker on both sides.

    Warns
    -----
    LeakageWarning
        If a fitted network is tested on utterances that it was trained on.

    See Also
    --------
    module_contributions : What every part adds.
    speaker_probe : The same for who speaks.
    LDADisplay : Draws what the parts make.

    Notes
    -----
    The paper probes networks with convolutions of four types
    (:class:`~serkit.neural_network.CLDNNClassifier`) at four places, which are
    ``{"Raw": "input", "CNN": "context", "BLSTM": "recurrence", "MLP": "output"}``.
    It divides the speakers once into training, validation and test. To have the
    probe tuned on the very speakers of a validation part, pass
    ``HoldoutSearchCV(SVC(class_weight="balanced"), grid, cv=[(train, validation)])``.

    References
    ----------
    .. [1] C.-W. Huang and S. Narayanan, "Characterizing Types of Convolution in Deep
       Convolutional Recurrent Neural Networks for Robust Speech Emotion Recognition",
       arXiv:1706.02901, 2017, section 7.5.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from serkit.datasets import make_emotional_speech
    >>> from serkit.feature_extraction import LogMelSpectrogram
    >>> from serkit.inspection import module_probe
    >>> from serkit.model_selection import LeaveSpeakersOut
    >>> from serkit.neural_network import CRNNClassifier
    >>> from serkit.pipeline import make_pipeline
    >>> corpus = make_emotional_speech(4, ["anger", "sadness"], 3, random_state=0)
    >>> crnn = CRNNClassifier(n_filters=4, rnn_hidden_size=4, max_epochs=2, random_state=0)
    >>> pipe = make_pipeline(LogMelSpectrogram(n_mels=20), crnn)
    >>> table = module_probe(
    ...     pipe,
    ...     corpus.audio,
    ...     corpus.y,
    ...     stages=["input", "recurrence", "output"],
    ...     probe=GaussianNB(),
    ...     speakers=corpus.speakers,
    ...     cv=LeaveSpeakersOut(2),
    ... )
    >>> table[["fold", "stage", "n_values", "n_test"]]
       fold       stage  n_values  n_test
    0     0       input        20      12
    1     0  recurrence         8      12
    2     0      output         2      12
    3     1       input        20      12
    4     1  recurrence         8      12
    5     1      output         2      12
    """
    check_consistent_length(X, y)
    y = np.asarray(y)
    speakers = None if speakers is None else check_speakers(speakers, X)
    if probe is None:
        if speakers is None:
            raise ValueError(
                "the probe of the paper is tuned on speakers who are held out: pass speakers, or "
                "a probe of your own"
            )
        svm = SVC(class_weight="balanced", max_iter=_MAX_ITER)
        probe = HoldoutSearchCV(svm, _GRID, n_jobs=n_jobs)
    parts = list(_parts(X, y, speakers, X_test, y_test, cv))
    networks = estimator if isinstance(estimator, Mapping) else {None: estimator}
    rows = []
    with warnings.catch_warnings():
        # Some candidates of the paper's probe do not fit some values; they are not chosen.
        warnings.filterwarnings("ignore", "Solver terminated early", ConvergenceWarning)
        for name, one in networks.items():
            for fold, (train, test) in enumerate(parts):
                about = {"fold": fold} if name is None else {"network": name, "fold": fold}
                found = _probe_parts(one, probe, train, test, stages, pooling)
                rows += [about | row for row in found]
    return pd.DataFrame(rows)


def module_contributions(table: pd.DataFrame, *, metric: str = "UAR") -> pd.DataFrame:
    """Compute what every part of a network adds to what the part before it knew.

    Parameters
    ----------
    table : DataFrame
        That of :func:`module_probe`, its stages from input to output.
    metric : str, default="UAR"
        The column with the score.

    Returns
    -------
    contributions : DataFrame
        One row per stage but the first: ``mean`` and ``std`` (ddof=1), over
        networks and folds, of its score minus that of the stage before, and the
        number of these, ``n``.

    Raises
    ------
    ValueError
        If the table lacks the score, or has one stage only.

    References
    ----------
    .. [1] C.-W. Huang and S. Narayanan, "Characterizing Types of Convolution in Deep
       Convolutional Recurrent Neural Networks for Robust Speech Emotion Recognition",
       arXiv:1706.02901, 2017, sections 7.5 and 8.

    Examples
    --------
    >>> import pandas as pd
    >>> from serkit.inspection import module_contributions
    >>> scores = [("Raw", 27.92), ("CNN", 54.17), ("BLSTM", 89.17), ("MLP", 94.58)]
    >>> table = pd.DataFrame(scores, columns=["stage", "UAR"]).assign(fold=0)
    >>> module_contributions(table)["mean"].round(2).to_dict()
    {'CNN': 26.25, 'BLSTM': 35.0, 'MLP': 5.41}
    """
    if missing := [column for column in ("stage", "fold", metric) if column not in table]:
        raise ValueError(f"the table has no columns {missing}; it has {list(table.columns)}")
    stages = table["stage"].unique()
    if len(stages) < 2:
        raise ValueError(f"the table has one stage, {stages[0]!r}; two or more are compared")
    by = ["network", "fold"] if "network" in table else ["fold"]
    scores = table.pivot(index=by, columns="stage", values=metric)[stages]
    differences = scores.diff(axis=1).iloc[:, 1:]
    summary = differences.agg(["mean", "std", "count"]).T.rename(columns={"count": "n"})
    return summary.astype({"n": int})


def _parts(
    X: Any, y: np.ndarray, speakers: np.ndarray | None, X_test: Any, y_test: Any, cv: Any
) -> Iterator[tuple[tuple, tuple]]:
    """Yield (X, y, speakers) of the training part and of the test part of every fold."""
    if (X_test is None) == (cv is None) or (X_test is None) != (y_test is None):
        raise ValueError("give X_test and y_test, or cv with speakers")
    if cv is None:
        check_consistent_length(X_test, y_test)
        yield (X, y, speakers), (X_test, np.asarray(y_test), None)
        return
    if speakers is None:
        raise ValueError("cv keeps speakers apart: pass speakers")
    splits = list(cv.split(X, y, speakers) if hasattr(cv, "split") else cv)
    check_speaker_leakage(splits, speakers=speakers)
    for split in splits:
        train, test = (
            (_safe_indexing(X, rows), _safe_indexing(y, rows), _safe_indexing(speakers, rows))
            for rows in split
        )
        yield train, test


def _probe_parts(
    estimator: BaseEstimator, probe: Any, train: tuple, test: tuple, stages: Any, pooling: Any
) -> Iterator[dict[str, Any]]:
    """Yield the row of every stage of a network, which is fitted if it is not yet."""
    (X, y, speakers), (X_test, y_test, _) = train, test
    caller = "module_probe"
    fitted_before = is_fitted(estimator)
    if not fitted_before:
        estimator = _fit(clone(estimator), X, y, speakers)
    network, X = network_and_input(estimator, X, caller=caller)
    _, X_test = network_and_input(estimator, X_test, caller=caller)
    if fitted_before:
        warn_of_known_rows(network, X_test, caller=caller)
    for name, stage in choose_stages(network, stages).items():
        vectors = stage_vectors(network, X, stage, pooling)
        classifier = _fit(clone(probe), vectors, y, speakers)
        y_pred = classifier.predict(stage_vectors(network, X_test, stage, pooling))
        classes = np.unique(y_test)
        recalls = recall_score(y_test, y_pred, labels=classes, average=None, zero_division=0)
        yield {
            "stage": name,
            "n_values": vectors.shape[1],
            "UAR": uar_score(y_test, y_pred),
            "WA": wa_score(y_test, y_pred),
            **{f"recall[{label}]": recall for label, recall in zip(classes, recalls, strict=True)},
            "n_test": len(y_test),
        }


def _fit(estimator: Any, X: Any, y: np.ndarray, speakers: np.ndarray | None) -> Any:
    """Fit on utterances, with their speakers where they are asked for."""
    with config_context(enable_metadata_routing=True):
        return estimator.fit(X, y, **requested_speakers(estimator, "fit", speakers))
