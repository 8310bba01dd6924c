"""Huang & Narayanan (2017): four types of convolution before an LSTM, and noise."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from serkit.datasets import Corpus
from serkit.evaluation import HoldoutSearchCV
from serkit.feature_extraction import MFCC, FrameScaler, LogMelSpectrogram, OpenSmileFunctionals
from serkit.model_selection import LeaveSpeakersOut
from serkit.neural_network import CLDNNClassifier, LDNNClassifier
from serkit.papers._experiment import FoldComparison, without_note
from serkit.papers._front_ends import LOG_MELS
from serkit.papers._kernel_search import KernelSearch
from serkit.papers._module_probes import ModuleProbe
from serkit.papers._noise_robustness import NoiseRobustness
from serkit.papers._paper import Paper
from serkit.papers._setting import Folds, Setting, pairs_of_speakers, pairs_out
from serkit.papers._splits import ListedFolds
from serkit.preprocessing import AudioLoader, SilenceTrimmer, SpeakerStandardizer

__all__ = ["huang2017"]

Systems = dict[str, Callable[[], BaseEstimator]]

#: What stands before the networks of the paper. Its MFCCs have no order along bins for "s", "st".
_TYPES = {"": ("s", "t", "st", "fst"), ", MFCC": ("t", "fst")}
_KALDI: dict[str, Any] = {"n_mels": 40, "convention": "kaldi"}
_TINY = {"n_filters": 2, "lstm_hidden_size": 4}
#: Networks narrower than in the paper, by scale and type, and how tables say so.
_NARROW: dict[str, tuple[tuple[str, ...], dict[str, int], str]] = {
    "smoke": (("", "s", "t", "st", "fst"), _TINY, "smoke width"),
    # "st" and "fst" cost a tenth of these, and hand few values per frame on as they are.
    "bench": (("s", "t"), {"n_filters": 8, "lstm_hidden_size": 64}, "8 filters, 64 cells"),
    "paper": ((), {}, ""),
}
_SMILE_SETS = {"IS09": 384, "IS10": 1582, "IS11": 4368, "IS12": 6125, "IS13": 6373}
_HEIGHTS = {"smoke": (4, 22), "bench": (4, 10, 16, 22, 28), "paper": range(4, 31)}
#: What the SVMs are chosen from.
_C = {"bench": (1e-4, 1e-3, 1e-2, 1e-1), "paper": tuple(10.0**n for n in range(-5, 3))}


def frames(features: str, folds: Folds) -> list[BaseEstimator]:
    """Return the steps from files to frames; at scale "paper" those of Kaldi, not scaled."""
    mfcc = {"n_mfcc": 13} if features else {}
    kind = MFCC if features else LogMelSpectrogram
    if folds.scale == "paper":
        return [AudioLoader(), kind(**mfcc, **_KALDI)]
    return [AudioLoader(), SilenceTrimmer(top_db=25), kind(**mfcc, **LOG_MELS), FrameScaler()]


def ldnn(features: str, folds: Folds) -> BaseEstimator:
    """Return the network without convolution."""
    size = {"lstm_hidden_size": 4} if folds.scale == "smoke" else {}
    network = LDNNClassifier(**size, **folds.training, **folds.checkpoints)
    return make_pipeline(*frames(features, folds), network)


def cldnn(convolution: str, features: str, folds: Folds, **parameters: Any) -> BaseEstimator:
    """Return a network with convolutions; of the kernel sizes that win at scale "paper"."""
    narrow, sizes, _ = _NARROW[folds.scale]
    if convolution in narrow:
        parameters = {**sizes, **parameters}
    network = CLDNNClassifier(convolution, **parameters, **folds.training, **folds.checkpoints)
    searched = folds.scale == "paper" and "kernel_sizes" not in parameters
    last = KernelSearch(network) if searched else network
    return make_pipeline(*frames(features, folds), last)


def networks(folds: Folds) -> Systems:
    """Return the eight networks of Table 4."""
    systems: Systems = {}
    for features, convolutions in _TYPES.items():
        systems[_named(f"LDNN{features}", "", folds)] = partial(ldnn, features, folds)
        for convolution in convolutions:
            name = _named(f"CLDNN {convolution}{features}", convolution, folds)
            systems[name] = partial(cldnn, convolution, features, folds)
    return systems


def _named(name: str, convolution: str, folds: Folds) -> str:
    """Return the name with what is narrower than in the paper."""
    narrow, _, note = _NARROW[folds.scale]
    return f"{name} [{note}]" if convolution in narrow else name


def functionals(folds: Folds, *, one_speaker: bool = False) -> Systems:
    """Return the SVMs of Table 3; short of its five sets where openSMILE is not to be had."""
    if folds.scale == "smoke" or find_spec("opensmile") is None:
        return {}
    notes = {"IS12": " [6125 functionals, not 5757]"}
    return {
        f"{name} + SVM, speakers standardized{notes.get(name, '')}": partial(
            svm, name, folds, one_speaker=one_speaker
        )
        for name in _SMILE_SETS
    }


def svm(feature_set: str, folds: Folds, *, one_speaker: bool = False) -> BaseEstimator:
    """Return functionals, standardized speaker by speaker, and an SVM of chosen kernel and C.

    Where one speaker is tested, it is chosen on a fifth of the others, and fitted on all.
    """
    smile = OpenSmileFunctionals(feature_set, expected_dim=_SMILE_SETS[feature_set])
    pipeline = make_pipeline(
        AudioLoader(), smile, SpeakerStandardizer(), SVC(class_weight="balanced")
    )
    how = {"refit": "train+validation"} if one_speaker else {"cv": folds.validation}
    return HoldoutSearchCV(pipeline, svm_grid(folds.scale, "svc__"), **how)


def svm_grid(scale: str, prefix: str = "") -> list[dict[str, Any]]:
    """Return what SVMs are chosen from: kernel, C, and at scale "paper" gamma and degree."""
    C = _C.get(scale, _C["bench"])
    grid: list[dict[str, Any]] = [{"kernel": ["linear"], "C": C}]
    if scale == "paper":
        gamma = ("scale", *(10.0**n for n in range(-5, 0)))
        grid.append({"kernel": ["rbf"], "C": C, "gamma": gamma})
        grid.append({"kernel": ["poly"], "C": C, "gamma": gamma, "degree": (2, 3)})
    return [{f"{prefix}{name}": list(values) for name, values in part.items()} for part in grid]


def heights(folds: Folds) -> Systems:
    """Return the network of type "s" with kernels over ever more bins."""
    return {
        _named(f"CLDNN s, height {height}", "s", folds): partial(
            cldnn, "s", "", folds, kernel_sizes=((height, 1), (3, 1))
        )
        for height in _HEIGHTS[folds.scale]
    }


def with_convolution(folds: Folds) -> Systems:
    """Return the networks that are probed."""
    return {name: make for name, make in networks(folds).items() if name.startswith("CLDNN")}


def trained_with_noise(folds: Folds) -> Systems:
    """Return the networks that are trained with noise, which takes so much longer."""
    few = {"smoke": ("CLDNN fst",), "bench": ("LDNN", "CLDNN st", "CLDNN fst")}.get(folds.scale)
    return {
        name: make
        for name, make in networks(folds).items()
        if few is None or without_note(name) in few
    }


# Who is trained on.


def one_split(corpus: Corpus) -> ListedFolds:
    """Divide the speakers once, seven tenths to train on, one to validate on, two to test.

    Who lacks utterances is not tested, as with subject 23 of eNTERFACE'05.
    """
    speakers, counts = np.unique(np.asarray(corpus.speakers, dtype=str), return_counts=True)
    order = np.random.default_rng(0).permutation(len(speakers))
    ranked = sorted(order, key=lambda k: counts[k] < counts.max())
    n_test, n_validation = len(speakers) // 5, len(speakers) // 10
    test, validation = ranked[:n_test], ranked[n_test : n_test + n_validation]
    return ListedFolds([(tuple(speakers[validation].tolist()), tuple(speakers[test].tolist()))])


def splitter(corpus: Corpus) -> Any:
    """Return the one split of the paper for its corpus, elsewhere pairs of speakers."""
    return one_split(corpus) if corpus.name == "enterface" else pairs_of_speakers(corpus)


def protocol(corpus: Corpus, setting: Setting) -> Folds:
    """Return the folds."""
    if corpus.name != "enterface":
        return pairs_out(corpus, setting)
    return Folds(corpus, setting, one_split(corpus), "one split of the speakers, 70:10:20, fold")


def one_speaker_out(corpus: Corpus, setting: Setting) -> Folds:
    """Return the folds that test one speaker each, and tune on the one before."""
    groups = [(speaker,) for speaker in sorted(set(corpus.speakers))]
    if setting.folds is None and setting.scale != "smoke":
        step = 1 if setting.scale == "paper" or len(groups) <= 10 else 8
        setting = replace(setting, folds=tuple(range(0, len(groups), step)))
    return Folds(corpus, setting, LeaveSpeakersOut(groups=groups), "one speaker out, folds")


huang2017 = Paper(
    "huang2017",
    'C.-W. Huang and S. S. Narayanan, "Characterizing Types of Convolution in Deep Convolutional '
    'Recurrent Neural Networks for Robust Speech Emotion Recognition", arXiv:1706.02901, 2017',
    [
        FoldComparison(
            "clean",
            "LSTMs behind four types of convolution and behind none, SVMs on functionals, "
            "trained on clean speech",
            "Table 3, TVT, and Table 4, clean",
            ("enterface",),
            protocol=protocol,
            systems=lambda folds: {**functionals(folds), **networks(folds)},
        ),
        FoldComparison(
            "one-speaker-out",
            "The SVMs, with every speaker tested once",
            "Table 3, LOSO",
            ("enterface",),
            protocol=one_speaker_out,
            systems=partial(functionals, one_speaker=True),
        ),
        NoiseRobustness(
            "noisy",
            "The networks trained with and without noisy copies, tested in noise",
            "Table 4",
            ("enterface",),
            protocol=protocol,
            systems=trained_with_noise,
            copies={"smoke": 1, "bench": 2, "paper": (20, 3)},
        ),
        FoldComparison(
            "kernel-height",
            'How many bins the filters of type "s" should span',
            "Figure 2 and section 7.4",
            ("enterface",),
            protocol=protocol,
            systems=heights,
        ),
        ModuleProbe(
            "modules",
            "What an SVM makes of the output of every part of the networks, and how utterances lie",
            "Table 5 and Figures 3 to 8",
            ("enterface",),
            protocol=protocol,
            systems=with_convolution,
            grid=svm_grid,
        ),
    ],
    folds=splitter,
)
