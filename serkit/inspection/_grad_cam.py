"""Where in an utterance a convolutional network finds what it says."""

from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral
from typing import Any

import numpy as np
import torch
from sklearn.base import is_classifier
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from serkit.inspection._networks import network_and_input
from serkit.modules import FeatureTap, convolution_names, find_part
from serkit.training import UtteranceData, torch_session
from serkit.utils import as_ragged, is_ragged

__all__ = ["grad_cam"]


def grad_cam(
    estimator: Any,
    X: Any,
    *,
    layer: int | str | None = None,
    target: Any = None,
    normalize: bool = True,
) -> np.ndarray:
    """Map what in the bins and frames of every utterance speaks for an output of a network.

    Gradient-weighted class activation maps: the maps of a layer, each weighted by
    the mean gradient of the output with respect to it, are added; what is
    negative, and so speaks against the output, is set to zero; and the sum is
    stretched to the size of the utterance.

    Parameters
    ----------
    estimator : estimator
        A fitted network with convolutions, or a fitted pipeline, search,
        ``FineTuneClassifier`` or the like that ends in one.
    X : audio or frames
        Utterances that the estimator takes.
    layer : int, str or None, default=None
        A convolution, counted from 1 in the order in which they are called, the
        activation behind it included; or a stage of the network, or a part of
        one, by its name in ``stages_``. ``None`` is the last convolution over bins
        and frames.
    target : label, array-like of shape (n_utterances,) or None, default=None
        The class that the map is for, one of all utterances or one of each;
        ``None`` is the predicted one. Of a regressor, the number of the target,
        which can be left out if there is only one.
    normalize : bool, default=True
        Divide every map by its maximum, so that it is in [0, 1].

    Returns
    -------
    maps : ndarray
        An array of shape (n_bins, n_frames) for every utterance, as the network
        gets it: behind the transformers of a pipeline. Ragged (1-D, dtype object)
        if these are ragged, otherwise numeric. Frames that a network of fixed
        length cuts off are zero.

    Raises
    ------
    TypeError
        If the estimator does not end in a network that predicts, or cuts
        utterances into segments; if `layer` is neither a number nor a name.
    ValueError
        If the network has no such layer, or the layer makes no maps over bins and
        frames; if a target is none of its classes.

    See Also
    --------
    GradCAMDisplay : Draws the map of an utterance.
    serkit.modules.FeatureTap : Counts the convolutions.

    Notes
    -----
    Every utterance goes through the network by itself, so none is padded for the
    sake of another. Weights and gradients of the network stay as they are.

    The stretching takes the first bin of a map for the lowest of the utterance,
    and the last for the highest. Only the frames mean what they say where a network
    sets maps beside each other along bins, as
    :class:`~serkit.neural_network.GLAMClassifier` does behind its first two
    convolutions, and where maps have a single bin, as those of convolutions over
    time alone ("cnn1d_gru", "tdnn_bilstm"): these are the same in all bins.

    References
    ----------
    .. [1] R. R. Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks
       via Gradient-Based Localization", ICCV 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.inspection import grad_cam
    >>> from serkit.neural_network import CRNNClassifier
    >>> X = [np.random.default_rng(n).normal(size=(1, 20, n)) for n in (30, 40, 50, 60)]
    >>> crnn = CRNNClassifier(n_filters=8, rnn_hidden_size=8, max_epochs=2, random_state=0)
    >>> maps = grad_cam(crnn.fit(X, ["joy", "anger"] * 2), X, target="joy")
    >>> [one.shape for one in maps]
    [(20, 30), (20, 40), (20, 50), (20, 60)]
    """
    if isinstance(layer, Integral):
        layer = int(layer)
    elif layer is not None and not isinstance(layer, str):
        raise TypeError(f"layer is the number of a convolution or a name, not {layer!r}")
    network, X = network_and_input(estimator, X, caller="grad_cam")
    if not hasattr(network, "predict"):
        raise TypeError(f"{type(network).__name__} predicts nothing that could be explained")
    check_is_fitted(network, "net_")
    outputs = _outputs_of(network, X, target)
    module = network.net_.module_
    data = UtteranceData(network.prepare(X))
    maps = []
    with torch_session(num_threads=network.num_threads), _differentiable(module):
        for row, (utterance, output) in enumerate(zip(X, outputs, strict=True)):
            x = data.batch(np.array([row]))[0]["x"].to(network.net_.device)
            if layer is None:
                layer = _last_convolution(module, x)
            seen = _activation_map(module, x, layer, output).cpu().numpy()
            maps.append(_crop(seen, (network.n_bins_in_, np.shape(utterance)[-1])))
    if normalize:
        maps = [one / (one.max() or 1) for one in maps]
    return as_ragged(maps) if is_ragged(X) else np.stack(maps)


