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
from sklearn.pipeline import make_pipeline

from serkit.datasets import make_emotional_speech
from serkit.evaluation import compare
from serkit.feature_extraction import FrameScaler, Spectrogram
from serkit.model_selection import LeaveSpeakersOut, load_protocol
from serkit.neural_network import MultiTimeScaleClassifier
from serkit.preprocessing import AudioLoader, PadOrTruncate

#: Sampling rate in Hz, seconds of every utterance, and what else is other than in the thesis.
SPEECH = {"smoke": (16_000, 1), "bench": (8_000, 3), "paper": (16_000, 9)}
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
LR = {"smoke": 1e-3, "bench": 3e-4, "paper": 5e-5}


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
        rate, duration = SPEECH[self.scale]
        hop = rate // 100
        return make_pipeline(
            AudioLoader(sampling_rate=rate),
            PadOrTruncate(length=duration * rate),
            Spectrogram(n_fft=2 * hop, hop_length=hop, power=1.0, sampling_rate=rate),
            FrameScaler(),
            network,
        )

    def tables(self, experiment):
        """Return the systems of every table of an experiment, by name."""
        words = self.arguments.systems
        for systems in getattr(self, experiment)():
            wanted = {
                name: system
                for name, system in systems.items()
                if words is None or any(name.lower().startswith(word.lower()) for word in words)
            }
            if wanted:
                yield wanted

    def compare(self, experiment):
        """Print the tables and the tests, which compare systems of one table."""
        options = {
            "results_dir": self.arguments.results,
            "protocol": f"Leow (2021) folds {', '.join(map(str, self.folds))}; scale {self.scale}",
            "return_train_score": True,
        }
        folds = list(self.folds.values())
        # Fold by fold, so that a run that was stopped has whole folds.
        for fold in folds:
            for systems in self.tables(experiment):
                compare(self.corpus, systems, cv=[fold], **options)
        for systems in self.tables(experiment):
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


EXPERIMENTS = ("multi_time_scale",)


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
