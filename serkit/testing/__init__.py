"""Checks for estimators of speech, and instances to run them on."""

from serkit.testing._checks import yield_checks
from serkit.testing._inputs import input_kind, make_input
from serkit.testing._instances import all_estimators, expected_failed_checks, test_instances
from serkit.testing._parametrize import parametrize_with_checks
from serkit.testing._recorder import RecordingClassifier

__all__ = [
    "RecordingClassifier",
    "all_estimators",
    "expected_failed_checks",
    "input_kind",
    "make_input",
    "parametrize_with_checks",
    "test_instances",
    "yield_checks",
]