def _outputs_of(network: Any, X: Any, target: Any) -> list[int | None]:
    """Return the output of the network that is asked for, utterance by utterance."""
    n_utterances = len(X)
    if is_classifier(network):
        known, what = network.classes_, "classes"
    else:
        known, what = np.arange(np.size(network.predict(_safe_indexing(X, [0])))), "targets"
        if target is None and len(known) > 1:
            raise ValueError(
                f"{type(network).__name__} predicts {len(known)} targets; give the number of one, "
                "from 0, as target"
            )
        target = 0 if target is None else target
    if target is None:
        return [None] * n_utterances
    target = np.asarray(target)
    if target.ndim > 1 or (target.ndim and len(target) != n_utterances):
        raise ValueError(
            f"target is one label, or one for each of the {n_utterances} utterances, not an array "
            f"of shape {target.shape}"
        )
    labels = np.broadcast_to(target, n_utterances).tolist()
    places = {label: place for place, label in enumerate(known.tolist())}
    unknown = sorted(set(labels) - set(places), key=repr)
    if unknown:
        raise ValueError(f"target {unknown} is none of the {what} {known.tolist()}")
    return [places[label] for label in labels]


@contextmanager
def _differentiable(module: nn.Module) -> Iterator[None]:
    """Have a network as it predicts, but such that gradients go through it."""
    module.eval()
    # cuDNN has no gradient of a recurrent layer that is not in training mode.
    recurrent = any(isinstance(part, nn.RNNBase) for part in module.modules())
    before = torch.backends.cudnn.enabled
    with torch.backends.cudnn.flags(enabled=before and not recurrent), torch.enable_grad():
        yield


def _last_convolution(module: nn.Module, x: Tensor) -> int:
    names = convolution_names(module, x)
    over_both = [
        number
        for number, name in enumerate(names, start=1)
        if not isinstance(find_part(module, name), nn.Conv1d)
    ]
    if not over_both:
        raise ValueError(
            f"{type(module).__name__} has no convolution over bins and frames, so there are no "
            "maps to weigh"
        )
    return over_both[-1]


def _activation_map(module: nn.Module, x: Tensor, layer: int | str, output: int | None) -> Tensor:
    """Return the weighted sum of the maps of a layer, of the size of the utterance."""
    # With a gradient to the utterance there is one to every layer, frozen or not.
    with FeatureTap(module, layer) as tap:
        outputs = module(x.requires_grad_())[0]
    maps = tap.take()[layer].values
    value = outputs.max() if output is None else outputs[output]
    (gradient,) = torch.autograd.grad(value, maps, allow_unused=True)
    if gradient is None:
        raise ValueError(
            f"layer {layer!r} makes no maps over bins and frames that the output depends on"
        )
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    weighted = (weights * maps.detach()).sum(dim=1, keepdim=True).relu()
    stretched = nn.functional.interpolate(weighted, size=x.shape[2:], mode="bilinear")
    return stretched[0, 0]


def _crop(seen: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return the part of a map that is of the utterance; what the network has not seen is zero."""
    own = np.zeros(shape, dtype=seen.dtype)
    part = seen[: shape[0], : shape[1]]
    own[: part.shape[0], : part.shape[1]] = part
    return own
