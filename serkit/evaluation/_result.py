"""What a comparison found: tables, tests and reports."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix

from serkit.evaluation._report import format_tests, render_report
from serkit.evaluation._statistics import holm_correction, paired_test
from serkit.metrics import uar_score, wa_score

__all__ = ["METRICS", "ComparisonResult"]

METRICS = {"UAR": uar_score, "WA": wa_score}


@dataclass(frozen=True)
class ComparisonResult:
    """Predictions of several pipelines on the same folds, and what follows from them.

    Made by :func:`compare`.

    Parameters
    ----------
    folds : DataFrame
        One row per pipeline, seed and fold: UAR, WA, both of the training
        utterances if asked for, number of test utterances, times in seconds,
        test and training speakers, transductive steps, and the parameters that
        a search chose.
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

    @property
    def pipelines(self) -> list[str]:
        """Names of the pipelines, in the order given."""
        return list(self.folds["pipeline"].unique())

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
            ``UAR`` and ``WA`` of all predictions pooled, their mean and standard
            deviation (ddof=1) over folds, with several seeds the standard deviation
            over seeds of the mean over folds, the mean of ``train UAR`` and ``train
            WA`` if asked for, mean time per fold in seconds to fit
            and to predict, without that of features computed once for all folds;
            protocol, number of folds and speakers, transductive steps, and
            whether what is tuned inside is tuned across speakers. Several seeds
            are averaged before anything else.
        """
        return self._table.copy()

    @cached_property
    def _table(self) -> pd.DataFrame:
        rows = {}
        for name, folds in self.folds.groupby("pipeline", sort=False):
            predictions = self._predictions_of(name)
            per_fold, per_seed = (
                folds.groupby(by)[["UAR", "WA"]].mean() for by in ("fold", "seed")
            )
            row: dict[str, Any] = {}
            for metric in METRICS:
                row[metric] = _pooled(predictions, metric)
                row[f"{metric} mean"] = per_fold[metric].mean()
                row[f"{metric} SD"] = per_fold[metric].std(ddof=1)
                if len(per_seed) > 1:
                    row[f"{metric} SD of seeds"] = per_seed[metric].std(ddof=1)
                if f"train {metric}" in folds:
                    row[f"train {metric}"] = folds[f"train {metric}"].mean()
            row["fit time"] = folds["fit_time"].mean()
            row["predict time"] = folds["predict_time"].mean()
            row["protocol"] = self._protocol_label()
            row["folds"] = len(per_fold)
            row["speakers"] = predictions["speaker"].nunique()
            row["transductive"] = ", ".join(sorted({t for t in folds["transductive"] if t}))
            row["tuned across speakers"] = name in self.crossing
            rows[name] = row
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis(index="pipeline")

    def per_speaker(self) -> pd.DataFrame:
        """Score every speaker.

        Returns
        -------
        scores : DataFrame
            One row per pipeline and speaker: UAR, WA (means over seeds) and the
            number of utterances.
        """
        return pd.DataFrame(
            {
                "pipeline": name,
                "speaker": speaker,
                **{metric: _pooled(group, metric) for metric in METRICS},
                "n_test": group["row"].nunique(),
            }
            for name in self.pipelines
            for speaker, group in self._predictions_of(name).groupby("speaker")
        )

    def paired_tests(self, metric: str = "UAR", *, n_resamples: int = 99_999) -> pd.DataFrame:
        """Test every pair of pipelines for a difference, speaker by speaker.

        Parameters
        ----------
        metric : {"UAR", "WA"}, default="UAR"
            What is compared.
        n_resamples : int, default=99_999
            See :func:`paired_test`.

        Returns
        -------
        tests : DataFrame
            One row per pair: mean difference (first minus second), p-values of
            the sign-flip permutation test and of Wilcoxon's signed-rank test,
            number of speakers; with more than one pair also the p-values
            corrected by Holm's method.
        """
        if metric not in METRICS:
            raise ValueError(f"metric must be one of {sorted(METRICS)}, got {metric!r}")
        key = (metric, n_resamples)
        if key not in self._tests:
            self._tests[key] = self._test_pairs(metric, n_resamples)
        return self._tests[key].copy()

    @cached_property
    def _tests(self) -> dict[tuple[str, int], pd.DataFrame]:
        return {}

    def _test_pairs(self, metric: str, n_resamples: int) -> pd.DataFrame:
        scores = self.per_speaker().pivot(index="speaker", columns="pipeline", values=metric)
        rows = []
        for first, second in combinations(self.pipelines, 2):
            test = paired_test(scores[first], scores[second], n_resamples=n_resamples)
            rows.append(
                {
                    "first": first,
                    "second": second,
                    f"{metric} difference": test.difference,
                    "p permutation": test.p_permutation,
                    "p Wilcoxon": test.p_wilcoxon,
                    "speakers": test.n_speakers,
                }
            )
        columns = ["first", "second", f"{metric} difference", "p permutation", "p Wilcoxon"]
        tests = pd.DataFrame(rows, columns=[*columns, "speakers"])
        if len(tests) > 1:
            for kind in ("permutation", "Wilcoxon"):
                tests[f"p {kind} (Holm)"] = holm_correction(tests[f"p {kind}"])
        return tests

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
            f"{self.corpus}: {self._protocol_label()}, {n_folds} folds, "
            f"{len(self.speakers)} speakers, {self.predictions['row'].nunique()} utterances{seeds}"
        )

    def notes(self) -> list[str]:
        """Say what a reader has to know to read the numbers rightly.

        Returns
        -------
        notes : list of str
        """
        notes = []
        if self.speaker_dependent:
            notes.append(
                "Speaker-DEPENDENT: speakers of the test part are in the training part too; "
                "scores of unseen speakers are lower."
            )
        for name in self.crossing:
            notes.append(
                f"† {name} is tuned across speakers: inner splits have a speaker on both sides. "
                "That concerns the tuning, not the test."
            )
        for name, row in self.table().iterrows():
            if row["transductive"]:
                notes.append(
                    f"*transductive: {row['transductive']}* in {name}: other utterances of the "
                    "test speakers are used, without their labels."
                )
        n_speakers = len(self.speakers)
        if len(self.pipelines) > 1 and n_speakers < 8:
            notes.append(
                f"With {n_speakers} speakers no p-value can be below {2 / 2**n_speakers:.3g}."
            )
        notes.append("Times are means per fold and leave out features computed once for all folds.")
        return notes

    def formatted_table(self) -> pd.DataFrame:
        """Return the table as text, in percent, for people to read.

        Returns
        -------
        table : DataFrame
            Of str, one row per pipeline; a star marks transductive ones, a dagger
            those tuned across speakers.
        """
        table = self.table()
        shown = pd.DataFrame(index=table.index)
        for metric in METRICS:
            shown[f"{metric} pooled"] = table[metric].map("{:.1%}".format)
            shown[f"{metric} folds"] = [
                f"{mean:.1f} ± {sd:.1f} %" if np.isfinite(sd) else f"{mean:.1f} %"
                for mean, sd in zip(
                    100 * table[f"{metric} mean"], 100 * table[f"{metric} SD"], strict=True
                )
            ]
            if f"train {metric}" in table:
                shown[f"{metric} train"] = table[f"train {metric}"].map("{:.1%}".format)
        shown["fit"] = table["fit time"].map("{:.2g} s".format)
        shown["predict"] = table["predict time"].map("{:.2g} s".format)
        shown.index = pd.Index(
            [
                name + " *" * bool(row["transductive"]) + " †" * row["tuned across speakers"]
                for name, row in table.iterrows()
            ],
            name="pipeline",
        )
        return shown

    def _predictions_of(self, pipeline: str) -> pd.DataFrame:
        return self.predictions[self.predictions["pipeline"] == pipeline]

    def _lines(self) -> Sequence[str]:
        lines = [self.header(), "", self.formatted_table().reset_index().to_string(index=False)]
        if len(self.pipelines) > 1:
            tests = self.paired_tests()
            shown = format_tests(tests.head(_N_TESTS_SHOWN)).to_string(index=False)
            lines += ["", "Paired tests over speakers (first minus second)", shown]
            if len(tests) > _N_TESTS_SHOWN:
                lines.append(f"... and {len(tests) - _N_TESTS_SHOWN} more in paired_tests()")
        return [*lines, "", *self.notes()]

    def _protocol_label(self) -> str:
        return f"{self.protocol} (speaker-DEPENDENT)" if self.speaker_dependent else self.protocol


_N_TESTS_SHOWN = 10


def _pooled(predictions: pd.DataFrame, metric: str) -> float:
    """Score all predictions together, seed by seed, and average."""
    score = METRICS[metric]
    scores = [
        score(group["y_true"].to_numpy(object), group["y_pred"].to_numpy(object))
        for _, group in predictions.groupby("seed")
    ]
    return float(np.mean(scores))
