"""Charts that fit any width and that colour-blind eyes can read."""

from typing import Any

import altair as alt
import pandas as pd

__all__ = [
    "class_scores",
    "confusion",
    "pipelines_with_intervals",
    "recalls_of_two",
    "scores_over_time",
]

#: The palette of serkit's pictures.
_COLORS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7F7F7F"]
_DASHES = [[1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 2], [10, 4], [1, 3], [6, 2, 1, 2]]
_INK = "#1c2430"


def confusion(counts: pd.DataFrame) -> alt.Chart:
    """Draw a confusion matrix; cells are shaded by the share of the true class."""
    shares = counts.div(counts.sum(axis=1).clip(lower=1), axis=0)
    cells = counts.stack().rename("count").to_frame()
    cells["share"] = shares.stack()
    cells = cells.reset_index()
    order = [str(label) for label in counts.index]
    cells[["true", "predicted"]] = cells[["true", "predicted"]].astype(str)
    base = alt.Chart(cells).encode(
        x=alt.X("predicted:N", sort=order, axis=alt.Axis(labelAngle=-40, orient="bottom")),
        y=alt.Y("true:N", sort=order),
    )
    squares = base.mark_rect(stroke="#ffffff", strokeWidth=2).encode(
        color=alt.Color("share:Q", scale=alt.Scale(scheme="blues", domain=[0, 1]), legend=None),
        tooltip=["true", "predicted", "count", alt.Tooltip("share:Q", format=".0%")],
    )
    numbers = base.mark_text(fontSize=13).encode(
        text="count:Q",
        color=alt.condition("datum.share > 0.55", alt.value("white"), alt.value(_INK)),
    )
    return (squares + numbers).properties(height=max(200, 48 * len(order) + 60))


def class_scores(scores: pd.Series, *, true: Any, predicted: Any, posterior: bool) -> alt.Chart:
    """Draw a bar per class; words say which is true and which is predicted."""

    def mark(label: Any) -> str:
        marks = [word for word, of in (("true", true), ("predicted", predicted)) if label == of]
        return " and ".join(marks)

    table = pd.DataFrame(
        {
            "class": [str(label) for label in scores.index],
            "value": scores.to_numpy(),
            "mark": [mark(label) for label in scores.index],
            "shown": [f"{v:.0%}" if posterior else f"{v:.2f}" for v in scores],
        }
    )
    table["text"] = [
        f"{v}  {m}".strip() for v, m in zip(table["shown"], table["mark"], strict=True)
    ]
    scale = alt.Scale(domain=[0, 1.45]) if posterior else alt.Scale(nice=True, padding=60)
    title = "posterior" if posterior else "decision value"
    axis = alt.Axis(values=[0, 0.5, 1], format="%") if posterior else alt.Axis()
    base = alt.Chart(table).encode(
        y=alt.Y("class:N", sort=None, title=None),
        x=alt.X("value:Q", title=title, scale=scale, axis=axis),
    )
    bars = base.mark_bar(cornerRadiusEnd=2).encode(
        color=alt.condition(
            f"datum['class'] === {str(predicted)!r}", alt.value("#0072B2"), alt.value("#b8c4d0")
        ),
        tooltip=["class", "shown", "mark"],
    )
    words = base.mark_text(align="left", dx=5, color=_INK).encode(text="text:N")
    return (bars + words).properties(height=max(120, 30 * len(table) + 40))


def pipelines_with_intervals(table: pd.DataFrame, metric: str) -> alt.Chart:
    """Draw a score of every pipeline with its 95 % interval."""
    table = table.reset_index()
    data = pd.DataFrame(
        {
            "pipeline": table["pipeline"],
            metric: table[metric],
            "low": table[f"{metric} low"],
            "high": table[f"{metric} high"],
        }
    )
    y = alt.Y("pipeline:N", sort=None, title=None, axis=alt.Axis(labelLimit=170))
    scale = alt.Scale(domain=[0, 1])
    base = alt.Chart(data).encode(y=y)
    lines = base.mark_rule(strokeWidth=3, color="#8fb4dc").encode(
        x=alt.X(
            "low:Q",
            scale=scale,
            title=f"{metric}, with 95 % interval over speakers",
            axis=alt.Axis(format="%", tickCount=5),
        ),
        x2="high:Q",
    )
    tips = ["pipeline", *(alt.Tooltip(f"{c}:Q", format=".1%") for c in (metric, "low", "high"))]
    points = base.mark_point(filled=True, size=110, color="#0b5cab", opacity=1).encode(
        x=alt.X(f"{metric}:Q", scale=scale), tooltip=tips
    )
    return (lines + points).properties(height=38 * len(data) + 60)


def recalls_of_two(recalls: pd.DataFrame) -> alt.Chart:
    """Draw the recall of every emotion by two pipelines."""
    long = recalls.rename_axis(index="emotion", columns="pipeline").stack().rename("recall")
    names = list(recalls.columns)
    return (
        alt.Chart(long.reset_index())
        .mark_bar(cornerRadiusEnd=2)
        .encode(
            y=alt.Y("emotion:N", title=None),
            yOffset=alt.YOffset("pipeline:N", sort=names),
            x=alt.X(
                "recall:Q", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=5)
            ),
            color=alt.Color(
                "pipeline:N",
                sort=names,
                scale=alt.Scale(domain=names, range=_COLORS[:2]),
                legend=alt.Legend(orient="top", title=None, columns=1, labelLimit=300),
            ),
            tooltip=["emotion", "pipeline", alt.Tooltip("recall:Q", format=".0%")],
        )
        .properties(height=60 * len(recalls) + 100)
    )


def scores_over_time(table: pd.DataFrame, classes: list[str], *, posterior: bool) -> alt.Chart:
    """Draw a line per class over the middles of the windows; dashes differ, too."""
    middles = (table["start"] + table["end"]) / 2
    long = table[classes].assign(time=middles).melt("time", var_name="class", value_name="value")
    scale = alt.Scale(domain=[0, 1]) if posterior else alt.Scale()
    legend = alt.Legend(
        orient="top", title=None, columns=2, symbolType="stroke", symbolSize=500, labelLimit=150
    )
    return (
        alt.Chart(long)
        .mark_line(point=alt.OverlayMarkDef(size=25), strokeWidth=2)
        .encode(
            x=alt.X("time:Q", title="time, s"),
            y=alt.Y("value:Q", title="posterior" if posterior else "decision value", scale=scale),
            color=alt.Color(
                "class:N",
                scale=alt.Scale(domain=classes, range=_repeat(_COLORS, len(classes))),
                legend=legend,
            ),
            strokeDash=alt.StrokeDash(
                "class:N",
                scale=alt.Scale(domain=classes, range=_repeat(_DASHES, len(classes))),
                legend=legend,
            ),
            tooltip=[
                alt.Tooltip("time:Q", format=".2f"),
                "class",
                alt.Tooltip("value:Q", format=".2f"),
            ],
        )
        .properties(height=320)
    )


def _repeat(values: list, length: int) -> list:
    return [values[number % len(values)] for number in range(length)]
