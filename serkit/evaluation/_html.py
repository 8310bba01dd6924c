"""Pieces of an HTML page that needs nothing else."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any

import pandas as pd

from serkit.evaluation._provenance import environment

__all__ = [
    "details",
    "header",
    "html_picture",
    "html_table",
    "notes",
    "render_page",
    "section",
]

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


def render_page(title: str, sections: Sequence[str]) -> str:
    """Return the whole page."""
    style = files("serkit.evaluation").joinpath("report.css").read_text(encoding="utf-8")
    return _PAGE.format(title=escape(title), style=style, body="\n".join([*sections, _footer()]))


def header(
    title: str, facts: Mapping[str, Any], *, speaker_dependent: bool, crossing: Sequence[str]
) -> str:
    """Return the head of a page: what was compared, and whether speakers are kept apart."""
    items = "".join(
        f"<div><dt>{name}</dt><dd>{escape(str(value))}</dd></div>" for name, value in facts.items()
    )
    separation = (
        '<p class="badge warn">speaker-DEPENDENT: speakers of the test are in training too</p>'
        if speaker_dependent
        else '<p class="badge">✓ speaker-independent: no speaker in both training and test</p>'
    )
    if crossing:
        names = escape(", ".join(crossing))
        separation += f'<p class="badge warn">† tuned across speakers: {names}</p>'
    return f"<header><h1>{escape(title)}</h1>{separation}<dl>{items}</dl></header>"


def html_picture(draw: Callable[[], str], alt: str) -> str | None:
    """Return a picture, or None without matplotlib."""
    try:
        return f'<img src="{draw()}" alt="{escape(alt)}">'
    except ImportError:  # matplotlib is an extra; tables stand in
        return None


def _footer() -> str:
    """Return when and with what the page was made."""
    when = datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    versions = ", ".join(f"{name} {version}" for name, version in environment().items())
    return f"<footer>{escape(when)} · {escape(versions)}</footer>"


def section(title: str, content: str) -> str:
    """Return a part with a heading."""
    return f"<section><h2>{escape(title)}</h2>{content}</section>"


def details(summary: str, content: str) -> str:
    """Return what is shown on a click."""
    return f"<details><summary>{escape(summary)}</summary>{content}</details>"


def html_table(frame: pd.DataFrame) -> str:
    """Return a table without its index."""
    classes = "pairs" if list(frame.columns[:2]) == ["first", "second"] else None
    html = frame.to_html(index=False, border=0, escape=True, na_rep="", classes=classes)
    return f'<div class="scroll">{html}</div>'


def notes(texts: Sequence[str]) -> str:
    """Return texts in small print."""
    return "".join(f'<p class="note">{escape(text)}</p>' for text in texts)
