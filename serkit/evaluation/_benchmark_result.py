"""What a benchmark found, over all corpora and protocols."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from serkit.evaluation._benchmark_report import render_benchmark
from serkit.evaluation._leaderboard import (
    format_leaderboard,
    make_leaderboard,
    score_complete,
    speaker_blocks,
)
from serkit.evaluation._metrics import FailedFold, check_metric
from serkit.evaluation._ranks import SystemRanks, rank_systems
from serkit.evaluation._result import ComparisonResult
from serkit.evaluation._summary import add_corrected

__all__ = ["BenchmarkResult", "Cell"]


class Cell(NamedTuple):
    """A corpus and how its folds are made."""

    corpus: str
    protocol: str

    def __str__(self) -> str:
        return f"{self.corpus}, {self.protocol}"


@dataclass(frozen=True)
class BenchmarkResult:
    """Results of several pipelines on several corpora, by several protocols.

    Made by :func:`benchmark`.

    Parameters
    ----------
    results : dict of (corpus, protocol) to ComparisonResult
        The cells.
    failed : dict of (corpus, protocol) to tuple of (pipeline, seed, fold, error)
        Folds without a result, which ``on_error="warn"`` lets pass.

    Examples
    --------
    See :func:`benchmark`.
    """

    results: Mapping[tuple[str, str], ComparisonResult]
    failed: Mapping[tuple[str, str], tuple[FailedFold, ...]] = field(default_factory=dict)

    @property
    def pipelines(self) -> list[str]:
        """Names of the pipelines that have a result somewhere, in the order given."""
        names = [name for result in self.results.values() for name in result.pipelines]
        return list(dict.fromkeys(names))

    @property
    def corpora(self) -> list[str]:
        """Names of the corpora, in the order given."""
        return list(dict.fromkeys(corpus for corpus, _ in self.results))

    def frame(self) -> pd.DataFrame:
        """Return everything that was measured, tidily.

        Returns
        -------
        frame : DataFrame
            One row per corpus, protocol, pipeline, seed and fold, with the columns
            of ``folds`` of a :class:`ComparisonResult`: metrics, numbers of
            utterances, times in seconds, speakers.
        """
        return self._concat({cell: result.folds for cell, result in self.results.items()})

    def failures(self) -> pd.DataFrame:
        """Return what has no result although it was tried.

        Returns
        -------
        failures : DataFrame
            One row per fold that failed: corpus, protocol, pipeline, seed, fold
            and error.
        """
        columns = ["corpus", "protocol", *FailedFold._fields]
        rows = [(*cell, *failure) for cell, failed in self.failed.items() for failure in failed]
        return pd.DataFrame(rows, columns=columns)

    def leaderboard(
        self, metric: str = "UAR", *, correction: str = "holm", n_resamples: int = 99_999
    ) -> pd.DataFrame:
        """Put the pipelines in order, the best first.

        Parameters
        ----------
        metric : {"UAR", "WA"}, default="UAR"
            What is compared.
        correction : {"holm", "benjamini-hochberg"}, default="holm"
            How p-values are corrected for their number; see
            :func:`correct_p_values`.
        n_resamples : int, default=99_999
            See :func:`paired_test`.

        Returns
        -------
        leaderboard : DataFrame
            One row per pipeline. For every cell the pooled score, as in ``"UAR
            emodb, loso"``, with ``low`` and ``high`` of its 95 % interval over
            speakers; NaN if the pipeline is not there or some of its folds
            failed. ``mean score`` and ``mean rank`` over the cells, of pipelines
            that have them all; ``wins``, cells with the best score (shared ones
            count); ``cells``, their number. ``difference to best`` (the first
            row), mean over the ``speakers`` of all corpora that both have, and
            ``p against best`` of the sign-flip permutation test, also corrected.
            Speakers tested by several protocols count once, with their mean.

        Raises
        ------
        ValueError
            If metric or correction are unknown.
        """
        check_metric(metric)
        key = (metric, correction, n_resamples)
        if key not in self._boards:
            self._boards[key] = make_leaderboard(self.results, self.pipelines, *key)
        return self._boards[key].copy()

    @cached_property
    def _boards(self) -> dict[tuple[str, str, int], pd.DataFrame]:
        return {}

    def ranks(self, metric: str = "UAR", *, alpha: float = 0.05) -> SystemRanks:
        """Rank the pipelines on every speaker, as for a critical-difference diagram.

        Parameters
        ----------
        metric : {"UAR", "WA"}, default="UAR"
            What is compared.
        alpha : float, default=0.05
            See :func:`rank_systems`.

        Returns
        -------
        ranks : SystemRanks
            Of the pipelines that have all cells, over the speakers of all
            corpora.

        Raises
        ------
        ValueError
            If less than three pipelines have all cells.
        """
        check_metric(metric)
        scores = score_complete(self.results, self.pipelines, metric)
        complete = scores.index[scores.notna().all(axis=1)]
        blocks = speaker_blocks(self.results, metric)[list(complete)]
        return rank_systems(blocks.groupby(["corpus", "speaker"]).mean(), alpha=alpha)

    def paired_tests(
        self, metric: str = "UAR", *, correction: str = "holm", n_resamples: int = 99_999
    ) -> pd.DataFrame:
        """Test every pair of pipelines in every cell, corrected for all tests together.

        Parameters
        ----------
        metric : {"UAR", "WA"}, default="UAR"
            What is compared.
        correction : {"holm", "benjamini-hochberg"}, default="holm"
            How p-values are corrected for their number.
        n_resamples : int, default=99_999
            See :func:`paired_test`.

        Returns
        -------
        tests : DataFrame
            Corpus, protocol, and the columns of
            :meth:`ComparisonResult.paired_tests`.
        """
        check_metric(metric)
        tests = self._concat(
            {cell: result._pairs(metric, n_resamples) for cell, result in self.results.items()}
        )
        return add_corrected(tests, correction)

    def to_csv(self, folder: str | os.PathLike) -> list[Path]:
        """Write leaderboard, folds, predictions, tests and failures as CSV files.

        Parameters
        ----------
        folder : path-like
            Made if it does not exist.

        Returns
        -------
        paths : list of pathlib.Path
            The files written.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        cells = self.results.items()
        frames = {
            "leaderboard": self.leaderboard().reset_index(),
            "table": self._concat({cell: result.table().reset_index() for cell, result in cells}),
            "folds": self.frame(),
            "predictions": self._concat({cell: result.predictions for cell, result in cells}),
            "per_speaker": self._concat({cell: result.per_speaker() for cell, result in cells}),
            "paired_tests": self.paired_tests(),
            "failures": self.failures(),
        }
        for name, frame in frames.items():
            frame.to_csv(folder / f"{name}.csv", index=False)
        return [folder / f"{name}.csv" for name in frames]

    def to_html(self, path: str | os.PathLike) -> Path:
        """Write one self-contained HTML report.

        It holds the leaderboard and the table of every cell with its tests, and,
        if matplotlib is installed, pictures of scores and confusion matrices.
        Predictions are in the reports of the cells, ``results[cell].to_html``.

        Parameters
        ----------
        path : path-like
            The file to write.

        Returns
        -------
        path : pathlib.Path
        """
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render_benchmark(self), encoding="utf-8")
        return path

    def formatted_leaderboard(self, metric: str = "UAR") -> pd.DataFrame:
        """Return the leaderboard as text, in percent, for people to read.

        Parameters
        ----------
        metric : {"UAR", "WA"}, default="UAR"
            What is compared.

        Returns
        -------
        leaderboard : DataFrame
            Of str; a dash is a missing cell, marks are those of
            :meth:`ComparisonResult.formatted_table`.
        """
        return format_leaderboard(
            self.leaderboard(metric),
            [result.place for result in self.results.values()],
            metric,
            {name: self._marks(name) for name in self.pipelines},
        )

    def _marks(self, pipeline: str) -> str:
        """Return the marks that a pipeline has in any cell."""
        found = "".join(result._marks().get(pipeline, "") for result in self.results.values())
        found += "‡" * (pipeline in set(self.failures()["pipeline"]))
        return "".join(f" {mark}" for mark in "*†‡" if mark in found)

    def header(self) -> str:
        """Say in one line what was compared.

        Returns
        -------
        header : str
        """
        speakers = {
            (corpus, name)
            for (corpus, _), result in self.results.items()
            for name in result.speakers
        }
        return (
            f"{len(self.pipelines)} pipelines, {len(self.corpora)} corpora "
            f"({len(speakers)} speakers), {len(self.results)} cells of corpus and protocol"
        )

    def notes(self) -> list[str]:
        """Say what a reader has to know to read the leaderboard rightly.

        Returns
        -------
        notes : list of str
        """
        notes = [
            "Cells: pooled UAR and its 95 % interval over speakers. Mean rank: of pipelines that "
            "have all cells. Against the best: sign-flip permutation test over the speakers of all "
            "corpora, each counted once; the best is chosen on the same data, so paired_tests(), "
            "corrected for all pairs, is the stricter answer."
        ]
        scores = score_complete(self.results, self.pipelines, "UAR")
        for name, row in scores.iterrows():
            missing = list(row.index[row.isna()])
            if missing:
                notes.append(f"{name} is missing from {'; '.join(missing)}: not ranked.")
        places: dict[str, list[str]] = {}
        for result in self.results.values():
            for caution in result.cautions():
                places.setdefault(caution, []).append(result.place)
        notes += [f"{'; '.join(where)}: {caution}" for caution, where in places.items()]
        for cell in self.failed.keys() - self.results.keys():
            notes.append(f"{', '.join(cell)}: nothing worked: {self.failed[cell][0].error}")
        return notes

    def __str__(self) -> str:
        board = self.formatted_leaderboard().reset_index().to_string(index=False)
        return "\n".join([self.header(), "", board, "", *self.notes()])

    def _concat(self, frames: Mapping[tuple[str, str], pd.DataFrame]) -> pd.DataFrame:
        """Put frames of cells below each other, with corpus and protocol before them."""
        placed = []
        for cell, frame in frames.items():
            frame = frame.drop(columns="protocol", errors="ignore")
            frame.insert(0, "corpus", cell[0])
            frame.insert(1, "protocol", self.results[cell]._label())
            placed.append(frame)
        return pd.concat(placed, ignore_index=True)
