"""A pretrained encoder that nobody has trained, small enough for checks."""

import atexit
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

import torch

from serkit.utils import import_optional

__all__ = ["TinyEncoder"]


class TinyEncoder(os.PathLike):
    """The folder of a wav2vec 2.0 of some thousand weights, written when its path is asked for."""

    def __fspath__(self) -> str:
        return _write()

    def __repr__(self) -> str:
        return "TinyEncoder()"


@cache
def _write() -> str:
    transformers = import_optional("transformers", extra="pretrained", caller="TinyEncoder")
    folder = tempfile.mkdtemp(prefix="serkit-tiny-encoder-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    config = transformers.Wav2Vec2Config(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=16,
        conv_dim=(16, 16),
        conv_kernel=(10, 3),
        conv_stride=(5, 2),
        num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=1,
        feat_extract_norm="layer",
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        transformers.Wav2Vec2Model(config).save_pretrained(folder)
    transformers.Wav2Vec2FeatureExtractor(return_attention_mask=True).save_pretrained(folder)
    return str(Path(folder))
