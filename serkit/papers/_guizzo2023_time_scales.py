"""Networks of one time scale and of several: chapter 4 of Guizzo (2023)."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from sklearn.pipeline import Pipeline, make_pipeline

from serkit.feature_extraction import FrameScaler, Spectrogram
from serkit.modules import SCALE_SETS
from serkit.neural_network import MultiTimeScaleClassifier, QuaternionCNNClassifier
from serkit.papers._front_ends import make_front_end
from serkit.papers._guizzo2023_parts import RATE, SPEECH, Makers, beginning, in_segments, named
from serkit.papers._setting import Folds
from serkit.preprocessing import PadOrTruncate

__all__ = ["residual_time_scales", "time_scale_system", "time_scales"]

#: Longer utterances are cut into segments.
_LONG = 10 * RATE
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
_RESNET = "ResNet-18"
_RESNET_WIDTH = {"smoke": 1 / 64, "bench": 1 / 8, "paper": 1.0}
#: The set of scales that is run short of the paper: the best of the thesis on Emo-DB.
BEST_SCALES = (0.7, 1.0, 1.428)
#: Rate and batch at scale "paper" are of its program.
_TRAINING = {
    "smoke": {"lr": 1e-3, "batch_size": 32},
    "bench": {"lr": 3e-4, "batch_size": 32},
    "paper": {"lr": 5e-5, "batch_size": 100},
}


def time_scales(folds: Folds) -> Makers:
    """Return A1 to A4 with one time scale and with several."""
    sets = SCALE_SETS if folds.scale == "paper" else (BEST_SCALES,)
    systems: Makers = {}
    for name, note in _NOTES[folds.scale].items():
        systems |= _with_scales(name, note, sets, folds)
    return systems


def residual_time_scales(folds: Folds) -> Makers:
    """Return ResNet-18 with one time scale and with several."""
    width = _RESNET_WIDTH[folds.scale]
    # The best of the thesis are one or the other, by corpus.
    sets = (BEST_SCALES, (0.5, 1.0, 2.0)) if folds.scale == "paper" else (BEST_SCALES,)
    return _with_scales(_RESNET, "" if width == 1 else f"width {width:g}", sets, folds)


def _with_scales(name: str, note: str, sets: Sequence[tuple[float, ...]], folds: Folds) -> Makers:
    systems: Makers = {
        named(f"{name} standard", note): partial(time_scale_system, name, None, folds)
    }
    for factors in sets:
        text = f"scales {', '.join(f'{factor:g}' for factor in factors)}"
        make = partial(time_scale_system, name, factors, folds)
        systems[named(f"{name} MTS", text, note)] = make
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
        **_TRAINING[folds.scale],
        **_SIZES[folds.scale].get(name, {}),
        "device": folds.setting.device,
        **changes,
    }
    architecture: Any = name
    if name == _RESNET:
        width = _RESNET_WIDTH[folds.scale]
        architecture = QuaternionCNNClassifier("resnet18", domain="real", width=width)
        if "max_epochs" in options:  # of which those of the architecture mean nothing
            architecture.set_params(max_epochs=options["max_epochs"])
    network = MultiTimeScaleClassifier(architecture, scale_factors=factors, **options)
    if folds.scale == "paper":
        loader, *steps = (step for _, step in make_front_end("guizzo2023-mts").steps)
        is_long = folds.longest > _LONG
        if is_long and cut:
            return in_segments(loader, *steps, network, overlap=True)
        length = 4 * RATE if is_long else folds.longest
        return make_pipeline(loader, PadOrTruncate(length), *steps, network)
    rate, _ = SPEECH[folds.scale]
    spectrogram = Spectrogram(rate // 50, hop_length=rate // 100, power=1.0, sampling_rate=rate)
    return make_pipeline(*beginning(folds), spectrogram, FrameScaler(), network)
