"""Classical pipelines that every table should hold."""

import warnings
from importlib.util import find_spec
from typing import Any

from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from serkit.evaluation._holdout_search import HoldoutSearchCV
from serkit.feature_extraction import MFCC, Deltas, OpenSmileFunctionals, TemporalPooling
from serkit.preprocessing import AudioLoader, SilenceTrimmer

__all__ = ["baseline_pipelines"]

#: What is tuned on validation speakers, by name of the last step.
_GRIDS = {
    "svm": {"svm__C": [1e-4, 1e-3, 1e-2, 1e-1]},
    "mlp": {"mlp__alpha": [1e-4, 1e-3, 1e-2, 1e-1]},
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
        alpha of the MLP are then tuned, as :class:`HoldoutSearchCV` does;
        ``None`` leaves them at fixed values.

    Returns
    -------
    pipelines : dict of str to Pipeline or HoldoutSearchCV
        "MFCC statistics + SVM", "eGeMAPSv02 + SVM", "ComParE_2016 + SVM" and
        "MFCC statistics + MLP"; without the two of openSMILE, and with a warning
        that says so, if the package opensmile is not installed.

    See Also
    --------
    compare : Compares them on speaker-independent folds.

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
    return {
        name: HoldoutSearchCV(pipeline, _GRIDS[pipeline.steps[-1][0]], cv=validation)
        for name, pipeline in pipelines.items()
    }


def _mfcc_statistics(sampling_rate: int, classifier: tuple[str, Any]) -> Pipeline:
    return Pipeline(
        [
            ("load", AudioLoader(sampling_rate=sampling_rate)),
            ("trim", SilenceTrimmer()),
            ("mfcc", MFCC(n_mfcc=20, sampling_rate=sampling_rate, **_windows(sampling_rate))),
            ("deltas", Deltas()),
            ("pool", TemporalPooling(("mean", "std", "p5", "p95"))),
            ("scale", StandardScaler()),
            classifier,
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


def _windows(sampling_rate: int) -> dict[str, int]:
    """Return windows of 32 ms every 10 ms, in samples."""
    return {"n_fft": round(0.032 * sampling_rate), "hop_length": round(0.01 * sampling_rate)}


def _svm() -> SVC:
    return SVC(kernel="linear", C=0.1)


def _mlp() -> MLPClassifier:
    return MLPClassifier((64,), alpha=0.01, max_iter=500)
