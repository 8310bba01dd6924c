"""Papers: their experiments, their published tables, and both side by side."""

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from numbers import Integral
from typing import Any

import pandas as pd
from sklearn.base import BaseEstimator

from serkit.datasets import Corpus
from serkit.papers._experiment import Experiment, Found
from serkit.papers._handed_in import made_corpora, sort_out
from serkit.papers._reproduction import Reproduction, read_published
from serkit.papers._setting import SCALES, Setting, as_folder, pairs_of_speakers

__all__ = ["Paper"]


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
        return read_published(self.name).copy()

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
        systems: str | Sequence[str] | None = None,
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
        systems : str, sequence of str or None, default=None
            First words of the names of the systems to run; ``None`` is all.
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
            If there is no such experiment, scale, corpus, fold or system.

        Warns
        -----
        UserWarning
            If several seeds are given for an experiment that is run once.
        """
        chosen = self._chosen(experiments)
        setting = self._setting(corpora, scale, folds, systems, device, results_dir, seeds)
        setting = replace(setting, n_jobs=n_jobs, verbose=verbose)
        found: list[Found] = []
        not_run = {}
        for experiment in chosen:
            usable = _usable(experiment, setting)
            if usable is None:
                not_run[experiment.name] = experiment.needs
                continue
            if len(usable.seeds) > 1 and not experiment.repeated:
                warnings.warn(
                    f"{experiment.name} is run once, with the first of the seeds {usable.seeds}",
                    UserWarning,
                    stacklevel=2,
                )
            found += experiment.run(usable)
        if setting.systems is not None and not found and len(not_run) < len(chosen):
            raise ValueError(
                f"no system of {', '.join(experiment.name for experiment in chosen)} has a name "
                f"that begins with {' or '.join(map(repr, setting.systems))}"
            )
        return Reproduction(self.name, found, self.published(), not_run)

    def estimate(
        self,
        corpora: Mapping[str, Any] | None = None,
        experiments: str | Sequence[str] | None = None,
        *,
        scale: str = "bench",
        seeds: Sequence[int] = (0,),
        folds: Sequence[int] | None = None,
        systems: str | Sequence[str] | None = None,
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
        systems: str | Sequence[str] | None,
        device: str,
        results_dir: str | os.PathLike | None,
        seeds: Sequence[int],
    ) -> Setting:
        _check_scale(scale)
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
            scale,
            _whole_numbers("seeds", seeds) or (0,),
            None if folds is None else _whole_numbers("folds", folds),
            None if systems is None else _names(systems),
            device,
            as_folder(results_dir),
            noises=noises,
        )

    def _chosen(self, experiments: str | Sequence[str] | None) -> list[Experiment]:
        names = self._experiments if experiments is None else _names(experiments)
        return [self._find(name) for name in names]

    def _find(self, experiment: str) -> Experiment:
        try:
            return self._experiments[experiment]
        except KeyError:
            raise ValueError(
                f"{self.name} has no experiment {experiment!r}; it has "
                f"{', '.join(self._experiments)}"
            ) from None


def _names(names: str | Sequence[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


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
