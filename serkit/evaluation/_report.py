"""The report of a comparison: one HTML file that needs nothing else."""

from functools import partial
from html import escape
from typing import TYPE_CHECKING

import pandas as pd

from serkit.evaluation._format import blank_if_missing, format_tests
from serkit.evaluation._html import (
    details,
    header,
    html_picture,
    html_table,
    notes,
    render_page,
    section,
)
from serkit.evaluation._plots import confusion_picture, speaker_picture

if TYPE_CHECKING:
    from serkit.evaluation._result import ComparisonResult

__all__ = ["DEFINITIONS", "confusions", "paired_tests", "render_report"]

DEFINITIONS = (
    "UAR: recall, averaged over the classes. WA: share of utterances recognised. Pooled: all "
    "predictions together; 95%: interval over speakers, who are drawn again with all their "
    "utterances. Folds: mean ± standard deviation over folds. Seeds: the same mean ± standard "
    "deviation over seeds."
)
ABOUT_TESTS = (
    "Difference: first minus second, mean over speakers. Pooled difference: of the pooled scores, "
    "with its interval over speakers. Hedges g: difference in standard deviations over speakers. "
    "p: the two-sided sign-flip permutation test over speakers, which is the one to report, "
    "corrected for the number of tests."
)
ABOUT_OTHER_TESTS = (
    "Rank-biserial: 1 if the first is better for every speaker. Wilcoxon's signed-rank test is "
    "over speakers too, the corrected resampled t test over folds. All are two-sided."
)


def render_report(result: "ComparisonResult") -> str:
    """Return the report as one HTML page.

    Parameters
    ----------
    result : ComparisonResult
        What to report.

    Returns
    -------
    page : str
    """
    sections = [
        _header(result),
        section("Result", _table(result)),
    ]
    if len(result.pipelines) > 1:
        sections.append(section("Paired tests over speakers", paired_tests(result)))
    sections += [
        section("Speakers", _speakers(result)),
        section("Confusion matrices", confusions(result)),
        section("Folds", _folds(result)),
        section("Predictions", _predictions(result)),
    ]
    if result.failures:
        failed = html_table(pd.DataFrame(result.failures), label="Folds without a result")
        sections.append(section("Folds without a result", failed))
    return render_page(f"{result.corpus}: {', '.join(result.pipelines)}", sections)


def _header(result: "ComparisonResult") -> str:
    facts = {
        "Corpus": result.corpus,
        "Protocol": result.protocol,
        "Folds": result.folds["fold"].nunique(),
        "Speakers": len(result.speakers),
        "Utterances": result.predictions["row"].nunique(),
        "Classes": ", ".join(map(str, result.labels)),
    }
    return header(
        f"Comparison on {result.corpus}",
        facts,
        speaker_dependent=result.speaker_dependent,
        crossing=result.crossing,
    )


def _table(result: "ComparisonResult") -> str:
    table = html_table(result.formatted_table().reset_index(), label="Result")
    return table + notes([DEFINITIONS, *result.notes()])


def paired_tests(result: "ComparisonResult") -> str:
    """Return the test to report, and on a click all others."""
    tests = result.paired_tests()
    brief = html_table(format_tests(tests, brief=True), label="Paired tests over speakers")
    every = html_table(format_tests(tests), label="All paired tests")
    return (
        brief
        + notes([ABOUT_TESTS])
        + details("All tests and sizes", every + notes([ABOUT_OTHER_TESTS]))
    )


def _speakers(result: "ComparisonResult") -> str:
    scores = result.per_speaker()
    table = scores.pivot(index="speaker", columns="pipeline", values="UAR")[result.pipelines]
    table = table.map(blank_if_missing("{:.1%}".format)).rename_axis(columns=None).reset_index()
    n_classes = result.predictions["y_true"].nunique()
    numbers = html_table(table, label="UAR per speaker")
    picture = html_picture(
        lambda: speaker_picture(scores, metric="UAR", chance=1 / n_classes),
        "UAR of every speaker with every pipeline; the table has the numbers",
    )
    return numbers if picture is None else f'<div class="beside">{picture}{numbers}</div>'


def confusions(result: "ComparisonResult") -> str:
    """Return the confusion matrices of all pipelines."""
    figures = []
    for name in result.pipelines:
        counts = result.confusion(name)
        draw = partial(confusion_picture, counts)
        picture = html_picture(draw, f"Confusions of {name}")
        content = picture or _counts(counts, name)
        figures.append(f"<figure><figcaption>{escape(name)}</figcaption>{content}</figure>")
    note = "Rows are true, columns predicted; recall in percent, counts in brackets."
    return f'<div class="gallery">{"".join(figures)}</div><p class="note">{note}</p>'


def _counts(counts: pd.DataFrame, name: str) -> str:
    return html_table(counts.rename_axis(columns=None).reset_index(), label=f"Confusions of {name}")


def _folds(result: "ComparisonResult") -> str:
    folds = result.folds.copy()
    for metric in folds.columns.intersection(["UAR", "WA", "train UAR", "train WA"]):
        folds[metric] = folds[metric].map("{:.1%}".format)
    for time in ("fit_time", "predict_time"):
        folds[time] = folds[time].map("{:.3g} s".format)
    shown = folds.drop(columns=["train_speakers"])
    blank = [name for name in shown if (shown[name].astype(str) == "").all()]
    return details(f"{len(folds)} fits", html_table(shown.drop(columns=blank), label="Folds"))


def _predictions(result: "ComparisonResult") -> str:
    blocks = []
    for name, group in result.predictions.groupby("pipeline", sort=False):
        shown = group.drop(columns="pipeline").dropna(axis=1, how="all").sort_values("row")
        for column in shown.columns[shown.columns.str.startswith("score[")]:
            shown[column] = shown[column].map("{:.3f}".format)
        shown.insert(
            shown.columns.get_loc("y_pred") + 1,
            "right",
            ["✓" if right else "✗" for right in shown["y_true"] == shown["y_pred"]],
        )
        table = html_table(shown, label=f"Predictions of {name}")
        blocks.append(details(f"{name}: {len(shown)} predictions", table))
    return "".join(blocks)
