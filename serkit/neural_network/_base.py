"""The base of all neural estimators: owner of a skorch net."""

import copy
import dataclasses
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator, is_classifier
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import _check_sample_weight
from torch import nn

from serkit.modules import is_length_aware
from serkit.neural_network._batches import UtteranceTags, check_functionals, fit_lengths
from serkit.neural_network._documentation import complete_docstring
from serkit.neural_network._fitted_network import FittedNetwork
from serkit.neural_network._validation_rows import split_validation_rows
from serkit.training import (
    OPTIMIZERS,
    BestEpoch,
    EpochSummary,
    ProgressBar,
    UtteranceData,
    UtteranceNet,
    choose_device,
    torch_session,
)
from serkit.utils import PresetMixin, check_frames, check_speakers, row_digests

__all__ = ["NeuralEstimator"]


@complete_docstring
class NeuralEstimator(PresetMixin, FittedNetwork, BaseEstimator, ABC):
    """Base of the estimators that train a network: data in, a skorch net inside.

    A subclass adds its own parameters and :meth:`_make_module`. The network it
    makes has ``stages``, its parts by name from input to output, of which the
    last is the head; ``forward(x, lengths)`` if it takes utterances of unequal
    lengths in one batch, ``forward(x)`` otherwise; and ``min_shape``, the least
    (n_bins, n_frames), to which smaller utterances are padded.

    Parameters
    ----------
    %(training)s
    """

    history_: pd.DataFrame

    #: What changes the time that training takes, but not its result.
    _without_effect = frozenset({"num_threads"})
    #: Whether the network takes utterances of one length only, for the tag ``fixed_length``.
    _is_fixed_length = False
    #: Speakers choose the validation utterances, so every network asks for them.
    __metadata_request__fit: ClassVar = {"speakers": True}

    _parameter_constraints: ClassVar[dict] = {
        "optimizer": [StrOptions(set(OPTIMIZERS)), callable],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "patience": [Interval(Integral, 1, None, closed="left"), None],
        "validation": [
            StrOptions({"auto"}),
            Interval(Real, 0, 1, closed="neither"),
            HasMethods(["split"]),
            None,
        ],
        "augment": [callable, None],
        "callbacks": [list, tuple, None],
        "device": [str, torch.device],
        "mixed_precision": ["boolean", StrOptions({"auto"})],
        "num_threads": [Interval(Integral, 1, None, closed="left"), None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
    }

    def __init__(
        self,
        *,
        optimizer="adam",
        lr=1e-3,
        weight_decay=0.0,
        batch_size=32,
        max_epochs=100,
        patience=None,
        validation="auto",
        augment=None,
        callbacks=None,
        device="auto",
        mixed_precision="auto",
        num_threads=1,
        random_state=None,
        verbose=0,
        warm_start=False,
    ):
        self.optimizer = optimizer
        self.lr = lr
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.patience = patience
        self.validation = validation
        self.augment = augment
        self.callbacks = callbacks
        self.device = device
        self.mixed_precision = mixed_precision
        self.num_threads = num_threads
        self.random_state = random_state
        self.verbose = verbose
        self.warm_start = warm_start

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        complete_docstring(cls)

    # What a network adds.

    @abstractmethod
    def _make_module(self, n_channels: int, n_bins: int, n_outputs: int) -> nn.Module:
        """Return the network, untrained; ``n_frames_`` is known if its length is fixed."""

    @abstractmethod
    def _make_objective(self) -> nn.Module:
        """Return what is minimised, see :mod:`serkit.training`."""

    @property
    def _input_kind(self) -> str:
        """What the network takes: "frames" or "functionals"."""
        return "frames"

    def _make_targets(self, y: np.ndarray, speakers: np.ndarray | None) -> dict[str, np.ndarray]:
        """Return what the objective knows of the utterances trained on."""
        return {"y": y}

    # Training.

    def _fit(
        self,
        X: Any,
        y: Any,
        *,
        speakers: Any,
        sample_weight: Any,
        train: Callable[..., UtteranceNet] | None = None,
    ) -> "NeuralEstimator":
        """Fit the network; `train` takes the place of :meth:`_train` where it is given."""
        name = type(self).__name__
        going_on = self.warm_start and hasattr(self, "net_")
        before = self.history_ if going_on else None
        if not going_on:  # A fit that fails must not leave an old network beside new classes.
            for attribute in ("net_", "frozen_stages_", "_sources"):
                self.__dict__.pop(attribute, None)
        if y is None:
            raise ValueError(f"{name} requires y to be passed, but the target y is None")
        utterances = self._check_input(X, y, reset=not going_on)
        y = self._check_target(y, reset=not going_on)
        check_consistent_length(utterances, y)
        if speakers is not None:
            speakers = check_speakers(speakers, utterances)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(
                sample_weight, utterances, dtype=np.float32, ensure_non_negative=True
            )
        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        rows, valid = split_validation_rows(
            self.validation, y, speakers, stratify=is_classifier(self), seed=seed
        )
        if valid is None and self.patience is not None:
            warnings.warn(
                f"patience={self.patience} has no effect without validation utterances: pass "
                "speakers to fit, or set validation",
                UserWarning,
                stacklevel=4,
            )
        if len(rows) < 2:
            raise ValueError(f"{name} needs two utterances or more to train on, got 1 sample")
        self._remember(utterances, speakers, also=going_on)
        y = self._scale_target(y, rows, reset=not going_on)
        device = choose_device(self.device)
        with torch_session(seed=seed, num_threads=self.num_threads, device=device):
            targets = self._make_targets(y[rows], None if speakers is None else speakers[rows])
            module = self._continue_module() if going_on else self._build_module(utterances, rows)
            weight = self._weigh(y, rows, sample_weight)

            def make_data(rows: np.ndarray, targets: dict[str, np.ndarray]) -> UtteranceData:
                if weight is not None:
                    targets = {**targets, "weight": weight[rows]}
                return UtteranceData(self._fit_lengths(utterances, rows, module), **targets)

            data = make_data(rows, targets)
            valid_data = None if valid is None else make_data(valid, {"y": y[valid]})
            net = (train or NeuralEstimator._train)(self, module, data, valid_data, seed=seed)
        self.net_ = net
        self._n_features_out = self._apply(utterances[:1], stage=self.stages_[-2])[0].size
        self._keep_history(before)
        return self

    def _train(
        self, module: nn.Module, data: UtteranceData, valid: UtteranceData | None, *, seed: int
    ) -> UtteranceNet:
        """Train a network that is made, on data that is ready."""
        return self._make_net(module, seed=seed).fit((data, valid))

    def _remember(self, utterances: Any, speakers: np.ndarray | None, *, also: bool) -> None:
        """Keep in mind what this network will know, `also` beside what it knows already."""
        rows = row_digests(utterances)
        known = set() if speakers is None else set(speakers) - {None}
        if also:
            rows = np.concatenate([rows, getattr(self, "_fit_rows", rows[:0])])
            known |= set(getattr(self, "_fit_speakers", ()))
        self._fit_rows, self._fit_speakers = np.unique(rows), sorted(known, key=str)

    def _scale_target(self, y: np.ndarray, train: np.ndarray, *, reset: bool) -> np.ndarray:
        """Return the targets as the objective wants them, by what the training rows say."""
        return y

    def _weigh(
        self, y: np.ndarray, train: np.ndarray, sample_weight: np.ndarray | None
    ) -> np.ndarray | None:
        """Return the weight of every row in the loss, if they have any."""
        return sample_weight

    def _continue_module(self) -> nn.Module:
        """Return the network to go on from: a copy, for this fit may fail."""
        return copy.deepcopy(self.net_.module_)

    def _build_module(self, utterances: Any, train: np.ndarray) -> nn.Module:
        self.n_frames_ = max(utterances[row].shape[-1] for row in train)
        module = self._make_network()
        if self._input_kind == "functionals" or is_length_aware(module):
            self.n_frames_ = None
        else:  # A module that somebody else made may take another length.
            self.n_frames_ = getattr(module, "n_frames", None) or self.n_frames_
        return module

    def _make_callbacks(self) -> list[Any]:
        """Return the callbacks that belong to the network, beside the user's."""
        return []

    def _make_network(self) -> nn.Module:
        """Return the network, untrained, for the inputs and targets that are known."""
        module = self._make_module(self.n_channels_in_, self.n_bins_in_, self._n_outputs)
        if len(getattr(module, "stages", ())) < 2:
            raise TypeError(
                f"{type(self).__name__}._make_module must return a network whose `stages` name its "
                "parts, the head last, such as serkit.modules.UtteranceNetwork"
            )
        return module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def _make_net(self, module: nn.Module, *, seed: int) -> UtteranceNet:
        device = choose_device(self.device)
        best = BestEpoch(
            self._monitor, lower_is_better=self._monitor == "valid_loss", patience=self.patience
        )
        mixed = device.type == "cuda" if self.mixed_precision == "auto" else self.mixed_precision
        weight_decay = self._setting("weight_decay")
        optimizer = self._setting("optimizer")
        net = UtteranceNet(
            module,
            self._make_objective(),
            seed=seed,
            augment=self.augment,
            mixed_precision=mixed,
            frozen=getattr(self, "frozen_stages_", ()),
            optimizer=OPTIMIZERS.get(optimizer, optimizer),
            lr=self._setting("lr"),
            batch_size=self._setting("batch_size"),
            max_epochs=self._setting("max_epochs"),
            device=str(device),
            verbose=0,
            callbacks=[
                ("summary", EpochSummary(uar=self._monitor == "valid_uar")),
                ("best", best),
                *self._make_callbacks(),
                *copy.deepcopy(list(self.callbacks or [])),
                ("progress", ProgressBar(int(self.verbose), type(self).__name__)),
            ],
            **({"optimizer__weight_decay": weight_decay} if weight_decay else {}),
        )
        return net.initialize()

    def _keep_history(self, before: pd.DataFrame | None) -> None:
        history = pd.DataFrame(list(self.net_.history))
        n_before = 0 if before is None else len(before)
        # Without validation utterances, or if their loss is NaN throughout, the last epoch stays.
        kept = np.flatnonzero(history.get("best", []))
        self.best_epoch_ = n_before + int(kept[-1] if len(kept) else len(history) - 1)
        history["epoch"] = np.arange(n_before, n_before + len(history))
        history = history.drop(columns=history.filter(regex="batches$|_batch_count$"))
        self.history_ = pd.concat([before, history], ignore_index=True)

    # What goes in.

    def _check_input(self, X: Any, y: Any = None, *, reset: bool) -> Any:
        if self._input_kind == "functionals":
            return check_functionals(self, X, reset=reset)
        utterances, _ = check_frames(self, X, reset=reset)
        if reset and hasattr(self, "n_features_in_"):
            warnings.warn(
                f"{type(self).__name__} takes frames: the {self.n_features_in_} columns of X are "
                "read as frames of one bin. For functionals use MLPClassifier, or "
                'DomainAdversarialClassifier(encoder="mlp")',
                UserWarning,
                stacklevel=5,
            )
        return utterances

    def _fit_lengths(self, utterances: Any, rows: np.ndarray, module: nn.Module) -> Any:
        """Return some utterances in the shape that the network takes."""
        if self._input_kind == "functionals":
            return utterances[rows]
        return fit_lengths(
            utterances,
            rows,
            n_frames=self.n_frames_,
            min_shape=getattr(module, "min_shape", (1, 1)),
            name=type(self).__name__,
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags = UtteranceTags(
            **dataclasses.asdict(tags.input_tags), fixed_length=self._is_fixed_length
        )
        tags.input_tags.three_d_array = self._input_kind == "frames"
        tags.target_tags.required = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
