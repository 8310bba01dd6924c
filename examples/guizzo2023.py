"""What several time scales, anti-transfer and quaternion networks are worth (Guizzo, 2023).

``python examples/guizzo2023.py --data FOLDER`` prints tables of the page "Results". FOLDER holds
``emodb`` and ``ravdess``. Every finished fold is kept in ``--results``, so the command can be
stopped and run again. ``--scale paper`` has the sizes of the thesis and all folds, ``--scale
smoke`` takes made speech and seconds. ``--dry-run`` shows what would be run and what it would cost.
"""

import argparse
import os
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from _systems import EPOCHS, FOLDS, LOADERS, max_epochs, seconds_per_epoch
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline

from serkit.datasets import make_emotional_speech
from serkit.evaluation import compare
from serkit.feature_extraction import FrameScaler, Spectrogram
from serkit.model_selection import LeaveSpeakersOut, load_protocol
from serkit.neural_network import (
    AntiTransferClassifier,
    MultiTimeScaleClassifier,
    QuaternionCNNClassifier,
    RHEmoTransformer,
)
from serkit.preprocessing import AudioLoader, PadOrTruncate

#: Sampling rate in Hz and seconds of every utterance.
SPEECH = {"smoke": (16_000, 1), "bench": (8_000, 3), "paper": (16_000, 9)}
#: What is other than in the thesis, by network.
#: What the networks of chapter 4 have that is other than in the thesis.
MULTI_TIME_SCALE = {
    "smoke": {
        "A1": {"hidden_layer_sizes": (4,)},
        "A3": {"n_filters": (2, 2), "hidden_layer_sizes": (4,)},
    },
    "bench": {
        "A1": {"hidden_layer_sizes": (50,)},
        "A2": {"hidden_layer_sizes": (50,)},
        "A3": {"n_filters": (5, 5), "hidden_layer_sizes": (50,)},
        "A4": {"n_filters": (32, 96, 192, 128, 128), "hidden_layer_sizes": (512, 512)},
    },
    "paper": {"A1": {}, "A2": {}, "A3": {}, "A4": {}},
}
#: The networks of chapters 5 to 7, and how wide they are.
BACKBONES = {
    "smoke": {"alexnet": 1 / 64},
    "bench": {"alexnet": 1 / 4},
    "paper": {"vgg16": 1.0, "alexnet": 1.0, "resnet50": 1.0},
}
#: The convolution behind which networks are compared: the best of the thesis for speakers.
LAYERS = {"vgg16": 5, "alexnet": 2, "resnet50": "layer3"}
REFERENCE = {
    "smoke": {"max_epochs": 1},
    "bench": {"max_epochs": 40},
    "paper": {"max_epochs": 50},
}
RH_EMO = {
    "smoke": {"hidden_size": 8, "max_epochs": 1, "patience": None},
    "bench": {"hidden_size": 64, "lr": (1e-3, 1e-4), "max_epochs": 8, "patience": None},
    "paper": {},
}
#: Learning rates of chapter 4, and of chapters 5 to 7.
LR = {"smoke": 1e-3, "bench": 3e-4, "paper": 5e-5}
BACKBONE_LR = {"smoke": 1e-3, "bench": 1e-3, "paper": 1e-5}


