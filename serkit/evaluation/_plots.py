"""Pictures of a comparison, as data URIs that an HTML page can hold."""

import base64
import io
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import ConfusionMatrixDisplay

from serkit.utils import import_optional

__all__ = ["confusion_picture", "interval_picture", "speaker_picture"]

# Shape and colour both tell pipelines apart; the colours are distinct for colour-blind eyes.
_MARKERS = "osD^vP*X"
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7F7F7F")
_INK = "#1c2430"
_DARK = 0.67  # where white stands out from the blue as much as ink does
_STYLE = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.hashsalt": "serkit",
}


def confusion_picture(counts: pd.DataFrame) -> str:
    """Draw a confusion matrix, coloured by recall, with recall and counts in its cells."""
    matplotlib = import_optional("matplotlib", extra="plot", caller="confusion_picture")
    matrix = counts.to_numpy(dtype=float)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    labels = [_literal(label) for label in counts.index]
    size = 2.2 + 0.42 * len(labels)
    with matplotlib.rc_context(_STYLE):
        figure = _figure(size, size)
        axes = figure.add_subplot()
        display = ConfusionMatrixDisplay(shares, display_labels=labels)
        display.plot(ax=axes, cmap="Blues", colorbar=False, im_kw={"vmin": 0, "vmax": 1})
        for row, column in np.ndindex(matrix.shape):
            text = display.text_[row, column]
            text.set_text(f"{100 * shares[row, column]:.0f}\n({matrix[row, column]:.0f})")
            text.set(fontsize=7, color="white" if shares[row, column] > _DARK else _INK)
        axes.tick_params(axis="x", rotation=45, length=0)
        axes.tick_params(axis="y", length=0)
        for label in axes.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")
        axes.set(xlabel="predicted", ylabel="true")
        axes.spines[:].set_visible(False)
        return _data_uri(figure)


def speaker_picture(scores: pd.DataFrame, *, metric: str, chance: float | None = None) -> str:
    """Draw the scores of all speakers, one row per speaker, one marker per pipeline."""
    matplotlib = import_optional("matplotlib", extra="plot", caller="speaker_picture")
    from matplotlib.ticker import PercentFormatter

    table = scores.pivot(index="speaker", columns="pipeline", values=metric)
    table = table[scores["pipeline"].unique()]
    places = np.arange(len(table))[::-1]
    # Equal scores would hide each other on one line.
    shifts = np.linspace(0.22, -0.22, table.shape[1]) if table.shape[1] > 1 else [0.0]
    with matplotlib.rc_context(_STYLE):
        figure = _figure(5.2, 1.2 + 0.34 * len(table) + 0.12 * table.shape[1])
        axes = figure.add_subplot()
        axes.hlines(places, 0, 1, color="#ECEFF2", lw=1, zorder=1)
        for i, (name, shift) in enumerate(zip(table, shifts, strict=True)):
            axes.scatter(
                table[name],
                places + shift,
                marker=_MARKERS[i % len(_MARKERS)],
                s=38,
                color=_COLORS[i % len(_COLORS)],
                edgecolor="white",
                linewidth=0.6,
                label=_literal(textwrap.fill(name, 30)),
                zorder=2,
            )
        if chance is not None:
            axes.axvline(chance, color="#666666", ls=":", lw=1, label="chance")
        axes.set_yticks(places, [_literal(speaker) for speaker in table.index])
        axes.set(xlabel=metric, ylabel="speaker", xlim=(-0.02, 1.02))
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.grid(axis="x", color="#ECEFF2", zorder=0)
        axes.set_axisbelow(True)
        axes.tick_params(axis="y", length=0)
        figure.legend(loc="outside upper left", ncols=2, frameon=False, fontsize=8)
        return _data_uri(figure)


def interval_picture(board: pd.DataFrame, places: Sequence[str], *, metric: str) -> str:
    """Draw the scores of a leaderboard with their intervals, one panel per corpus and protocol."""
    matplotlib = import_optional("matplotlib", extra="plot", caller="interval_picture")
    from matplotlib.ticker import PercentFormatter

    n_columns = min(len(places), 4)
    n_rows = -(-len(places) // n_columns)
    heights = -np.arange(len(board))
    names = [_literal(textwrap.fill(name, 30)) for name in board.index]
    with matplotlib.rc_context(_STYLE):
        figure = _figure(1.6 + 2.6 * n_columns, n_rows * (1.0 + 0.32 * len(board)))
        panels = figure.subplots(n_rows, n_columns, sharex=True, sharey=True, squeeze=False).flat
        for axes, place in zip(panels, places, strict=False):
            ends = [board[f"{metric} {place} {end}"] for end in ("low", "high")]
            axes.hlines(heights, *ends, color=_COLORS[0], lw=1.6)
            axes.plot(board[f"{metric} {place}"], heights, "o", color=_COLORS[0], ms=5)
            axes.set_title(_literal(textwrap.fill(place, 34)), fontsize=8)
            axes.set(xlabel=metric, yticks=heights, yticklabels=names)
            axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
            axes.grid(axis="x", color="#ECEFF2")
            axes.set_axisbelow(True)
            axes.tick_params(axis="y", length=0)
            axes.tick_params(axis="x", labelbottom=True)
        for axes in panels[len(places) :]:
            axes.set_visible(False)
        return _data_uri(figure)


def _figure(width: float, height: float) -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _data_uri(figure: Any) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    return f"data:image/svg+xml;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


def _literal(label: Any) -> str:
    """Keep matplotlib from reading dollar signs as mathematics."""
    return str(label).replace("$", r"\$")
