"""Utterances classified by what is said of their segments."""

from copy import deepcopy
from typing import Any, ClassVar

import numpy as np
from sklearn import config_context
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    MetaEstimatorMixin,
    _fit_context,
    clone,
    is_classifier,
)
from sklearn.utils import check_consistent_length, get_tags
from sklearn.utils._param_validation import HasMethods, StrOptions
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.validation import (
    _check_sample_weight,
    _num_samples,
    check_is_fitted,
    has_fit_parameter,
    validate_data,
)

from serkit.neural_network._labels import check_labels
from serkit.utils import (
    at_segments,
    check_container,
    check_speakers,
    forget_features,
    name_rows,
    requested_speakers,
)

__all__ = ["SegmentAggregationClassifier", "check_takes_weight"]


class SegmentAggregationClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Classify utterances by what a classifier says of their segments.

    In ``fit``, utterances are cut, and the classifier is trained on the
    segments, each with the class, the speaker and the weight of its utterance.
    To predict, utterances are cut the same way and the posteriors of their
    segments are brought together.

    Everything inside acts on segments: in a pipeline, features are computed of
    each segment, scalers see the training segments, samplers add or leave out
    segments. Steps before this one act on whole utterances.

    Parameters
    ----------
    estimator : classifier
        What classifies segments: a network, a pipeline, a search. It is cloned.
    segmenter : FixedLengthSegmenter or object with a method ``split``
        Cuts utterances.
    aggregate : {"max", "mean", "vote"}, default="max"
        The posterior of an utterance: that of each class in the segment where
        it is greatest, scaled to a sum of 1; or the mean over segments; or the
        share of segments that are of the class, which needs no ``predict_proba``.
    warm_start : bool, default=False
        Fit ``estimator_`` itself again, as it is; networks that are set to
        ``warm_start`` too then go on from their weights.

    Attributes
    ----------
    estimator_ : classifier
        The classifier fitted on segments.
    classes_ : ndarray of shape (n_classes,)
        The classes.
    n_features_in_ : int
        Number of samples seen in ``fit``; only for 2-D numeric input.

    See Also
    --------
    serkit.preprocessing.FixedLengthSegmenter : Cuts utterances.

    Notes
    -----
    Speakers go to whatever asks for them inside: networks for their validation,
    splitters of searches, ``SpeakerStandardizer``. Segments of one utterance
    have one speaker, so nothing that keeps speakers apart divides them.

    Without speakers, a network inside whose ``validation`` is a share holds out
    whole utterances, with all their segments. Behind a sampler or in a search it
    cannot know them, and refuses to.

    Weights go to a pipeline or a search inside only if a step requests them:
    ``step.set_fit_request(sample_weight=True)``.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from serkit.feature_extraction import TemporalPooling
    >>> from serkit.neural_network import SegmentAggregationClassifier
    >>> from serkit.preprocessing import FixedLengthSegmenter
    >>> X = [np.full((1, 2, n), n % 2) for n in (5, 6, 7, 8)]
    >>> classifier = SegmentAggregationClassifier(
    ...     make_pipeline(TemporalPooling(), LogisticRegression()), FixedLengthSegmenter(4)
    ... )
    >>> classifier.fit(X, ["calm", "anger", "calm", "anger"]).predict(X[:2])
    array(['calm', 'anger'], dtype='<U5')
    >>> posteriors, parents = classifier.predict_segments(X[:2])
    >>> posteriors.shape, parents
    ((4, 2), array([0, 0, 1, 1]))
    """

    estimator_: Any

    #: Speakers are handed on to whatever inside requests them.
    __metadata_request__fit: ClassVar = {"speakers": True}
    __metadata_request__predict: ClassVar = {"speakers": True}
    __metadata_request__predict_proba: ClassVar = {"speakers": True}

    _parameter_constraints: ClassVar[dict] = {
        "estimator": [HasMethods(["fit", "predict"])],
        "segmenter": [HasMethods(["split"])],
        "aggregate": [StrOptions({"max", "mean", "vote"})],
        "warm_start": ["boolean"],
    }

    def __init__(self, estimator, segmenter, *, aggregate="max", warm_start=False):
        self.estimator = estimator
        self.segmenter = segmenter
        self.aggregate = aggregate
        self.warm_start = warm_start

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: Any, y: Any, *, speakers: Any = None, sample_weight: Any = None
    ) -> "SegmentAggregationClassifier":
        """Cut the utterances and train the classifier on their segments.

        Parameters
        ----------
        X : audio or frames
            The utterances.
        y : array-like of shape (n_utterances,)
            Their classes.
        speakers : array-like of shape (n_utterances,), default=None
            Their speakers; ``None`` marks an utterance without one.
        sample_weight : array-like of shape (n_utterances,), default=None
            Their weights; each segment has that of its utterance.

        Returns
        -------
        self : object
        """
        self._check_estimator()
        X = self._check_input(X, reset=True)
        y = check_labels(self, y)
        check_consistent_length(X, y)
        if speakers is not None:
            speakers = check_speakers(speakers, X)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X)
        segments, parents = self.segmenter.split(X)
        _check_no_class_lost(y, parents)
        going_on = self.warm_start and hasattr(self, "estimator_")
        estimator = self.estimator_ if going_on else clone(self.estimator)
        with config_context(enable_metadata_routing=True), at_segments(parents):
            metadata = _requested(estimator, "fit", speakers, parents)
            if sample_weight is not None:
                check_takes_weight(estimator)
                metadata["sample_weight"] = sample_weight[parents]
            self.estimator_ = estimator.fit(segments, y[parents], **metadata)
        self.classes_ = self.estimator_.classes_
        return self

    def predict(self, X: Any, *, speakers: Any = None) -> np.ndarray:
        """Return the most probable class of every utterance.

        Parameters
        ----------
        X : audio or frames
            The utterances.
        speakers : array-like of shape (n_utterances,), default=None
            Their speakers, for steps inside that need them.

        Returns
        -------
        y_pred : ndarray of shape (n_utterances,)
        """
        posteriors = self.predict_proba(X, speakers=speakers)
        return self.classes_[posteriors.argmax(axis=1)]

    def predict_proba(self, X: Any, *, speakers: Any = None) -> np.ndarray:
        """Return the posteriors of every utterance, brought together from its segments.

        Parameters
        ----------
        X : audio or frames
            The utterances.
        speakers : array-like of shape (n_utterances,), default=None
            Their speakers, for steps inside that need them.

        Returns
        -------
        posteriors : ndarray of shape (n_utterances, n_classes)
        """
        outputs, parents = self.predict_segments(X, speakers=speakers)
        if self.aggregate == "vote":
            outputs = outputs[:, np.newaxis] == self.classes_
        # Divided by its sum, a sum of posteriors is their mean.
        gather = np.maximum if self.aggregate == "max" else np.add
        gathered = np.zeros((parents.max() + 1, len(self.classes_)))
        gather.at(gathered, parents, outputs)
        return gathered / gathered.sum(axis=1, keepdims=True)

    def predict_segments(self, X: Any, *, speakers: Any = None) -> tuple[np.ndarray, np.ndarray]:
        """Return what the classifier says of every segment.

        Parameters
        ----------
        X : audio or frames
            The utterances.
        speakers : array-like of shape (n_utterances,), default=None
            Their speakers, for steps inside that need them.

        Returns
        -------
        outputs : ndarray of shape (n_segments, n_classes) or (n_segments,)
            Posteriors; with ``aggregate="vote"`` the predicted classes.
        parent_index : ndarray of shape (n_segments,)
            The row of X that each segment is from.

        Raises
        ------
        ValueError
            If the segmenter drops an utterance.
        """
        check_is_fitted(self)
        X = self._check_input(X, reset=False)
        if speakers is not None:
            speakers = check_speakers(speakers, X)
        segments, parents = self.segmenter.split(X)
        dropped = sorted(set(range(_num_samples(X))) - set(parents.tolist()))
        if dropped:
            raise ValueError(
                f"{name_rows(dropped)}: too short for a segment, but there must be a prediction "
                f"for every utterance; set short='pad' or short='repeat' in the segmenter"
            )
        method = "predict" if self.aggregate == "vote" else "predict_proba"
        with config_context(enable_metadata_routing=True), at_segments(parents):
            metadata = _requested(self.estimator_, method, speakers, parents)
            return getattr(self.estimator_, method)(segments, **metadata), parents

    def _check_estimator(self) -> None:
        name = type(self.estimator).__name__
        if not is_classifier(self.estimator):
            raise ValueError(f"the estimator of segments must be a classifier, not {name}")
        if self.aggregate != "vote" and not hasattr(self.estimator, "predict_proba"):
            raise ValueError(
                f"aggregate={self.aggregate!r} needs posteriors, but {name} has no predict_proba; "
                'use aggregate="vote"'
            )

    def _check_input(self, X: Any, *, reset: bool) -> Any:
        if not check_container(X) and np.asarray(X).ndim <= 2:
            return validate_data(self, X, reset=reset)
        if reset:
            forget_features(self)
        return X

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.non_deterministic = inner.non_deterministic
        tags.input_tags.three_d_array = inner.input_tags.three_d_array
        tags.input_tags.positive_only = inner.input_tags.positive_only
        if inner.classifier_tags is not None:
            tags.classifier_tags = deepcopy(inner.classifier_tags)
            tags.classifier_tags.multi_label = False
        return tags


def _requested(
    estimator: Any, method: str, speakers: np.ndarray | None, parents: np.ndarray
) -> dict[str, Any]:
    """Return the speakers of the segments by the names that an estimator asks for."""
    return requested_speakers(estimator, method, None if speakers is None else speakers[parents])


def _check_no_class_lost(y: np.ndarray, parents: np.ndarray) -> None:
    lost = sorted(set(y.tolist()) - set(y[parents].tolist()))
    if lost:
        raise ValueError(
            f"all utterances of {', '.join(map(repr, lost))} are too short for a segment, so "
            "nothing could be learnt of them; set short='pad' or short='repeat' in the segmenter, "
            "or leave the utterances out"
        )


def check_takes_weight(estimator: Any) -> None:
    """Raise if ``fit`` of an estimator makes no use of the weights of its rows."""
    if has_fit_parameter(estimator, "sample_weight"):
        return
    if not get_routing_for_object(estimator).consumes("fit", ["sample_weight"]):
        raise ValueError(
            f"sample_weight was given, but {type(estimator).__name__} does not take it; for a step "
            "of a pipeline that does, request it: step.set_fit_request(sample_weight=True)"
        )
