"""What a reproduction is asked for, and the folds of one corpus."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import StratifiedShuffleSplit

from serkit.datasets import Corpus
from serkit.model_selection import LeaveSpeakersOut, load_protocol
from serkit.preprocessing import AudioLoader
from serkit.training import Checkpoint

__all__ = ["SCALES", "Folds", "Setting", "pairs_of_speakers", "pairs_out"]

#: How much is run: seconds on made speech, the tables of the documentation, or the paper itself.
SCALES = ("smoke", "bench", "paper")

#: Folds that scales short of the paper run; of other corpora the first three.
_BENCH_FOLDS = {"emodb": (0, 1, 2, 3, 4), "ravdess": (0, 4, 8)}

#: Epochs of all networks; at scale "paper" they are the business of each paper.
_EPOCHS: dict[str, dict[str, Any]] = {
    "smoke": {"max_epochs": 1, "patience": None},
    "bench": {"max_epochs": 40, "patience": 8},
    "paper": {},
}


@dataclass(frozen=True)
class Setting:
    """What to run, on what, and where.

    Parameters
    ----------
    corpora : dict of str to Corpus
        By name.
    scale : {"smoke", "bench", "paper"}
        How much is run.
    seeds : tuple of int
        One run each.
    folds : tuple of int or None
        Fewer folds than the scale has.
    systems : tuple of str or None
        Beginnings of the names of the systems to run.
    device : str
        Where networks are trained.
    results_dir : Path or None
        Where finished results are kept.
    n_jobs : int or None
        Folds computed in parallel.
    verbose : int or bool
        Show progress.
    noises : sequence of path or ndarray
        What is added to speech, if anything is.
    trial : bool
        Whether costs are measured only: what is trained beforehand has one epoch.
    """

    corpora: Mapping[str, Corpus]
    scale: str = "bench"
    seeds: tuple[int, ...] = (0,)
    folds: tuple[int, ...] | None = None
    systems: tuple[str, ...] | None = None
    device: str = "auto"
    results_dir: Path | None = None
    n_jobs: int | None = None
    verbose: int | bool = 1
    noises: Sequence[Any] = ()
    trial: bool = False

    def wanted(self, makers: Mapping[str, Callable[[], BaseEstimator]]) -> dict[str, Any]:
        """Make those of the systems that are asked for, on the device asked for."""
        made = {name: make() for name, make in makers.items() if self.wants(name)}
        for system in made.values():
            system.set_params(**dict.fromkeys(_devices_of_networks(system), self.device))
        return made

    def wants(self, name: str) -> bool:
        """Say whether a system is asked for: all are, or the first words of its name are."""
        begins = (rf"{re.escape(words)}(?![a-z0-9])" for words in self.systems or ())
        return self.systems is None or any(re.match(begin, name, re.I) for begin in begins)

    def store_options(self) -> dict[str, Any]:
        """Return what every function that keeps its results is told."""
        return {
            "results_dir": self.results_dir,
            "n_jobs": self.n_jobs,
            "verbose": self.verbose,
        }


@dataclass(frozen=True)
class Folds:
    """The folds of one corpus that are run, and what networks validate on inside of them.

    Parameters
    ----------
    corpus : Corpus
        The utterances.
    setting : Setting
        What is asked for.
    cv : splitter
        Leaves speakers out, and has ``inner()``.
    kind : str
        What they are called in tables.
    """

    corpus: Corpus
    setting: Setting
    cv: Any = field(repr=False)
    kind: str = "speakers left out, folds"

    @property
    def scale(self) -> str:
        """How much is run."""
        return self.setting.scale

    @cached_property
    def parts(self) -> dict[int, tuple[np.ndarray, np.ndarray]]:
        """Training and test rows, by number of the fold."""
        groups = np.asarray(self.corpus.speakers)
        folds = list(self.cv.split(self.corpus.audio, groups=groups))
        chosen = self.setting.folds
        if chosen is None:
            few = {"smoke": (0,), "bench": _BENCH_FOLDS.get(self.corpus.name or "", (0, 1, 2))}
            chosen = tuple(n for n in few.get(self.scale, range(len(folds))) if n < len(folds))
        unknown = [number for number in chosen if not 0 <= number < len(folds)]
        if unknown:
            raise ValueError(
                f"{self.corpus.name} has the folds 0 to {len(folds) - 1} here, and no {unknown}"
            )
        return {number: folds[number] for number in chosen}

    @cached_property
    def longest(self) -> int:
        """Samples of the longest utterance, at 16 kHz."""
        return max(map(len, AudioLoader(16_000).transform(self.corpus.audio)))

    @property
    def validation(self) -> Any:
        """Whom to validate on: speakers, or utterances of the only one who is left."""
        if isinstance(self.cv, LeaveSpeakersOut) and len(self.cv.groups) < 3:
            return StratifiedShuffleSplit(1, test_size=0.2, random_state=0)
        return self.cv.inner()

    @property
    def training(self) -> dict[str, Any]:
        """What every network is told: whom to validate on, its seed, for how long to train."""
        return {"validation": self.validation, "random_state": 0, **_EPOCHS[self.scale]}

    @property
    def checkpoints(self) -> dict[str, Any]:
        """Where long trainings are kept between epochs, if results are kept."""
        folder = self.setting.results_dir
        return {} if folder is None else {"callbacks": [Checkpoint(folder / "checkpoints")]}

    def describe(self) -> str:
        """Name the folds and the scale in a table."""
        # RAVDESS is distributed at 48 kHz, and published with that.
        rate = " at 16 kHz" if self.corpus.name == "ravdess" else ""
        return f"{self.kind} {', '.join(map(str, self.parts))}{rate}; scale {self.scale}"


def _devices_of_networks(system: BaseEstimator) -> list[str]:
    """Return the names of the parameters that say where networks are, not features."""
    names = system.get_params()
    trained = [name.removesuffix("max_epochs") for name in names if name.endswith("max_epochs")]
    return [f"{prefix}device" for prefix in trained if f"{prefix}device" in names]


def pairs_of_speakers(corpus: Corpus) -> LeaveSpeakersOut:
    """Return the folds of Leow (2021), or in other corpora a session or two speakers out.

    Parameters
    ----------
    corpus : Corpus
        Where every speaker is in one session, and there are three or more, the speakers of a
        session are left out together, otherwise two, in their order; of less than six speakers
        one. Those before them are validated on.

    Returns
    -------
    cv : LeaveSpeakersOut
        With ``inner()`` for the validation speakers.
    """
    if corpus.name in _BENCH_FOLDS:
        return load_protocol(f"leow2021-{corpus.name}")
    speakers = sorted(set(corpus.speakers))
    if len(speakers) < 2:
        raise ValueError(f"{corpus.name or 'the corpus'} needs two speakers, to train and to test")
    return LeaveSpeakersOut(groups=_sessions(corpus) or _pairs(speakers))


def _pairs(speakers: list[str]) -> list[tuple[str, ...]]:
    if len(speakers) < 6:
        return [(speaker,) for speaker in speakers]
    groups = [tuple(speakers[first : first + 2]) for first in range(0, len(speakers) - 1, 2)]
    return [*groups[:-1], (*groups[-1], speakers[-1])] if len(speakers) % 2 else groups


def _sessions(corpus: Corpus) -> list[tuple[str, ...]]:
    """Return the speakers of every session, if no speaker is in two."""
    table = corpus.table[["session", "speaker"]].drop_duplicates()
    if table["session"].isna().any() or table["speaker"].duplicated().any():
        return []
    groups = [tuple(sorted(of_session)) for _, of_session in table.groupby("session")["speaker"]]
    return groups if len(groups) > 2 else []


def pairs_out(corpus: Corpus, setting: Setting) -> Folds:
    """Return the folds of :func:`pairs_of_speakers`, by the name that they have in tables."""
    kind = {"kind": "Leow (2021) folds"} if corpus.name in _BENCH_FOLDS else {}
    return Folds(corpus, setting, pairs_of_speakers(corpus), **kind)


def as_folder(results_dir: str | os.PathLike | None) -> Path | None:
    """Return the folder of the results as a path."""
    return None if results_dir is None else Path(results_dir)
