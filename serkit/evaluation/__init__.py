"""Compare pipelines, judge codes and synthetic rows, test the differences, report them."""

from serkit.evaluation._baselines import baseline_pipelines
from serkit.evaluation._benchmark import benchmark
from serkit.evaluation._benchmark_result import BenchmarkResult
from serkit.evaluation._bootstrap import ScoreInterval, speaker_bootstrap
from serkit.evaluation._code_discriminability import code_discriminability
from serkit.evaluation._compare import compare
from serkit.evaluation._corrections import correct_p_values, holm_correction
from serkit.evaluation._cross_corpus import cross_corpus_validate
from serkit.evaluation._cross_corpus_matrix import CrossCorpusMatrix, cross_corpus_matrix
from serkit.evaluation._holdout_search import HoldoutSearchCV
from serkit.evaluation._leakage import check_leakage
from serkit.evaluation._leakage_report import Leak, LeakageError, LeakageReport
from serkit.evaluation._load_results import load_results
from serkit.evaluation._low_resource import low_resource_curve
from serkit.evaluation._low_resource_tests import low_resource_tests
from serkit.evaluation._ranks import SystemRanks, rank_systems
from serkit.evaluation._resampled_t import ResampledTTest, corrected_resampled_t_test
from serkit.evaluation._result import ComparisonResult
from serkit.evaluation._robustness import robustness_curve
from serkit.evaluation._statistics import PairedTest, paired_test

__all__ = [
    "BenchmarkResult",
    "ComparisonResult",
    "CrossCorpusMatrix",
    "HoldoutSearchCV",
    "Leak",
    "LeakageError",
    "LeakageReport",
    "PairedTest",
    "ResampledTTest",
    "ScoreInterval",
    "SystemRanks",
    "baseline_pipelines",
    "benchmark",
    "check_leakage",
    "code_discriminability",
    "compare",
    "correct_p_values",
    "corrected_resampled_t_test",
    "cross_corpus_matrix",
    "cross_corpus_validate",
    "holm_correction",
    "load_results",
    "low_resource_curve",
    "low_resource_tests",
    "paired_test",
    "rank_systems",
    "robustness_curve",
    "speaker_bootstrap",
]