class Protocol:
    """The folds of Leow (2021) on one corpus, and the systems as pipelines from audio."""

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
        self.training = {
            "validation": self.cv.inner(),
            "random_state": 0,
            "lr": LR[self.scale],
            "batch_size": 32,
            **EPOCHS[arguments.scale],
        }

    def multi_time_scale(self):
        """Return A1 to A4 with one time scale and with three."""
        tables = []
        for name, widths in MULTI_TIME_SCALE[self.scale].items():
            network = partial(MultiTimeScaleClassifier, name, **widths, **self.training)
            scales = {"standard": None, "0.7, 1, 1.428": (0.7, 1.0, 1.428)}
            tables.append(
                {
                    f"{name} {label}": self.on_spectrogram(network(scale_factors=factors))
                    for label, factors in scales.items()
                }
            )
        return tables

    def on_spectrogram(self, network):
        """Return a network on the magnitudes of 20 ms windows every 10 ms."""
        rate, _ = SPEECH[self.scale]
        spectrogram = Spectrogram(rate // 50, hop_length=rate // 100, power=1.0, sampling_rate=rate)
        return make_pipeline(*self.speech(), spectrogram, FrameScaler(), network)

    def speech(self, duration=None):
        """Return the steps from files to speech of one duration."""
        rate, seconds = SPEECH[self.scale]
        seconds = seconds if duration is None else duration
        return AudioLoader(rate), PadOrTruncate(rate * seconds)

    def anti_transfer(self):
        """Return networks that are kept from knowing speakers, or sentences, or begin with them."""
        rate, _ = SPEECH[self.scale]
        window = {"n_fft": rate * 16 // 1000, "hop_length": rate * 8 // 1000, "window": "hamming"}
        spectrogram = Spectrogram(**window, power=1.0, sampling_rate=rate)
        steps = *self.speech(), spectrogram, FrameScaler(per="all")
        tables = []
        for name, width in BACKBONES[self.scale].items():
            network = self.cnn(name, "real")
            # Who is to be told apart cannot be held out.
            alone = {"validation": None, "patience": None, **REFERENCE[self.scale]}
            of_speakers = clone(network).set_params(**alone)
            systems = {f"{name}{note(width)}": network}
            for what, reference in (
                ("speakers", of_speakers),
                ("sentences of the other corpus", self.sentence_reference(of_speakers, steps)),
            ):
                anti = AntiTransferClassifier(network, reference, layers=LAYERS[name])
                weights = clone(anti).set_params(beta=0.0, initialize="reference")
                systems |= {f"anti-transfer, {what}": anti, f"weights of {what}": weights}
            tables.append({label: make_pipeline(*steps, last) for label, last in systems.items()})
        return tables

    def sentence_reference(self, network, steps):
        """Return a network that tells the sentences of the other corpus."""
        other = self.other_corpus()
        sentences = other.table["sentence"].to_numpy(object)
        fitted = clone(make_pipeline(*steps, network)).fit(other.audio, sentences)
        return FrozenEstimator(fitted[-1])

    def quaternion(self):
        """Return networks on what RH-emo makes of speech, and real ones on spectrograms."""
        rate = 16_000  # windows of 16 ms every 8 ms, 129 bins
        spectrogram = Spectrogram(256, hop_length=128, window="hamming", power=1.0)
        steps = AudioLoader(rate), PadOrTruncate(4 * rate), spectrogram
        other = self.other_corpus()
        rh_emo = RHEmoTransformer(**RH_EMO[self.scale], random_state=0)
        pretrained = make_pipeline(*steps, rh_emo)
        pretrained.fit(other.audio, other.y, rhemotransformer__speakers=other.speakers)
        frozen = FrozenEstimator(pretrained[-1])
        return [
            {
                f"{name} real{note(width)}": make_pipeline(
                    *steps, FrameScaler(per="all"), self.cnn(name, "real")
                ),
                f"{name} quaternion{note(width)}": make_pipeline(
                    *steps, frozen, self.cnn(name, "quaternion")
                ),
            }
            for name, width in BACKBONES[self.scale].items()
        ]

    def cnn(self, name, domain):
        """Return a network of chapters 5 to 7."""
        width = BACKBONES[self.scale][name]
        training = {**self.training, "lr": BACKBONE_LR[self.scale]}
        return QuaternionCNNClassifier(name, domain=domain, width=width, **training)

    def other_corpus(self):
        """Return the corpus that is not tested on."""
        if self.corpus.name == "synthetic":
            return make_emotional_speech(4, n_sentences=2, random_state=1)
        other = next(name for name in LOADERS if name != self.corpus.name)
        return LOADERS[other](self.arguments.data / other)

    def tables(self, experiment):
        """Return the systems of every table of an experiment, by name."""
        words = self.arguments.systems
        tables = [
            {
                name: system
                for name, system in systems.items()
                if words is None or any(name.lower().startswith(word.lower()) for word in words)
            }
            for systems in getattr(self, experiment)()
        ]
        return [systems for systems in tables if systems]

    def compare(self, experiment):
        """Print the tables and the tests, which compare systems of one table."""
        options = {
            "results_dir": self.arguments.results,
            "protocol": f"Leow (2021) folds {', '.join(map(str, self.folds))}; scale {self.scale}",
            "return_train_score": True,
        }
        folds, tables = list(self.folds.values()), self.tables(experiment)
        # Fold by fold, so that a run that was stopped has whole folds.
        for fold in folds:
            for systems in tables:
                compare(self.corpus, systems, cv=[fold], **options)
        for systems in tables:
            result = compare(self.corpus, systems, cv=folds, verbose=0, **options)
            print(result, end="\n\n", flush=True)

    def estimate(self, experiment):
        """Print the number of fits of every network and what an epoch costs."""
        train, _ = next(iter(self.folds.values()))
        data = self.corpus.audio[train], self.corpus.y[train], self.corpus.speakers[train]
        for systems in self.tables(experiment):
            for name, system in systems.items():
                epoch, most = seconds_per_epoch(system, *data), max_epochs(system)
                minutes = len(self.folds) * most * epoch / 60
                print(
                    f"{self.corpus.name}, {name}: {len(self.folds)} fits of at most {most} epochs "
                    f"of {epoch:.1f} s, at most {minutes:.0f} min",
                    flush=True,
                )


def note(width):
    """Say that a network is narrower than in the thesis."""
    return "" if width == 1 else f", width {width:g}"


EXPERIMENTS = ("multi_time_scale", "anti_transfer", "quaternion")


def main(arguments=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of the corpora")
    parser.add_argument("--scale", choices=FOLDS, default="bench")
    parser.add_argument("--experiments", nargs="+", choices=EXPERIMENTS, default=EXPERIMENTS)
    parser.add_argument("--corpora", nargs="+", choices=LOADERS, default=list(LOADERS))
    parser.add_argument("--systems", nargs="+", help="beginnings of names, all by default")
    parser.add_argument("--folds", nargs="+", type=int, help="fewer folds than the scale has")
    parser.add_argument("--results", type=Path, default=Path("results/guizzo2023"))
    parser.add_argument("--dry-run", action="store_true")
    arguments = parser.parse_args(arguments)
    synthetic = arguments.scale == "smoke"
    if not synthetic and arguments.data is None:
        parser.error("--data is needed, but for --scale smoke")
    for name in ["synthetic"] if synthetic else arguments.corpora:
        protocol = Protocol(name, arguments)
        for experiment in arguments.experiments:
            (protocol.estimate if arguments.dry_run else protocol.compare)(experiment)


if __name__ == "__main__":
    main()
