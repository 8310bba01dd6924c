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
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from serkit.datasets import load_emodb, load_ravdess, make_emotional_speech
from serkit.evaluation import cross_corpus_validate
from serkit.feature_extraction import MFCC, Deltas, FrameScaler, LogMelSpectrogram
from serkit.model_selection import LeaveSpeakersOut, load_protocol
from serkit.neural_network import ACRNNClassifier, GLAMClassifier, SegmentAggregationClassifier
from serkit.preprocessing import AudioLoader, FixedLengthSegmenter, SilenceTrimmer

EMOTIONS = ("anger", "happiness", "neutral", "sadness")
LOADERS = {"emodb": load_emodb, "ravdess": load_ravdess}
DIRECTIONS = ("emodb-ravdess", "ravdess-emodb")
UNFREEZE = (0, 1, 2, 3)
FOLDS = {
    "smoke": {"one": (0,), "other": (0,)},
    "bench": {"emodb": range(5), "ravdess": (0, 4, 8)},
    "paper": {"emodb": range(5), "ravdess": range(12)},
}
#: Of training and of tuning. The thesis gives 50 epochs for GLAM.
EPOCHS = {
    "smoke": {"max_epochs": 1},
    "bench": {"max_epochs": 40, "patience": 8},
    "paper": {"max_epochs": 50},
}
#: A step at full width takes more than a second of one core.
WIDTHS = {
    "smoke": {
        "acrnn": {"conv_channels": (2, 2), "linear_size": 8, "lstm_hidden_size": 4},
        "glam": {"n_filters": 2},
    },
    "bench": {
        "acrnn": {"conv_channels": (16, 32), "linear_size": 128, "lstm_hidden_size": 64},
        "glam": {"n_filters": 8},
    },
    "paper": {"acrnn": {}, "glam": {}},
}


def make_acrnn(widths, training):
    """Return the ACRNN on segments of 300 frames, with deltas as channels."""
    log_mel = LogMelSpectrogram(
        n_mels=40, n_fft=512, win_length=400, hop_length=160, window="hamming"
    )
    network = ACRNNClassifier(lr=1e-3, **widths["acrnn"], **training)
    classifier = SegmentAggregationClassifier(network, FixedLengthSegmenter(300), aggregate="max")
    deltas = Deltas(order=2, axis="channel")
    return make_pipeline(*front_end(), log_mel, deltas, FrameScaler(), classifier)


def make_glam(widths, training, n_blocks=3):
    """Return GLAM on segments of two seconds, every 0.4 seconds."""
    mfcc = MFCC(n_mfcc=26, n_fft=2048, hop_length=512, n_mels=128)
    network = GLAMClassifier("reference", n_blocks=n_blocks, **widths["glam"], **training)
    segmenter = FixedLengthSegmenter(32_000, hop=6_400, tail="drop", short="repeat")
    classifier = SegmentAggregationClassifier(
        make_pipeline(mfcc, network), segmenter, aggregate="mean"
    )
    return make_pipeline(*front_end(), classifier)


def make_modified_glam(widths, training):
    """Return GLAM with a fourth block."""
    return make_glam(widths, training, n_blocks=4)


def front_end():
    """Return the steps from files to speech without silence around it."""
    return AudioLoader(), SilenceTrimmer(top_db=25)


SYSTEMS = {
    "acrnn": ("ACRNN", make_acrnn),
    "glam": ("GLAM", make_glam),
    "modified-glam": ("Modified GLAM", make_modified_glam),
}


class Experiment:
    """From one corpus to another, at one scale."""

    def __init__(self, source, target, arguments):
        self.scale, self.arguments = arguments.scale, arguments
        self.source, self.target = (self.load(name) for name in (source, target))
        cv = load_protocol(f"leow2021-{target}") if target in LOADERS else LeaveSpeakersOut(2)
        folds = list(cv.split(self.target.audio, groups=np.asarray(self.target.speakers)))
        self.folds = {n: folds[n] for n in arguments.folds or FOLDS[self.scale][target]}

    def load(self, name):
        """Return the utterances of the four emotions."""
        if name in LOADERS:
            return LOADERS[name](self.arguments.data / name).select(emotion=list(EMOTIONS))
        seed = list(FOLDS["smoke"]).index(name)
        corpus = make_emotional_speech(4, EMOTIONS, n_sentences=1, random_state=seed)
        corpus.name = name
        return corpus

    def systems(self):
        """Return the systems by name; the name says where one is narrower than in the thesis."""
        width = "" if self.scale == "paper" else f", {self.scale} width"
        for system in self.arguments.systems:
            name, make = SYSTEMS[system]
            yield f"{name}{width}", make(WIDTHS[self.scale], EPOCHS[self.scale])

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
                fine_tune={"lr": self.arguments.lr, **EPOCHS[self.scale]},
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
        X, y = self.target.audio[train], self.target.y[train]
        n_tuned = len(self.folds) * sum(k > 0 for k in UNFREEZE)
        for name, system in self.systems():
            seconds = []
            for n_epochs in (1, 1, 2):  # the first time is longer
                pipeline = clone(system)
                epochs = {k: n_epochs for k in pipeline.get_params() if k.endswith("__max_epochs")}
                pipeline.set_params(**epochs)
                start = time.perf_counter()
                pipeline.fit(X, y)
                seconds.append(time.perf_counter() - start)
            epoch = max(seconds[2] - seconds[1], 0)
            size = len(self.source) / len(train)
            most = EPOCHS[self.scale]["max_epochs"] * len(self.arguments.seeds)
            minutes = (size + len(self.folds) + n_tuned) * most * epoch / 60
            print(
                f"{self.source.name} → {self.target.name}, {name}: 1 fit on the source, "
                f"{len(self.folds)} in the corpus and {n_tuned} tuned, of at most {most} epochs of "
                f"{epoch:.1f} s, at most {minutes:.0f} min",
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
    for direction in ["one-other"] if synthetic else arguments.directions:
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
