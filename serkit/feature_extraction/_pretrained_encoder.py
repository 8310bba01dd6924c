"""Pretrained encoders of transformers, and how to run them so that batches change nothing."""

import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from serkit.utils import import_optional

__all__ = ["Encoder", "load_encoder", "load_settings"]


@dataclass(frozen=True)
class Settings:
    """What is known of an encoder without its weights.

    Parameters
    ----------
    config : PretrainedConfig
        The sizes of the network.
    extractor : FeatureExtractionMixin
        What makes the network's input of a waveform.
    """

    config: Any
    extractor: Any

    @property
    def family(self) -> str:
        """Name of the architecture: "wav2vec2", "hubert", "wavlm", "whisper"."""
        return self.config.model_type.replace("-", "_")

    @property
    def is_whisper(self) -> bool:
        """Whether it reads mel bands of pieces of one length, rather than waveforms."""
        return self.config.model_type == "whisper"

    @property
    def n_layers(self) -> int:
        """Number of transformer layers."""
        return self.config.encoder_layers if self.is_whisper else self.config.num_hidden_layers

    @property
    def hidden_size(self) -> int:
        """Values per frame."""
        return self.config.d_model if self.is_whisper else self.config.hidden_size

    @property
    def min_samples(self) -> int:
        """The shortest waveform of which there is a frame."""
        if self.is_whisper:
            return 1
        n_samples = 1
        for kernel, stride in reversed(self._convolutions):
            n_samples = (n_samples - 1) * stride + kernel
        return n_samples

    def n_frames(self, n_samples: int) -> int:
        """Return the number of frames that are a waveform's own."""
        if self.is_whisper:  # two convolutions, the second of stride 2
            return -(-n_samples // (2 * self.extractor.hop_length))
        for kernel, stride in self._convolutions:
            n_samples = (n_samples - kernel) // stride + 1
        return n_samples

    @property
    def pads(self) -> bool:
        """Whether waveforms of unequal lengths can share a batch.

        With ``feat_extract_norm="group"`` the first layer normalises over time,
        padding included, which no mask prevents.
        """
        return self.is_whisper or self.config.feat_extract_norm == "layer"

    @property
    def _convolutions(self) -> list[tuple[int, int]]:
        return list(zip(self.config.conv_kernel, self.config.conv_stride, strict=True))


def load_settings(folder: Path) -> Settings:
    """Read the settings of an encoder.

    Parameters
    ----------
    folder : Path
        Where transformers has saved it.

    Returns
    -------
    settings : Settings

    Raises
    ------
    ValueError
        If it is of another kind, or has an adapter behind its last layer.
    """
    transformers = _transformers()
    options = {"local_files_only": True, "trust_remote_code": False}
    config = transformers.AutoConfig.from_pretrained(folder, **options)
    if config.model_type != "whisper" and not (
        hasattr(config, "conv_kernel") and hasattr(config, "feat_extract_norm")
    ):
        raise ValueError(
            f"{os.fspath(folder)!r} holds a model of type {config.model_type!r}; "
            "PretrainedEmbedding knows wav2vec 2.0, HuBERT, WavLM and Whisper"
        )
    if getattr(config, "add_adapter", False):
        raise ValueError(
            f"{os.fspath(folder)!r} holds a model with an adapter, which makes other and fewer "
            "frames of those of the last layer. Save it without: "
            "AutoModel.from_pretrained(folder, add_adapter=False).save_pretrained(other_folder)"
        )
    extractor = transformers.AutoFeatureExtractor.from_pretrained(folder, **options)
    return Settings(config, extractor)


def load_encoder(folder: Path, device: str) -> "Encoder":
    """Load an encoder, once per process and device.

    Parameters
    ----------
    folder : Path
        Where transformers has saved it.
    device : str
        Where it runs.

    Returns
    -------
    encoder : Encoder
    """
    files = sorted(file for file in folder.iterdir() if file.suffix in (".json", ".safetensors"))
    version = tuple((file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files)
    return _load(folder, device, version)


@lru_cache(maxsize=2)
def _load(folder: Path, device: str, _version: tuple) -> "Encoder":
    settings = load_settings(folder)
    with _without_progress_bar():
        model = _transformers().AutoModel.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False, use_safetensors=True
        )
    model = model.get_encoder() if settings.is_whisper else model
    return Encoder(settings, model.float().eval().to(device), device)


@contextmanager
def _without_progress_bar() -> Iterator[None]:
    logging = import_optional(
        "transformers.utils.logging", extra="pretrained", caller="PretrainedEmbedding"
    )
    enabled = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if enabled:
            logging.enable_progress_bar()


def _transformers() -> Any:
    return import_optional("transformers", extra="pretrained", caller="PretrainedEmbedding")


@dataclass(frozen=True)
class Encoder:
    """A network with its weights.

    Parameters
    ----------
    settings : Settings
        What is known of it.
    network : Module
        The network, in evaluation mode.
    device : str
        Where it is.
    """

    settings: Settings
    network: torch.nn.Module
    device: str

    def batches(self, waveforms: Sequence[np.ndarray], batch_size: int) -> Iterator[list[int]]:
        """Return the rows of utterances that run together, of similar or of equal length."""
        lengths = [len(waveform) for waveform in waveforms]
        # The last bit of a value depends on the place in the batch, which must not depend on the
        # order that rows come in: where lengths are equal, the content decides.
        sums = [float(np.sum(waveform)) for waveform in waveforms]
        order = np.lexsort((sums, lengths)).tolist()
        groups: Iterable[list[int]] = [order]
        if not self.settings.pads:
            groups = (list(rows) for _, rows in groupby(order, key=lengths.__getitem__))
        for rows in groups:
            for first in range(0, len(rows), batch_size):
                yield rows[first : first + batch_size]

    def encode(self, waveforms: Sequence[np.ndarray], layers: Sequence[int]) -> list[np.ndarray]:
        """Return the frames of every waveform.

        Parameters
        ----------
        waveforms : sequence of ndarray of shape (n_samples,)
            One batch.
        layers : sequence of int
            Of which layers the mean is taken; 0 is what the first one reads.

        Returns
        -------
        frames : list of ndarray of shape (n_frames, hidden_size)
        """
        if not self.settings.is_whisper:
            return self._run(self._padded(waveforms), waveforms, layers)
        size = self.settings.extractor.n_samples
        pieces = [
            waveform[start : start + size]
            for waveform in waveforms
            for start in range(0, len(waveform), size)
        ]
        frames: list[np.ndarray] = []
        for piece in pieces:  # Each is padded to half a minute: one is a batch by itself.
            frames += self._run(self._mel(piece), [piece], layers)
        parts = iter(frames)
        return [
            np.concatenate([next(parts) for _ in range(0, len(waveform), size)])
            for waveform in waveforms
        ]

    def _run(
        self, inputs: dict[str, Tensor], waveforms: Sequence[np.ndarray], layers: Sequence[int]
    ) -> list[np.ndarray]:
        with torch.inference_mode(), warnings.catch_warnings():
            # Of two kinds of masks, inside WavLM.
            warnings.filterwarnings("ignore", "Support for mismatched key_padding_mask")
            inputs = {name: tensor.to(self.device) for name, tensor in inputs.items()}
            output = self.network(**inputs, output_hidden_states=True)
            states = (*output.hidden_states[: self.settings.n_layers], output.last_hidden_state)
            frames = torch.stack([states[layer] for layer in layers]).mean(dim=0)
        lengths = [self.settings.n_frames(len(waveform)) for waveform in waveforms]
        return [
            values[:length].cpu().numpy() for values, length in zip(frames, lengths, strict=True)
        ]

    def _padded(self, waveforms: Sequence[np.ndarray]) -> dict[str, Tensor]:
        values = [self._extract(waveform).input_values[0] for waveform in waveforms]
        lengths = torch.tensor([len(value) for value in values])
        padded = torch.zeros(len(values), int(lengths.max()))
        for place, value in zip(padded, values, strict=True):
            place[: len(value)] = torch.from_numpy(np.asarray(value, dtype=np.float32))
        if bool((lengths == lengths[0]).all()):
            return {"input_values": padded}
        mask = torch.arange(padded.shape[1]) < lengths[:, None]
        return {"input_values": padded, "attention_mask": mask.long()}

    def _mel(self, waveform: np.ndarray) -> dict[str, Tensor]:
        values = self._extract(waveform).input_features
        return {"input_features": torch.from_numpy(np.asarray(values, dtype=np.float32))}

    def _extract(self, waveform: np.ndarray) -> Any:
        extractor = self.settings.extractor
        return extractor(waveform, sampling_rate=extractor.sampling_rate, return_tensors="np")
