"""Tables of the convolutions of a network."""

import copy

import pandas as pd
import torch

from serkit.modules import FeatureTap, convolution_names
from serkit.neural_network._base import NeuralEstimator

__all__ = ["layer_table"]


def layer_table(network: NeuralEstimator, position: str) -> pd.DataFrame:
    """Return a table of the convolutions of a fitted network, and of what is caught there."""
    module = copy.deepcopy(network.net_.module_).cpu().eval()
    x = _example(network, getattr(module, "min_shape", (1, 1)))
    names = convolution_names(module, x)
    layers = range(1, len(names) + 1)
    tap = FeatureTap(module, layers, position=position)
    with torch.no_grad():
        maps = tap.collect(x)
    table = pd.DataFrame(
        {
            "convolution": names,
            "activation": pd.Series([tap.activations.get(layer) for layer in layers], dtype=object),
            "n_channels": [found.values.shape[1] for found in maps.values()],
            "n_bins": [found.values.shape[2] for found in maps.values()],
        }
    )
    return table.set_axis(layers).rename_axis("layer")


def _example(network: NeuralEstimator, min_shape: tuple[int, int]) -> torch.Tensor:
    """Return an utterance of the shape that a network takes."""
    least_bins, least_frames = min_shape
    if network._input_kind == "functionals":
        return torch.zeros(1, network.n_bins_in_)
    n_frames = max(network.n_frames_ or least_frames, least_frames)
    return torch.zeros(1, network.n_channels_in_, max(network.n_bins_in_, least_bins), n_frames)
