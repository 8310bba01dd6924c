"""Every network under one protocol, beside an SVM.

``python examples/networks.py --data FOLDER`` prints tables of the page "Results". FOLDER holds
``emodb`` and ``ravdess``. Every finished fold is kept in ``--results``, so the command can be
stopped and run again. ``--scale paper`` has the widths of the papers and all folds, ``--scale
smoke`` takes made speech and seconds. ``--dry-run`` shows what would be run and what it would cost.
"""

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from serkit.datasets import load_emodb, load_ravdess, make_emotional_speech
from serkit.evaluation import HoldoutSearchCV, compare
from serkit.feature_extraction import (
    MFCC,
    Deltas,
    FrameScaler,
    LogMelSpectrogram,
    OpenSmileFunctionals,
)
from serkit.model_selection import LeaveSpeakersOut, load_protocol
from serkit.neural_network import (
    ACRNNClassifier,
    CLDNNClassifier,
    CRNNClassifier,
    DomainAdversarialClassifier,
    GLAMClassifier,
    LDNNClassifier,
    SegmentAggregationClassifier,
)
from serkit.preprocessing import AudioLoader, FixedLengthSegmenter, SilenceTrimmer, WienerFilter

LOADERS = {"emodb": load_emodb, "ravdess": load_ravdess}
FOLDS = {
    "smoke": {"synthetic": (0,)},
    "bench": {"emodb": range(5), "ravdess": (0, 4, 8)},
    "paper": {"emodb": range(5), "ravdess": range(12)},
}
EPOCHS = {
    "smoke": {"max_epochs": 1, "patience": None},
    "bench": {"max_epochs": 40, "patience": 8},
    "paper": {},
}
#: Of the networks whose step at full width takes more than a second of one core.
WIDTHS = {
    "smoke": {
        "cldnn": {"n_filters": 2, "lstm_hidden_size": 4},
        "acrnn": {"conv_channels": (2, 2), "linear_size": 8, "lstm_hidden_size": 4},
        "glam": {"n_filters": 2},
    },
    "bench": {
        "cldnn": {"n_filters": 8, "lstm_hidden_size": 64},
        "acrnn": {"conv_channels": (16, 32), "linear_size": 128, "lstm_hidden_size": 64},
        "glam": {"n_filters": 8},
    },
    "paper": {"cldnn": {}, "acrnn": {}, "glam": {}},
}
LOG_MEL = {"n_mels": 40, "n_fft": 512, "win_length": 400, "hop_length": 160, "window": "hamming"}


