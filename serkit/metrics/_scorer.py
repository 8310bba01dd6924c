"""Scorers that hand the speakers on to ``predict``."""

import copy
from collections.abc import Callable
from typing import Any, ClassVar

from sklearn.metrics._scorer import _Scorer
from sklearn.utils.metadata_routing import get_routing_for_object

from serkit.metrics._classification import uar_score, wa_score

__all__ = ["uar_scorer", "wa_scorer"]


class _SpeakerScorer(_Scorer):
    """Score predictions that may need to know who speaks.

    Without `speakers` it is what :func:`sklearn.metrics.make_scorer` makes.
    """

    __metadata_request__score: ClassVar = {"speakers": True}

    def set_score_request(self, **kwargs: Any) -> "_SpeakerScorer":
        """Return a copy with these requests, `speakers` among them unless named.

        The scorers of this module are shared, so they stay as they are.
        """
        requests = {"speakers": True, **kwargs}
        return super(_SpeakerScorer, copy.copy(self)).set_score_request(**requests)

    def _score(
        self,
        method_caller: Callable[..., Any],
        estimator: Any,
        X: Any,
        y_true: Any,
        *,
        speakers: Any = None,
        **kwargs: Any,
    ) -> float:
        # A search predicts by its best estimator, but takes no metadata itself.
        model = getattr(estimator, "best_estimator_", estimator)
        if speakers is None or not _consumes_speakers(model):
            return super()._score(method_caller, estimator, X, y_true, **kwargs)
        y_pred = model.predict(X, speakers=speakers)
        return self._sign * self._score_func(y_true, y_pred, **{**self._kwargs, **kwargs})


def _consumes_speakers(estimator: Any) -> bool:
    return bool(get_routing_for_object(estimator).consumes("predict", ["speakers"]))


#: Unweighted average recall; see :func:`uar_score`.
uar_scorer = _SpeakerScorer(uar_score, 1, {})

#: Weighted accuracy; see :func:`wa_score`.
wa_scorer = _SpeakerScorer(wa_score, 1, {})
