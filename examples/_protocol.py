"""The folds of Leow (2021), on which the examples compare systems."""

import argparse
from pathlib import Path

import numpy as np
from _systems import FOLDS, LOADERS, max_epochs, seconds_per_epoch

from serkit.datasets import make_emotional_speech
from serkit.evaluation import HoldoutSearchCV, compare
from serkit.model_selection import LeaveSpeakersOut, load_protocol

__all__ = ["LeowFolds", "make_parser", "parse"]


class LeowFolds:
    """The folds on one corpus, as many as a scale has, and how systems are compared on them."""

    def __init__(self, name, arguments):
        self.scale, self.arguments = arguments.scale, arguments
        if name == "synthetic":
            self.corpus = make_emotional_speech(6, n_sentences=1, random_state=0)
            speakers = sorted(set(self.corpus.speakers))
            self.cv = LeaveSpeakersOut(groups=list(zip(speakers[::2], speakers[1::2], strict=True)))
        else:
            self.corpus = LOADERS[name](arguments.data / name)
            self.cv = load_protocol(f"leow2021-{name}")
        folds = list(self.cv.split(self.corpus.audio, groups=np.asarray(self.corpus.speakers)))
        self.folds = {n: folds[n] for n in arguments.folds or FOLDS[arguments.scale][name]}
        self.validation = {"validation": self.cv.inner(), "random_state": 0}

    def make(self, systems):
        """Make those of the systems that are asked for, by name."""
        words = self.arguments.systems
        return {
            name: make()
            for name, make in systems.items()
            if words is None or any(name.lower().startswith(word.lower()) for word in words)
        }

    def compare(self, tables):
        """Print the tables and the tests, which compare systems of one table."""
        options = {
            "results_dir": self.arguments.results,
            "protocol": f"Leow (2021) folds {', '.join(map(str, self.folds))}; scale {self.scale}",
            "return_train_score": True,
        }
        folds = list(self.folds.values())
        # Fold by fold, so that a run that was stopped has whole folds.
        for fold in folds:
            for systems in tables:
                compare(self.corpus, systems, cv=[fold], **options)
        for systems in tables:
            result = compare(self.corpus, systems, cv=folds, verbose=0, **options)
            print(result, end="\n\n", flush=True)

    def estimate(self, tables):
        """Print the number of fits of every network and what an epoch costs."""
        train, _ = next(iter(self.folds.values()))
        data = self.corpus.audio[train], self.corpus.y[train], self.corpus.speakers[train]
        for name, system in (pair for systems in tables for pair in systems.items()):
            if isinstance(system, HoldoutSearchCV):
                continue
            epoch, most = seconds_per_epoch(system, *data), max_epochs(system)
            print(
                f"{self.corpus.name}, {name}: {len(self.folds)} fits of at most {most} epochs of "
                f"{epoch:.1f} s, at most {len(self.folds) * most * epoch / 60:.0f} min",
                flush=True,
            )


def make_parser(description, *, results):
    """Return the options that all such examples have."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of the corpora")
    parser.add_argument("--scale", choices=FOLDS, default="bench")
    parser.add_argument("--corpora", nargs="+", choices=LOADERS, default=list(LOADERS))
    parser.add_argument("--systems", nargs="+", help="beginnings of names, all by default")
    parser.add_argument("--folds", nargs="+", type=int, help="fewer folds than the scale has")
    parser.add_argument("--results", type=Path, default=Path(results))
    parser.add_argument("--dry-run", action="store_true")
    return parser


def parse(parser, arguments):
    """Return the options given, and the names of the corpora."""
    arguments = parser.parse_args(arguments)
    if arguments.scale == "smoke":
        return arguments, ["synthetic"]
    if arguments.data is None:
        parser.error("--data is needed, but for --scale smoke")
    return arguments, arguments.corpora
