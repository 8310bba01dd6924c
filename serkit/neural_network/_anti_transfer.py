"""Networks that are kept from learning what another network has learnt."""

import copy
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, _fit_context, clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.utils import get_tags
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from serkit.modules import AntiTransferLoss
from serkit.neural_network._anti_transfer_training import AntiTransferTraining
from serkit.neural_network._base import NeuralEstimator
from serkit.neural_network._classifier import NeuralClassifier
from serkit.neural_network._layer_table import layer_table
from serkit.neural_network._reference_leakage import (
    check_prediction,
    foreign_rows,
    remember,
    sources,
)
from serkit.neural_network._references import (
    fit_references,
    fitted_network,
    frozen_networks,
    list_references,
)
from serkit.utils import check_speakers, row_digests

__all__ = ["AntiTransferClassifier"]


class AntiTransferClassifier(MetaEstimatorMixin, ClassifierMixin, BaseEstimator):
    """Train a network away from what another one has learnt for another task.

    The other network, the reference, tells what should not matter, such as who
    speaks. While the network is trained, its feature maps at some layers are
    compared with those of the reference, and their likeness is added to what is
    minimised. The reference does not change.

    Parameters
    ----------
    estimator : NeuralClassifier
        An unfitted network of serkit, of which a clone is trained. Optimizer,
        epochs, validation, seed and all else of training is said there.
    reference : FrozenEstimator, network, or list of these
        A fitted network of serkit in a :class:`~sklearn.frozen.FrozenEstimator`,
        which is never changed; or an unfitted one, of which ``fit`` first trains
        a clone to tell `reference_y` on the utterances that it gets; see Notes.
        In a cross-validation the second has seen no test utterance. As far as
        the last of the layers both networks have the same structure.

        Of a list every reference has its turn: each time a new network begins
        with the convolutions of the one before. Their order matters.
    layers : int, str or list of these, default=1
        Where the networks are compared: the number of a convolution, see
        :meth:`layer_table`, or the name of a stage or of a part of one. The
        losses of several layers are added. Which one is best has to be searched
        on validation speakers.
    beta : float, default=1.0
        Weight of the likeness. Below zero it is rewarded; with 0 nothing is
        compared.
    position : {"activation", "convolution", "input"}, default="activation"
        Where at a convolution: behind its activation, before it, or what enters
        the convolution; see :class:`~serkit.modules.FeatureTap`.
    aggregation : {"gram", "mean", "sum", "max", "compressed_product"}, default="gram"
        What is compared of the maps, as of
        :class:`~serkit.modules.AntiTransferLoss`.
    similarity : {"squared_cosine", "sigmoid_mse"}, default="squared_cosine"
        How it is compared.
    gram : {"sample", "batch_rowwise"}, default="sample"
        One Gram matrix per utterance, or one of the whole batch.
    initialize : "reference", FrozenEstimator or None, default=None
        Where training begins: the weights of the reference (of the first, if
        there are several) or of another fitted network, as far as the last
        convolution; ``None`` begins anew. Names and shapes have to agree.
    freeze : bool, default=False
        Keep the stages as far as the last of `layers` as `initialize` has made
        them; for ``beta=0``.
    cache_grams : bool or "auto", default="auto"
        Compute the Gram matrices of the reference once, and not in every epoch.
        "auto" does so if nothing changes the utterances in training (`augment`,
        :class:`~serkit.training.Mixup`) and they take less than 1 GiB.
    leakage : {"warn", "raise", "ignore"}, default="warn"
        What to do about a frozen reference that knows speakers or utterances of
        this corpus beyond those given to ``fit``, or of which that cannot be
        told, and about predictions for utterances that it was trained on.
    verbose : int, default=0
        1 shows a progress bar of every training, 2 a line per epoch; if it is
        more than `verbose` of the network.

    Attributes
    ----------
    network_ : NeuralClassifier
        The trained network.
    networks_ : list of NeuralClassifier
        One for every reference, in their order; the last is `network_`.
    references_ : list of NeuralEstimator
        The fitted references; ``None`` for one that is not needed with `beta=0`.
    n_initialized_ : list of int
        Number of tensors that each network began with.
    classes_ : ndarray of shape (n_classes,)
        The classes.
    history_ : DataFrame
        One row per epoch of `network_`; see the networks. "train_at_loss" and
        "valid_at_loss" are parts of "train_loss" and "valid_loss".
    n_features_in_ : int
        Number of columns of a numeric 2-D input.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, if they have any.

    See Also
    --------
    DomainAdversarialClassifier : Is trained against a head that tells speakers.
    FineTuneClassifier : Goes on with what a network has learnt.

    Notes
    -----
    `beta=0, initialize="reference"` is transfer learning, and with `freeze=True`
    that of a fixed front end: what to compare with. `sample_weight` weighs the
    utterances in the loss of the classes only.

    An unfitted reference is trained as its parameters say, but for two things. Its
    seed is another one, derived from its `random_state`: with the seed of the
    network both would begin with the same weights. And if it is to tell speakers,
    or a label that one speaker alone has, no speakers can be held out: then it is
    trained for all its `max_epochs`, without `validation` and `patience`.

    Fit a frozen reference with `speakers`, for utterances are known again by the
    values of their frames only, which another scaler changes.

    References
    ----------
    Guizzo, Weyde and Tarroni, "Anti-transfer learning for task invariance in
    convolutional neural networks for speech processing", Neural Networks 142, 2021.

    Guizzo (2023), "Enhancing the Generalization of Convolutional Neural Networks
    for Speech Emotion Recognition", chapters 5 and 7.

    Examples
    --------
    >>> from serkit.datasets import make_emotional_speech
    >>> from serkit.feature_extraction import MFCC
    >>> from serkit.neural_network import AntiTransferClassifier, CRNNClassifier
    >>> corpus = make_emotional_speech(4, n_sentences=2, random_state=0)
    >>> X = MFCC(n_mfcc=20).fit_transform(corpus.audio)
    >>> crnn = CRNNClassifier(2, n_filters=8, rnn_hidden_size=8, max_epochs=2, random_state=0)
    >>> against_speakers = AntiTransferClassifier(crnn, reference=crnn, layers=2)
    >>> against_speakers = against_speakers.fit(X, corpus.y, speakers=corpus.speakers)
    >>> against_speakers.history_[["train_at_loss", "valid_at_loss"]].shape
    (2, 2)
    >>> against_speakers.layer_table()["convolution"].to_dict()
    {1: 'block1.convolution', 2: 'block2.convolution'}
    """

    #: Speakers choose the validation utterances, and are what a reference is to tell.
    __metadata_request__fit: ClassVar = {"speakers": True, "reference_y": True}
    _without_effect = frozenset({"leakage"})

    _parameter_constraints: ClassVar[dict] = {
        "estimator": [HasMethods(["fit", "predict"])],
        "reference": [HasMethods(["fit"]), list, tuple],
        "layers": [Interval(Integral, 1, None, closed="left"), str, list, tuple],
        "beta": [Interval(Real, None, None, closed="neither")],
        "position": [StrOptions({"activation", "convolution", "input"})],
        "aggregation": [StrOptions({"gram", "mean", "sum", "max", "compressed_product"})],
        "similarity": [StrOptions({"squared_cosine", "sigmoid_mse"})],
        "gram": [StrOptions({"sample", "batch_rowwise"})],
        "initialize": [StrOptions({"reference"}), HasMethods(["fit"]), None],
        "freeze": ["boolean"],
        "cache_grams": ["boolean", StrOptions({"auto"})],
        "leakage": [StrOptions({"warn", "raise", "ignore"})],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator,
        reference,
        *,
        layers=1,
        beta=1.0,
        position="activation",
        aggregation="gram",
        similarity="squared_cosine",
        gram="sample",
        initialize=None,
        freeze=False,
        cache_grams="auto",
        leakage="warn",
        verbose=0,
    ):
        self.estimator = estimator
        self.reference = reference
        self.layers = layers
        self.beta = beta
        self.position = position
        self.aggregation = aggregation
        self.similarity = similarity
        self.gram = gram
        self.initialize = initialize
        self.freeze = freeze
        self.cache_grams = cache_grams
        self.leakage = leakage
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: Any,
        y: Any,
        *,
        speakers: Any = None,
        reference_y: Any = None,
        sample_weight: Any = None,
    ) -> "AntiTransferClassifier":
        """Train the references that are not fitted, then the network.

        Parameters
        ----------
        X : frames or functionals
            The utterances.
        y : array-like of shape (n_utterances,)
            Their classes.
        speakers : array-like of shape (n_utterances,), default=None
            Their speakers, by which validation utterances are held out.
        reference_y : array-like of shape (n_utterances,) or \
                (n_utterances, n_references), default=None
            What unfitted references are trained to tell, one for all or a column
            for each of the list; ``None`` is the speakers. Utterances where it is
            ``None`` are left out. It is an error if all references are frozen.
        sample_weight : array-like of shape (n_utterances,), default=None
            Their weights in the loss of the classes.

        Returns
        -------
        self : object
        """
        self._check_parameters()
        references = list_references(self.reference)
        speakers = None if speakers is None else check_speakers(speakers, X)
        n_used = self._n_used(references)
        fitted = fit_references(
            [self._at_least_as_verbose(reference) for reference in references],
            X,
            speakers=speakers,
            reference_y=reference_y,
            n_used=n_used,
        )
        known = sources(frozen_networks([*references[:n_used], self.initialize]))
        network = self._first_weights(fitted)
        networks: list[NeuralClassifier] = []
        n_initialized: list[int] = []
        for reference in fitted:
            # All networks get the same rows, so that one complaint is enough.
            unchecked = () if networks else known
            train = self._make_training(reference, start=network, known=unchecked)
            network = self._at_least_as_verbose(self.estimator)
            network._validate_params()
            network._fit(X, y, speakers=speakers, sample_weight=sample_weight, train=train)
            remember(known, network)
            networks.append(network)
            n_initialized.append(train.n_initialized)
        self._foreign_rows = foreign_rows(known, network)
        self.references_, self.networks_, self.n_initialized_ = fitted, networks, n_initialized
        self.network_, self.classes_, self.history_ = network, network.classes_, network.history_
        self._take_over("n_features_in_", "feature_names_in_")
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable class of every utterance.

        Parameters
        ----------
        X : frames or functionals
            The utterances.

        Returns
        -------
        y_pred : ndarray of shape (n_utterances,)
        """
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of every class.

        Parameters
        ----------
        X : frames or functionals
            The utterances.

        Returns
        -------
        probabilities : ndarray of shape (n_utterances, n_classes), float32
        """
        check_is_fitted(self, "network_")
        if self.leakage != "ignore" and len(self._foreign_rows):
            utterances = self.network_._check_input(X, reset=False)
            check_prediction(row_digests(utterances), self._foreign_rows, self.leakage)
        return self.network_.predict_proba(X)

    def layer_table(self) -> pd.DataFrame:
        """List the convolutions of the network, which `layers` counts.

        They are those of the fitted network, or before ``fit`` those of a fitted
        reference.

        Returns
        -------
        table : DataFrame
            By number: the names of the convolution and of the activation behind
            which its maps are caught (``None`` if behind none, as where another
            convolution is called before), and their channels and bins.
        """
        return layer_table(self._known_network(), self.position)

    # What is given.

    def _check_parameters(self) -> None:
        if not isinstance(self.estimator, NeuralClassifier):
            raise TypeError(
                f"{type(self).__name__} trains a NeuralClassifier of serkit, not "
                f"{type(self.estimator).__name__}; put it at the end of a pipeline, not around one"
            )
        wrong = [layer for layer in self._layers() if not isinstance(layer, int | str)]
        if wrong or not self._layers():
            raise TypeError(f"layers holds numbers of convolutions or names, got {self.layers!r}")
        if self.freeze and (self.initialize is None or self.beta != 0):
            raise ValueError(
                "freeze=True keeps the layers as they begin: it needs initialize, and beta=0, for "
                "the likeness of frozen layers cannot be trained"
            )
        if self.initialize not in (None, "reference"):
            fitted_network(self.initialize, "initialize")

    def _layers(self) -> tuple[int | str, ...]:
        several = isinstance(self.layers, list | tuple)
        layers = self.layers if several else [self.layers]
        return tuple(int(layer) if isinstance(layer, Integral) else layer for layer in layers)

    def _known_network(self) -> NeuralEstimator:
        if hasattr(self, "network_"):
            return self.network_
        for network in frozen_networks(list_references(self.reference)):
            return network
        raise NotFittedError("the layers are known once the network or a reference is fitted")

    # What is trained.

    def _make_training(self, reference: Any, *, start: Any, known: Any) -> AntiTransferTraining:
        return AntiTransferTraining(
            reference,
            layers=self._layers(),
            position=self.position,
            loss=AntiTransferLoss(self.aggregation, self.similarity, float(self.beta), self.gram),
            start=start,
            freeze=self.freeze,
            cache_grams=self.cache_grams,
            known=known,
            leakage=self.leakage,
        )

    def _n_used(self, references: list) -> int:
        """Return how many of the references anything needs."""
        if self.beta != 0:
            return len(references)
        return 1 if isinstance(self.initialize, str) else 0

    def _first_weights(self, references: list) -> Any:
        if self.initialize is None:
            return None
        if isinstance(self.initialize, str):
            return references[0]
        return fitted_network(self.initialize, "initialize")

    def _at_least_as_verbose(self, network: Any) -> Any:
        """Return a clone that shows as much as is asked for; what is frozen stays itself."""
        network = clone(network)
        if isinstance(network, FrozenEstimator):
            return network
        return network.set_params(verbose=max(int(network.verbose), int(self.verbose)))

    def _take_over(self, *names: str) -> None:
        for name in names:
            self.__dict__.pop(name, None)
            if hasattr(self.network_, name):
                setattr(self, name, getattr(self.network_, name))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.input_tags = copy.deepcopy(inner.input_tags)
        tags.target_tags.required = True
        return tags
