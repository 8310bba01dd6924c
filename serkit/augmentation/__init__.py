"""Changes of what a model is trained on: noise, speed, pitch, gain, rooms, masks."""

from serkit.augmentation._audio_augmenter import AudioAugmenter
from serkit.augmentation._effects import (
    AudioEffect,
    GainChange,
    PitchShift,
    Reverberation,
    SpeedChange,
)
from serkit.augmentation._mixing import mix_noise
from serkit.augmentation._noise_corruptor import NoiseCorruptor
from serkit.augmentation._noise_mixer import NoiseMixer
from serkit.augmentation._spec_augment import Compose, RandomGain, SpecAugment

__all__ = [
    "AudioAugmenter",
    "AudioEffect",
    "Compose",
    "GainChange",
    "NoiseCorruptor",
    "NoiseMixer",
    "PitchShift",
    "RandomGain",
    "Reverberation",
    "SpecAugment",
    "SpeedChange",
    "mix_noise",
]
