"""Papers: their experiments, their published tables, and both side by side."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from serkit.datasets import Corpus
from serkit.evaluation import ComparisonResult
from serkit.papers._experiment import Experiment, Found, without_note
from serkit.papers._handed_in import made_corpora, sort_out
from serkit.papers._setting import SCALES, Setting, as_folder, pairs_of_speakers

__all__ = ["Paper", "Reproduction"]

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


class Paper:
    """A paper: what it did, what it found, and how to do it again.

    Parameters
    ----------
    name : str
        Author and year.
    reference : str
        What to cite.
    experiments : sequence of Experiment
        What it did.
    folds : callable
        Takes a corpus, returns the splitter of the paper for it.

    Examples
    --------
    >>> from serkit.papers import leow2021
    >>> leow2021.list_experiments()["corpora"].to_dict()["mfcc"]
    'emodb, ravdess'
    >>> best = leow2021.published().query("system == 'DAT, gamma 3.33, 1 block'")
    >>> best.query("experiment == 'mfcc'").published.tolist()
    [73.6, 60.6]
    """

    def __init__(
        self,
        name: str,
        reference: str,
        experiments: Sequence[Experiment],
        *,
        folds: Callable[[Corpus], Any] = pairs_of_speakers,
    ):
        self.name = name
        self.reference = reference
        self.folds = folds
        self._experiments = {experiment.name: experiment for experiment in experiments}

    def __repr__(self) -> str:
        return f"<{self.name}: {', '.join(self._experiments)}>"

    def list_experiments(self) -> pd.DataFrame:
        """List what can be run.

        Returns
        -------
        experiments : DataFrame
            By name: ``title``, ``part`` of the paper, ``corpora`` that it was run on there.
        """
        return pd.DataFrame(
            {
                "title": experiment.title,
                "part": experiment.part,
                "corpora": ", ".join(experiment.corpora),
            }
            for experiment in self._experiments.values()
        ).set_index(pd.Index(self._experiments, name="experiment"))

    def published(self) -> pd.DataFrame:
        """Return the tables of the paper.

        Returns
        -------
        published : DataFrame
            One row per cell: ``experiment``, ``corpus``, ``system``, ``metric``, the value
            ``published`` and its standard deviation ``published SD`` (in percent, or missing),
            ``source`` (table and cell). A system is named as ours is, without what that
            says in brackets of being other than in the paper.
        """
        return _read_published(self.name).copy()

    def pipelines(
        self, experiment: str, corpus: Corpus, *, scale: str = "bench"
    ) -> dict[str, BaseEstimator]:
        """Make the systems of an experiment, as pipelines from audio to emotions.

        Parameters
        ----------
        experiment : str
            Its name.
        corpus : Corpus
            On which networks choose their validation speakers.
        scale : {"smoke", "bench", "paper"}, default="bench"
            How large they are.

        Returns
        -------
        pipelines : dict of str to estimator
            Unfitted.
        """
        found = self._find(experiment)
        setting = Setting({corpus.name or "corpus": corpus}, _check_scale(scale))
        return setting.wanted(found.makers(found.folds(corpus, setting)))

    def reproduce(
        self,
        corpora: Mapping[str, Any] | None = None,
        experiments: str | Sequence[str] | None = None,
        *,
        scale: str = "bench",
        seeds: Sequence[int] = (0,),
        folds: Sequence[int] | None = None,
        systems: Sequence[str] | None = None,
        device: str = "auto",
        results_dir: str | os.PathLike | None = None,
        n_jobs: int | None = None,
        verbose: int | bool = 1,
    ) -> Reproduction:
        """Run experiments of the paper, and put what is found beside what was published.

        Every finished fold is kept in `results_dir`: a run that was stopped goes on there.

        Parameters
        ----------
        corpora : dict of str to Corpus or path-like, or None, default=None
            The corpora by name; a folder is loaded by :func:`serkit.datasets.load_corpus`, a CSV
            file by :func:`~serkit.datasets.load_manifest`.
            ``"musan"``, or ``"noise"``, any folder of audio files, is what is added to speech.
            ``None``, for ``scale="smoke"`` only, takes made speech.
        experiments : str, sequence of str or None, default=None
            Which, see :meth:`list_experiments`; ``None`` is all.
        scale : {"smoke", "bench", "paper"}, default="bench"
            "smoke" is an epoch of tiny networks, "bench" at most 40 epochs on some folds, with
            networks that a laptop trains, "paper" the sizes, epochs and folds of the paper.
        seeds : sequence of int, default=(0,)
            One run for each.
        folds : sequence of int or None, default=None
            Fewer folds than the scale has.
        systems : sequence of str or None, default=None
            Beginnings of the names of the systems to run; ``None`` is all.
        device : str, default="auto"
            Where networks are trained.
        results_dir : path-like or None, default=None
            Where finished results are kept; ``None`` keeps nothing.
        n_jobs : int or None, default=None
            Folds computed in parallel.
        verbose : int or bool, default=1
            Show progress bars when positive.

        Returns
        -------
        reproduction : Reproduction
            Tables, ours beside theirs.

        Raises
        ------
        ValueError
            If there is no such experiment, scale or corpus, or no corpus that it can run on.
        """
        setting = self._setting(corpora, scale, folds, systems, device, results_dir, seeds)
        setting = Setting(**{**vars(setting), "n_jobs": n_jobs, "verbose": verbose})
        found: list[Found] = []
        not_run = {}
        for experiment in self._chosen(experiments):
            usable = _usable(experiment, setting)
            if usable is None:
                not_run[experiment.name] = experiment.needs
                continue
            found += experiment.run(usable)
        return Reproduction(self.name, found, self.published(), not_run)

    def estimate(
        self,
        corpora: Mapping[str, Any] | None = None,
        experiments: str | Sequence[str] | None = None,
        *,
        scale: str = "bench",
        seeds: Sequence[int] = (0,),
        folds: Sequence[int] | None = None,
        systems: Sequence[str] | None = None,
        device: str = "auto",
    ) -> pd.DataFrame:
        """Measure what :meth:`reproduce` would cost, by an epoch or two of every network.

        Parameters
        ----------
        corpora, experiments, scale, seeds, folds, systems, device : object
            See :meth:`reproduce`.

        Returns
        -------
        costs : DataFrame
            One row per experiment, corpus and system: ``fits``, ``epochs`` at most, CPU
            ``seconds per epoch``, ``hours`` at most. What has no epochs takes minutes.
        """
        setting = self._setting(corpora, scale, folds, systems, device, None, seeds)
        usable = (
            (experiment, _usable(experiment, setting)) for experiment in self._chosen(experiments)
        )
        costs = [experiment.estimate(found) for experiment, found in usable if found is not None]
        return pd.concat(costs, ignore_index=True) if costs else pd.DataFrame()

    def _setting(
        self,
        corpora: Mapping[str, Any] | None,
        scale: str,
        folds: Sequence[int] | None,
        systems: Sequence[str] | None,
        device: str,
        results_dir: str | os.PathLike | None,
        seeds: Sequence[int],
    ) -> Setting:
        if corpora is None:
            if scale != "smoke":
                raise ValueError(
                    f'corpora are needed at scale {scale!r}: {{"emodb": "path/to/emodb"}}, or '
                    "--data emodb=path/to/emodb on the command line"
                )
            corpora = made_corpora()
        speech, noises = sort_out(corpora)
        return Setting(
            speech,
            _check_scale(scale),
            _whole_numbers("seeds", seeds) or (0,),
            None if folds is None else _whole_numbers("folds", folds),
            None if systems is None else tuple(systems),
            device,
            as_folder(results_dir),
            noises=noises,
        )

    def _chosen(self, experiments: str | Sequence[str] | None) -> Iterator[Experiment]:
        names = [experiments] if isinstance(experiments, str) else experiments
        return iter([self._find(name) for name in names or self._experiments])

    def _find(self, experiment: str) -> Experiment:
        try:
            return self._experiments[experiment]
        except KeyError:
            raise ValueError(
                f"{self.name} has no experiment {experiment!r}; it has "
                f"{', '.join(self._experiments)}"
            ) from None


def _usable(experiment: Experiment, setting: Setting) -> Setting | None:
    """Return the setting with those corpora that an experiment can run on."""
    corpora = {
        name: corpus
        for name, corpus in setting.corpora.items()
        if experiment.any_corpus or setting.scale == "smoke" or name in experiment.corpora
    }
    enough = len(corpora) >= experiment.n_corpora
    enough &= bool(setting.noises) or not experiment.with_noise
    return replace(setting, corpora=corpora) if enough else None


def _check_scale(scale: str) -> str:
    if scale not in SCALES:
        raise ValueError(f"scale must be one of {', '.join(SCALES)}, got {scale!r}")
    return scale


def _whole_numbers(name: str, values: Sequence[int]) -> tuple[int, ...]:
    numbers = [values] if isinstance(values, Integral) else list(values)
    if not all(isinstance(number, Integral) for number in numbers):
        raise ValueError(f"{name} has to hold whole numbers, got {values!r}")
    return tuple(int(number) for number in numbers)


def _cell(value: float, spread: float) -> str:
    return f"{value:.1f} ± {spread:.1f}" if np.isfinite(spread) else f"{value:.1f}"


def _slug(name: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in name).split())


@cache
def _read_published(name: str) -> pd.DataFrame:
    path = files("serkit.papers").joinpath("published", f"{name}.csv")
    with path.open(encoding="utf-8") as file:
        table = pd.read_csv(file, dtype={"published": float, "published SD": float})
    return table.reindex(columns=[*_KEYS, *_PUBLISHED])
