"""Validation, containers, parallel work, digests and optional imports."""

from serkit.utils._base import AudioTransformer, FrameTransformer, UtteranceTransformer
from serkit.utils._containers import (
    AudioSegment,
    as_ragged,
    check_audio,
    check_frames,
    is_path,
    is_ragged,
    stack,
)
from serkit.utils._hashing import content_digest, describe_estimator, estimator_digest
from serkit.utils._optional import import_optional
from serkit.utils._parallel import parallel_map
from serkit.utils._rows import SignalWarning, at_row, name_rows
from serkit.utils._validation import check_speakers

__all__ = [
    "AudioSegment",
    "AudioTransformer",
    "FrameTransformer",
    "SignalWarning",
    "UtteranceTransformer",
    "as_ragged",
    "at_row",
    "check_audio",
    "check_frames",
    "check_speakers",
    "content_digest",
    "describe_estimator",
    "estimator_digest",
    "import_optional",
    "is_path",
    "is_ragged",
    "name_rows",
    "parallel_map",
    "stack",
]
