"""Compare pipelines, judge codes and synthetic rows, test the differences, report them."""

from serkit.evaluation._baselines import baseline_pipelines
from serkit.evaluation._code_discriminability import code_discriminability
from serkit.evaluation._compare import compare
from serkit.evaluation._cross_corpus import cross_corpus_validate
from serkit.evaluation._holdout_search import HoldoutSearchCV
from serkit.evaluation._low_resource import low_resource_curve
from serkit.evaluation._low_resource_tests import low_resource_tests
from serkit.evaluation._result import ComparisonResult
from serkit.evaluation._robustness import robustness_curve
from serkit.evaluation._statistics import PairedTest, holm_correction, paired_test

__all__ = [
    "ComparisonResult",
    "HoldoutSearchCV",
    "PairedTest",
    "baseline_pipelines",
    "code_discriminability",
    "compare",
    "cross_corpus_validate",
    "holm_correction",
    "low_resource_curve",
    "low_resource_tests",
    "paired_test",
    "robustness_curve",
]
