"""The networks of Guizzo (2023), chapters 5 to 7, as pipelines from audio."""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline, make_pipeline

from serkit.feature_extraction import FrameScaler, Spectrogram
from serkit.neural_network import (
    AntiTransferClassifier,
    FineTuneClassifier,
    QuaternionCNNClassifier,
    RHEmoTransformer,
)
from serkit.papers._front_ends import make_front_end
from serkit.papers._guizzo2023_parts import RATE, SPEECH, Makers, beginning, in_segments, named
from serkit.papers._other_corpus import OtherCorpora
from serkit.papers._setting import Folds
from serkit.preprocessing import AudioLoader, PadOrTruncate

__all__ = [
    "ablations",
    "anti_transfer",
    "quaternion",
    "quaternion_anti_transfer",
    "rh_emo_ablations",
]

#: The networks of chapters 5 to 7, and how wide they are.
_BACKBONES = {
    "smoke": {"alexnet": 1 / 64},
    "bench": {"alexnet": 1 / 4},
    "paper": {"vgg16": 1.0, "alexnet": 1.0, "resnet50": 1.0},
}
_TITLES = {"vgg16": "VGG16", "alexnet": "AlexNet", "resnet50": "ResNet-50"}
#: The convolution behind which networks are compared: the best of the thesis for speakers.
_LAYERS = {"vgg16": 5, "alexnet": 2, "resnet50": "layer3"}
#: Trainings of chapter 5, and of chapters 6 and 7; of these at scale "paper" what the networks
#: have by default.
_TRAINING = {
    "smoke": {"lr": 1e-3, "batch_size": 32},
    "bench": {"lr": 1e-3, "batch_size": 32},
    "paper": {},
}
_CHAPTER_5 = {
    "smoke": {},
    "bench": {},
    "paper": {"lr": 5e-4, "batch_size": 13, "max_epochs": 50, "patience": 5},
}
#: Networks that learn the task to be forgotten.
_REFERENCE = {
    "smoke": {"max_epochs": 1},
    "bench": {"max_epochs": 40},
    "paper": {"max_epochs": 50},
}
_RH_EMO: dict[str, dict[str, Any]] = {
    "smoke": {"n_frames": 128, "hidden_size": 8, "max_epochs": 1, "patience": None},
    "bench": {"hidden_size": 64, "lr": (1e-3, 1e-4), "max_epochs": 8, "patience": None},
    "paper": {},
}


# Chapter 5.


def anti_transfer(folds: Folds) -> Makers:
    """Return networks that are kept from knowing speakers, or words, or begin with them."""
    other = OtherCorpora(folds)
    begin = {"beta": 0.0, "initialize": "reference"}
    systems: Makers = {}
    for backbone, width in _BACKBONES[folds.scale].items():
        name = _TITLES[backbone]
        make = partial(_against, backbone, folds, other)
        systems[named(name, _width(width))] = partial(make, ())
        for task, note in _tasks(other).items():
            notes = note, _width(width)
            systems[named(f"{name}, AT {task}", *notes)] = partial(make, (task,))
            systems[named(f"{name}, WI {task}", *notes)] = partial(make, (task,), **begin)
    return systems


def ablations(folds: Folds) -> Makers:
    """Return ways to compare a network with its reference, where, and the opposite of it."""
    other = OtherCorpora(folds)
    task = list(_tasks(other))[-1]
    from_speakers = ", from speakers" if task == "speakers" else ""
    variants: dict[str, dict[str, Any]] = {
        f"{aggregation.replace('_', ' ')}, {similarity.replace('_', ' ')}": {
            "aggregation": aggregation,
            "similarity": similarity,
        }
        for aggregation in ("mean", "sum", "compressed_product", "max", "gram")
        for similarity in ("sigmoid_mse", "squared_cosine")
    }
    backbone, width = next(iter(_BACKBONES[folds.scale].items()))
    n_layers = {"vgg16": 13, "alexnet": 5}[backbone]
    variants |= {f"layer {layer}": {"layers": layer} for layer in range(1, n_layers + 1)}
    variants["likeness rewarded"] = {"beta": -1.0}
    variants["weights kept"] = {"beta": 0.0, "initialize": "reference", "freeze": True}
    if folds.scale == "smoke":
        variants = {name: variants[name] for name in ("mean, sigmoid mse", "weights kept")}
    return {
        # The thesis has these of words: of speakers they are other systems, by name.
        named(f"{_TITLES[backbone]}, {name}{from_speakers}", _width(width)): partial(
            _against, backbone, folds, other, (task,), **changes
        )
        for name, changes in variants.items()
    }


