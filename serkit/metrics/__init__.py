"""Unweighted average recall, weighted accuracy, their scorers, and the report."""

from serkit.metrics._classification import uar_score, wa_score
from serkit.metrics._report import EmotionReport, emotion_report
from serkit.metrics._scorer import uar_scorer, wa_scorer

__all__ = [
    "EmotionReport",
    "emotion_report",
    "uar_score",
    "uar_scorer",
    "wa_score",
    "wa_scorer",
]
