"""The base of all neural estimators: owner of a skorch net."""

import copy
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data
from torch import Tensor, nn

from serkit.modules import is_length_aware
from serkit.neural_network._documentation import complete_docstring
from serkit.neural_network._validation_rows import split_validation_rows
from serkit.training import (
    BestEpoch,
    EpochSummary,
    ProgressBar,
    UtteranceData,
    UtteranceNet,
    choose_device,
    torch_session,
)
from serkit.utils import as_ragged, check_frames, check_speakers, is_ragged, name_rows

__all__ = ["NeuralEstimator"]

OPTIMIZERS = {
    "adam": partial(torch.optim.Adam, fused=True),
    "adamw": partial(torch.optim.AdamW, fused=True),
    "sgd": partial(torch.optim.SGD, momentum=0.9, fused=True),
    "rmsprop": torch.optim.RMSprop,
}


class NeuralEstimator(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator, ABC):
    """Base of the estimators that train a network: data in, a skorch net inside.

    A subclass adds its own parameters and :meth:`_make_module`. The network it
    makes has ``stages``, its parts by name from input to output, of which the
    last is the head; ``forward(x, lengths)`` if it takes utterances of unequal
    lengths in one batch, ``forward(x)`` otherwise; and ``min_shape``, the least
    (n_bins, n_frames), to which smaller utterances are padded.
    """

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
        complete_docstring(cls, classifier=hasattr(cls, "predict_proba"))

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

    def _fit(self, X: Any, y: Any, *, speakers: Any, sample_weight: Any) -> "NeuralEstimator":
        going_on = self.warm_start and hasattr(self, "net_")
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
        train, valid = split_validation_rows(
            self.validation, y, speakers, stratify=hasattr(self, "classes_"), seed=seed
        )
        with torch_session(seed=seed, num_threads=self.num_threads):
            train_speakers = None if speakers is None else speakers[train]
            targets = self._make_targets(y[train], train_speakers)
            weight = self._weigh(y, train, sample_weight)
            if weight is not None:
                targets["weight"] = weight[train]
            module = self.net_.module_ if going_on else self._build_module(utterances, y)
            data = UtteranceData(self._fit_lengths(utterances, train, module), **targets)
            valid_data = None
            if valid is not None:
                about = {"y": y[valid]} | ({} if weight is None else {"weight": weight[valid]})
                valid_data = UtteranceData(self._fit_lengths(utterances, valid, module), **about)
            net = self._make_net(module, seed=seed, scored=valid is not None)
            before = self.history_ if going_on else None
            net.fit((data, valid_data))
        self.net_ = net
        self._n_features_out = self._apply(utterances[:1], stage=self.stages_[-2])[0].size
        self._keep_history(before)
        return self

    def _weigh(
        self, y: np.ndarray, train: np.ndarray, sample_weight: np.ndarray | None
    ) -> np.ndarray | None:
        return sample_weight

    def _build_module(self, utterances: Any, y: np.ndarray) -> nn.Module:
        self.n_frames_ = max(utterance.shape[-1] for utterance in utterances)
        module = self._make_module(self.n_channels_in_, self.n_bins_in_, self._n_outputs)
        if self._input_kind == "functionals" or is_length_aware(module):
            self.n_frames_ = None
        return module.to(memory_format=torch.channels_last)

    def _make_net(self, module: nn.Module, *, seed: int, scored: bool) -> UtteranceNet:
        device = choose_device(self.device)
        optimizer = (
            OPTIMIZERS.get(self.optimizer, self.optimizer)
            if isinstance(self.optimizer, str)
            else self.optimizer
        )
        best = BestEpoch(
            self._monitor, lower_is_better=self._monitor == "valid_loss", patience=self.patience
        )
        mixed = device.type == "cuda" if self.mixed_precision == "auto" else self.mixed_precision
        net = UtteranceNet(
            module,
            self._make_objective(),
            seed=seed,
            augment=self.augment,
            mixed_precision=mixed,
            frozen=getattr(self, "frozen_stages_", ()),
            optimizer=optimizer,
            lr=self.lr,
            batch_size=self.batch_size,
            max_epochs=self.max_epochs,
            device=str(device),
            verbose=0,
            callbacks=[
                ("summary", EpochSummary(uar=self._monitor == "valid_uar")),
                ("best", best),
                *copy.deepcopy(list(self.callbacks or [])),
                ("progress", ProgressBar(int(self.verbose), type(self).__name__)),
            ],
            **({"optimizer__weight_decay": self.weight_decay} if self.weight_decay else {}),
        )
        return net.initialize()

    def _keep_history(self, before: pd.DataFrame | None) -> None:
        rows = [
            {name: value for name, value in row.items() if name != "batches"}
            for row in self.net_.history
        ]
        history = pd.DataFrame(rows)
        n_before = 0 if before is None else len(before)
        kept = history.get("best")
        last_best = len(history) - 1 if kept is None else int(np.flatnonzero(kept)[-1])
        self.best_epoch_ = n_before + last_best
        history = history.drop(columns=[name for name in history if name.endswith("_batch_count")])
        history["epoch"] = np.arange(n_before, n_before + len(history))
        self.history_ = pd.concat([before, history], ignore_index=True)

    # What goes in.

    def _check_input(self, X: Any, y: Any = None, *, reset: bool) -> Any:
        if self._input_kind == "functionals":
            X = validate_data(self, X, reset=reset, dtype=np.float32)
            if reset:
                self.n_channels_in_, self.n_bins_in_ = 1, X.shape[1]
            return X
        utterances, _ = check_frames(self, X, reset=reset)
        if reset and hasattr(self, "n_features_in_"):
            warnings.warn(
                f"{type(self).__name__} takes frames: the {self.n_features_in_} columns of X are "
                "read as frames of one bin. For functionals use MLPClassifier, or "
                'DomainAdversarialClassifier(encoder="mlp")',
                UserWarning,
                stacklevel=4,
            )
        return utterances

    def _fit_lengths(self, utterances: Any, rows: np.ndarray, module: nn.Module) -> Any:
        """Return some utterances in the shape that the network takes."""
        if self._input_kind == "functionals":
            return utterances[rows]
        least_bins, least_frames = getattr(module, "min_shape", (1, 1))
        n_frames, cut, fitted = self.n_frames_, [], []
        for row in rows:
            utterance = utterances[row]
            target = max(least_frames, utterance.shape[-1] if n_frames is None else n_frames)
            if n_frames is not None and utterance.shape[-1] > target:
                cut.append(int(row))
                utterance = utterance[..., :target]
            missing = (max(0, least_bins - utterance.shape[1]), target - utterance.shape[-1])
            if any(missing):
                utterance = np.pad(utterance, ((0, 0), (0, missing[0]), (0, missing[1])))
            fitted.append(utterance)
        if cut:
            warnings.warn(
                f"{name_rows(cut)} longer than {n_frames} frames, the longest that "
                f"{type(self).__name__} was fitted on, {'was' if len(cut) == 1 else 'were'} cut",
                UserWarning,
                stacklevel=5,
            )
        return fitted

    # What comes out.

    def _infer(self, X: Any, *, stage: str | None = None) -> Any:
        """Return the outputs of the network, or of one of its stages."""
        check_is_fitted(self, "net_")
        outputs = self._apply(self._check_input(X, reset=False), stage=stage)
        has_time = outputs[0].ndim > 1
        return as_ragged(outputs) if has_time and is_ragged(X) else np.stack(outputs)

    def _apply(self, utterances: Any, *, stage: str | None) -> list[np.ndarray]:
        module = self.net_.module_
        rows = np.arange(len(utterances))
        with torch_session(num_threads=self.num_threads):
            data = UtteranceData(self._fit_lengths(utterances, rows, module))
            function = None if stage is None else partial(_tap, module, module.stages[stage])
            batches = self.net_.infer_batches(data, function=function)
        outputs: list[Any] = [None] * len(utterances)
        for batch_rows, output in batches:
            for row, value in zip(batch_rows, _separate(output), strict=True):
                outputs[row] = value
        return outputs

    def activations(self, X: Any, stage: str) -> np.ndarray:
        """Return what a stage of the fitted network makes of every utterance.

        Parameters
        ----------
        X : frames or functionals
            The utterances.
        stage : str
            Name in `stages`.

        Returns
        -------
        values : ndarray
            One vector per utterance; behind a stage that still has a time axis
            one array per utterance (1-D, dtype object), of the frames that are
            its own.

        Raises
        ------
        ValueError
            If the network has no such stage.
        """
        check_is_fitted(self, "net_")
        self._check_stages([stage])
        return self._infer(X, stage=stage)

    def transform(self, X: Any) -> np.ndarray:
        """Return the embedding of every utterance, which the head of the network reads.

        Parameters
        ----------
        X : frames or functionals
            The utterances.

        Returns
        -------
        embedding : ndarray of shape (n_utterances, n_values)
        """
        check_is_fitted(self, "net_")
        return self._infer(X, stage=self.stages_[-2])

    @property
    def stages_(self) -> list[str]:
        """Names of the parts of the fitted network, from input to output."""
        check_is_fitted(self, "net_")
        return list(self.net_.module_.stages)

    def freeze(self, stages: str | Iterable[str]) -> "NeuralEstimator":
        """Keep stages of the fitted network as they are in later calls of ``fit``.

        It takes effect with ``warm_start=True``: neither the weights of the
        stages change nor their batch statistics.

        Parameters
        ----------
        stages : str or iterable of str
            Names in ``stages_``; none thaws all.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If the network has no such stage.
        """
        stages = (stages,) if isinstance(stages, str) else tuple(stages)
        check_is_fitted(self, "net_")
        self._check_stages(stages)
        self.net_.module_.requires_grad_(True)
        self.frozen_stages_ = stages
        return self

    def _check_stages(self, stages: Iterable[str]) -> None:
        for stage in stages:
            if stage not in self.stages_:
                raise ValueError(f"there is no stage {stage!r}; the stages are {self.stages_}")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = self._input_kind == "frames"
        tags.target_tags.required = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _tap(network: nn.Module, stage: nn.Module, **inputs: Tensor) -> Any:
    """Run a network and return what one of its stages made."""
    caught: list[Any] = []
    handle = stage.register_forward_hook(lambda _stage, _inputs, output: caught.append(output))
    try:
        network(**inputs)
    finally:
        handle.remove()
    return caught[0]


def _separate(output: Any) -> list[np.ndarray]:
    """Return one array per utterance; those that have a time axis as frames, without padding."""
    if not isinstance(output, tuple):
        return list(output.float().cpu().numpy())
    values, lengths = output
    if values.ndim == 3:
        values = values.transpose(1, 2)[:, None]
    values = values.float().cpu().numpy()
    if lengths is None:
        return list(values)
    return [value[..., :length] for value, length in zip(values, lengths.tolist(), strict=True)]
