"""Scores with their scorers, the report, separation, calibration, the worth of synthetic rows."""

from serkit.metrics._calibration import expected_calibration_error, reliability_bins
from serkit.metrics._classification import uar_score, wa_score
from serkit.metrics._concordance import (
    ccc_scorer,
    concordance_correlation_coefficient,
    sequence_ccc_score,
    sequence_ccc_scorer,
)
from serkit.metrics._frechet import frechet_distance, frechet_emotion_distance
from serkit.metrics._inertia import ClusterInertia, cluster_inertia, cluster_inertia_ratio
from serkit.metrics._report import EmotionReport, emotion_report
from serkit.metrics._scorer import uar_scorer, wa_scorer
from serkit.metrics._synthetic import (
    generator_report,
    trts_score,
    trts_scorer,
    tstr_score,
    tstr_scorer,
)

__all__ = [
    "ClusterInertia",
    "EmotionReport",
    "ccc_scorer",
    "cluster_inertia",
    "cluster_inertia_ratio",
    "concordance_correlation_coefficient",
    "emotion_report",
    "expected_calibration_error",
    "frechet_distance",
    "frechet_emotion_distance",
    "generator_report",
    "reliability_bins",
    "sequence_ccc_score",
    "sequence_ccc_scorer",
    "trts_score",
    "trts_scorer",
    "tstr_score",
    "tstr_scorer",
    "uar_score",
    "uar_scorer",
    "wa_score",
    "wa_scorer",
]
