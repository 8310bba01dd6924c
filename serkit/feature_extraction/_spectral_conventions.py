"""What ``"auto"`` stands for in the world of librosa, of torchaudio and of Kaldi."""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

__all__ = ["CONVENTIONS", "resolve"]

Settings = dict[str, Any]


def _same_as(name: str) -> Callable[[Settings], Any]:
    return lambda settings: settings[name]


def _part_of(name: str, divisor: int) -> Callable[[Settings], int]:
    return lambda settings: max(1, settings[name] // divisor)


def _next_power_of_two(settings: Settings) -> int:
    return 1 << (settings["win_length"] - 1).bit_length()


def _only_for_decibels(top_db: float) -> Callable[[Settings], float | None]:
    return lambda settings: top_db if settings["log"] == "db" else None


#: Parameter to value, or to a function of the parameters known so far: the order counts.
CONVENTIONS: dict[str, Settings] = {
    "librosa": {
        "n_fft": 2048,
        "win_length": _same_as("n_fft"),
        "hop_length": _part_of("win_length", 4),
        "window": "hann",
        "center": True,
        "pad_mode": "constant",
        "preemphasis": None,
        "remove_dc": False,
        "n_mels": 128,
        "f_min": 0.0,
        "mel_scale": "slaney",
        "norm": "slaney",
        "log": "db",
        "amin": lambda settings: 1e-5 ** settings["power"],
        "top_db": _only_for_decibels(80.0),
        "n_mfcc": 20,
        "lifter": 0,
    },
    "torchaudio": {
        "n_fft": 400,
        "win_length": _same_as("n_fft"),
        "hop_length": _part_of("win_length", 2),
        "window": "hann",
        "center": True,
        "pad_mode": "reflect",
        "preemphasis": None,
        "remove_dc": False,
        "n_mels": 128,
        "f_min": 0.0,
        "mel_scale": "htk",
        "norm": None,
        "log": "db",
        "amin": 1e-10,
        "top_db": None,
        "n_mfcc": 40,
        "lifter": 0,
    },
    "kaldi": {
        "win_length": _part_of("sampling_rate", 40),
        "n_fft": _next_power_of_two,
        "hop_length": _part_of("sampling_rate", 100),
        "window": "povey",
        "center": False,
        "pad_mode": "constant",
        "preemphasis": 0.97,
        "remove_dc": True,
        "n_mels": 23,
        "f_min": 20.0,
        "mel_scale": "kaldi",
        "norm": None,
        "log": "ln",
        "amin": float(np.finfo(np.float32).eps),
        "top_db": None,
        "n_mfcc": 13,
        "lifter": 22,
    },
}


def resolve(estimator: BaseEstimator, **overrides: Settings) -> Settings:
    """Return the parameters of an estimator with every ``"auto"`` replaced.

    Parameters
    ----------
    estimator : estimator
        It has a parameter ``convention``; nothing on it is changed.
    **overrides : dict
        Convention to what is different in it for this estimator.

    Returns
    -------
    settings : dict
        All parameters by name.
    """
    settings = estimator.get_params(deep=False)
    convention = settings["convention"]
    defaults = CONVENTIONS[convention] | overrides.get(convention, {})
    for name, default in defaults.items():
        if isinstance(settings.get(name), str) and settings[name] == "auto":
            settings[name] = default(settings) if callable(default) else default
    return settings
