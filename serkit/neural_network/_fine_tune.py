"""Going on with a network that was trained on other speech."""

import copy
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, _fit_context
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_consistent_length, compute_class_weight, get_tags
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from serkit.neural_network._base import NeuralEstimator
from serkit.neural_network._classifier import NeuralClassifier
from serkit.neural_network._going_on import ends_in_network, go_on, no_network
from serkit.neural_network._labels import check_labels
from serkit.neural_network._segment_aggregation import check_takes_weight
from serkit.neural_network._stages import freed_stages, frozen_stages, stage_table
from serkit.utils import check_columns, check_speakers, requested_speakers

__all__ = ["FineTuneClassifier"]


class FineTuneClassifier(MetaEstimatorMixin, ClassifierMixin, BaseEstimator):
    """Train the last stages of a fitted network on other speech; the rest stays.

    The network may stand at the end of a pipeline, in a search, or in a
    :class:`SegmentAggregationClassifier`. ``fit`` works on a copy: what was
    given stays as it is, and every ``fit`` begins from it again. The stages that
    are not trained keep their weights and their batch statistics. Optimizer,
    batch size and all else that has no parameter here is that of the network.

    Parameters
    ----------
    estimator : FrozenEstimator
        A fitted network, or what holds one, in a
        :class:`~sklearn.frozen.FrozenEstimator`: without it, cross-validation
        would forget what was learnt.
    unfreeze : int, "all", str or list of str, default=1
        What is trained. A number counts stages that have weights from the
        output: 1 is the head alone; see :meth:`stage_table`. Names are those of
        stages or of parts of stages, such as "recurrence.attention". With 0
        nothing is trained, and `statistics` has no effect: ``fit`` only checks
        the labels.
    lr : float, default=1e-4
        Learning rate.
    max_epochs : int, default=50
        Most passes over the training utterances.
    patience : int or None, default=None
        Number of epochs without improvement on the validation utterances after
        which training ends.
    validation : "auto", float, splitter or None, default="auto"
        The utterances that choose the best epoch, as of a network: "auto" is a
        fifth of the speakers if ``fit`` gets speakers, otherwise none. The rows
        that a splitter divides in a :class:`SegmentAggregationClassifier` are
        segments: only speakers tell it which belong together.
    new_head : bool or "auto", default="auto"
        Put an untrained head for the classes of y in the place of the old one;
        it is trained whatever `unfreeze` says. "auto" does so if there are
        classes that the network does not know.
    statistics : {"source", "target"}, default="source"
        What the transformers of a pipeline keep to: what they have learnt
        before, or what they learn anew from the training utterances of ``fit``.
    random_state : int, RandomState instance or None, default=None
        Seed of order, dropout, validation speakers and of a new head.
    verbose : int, default=0
        1 shows a progress bar, 2 a line per epoch.

    Attributes
    ----------
    estimator_ : estimator
        The tuned copy of what was given.
    network_ : NeuralClassifier
        The network in it.
    classes_ : ndarray of shape (n_classes,)
        The classes.
    history_ : DataFrame
        One row per epoch of fine-tuning; see the networks.
    n_features_in_ : int
        Number of columns of a numeric 2-D input.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, if they have any.

    See Also
    --------
    serkit.evaluation.cross_corpus_validate : From one corpus to another.

    References
    ----------
    Lazarević (2024), "An evaluation of speech emotion recognition systems based
    on transformer and long-short term memory architectures".

    Examples
    --------
    >>> from sklearn.frozen import FrozenEstimator
    >>> from serkit.datasets import make_emotional_speech
    >>> from serkit.feature_extraction import MFCC, FrameScaler
    >>> from serkit.neural_network import CRNNClassifier, FineTuneClassifier
    >>> from serkit.pipeline import make_pipeline
    >>> source, target = (make_emotional_speech(2, n_sentences=2, random_state=k) for k in (0, 1))
    >>> crnn = CRNNClassifier(n_filters=8, rnn_hidden_size=8, max_epochs=5, random_state=0)
    >>> pipe = make_pipeline(MFCC(n_mfcc=20), FrameScaler(), crnn).fit(source.audio, source.y)
    >>> tuned = FineTuneClassifier(FrozenEstimator(pipe), unfreeze=2, max_epochs=3, random_state=0)
    >>> tuned.stage_table()["weights"].to_dict()
    {'head': 21764, 'projection': 272, 'recurrence': 4320, 'block1': 48}
    >>> tuned.fit(target.audio, target.y).predict(target.audio).shape
    (16,)
    """

    #: Speakers choose the validation utterances, and some transformers need them.
    __metadata_request__fit: ClassVar = {"speakers": True}
    __metadata_request__predict: ClassVar = {"speakers": True}
    __metadata_request__predict_proba: ClassVar = {"speakers": True}

    _parameter_constraints: ClassVar[dict] = {
        "estimator": [HasMethods(["fit", "predict"])],
        "unfreeze": [Interval(Integral, 0, None, closed="left"), str, list, tuple],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "patience": [Interval(Integral, 1, None, closed="left"), None],
        "validation": NeuralEstimator._parameter_constraints["validation"],
        "new_head": ["boolean", StrOptions({"auto"})],
        "statistics": [StrOptions({"source", "target"})],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator,
        *,
        unfreeze=1,
        lr=1e-4,
        max_epochs=50,
        patience=None,
        validation="auto",
        new_head="auto",
        statistics="source",
        random_state=None,
        verbose=0,
    ):
        self.estimator = estimator
        self.unfreeze = unfreeze
        self.lr = lr
        self.max_epochs = max_epochs
        self.patience = patience
        self.validation = validation
        self.new_head = new_head
        self.statistics = statistics
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: Any, y: Any, *, speakers: Any = None, sample_weight: Any = None
    ) -> "FineTuneClassifier":
        """Train what is to be trained.

        Parameters
        ----------
        X : audio, frames or functionals
            The utterances, as the estimator takes them.
        y : array-like of shape (n_utterances,)
            Their classes.
        speakers : array-like of shape (n_utterances,), default=None
            Their speakers, by which validation utterances are held out.
        sample_weight : array-like of shape (n_utterances,), default=None
            Their weights in the loss. In a pipeline, a step that is to get them
            has to request them.

        Returns
        -------
        self : object
        """
        keep = self.statistics == "source" or self._trains_nothing()
        model, network = go_on(copy.deepcopy(self._source()), keep_statistics=keep)
        check_columns(self, X, reset=True)
        y = check_labels(self, y)
        check_consistent_length(X, y)
        replace_head = self._needs_new_head(y, network)
        n_before = len(network.history_)
        if not self._trains_nothing():
            self._check_trainable(y)
            self._prepare(network, y, replace_head=replace_head)
            speakers = None if speakers is None else check_speakers(speakers, y)
            with config_context(enable_metadata_routing=True):
                metadata = requested_speakers(model, "fit", speakers)
                if sample_weight is not None:
                    check_takes_weight(model)
                    metadata["sample_weight"] = sample_weight
                model.fit(X, y, **metadata)
        self.estimator_, self.network_, self.classes_ = model, network, network.classes_
        history = network.history_.iloc[n_before:].reset_index(drop=True)
        self.history_ = history.assign(epoch=np.arange(len(history)))
        return self

    def predict(self, X: Any, *, speakers: Any = None) -> np.ndarray:
        """Return the most probable class of every utterance.

        Parameters
        ----------
        X : audio, frames or functionals
            The utterances.
        speakers : array-like of shape (n_utterances,), default=None
            Their speakers, for transformers that need them.

        Returns
        -------
        y_pred : ndarray of shape (n_utterances,)
        """
        return self._ask("predict", X, speakers)

    def predict_proba(self, X: Any, *, speakers: Any = None) -> np.ndarray:
        """Return the probability of every class.

        Parameters
        ----------
        X : audio, frames or functionals
            The utterances.
        speakers : array-like of shape (n_utterances,), default=None
            Their speakers, for transformers that need them.

        Returns
        -------
        probabilities : ndarray of shape (n_utterances, n_classes)
        """
        return self._ask("predict_proba", X, speakers)

    def stage_table(self) -> pd.DataFrame:
        """List the stages of the network that have weights, from output to input.

        Returns
        -------
        table : DataFrame
            For every stage its number of weights, and the value of `unfreeze`
            from which on it is trained.
        """
        return stage_table(self._source_network())

    # What is given.

    def _source(self) -> Any:
        """Return the fitted estimator that was given."""
        if not isinstance(self.estimator, FrozenEstimator):
            raise TypeError(
                f"{type(self).__name__} needs a fitted estimator in FrozenEstimator, which keeps "
                "what it has learnt when scikit-learn makes clones: FineTuneClassifier("
                f"FrozenEstimator(fitted)); got {type(self.estimator).__name__}"
            )
        try:
            check_is_fitted(self.estimator)
        except NotFittedError:
            raise NotFittedError(
                f"the {type(self.estimator.estimator).__name__} in FrozenEstimator is not fitted: "
                "fit it on the source first"
            ) from None
        return self.estimator.estimator

    def _source_network(self) -> NeuralClassifier:
        """Return a copy of the network in the estimator that was given."""
        _, network = go_on(copy.deepcopy(self._source()), keep_statistics=True)
        return network

    def _check_kind(self) -> None:
        """Raise if there is no network in the estimator, which may still be unfitted."""
        if not ends_in_network(self.estimator):
            raise no_network(self.estimator)

    def _check_stages(self) -> None:
        """Raise if `unfreeze` names or counts what the network has not."""
        freed_stages(self._source_network(), self.unfreeze)

    def _check_trainable(self, y: np.ndarray) -> None:
        classes = set(y.tolist())
        if len(classes) < 2:
            raise ValueError(
                f"{type(self).__name__} needs utterances of two classes or more to train on; y "
                f"has {len(classes)} class, {', '.join(map(repr, classes))}"
            )

    # What is trained.

    def _trains_nothing(self) -> bool:
        return isinstance(self.unfreeze, Integral) and self.unfreeze == 0

    def _needs_new_head(self, y: np.ndarray, network: NeuralClassifier) -> bool:
        """Say whether the classes need a new head; raise if they do and must not get one."""
        unknown = sorted(set(y.tolist()) - set(network.classes_.tolist()))
        wanted = bool(unknown) if self.new_head == "auto" else self.new_head
        if unknown and not wanted:
            raise ValueError(
                f"the network does not know the classes {unknown}, only "
                f"{network.classes_.tolist()}, and new_head=False keeps its head"
            )
        if wanted and self._trains_nothing():
            why = f"the network does not know the classes {unknown}" if unknown else "new_head=True"
            raise ValueError(f"{why}, but with unfreeze=0 a new head would not be trained")
        return wanted

    def _prepare(self, network: NeuralClassifier, y: np.ndarray, *, replace_head: bool) -> None:
        """Freeze what is not trained, and set how the rest is."""
        network.set_params(
            lr=self.lr,
            max_epochs=self.max_epochs,
            patience=self.patience,
            validation=self.validation,
            random_state=self.random_state,
            verbose=self.verbose,
        )
        freed = freed_stages(network, self.unfreeze)
        if replace_head:
            _check_class_weight(network, y)
            network._replace_head(y)
            freed.add("head")
        network.freeze(frozen_stages(network, freed))

    # What comes out.

    def _ask(self, method: str, X: Any, speakers: Any) -> np.ndarray:
        check_is_fitted(self, "estimator_")
        check_columns(self, X, reset=False)
        with config_context(enable_metadata_routing=True):
            metadata = requested_speakers(self.estimator_, method, speakers)
            return getattr(self.estimator_, method)(X, **metadata)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.input_tags = copy.deepcopy(inner.input_tags)
        tags.target_tags.required = True
        return tags


def _check_class_weight(network: NeuralClassifier, y: np.ndarray) -> None:
    """Raise if the weights of the old classes do not fit the new ones."""
    weight = network.class_weight
    try:
        compute_class_weight(weight, classes=np.unique(y), y=y)
    except ValueError as error:
        raise ValueError(
            f"class_weight={weight} of the {type(network).__name__} is for other classes than "
            f"{np.unique(y).tolist()}, which the new head is for; set another in the network "
            'before it is tuned: network.set_params(class_weight="balanced"), or a dict of these'
        ) from error
