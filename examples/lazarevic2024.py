"""Across corpora: the systems and the fine-tuning of Lazarević (2024), Emo-DB and RAVDESS.

``python examples/lazarevic2024.py --data FOLDER`` prints tables of the page "Results". FOLDER
holds ``emodb`` and ``ravdess``; the four emotions of the thesis are used. A network is trained on
one corpus and tested on the other as it is, with its last one, two or three stages tuned, and
beside a network trained there from the start. Every finished fold is kept in ``--results``, so the
command can be stopped and run again. ``--scale paper`` has the widths of the thesis and all folds,
``--scale smoke`` takes made speech and seconds. ``--dry-run`` shows what would be run and what it
would cost.
"""

import argparse
import os
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from _systems import (
    FOLDS,
    LOADERS,
    NOTES,
    make_acrnn,
    make_glam,
    max_epochs,
    seconds_per_epoch,
)

from serkit.datasets import make_emotional_speech
from serkit.evaluation import cross_corpus_validate
from serkit.model_selection import LeaveSpeakersOut, load_protocol

EMOTIONS = ("anger", "happiness", "neutral", "sadness")
DIRECTIONS = ("emodb-ravdess", "ravdess-emodb")
UNFREEZE = (0, 1, 2, 3)
MADE = ("one", "other")
#: Of the tuning.
TUNING = {
    "smoke": {"max_epochs": 1},
    "bench": {"max_epochs": 40, "patience": 8},
    "paper": {"max_epochs": 50},
}
#: The kind of width in the shared settings, the name, and how it is made at a scale.
SYSTEMS = {
    "acrnn": ("acrnn", "ACRNN", make_acrnn),
    "glam": ("glam", "GLAM", make_glam),
    "modified-glam": ("glam", "Modified GLAM", partial(make_glam, n_blocks=4)),
}


class Experiment:
    """From one corpus to another, at one scale."""

    def __init__(self, source, target, arguments):
        self.scale, self.arguments = arguments.scale, arguments
        self.source, self.target = (self.load(name) for name in (source, target))
        cv = load_protocol(f"leow2021-{target}") if target in LOADERS else LeaveSpeakersOut(2)
        folds = list(cv.split(self.target.audio, groups=np.asarray(self.target.speakers)))
        self.folds = {n: folds[n] for n in arguments.folds or FOLDS[self.scale].get(target, (0,))}

    def load(self, name):
        """Return the utterances of the four emotions."""
        if name in LOADERS:
            return LOADERS[name](self.arguments.data / name).select(emotion=list(EMOTIONS))
        seed = MADE.index(name)
        corpus = make_emotional_speech(4, EMOTIONS, n_sentences=1, random_state=seed)
        corpus.name = name
        return corpus

    def systems(self):
        """Return the systems by name; the name says where one is other than in the thesis."""
        for system in self.arguments.systems:
            kind, name, make = SYSTEMS[system]
            yield f"{name}{NOTES[self.scale][kind]}", make(self.scale)

    def describe(self):
        """Name folds and scale."""
        whose = "" if self.scale == "smoke" else "Leow (2021) "
        return f"{whose}folds {', '.join(map(str, self.folds))}; scale {self.scale}"

    def compare(self):
        """Print what was found of every system, and return the row of each in the last table."""
        rows = {}
        for name, system in self.systems():
            result = cross_corpus_validate(
                system,
                self.source,
                self.target,
                unfreeze=UNFREEZE,
                cv=list(self.folds.values()),
                statistics=self.arguments.statistics,
                fine_tune={"lr": self.arguments.lr, **TUNING[self.scale]},
                seeds=self.arguments.seeds,
                results_dir=self.arguments.results,
                protocol=f"{name}; {self.describe()}",
            )
            print(result, end="\n\n", flush=True)
            shown = result.formatted_table()["UAR folds"]
            rows[f"{self.source.name} → {self.target.name}", name] = shown.to_dict()
        return rows

    def estimate(self):
        """Print the number of fits of every system and what an epoch costs."""
        train, _ = next(iter(self.folds.values()))
        data = self.target.audio[train], self.target.y[train], self.target.speakers[train]
        n_tuned = len(self.folds) * sum(k > 0 for k in UNFREEZE)
        n_seeds = len(self.arguments.seeds)
        for name, system in self.systems():
            epoch, most = seconds_per_epoch(system, *data), max_epochs(system)
            # Epochs on the source are longer in proportion to its size.
            n_trained = (len(self.source) / len(train) + len(self.folds)) * most
            n_epochs = n_seeds * (n_trained + n_tuned * TUNING[self.scale]["max_epochs"])
            print(
                f"{self.source.name} → {self.target.name}, {name}: {n_seeds} fits on the source, "
                f"{n_seeds * len(self.folds)} in the corpus, {n_seeds * n_tuned} tuned; an epoch "
                f"of the corpus is {epoch:.1f} s; at most {n_epochs * epoch / 60:.0f} min",
                flush=True,
            )


def main(arguments=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of the corpora")
    parser.add_argument("--scale", choices=FOLDS, default="bench")
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=["acrnn", "glam"])
    parser.add_argument("--directions", nargs="+", choices=DIRECTIONS, default=DIRECTIONS)
    parser.add_argument("--folds", nargs="+", type=int, help="fewer folds than the scale has")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--lr", type=float, default=1e-4, help="learning rate of the tuning")
    parser.add_argument("--statistics", choices=("source", "target"), default="source")
    parser.add_argument("--results", type=Path, default=Path("results/lazarevic2024"))
    parser.add_argument("--dry-run", action="store_true")
    arguments = parser.parse_args(arguments)
    synthetic = arguments.scale == "smoke"
    if not synthetic and arguments.data is None:
        parser.error("--data is needed, but for --scale smoke")
    rows = {}
    for direction in ["-".join(MADE)] if synthetic else arguments.directions:
        experiment = Experiment(*direction.split("-"), arguments)
        if arguments.dry_run:
            experiment.estimate()
        else:
            rows |= experiment.compare()
    if rows:
        print("UAR, mean ± standard deviation over folds")
        print(pd.DataFrame.from_dict(rows, orient="index").to_string())


if __name__ == "__main__":
    main()
