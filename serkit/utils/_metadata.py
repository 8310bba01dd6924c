"""Speakers on their way to whatever asks for them."""

from typing import Any

import numpy as np
from sklearn import config_context
from sklearn.base import BaseEstimator
from sklearn.utils.metadata_routing import get_routing_for_object

__all__ = ["requested_speakers"]


def requested_speakers(
    estimator: BaseEstimator, method: str, speakers: np.ndarray | None
) -> dict[str, Any]:
    """Return the arguments by which a method of an estimator gets the speakers.

    They are for a call with metadata routing enabled. Estimators, transformers
    and scorers ask for ``speakers``, the splitter of a search asks for
    ``groups``.

    Parameters
    ----------
    estimator : estimator
        What is called, such as a pipeline or a search.
    method : str
        Its method, such as "fit".
    speakers : ndarray of shape (n_utterances,) or None
        The speakers; ``None`` gives no arguments.

    Returns
    -------
    arguments : dict
        The speakers by every name that is asked for.

    Examples
    --------
    >>> from sklearn.svm import SVC
    >>> from serkit.neural_network import CRNNClassifier
    >>> from serkit.utils import requested_speakers
    >>> requested_speakers(CRNNClassifier(), "fit", ["03", "08"])
    {'speakers': ['03', '08']}
    >>> requested_speakers(SVC(), "fit", ["03", "08"])
    {}
    """
    if speakers is None:
        return {}
    with config_context(enable_metadata_routing=True):
        names = get_routing_for_object(estimator).consumes(method, ["speakers", "groups"])
    return dict.fromkeys(sorted(names), speakers)
