"""One row per pipeline over all cells of a benchmark: scores, ranks, tests."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from serkit.evaluation._corrections import CORRECTIONS, correct_p_values
from serkit.evaluation._format import blank_if_missing, format_interval, format_p
from serkit.evaluation._statistics import paired_test

if TYPE_CHECKING:
    from serkit.evaluation._result import ComparisonResult

    Results = Mapping[tuple[str, str], ComparisonResult]

__all__ = ["format_leaderboard", "make_leaderboard", "score_complete", "speaker_blocks"]


def make_leaderboard(
    results: "Results",
    pipelines: Iterable[str],
    metric: str,
    correction: str,
    n_resamples: int,
) -> pd.DataFrame:
    """Return the leaderboard, the best first; see :meth:`BenchmarkResult.leaderboard`."""
    scores = score_complete(results, pipelines, metric)
    board = pd.DataFrame(index=scores.index)
    for place, result in zip(scores, results.values(), strict=True):
        table = result.table().reindex(scores.index)
        for end in ("", " low", " high"):
            found = table[f"{metric}{end}"].astype(float)
            board[f"{metric} {place}{end}"] = found.where(scores[place].notna())
    complete = scores.notna().all(axis=1)
    board["mean score"] = scores[complete].mean(axis=1)
    board["mean rank"] = _ranks(scores[complete]).mean(axis=1)
    board["wins"] = (_ranks(scores, method="min") == 1).sum(axis=1)
    board["cells"] = scores.notna().sum(axis=1)
    board = board.sort_values(
        ["mean rank", "mean score", "cells"],
        ascending=[True, False, False],
        kind="stable",
        na_position="last",
    )
    blocks = speaker_blocks(results, metric)
    best = board.index[0] if complete.any() else None
    tests = [_test_against(blocks, best, name, n_resamples) for name in board.index[1:]]
    columns = ["difference to best", "p against best", "speakers"]
    empty = [(np.nan, np.nan, 0)]
    board[columns] = pd.DataFrame(empty + tests, index=board.index, columns=columns)
    corrected = correct_p_values(board["p against best"], correction)
    board[f"p against best ({CORRECTIONS[correction]})"] = corrected
    return board.rename_axis(index="pipeline")


def score_complete(results: "Results", pipelines: Iterable[str], metric: str) -> pd.DataFrame:
    """Return the pooled scores, a column per cell; NaN where a pipeline has not all folds."""
    scores = pd.DataFrame(index=pd.Index(list(pipelines)))
    for result in results.values():
        failed = {failure.pipeline for failure in result.failures}
        found = result.table()[metric]
        complete = found[[name not in failed for name in found.index]]
        scores[result.place] = complete.reindex(scores.index).astype(float)
    return scores


def speaker_blocks(results: "Results", metric: str) -> pd.DataFrame:
    """Return the scores of speakers: a row per corpus, speaker and protocol, a column per pipeline.

    The same speaker by two protocols is one person, so these are averaged later.
    """
    tables = []
    for cell, result in results.items():
        scores = result.per_speaker().pivot(index="speaker", columns="pipeline", values=metric)
        failed = {failure.pipeline for failure in result.failures}
        scores = scores.drop(columns=[name for name in failed if name in scores])
        corpus, protocol = cell
        tables.append(scores.assign(corpus=corpus, protocol=protocol))
    blocks = pd.concat(tables).rename_axis(columns=None)
    return blocks.set_index(["corpus", "protocol"], append=True)


def _ranks(scores: pd.DataFrame, method: str = "average") -> pd.DataFrame:
    # Scores of equal recalls may differ in the last bit; that is no difference.
    return scores.round(12).rank(ascending=False, method=method)


def _test_against(
    blocks: pd.DataFrame, best: str | None, other: str, n_resamples: int
) -> tuple[float, float, int]:
    """Return difference, p and number of speakers over what both have; nothing without a best."""
    if best not in blocks or other not in blocks:
        return np.nan, np.nan, 0
    shared = blocks[[other, best]].dropna().groupby(["corpus", "speaker"]).mean()
    if shared.empty:
        return np.nan, np.nan, 0
    test = paired_test(shared[other], shared[best], n_resamples=n_resamples)
    return test.difference, test.p_permutation, test.n_speakers


def format_leaderboard(
    board: pd.DataFrame, places: Iterable[str], metric: str, marks: Mapping[str, str]
) -> pd.DataFrame:
    """Return the leaderboard as text; a missing cell is a dash."""
    shown = pd.DataFrame(index=[name + marks.get(name, "") for name in board.index])
    for place in places:
        column = f"{metric} {place}"
        texts = []
        for score, low, high in board[[column, f"{column} low", f"{column} high"]].to_numpy():
            interval = format_interval(low, high)
            text = f"{score:.1%}" + f" ({interval})" * bool(interval)
            texts.append("–" if np.isnan(score) else text)
        shown[place] = texts
    shown["mean rank"] = board["mean rank"].map(blank_if_missing("{:.2f}".format)).to_list()
    shown["wins"] = board["wins"].to_list()
    percent = blank_if_missing("{:+.1%}".format)
    shown["difference to best"] = board["difference to best"].map(percent).to_list()
    for column in board.columns[board.columns.str.startswith("p against")]:
        shown[column] = board[column].map(format_p).to_list()
    return shown.rename_axis(index="pipeline")
