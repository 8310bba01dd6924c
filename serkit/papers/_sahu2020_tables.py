"""Tables of what generated vectors are worth, and what it costs to find out."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from serkit.datasets import Corpus
from serkit.papers._experiment import Experiment
from serkit.papers._sahu2020_models import (
    MODELS,
    SIZES,
    cost_of_epoch,
    epochs_of,
    make_model,
)
from serkit.papers._setting import Setting

__all__ = ["GeneratorExperiment", "about", "as_rows", "as_text", "every_model", "join_rows"]

#: Name and factor of every figure of a report.
_METRICS = {
    "TRTS": ("TRTS", 100),
    "TSTR": ("TSTR", 100),
    "frechet": ("Fréchet", 1),
    "TRTS_train": ("TRTS train", 100),
    "TSTR_train": ("TSTR train", 100),
    "TRTS_valid": ("TRTS held out", 100),
    "TSTR_valid": ("TSTR held out", 100),
    "frechet_train": ("Fréchet train", 1),
    "frechet_valid": ("Fréchet held out", 1),
    "frechet_all": ("Fréchet all", 1),
    "sd_ratio": ("SD ratio", 100),
    "seconds": ("CPU seconds", 1),
}


@dataclass(frozen=True)
class GeneratorExperiment(Experiment):
    """Generative models trained on vectors, for a number of updates."""

    @abstractmethod
    def n_fits(self, setting: Setting, n_folds: int) -> dict[str, int]:
        """Return how many times every model is trained on a corpus."""

    def learnt(self, setting: Setting) -> Sequence[Corpus]:
        """Return the corpora that models are trained on."""
        return list(setting.corpora.values())

    def estimate(self, setting: Setting) -> pd.DataFrame:
        """Measure what an epoch of every model costs; the rest takes minutes."""
        rows = []
        for corpus in self.learnt(setting):
            n_folds, y = len(self.folds(corpus, setting).parts), corpus.y.astype(str)
            for name, n_fits in self.n_fits(setting, n_folds).items():
                if setting.wants(name):
                    model = make_model(name, setting.scale, device=setting.device)
                    seconds = cost_of_epoch(model, y)
                    rows.append(self.cost(corpus, name, n_fits, epochs_of(model, len(y)), seconds))
        return pd.DataFrame(rows)


def every_model(n_fits: int) -> dict[str, int]:
    """Return the same number for every model."""
    return dict.fromkeys(MODELS, n_fits)


def about(setting: Setting, n_repeats: int = 1) -> str:
    """Describe how long models are trained, what they draw, and how often."""
    sizes = SIZES[setting.scale]
    often = f", {n_repeats} repeats" if n_repeats > 1 else ""
    return f"{sizes['max_updates']} updates, {sizes['n_samples']} synthetic rows{often}"


def as_rows(reports: Sequence[dict[str, Any]], *, over: str = "fold") -> pd.DataFrame:
    """Return the rows of :class:`Found`.

    Parameters
    ----------
    reports : sequence of dict
        With a ``system``, a ``fold`` or ``repeat``, and figures.
    over : str, default="fold"
        What deviations are over; the rest is averaged before.

    Returns
    -------
    rows : DataFrame
        In percent, but for distances and seconds.
    """
    if not reports:
        return pd.DataFrame()
    table = pd.DataFrame(reports)
    n_repeats = table["repeat"].nunique() if "repeat" in table else 1
    means = table.groupby(["system", over], sort=False).mean(numeric_only=True)
    groups = means.groupby("system", sort=False)
    rows = [
        {
            "system": system,
            "metric": name,
            "value": factor * group[column].mean(),
            "SD": factor * group[column].std(),
            "folds": len(group),
            "seeds": n_repeats,
        }
        for system, group in groups
        for column, (name, factor) in _METRICS.items()
        if column in group and group[column].notna().any()
    ]
    return pd.DataFrame(rows)


def join_rows(*tables: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of all tables that have some."""
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame()


def as_text(rows: pd.DataFrame, reports: Sequence[dict[str, Any]] = ()) -> str:
    """Return a table of mean ± deviation, and what has diverged.

    Parameters
    ----------
    rows : DataFrame
        Made by :func:`as_rows`.
    reports : sequence of dict, default=()
        What they were made of.

    Returns
    -------
    text : str
    """
    spread = rows["SD"].map(" ± {:.1f}".format).where(rows["SD"].notna(), "")
    cells = rows.assign(cell=rows["value"].map("{:.1f}".format) + spread)
    table = cells.pivot(index="system", columns="metric", values="cell")
    table = table.reindex(index=rows["system"].unique(), columns=rows["metric"].unique())
    lines = [table.rename_axis(index=None, columns=None).fillna("").to_string()]
    broken = {(report["system"], report["diverged"]) for report in reports if "diverged" in report}
    lines += [f"{system}: diverged, {why}" for system, why in sorted(broken)]
    return "\n".join(lines)
