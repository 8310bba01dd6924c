"""What a fitted model has learnt."""

from serkit.inspection._attention import AttentionDisplay
from serkit.inspection._code_scatter import CodeScatterDisplay
from serkit.inspection._embedding import EmbeddingDisplay
from serkit.inspection._grad_cam import grad_cam
from serkit.inspection._grad_cam_display import GradCAMDisplay
from serkit.inspection._loss_curve import LossCurveDisplay
from serkit.inspection._low_resource import LowResourceDisplay
from serkit.inspection._module_features import ModuleFeatureExtractor
from serkit.inspection._speaker_probe import speaker_probe_score

__all__ = [
    "AttentionDisplay",
    "CodeScatterDisplay",
    "EmbeddingDisplay",
    "GradCAMDisplay",
    "LossCurveDisplay",
    "LowResourceDisplay",
    "ModuleFeatureExtractor",
    "grad_cam",
    "speaker_probe_score",
]
