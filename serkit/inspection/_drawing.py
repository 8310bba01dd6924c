"""What the pictures of this room share."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from serkit.utils import import_optional

__all__ = [
    "GREY",
    "MARKERS",
    "axes_and_figure",
    "class_colors",
    "colors",
    "merge_style",
]

#: Distinct for colour-blind eyes too.
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7F7F7F")
MARKERS = "osD^vP*X"
GREY = "#666666"


def axes_and_figure(display: Any, ax: Any) -> tuple[Any, Any]:
    """Return where a display draws, new axes if it is given none."""
    pyplot = import_optional("matplotlib.pyplot", extra="plot", caller=type(display).__name__)
    ax = pyplot.subplots()[1] if ax is None else ax
    return ax, ax.figure


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


def merge_style(style: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Return a style with what the user gives in its place; a colour has two names."""
    if "c" in given:
        style = {name: value for name, value in style.items() if name != "color"}
    return style | given
