"""SVM versus deep: the systems and folds of Leow (2021), and whether the speaker is forgotten.

``python examples/leow2021.py --data FOLDER`` prints tables of the page "Results". FOLDER holds
``emodb`` and ``ravdess``. Every finished fold is kept in ``--results``, so the command can be
stopped and run again. ``--scale paper`` is the protocol of the paper: utterances padded to one
length, no scaling, 100 epochs, all folds; ``--scale smoke`` takes made speech and seconds.
``--encoders`` adds the networks that the paper compares with, in sizes of our choice, for it gives
none: "tdnn_bilstm", meant for ``--features mfcc``, and "cnn1d_gru", for ``mfb``.
``--tune`` compares six settings on validation speakers, ``--probe`` measures what embeddings know
of the speaker, ``--dry-run`` shows what would be run and what it would cost.
"""

import argparse
import json
import os
import time
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from _systems import LOADERS, front_end
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from serkit.datasets import make_emotional_speech
from serkit.evaluation import HoldoutSearchCV, compare
from serkit.feature_extraction import (
    MFCC,
    FrameScaler,
    KaldiFilterbankPitch,
    LogMelSpectrogram,
    OpenSmileFunctionals,
)
from serkit.inspection import speaker_probe_score
from serkit.model_selection import LeaveSpeakersOut, load_protocol
from serkit.neural_network import CRNNClassifier, DomainAdversarialClassifier
from serkit.preprocessing import AudioLoader, PadOrTruncate, WienerFilter
from serkit.training import Checkpoint
from serkit.utils import estimator_digest, source_digest

GAMMAS = (1.25, 2.5, 3.33)
WINDOW = {"n_fft": 2048, "hop_length": 512, "convention": "torchaudio"}
FEATURES = {
    "mfcc": MFCC(n_mfcc=20, **WINDOW),
    "lms": LogMelSpectrogram(n_mels=128, **WINDOW),
    "mfb": KaldiFilterbankPitch(win_length=640, hop_length=160),
}
ENCODERS = {"tdnn_bilstm": "TDNN-BiLSTM", "cnn1d_gru": "CNN1D-GRU"}

SCALED = {"scaler": FrameScaler()}
#: What --tune compares; where nothing is said it is Adam at 1e-3 on batches of 32.
SETTINGS = {
    "Adam 1e-3, batch 32, scaled bins": SCALED,
    "learning rate 3e-4": {**SCALED, "lr": 3e-4},
    "SGD 1e-2, momentum 0.9": {**SCALED, "optimizer": "sgd", "lr": 1e-2},
    "batch 16": {**SCALED, "batch_size": 16},
    "no scaling": {},
    "scaled by utterance": {"scaler": FrameScaler(scope="utterance")},
}


class Scale(NamedTuple):
    """How much of the protocol is run."""

    folds: dict
    network: dict
    padded: bool = False


SCALES = {
    "smoke": Scale({"synthetic": (0, 1)}, {"max_epochs": 2, "n_filters": 8, "rnn_hidden_size": 16}),
    "bench": Scale(
        {"emodb": range(5), "ravdess": (0, 4, 8)},
        {"max_epochs": 40, "patience": 8},
    ),
    "paper": Scale({"emodb": range(5), "ravdess": range(12)}, {"max_epochs": 100}, padded=True),
}


