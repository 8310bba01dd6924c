"""What the pictures of this room share."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from serkit.utils import import_optional

__all__ = [
    "GREY",
    "MARKERS",
    "add_legend",
    "axes_and_figure",
    "class_colors",
    "class_styles",
    "colors",
    "draw_band",
    "finish_curves",
    "grid_of_axes",
    "merge_style",
    "score_summary",
]

#: Distinct for colour-blind eyes too.
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7F7F7F")
MARKERS = "osD^vP*X"
GREY = "#666666"
_LONG_LEGEND = 8


def axes_and_figure(
    display: Any, ax: Any, *, size: tuple[float, float] | None = None
) -> tuple[Any, Any]:
    """Return where a display draws, new axes (of a size in inches) if it is given none."""
    pyplot = import_optional("matplotlib.pyplot", extra="plot", caller=type(display).__name__)
    ax = pyplot.subplots(figsize=size, layout="constrained")[1] if ax is None else ax
    return ax, ax.figure


def grid_of_axes(
    display: Any, axes: Any, shape: tuple[int, int], *, panel: tuple[float, float], n_panels: int
) -> tuple[np.ndarray, Any]:
    """Return as many axes as a display has panels, row by row, new ones if it is given none."""
    pyplot = import_optional("matplotlib.pyplot", extra="plot", caller=type(display).__name__)
    if axes is None:
        n_rows, n_columns = shape
        size = (panel[0] * n_columns, panel[1] * n_rows)
        _, axes = pyplot.subplots(n_rows, n_columns, figsize=size, layout="constrained")
        axes = np.ravel(axes)
        for ax in axes[n_panels:]:
            ax.remove()
        axes = axes[:n_panels]
    axes = np.ravel(axes)
    if len(axes) != n_panels:
        raise ValueError(
            f"{type(display).__name__} draws {n_panels} panels, and {len(axes)} axes are given"
        )
    return axes, axes[0].figure


def score_summary(table: pd.DataFrame, by: list[str], metric: str) -> pd.DataFrame:
    """Return mean and standard deviation over folds of a score, seeds and repeats averaged first.

    A single fold has no standard deviation, and its line no band.
    """
    if missing := [column for column in (*by, "fold", metric) if column not in table]:
        raise ValueError(f"the table has no columns {missing}; it has {list(table.columns)}")
    if table.empty:
        raise ValueError("the table has no rows")
    per_fold = table.groupby([*by, "fold"], sort=False)[metric].mean()
    summary = per_fold.groupby(by, sort=False).agg(["mean", "std"])
    return summary.fillna({"std": 0.0}).reset_index()


def draw_band(ax: Any, x: Any, mean: Any, std: Any, **style: Any) -> tuple[Any, Any]:
    """Draw a line and, one standard deviation to either side, its band."""
    (line,) = ax.plot(x, mean, **style)
    band = ax.fill_between(
        x, mean - std, mean + std, color=line.get_color(), alpha=0.15, linewidth=0
    )
    return line, band


def colors(n_colors: int) -> list[Any]:
    """Return that many colours, none of them twice."""
    if n_colors <= len(_COLORS):
        return list(_COLORS[:n_colors])
    pyplot = import_optional("matplotlib.pyplot", extra="plot", caller="colors")
    return [tuple(color) for color in pyplot.get_cmap("turbo")(np.linspace(0, 1, n_colors))]


def class_colors(*labels: Iterable[Any]) -> dict[Any, Any]:
    """Return the colour of every class, in order."""
    classes = np.unique(np.concatenate([np.asarray(some) for some in labels])).tolist()
    return dict(zip(classes, colors(len(classes)), strict=True))


def class_styles(labels: Iterable[Any]) -> dict[Any, dict[str, Any]]:
    """Return colour and marker of every class, in order; no two classes have both in common."""
    styles: dict[Any, dict[str, Any]] = {}
    for place, label in enumerate(np.unique(np.asarray(labels)).tolist()):
        cycle, color = divmod(place, len(_COLORS))
        styles[label] = {"color": _COLORS[color], "marker": MARKERS[cycle % len(MARKERS)]}
    return styles


def add_legend(ax: Any, n_entries: int) -> None:
    """Draw the legend, beside the axes if it is long."""
    style: dict[str, Any] = {"frameon": False, "fontsize": "small"}
    if n_entries > _LONG_LEGEND:
        n_columns = -(-n_entries // 16)
        style |= {"loc": "upper left", "bbox_to_anchor": (1, 1), "ncols": n_columns}
    ax.legend(**style)


def finish_curves(ax: Any, *, chance: float | None = None) -> None:
    """Draw the score of guessing, if it is given, and the legend."""
    if chance is not None:
        ax.axhline(chance, color=GREY, linestyle=":", linewidth=1, label="chance")
    ax.legend(frameon=False, fontsize="small")


def merge_style(style: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Return a style with what the user gives in its place; a colour has two names."""
    if "c" in given:
        style = {name: value for name, value in style.items() if name != "color"}
    return style | given
