"""What the tables of a comparison are computed from: folds and predictions."""

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from serkit.evaluation._bootstrap import bootstrap_counts
from serkit.evaluation._corrections import CORRECTIONS, correct_p_values
from serkit.evaluation._metrics import METRICS, count_by_seed, pooled_score
from serkit.evaluation._resampled_t import corrected_resampled_t_test
from serkit.evaluation._statistics import paired_test

__all__ = ["add_corrected", "pair_tests", "score_speakers", "summarise"]

_TESTS = ("permutation", "Wilcoxon", "resampled t")


def summarise(folds: pd.DataFrame, predictions: pd.DataFrame) -> dict[str, Any]:
    """Return the scores and times of one pipeline."""
    per_fold, per_seed = (folds.groupby(by)[list(METRICS)].mean() for by in ("fold", "seed"))
    counts = count_by_seed(predictions)
    row: dict[str, Any] = {}
    for metric in METRICS:
        interval = bootstrap_counts(counts, metric=metric)
        row[metric] = pooled_score(predictions, metric)
        row[f"{metric} low"], row[f"{metric} high"] = interval.low, interval.high
        row[f"{metric} mean"] = per_fold[metric].mean()
        row[f"{metric} SD"] = per_fold[metric].std(ddof=1)
        if len(per_seed) > 1:
            row[f"{metric} SD of seeds"] = per_seed[metric].std(ddof=1)
        if f"train {metric}" in folds:
            row[f"train {metric}"] = folds[f"train {metric}"].mean()
    row["fit time"] = folds["fit_time"].mean()
    row["predict time"] = folds["predict_time"].mean()
    row["folds"] = len(per_fold)
    row["speakers"] = predictions["speaker"].nunique()
    row["transductive"] = ", ".join(sorted({t for t in folds["transductive"] if t}))
    return row


def score_speakers(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the scores of every pipeline and speaker, means over seeds."""
    return pd.DataFrame(
        {
            "pipeline": pipeline,
            "speaker": speaker,
            **{metric: pooled_score(group, metric) for metric in METRICS},
            "n_test": group["row"].nunique(),
        }
        for pipeline, of_pipeline in predictions.groupby("pipeline", sort=False)
        for speaker, group in of_pipeline.groupby("speaker")
    )


def pair_tests(
    folds: pd.DataFrame, predictions: pd.DataFrame, metric: str, n_resamples: int
) -> pd.DataFrame:
    """Test every pair of pipelines on the speakers and folds that both have."""
    scores = score_speakers(predictions).pivot(index="speaker", columns="pipeline", values=metric)
    of_pipeline = dict(list(predictions.groupby("pipeline", sort=False)))
    rows = []
    for first, second in combinations(of_pipeline, 2):
        shared = scores[[first, second]].dropna()
        row = {"first": first, "second": second, f"{metric} difference": np.nan}
        if len(shared):
            test = paired_test(shared[first], shared[second], n_resamples=n_resamples)
            row |= {
                f"{metric} difference": test.difference,
                **_pooled_difference(of_pipeline[first], of_pipeline[second], metric),
                "Hedges g": test.hedges_g,
                "rank-biserial": test.rank_biserial,
                "p permutation": test.p_permutation,
                "p Wilcoxon": test.p_wilcoxon,
                "p resampled t": _test_folds(folds, first, second, metric),
            }
        rows.append(row | {"speakers": len(shared)})
    columns = ["first", "second", f"{metric} difference", "pooled difference", "low", "high"]
    columns += ["Hedges g", "rank-biserial", *(f"p {kind}" for kind in _TESTS), "speakers"]
    return pd.DataFrame(rows, columns=columns)


def add_corrected(tests: pd.DataFrame, correction: str) -> pd.DataFrame:
    """Return tests with p-values that are corrected for their number, if there are several."""
    if correction not in CORRECTIONS:
        raise ValueError(f"correction must be one of {list(CORRECTIONS)}, got {correction!r}")
    tests = tests.copy()
    for kind in _TESTS if len(tests) > 1 else ():
        corrected = correct_p_values(tests[f"p {kind}"], correction)
        tests[f"p {kind} ({CORRECTIONS[correction]})"] = corrected
    return tests


def _pooled_difference(first: pd.DataFrame, second: pd.DataFrame, metric: str) -> dict[str, float]:
    """Return the difference of the pooled scores of what both have, and its interval."""
    keys = ["seed", "row"]
    shared = first[keys].merge(second[keys], on=keys)
    counts = [count_by_seed(shared.merge(system, on=keys)) for system in (first, second)]
    interval = bootstrap_counts(*counts, metric=metric)
    return {"pooled difference": interval.score, "low": interval.low, "high": interval.high}


def _test_folds(folds: pd.DataFrame, first: str, second: str, metric: str) -> float:
    """Return p of the corrected resampled t test over the folds that both have."""
    scores = folds.pivot_table(index="fold", columns="pipeline", values=metric)
    scores = scores[[first, second]].dropna()
    if scores.empty:
        return np.nan
    sizes = folds.loc[folds["fold"].isin(scores.index), ["n_train", "n_test"]].mean()
    return corrected_resampled_t_test(scores[first], scores[second], **sizes).p_value
