"""What a fitted model has learnt."""

from serkit.inspection._attention import AttentionDisplay
from serkit.inspection._speaker_probe import speaker_probe_score

__all__ = ["AttentionDisplay", "speaker_probe_score"]