def _tasks(other: OtherCorpora) -> dict[str, str]:
    """Return what is to be forgotten, and where it is learnt if not from the training speakers."""
    corpus = other.with_labels("sentence")
    words = {} if corpus is None else {"words": f"sentences of {corpus.name}"}
    return {"speakers": "", **words}


def _against(
    backbone: str, folds: Folds, other: OtherCorpora, tasks: tuple[str, ...], **changes: Any
) -> Pipeline:
    """Return a network on spectrograms, trained away from what others know, if any."""
    network = _cnn(backbone, "real", folds, **_CHAPTER_5[folds.scale])
    if folds.scale == "paper":
        loader, *steps = (step for _, step in make_front_end("guizzo2023-at").steps)

        def system(classifier: Any) -> Pipeline:
            return in_segments(loader, *steps, classifier)

    else:
        rate, _ = SPEECH[folds.scale]
        window = {"n_fft": rate * 16 // 1000, "hop_length": rate * 8 // 1000, "window": "hamming"}
        spectrogram = Spectrogram(**window, power=1.0, sampling_rate=rate)

        def system(classifier: Any) -> Pipeline:
            return make_pipeline(*beginning(folds), spectrogram, FrameScaler(per="all"), classifier)

    return system(_kept_from(network, tasks, system, folds, other, **changes))


def _kept_from(
    network: BaseEstimator,
    tasks: tuple[str, ...],
    system: Callable[[Any], Pipeline],
    folds: Folds,
    other: OtherCorpora,
    **changes: Any,
) -> BaseEstimator:
    """Return a network that is trained away from other tasks, one after the other."""
    if not tasks:
        return network
    # Who is to be told apart cannot be held out.
    shared = {"validation": None, "patience": None, **_REFERENCE[folds.scale]}
    references = []
    for task in tasks:
        reference = clone(network).set_params(**shared)
        if task == "words":
            reference.set_params(random_state=1)  # not the weights that the network begins with
            reference = other.frozen(system(reference), "sentence")
        references.append(reference)
    reference = references[0] if len(references) == 1 else references
    layers = _LAYERS[network.backbone]
    return AntiTransferClassifier(network, reference, **{"layers": layers, **changes})


# Chapters 6 and 7.


def quaternion(folds: Folds) -> Makers:
    """Return networks on what RH-emo makes of speech, and real ones on spectrograms."""
    other = OtherCorpora(folds)
    emotional = other.with_labels("emotion")
    systems: Makers = {}
    for backbone, width in _BACKBONES[folds.scale].items():
        for domain in ("real", "quaternion"):
            name = f"{_TITLES[backbone]} {domain}"
            make = partial(_on_four_seconds, backbone, domain, folds, other)
            systems[named(name, _learnt_from(other, domain), _width(width))] = make
            if emotional is not None:
                label = named(f"{name}, pretrained", f"on {emotional.name}", _width(width))
                systems[label] = partial(make, pretrained=True)
    return systems


def rh_emo_ablations(folds: Folds) -> Makers:
    """Return networks of quaternions on embeddings that lack something."""
    other = OtherCorpora(folds)
    variants: dict[str, dict[str, Any]] = {
        "": {},
        ", RH-emo with a real decoder": {"decoder": "real"},
        ", RH-emo without a decoder": {"decoder": None},
        ", RH-emo of reconstruction alone": {"vad": False, "discrete": False},
        ", RH-emo not pretrained": {"lr": 1e-12, "max_epochs": 1},
    }
    if other.has_ratings:
        variants[", RH-emo of the emotion alone"] = {"vad": False}
        variants[", RH-emo of the ratings alone"] = {"discrete": False}
    systems: Makers = {}
    for backbone, width in _BACKBONES[folds.scale].items():
        for variant, changes in variants.items():
            name = f"{_TITLES[backbone]} quaternion{variant}"
            make = partial(_on_four_seconds, backbone, "quaternion", folds, other)
            label = named(name, _learnt_from(other, "quaternion"), _width(width))
            systems[label] = partial(make, rh_emo=changes)
    return systems


def quaternion_anti_transfer(folds: Folds) -> Makers:
    """Return networks of quaternions that are kept from speakers, words, or both in turn."""
    other = OtherCorpora(folds)
    known = _tasks(other)
    combinations: list[tuple[str, ...]] = [(), *((task,) for task in known)]
    if len(known) > 1:
        combinations += [("speakers", "words"), ("words", "speakers")]
    domains = ("real", "quaternion") if folds.scale == "paper" else ("quaternion",)
    systems: Makers = {}
    for backbone, width in _BACKBONES[folds.scale].items():
        for domain in domains:
            for tasks in combinations:
                name = f"{_TITLES[backbone]} {domain}"
                name = f"{name}, AT {', '.join(tasks)}" if tasks else name
                notes = known.get("words", "") if "words" in tasks else ""
                label = named(name, _learnt_from(other, domain), notes, _width(width))
                systems[label] = partial(
                    _on_four_seconds, backbone, domain, folds, other, tasks=tasks
                )
    return systems


def _on_four_seconds(
    backbone: str,
    domain: str,
    folds: Folds,
    other: OtherCorpora,
    *,
    tasks: tuple[str, ...] = (),
    pretrained: bool = False,
    rh_emo: Mapping[str, Any] = MappingProxyType({}),
) -> Pipeline:
    """Return a network on 4 s of speech, windows of 16 ms every 8 ms."""
    length = RATE if folds.scale == "smoke" else 4 * RATE
    spectrogram = Spectrogram(256, hop_length=128, window="hamming", power=1.0)

    def system(*steps: Any) -> Pipeline:
        if folds.scale == "paper":
            return in_segments(AudioLoader(RATE), spectrogram, *steps)
        return make_pipeline(AudioLoader(RATE), PadOrTruncate(length), spectrogram, *steps)

    scaler: BaseEstimator = FrameScaler(per="all")
    if domain == "quaternion":
        scaler = RHEmoTransformer(**{**_RH_EMO[folds.scale], **rh_emo}, random_state=0)
        if other.with_labels("emotion") is not None:
            whole = AudioLoader(RATE), PadOrTruncate(length), spectrogram
            scaler = other.frozen(make_pipeline(*whole, scaler), "emotion")
    network: Any = _cnn(backbone, domain, folds)
    if pretrained:
        # Its own validation speakers are those of the other corpus.
        learnt = other.frozen(
            system(scaler, clone(network).set_params(validation="auto")), "emotion"
        )
        names = ("lr", "max_epochs", "patience", "validation", "random_state")
        network = FineTuneClassifier(
            learnt, unfreeze="all", **{name: getattr(network, name) for name in names}
        )
    return system(scaler, _kept_from(network, tasks, partial(system, scaler), folds, other))


# What they are made of.


def _cnn(backbone: str, domain: str, folds: Folds, **changes: Any) -> QuaternionCNNClassifier:
    training = {**folds.training, **_TRAINING[folds.scale], **changes}
    width = _BACKBONES[folds.scale][backbone]
    return QuaternionCNNClassifier(
        backbone, domain=domain, width=width, device=folds.setting.device, **training
    )


def _learnt_from(other: OtherCorpora, domain: str) -> str:
    """Say what RH-emo has learnt."""
    if domain == "real":
        return ""
    corpus = other.with_labels("emotion")
    return f"RH-emo of {'the training speakers' if corpus is None else corpus.name}"


def _width(width: float) -> str:
    return "" if width == 1 else f"width {width:g}"
