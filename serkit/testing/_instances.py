"""One or more small instances of every public estimator."""

import importlib
import inspect

import torch
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler

import serkit
from serkit.evaluation import HoldoutSearchCV
from serkit.feature_extraction import (
    MFCC,
    CachedTransformer,
    Deltas,
    FrameScaler,
    KaldiFilterbankPitch,
    LogMelSpectrogram,
    OpenSmileDescriptors,
    OpenSmileFunctionals,
    Spectrogram,
    TemporalPooling,
    TorchTransformer,
)
from serkit.neural_network import (
    CRNNClassifier,
    CRNNRegressor,
    DomainAdversarialClassifier,
    MLPClassifier,
)
from serkit.pipeline import Pipeline
from serkit.preprocessing import (
    AudioLoader,
    HighPassFilter,
    PadOrTruncate,
    PreEmphasis,
    Resampler,
    SilenceTrimmer,
    SpeakerStandardizer,
    WienerFilter,
)

__all__ = ["all_estimators", "expected_failed_checks", "test_instances"]

_RANDOM_BATCHES = {
    "check_sample_weight_equivalence_on_dense_data": (
        "training goes in random batches, and a repeated row is in more of them than a weighted one"
    )
}

#: Accepted failures of scikit-learn's checks: class, check, reason.
_EXPECTED_FAILURES: dict[str, dict[str, str]] = {
    "Pipeline": dict.fromkeys(
        ("check_estimators_overwrite_params", "check_dont_overwrite_parameters"),
        "a pipeline fits the very steps it was given, as scikit-learn's does",
    ),
    "CRNNClassifier": _RANDOM_BATCHES,
    "CRNNRegressor": _RANDOM_BATCHES,
    "DomainAdversarialClassifier": _RANDOM_BATCHES,
    "MLPClassifier": _RANDOM_BATCHES,
}


def all_estimators() -> dict[str, type[BaseEstimator]]:
    """Find every public estimator that can be instantiated.

    Returns
    -------
    estimators : dict of str to class
        By class name; abstract bases are left out.

    Examples
    --------
    >>> from serkit.testing import all_estimators
    >>> "WienerFilter" in all_estimators()
    True
    """
    estimators = {}
    for room in serkit.__all__:
        if room in ("__version__", "testing", "training", "utils"):
            continue
        module = importlib.import_module(f"serkit.{room}")
        for name in module.__all__:
            found = getattr(module, name)
            is_estimator = inspect.isclass(found) and issubclass(found, BaseEstimator)
            if is_estimator and not inspect.isabstract(found):
                estimators[name] = found
    return estimators


def test_instances() -> list[BaseEstimator]:
    """Make one or more small, fast instances of every public estimator.

    Returns
    -------
    instances : list of estimator
        Unfitted.

    Examples
    --------
    >>> from serkit import testing
    >>> len(testing.test_instances()) >= len(testing.all_estimators())
    True
    """
    return [
        *_preprocessing_instances(),
        *_feature_instances(),
        *_network_instances(),
        Pipeline([("scale", StandardScaler()), ("classify", LogisticRegression())]),
        HoldoutSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=KFold(3)),
    ]


def _preprocessing_instances() -> list[BaseEstimator]:
    return [
        AudioLoader(),
        Resampler(sampling_rate=16000, target_sampling_rate=8000),
        SilenceTrimmer(frame_length=64, hop_length=16),
        WienerFilter(),
        HighPassFilter(order=2),
        PreEmphasis(),
        PadOrTruncate(),
        PadOrTruncate(length=200, side="left"),
        SpeakerStandardizer(),
        SpeakerStandardizer(unseen="global"),
    ]


def _feature_instances() -> list[BaseEstimator]:
    window = {"n_fft": 64, "hop_length": 32}
    return [
        Spectrogram(**window),
        Spectrogram(**window, convention="torchaudio", log="db"),
        LogMelSpectrogram(n_mels=5, **window),
        LogMelSpectrogram(n_mels=5, win_length=64, **window, convention="kaldi"),
        MFCC(n_mfcc=3, n_mels=5, **window),
        KaldiFilterbankPitch(n_mels=5, win_length=256, hop_length=64, f_min_pitch=100.0),
        KaldiFilterbankPitch(
            n_mels=5, win_length=64, hop_length=32, use_pitch=False, use_nccf=False
        ),
        Deltas(width=3),
        Deltas(width=3, axis="bin", convention="torchaudio"),
        FrameScaler(),
        FrameScaler(scope="utterance"),
        TemporalPooling(),
        OpenSmileFunctionals("IS09"),
        OpenSmileDescriptors("IS09"),
        TorchTransformer(torch.nn.Unflatten(1, (1, -1))),
        TorchTransformer(torch.nn.Identity(), input="frames"),
        CachedTransformer(WienerFilter()),
        CachedTransformer(TemporalPooling()),
    ]


def _network_instances() -> list[BaseEstimator]:
    training = {"batch_size": 64, "max_epochs": 10, "lr": 0.05, "random_state": 0}
    crnn = {
        "n_filters": 4,
        "conv_dropout": 0.0,
        "rnn_hidden_size": 8,
        "hidden_layer_sizes": (8,),
        "dropout": 0.0,
    }
    return [
        CRNNClassifier(**crnn, **training),
        CRNNClassifier(n_conv_layers=2, **crnn, **(training | {"max_epochs": 15})),
        CRNNRegressor(**crnn, **(training | {"max_epochs": 25})),
        DomainAdversarialClassifier(gamma=None, **crnn, **training),
        DomainAdversarialClassifier(
            "mlp",
            gamma=None,
            encoder_layer_sizes=(16,),
            hidden_layer_sizes=(8,),
            dropout=0.0,
            **training,
        ),
        MLPClassifier((16, 8), dropout=0.1, **training),
    ]


def expected_failed_checks(estimator: BaseEstimator) -> dict[str, str]:
    """Say which of scikit-learn's checks an estimator may fail, and why.

    Parameters
    ----------
    estimator : estimator
        An instance.

    Returns
    -------
    checks : dict of str to str
        Reason by name of the check.
    """
    return _EXPECTED_FAILURES.get(type(estimator).__name__, {})
