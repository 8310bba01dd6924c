"""What several time scales, anti-transfer and quaternion networks are worth (Guizzo, 2023).

``python examples/guizzo2023.py --data FOLDER`` prints tables of the page "Results". FOLDER holds
``emodb`` and ``ravdess``. Every finished fold is kept in ``--results``, so the command can be
stopped and run again. ``--scale paper`` has the sizes of the thesis and all folds, ``--scale
smoke`` takes made speech and seconds. ``--dry-run`` shows what would be run and what it would cost.
"""

import os
from functools import partial

os.environ.setdefault("OMP_NUM_THREADS", "1")

from _protocol import LeowFolds, make_parser, parse
from _systems import EPOCHS, LOADERS
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline

from serkit.datasets import make_emotional_speech
from serkit.feature_extraction import FrameScaler, Spectrogram
from serkit.neural_network import (
    AntiTransferClassifier,
    MultiTimeScaleClassifier,
    QuaternionCNNClassifier,
    RHEmoTransformer,
)
from serkit.persistence import load, save
from serkit.preprocessing import AudioLoader, PadOrTruncate
from serkit.utils import content_digest, estimator_digest, source_digest

#: Sampling rate in Hz and seconds of every utterance.
SPEECH = {"smoke": (16_000, 1), "bench": (8_000, 3), "paper": (16_000, 9)}
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


