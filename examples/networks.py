"""Every network under one protocol, beside an SVM.

``python examples/networks.py --data FOLDER`` prints tables of the page "Results". FOLDER holds
``emodb`` and ``ravdess``. Every finished fold is kept in ``--results``, so the command can be
stopped and run again. ``--scale paper`` has the widths of the papers and all folds, ``--scale
smoke`` takes made speech and seconds. ``--dry-run`` shows what would be run and what it would cost.
"""

import argparse
import os
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from _systems import (
    EPOCHS,
    FOLDS,
    LOADERS,
    NOTES,
    WIDTHS,
    front_end,
    make_acrnn,
    make_glam,
    max_epochs,
    on_log_mel,
    seconds_per_epoch,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from serkit.datasets import make_emotional_speech
from serkit.evaluation import HoldoutSearchCV, compare
from serkit.feature_extraction import MFCC, OpenSmileFunctionals
from serkit.model_selection import LeaveSpeakersOut, load_protocol
from serkit.neural_network import (
    CLDNNClassifier,
    CRNNClassifier,
    DomainAdversarialClassifier,
    LDNNClassifier,
)
from serkit.preprocessing import AudioLoader, WienerFilter


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
        self.validation = {"validation": self.cv.inner(), "random_state": 0}
        self.training = {**self.validation, **EPOCHS[arguments.scale]}

    def systems(self):
        """Return every system by name; the name says where it is other than in its paper."""
        notes = NOTES[self.scale]
        systems = {
            "ComParE_2016 + SVM": self.svm,
            "CRNN": partial(self.leow, CRNNClassifier),
            "DAT, gamma 2.5": partial(self.leow, DomainAdversarialClassifier, gamma=2.5),
            "LDNN": lambda: on_log_mel(LDNNClassifier(**self.training)),
        }
        for convolution in ("s", "t", "st", "fst"):
            note = notes["cldnn"] if convolution in WIDTHS[self.scale]["cldnn"] else ""
            systems[f"CLDNN {convolution}{note}"] = partial(self.cldnn, convolution)
        systems[f"ACRNN{notes['acrnn']}"] = partial(make_acrnn, self.scale, **self.validation)
        for name, n_blocks in (("GLAM", 3), ("Modified GLAM", 4)):
            systems[f"{name}{notes['glam']}"] = partial(
                make_glam, self.scale, n_blocks=n_blocks, **self.validation
            )
        if self.scale == "smoke":
            del systems["ComParE_2016 + SVM"]
        words = self.arguments.systems
        return {
            name: make()
            for name, make in systems.items()
            if words is None or any(name.lower().startswith(word.lower()) for word in words)
        }

    def svm(self):
        """Return the baseline, its C chosen on the validation speakers."""
        functionals = OpenSmileFunctionals("ComParE_2016")
        svm = SVC(kernel="linear")
        pipeline = make_pipeline(AudioLoader(), functionals, StandardScaler(), svm)
        grid = {"svc__C": [1e-4, 1e-3, 1e-2, 1e-1]}
        return HoldoutSearchCV(pipeline, grid, cv=self.cv.inner())

    def leow(self, network, **parameters):
        """Return a network on 20 MFCCs, as in Leow (2021)."""
        mfcc = MFCC(n_mfcc=20, n_fft=2048, hop_length=512, convention="torchaudio")
        network = network(**parameters, **self.training)
        return make_pipeline(*front_end(), WienerFilter(), mfcc, network)

    def cldnn(self, convolution):
        """Return one of the four types of convolution."""
        widths = WIDTHS[self.scale]["cldnn"].get(convolution, {})
        return on_log_mel(CLDNNClassifier(convolution, **widths, **self.training))

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
        """Print the number of fits of every network and what an epoch costs."""
        train, _ = next(iter(self.folds.values()))
        data = self.corpus.audio[train], self.corpus.y[train], self.corpus.speakers[train]
        for name, system in self.systems().items():
            if isinstance(system, HoldoutSearchCV):
                continue
            epoch, most = seconds_per_epoch(system, *data), max_epochs(system)
            print(
                f"{self.corpus.name}, {name}: {len(self.folds)} fits of at most {most} epochs of "
                f"{epoch:.1f} s, at most {len(self.folds) * most * epoch / 60:.0f} min",
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
