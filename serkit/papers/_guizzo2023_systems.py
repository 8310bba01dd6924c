"""The networks of Guizzo (2023), chapters 4 to 7, as pipelines from audio."""

from collections.abc import Callable
from functools import partial
from typing import Any

from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline, make_pipeline

from serkit.feature_extraction import FrameScaler, Spectrogram
from serkit.modules import SCALE_SETS
from serkit.neural_network import (
    AntiTransferClassifier,
    FineTuneClassifier,
    MultiTimeScaleClassifier,
    QuaternionCNNClassifier,
    RHEmoTransformer,
    SegmentAggregationClassifier,
)
from serkit.papers._front_ends import make_front_end
from serkit.papers._other_corpus import OtherCorpora
from serkit.papers._setting import Folds
from serkit.preprocessing import AudioLoader, FixedLengthSegmenter, PadOrTruncate

__all__ = ["ablations", "anti_transfer", "quaternion", "quaternion_anti_transfer", "time_scales"]

Makers = dict[str, Callable[[], BaseEstimator]]
_RATE = 16_000
#: Sampling rate in Hz and seconds of every utterance, short of the paper.
_SPEECH = {"smoke": (_RATE, 1), "bench": (8_000, 3)}
#: Longer utterances are cut into segments.
_LONG = 10 * _RATE
#: What the networks of chapter 4 have that is other than in the thesis, and how tables say so.
_SIZES: dict[str, dict[str, dict[str, Any]]] = {
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
_NOTES = {
    "smoke": dict.fromkeys(("A1", "A3"), "smoke width"),
    "bench": {
        "A1": "50 hidden units",
        "A2": "50 hidden units",
        "A3": "5 and 5 filters, 50 hidden units",
        "A4": "half the filters, 512 hidden units",
    },
    "paper": dict.fromkeys(("A1", "A2", "A3", "A4"), ""),
}
#: The set of scales that is run short of the paper: the best of the thesis on Emo-DB.
BEST_SCALES = (0.7, 1.0, 1.428)
#: The networks of chapters 5 to 7, and how wide they are.
_BACKBONES = {
    "smoke": {"alexnet": 1 / 64},
    "bench": {"alexnet": 1 / 4},
    "paper": {"vgg16": 1.0, "alexnet": 1.0, "resnet50": 1.0},
}
_TITLES = {"vgg16": "VGG16", "alexnet": "AlexNet", "resnet50": "ResNet-50"}
#: The convolution behind which networks are compared: the best of the thesis for speakers.
_LAYERS = {"vgg16": 5, "alexnet": 2, "resnet50": "layer3"}
#: Trainings of chapter 4, of chapter 5, and of chapters 6 and 7; of the last two at scale
#: "paper" what the networks have by default. Rate and batch of chapter 4 are of its program.
_TIME_SCALE_TRAINING = {
    "smoke": {"lr": 1e-3, "batch_size": 32},
    "bench": {"lr": 3e-4, "batch_size": 32},
    "paper": {"lr": 5e-5, "batch_size": 100},
}
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


# Chapter 4.


def time_scales(folds: Folds) -> Makers:
    """Return A1 to A4 with one time scale and with several."""
    sets = SCALE_SETS if folds.scale == "paper" else (BEST_SCALES,)
    systems: Makers = {}
    for name, note in _NOTES[folds.scale].items():
        systems[_named(f"{name} standard", note)] = partial(time_scale_system, name, None, folds)
        for factors in sets:
            text = ", ".join(f"{factor:g}" for factor in factors)
            label = _named(f"{name} MTS", f"scales {text}", note)
            systems[label] = partial(time_scale_system, name, factors, folds)
    return systems


def time_scale_system(
    name: str, factors: tuple[float, ...] | None, folds: Folds, *, cut: bool = True, **changes: Any
) -> Pipeline:
    """Return a network on the magnitudes of 20 ms windows every 10 ms.

    Parameters
    ----------
    name : str
        Of an architecture.
    factors : tuple of float or None
        Its time scales.
    folds : Folds
        Of the corpus.
    cut : bool, default=True
        Cut long utterances into segments at scale "paper", rather than at 4 seconds.
    **changes : object
        Other parameters of the network.

    Returns
    -------
    system : Pipeline
    """
    options = {
        **folds.training,
        **folds.checkpoints,
        **_TIME_SCALE_TRAINING[folds.scale],
        **_SIZES[folds.scale][name],
        "device": folds.setting.device,
    }
    network = MultiTimeScaleClassifier(name, scale_factors=factors, **{**options, **changes})
    if folds.scale == "paper":
        loader, *steps = (step for _, step in make_front_end("guizzo2023-mts").steps)
        longest = max(map(len, loader.transform(folds.corpus.audio)))
        if longest > _LONG and cut:
            return _in_segments(loader, *steps, network, overlap=True)
        length = longest if longest <= _LONG else 4 * _RATE
        return make_pipeline(loader, PadOrTruncate(length), *steps, network)
    rate, _ = _SPEECH[folds.scale]
    spectrogram = Spectrogram(rate // 50, hop_length=rate // 100, power=1.0, sampling_rate=rate)
    return make_pipeline(*_beginning(folds), spectrogram, FrameScaler(), network)


# Chapter 5.


def anti_transfer(folds: Folds) -> Makers:
    """Return networks that are kept from knowing speakers, or words, or begin with them."""
    other = OtherCorpora(folds)
    begin = {"beta": 0.0, "initialize": "reference"}
    systems: Makers = {}
    for backbone, width in _BACKBONES[folds.scale].items():
        name = _TITLES[backbone]
        make = partial(_against, backbone, folds, other)
        systems[_named(name, _width(width))] = partial(make, ())
        for task, note in _tasks(other).items():
            notes = note, _width(width)
            systems[_named(f"{name}, AT {task}", *notes)] = partial(make, (task,))
            systems[_named(f"{name}, WI {task}", *notes)] = partial(make, (task,), **begin)
    return systems


def ablations(folds: Folds) -> Makers:
    """Return ways to compare a network with its reference, where, and the opposite of it."""
    other = OtherCorpora(folds)
    task = list(_tasks(other))[-1]
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
        _named(f"{_TITLES[backbone]}, {name}", f"from {task}", _width(width)): partial(
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
            return _in_segments(loader, *steps, classifier)

    else:
        rate, _ = _SPEECH[folds.scale]
        window = {"n_fft": rate * 16 // 1000, "hop_length": rate * 8 // 1000, "window": "hamming"}
        spectrogram = Spectrogram(**window, power=1.0, sampling_rate=rate)

        def system(classifier: Any) -> Pipeline:
            return make_pipeline(
                *_beginning(folds), spectrogram, FrameScaler(per="all"), classifier
            )

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
            systems[_named(name, _learnt_from(other, domain), _width(width))] = make
            if emotional is not None:
                label = _named(f"{name}, pretrained", f"on {emotional.name}", _width(width))
                systems[label] = partial(make, pretrained=True)
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
                label = _named(name, _learnt_from(other, domain), notes, _width(width))
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
) -> Pipeline:
    """Return a network on 4 s of speech, windows of 16 ms every 8 ms."""
    length = _RATE if folds.scale == "smoke" else 4 * _RATE
    spectrogram = Spectrogram(256, hop_length=128, window="hamming", power=1.0)

    def system(*steps: Any) -> Pipeline:
        if folds.scale == "paper":
            return _in_segments(AudioLoader(_RATE), spectrogram, *steps)
        return make_pipeline(AudioLoader(_RATE), PadOrTruncate(length), spectrogram, *steps)

    scaler: BaseEstimator = FrameScaler(per="all")
    if domain == "quaternion":
        scaler = RHEmoTransformer(**_RH_EMO[folds.scale], random_state=0)
        if other.with_labels("emotion") is not None:
            whole = AudioLoader(_RATE), PadOrTruncate(length), spectrogram
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


def _beginning(folds: Folds) -> tuple[BaseEstimator, BaseEstimator]:
    """Return the steps from files to speech of one duration."""
    rate, seconds = _SPEECH[folds.scale]
    return AudioLoader(rate), PadOrTruncate(rate * seconds)


def _in_segments(loader: BaseEstimator, *steps: Any, overlap: bool = False) -> Pipeline:
    """Return a pipeline that classifies segments of 4 s."""
    segmenter = FixedLengthSegmenter(4 * _RATE, hop=2 * _RATE if overlap else None)
    classifier = make_pipeline(*steps)
    return make_pipeline(
        loader, SegmentAggregationClassifier(classifier, segmenter, aggregate="mean")
    )


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


def _named(name: str, *notes: str) -> str:
    """Return a name as in the thesis, and in brackets what is other than there."""
    text = ", ".join(filter(None, notes))
    return f"{name} [{text}]" if text else name


def _width(width: float) -> str:
    return "" if width == 1 else f"width {width:g}"
