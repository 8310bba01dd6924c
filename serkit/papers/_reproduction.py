"""What experiments of a paper found, beside what was published."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd

from serkit.evaluation import ComparisonResult
from serkit.papers._experiment import Found, without_note

__all__ = ["Reproduction", "read_published"]

_KEYS = ["experiment", "corpus", "system", "metric"]
_PUBLISHED = ["published", "published SD", "source"]


@dataclass(frozen=True)
class Reproduction:
    """What was found, beside what was published.

    Made by :meth:`Paper.reproduce`.

    Parameters
    ----------
    paper : str
        Name of the paper.
    found : list of Found
        What every experiment found, corpus by corpus.
    published : DataFrame
        The tables of the paper.
    not_run : dict of str to str
        Experiments that were left out, and why.

    Examples
    --------
    >>> from serkit.papers import leow2021
    >>> made = leow2021.reproduce(scale="smoke", experiments="mfcc", verbose=0)  # doctest: +SKIP
    >>> made.frame()  # doctest: +SKIP
    """

    paper: str
    found: Sequence[Found]
    published: pd.DataFrame
    not_run: Mapping[str, str] = field(default_factory=dict)

    def frame(self) -> pd.DataFrame:
        """Return one tidy table, ours beside theirs.

        Returns
        -------
        frame : DataFrame
            One row per experiment, corpus, system and metric: ``value`` and ``SD`` over folds
            (here), ``published``, ``published SD`` and ``source``, the table and cell of the
            paper; all in percent, missing where there is none.
        """
        rows = [
            found.rows.assign(experiment=found.experiment, corpus=found.corpus)
            for found in self.found
        ]
        columns = [*_KEYS, "value", "SD", "folds", "seeds", "speakers"]
        if not rows:
            return pd.DataFrame(columns=[*columns, *_PUBLISHED])
        ours = pd.concat(rows, ignore_index=True).reindex(columns=columns)
        ours["known as"] = ours["system"].map(without_note)
        theirs = self.published[[*_KEYS, *_PUBLISHED]].rename(columns={"system": "known as"})
        keys = ["known as" if key == "system" else key for key in _KEYS]
        return ours.merge(theirs, how="left", on=keys).drop(columns="known as")

    @property
    def comparisons(self) -> dict[tuple[str, str], ComparisonResult]:
        """Every prediction and paired test, by experiment and corpus, where folds were compared."""
        return {
            (found.experiment, found.corpus): found.comparison
            for found in self.found
            if found.comparison is not None
        }

    def table(self, experiment: str, corpus: str) -> pd.DataFrame:
        """Return a table as text, one row per system, ours beside theirs.

        Parameters
        ----------
        experiment : str
            Name of an experiment.
        corpus : str
            Name of a corpus.

        Returns
        -------
        table : DataFrame
            Of str.
        """
        frame = self.frame()
        rows = frame[(frame["experiment"] == experiment) & (frame["corpus"] == corpus)]
        shown: dict[str, dict[str, str]] = {}
        for _, row in rows.iterrows():
            cells = shown.setdefault(row["system"], {})
            cells[row["metric"]] = _cell(row["value"], row["SD"])
            if np.isfinite(row["published"]):
                published = _cell(row["published"], row["published SD"])
                cells[f"{row['metric']} published"] = f"{published} ({row['source']})"
        table = pd.DataFrame.from_dict(shown, orient="index").fillna("")
        return table.rename_axis(index="system")

    def to_csv(self, folder: str | os.PathLike) -> list[Path]:
        """Write the tidy table, and a readable one per experiment and corpus.

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
        paths = [folder / f"{self.paper}.csv"]
        self.frame().to_csv(paths[0], index=False)
        for found in self.found:
            path = folder / f"{self.paper}-{found.experiment}-{_slug(found.corpus)}.csv"
            self.table(found.experiment, found.corpus).to_csv(path)
            paths.append(path)
        return paths

    def __str__(self) -> str:
        parts = []
        for found in self.found:
            table = self.table(found.experiment, found.corpus)
            parts.append(f"{self.paper}, {found.experiment}, {found.corpus}\n\n{found.details}")
            if any(column.endswith("published") for column in table):
                parts.append(f"Ours beside theirs, in percent\n{table.to_string()}")
        parts += [f"{name}: not run, {why}" for name, why in self.not_run.items()]
        return "\n\n".join(parts)


@cache
def read_published(name: str) -> pd.DataFrame:
    path = files("serkit.papers").joinpath("published", f"{name}.csv")
    with path.open(encoding="utf-8") as file:
        table = pd.read_csv(file, dtype={"published": float, "published SD": float})
    return table.reindex(columns=[*_KEYS, *_PUBLISHED])


def _cell(value: float, spread: float) -> str:
    return f"{value:.1f} ± {spread:.1f}" if np.isfinite(spread) else f"{value:.1f}"


def _slug(name: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in name).split())
