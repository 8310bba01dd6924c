"""What a fitted model has learnt: probes of its parts, explanations, and pictures."""

from serkit.inspection._attention import AttentionDisplay
from serkit.inspection._code_scatter import CodeScatterDisplay
from serkit.inspection._confusion_grid import ConfusionGridDisplay
from serkit.inspection._critical_difference import CriticalDifferenceDisplay
from serkit.inspection._embedding import EmbeddingDisplay
from serkit.inspection._grad_cam import grad_cam
from serkit.inspection._grad_cam_display import GradCAMDisplay
from serkit.inspection._kernel_heights import kernel_height_sweep
from serkit.inspection._lda import LDADisplay
from serkit.inspection._loss_curve import LossCurveDisplay
from serkit.inspection._low_resource import LowResourceDisplay
from serkit.inspection._module_features import ModuleFeatureExtractor
from serkit.inspection._module_probe import module_contributions, module_probe
from serkit.inspection._reliability import ReliabilityDisplay
from serkit.inspection._score_curves import KernelHeightDisplay, SpeakerCurveDisplay
from serkit.inspection._snr_curve import SNRCurveDisplay
from serkit.inspection._speaker_curve import speaker_learning_curve
from serkit.inspection._speaker_probe import speaker_probe, speaker_probe_score

__all__ = [
    "AttentionDisplay",
    "CodeScatterDisplay",
    "ConfusionGridDisplay",
    "CriticalDifferenceDisplay",
    "EmbeddingDisplay",
    "GradCAMDisplay",
    "KernelHeightDisplay",
    "LDADisplay",
    "LossCurveDisplay",
    "LowResourceDisplay",
    "ModuleFeatureExtractor",
    "ReliabilityDisplay",
    "SNRCurveDisplay",
    "SpeakerCurveDisplay",
    "grad_cam",
    "kernel_height_sweep",
    "module_contributions",
    "module_probe",
    "speaker_learning_curve",
    "speaker_probe",
    "speaker_probe_score",
]
