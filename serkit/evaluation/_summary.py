"""What the tables of a comparison are computed from: folds and predictions."""

from itertools import combinations
from typing import Any

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
    """Test every pair of pipelines on the fits that both have."""
    predicted, fitted = (
        dict(list(frame.groupby("pipeline", sort=False))) for frame in (predictions, folds)
    )
    rows = []
    for first, second in combinations(predicted, 2):
        pair = _share(predicted[first], predicted[second], ["seed", "fold", "row"])
        fits = _share(fitted[first], fitted[second], ["seed", "fold"])
        row = {"first": first, "second": second, "speakers": pair[0]["speaker"].nunique()}
        if row["speakers"]:
            row |= _test_speakers(*pair, metric, n_resamples) | _pooled_difference(*pair, metric)
            row["p resampled t"] = _test_folds(*fits, metric)
        rows.append(row)
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


def _share(
    first: pd.DataFrame, second: pd.DataFrame, keys: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows that both have."""
    first, second = first.set_index(keys), second.set_index(keys)
    shared = first.index.intersection(second.index)
    return first.loc[shared].reset_index(), second.loc[shared].reset_index()


def _test_speakers(
    first: pd.DataFrame, second: pd.DataFrame, metric: str, n_resamples: int
) -> dict[str, float]:
    """Return what the tests over speakers say, and the sizes."""
    scores = [score_speakers(system)[metric] for system in (first, second)]
    test = paired_test(*scores, n_resamples=n_resamples)
    return {
        f"{metric} difference": test.difference,
        "Hedges g": test.hedges_g,
        "rank-biserial": test.rank_biserial,
        "p permutation": test.p_permutation,
        "p Wilcoxon": test.p_wilcoxon,
    }


def _pooled_difference(first: pd.DataFrame, second: pd.DataFrame, metric: str) -> dict[str, float]:
    """Return the difference of the pooled scores, and its interval."""
    interval = bootstrap_counts(count_by_seed(first), count_by_seed(second), metric=metric)
    return {"pooled difference": interval.score, "low": interval.low, "high": interval.high}


def _test_folds(first: pd.DataFrame, second: pd.DataFrame, metric: str) -> float:
    """Return p of the corrected resampled t test over folds, means over seeds."""
    scores = [system.groupby("fold")[metric].mean() for system in (first, second)]
    sizes = first[["n_train", "n_test"]].mean()
    return corrected_resampled_t_test(*scores, **sizes).p_value
