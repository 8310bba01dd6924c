"""Splitters that keep speakers apart, and the check that they do."""

from serkit.model_selection._holdout import SpeakerHoldout
from serkit.model_selection._leakage import SpeakerLeakageError, check_speaker_leakage
from serkit.model_selection._leave_speakers_out import LeaveSpeakersOut
from serkit.model_selection._protocols import load_protocol

__all__ = [
    "LeaveSpeakersOut",
    "SpeakerHoldout",
    "SpeakerLeakageError",
    "check_speaker_leakage",
    "load_protocol",
]
