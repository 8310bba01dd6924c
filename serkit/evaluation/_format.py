"""Tables as text for people to read: percent, intervals, bounds of small p-values."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from serkit.evaluation._metrics import METRICS

__all__ = ["blank_if_missing", "format_interval", "format_p", "format_table", "format_tests"]


def format_table(table: pd.DataFrame, marks: list[str]) -> pd.DataFrame:
    """Return the table of a comparison as text, with marks behind the names."""
    shown = pd.DataFrame(index=table.index)
    for metric in METRICS:
        shown[f"{metric} pooled"] = table[metric].map("{:.1%}".format)
        shown[f"{metric} 95%"] = _intervals(table[f"{metric} low"], table[f"{metric} high"])
        shown[f"{metric} folds"] = _deviations(table[f"{metric} mean"], table[f"{metric} SD"])
        if f"{metric} SD of seeds" in table:
            shown[f"{metric} seeds"] = _deviations(
                table[f"{metric} mean"], table[f"{metric} SD of seeds"]
            )
        if f"train {metric}" in table:
            shown[f"{metric} train"] = table[f"train {metric}"].map("{:.1%}".format)
    shown["fit"] = table["fit time"].map("{:.2g} s".format)
    shown["predict"] = table["predict time"].map("{:.2g} s".format)
    shown.index = pd.Index(
        [name + mark for name, mark in zip(table.index, marks, strict=True)], name="pipeline"
    )
    return shown


def format_tests(tests: pd.DataFrame, *, brief: bool = False) -> pd.DataFrame:
    """Return paired tests as text; the brief form has the test to report and the sizes."""
    shown = pd.DataFrame(index=tests.index)
    for column in tests:
        if column in ("low", "high"):
            continue
        if column.endswith("difference"):
            shown[column] = tests[column].map(blank_if_missing("{:+.1%}".format))
            if column == "pooled difference":
                shown["95% interval"] = _intervals(tests["low"], tests["high"], "{:+.1f}")
        elif column.startswith("p "):
            shown[column] = tests[column].map(format_p)
        elif tests[column].dtype.kind == "f":
            shown[column] = tests[column].map(blank_if_missing("{:+.2f}".format))
        else:
            shown[column] = tests[column]
    if brief:
        others = [c for c in shown if c.startswith(("p Wilcoxon", "p resampled", "rank-"))]
        shown = shown.drop(columns=others)
    return shown


def format_p(p: float) -> str:
    """Return a p-value as text, a small one as a bound."""
    if np.isnan(p):
        return ""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def blank_if_missing(form: Callable[[Any], str]) -> Callable[[Any], str]:
    """Return a function that says nothing of NaN."""
    return lambda value: "" if np.isnan(value) else form(value)


def format_interval(low: float, high: float, form: str = "{:.1f}") -> str:
    """Return the ends of an interval in percent; nothing without one."""
    if np.isnan(low) or np.isnan(high):
        return ""
    return f"{form.format(100 * low)} to {form.format(100 * high)}"


def _intervals(low: pd.Series, high: pd.Series, form: str = "{:.1f}") -> list[str]:
    return [format_interval(*ends, form) for ends in zip(low, high, strict=True)]


def _deviations(means: pd.Series, deviations: pd.Series) -> list[str]:
    return [
        f"{mean:.1f} ± {sd:.1f} %" if np.isfinite(sd) else f"{mean:.1f} %"
        for mean, sd in zip(100 * means, 100 * deviations, strict=True)
    ]
