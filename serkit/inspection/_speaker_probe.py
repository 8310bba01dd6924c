"""What an embedding, and what every part of a network, knows of who speaks."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone, is_classifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict, permutation_test_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from serkit.inspection._networks import choose_stages, network_and_input, stage_vectors
from serkit.utils import check_speakers

__all__ = ["speaker_probe", "speaker_probe_score"]

_SCORING = "balanced_accuracy"


def speaker_probe(
    estimator: Any,
    X: Any,
    speakers: Any,
    *,
    stages: Any = None,
    probe: Any = "linear",
    cv: int = 5,
    pooling: Any = "mean",
    n_resamples: int = 1000,
    n_permutations: int = 0,
    confidence: float = 0.95,
    n_jobs: int | None = None,
    random_state: int = 0,
) -> pd.DataFrame:
    """Measure how well a fresh classifier tells speakers apart, part by part of a network.

    A classifier learns the speakers of some utterances from what a part of the
    network makes of them, and is tested on other utterances of the same speakers.
    The fitted network is not changed. What ignores who speaks gives an accuracy
    near that of guessing.

    Parameters
    ----------
    estimator : estimator
        A fitted network, or what ends in one, such as a pipeline.
    X : audio, frames or functionals
        Utterances of two speakers or more, whom the network need not know.
    speakers : array-like of shape (n_utterances,)
        Their speakers; an utterance of which it is ``None`` is left out.
    stages : str, sequence of str, dict of str to str, or None, default=None
        The parts, as of :class:`ModuleFeatureExtractor`; a dict gives them names
        of your own. ``None`` is "input", the ``stages_`` of the network without
        its head, and "output".
    probe : {"linear", "mlp"} or classifier, default="linear"
        Logistic regression, or a perceptron with a hidden layer of 64 units, both
        on standardised values; or a classifier of your own. What a linear probe
        cannot find may still be there.
    cv : int, default=5
        Number of folds, over utterances. Every speaker needs that many.
    pooling : str or iterable of str, default="mean"
        Statistics over time of what has one.
    n_resamples : int, default=1000
        Number of bootstrap samples for the interval: utterances are drawn again,
        speaker by speaker, and the predictions stay.
    n_permutations : int, default=0
        Number of times that the probe is trained and tested with the speakers
        shuffled among the utterances, for ``p_value``, which is at least one over
        one more; 0 leaves it out.
    confidence : float, default=0.95
        Of the interval.
    n_jobs : int or None, default=None
        Number of folds and permutations computed in parallel.
    random_state : int, default=0
        Seed of the folds, of probes by name, and of what is drawn.

    Returns
    -------
    table : DataFrame
        One row per ``stage``: the number of values that the probe gets,
        ``n_values``; its ``accuracy``, the mean over speakers of the share of
        their utterances that were recognised; ``low`` and ``high``, the ends of
        the interval; ``chance``, that of guessing; and ``p_value``.

    Raises
    ------
    ValueError
        If there are fewer than two speakers, or one has too few utterances.

    See Also
    --------
    speaker_probe_score : The accuracy of the embedding alone.
    module_probe : The same for the emotion.

    References
    ----------
    .. [1] Y. Elazar and Y. Goldberg, "Adversarial Removal of Demographic Attributes
       from Text Data", EMNLP, 2018: a low accuracy of the adversary itself proves
       nothing.

    Examples
    --------
    >>> from serkit.datasets import make_emotional_speech
    >>> from serkit.feature_extraction import LogMelSpectrogram
    >>> from serkit.inspection import speaker_probe
    >>> from serkit.neural_network import CRNNClassifier
    >>> from serkit.pipeline import make_pipeline
    >>> corpus = make_emotional_speech(2, ["anger", "sadness"], 3, random_state=0)
    >>> crnn = CRNNClassifier(n_filters=4, rnn_hidden_size=4, max_epochs=2, random_state=0)
    >>> pipe = make_pipeline(LogMelSpectrogram(n_mels=20), crnn).fit(corpus.audio, corpus.y)
    >>> table = speaker_probe(
    ...     pipe, corpus.audio, corpus.speakers, stages=["input", "pooling"], cv=3
    ... )
    >>> table[["stage", "n_values", "chance"]]
         stage  n_values  chance
    0    input        20     0.5
    1  pooling        16     0.5
    """
    names, known = _check(speakers, X, cv)
    probe = _as_probe(probe, random_state)
    network, X = network_and_input(estimator, X, caller="speaker_probe")
    rows = []
    for name, stage in choose_stages(network, stages).items():
        vectors = stage_vectors(network, X, stage, pooling)[known]
        folds = _folds(cv, random_state)
        weights, right = _recognised(probe, vectors, names, folds, n_jobs)
        low, high = _interval(
            weights, right, names, n_resamples, confidence, np.random.default_rng(random_state)
        )
        row = {
            "stage": name,
            "n_values": vectors.shape[1],
            "accuracy": _mean_over_speakers(weights, right, names),
            "low": low,
            "high": high,
            "chance": 1 / len(np.unique(names)),
        }
        if n_permutations:
            *_, row["p_value"] = permutation_test_score(
                clone(probe),
                vectors,
                names,
                cv=folds,
                scoring=_SCORING,
                n_permutations=n_permutations,
                n_jobs=n_jobs,
                random_state=random_state,
            )
        rows.append(row)
    return pd.DataFrame(rows)


def speaker_probe_score(
    estimator: Any, X: Any, speakers: Any, *, cv: int = 5, random_state: int = 0
) -> float:
    """Measure how well a fresh classifier tells speakers apart from an embedding.

    The fitted estimator turns utterances into embeddings, and is not changed. A
    logistic regression then learns the speakers of some of them, and is tested
    on other utterances of the same speakers. A network that ignores who speaks
    gets an accuracy near that of guessing.

    Parameters
    ----------
    estimator : estimator
        A fitted network, or a pipeline that ends in one: anything with
        ``transform``.
    X : audio, frames or functionals
        Utterances of two speakers or more.
    speakers : array-like of shape (n_utterances,)
        Their speakers; an utterance of which it is ``None`` is left out.
    cv : int, default=5
        Number of folds, over utterances. Every speaker needs that many.
    random_state : int, default=0
        Seed of the folds.

    Returns
    -------
    accuracy : float
        Mean over speakers of the share of their utterances that were
        recognised; guessing has one over the number of speakers.

    Raises
    ------
    ValueError
        If there are fewer than two speakers, or one has too few utterances.

    See Also
    --------
    speaker_probe : Probes every part of a network, and says how sure the accuracy is.
    serkit.neural_network.DomainAdversarialClassifier : Is trained to keep it low.

    References
    ----------
    Elazar and Goldberg, "Adversarial Removal of Demographic Attributes from Text
    Data", EMNLP 2018: a low accuracy of the adversary itself proves nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.preprocessing import StandardScaler
    >>> from serkit.inspection import speaker_probe_score
    >>> rng = np.random.default_rng(0)
    >>> speakers = np.repeat(["03", "08"], 20)
    >>> X = rng.normal(size=(40, 2))
    >>> X[:, 0] += 9 * (speakers == "03")
    >>> scaler = StandardScaler().fit(X)
    >>> speaker_probe_score(scaler, X, speakers)
    1.0
    >>> speaker_probe_score(scaler, np.c_[0 * X[:, 1], X[:, 1]], speakers) < 0.7
    True
    """
    names, known = _check(speakers, X, cv)
    embedding = np.asarray(estimator.transform(X))
    if embedding.ndim != 2:
        raise ValueError(
            f"{type(estimator).__name__}.transform gives no vector per utterance: its output has "
            f"shape {embedding.shape}"
        )
    probe = _as_probe("linear", random_state)
    folds = _folds(cv, random_state)
    return _mean_over_speakers(*_recognised(probe, embedding[known], names, folds, None), names)


def _check(speakers: Any, X: Any, cv: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the names of the speakers, and which utterances have one."""
    speakers = check_speakers(speakers, X)
    known = np.array([speaker is not None for speaker in speakers])
    names = speakers[known].astype(str)
    found, counts = np.unique(names, return_counts=True)
    if len(found) < 2 or counts.min() < cv:
        raise ValueError(
            f"the probe needs two speakers or more, and of each {cv} utterances or more (cv={cv}); "
            f"there are {dict(zip(found.tolist(), counts.tolist(), strict=True))}"
        )
    return names, known


