"""Compare pipelines on speaker-independent folds, test the difference, report it."""

from serkit.evaluation._baselines import baseline_pipelines
from serkit.evaluation._compare import compare
from serkit.evaluation._cross_corpus import cross_corpus_validate
from serkit.evaluation._holdout_search import HoldoutSearchCV
from serkit.evaluation._result import ComparisonResult
from serkit.evaluation._statistics import PairedTest, holm_correction, paired_test

__all__ = [
    "ComparisonResult",
    "HoldoutSearchCV",
    "PairedTest",
    "baseline_pipelines",
    "compare",
    "cross_corpus_validate",
    "holm_correction",
    "paired_test",
]
