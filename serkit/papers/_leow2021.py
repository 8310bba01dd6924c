"""Leow (2021): domain-adversarial training, with the speaker to be forgotten."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.pipeline import make_pipeline

from serkit.feature_extraction import (
    MFCC,
    FrameScaler,
    KaldiFilterbankPitch,
    LogMelSpectrogram,
)
from serkit.neural_network import CRNNClassifier, DomainAdversarialClassifier
from serkit.papers._experiment import FoldComparison
from serkit.papers._measured import Measured, recognised_speakers, validation_uar
from serkit.papers._paper import Paper
from serkit.papers._setting import Folds
from serkit.preprocessing import AudioLoader, PadOrTruncate, SilenceTrimmer, WienerFilter

__all__ = ["leow2021"]

GAMMAS = (1.25, 2.5, 3.33)
_WINDOW: dict[str, Any] = {"n_fft": 2048, "hop_length": 512, "convention": "torchaudio"}
_FEATURES = {
    "mfcc": MFCC(n_mfcc=20, **_WINDOW),
    "lms": LogMelSpectrogram(n_mels=128, **_WINDOW),
    "mfb": KaldiFilterbankPitch(win_length=640, hop_length=160),
}
#: Networks that the paper compares with, in sizes of our choice, for it gives none.
_ENCODERS = {"tdnn_bilstm": ("mfcc", "TDNN-BiLSTM"), "cnn1d_gru": ("mfb", "CNN1D-GRU")}
_SIZES = {"smoke": {"n_filters": 8, "rnn_hidden_size": 16}, "bench": {}, "paper": {}}
_EPOCHS = {"smoke": {"max_epochs": 2}, "bench": {}, "paper": {"max_epochs": 100}}
#: What is run short of the paper: the best depth of each kind of features.
_BEST_DEPTH = {"mfcc": (1,), "lms": (4,)}
_SCALED = {"scaler": FrameScaler()}
#: Where nothing is said it is Adam at 1e-3 on batches of 32.
_SETTINGS: dict[str, dict[str, Any]] = {
    "Adam 1e-3, batch 32, scaled bins": _SCALED,
    "learning rate 3e-4": {**_SCALED, "lr": 3e-4},
    "SGD 1e-2, momentum 0.9": {**_SCALED, "optimizer": "sgd", "lr": 1e-2},
    "batch 16": {**_SCALED, "batch_size": 16},
    "no scaling": {},
    "scaled by utterance": {"scaler": FrameScaler(scope="utterance")},
}


def frames(feature: str, folds: Folds) -> list[BaseEstimator]:
    """Return the steps from files to frames; at scale "paper" of one length."""
    steps = [AudioLoader(), SilenceTrimmer(top_db=25), WienerFilter()]
    if folds.scale == "paper":
        trimmed = make_pipeline(*steps).transform(folds.corpus.audio)
        steps.append(PadOrTruncate(length=max(map(len, trimmed))))
    return [*steps, _FEATURES[feature]]


def network(
    feature: str,
    gamma: float | None,
    folds: Folds,
    *,
    n_conv_layers: int = 1,
    encoder: str = "cnn2d_bigru",
    scaler: FrameScaler | None = None,
    **training: Any,
) -> BaseEstimator:
    """Return a network behind its features; without `gamma` it is not told who speaks."""
    scale = folds.scale
    options = {**folds.training, **folds.checkpoints, **_EPOCHS[scale], **training}
    if encoder == "cnn2d_bigru":
        options |= {"n_conv_layers": n_conv_layers, **_SIZES[scale]}
    if gamma is None and encoder == "cnn2d_bigru":
        classifier = CRNNClassifier(**options)
    else:
        classifier = DomainAdversarialClassifier(encoder, gamma=gamma, **options)
    scaling = [] if scaler is None else [scaler]
    return make_pipeline(*frames(feature, folds), *scaling, classifier)


def depths_and_gammas(feature: str, folds: Folds) -> Mapping[str, Callable[[], BaseEstimator]]:
    """Return the rows of Tables 1 and 2."""
    depths = (1, 2, 3, 4) if folds.scale == "paper" else _BEST_DEPTH[feature]
    systems = {}
    for depth in depths:
        blocks = f"{depth} block" + "s" * (depth > 1)
        for gamma in (None, *(GAMMAS if folds.scale != "smoke" else GAMMAS[1:2])):
            name = f"CRNN, {blocks}" if gamma is None else f"DAT, gamma {gamma:g}, {blocks}"
            systems[name] = partial(network, feature, gamma, folds, n_conv_layers=depth)
    return systems


def encoders(folds: Folds) -> Mapping[str, Callable[[], BaseEstimator]]:
    """Return the other networks of Table 3, with and without knowing the speaker."""
    systems = {}
    for encoder, (feature, name) in _ENCODERS.items():
        for gamma in (None, 2.5):
            label = name if gamma is None else f"{name}, DAT, gamma {gamma:g}"
            systems[f"{label} [our sizes]"] = partial(
                network, feature, gamma, folds, encoder=encoder
            )
    return systems


def settings(folds: Folds) -> Mapping[str, Callable[[], BaseEstimator]]:
    """Return the CRNN on MFCCs in the settings that were tried."""
    return {
        name: partial(network, "mfcc", None, folds, **options)
        for name, options in _SETTINGS.items()
    }


leow2021 = Paper(
    "leow2021",
    'B. Leow Xuan Zhen, "Speaker-Invariant Speech Emotion Recognition with Domain Adversarial '
    'Training", Nanyang Technological University, 2021',
    [
        FoldComparison(
            "mfcc",
            "20 MFCCs, 2-D convolutions and a biGRU, with and without adversarial training",
            "Table 1",
            ("emodb", "ravdess"),
            systems=partial(depths_and_gammas, "mfcc"),
        ),
        FoldComparison(
            "lms",
            "The same on log-mel spectrograms of 128 bands",
            "Table 2",
            ("emodb", "ravdess"),
            systems=partial(depths_and_gammas, "lms"),
        ),
        FoldComparison(
            "encoders",
            "Other encoders, in sizes of our choice, for the paper gives none",
            "Table 3",
            ("emodb", "ravdess"),
            systems=encoders,
        ),
        Measured(
            "settings",
            "UAR of the CRNN on validation speakers, by how it is trained",
            "not in the paper",
            ("emodb", "ravdess"),
            measure=validation_uar,
            systems=settings,
        ),
        Measured(
            "speaker-probe",
            "Speakers that a fresh classifier recognises from the embedding",
            "not in the paper",
            ("emodb", "ravdess"),
            measure=recognised_speakers,
            systems=lambda folds: {
                "CRNN, 1 block": partial(network, "mfcc", None, folds),
                "DAT, gamma 3.33, 1 block": partial(network, "mfcc", 3.33, folds),
            },
        ),
    ],
)
