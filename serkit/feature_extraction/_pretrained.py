"""Embeddings of pretrained encoders of speech."""

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
import torch
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted
from tqdm.auto import tqdm

from serkit.feature_extraction._functionals import FunctionalsMixin, input_names
from serkit.feature_extraction._pretrained_encoder import (
    Encoder,
    Settings,
    load_encoder,
    load_settings,
)
from serkit.feature_extraction._pretrained_files import files_digest, find_encoder
from serkit.utils import (
    AudioTransformer,
    SignalWarning,
    content_digest,
    import_optional,
    name_rows,
)

__all__ = ["PretrainedEmbedding"]

#: From the frames of an utterance, (n_frames, hidden_size), to one vector.
_POOLINGS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "mean": lambda frames: frames.mean(axis=0),
    "max": lambda frames: frames.max(axis=0),
    "mean_std": lambda frames: np.concatenate([frames.mean(axis=0), frames.std(axis=0)]),
}


def _gives_functionals(transformer: "PretrainedEmbedding") -> bool:
    return transformer.pooling is not None


class PretrainedEmbedding(FunctionalsMixin, AudioTransformer):
    """What a pretrained encoder of speech makes of every utterance.

    The encoder is one of ``transformers``: wav2vec 2.0, HuBERT, WavLM, or that of
    Whisper. It stays as it is; only what stands behind it is trained.

    Values do not depend on what else is in a batch, but for rounding. Where an encoder normalises
    over time, padding included, as the base models of wav2vec 2.0, HuBERT and
    WavLM do, only utterances of equal length share a batch. Whisper always reads
    pieces of half a minute, filled up with zeros: of these only the frames of the
    utterance count, and longer utterances are taken apart.

    A model by name is fetched from the Hugging Face Hub once and kept in its
    cache. No code from there is run, and weights are read from safetensors only.
    They are loaded when they are needed, once per process, and are not part of
    the estimator: pickled or saved, it holds the name, and a digest of the files
    that it was fitted with. It refuses to compute with others. Needs the extra
    ``pretrained``.

    Parameters
    ----------
    model_name_or_path : str or path-like
        A folder that ``save_pretrained`` of a model and its feature extractor has
        filled, or a name on the Hub, such as "facebook/wav2vec2-base".
    layer : int, "last", "mean" or sequence of int, default="last"
        Which transformer layer, from 1; 0 is what the first one reads, and -1
        the last, with the normalisation behind it if there is one. The mean of
        all layers, from 1 on, or of those given.
    pooling : {"mean", "mean_std", "max"} or None, default="mean"
        How the frames of an utterance become one vector: by their mean, by mean
        and standard deviation, by the largest value. ``None`` gives the frames.
    batch_size : int or None, default=None
        Most utterances that run together. ``None`` runs one after the other on the
        CPU, where more at a time take as long, and 8 on other devices.
    device : str, default="auto"
        Device to run on; "auto" takes a GPU if there is one.
    sampling_rate : int, default=16000
        Sampling rate of the waveforms in Hz, which has to be that of the encoder.
    revision : str or None, default=None
        Branch, tag or commit on the Hub; a commit makes results repeatable.
    local_files_only : bool, default=False
        Take what was fetched before, and use no network.
    verbose : int or bool, default=0
        Show a progress bar when positive.

    Attributes
    ----------
    encoder_digest_ : str
        Digest of the files of the encoder, its settings and weights.
    n_features_out_ : int
        Number of functionals; only with `pooling`.
    feature_names_ : ndarray of shape (n_features,), dtype=object
        Their names; only with `pooling`.
    n_features_in_ : int
        Number of samples seen in ``fit``; only for numeric input.

    See Also
    --------
    CachedTransformer : Computes embeddings once per utterance; a changed file of
        weights is another encoder to it.
    TorchTransformer : Any other module as a step.

    References
    ----------
    .. [1] A. Baevski et al., "wav2vec 2.0: A framework for self-supervised learning
       of speech representations", NeurIPS 2020.
    .. [2] W.-N. Hsu et al., "HuBERT: Self-supervised speech representation learning
       by masked prediction of hidden units", IEEE/ACM TASLP 29, 2021.
    .. [3] S. Chen et al., "WavLM: Large-scale self-supervised pre-training for full
       stack speech processing", IEEE JSTSP 16(6), 2022.
    .. [4] A. Radford et al., "Robust speech recognition via large-scale weak
       supervision", ICML 2023.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.feature_extraction import PretrainedEmbedding
    >>> embedding = PretrainedEmbedding("facebook/wav2vec2-base-960h", layer=7)
    >>> tone = 0.5 * np.sin(2 * np.pi * 200 * np.arange(8000) / 16000)
    >>> embedding.fit_transform([tone]).shape  # doctest: +SKIP
    (1, 768)
    """

    _parameter_constraints: ClassVar[dict] = {
        "model_name_or_path": [str, os.PathLike],
        "layer": [Integral, StrOptions({"last", "mean"}), list, tuple],
        "pooling": [StrOptions(set(_POOLINGS)), None],
        "batch_size": [Interval(Integral, 1, None, closed="left"), None],
        "device": [str],
        "sampling_rate": [Interval(Integral, 1, None, closed="left")],
        "revision": [str, None],
        "local_files_only": ["boolean"],
        "verbose": ["verbose"],
    }
    #: Which revision it is, the files tell.
    _without_effect: ClassVar[frozenset[str]] = frozenset(
        {"batch_size", "revision", "local_files_only"}
    )

    def __init__(
        self,
        model_name_or_path,
        layer="last",
        pooling="mean",
        *,
        batch_size=None,
        device="auto",
        sampling_rate=16000,
        revision=None,
        local_files_only=False,
        verbose=0,
    ):
        self.model_name_or_path = model_name_or_path
        self.layer = layer
        self.pooling = pooling
        self.batch_size = batch_size
        self.device = device
        self.sampling_rate = sampling_rate
        self.revision = revision
        self.local_files_only = local_files_only
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> "PretrainedEmbedding":
        """Check the parameters and the input; the encoder is not trained.

        Parameters
        ----------
        X : audio
            The utterances.
        y : None
            Ignored.

        Returns
        -------
        self : object

        Raises
        ------
        OSError
            If the model cannot be found, or fetched.
        ValueError
            If it is of another kind, or has no such layer.
        """
        self._check_input(X, reset=True)
        settings = self._settings()
        self.encoder_digest_ = content_digest(files_digest(self._folder()))
        if self.pooling is not None:
            parts = ("_mean", "_std") if self.pooling == "mean_std" else ("",)
            names = [
                f"{settings.family}{i}{part}" for part in parts for i in range(settings.hidden_size)
            ]
            self.feature_names_ = np.array(names, dtype=object)
            self.n_features_out_ = len(names)
        return self

    @available_if(_gives_functionals)
    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Name the functionals by the kind of the encoder and their number.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Checked as scikit-learn does, then ignored.

        Returns
        -------
        names : ndarray of shape (n_features,), dtype=object
        """
        check_is_fitted(self, "feature_names_")
        input_names(self, input_features)
        return self.feature_names_

    def _settings(self) -> Settings:
        """Return what is known of the encoder, checked against the parameters."""
        settings = load_settings(self._folder())
        if settings.extractor.sampling_rate != self.sampling_rate:
            raise ValueError(
                f"the encoder takes speech at {settings.extractor.sampling_rate} Hz, but "
                f"sampling_rate={self.sampling_rate}: resample before, AudioLoader does"
            )
        self._layers(settings)
        return settings

    def _folder(self) -> Any:
        import_optional("transformers", extra="pretrained", caller="PretrainedEmbedding")
        return find_encoder(self.model_name_or_path, self.revision, self.local_files_only)

    def _layers(self, settings: Settings) -> list[int]:
        if self.layer == "mean":
            return list(range(1, settings.n_layers + 1))
        given = [-1] if self.layer == "last" else self.layer
        layers = list(given) if isinstance(given, list | tuple) else [given]
        states = range(settings.n_layers + 1)
        if not layers or not all(
            isinstance(n, Integral) and -len(states) <= int(n) < len(states) for n in layers
        ):
            raise ValueError(
                f"layer={self.layer!r}: the encoder has layers 0 to {settings.n_layers}, of which "
                "0 is what the first one reads"
            )
        return [states[layer] for layer in layers]

    def _changed(self) -> bool:
        """Say whether the files are others than those that it was fitted with."""
        digest = content_digest(files_digest(self._folder()))
        return getattr(self, "encoder_digest_", digest) != digest

    def _make_kernel(self) -> Callable[[Sequence[np.ndarray]], list[np.ndarray]]:  # type: ignore[override]
        settings = self._settings()
        if self._changed():
            raise ValueError(
                f"the encoder {os.fspath(self.model_name_or_path)!r} is not the one that this was "
                "fitted with: its weights or settings are others. Bring back the files, or name "
                "the folder or the revision that has them by set_params; or fit again"
            )
        device = self.device
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        encoder = load_encoder(self._folder(), device)
        return partial(_embed, encoder, self._layers(settings), self.pooling)

    def _map(self, kernel: Any, utterances: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
        encoder: Encoder = kernel.args[0]
        batch_size = self.batch_size or (1 if encoder.device == "cpu" else 8)
        lengths = [len(utterance) for utterance in utterances]
        _warn_of_short(lengths, encoder.settings.min_samples)
        embeddings: list[Any] = [None] * len(lengths)
        progress = tqdm(total=len(lengths), desc=type(self).__name__, disable=not self.verbose)
        with progress:
            for rows in encoder.batches(utterances, batch_size):
                for row, embedding in zip(
                    rows, kernel([utterances[row] for row in rows]), strict=True
                ):
                    embeddings[row] = embedding
                progress.update(len(rows))
        return iter(embeddings)

    def _cache_state(self) -> dict[str, Any]:
        transformers = import_optional(
            "transformers", extra="pretrained", caller="PretrainedEmbedding"
        )
        state = {
            "model_name_or_path": files_digest(self._folder()),
            "transformers": transformers.__version__,
        }
        if self._changed():  # What a cache has of these files is not of those it was fitted with.
            state["fitted"] = self.encoder_digest_
        return state

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _embed(
    encoder: Encoder, layers: list[int], pooling: str | None, waveforms: Sequence[np.ndarray]
) -> list[np.ndarray]:
    least = encoder.settings.min_samples
    waveforms = [
        np.pad(waveform, (0, max(0, least - len(waveform)))).astype(np.float32)
        for waveform in waveforms
    ]
    frames = encoder.encode(waveforms, layers)
    if pooling is None:
        return [np.ascontiguousarray(values.T)[None] for values in frames]
    return [_POOLINGS[pooling](values) for values in frames]


def _warn_of_short(lengths: list[int], least: int) -> None:
    short = [row for row, length in enumerate(lengths) if length < least]
    if short:
        warnings.warn(
            SignalWarning(
                f"{name_rows(short)} of fewer than {least} samples, the least that the encoder "
                "makes a frame of: padded with zeros"
            ),
            stacklevel=5,
        )
