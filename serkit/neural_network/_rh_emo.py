"""RH-emo: embeddings of spectrograms for networks of quaternions."""

import copy
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from torch import nn

from serkit.modules import RHEmoLoss, RHEmoNetwork
from serkit.neural_network._base import NeuralEstimator
from serkit.neural_network._emotion_labels import (
    DIMENSIONS,
    emotion_codes,
    high_or_low,
    label_table,
)
from serkit.neural_network._magnitudes import (
    check_magnitudes,
    greatest_magnitude,
    scale_magnitudes,
)
from serkit.neural_network._rh_emo_fitted import FittedRHEmo
from serkit.neural_network._rh_emo_stages import (
    BY_STAGE,
    RHEmoObjective,
    check_architecture,
    check_heads,
    of_stage,
    plan_stages,
)
from serkit.neural_network._validation_rows import split_validation_rows
from serkit.training import UtteranceData, UtteranceNet, choose_device, torch_session
from serkit.utils import check_speakers

__all__ = ["RHEmoTransformer"]


class RHEmoTransformer(FittedRHEmo, NeuralEstimator, auto_wrap_output_keys=None):
    """Turn spectrograms into maps of four channels for networks of quaternions.

    The maps are the middle of an autoencoder whose decoder is made of quaternions;
    each has half the bins and an eighth of the frames. It is trained in two stages:
    on all utterances to make them again, which needs no labels, and then on those
    that have labels to tell by one map each what the emotion is, and whether
    valence, arousal and dominance are high. Without labels it ends after the first.

    Magnitudes are divided by the greatest of the training utterances and clipped to
    at most 1. Spectrograms are cut, or padded by zeros, to `n_frames`.

    Parameters
    ----------
    n_bins : int, default=128
        Bins that the network reads, a multiple of 2. Of frames that have one more,
        the last (the Nyquist frequency) is dropped; of those that have fewer, the
        others are zeros.
    n_frames : int, default=512
        Frames that the network reads, a multiple of 8.
    vad : bool, default=True
        Train on valence, arousal and dominance, where they are known.
    discrete : bool, default=True
        Train on the emotion, where it is known.
    decoder : {"quaternion", "real"} or None, default="quaternion"
        Which layers the decoder is made of. Without one there is no first stage.
    hidden_size : int, default=4096
        Units of the two hidden layers of each of the four heads.
    dropout : float, default=0.5
        Probability that a unit of the heads is dropped in training.
    bn_blocks : tuple of int, default=(1, 2)
        Behind which of the first two blocks of encoder and decoder there is batch
        normalisation; ``(1,)`` is that of the thesis's text.
    alpha : float, default=100.0
        Weight of valence, arousal and dominance beside the emotion.
    beta : float, default=0.01
        Weight of all four beside the reconstruction, in the second stage.
    vad_threshold : float, default=2.5
        Ratings above it are high, the others low; for ratings from 1 to 5.
    keep_heads : bool, default=False
        Keep the heads after ``fit``, for ``label_probabilities``. They have nearly
        all of the 134 million weights, and ``transform`` does not need them.
    optimizer : {"adam", "adamw", "nadam", "sgd", "rmsprop"} or callable, default="adam"
        What takes the steps, as of :class:`NeuralClassifier`.
    lr : float or (float, float), default=(1e-3, 1e-6)
        Learning rate, of both stages or of each.
    weight_decay : float or (float, float), default=(0.0, 1e-5)
        Of the optimizer, in both stages or in each.
    batch_size : int, default=20
        Most utterances per step.
    max_epochs : int or (int, int), default=(500, 500)
        Most passes over the utterances, of both stages or of each.
    patience : int, None or pair of these, default=(100, 30)
        Number of epochs without a lower loss on the validation utterances after
        which a stage ends; ``None`` goes on to `max_epochs`. Either way the best
        epoch is kept.
    validation : "auto", float, splitter or None, default="auto"
        The utterances that choose the best epoch, which are not trained on, the
        same in both stages: a share of the speakers, as of
        :class:`NeuralClassifier`.
    callbacks : list or None, default=None
        Callbacks of skorch, for both stages.
    device : str or torch.device, default="auto"
        "auto" is a GPU if torch can use one, otherwise the CPU.
    mixed_precision : bool or "auto", default="auto"
        Compute in bfloat16 where torch deems it safe; "auto" does so on a GPU.
    num_threads : int or None, default=1
        Threads of torch; ``None`` leaves their number alone.
    random_state : int, RandomState instance or None, default=None
        Seed of weights, order, dropout and validation speakers.
    verbose : int, default=0
        1 shows a progress bar per stage, 2 a line per epoch.
    warm_start : bool, default=False
        Go on from the encoder, the decoder and the scale of the previous ``fit``;
        heads begin anew. `n_bins`, `n_frames`, `decoder` and `bn_blocks` must be the
        same.

    Attributes
    ----------
    scale_ : float
        The greatest magnitude of the training utterances.
    classes_ : ndarray of shape (n_classes,)
        The emotions; empty if none is known.
    heads_ : tuple of str
        The heads that are there after ``fit``, of what is known of some utterance.
    history_ : DataFrame
        One row per epoch with its "stage", the losses and the learning rate.
    best_epoch_ : int
        The row of `history_` whose weights were kept.
    net_ : UtteranceNet
        The skorch net; ``net_.module_`` is the :class:`~serkit.modules.RHEmoNetwork`.
    n_features_in_ : int
        Number of columns of a numeric 2-D input.
    n_channels_in_ : int
        Number of channels of the frames, 1.
    n_bins_in_ : int
        Number of bins of the frames.
    n_frames_ : int
        Number of frames that the fitted network reads.

    See Also
    --------
    QuaternionCNNClassifier : Reads the maps.
    serkit.papers.make_front_end : Makes the spectrograms of the thesis.
    serkit.persistence.save : Writes a fitted one to a file.
    serkit.modules.RHEmoLoss : What is minimised.

    Notes
    -----
    It is a fixed transform: what comes behind it in a pipeline is trained on its
    maps and does not change it. The thesis's text also trains it along with the
    classifier, which is not offered.

    In a pipeline it is fitted anew in every fold of a cross-validation. One that
    was fitted before on other speech stays as it is inside
    ``sklearn.frozen.FrozenEstimator``. It must not have seen the utterances that a
    system is tested on, nor their speakers: it learns from labels, so that scores
    would be too good. In the thesis it has, on the corpus that it was trained on.

    References
    ----------
    Guizzo (2023), "Enhancing the Generalization of Convolutional Neural Networks
    for Speech Emotion Recognition", chapter 6.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.neural_network import RHEmoTransformer
    >>> X = np.random.default_rng(0).random((8, 1, 17, 20))
    >>> small = {"hidden_size": 8, "max_epochs": 1, "patience": None, "random_state": 0}
    >>> rh_emo = RHEmoTransformer(n_bins=16, n_frames=32, **small).fit(X, ["calm", "anger"] * 4)
    >>> maps = rh_emo.transform(X)
    >>> maps.shape, rh_emo.inverse_transform(maps).shape
    ((8, 4, 8, 4), (8, 1, 16, 32))
    >>> rh_emo.history_["stage"].tolist()
    [1, 2]
    """

    _is_fixed_length = True
    _monitor = "valid_loss"
    #: The target would change with the input.
    augment = None

    _parameter_constraints: ClassVar[dict] = {
        **NeuralEstimator._parameter_constraints,
        **{name: [*NeuralEstimator._parameter_constraints[name], tuple, list] for name in BY_STAGE},
        "n_bins": [Interval(Integral, 2, None, closed="left")],
        "n_frames": [Interval(Integral, 8, None, closed="left")],
        "vad": ["boolean"],
        "discrete": ["boolean"],
        "decoder": [StrOptions({"quaternion", "real"}), None],
        "hidden_size": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "bn_blocks": ["array-like"],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "beta": [Interval(Real, 0, None, closed="left")],
        "vad_threshold": [Real],
        "keep_heads": ["boolean"],
    }

    def __init__(
        self,
        *,
        n_bins=128,
        n_frames=512,
        vad=True,
        discrete=True,
        decoder="quaternion",
        hidden_size=4096,
        dropout=0.5,
        bn_blocks=(1, 2),
        alpha=100.0,
        beta=0.01,
        vad_threshold=2.5,
        keep_heads=False,
        optimizer="adam",
        lr=(1e-3, 1e-6),
        weight_decay=(0.0, 1e-5),
        batch_size=20,
        max_epochs=(500, 500),
        patience=(100, 30),
        validation="auto",
        callbacks=None,
        device="auto",
        mixed_precision="auto",
        num_threads=1,
        random_state=None,
        verbose=0,
        warm_start=False,
    ):
        self.n_bins = n_bins
        self.n_frames = n_frames
        self.vad = vad
        self.discrete = discrete
        self.decoder = decoder
        self.hidden_size = hidden_size
        self.dropout = dropout
        self.bn_blocks = bn_blocks
        self.alpha = alpha
        self.beta = beta
        self.vad_threshold = vad_threshold
        self.keep_heads = keep_heads
        self.optimizer = optimizer
        self.lr = lr
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.patience = patience
        self.validation = validation
        self.callbacks = callbacks
        self.device = device
        self.mixed_precision = mixed_precision
        self.num_threads = num_threads
        self.random_state = random_state
        self.verbose = verbose
        self.warm_start = warm_start

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None, *, speakers: Any = None) -> "RHEmoTransformer":
        """Train the autoencoder, and then its embedding on what is known of the emotion.

        Parameters
        ----------
        X : frames
            Magnitudes of one channel, at least 0.
        y : array-like, DataFrame or structured array, default=None
            The emotions, of shape (n_utterances,); or columns among "emotion",
            "valence", "arousal" and "dominance", the last three of numbers. Where
            something is not known, it is ``None`` or NaN.
        speakers : array-like of shape (n_utterances,), default=None
            Their speakers, by which validation utterances are held out;
            ``None`` marks an utterance without one, which is only trained on.

        Returns
        -------
        self : object
        """
        going_on = self.warm_start and hasattr(self, "net_")
        if going_on:
            check_architecture(self)
        else:  # A fit that fails must not leave an old network behind.
            for attribute in ("net_", "frozen_stages_"):
                self.__dict__.pop(attribute, None)
        utterances = self._check_input(X, reset=not going_on)
        fitted = copy.copy(self)
        fitted._fit_stages(utterances, y, speakers, going_on=going_on)
        # All at once, so that a fit that fails leaves no new classes beside old heads.
        self.__dict__.update(vars(fitted))
        return self

    def _fit_stages(self, utterances: Any, y: Any, speakers: Any, *, going_on: bool) -> None:
        targets, labelled = self._read_labels(y, utterances)
        if speakers is not None:
            speakers = check_speakers(speakers, utterances)
        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        train, valid = split_validation_rows(
            self.validation, targets["y"], speakers, stratify=True, seed=seed
        )
        check_heads(self.heads_, targets, train)
        stages = plan_stages(self, train, valid, labelled)
        self._remember(utterances, speakers, also=going_on)
        self.n_frames_ = self.n_frames
        if not going_on:
            self.scale_ = greatest_magnitude(utterances, train, (self.n_bins, self.n_frames))
        history: Any = self.history_ if going_on else None
        numbers = [] if history is None else history["stage"].tolist()
        device = choose_device(self.device)
        with torch_session(seed=seed, num_threads=self.num_threads, device=device):
            network: Any = self._make_network()
            if going_on:
                self._copy_autoencoder(network)
            for number, (stage, *parts) in stages.items():
                net = stage._make_net(network, seed=seed)
                # No name for the data, so that they are gone before the next stage makes its own.
                stage.net_ = net.fit(
                    tuple(self._make_data(utterances, rows, targets, network) for rows in parts)
                )
                stage._keep_history(history)
                history = stage.history_
                numbers += [number] * (len(history) - len(numbers))
        if not self.keep_heads:
            network.heads.clear()
            self.heads_ = ()
        self.net_, self.best_epoch_ = stage.net_, stage.best_epoch_
        self.history_ = history.assign(stage=numbers)

    # What is known of the utterances.

    def _check_input(self, X: Any, y: Any = None, *, reset: bool) -> Any:
        utterances = super()._check_input(X, reset=reset)
        check_magnitudes(self, utterances, reset=reset)
        return utterances

    def _read_labels(self, y: Any, utterances: Any) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Return the targets, and which rows have any that a head is there for."""
        table = label_table(y, utterances)
        self.classes_, codes = emotion_codes(table["emotion"])
        rated = [name for name in DIMENSIONS if self.vad and table[name].notna().any()]
        vad = high_or_low(table[rated], self.vad_threshold)
        named = (codes >= 0) & self.discrete
        self.heads_ = (*(["emotion"] if named.any() else []), *rated)
        if self.decoder is None and not self.heads_:
            raise ValueError(
                f"{type(self).__name__} without a decoder learns from labels alone: pass y"
            )
        return {"y": codes, "vad": vad}, named | ~np.isnan(vad).all(axis=1)

    # The network.

    @property
    def _n_outputs(self) -> int:
        return len(self.classes_)

    def _make_module(self, n_channels: int, n_bins: int, n_outputs: int) -> nn.Module:
        return RHEmoNetwork(
            n_outputs,
            self.n_bins,
            self.n_frames,
            vad=[name for name in self.heads_ if name in DIMENSIONS],
            discrete="emotion" in self.heads_,
            decoder=self.decoder,
            hidden_size=self.hidden_size,
            dropout=self.dropout,
            bn_blocks=self.bn_blocks,
        )

    def _make_objective(self) -> nn.Module:
        return RHEmoObjective(RHEmoLoss(self.alpha, self.beta))

    def _make_net(self, module: nn.Module, *, seed: int) -> UtteranceNet:
        # Of a file both stages are known, and the last is that of the network in it.
        return super(RHEmoTransformer, of_stage(self, 2))._make_net(module, seed=seed)

    def _copy_autoencoder(self, network: Any) -> None:
        """Take over what the previous ``fit`` has learnt, but for the heads."""
        for name in ("encoder", "decoder"):
            part = getattr(network, name)
            if part is not None:
                part.load_state_dict(getattr(self.net_.module_, name).state_dict())

    def _make_data(
        self, utterances: Any, rows: np.ndarray, targets: dict[str, np.ndarray], network: Any
    ) -> UtteranceData | None:
        if not len(rows):
            return None
        known = {name: values[rows] for name, values in targets.items()}
        return UtteranceData(self._fit_lengths(utterances, rows, network), **known)

    def _fit_lengths(self, utterances: Any, rows: Any, module: Any) -> np.ndarray:
        return scale_magnitudes(utterances, rows, module.min_shape, self.scale_)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        tags.target_tags.required = False
        return tags