def _as_probe(probe: Any, random_state: int) -> Any:
    if isinstance(probe, str):
        if probe == "linear":
            return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        if probe == "mlp":
            mlp = MLPClassifier((64,), solver="lbfgs", max_iter=1000, random_state=random_state)
            return make_pipeline(StandardScaler(), mlp)
    elif is_classifier(probe):
        return probe
    raise ValueError(f'probe is "linear", "mlp" or a classifier, not {probe!r}')


def _folds(cv: int, random_state: int) -> StratifiedKFold:
    return StratifiedKFold(cv, shuffle=True, random_state=random_state)


def _recognised(
    probe: Any, vectors: np.ndarray, names: np.ndarray, folds: Any, n_jobs: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the weight of every utterance, and if its speaker was recognised.

    Weighted so, the mean of a speaker is that of the folds, as scikit-learn has it.
    """
    predicted = cross_val_predict(clone(probe), vectors, names, cv=folds, n_jobs=n_jobs)
    weights = np.empty(len(names))
    for _, test in folds.split(vectors, names):
        _, place, counts = np.unique(names[test], return_inverse=True, return_counts=True)
        weights[test] = 1 / counts[place]
    return weights, predicted == names


def _mean_over_speakers(weights: np.ndarray, right: np.ndarray, names: np.ndarray) -> float:
    _, place = np.unique(names, return_inverse=True)
    hits = np.bincount(place, weights * right) / np.bincount(place, weights)
    return float(hits.mean())


def _interval(
    weights: np.ndarray,
    right: np.ndarray,
    names: np.ndarray,
    n_resamples: int,
    confidence: float,
    rng: np.random.Generator,
) -> tuple[float, float]:
    """Return the ends of the percentile interval, of utterances drawn speaker by speaker."""
    means = np.zeros(n_resamples)
    speakers = np.unique(names)
    for speaker in speakers:
        rows = np.flatnonzero(names == speaker)
        drawn = rows[rng.integers(len(rows), size=(n_resamples, len(rows)))]
        hits = (weights[drawn] * right[drawn]).sum(axis=1) / weights[drawn].sum(axis=1)
        means += hits / len(speakers)
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
