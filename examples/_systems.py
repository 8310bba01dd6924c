"""The networks of the papers as pipelines from audio, at the scales of the examples."""

import time

from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from serkit.datasets import load_emodb, load_ravdess
from serkit.feature_extraction import MFCC, Deltas, FrameScaler, LogMelSpectrogram
from serkit.neural_network import ACRNNClassifier, GLAMClassifier, SegmentAggregationClassifier
from serkit.preprocessing import AudioLoader, FixedLengthSegmenter, SilenceTrimmer

LOADERS = {"emodb": load_emodb, "ravdess": load_ravdess}
#: How much of Leow's folds is run.
FOLDS = {
    "smoke": {"synthetic": (0,)},
    "bench": {"emodb": range(5), "ravdess": (0, 4, 8)},
    "paper": {"emodb": range(5), "ravdess": range(12)},
}
#: "paper" is what every network has by default.
EPOCHS = {
    "smoke": {"max_epochs": 1, "patience": None},
    "bench": {"max_epochs": 40, "patience": 8},
    "paper": {},
}
#: What makes a network other than its paper's, and how tables say so.
WIDTHS = {
    "smoke": {
        "cldnn": {key: {"n_filters": 2, "lstm_hidden_size": 4} for key in ("s", "t", "st", "fst")},
        "acrnn": {"conv_channels": (2, 2), "linear_size": 8, "lstm_hidden_size": 4},
        "glam": {"n_filters": 2},
    },
    "bench": {
        # "st" and "fst" cost a tenth of these, and hand few values per frame on as they are.
        "cldnn": {key: {"n_filters": 8, "lstm_hidden_size": 64} for key in ("s", "t")},
        "acrnn": {
            "conv_channels": (16, 32),
            "linear_size": 128,
            "lstm_hidden_size": 64,
            "lr": 1e-3,
        },
        "glam": {"n_filters": 8, "preset": "reference"},
    },
    # The thesis says nothing of epochs; those of the public code of the ACRNN.
    "paper": {"cldnn": {}, "acrnn": {"max_epochs": 250}, "glam": {}},
}
NOTES = {
    "smoke": dict.fromkeys(("cldnn", "acrnn", "glam"), ", smoke width"),
    "bench": {
        "cldnn": ", 8 filters, 64 cells",
        "acrnn": ", 16 and 32 filters, lr 1e-3",
        "glam": ", 8 filters, preset reference",
    },
    "paper": dict.fromkeys(("cldnn", "acrnn", "glam"), ""),
}


def front_end():
    """Return the steps from files to speech without silence around it."""
    return AudioLoader(), SilenceTrimmer(top_db=25)


def on_log_mel(network, *steps):
    """Return a network on 40 log-Mel bands, scaled bin by bin over the training utterances."""
    log_mel = LogMelSpectrogram(
        n_mels=40, n_fft=512, win_length=400, hop_length=160, window="hamming"
    )
    return make_pipeline(*front_end(), log_mel, *steps, FrameScaler(), network)


def make_acrnn(scale, **training):
    """Return the ACRNN on segments of 300 frames, with deltas as channels."""
    network = ACRNNClassifier(**{**EPOCHS[scale], **WIDTHS[scale]["acrnn"], **training})
    classifier = SegmentAggregationClassifier(network, FixedLengthSegmenter(300), aggregate="max")
    return on_log_mel(classifier, Deltas(order=2, axis="channel"))


def make_glam(scale, *, n_blocks=3, **training):
    """Return GLAM on segments of two seconds, every 0.4 seconds."""
    mfcc = MFCC(n_mfcc=26, n_fft=2048, hop_length=512, n_mels=128)
    parameters = {**EPOCHS[scale], **WIDTHS[scale]["glam"], **training}
    network = GLAMClassifier(n_blocks=n_blocks, **parameters)
    segmenter = FixedLengthSegmenter(32_000, hop=6_400, tail="drop", short="repeat")
    classifier = SegmentAggregationClassifier(
        make_pipeline(mfcc, network), segmenter, aggregate="mean"
    )
    return make_pipeline(*front_end(), classifier)


def max_epochs(pipeline):
    """Return the most epochs that the network in a pipeline is trained for."""
    return next(v for k, v in pipeline.get_params().items() if k.endswith("__max_epochs"))


def seconds_per_epoch(pipeline, X, y, speakers):
    """Return what one epoch takes of one core, whatever else the machine does."""
    seconds = []
    for n_epochs in (1, 1, 2):  # the first time is longer
        trial = clone(pipeline)
        epochs = {name: n_epochs for name in trial.get_params() if name.endswith("__max_epochs")}
        last = trial.set_params(**epochs).steps[-1][0]
        start = time.process_time()
        trial.fit(X, y, **{f"{last}__speakers": speakers})
        seconds.append(time.process_time() - start)
    return max(seconds[2] - seconds[1], 0)