class Experiment:
    """One corpus under the protocol of the paper, at one scale."""

    def __init__(self, name, arguments):
        self.name, self.arguments, self.scale = name, arguments, SCALES[arguments.scale]
        if name == "synthetic":
            self.corpus = make_emotional_speech(6, n_sentences=2, random_state=0)
            speakers = sorted(set(self.corpus.speakers))
            groups = list(zip(speakers[::2], speakers[1::2], strict=True))
            self.cv = LeaveSpeakersOut(groups=groups)
        else:
            self.corpus = LOADERS[name](arguments.data / name)
            self.cv = load_protocol(f"leow2021-{name}")
        self.speakers = np.asarray(self.corpus.speakers)
        splits = list(self.cv.split(self.corpus.audio, groups=self.speakers))
        chosen = arguments.folds or self.scale.folds[name]
        self.folds = {fold: splits[fold] for fold in chosen}

    def front_end(self, feature):
        """Return the steps from audio to frames, in the order of the paper."""
        steps = [*front_end(), WienerFilter()]
        if self.scale.padded:
            trimmed = make_pipeline(*steps).transform(self.corpus.audio)
            steps.append(PadOrTruncate(length=max(map(len, trimmed))))
        return [*steps, FEATURES[feature]]

    def network(self, feature, gamma=None, *, encoder="cnn2d_bigru", scaler=None, **options):
        """Return frames, their scaling and a network as one pipeline."""
        options = {
            "n_conv_layers": self.arguments.blocks[feature],
            "validation": self.cv.inner(),
            "random_state": 0,
            "callbacks": [Checkpoint(self.arguments.results / "checkpoints")],
            **self.scale.network,
            **options,
        }
        if gamma is None and encoder == "cnn2d_bigru":
            network = CRNNClassifier(**options)
        else:
            network = DomainAdversarialClassifier(encoder, gamma=gamma, **options)
        steps = self.front_end(feature) + ([] if scaler is None else [scaler])
        return make_pipeline(*steps, network)

    def systems(self, feature):
        """Return the rows of a table of the paper, and the baseline that it lacks."""
        blocks = self.arguments.blocks[feature]
        networks = {None: f"CRNN, {blocks} block"} | {g: f"DAT, gamma {g}" for g in GAMMAS}
        systems = {
            name: self.network(feature, gamma)
            for gamma, name in networks.items()
            if gamma is None or gamma in self.arguments.gammas
        }
        for encoder in self.arguments.encoders:
            for gamma in (None, *self.arguments.gammas):
                name = ENCODERS[encoder] + ("" if gamma is None else f" with DAT, gamma {gamma}")
                system = self.network(feature, gamma, encoder=encoder)
                systems[f"{name} (our configuration)"] = system
        if self.name != "synthetic" and feature == "mfcc":
            svm = make_pipeline(
                AudioLoader(),
                OpenSmileFunctionals("ComParE_2016"),
                StandardScaler(),
                SVC(kernel="linear"),
            )
            grid = {"svc__C": [1e-4, 1e-3, 1e-2, 1e-1]}
            systems = {
                "ComParE_2016 + SVM": HoldoutSearchCV(svm, grid, cv=self.cv.inner())
            } | systems
        return systems

    def compare(self, feature):
        """Print the table of a kind of features."""
        systems = self.systems(feature)
        options = {"results_dir": self.arguments.results, "protocol": self.describe(feature)}
        # Fold by fold, so that a run that was stopped has whole folds.
        for fold in self.folds.values():
            compare(self.corpus, systems, cv=[fold], **options)
        result = compare(self.corpus, systems, cv=list(self.folds.values()), verbose=0, **options)
        print(result, end="\n\n", flush=True)
        print(result.paired_tests("WA").round(3).to_string(), end="\n\n", flush=True)

    def describe(self, feature):
        """Name protocol and scale."""
        folds = ", ".join(map(str, self.folds))
        length = "padded as in the paper" if self.scale.padded else "batches by length"
        return f"Leow (2021) folds {folds}; {feature}; {length}; scale {self.arguments.scale}"

    def fit(self, pipeline, fold):
        """Fit on the training part of a fold, in which the network finds its validation."""
        train, _ = self.folds[fold]
        name = pipeline.steps[-1][0]
        X, y = self.corpus.audio[train], self.corpus.y[train]
        return pipeline.fit(X, y, **{f"{name}__speakers": self.speakers[train]})

    def tune(self, feature):
        """Print UAR on the validation speakers for every setting; no test speaker is looked at."""
        rows = []
        for setting, options in SETTINGS.items():
            for fold in self.folds:
                row = self.kept(self._tune, self.network(feature, **options), fold)
                rows.append({"setting": setting, "fold": fold, **row})
        table = pd.DataFrame(rows).pivot(index="setting", columns="fold").reindex(SETTINGS)
        print(self.describe(feature), table.round(3).to_string(), sep="\n", end="\n\n", flush=True)

    def _tune(self, pipeline, fold):
        history = self.fit(pipeline, fold)[-1].history_
        best = history.valid_uar.idxmax()
        return {"valid_uar": history.valid_uar[best], "epoch": int(best) + 1}

    def probe(self, feature):
        """Print how well speakers are told apart from the embedding, with and without DAT."""
        rows = []
        for gamma in (None, *self.arguments.gammas):
            for fold in self.folds:
                row = self.kept(self._probe, self.network(feature, gamma), fold)
                rows.append({"gamma": str(gamma), "fold": fold, **row})
        table = pd.DataFrame(rows).groupby("gamma", sort=False).agg(["mean", "std"])
        print(self.describe(feature), table.round(3).to_string(), sep="\n", end="\n\n", flush=True)

    def _probe(self, pipeline, fold):
        fitted = self.fit(pipeline, fold)
        train, test = self.folds[fold]
        inner, validation = next(self.cv.inner().split(train, groups=self.speakers[train]))
        unseen = np.concatenate([train[validation], test])
        return {
            name: speaker_probe_score(fitted, self.corpus.audio[rows], self.speakers[rows])
            for name, rows in {"trained on": train[inner], "unseen": unseen}.items()
        }

    def kept(self, function, pipeline, fold):
        """Return what the function computed of the same fold and code before, or compute it now."""
        train, test = (indices.tolist() for indices in self.folds[fold])
        digest = estimator_digest([self.name, pipeline, train, test, source_digest()])
        path = self.arguments.results / function.__name__.strip("_") / f"{digest}.json"
        if not path.exists():
            result = function(pipeline, fold)
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_suffix(".tmp")
            unfinished.write_text(json.dumps(result))
            unfinished.replace(path)
        return json.loads(path.read_text())

    def estimate(self, feature):
        """Print the number of fits of each network and what an epoch costs."""
        fold = next(iter(self.folds))
        train, _ = self.folds[fold]
        y, speakers = self.corpus.y[train], self.speakers[train]
        frames = None
        for name, system in self.systems(feature).items():
            if name.endswith("SVM"):
                continue
            if frames is None:
                frames = system[:-1].fit_transform(self.corpus.audio[train], y)
            start = time.perf_counter()
            clone(system[-1]).set_params(max_epochs=1).fit(frames, y, speakers=speakers)
            seconds = time.perf_counter() - start
            n_epochs = self.scale.network["max_epochs"]
            print(
                f"{self.name}, {feature}, {name}: {len(self.folds)} fits of up to {n_epochs} "
                f"epochs of {seconds:.1f} s, at most "
                f"{len(self.folds) * n_epochs * seconds / 60:.0f} min"
            )


