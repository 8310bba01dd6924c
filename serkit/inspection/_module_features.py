"""What a part of a network makes of utterances, as a step of a pipeline."""

from typing import Any, ClassVar

import numpy as np
from sklearn import config_context
from sklearn.base import BaseEstimator, MetaEstimatorMixin, TransformerMixin, _fit_context, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import get_tags
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from serkit.inspection._networks import network_and_input, stage_vectors
from serkit.utils import check_columns, check_frozen, check_speakers, requested_speakers

__all__ = ["ModuleFeatureExtractor"]


class ModuleFeatureExtractor(MetaEstimatorMixin, TransformerMixin, BaseEstimator):
    """Turn utterances into what a part of a network makes of them, one vector each.

    Frames are described by statistics over the time that is their own, without
    what batches are padded by; the network is in evaluation mode, so nothing is
    dropped.

    Parameters
    ----------
    estimator : estimator
        A network, or what ends in one, such as a pipeline or a search. One that
        is fitted is given in a :class:`~sklearn.frozen.FrozenEstimator`, and is
        used as it is. Any other is fitted in ``fit``, on the training utterances
        of a fold alone.
    stage : str or None, default=None
        Name in ``stages_`` of the network, or of a part of a stage,
        "recurrence.layer"; "input" for what enters the network, each frame with
        the context that it is read with; or "output" for what it says, the
        posteriors of a classifier. ``None`` is the embedding, which the head reads.
    pooling : str or iterable of str, default="mean"
        Statistics over time, as of
        :class:`~serkit.feature_extraction.TemporalPooling`; vectors without time
        stay as they are.

    Attributes
    ----------
    estimator_ : estimator
        The fitted estimator.
    stage_ : str
        The stage.
    n_features_in_ : int
        Number of columns seen in ``fit``; only for 2-D numeric input.
    feature_names_in_ : ndarray of shape (n_columns,)
        Their names, if they are strings.

    See Also
    --------
    module_probe : Tests what all parts of a network know of the emotion.

    Notes
    -----
    A classifier that is trained behind a frozen network on the utterances that
    the network was trained on sees them more orderly than those it will be tested on.

    References
    ----------
    .. [1] C.-W. Huang and S. Narayanan, "Characterizing Types of Convolution in Deep
       Convolutional Recurrent Neural Networks for Robust Speech Emotion Recognition",
       arXiv:1706.02901, 2017, section 7.5.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.svm import SVC
    >>> from serkit.inspection import ModuleFeatureExtractor
    >>> from serkit.neural_network import CRNNClassifier
    >>> from serkit.pipeline import make_pipeline
    >>> X = [np.random.default_rng(n).normal(size=(1, 20, n)) for n in (30, 40, 50, 60)]
    >>> crnn = CRNNClassifier(n_filters=4, rnn_hidden_size=8, max_epochs=2, random_state=0)
    >>> features = ModuleFeatureExtractor(crnn, "block1")
    >>> svm = make_pipeline(features, SVC()).fit(X, ["joy", "anger"] * 2)
    >>> svm[:-1].transform(X).shape  # 4 filters, 10 bins
    (4, 40)
    """

    #: Speakers choose the validation utterances of a network that is fitted here.
    __metadata_request__fit: ClassVar = {"speakers": True}

    _parameter_constraints: ClassVar[dict] = {
        "estimator": [HasMethods(["fit"])],
        "stage": [str, None],
        "pooling": [str, "array-like"],
    }

    def __init__(self, estimator, stage=None, *, pooling="mean"):
        self.estimator = estimator
        self.stage = stage
        self.pooling = pooling

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None, *, speakers: Any = None) -> "ModuleFeatureExtractor":
        """Fit the estimator, if it is not frozen.

        Parameters
        ----------
        X : audio, frames or functionals
            The utterances, as the estimator takes them.
        y : array-like of shape (n_utterances,), default=None
            Their labels; a frozen estimator needs none.
        speakers : array-like of shape (n_utterances,), default=None
            Their speakers, by which validation utterances are held out.

        Returns
        -------
        self : object
        """
        self._fit(X, y, speakers)
        return self

    @_fit_context(prefer_skip_nested_validation=False)
    def fit_transform(self, X: Any, y: Any = None, *, speakers: Any = None) -> np.ndarray:
        """Fit the estimator, if it is not frozen, and return the vectors.

        Parameters
        ----------
        X : audio, frames or functionals
            The utterances, as the estimator takes them.
        y : array-like of shape (n_utterances,), default=None
            Their labels; a frozen estimator needs none.
        speakers : array-like of shape (n_utterances,), default=None
            Their speakers, by which validation utterances are held out.

        Returns
        -------
        Xt : ndarray of shape (n_utterances, n_values)
        """
        return self._fit(X, y, speakers)

    def transform(self, X: Any) -> np.ndarray:
        """Return the vector of every utterance.

        Parameters
        ----------
        X : audio, frames or functionals
            The utterances.

        Returns
        -------
        Xt : ndarray of shape (n_utterances, n_values)
            A data frame after ``set_output(transform="pandas")``.
        """
        check_is_fitted(self, "estimator_")
        check_columns(self, X, reset=False)
        network, frames = network_and_input(self.estimator_, X, caller=type(self).__name__)
        return stage_vectors(network, frames, self.stage_, self.pooling)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Name the values by the stage and their number, as in "recurrence0".

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Checked as scikit-learn does, then ignored.

        Returns
        -------
        names : ndarray of shape (n_values,), dtype=object
        """
        check_is_fitted(self, "estimator_")
        if hasattr(self, "n_features_in_"):
            _check_feature_names_in(self, input_features)
        return np.array([f"{self.stage_}{i}" for i in range(self._n_features_out)], dtype=object)

    def _fit(self, X: Any, y: Any, speakers: Any) -> np.ndarray:
        check_frozen(self.estimator, owner=type(self).__name__)
        if isinstance(self.estimator, FrozenEstimator):
            estimator = self.estimator.estimator
        else:
            estimator = self._fit_clone(X, y, speakers)
        check_columns(self, X, reset=True)
        network, frames = network_and_input(estimator, X, caller=type(self).__name__)
        self.estimator_ = estimator
        self.stage_ = network.stages_[-2] if self.stage is None else self.stage
        vectors = stage_vectors(network, frames, self.stage_, self.pooling)
        self._n_features_out = vectors.shape[1]
        return vectors

    def _fit_clone(self, X: Any, y: Any, speakers: Any) -> Any:
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None: the "
                f"{type(self.estimator).__name__} is fitted here, as it is not in FrozenEstimator"
            )
        speakers = None if speakers is None else check_speakers(speakers, X)
        estimator = clone(self.estimator)
        with config_context(enable_metadata_routing=True):
            return estimator.fit(X, y, **requested_speakers(estimator, "fit", speakers))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.input_tags = inner.input_tags
        tags.target_tags.required = not isinstance(self.estimator, FrozenEstimator)
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