class Protocol:
    """The folds of Leow (2021) on one corpus, and the systems as pipelines from audio."""

    def __init__(self, name, arguments):
        self.scale, self.arguments = arguments.scale, arguments
        self.widths = WIDTHS[arguments.scale]
        if name == "synthetic":
            self.corpus = make_emotional_speech(6, n_sentences=1, random_state=0)
            speakers = sorted(set(self.corpus.speakers))
            self.cv = LeaveSpeakersOut(groups=list(zip(speakers[::2], speakers[1::2], strict=True)))
        else:
            self.corpus = LOADERS[name](arguments.data / name)
            self.cv = load_protocol(f"leow2021-{name}")
        folds = list(self.cv.split(self.corpus.audio, groups=np.asarray(self.corpus.speakers)))
        self.folds = {n: folds[n] for n in arguments.folds or FOLDS[arguments.scale][name]}

    def training(self, **options):
        """Return the parameters of training that all networks share."""
        return {
            "validation": self.cv.inner(),
            "random_state": 0,
            **options,
            **EPOCHS[self.scale],
        }

    def systems(self):
        """Return every system by name; the name says where it is narrower than in its paper."""
        width = "" if self.scale == "paper" else f", {self.scale} width"
        systems = {
            "ComParE_2016 + SVM": self.svm,
            "CRNN": lambda: self.leow(CRNNClassifier(**self.training())),
            "DAT, gamma 2.5": lambda: self.leow(
                DomainAdversarialClassifier(gamma=2.5, **self.training())
            ),
            "LDNN": lambda: self.log_mel(LDNNClassifier(**self.training())),
        }
        for convolution in ("s", "t", "st", "fst"):
            systems[f"CLDNN {convolution}{width}"] = lambda convolution=convolution: self.log_mel(
                CLDNNClassifier(convolution, **self.widths["cldnn"], **self.training())
            )
        systems[f"ACRNN{width}"] = self.acrnn
        systems[f"GLAM{width}"] = lambda: self.glam(3)
        systems[f"Modified GLAM{width}"] = lambda: self.glam(4)
        if self.scale == "smoke":
            del systems["ComParE_2016 + SVM"]
        chosen = self.arguments.systems
        return {
            name: make()
            for name, make in systems.items()
            if chosen is None or any(name.lower().startswith(word.lower()) for word in chosen)
        }

    def svm(self):
        """Return the baseline, its C chosen on the validation speakers."""
        svm = SVC(kernel="linear")
        functionals = OpenSmileFunctionals("ComParE_2016")
        pipeline = make_pipeline(AudioLoader(), functionals, StandardScaler(), svm)
        grid = {"svc__C": [1e-4, 1e-3, 1e-2, 1e-1]}
        return HoldoutSearchCV(pipeline, grid, cv=self.cv.inner())

    def leow(self, network):
        """Return a network on 20 MFCCs, as in Leow (2021)."""
        mfcc = MFCC(n_mfcc=20, n_fft=2048, hop_length=512, convention="torchaudio")
        trimmer = SilenceTrimmer(top_db=25)
        return make_pipeline(AudioLoader(), trimmer, WienerFilter(), mfcc, network)

    def log_mel(self, network, *steps):
        """Return a network on 40 log-Mel bands, scaled bin by bin over the training utterances."""
        front_end = AudioLoader(), SilenceTrimmer(top_db=25), LogMelSpectrogram(**LOG_MEL)
        return make_pipeline(*front_end, *steps, FrameScaler(), network)

    def acrnn(self):
        """Return the ACRNN on segments of 300 frames, with deltas as channels."""
        network = ACRNNClassifier(**self.widths["acrnn"], **self.training(lr=1e-3))
        segmenter = FixedLengthSegmenter(300)
        classifier = SegmentAggregationClassifier(network, segmenter, aggregate="max")
        return self.log_mel(classifier, Deltas(order=2, axis="channel"))

    def glam(self, n_blocks):
        """Return GLAM on segments of two seconds, every 0.4 seconds."""
        mfcc = MFCC(n_mfcc=26, n_fft=2048, hop_length=512, n_mels=128)
        training = self.training(preset="reference")
        network = GLAMClassifier(n_blocks=n_blocks, **self.widths["glam"], **training)
        segmenter = FixedLengthSegmenter(32_000, hop=6_400, tail="drop", short="repeat")
        classifier = SegmentAggregationClassifier(
            make_pipeline(mfcc, network), segmenter, aggregate="mean"
        )
        return make_pipeline(AudioLoader(), SilenceTrimmer(top_db=25), classifier)

    def describe(self):
        """Name folds and scale."""
        return f"Leow (2021) folds {', '.join(map(str, self.folds))}; scale {self.scale}"

    def compare(self):
        """Print the table."""
        systems = self.systems()
        options = {
            "results_dir": self.arguments.results,
            "protocol": self.describe(),
            "return_train_score": True,
        }
        # Fold by fold, so that a run that was stopped has whole folds.
        for fold in self.folds.values():
            compare(self.corpus, systems, cv=[fold], **options)
        result = compare(self.corpus, systems, cv=list(self.folds.values()), verbose=0, **options)
        print(result, end="\n\n", flush=True)

    def estimate(self):
        """Print what one epoch of every network costs on the first fold."""
        train, _ = next(iter(self.folds.values()))
        X, y = self.corpus.audio[train], self.corpus.y[train]
        for name, system in self.systems().items():
            if isinstance(system, HoldoutSearchCV):
                continue
            seconds = []  # of one core, whatever else the machine does
            for n_epochs in (1, 2):
                pipeline = clone(system)
                epochs = {k: n_epochs for k in pipeline.get_params() if k.endswith("__max_epochs")}
                last = pipeline.set_params(**epochs).steps[-1][0]
                start = time.process_time()
                pipeline.fit(X, y, **{f"{last}__speakers": self.corpus.speakers[train]})
                seconds.append(time.process_time() - start)
            epoch = seconds[1] - seconds[0]
            most = next(v for k, v in system.get_params().items() if k.endswith("__max_epochs"))
            total = len(self.folds) * most * epoch / 60
            print(
                f"{self.corpus.name}, {name}: {len(self.folds)} fits of at most {most} epochs of "
                f"{epoch:.1f} s, at most {total:.0f} min",
                flush=True,
            )


def main(arguments=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of the corpora")
    parser.add_argument("--scale", choices=FOLDS, default="bench")
    parser.add_argument("--corpora", nargs="+", choices=LOADERS, default=list(LOADERS))
    parser.add_argument("--systems", nargs="+", help="beginnings of names, all by default")
    parser.add_argument("--folds", nargs="+", type=int, help="fewer folds than the scale has")
    parser.add_argument("--results", type=Path, default=Path("results/networks"))
    parser.add_argument("--dry-run", action="store_true")
    arguments = parser.parse_args(arguments)
    synthetic = arguments.scale == "smoke"
    if not synthetic and arguments.data is None:
        parser.error("--data is needed, but for --scale smoke")
    for name in ["synthetic"] if synthetic else arguments.corpora:
        protocol = Protocol(name, arguments)
        protocol.estimate() if arguments.dry_run else protocol.compare()


if __name__ == "__main__":
    main()
