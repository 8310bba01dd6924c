"""The report of a comparison: one HTML file that needs nothing else."""

import datetime
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pandas as pd

from serkit.evaluation._plots import confusion_picture, speaker_picture
from serkit.evaluation._provenance import environment

if TYPE_CHECKING:
    from serkit.evaluation._result import ComparisonResult

__all__ = ["format_tests", "render_report"]

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}
</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


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
        _section("Result", _table(result.formatted_table().reset_index()) + _notes(result)),
    ]
    if len(result.pipelines) > 1:
        sections.append(_section("Paired tests over speakers", _tests(result)))
    sections += [
        _section("Speakers", _speakers(result)),
        _section("Confusion matrices", _confusions(result)),
        _section("Folds", _folds(result)),
        _section("Predictions", _predictions(result)),
        _footer(),
    ]
    style = files("serkit.evaluation").joinpath("report.css").read_text(encoding="utf-8")
    title = escape(f"{result.corpus}: {', '.join(result.pipelines)}")
    return _PAGE.format(title=title, style=style, body="\n".join(sections))


def _header(result: "ComparisonResult") -> str:
    facts = {
        "Corpus": result.corpus,
        "Protocol": result.protocol,
        "Folds": result.folds["fold"].nunique(),
        "Speakers": len(result.speakers),
        "Utterances": result.predictions["row"].nunique(),
        "Classes": ", ".join(map(str, result.labels)),
    }
    items = "".join(
        f"<div><dt>{name}</dt><dd>{escape(str(value))}</dd></div>" for name, value in facts.items()
    )
    separation = (
        '<p class="badge warn">speaker-DEPENDENT: speakers of the test are in training too</p>'
        if result.speaker_dependent
        else '<p class="badge">✓ speaker-independent: no speaker in both training and test</p>'
    )
    if result.crossing:
        names = escape(", ".join(result.crossing))
        separation += f'<p class="badge warn">† tuned across speakers: {names}</p>'
    title = f"<h1>Comparison on {escape(result.corpus)}</h1>"
    return f"<header>{title}{separation}<dl>{items}</dl></header>"


def _notes(result: "ComparisonResult") -> str:
    definitions = [
        "UAR: recall, averaged over the classes. WA: share of utterances recognised. "
        "Pooled: all predictions together. Folds: mean ± standard deviation over folds."
    ]
    return "".join(f'<p class="note">{escape(note)}</p>' for note in definitions + result.notes())


def format_tests(tests: pd.DataFrame) -> pd.DataFrame:
    """Return paired tests as text: differences in percent, small p-values as a bound."""
    shown = tests.copy()
    for column in tests.columns[2:]:
        if column.startswith("p "):
            shown[column] = tests[column].map(_p_value)
        elif column.endswith("difference"):
            shown[column] = tests[column].map("{:+.1%}".format)
    return shown


def _tests(result: "ComparisonResult") -> str:
    return _table(format_tests(result.paired_tests())) + (
        '<p class="note">Difference: first minus second, mean over speakers. Sign-flip permutation '
        "test and Wilcoxon's signed-rank test, both two-sided.</p>"
    )


def _p_value(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _speakers(result: "ComparisonResult") -> str:
    scores = result.per_speaker()
    table = scores.pivot(index="speaker", columns="pipeline", values="UAR")[result.pipelines]
    table = table.map("{:.1%}".format).rename_axis(columns=None).reset_index()
    n_classes = result.predictions["y_true"].nunique()
    picture = _picture(
        lambda: speaker_picture(scores, metric="UAR", chance=1 / n_classes),
        "UAR of every speaker with every pipeline; the numbers are in the table below",
    )
    if picture is None:
        return _table(table)
    return picture + _details("UAR per speaker as a table", _table(table))


def _confusions(result: "ComparisonResult") -> str:
    figures = []
    for name in result.pipelines:
        counts = result.confusion(name)
        picture = _picture(lambda counts=counts: confusion_picture(counts), f"Confusions of {name}")
        content = picture or _table(counts.rename_axis(columns=None).reset_index())
        figures.append(f"<figure><figcaption>{escape(name)}</figcaption>{content}</figure>")
    note = "Rows are true, columns predicted; recall in percent, counts in brackets."
    return f'<div class="gallery">{"".join(figures)}</div><p class="note">{note}</p>'


def _picture(draw: Any, alt: str) -> str | None:
    try:
        return f'<img src="{draw()}" alt="{escape(alt)}">'
    except ImportError:  # matplotlib is an extra; tables stand in
        return None


def _folds(result: "ComparisonResult") -> str:
    folds = result.folds.copy()
    for metric in ("UAR", "WA"):
        folds[metric] = folds[metric].map("{:.1%}".format)
    for time in ("fit_time", "predict_time"):
        folds[time] = folds[time].map("{:.3g} s".format)
    shown = folds.drop(columns=["train_speakers"])
    blank = [name for name in shown if (shown[name].astype(str) == "").all()]
    return _details(f"{len(folds)} fits", _table(shown.drop(columns=blank)))


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
        blocks.append(_details(f"{name}: {len(shown)} predictions", _table(shown)))
    return "".join(blocks)


def _footer() -> str:
    when = datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    versions = ", ".join(f"{name} {version}" for name, version in environment().items())
    return f"<footer>{escape(when)} · {escape(versions)}</footer>"


def _section(title: str, content: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{content}</section>"


def _details(summary: str, content: str) -> str:
    return f"<details><summary>{escape(summary)}</summary>{content}</details>"


def _table(frame: pd.DataFrame) -> str:
    html = frame.to_html(index=False, border=0, escape=True, na_rep="")
    return f'<div class="scroll">{html}</div>'
