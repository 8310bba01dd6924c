"""Waveforms to frames or functionals, and frames to frames."""

from serkit.feature_extraction._cache import CachedTransformer
from serkit.feature_extraction._deltas import Deltas
from serkit.feature_extraction._frame_scaler import FrameScaler
from serkit.feature_extraction._kaldi import KaldiFilterbankPitch
from serkit.feature_extraction._mel import LogMelSpectrogram
from serkit.feature_extraction._mfcc import MFCC
from serkit.feature_extraction._opensmile import OpenSmileDescriptors, OpenSmileFunctionals
from serkit.feature_extraction._pooling import TemporalPooling
from serkit.feature_extraction._pretrained import PretrainedEmbedding
from serkit.feature_extraction._spectral import Spectrogram
from serkit.feature_extraction._torch import TorchTransformer

__all__ = [
    "MFCC",
    "CachedTransformer",
    "Deltas",
    "FrameScaler",
    "KaldiFilterbankPitch",
    "LogMelSpectrogram",
    "OpenSmileDescriptors",
    "OpenSmileFunctionals",
    "PretrainedEmbedding",
    "Spectrogram",
    "TemporalPooling",
    "TorchTransformer",
]
