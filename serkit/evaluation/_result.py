"""What a comparison found: tables, tests and reports."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.metrics import confusion_matrix

from serkit import persistence
from serkit.evaluation._format import format_table, format_tests
from serkit.evaluation._metrics import FailedFold, check_metric
from serkit.evaluation._report import render_report
from serkit.evaluation._summary import add_corrected, pair_tests, score_speakers, summarise

__all__ = ["ComparisonResult"]


@dataclass(frozen=True)
class ComparisonResult:
    """Predictions of several pipelines on the same folds, and what follows from them.

    Made by :func:`compare`.

    Parameters
    ----------
    folds : DataFrame
        One row per pipeline, seed and fold: UAR, WA, both of the training
        utterances if asked for, numbers of training and test utterances
        (``n_train``, ``n_test``), times in seconds, test and training speakers,
        transductive steps, and the parameters that a search chose.
    predictions : DataFrame
        One row per pipeline, seed and utterance: ``row`` in the corpus, file,
        speaker, fold, ``y_true``, ``y_pred``, and a column ``score[class]`` per
        class with its posterior or decision value (``score_method``).
    corpus : str
        Name of the corpus.
    protocol : str
        How the folds were made.
    speaker_dependent : bool
        Whether a speaker is in both training and test of a fold.
    crossing : tuple of str
        Pipelines that tune with a speaker on both sides of their inner splits.
    failures : tuple of (pipeline, seed, fold, error)
        Folds without a result, which ``on_error="warn"`` lets pass.
    models : dict of (pipeline, seed, fold) to Path
        Files of the fitted models that ``keep_models=True`` has kept.
    utterances : DataFrame
        The table of the corpus: file, speaker, gender, emotion, start, end, duration.
    root : Path or None
        The folder that the files of the corpus are named from, as it was then.

    Examples
    --------
    See :func:`compare`.
    """

    folds: pd.DataFrame
    predictions: pd.DataFrame
    corpus: str
    protocol: str
    speaker_dependent: bool = False
    crossing: tuple[str, ...] = ()
    failures: tuple[FailedFold, ...] = ()
    models: Mapping[tuple[str, int, int], Path] = field(default_factory=dict)
    utterances: pd.DataFrame = field(default_factory=pd.DataFrame)
    root: Path | None = None

    @property
    def pipelines(self) -> list[str]:
        """Names of the pipelines, in the order given."""
        return list(self.folds["pipeline"].unique())

    @property
    def place(self) -> str:
        """Corpus and protocol, as they are named in tables of several."""
        return f"{self.corpus}, {self._label()}"

    @property
    def speakers(self) -> list[str]:
        """The speakers tested."""
        return sorted(self.predictions["speaker"].unique())

    @property
    def labels(self) -> list[Any]:
        """The classes, true or predicted."""
        return sorted(set(self.predictions["y_true"]) | set(self.predictions["y_pred"]))

    def table(self) -> pd.DataFrame:
        """Summarise every pipeline in one row.

        Returns
        -------
        table : DataFrame
            ``UAR`` and ``WA`` of all predictions pooled, the ends ``low`` and
            ``high`` of their 95 % intervals over speakers (see
            :func:`speaker_bootstrap`), their mean and standard deviation (ddof=1)
            over folds, with several seeds the standard deviation over seeds of
            the mean over folds, the mean of ``train UAR`` and ``train WA`` if
            asked for, mean time per fold in seconds to fit and to predict,
            without that of features computed once for all folds; protocol,
            number of folds and speakers, transductive steps, and whether what is
            tuned inside is tuned across speakers. Several seeds are averaged
            before anything else.
        """
        return self._table.copy()

    @cached_property
    def _table(self) -> pd.DataFrame:
        rows = {
            name: {
                **summarise(folds, self._predictions_of(name)),
                "protocol": self._label(),
                "tuned across speakers": name in self.crossing,
            }
            for name, folds in self.folds.groupby("pipeline", sort=False)
        }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis(index="pipeline")

    def per_speaker(self) -> pd.DataFrame:
        """Score every speaker.

        Returns
        -------
        scores : DataFrame
            One row per pipeline and speaker: UAR, WA (means over seeds) and the
            number of utterances.
        """
        return self._per_speaker.copy()

    @cached_property
    def _per_speaker(self) -> pd.DataFrame:
        return score_speakers(self.predictions)

    def paired_tests(
        self, metric: str = "UAR", *, correction: str = "holm", n_resamples: int = 99_999
    ) -> pd.DataFrame:
        """Test every pair of pipelines for a difference, speaker by speaker.

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
        tests : DataFrame
            One row per pair: mean difference over speakers (first minus second);
            the difference of the pooled scores with its 95 % interval (``low``,
            ``high``) over speakers; the effect sizes ``Hedges g`` and
            ``rank-biserial``; p-values of the sign-flip permutation test and of
            Wilcoxon's signed-rank test over speakers, and of the corrected
            resampled t test over folds; number of speakers; with more than one
            pair also the corrected p-values.

        Raises
        ------
        ValueError
            If metric or correction are unknown.
        """
        check_metric(metric)
        return add_corrected(self._pairs(metric, n_resamples), correction)

    def _pairs(self, metric: str, n_resamples: int) -> pd.DataFrame:
        """Return the tests as they are before correction, computed once."""
        key = (metric, n_resamples)
        if key not in self._tests:
            self._tests[key] = pair_tests(self.folds, self.predictions, metric, n_resamples)
        return self._tests[key]

    @cached_property
    def _tests(self) -> dict[tuple[str, int], pd.DataFrame]:
        return {}

    def confusion(self, pipeline: str) -> pd.DataFrame:
        """Count what was taken for what.

        Parameters
        ----------
        pipeline : str
            Name of a pipeline.

        Returns
        -------
        counts : DataFrame
            True classes in rows, predicted ones in columns; sums over seeds.
        """
        if pipeline not in self.pipelines:
            raise ValueError(f"there is no pipeline {pipeline!r}; there are {self.pipelines}")
        predictions = self._predictions_of(pipeline)
        counts = confusion_matrix(
            predictions["y_true"].tolist(), predictions["y_pred"].tolist(), labels=self.labels
        )
        return pd.DataFrame(
            counts,
            index=pd.Index(self.labels, name="true"),
            columns=pd.Index(self.labels, name="predicted"),
        )

    def load_model(self, pipeline: str, fold: int = 0, *, seed: int | None = None) -> Any:
        """Load the fitted model of a fold, which predicts from what the pipeline was given.

        Parameters
        ----------
        pipeline : str
            Name of the pipeline.
        fold : int, default=0
            Number of the fold.
        seed : int or None, default=None
            Seed of the run; ``None`` is the first.

        Returns
        -------
        model : estimator
            The fitted pipeline; of a search, the best estimator.

        Raises
        ------
        ValueError
            If there is no such fold, or its model was not kept.
        ModelFileError
            If the file is damaged.
        """
        rows = self.folds.query("pipeline == @pipeline and fold == @fold")
        seed = int(next(iter(rows["seed"]), 0)) if seed is None else seed
        path = self.models.get((pipeline, seed, fold))
        if path is None:
            known = ", ".join(map(repr, self.pipelines))
            raise ValueError(
                f"no model of pipeline {pipeline!r}, fold {fold}, seed {seed} is kept (pipelines: "
                f"{known}). Models are kept by compare(..., results_dir=..., keep_models=True)"
            )
        return persistence.load(path)

    def to_csv(self, folder: str | os.PathLike) -> list[Path]:
        """Write table, folds, predictions, scores per speaker and tests as CSV files.

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
        frames = {
            "table": self.table().reset_index(),
            "folds": self.folds,
            "predictions": self.predictions,
            "per_speaker": self.per_speaker(),
            "paired_tests": self.paired_tests(),
        }
        for name, frame in frames.items():
            frame.to_csv(folder / f"{name}.csv", index=False)
        return [folder / f"{name}.csv" for name in frames]

    def to_html(self, path: str | os.PathLike) -> Path:
        """Write one self-contained HTML report.

        It holds tables, paired tests and every prediction, and, if matplotlib is
        installed, confusion matrices and scores per speaker as pictures.

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
        path.write_text(render_report(self), encoding="utf-8")
        return path

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def header(self) -> str:
        """Say in one line what was compared, how, and on whom.

        Returns
        -------
        header : str
        """
        n_folds = self.folds["fold"].nunique()
        n_seeds = self.folds["seed"].nunique()
        seeds = f", {n_seeds} seeds" if n_seeds > 1 else ""
        return (
            f"{self.corpus}: {self._label()}, {n_folds} folds, "
            f"{len(self.speakers)} speakers, {self.predictions['row'].nunique()} utterances{seeds}"
        )

    def cautions(self) -> list[str]:
        """Say what makes scores less honest, or less comparable, than they look.

        Returns
        -------
        cautions : list of str
        """
        cautions = []
        if self.speaker_dependent:
            cautions.append(
                "Speaker-DEPENDENT: speakers of the test part are in the training part too; "
                "scores of unseen speakers are lower."
            )
        for name in self.crossing:
            cautions.append(
                f"† {name} is tuned across speakers: inner splits have a speaker on both sides. "
                "That concerns the tuning, not the test."
            )
        for name, row in self.table().iterrows():
            if row["transductive"]:
                cautions.append(
                    f"*transductive: {row['transductive']}* in {name}: other utterances of the "
                    "test speakers are used, without their labels."
                )
        for pipeline, failed in self._failed_folds().items():
            what = (
                f"is scored without {len(failed)} failed fits, not on the same utterances as others"
                if pipeline in self.pipelines
                else "has no results"
            )
            cautions.append(f"‡ {pipeline} {what}: {failed[0].error}")
        return cautions

    def notes(self) -> list[str]:
        """Say what a reader has to know to read the numbers rightly.

        Returns
        -------
        notes : list of str
        """
        notes = self.cautions()
        n_speakers = len(self.speakers)
        if len(self.pipelines) > 1 and n_speakers < 8:
            notes.append(
                f"With {n_speakers} speakers no p-value of a test over speakers can be below "
                f"{2 / 2**n_speakers:.3g}."
            )
        notes.append("Times are means per fold and leave out features computed once for all folds.")
        return notes

    def formatted_table(self) -> pd.DataFrame:
        """Return the table as text, in percent, for people to read.

        Returns
        -------
        table : DataFrame
            Of str, one row per pipeline; a star marks transductive ones, a dagger
            those tuned across speakers, a double dagger those without results of
            some folds.
        """
        return format_table(self.table(), list(self._marks().values()))

    def _marks(self) -> dict[str, str]:
        """Return the marks behind the names in tables."""
        failed = self._failed_folds()
        return {
            name: " *" * bool(row["transductive"])
            + " †" * row["tuned across speakers"]
            + " ‡" * (name in failed)
            for name, row in self.table().iterrows()
        }

    def _failed_folds(self) -> dict[str, list[FailedFold]]:
        """Return what failed, by pipeline."""
        failed: dict[str, list[FailedFold]] = {}
        for failure in self.failures:
            failed.setdefault(failure.pipeline, []).append(failure)
        return failed

    def _predictions_of(self, pipeline: str) -> pd.DataFrame:
        return self.predictions[self.predictions["pipeline"] == pipeline]

    def _lines(self) -> Sequence[str]:
        lines = [self.header(), "", self.formatted_table().reset_index().to_string(index=False)]
        if len(self.pipelines) > 1:
            tests = self.paired_tests()
            shown = format_tests(tests.head(_N_TESTS_SHOWN), brief=True).to_string(index=False)
            lines += ["", "Paired tests over speakers (first minus second)", shown]
            if len(tests) > _N_TESTS_SHOWN:
                lines.append(f"... and {len(tests) - _N_TESTS_SHOWN} more in paired_tests()")
        return [*lines, "", *self.notes()]

    def _label(self) -> str:
        """Return the name of the protocol; one with shared speakers never stands without a word."""
        return f"{self.protocol} (speaker-DEPENDENT)" if self.speaker_dependent else self.protocol


_N_TESTS_SHOWN = 10