def main(arguments=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of the corpora")
    parser.add_argument("--scale", choices=SCALES, default="bench")
    parser.add_argument("--corpora", nargs="+", choices=LOADERS, default=list(LOADERS))
    parser.add_argument("--features", nargs="+", choices=FEATURES, default=["mfcc", "lms"])
    parser.add_argument("--encoders", nargs="*", choices=ENCODERS, default=[])
    parser.add_argument("--folds", nargs="+", type=int, help="fewer folds than the scale has")
    parser.add_argument("--gammas", nargs="*", type=float, choices=GAMMAS, default=list(GAMMAS))
    parser.add_argument("--blocks", type=json.loads, default={"mfcc": 1, "lms": 4, "mfb": 1})
    parser.add_argument("--results", type=Path, default=Path("results/leow2021"))
    for flag in ("--dry-run", "--tune", "--probe"):
        parser.add_argument(flag, action="store_true")
    arguments = parser.parse_args(arguments)
    synthetic = arguments.scale == "smoke"
    if not synthetic and arguments.data is None:
        parser.error("--data is needed, but for --scale smoke")
    for name in ["synthetic"] if synthetic else arguments.corpora:
        experiment = Experiment(name, arguments)
        for feature in arguments.features:
            if arguments.dry_run:
                experiment.estimate(feature)
            elif arguments.tune:
                experiment.tune(feature)
            elif arguments.probe:
                experiment.probe(feature)
            else:
                experiment.compare(feature)


if __name__ == "__main__":
    main()
