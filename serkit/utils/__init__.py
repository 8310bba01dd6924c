"""Validation, containers, audio files, parallel work, digests and optional imports."""

from serkit.utils._audio_files import BadAudioError, OpenAudio, open_audio
from serkit.utils._base import (
    AudioTransformer,
    FrameTransformer,
    PlainOutputMixin,
    UtteranceTransformer,
    WaveformTransformer,
)
from serkit.utils._containers import (
    AudioSegment,
    ChangedAudio,
    as_ragged,
    check_container,
    is_path,
    is_ragged,
    stack,
)
from serkit.utils._documentation import fill_docstring
from serkit.utils._fitted import check_frozen, is_fitted, last_step, up_to_last_step
from serkit.utils._hashing import (
    content_digest,
    describe_estimator,
    estimator_digest,
    source_digest,
)
from serkit.utils._input import check_audio, check_columns, check_frames, forget_features
from serkit.utils._metadata import requested_speakers
from serkit.utils._optional import import_optional
from serkit.utils._origins import follow_rows, note_resampling, row_origins
from serkit.utils._parallel import parallel_map
from serkit.utils._presets import PresetMixin
from serkit.utils._row_digests import row_digests
from serkit.utils._rows import (
    SignalWarning,
    at_names,
    at_row,
    at_segments,
    name_rows,
    segment_parents,
)
from serkit.utils._utterance_digest import utterance_digest
from serkit.utils._validation import check_speakers
from serkit.utils._versions import package_versions

__all__ = [
    "AudioSegment",
    "AudioTransformer",
    "BadAudioError",
    "ChangedAudio",
    "FrameTransformer",
    "OpenAudio",
    "PlainOutputMixin",
    "PresetMixin",
    "SignalWarning",
    "UtteranceTransformer",
    "WaveformTransformer",
    "as_ragged",
    "at_names",
    "at_row",
    "at_segments",
    "check_audio",
    "check_columns",
    "check_container",
    "check_frames",
    "check_frozen",
    "check_speakers",
    "content_digest",
    "describe_estimator",
    "estimator_digest",
    "fill_docstring",
    "follow_rows",
    "forget_features",
    "import_optional",
    "is_fitted",
    "is_path",
    "is_ragged",
    "last_step",
    "name_rows",
    "note_resampling",
    "open_audio",
    "package_versions",
    "parallel_map",
    "requested_speakers",
    "row_digests",
    "row_origins",
    "segment_parents",
    "source_digest",
    "stack",
    "up_to_last_step",
    "utterance_digest",
]
