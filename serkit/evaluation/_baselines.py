"""Pipelines that every table should hold, classical and deep."""

import warnings
from importlib.util import find_spec
from typing import Any

from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from serkit.evaluation._holdout_search import HoldoutSearchCV
from serkit.feature_extraction import (
    MFCC,
    Deltas,
    FrameScaler,
    OpenSmileFunctionals,
    TemporalPooling,
)
from serkit.neural_network import CRNNClassifier, DomainAdversarialClassifier
from serkit.preprocessing import AudioLoader, SilenceTrimmer

__all__ = ["baseline_pipelines"]

#: What is tuned on validation speakers, by name of the last step.
_GRIDS = {
    "svm": {"svm__C": [1e-4, 1e-3, 1e-2, 1e-1]},
    "mlp": {"mlp__alpha": [1e-4, 1e-3, 1e-2, 1e-1]},
}

#: Networks of a size that a laptop trains in seconds per fold.
_NETWORK = {
    "n_filters": 32,
    "rnn_hidden_size": 64,
    "hidden_layer_sizes": (64, 64),
    "dropout": 0.3,
    "max_epochs": 40,
    "patience": 10,
}


def baseline_pipelines(
    sampling_rate: int = 16000, *, validation: Any = None
) -> dict[str, Pipeline | HoldoutSearchCV]:
    """Return pipelines from audio to emotion, to start from and to be compared with.

    Parameters
    ----------
    sampling_rate : int, default=16000
        Rate in Hz to which audio is brought.
    validation : splitter or None, default=None
        Holds out validation speakers, on which C of the SVM (1e-4 to 1e-1) and
        alpha of the MLP are then tuned, as :class:`HoldoutSearchCV` does, and
        the best epoch of CRNN and DAT is chosen. ``None`` leaves C and alpha at
        fixed values; CRNN and DAT then hold out a fifth of the speakers.

    Returns
    -------
    pipelines : dict of str to Pipeline or HoldoutSearchCV
        "MFCC statistics + SVM", "eGeMAPSv02 + SVM", "ComParE_2016 + SVM",
        "MFCC statistics + MLP", "MFCC + CRNN" and "MFCC + DAT"; without the two
        of openSMILE, and with a warning that says so, if the package opensmile
        is not installed.

    See Also
    --------
    compare : Compares them on speaker-independent folds.
    serkit.neural_network.CRNNClassifier : A network on frames; here it has one
        block, 32 filters, 64 units, and 40 epochs at most.
    serkit.neural_network.DomainAdversarialClassifier : The same network, trained
        not to know who speaks. Both want the speakers in ``fit``.

    Examples
    --------
    >>> from serkit.evaluation import baseline_pipelines
    >>> list(baseline_pipelines()["MFCC statistics + SVM"].named_steps)
    ['load', 'trim', 'mfcc', 'deltas', 'pool', 'scale', 'svm']
    """
    pipelines = {
        "MFCC statistics + SVM": _mfcc_statistics(sampling_rate, ("svm", _svm())),
        "eGeMAPSv02 + SVM": _opensmile(sampling_rate, "eGeMAPSv02"),
        "ComParE_2016 + SVM": _opensmile(sampling_rate, "ComParE_2016"),
        "MFCC statistics + MLP": _mfcc_statistics(sampling_rate, ("mlp", _mlp())),
        "MFCC + CRNN": _frames(sampling_rate, ("crnn", CRNNClassifier(**_NETWORK))),
        "MFCC + DAT": _frames(sampling_rate, ("dat", DomainAdversarialClassifier(**_NETWORK))),
    }
    if find_spec("opensmile") is None:
        pipelines = {
            name: pipeline
            for name, pipeline in pipelines.items()
            if "functionals" not in pipeline.named_steps
        }
        warnings.warn(
            "the pipelines with openSMILE are left out: the package opensmile is not installed "
            '(pip install "serkit[opensmile]")',
            UserWarning,
            stacklevel=2,
        )
    if validation is None:
        return pipelines
    return {name: _tuned(pipeline, validation) for name, pipeline in pipelines.items()}


def _tuned(pipeline: Pipeline, validation: Any) -> Pipeline | HoldoutSearchCV:
    last = pipeline.steps[-1][0]
    if last in _GRIDS:
        return HoldoutSearchCV(pipeline, _GRIDS[last], cv=validation)
    return pipeline.set_params(**{f"{last}__validation": validation})


def _mfcc_statistics(sampling_rate: int, classifier: tuple[str, Any]) -> Pipeline:
    return Pipeline(
        [
            ("load", AudioLoader(sampling_rate=sampling_rate)),
            ("trim", SilenceTrimmer()),
            ("mfcc", _mfcc(sampling_rate, window=0.032, hop=0.01)),
            ("deltas", Deltas()),
            ("pool", TemporalPooling(("mean", "std", "p5", "p95"))),
            ("scale", StandardScaler()),
            classifier,
        ]
    )


def _frames(sampling_rate: int, network: tuple[str, Any]) -> Pipeline:
    """Return a pipeline for a network on frames, with the long windows of Leow (2021)."""
    return Pipeline(
        [
            ("load", AudioLoader(sampling_rate=sampling_rate)),
            ("trim", SilenceTrimmer()),
            ("mfcc", _mfcc(sampling_rate, window=0.128, hop=0.032)),
            ("scale", FrameScaler()),
            network,
        ]
    )


def _opensmile(sampling_rate: int, feature_set: str) -> Pipeline:
    return Pipeline(
        [
            ("load", AudioLoader(sampling_rate=sampling_rate)),
            ("functionals", OpenSmileFunctionals(feature_set, sampling_rate=sampling_rate)),
            ("scale", StandardScaler()),
            ("svm", _svm()),
        ]
    )


def _mfcc(sampling_rate: int, *, window: float, hop: float) -> MFCC:
    """Return 20 MFCCs, of windows given in seconds."""
    n_fft, hop_length = round(window * sampling_rate), round(hop * sampling_rate)
    return MFCC(n_mfcc=20, n_fft=n_fft, hop_length=hop_length, sampling_rate=sampling_rate)


def _svm() -> SVC:
    return SVC(kernel="linear", C=0.1)


def _mlp() -> MLPClassifier:
    return MLPClassifier((64,), alpha=0.01, max_iter=500)
