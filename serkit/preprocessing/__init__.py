"""Waveform to waveform, segments, and speaker-wise scaling of functionals."""

from serkit.preprocessing._audio_loader import AudioLoader
from serkit.preprocessing._high_pass import HighPassFilter
from serkit.preprocessing._pad_or_truncate import PadOrTruncate
from serkit.preprocessing._pre_emphasis import PreEmphasis
from serkit.preprocessing._resampler import Resampler
from serkit.preprocessing._segmenter import FixedLengthSegmenter
from serkit.preprocessing._silence_trimmer import SilenceTrimmer
from serkit.preprocessing._speaker_standardizer import SpeakerStandardizer
from serkit.preprocessing._wiener import WienerFilter

__all__ = [
    "AudioLoader",
    "FixedLengthSegmenter",
    "HighPassFilter",
    "PadOrTruncate",
    "PreEmphasis",
    "Resampler",
    "SilenceTrimmer",
    "SpeakerStandardizer",
    "WienerFilter",
]
