"""What an embedding knows of who speaks."""

from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from serkit.utils import check_speakers

__all__ = ["speaker_probe_score"]


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
    speakers = check_speakers(speakers, X)
    known = np.array([speaker is not None for speaker in speakers])
    names, counts = np.unique(speakers[known].astype(str), return_counts=True)
    if len(names) < 2 or counts.min() < cv:
        raise ValueError(
            f"the probe needs two speakers or more, and of each {cv} utterances or more (cv={cv}); "
            f"there are {dict(zip(names.tolist(), counts.tolist(), strict=True))}"
        )
    embedding = np.asarray(estimator.transform(X))
    if embedding.ndim != 2:
        raise ValueError(
            f"{type(estimator).__name__}.transform gives no vector per utterance: its output has "
            f"shape {embedding.shape}"
        )
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    folds = StratifiedKFold(cv, shuffle=True, random_state=random_state)
    scores = cross_val_score(
        probe, embedding[known], speakers[known].astype(str), cv=folds, scoring="balanced_accuracy"
    )
    return float(scores.mean())