class Protocol(LeowFolds):
    """The experiments on one corpus, their systems as pipelines from audio."""

    def __init__(self, name, arguments):
        super().__init__(name, arguments)
        self.training = {
            **self.validation,
            "lr": LR[self.scale],
            "batch_size": 32,
            **EPOCHS[self.scale],
        }

    def multi_time_scale(self):
        """Return A1 to A4 with one time scale and with three."""
        tables = []
        for name, widths in MULTI_TIME_SCALE[self.scale].items():
            network = partial(MultiTimeScaleClassifier, name, **widths, **self.training)
            scales = {"standard": None, "0.7, 1, 1.428": (0.7, 1.0, 1.428)}
            tables.append(
                {
                    f"{name} {label}": partial(self.on_spectrogram, network(scale_factors=factors))
                    for label, factors in scales.items()
                }
            )
        return tables

    def on_spectrogram(self, network):
        """Return a network on the magnitudes of 20 ms windows every 10 ms."""
        rate, _ = SPEECH[self.scale]
        spectrogram = Spectrogram(rate // 50, hop_length=rate // 100, power=1.0, sampling_rate=rate)
        return make_pipeline(*self.speech(), spectrogram, FrameScaler(), network)

    def speech(self):
        """Return the steps from files to speech of one duration."""
        rate, seconds = SPEECH[self.scale]
        return AudioLoader(rate), PadOrTruncate(rate * seconds)

    def anti_transfer(self):
        """Return networks that are kept from knowing speakers, or sentences, or begin with them."""
        tables = []
        for name, width in BACKBONES[self.scale].items():
            systems = {f"{name}{note(width)}": partial(self.against, name)}
            for task in ("speakers", "sentences of the other corpus"):
                systems[f"anti-transfer, {task}"] = partial(self.against, name, task)
                systems[f"weights of {task}"] = partial(
                    self.against, name, task, beta=0.0, initialize="reference"
                )
            tables.append(systems)
        return tables

    def against(self, name, task=None, **parameters):
        """Return a network that is trained with a reference for another task, or without."""
        rate, _ = SPEECH[self.scale]
        window = {"n_fft": rate * 16 // 1000, "hop_length": rate * 8 // 1000, "window": "hamming"}
        spectrogram = Spectrogram(**window, power=1.0, sampling_rate=rate)
        steps = *self.speech(), spectrogram, FrameScaler(per="all")
        network = self.cnn(name, "real")
        if task is not None:
            # Who is to be told apart cannot be held out.
            reference = clone(network).set_params(
                validation=None, patience=None, **REFERENCE[self.scale]
            )
            if task != "speakers":
                reference.set_params(random_state=1)  # not the weights that the network begins with
                reference = self.of_other_corpus(name, make_pipeline(*steps, reference))
            # Speakers of two corpora have the same names, which looks like a leak.
            options = {"layers": LAYERS[name], "leakage": "ignore", **parameters}
            network = AntiTransferClassifier(network, reference, **options)
        return make_pipeline(*steps, network)

    def quaternion(self):
        """Return networks on what RH-emo makes of speech, and real ones on spectrograms."""
        return [
            {
                f"{name} real{note(width)}": partial(self.on_frames, name, "real"),
                f"{name} quaternion{note(width)}": partial(self.on_frames, name, "quaternion"),
            }
            for name, width in BACKBONES[self.scale].items()
        ]

    def on_frames(self, name, domain):
        """Return a network on 4 s of speech, windows of 16 ms every 8 ms."""
        rate = 16_000
        spectrogram = Spectrogram(256, hop_length=128, window="hamming", power=1.0)
        steps = AudioLoader(rate), PadOrTruncate(4 * rate), spectrogram
        scaler = FrameScaler(per="all")
        if domain == "quaternion":
            rh_emo = RHEmoTransformer(**RH_EMO[self.scale], random_state=0)
            scaler = self.of_other_corpus("rh_emo", make_pipeline(*steps, rh_emo))
        return make_pipeline(*steps, scaler, self.cnn(name, domain))

    def of_other_corpus(self, name, pipeline):
        """Return what a pipeline ends in, trained on the other corpus, or before in a file."""
        if self.corpus.name == "synthetic":
            other = make_emotional_speech(4, n_sentences=2, random_state=1)
        else:
            other = next(other for other in LOADERS if other != self.corpus.name)
            other = LOADERS[other](self.arguments.data / other)
        dry_run = self.arguments.dry_run
        step, network = pipeline.steps[-1]
        if dry_run:
            network.set_params(max_epochs=1)
        key = content_digest(f"{estimator_digest(pipeline)} {source_digest()}".encode())
        path = self.arguments.results / "pretrained" / f"{name}-{other.name}-{key[:12]}.safetensors"
        if path.exists():
            return FrozenEstimator(load(path))
        is_rh_emo = isinstance(network, RHEmoTransformer)
        labels = other.y if is_rh_emo else other.table["sentence"].to_numpy(object)
        pipeline.fit(other.audio, labels, **{f"{step}__speakers": other.speakers})
        if dry_run:
            return FrozenEstimator(network)
        path.parent.mkdir(parents=True, exist_ok=True)
        save(network, path)
        return FrozenEstimator(load(path))

    def cnn(self, name, domain):
        """Return a network of chapters 5 to 7."""
        width = BACKBONES[self.scale][name]
        training = {**self.training, "lr": BACKBONE_LR[self.scale]}
        return QuaternionCNNClassifier(name, domain=domain, width=width, **training)

    def tables(self, experiment):
        """Return the systems of every table of an experiment that are asked for."""
        tables = [self.make(systems) for systems in getattr(self, experiment)()]
        return [systems for systems in tables if systems]

    def scale_usage(self):
        """Print which scales win on the test speakers of a fold, before training and after it."""
        train, test = next(iter(self.folds.values()))
        speakers = self.corpus.speakers[train]
        for factors in ((0.7, 1.0, 1.428), (0.5, 1.0, 2.0)):
            network = MultiTimeScaleClassifier(
                "A1", scale_factors=factors, **MULTI_TIME_SCALE[self.scale]["A1"], **self.training
            )
            system = self.on_spectrogram(network)
            for name, lr in (("untrained", 1e-12), ("trained", network.lr)):
                system.set_params(multitimescaleclassifier__lr=lr)
                system.fit(
                    self.corpus.audio[train],
                    self.corpus.y[train],
                    multitimescaleclassifier__speakers=speakers,
                )
                usage = network.scale_usage(system[:-1].transform(self.corpus.audio[test]))
                print(
                    f"{self.corpus.name}, A1, {name}:",
                    usage.astype(float).round(2).to_dict("records"),
                )

    def run(self, experiment):
        """Print what an experiment gives, or what it would cost."""
        if experiment == "scale_usage":
            self.scale_usage()
        elif self.arguments.dry_run:
            self.estimate(self.tables(experiment))
        else:
            self.compare(self.tables(experiment))


def note(width):
    """Say that a network is narrower than in the thesis."""
    return "" if width == 1 else f", width {width:g}"


EXPERIMENTS = ("multi_time_scale", "scale_usage", "anti_transfer", "quaternion")


def main(arguments=None) -> None:
    parser = make_parser(__doc__, results="results/guizzo2023")
    parser.add_argument("--experiments", nargs="+", choices=EXPERIMENTS, default=EXPERIMENTS)
    arguments, corpora = parse(parser, arguments)
    for name in corpora:
        protocol = Protocol(name, arguments)
        for experiment in arguments.experiments:
            protocol.run(experiment)


if __name__ == "__main__":
    main()
