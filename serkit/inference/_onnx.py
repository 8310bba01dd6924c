"""Fitted networks as ONNX files."""

import json
import logging
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from serkit import __version__
from serkit.feature_extraction import FrameScaler
from serkit.inference._onnx_classifier import METADATA, OnnxClassifier, pad_batch
from serkit.inference._onnx_network import FrameClassifier, FrameScaling, FunctionalsClassifier
from serkit.neural_network import (
    AntiTransferClassifier,
    FineTuneClassifier,
    NeuralClassifier,
    SegmentAggregationClassifier,
)
from serkit.utils import as_ragged, import_optional

__all__ = ["export_onnx"]

#: How far posteriors of the file may be from those of the network.
_TOLERANCE = 1e-4
_N_FRAMES = (50, 37, 64)  # of the utterances that are compared, and traced
#: Estimators that predict by another one, and where they keep it.
_INSIDE: tuple[tuple[type, str], ...] = (
    (FrozenEstimator, "estimator"),
    (BaseSearchCV, "best_estimator_"),
    (FineTuneClassifier, "estimator_"),
    (AntiTransferClassifier, "network_"),
)


def export_onnx(estimator: Any, path: str | os.PathLike, *, opset: int | None = None) -> list[str]:
    """Write the part of a fitted model from frames to posteriors as an ONNX file.

    The file needs neither serkit nor torch to run. It has the input "frames", a
    batch of shape (n_utterances, n_channels, n_bins, n_frames), padded by zeros;
    the input "lengths", the number of frames of every utterance; and the output
    "posteriors" of shape (n_utterances, n_classes). Batch and frames may be of any
    size: what the network pads or cuts, the file pads and cuts itself. A network
    of functionals has the only input "functionals" of shape (n_utterances,
    n_features). The classes are in the metadata.

    Before the file is written, its posteriors for utterances of several lengths
    are compared with those of the estimator.

    Parameters
    ----------
    estimator : classifier
        A fitted network, or a pipeline that ends in one. A
        :class:`~serkit.feature_extraction.FrameScaler` right before it that is
        fitted on a corpus goes into the file; all other steps stay in Python.
    path : path-like
        The file; one that exists is replaced once the new one is complete.
    opset : int or None, default=None
        Version of the ONNX operators; ``None`` takes that of the exporter.

    Returns
    -------
    steps : list of str
        Names of the steps of the pipeline that stay in Python: what they give is
        what the file takes.

    Raises
    ------
    TypeError
        If the estimator is no network that tells classes apart, or its classes
        are neither strings nor numbers.
    ValueError
        If the network has parts that have no form in ONNX.
    ImportError
        If the packages for it are missing.

    See Also
    --------
    OnnxClassifier : Runs the file.
    serkit.persistence.save : Keeps a model for Python.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from serkit.inference import OnnxClassifier, export_onnx
    >>> from serkit.neural_network import CRNNClassifier
    >>> X = [np.full((1, 8, n), n % 2) for n in (15, 16, 17, 18)]
    >>> network = CRNNClassifier(n_filters=2, rnn_hidden_size=4, max_epochs=1, random_state=0)
    >>> network = network.fit(X, ["calm", "anger", "calm", "anger"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "network.onnx")
    ...     _ = export_onnx(network, file)
    ...     posteriors = OnnxClassifier(file).predict_proba(X)
    >>> np.allclose(posteriors, network.predict_proba(X), atol=1e-5)
    True
    """
    for package in ("onnx", "onnxscript", "onnxruntime"):
        import_optional(package, extra="onnx", caller="export_onnx")
    steps, scaler, network = _take_apart(estimator)
    check_is_fitted(network)
    of_functionals = network._input_kind == "functionals"
    inputs = _make_inputs(network, scaler)
    program = _export(network, scaler, inputs, opset)
    program.model.metadata_props[METADATA] = json.dumps(
        {
            "serkit": __version__,
            "network": type(network).__name__,
            "input": "functionals" if of_functionals else "frames",
            "n_channels": int(network.n_channels_in_),
            "n_bins": int(network.n_bins_in_),
            "classes": _in_json(network.classes_),
            "includes": [] if scaler is None else [type(scaler).__name__],
            "steps_before": steps,
        }
    )
    path = Path(path)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        written = Path(folder, path.name)
        with _quiet():
            program.save(written, external_data=False)
        _compare(OnnxClassifier(written), network, scaler, inputs)
        os.replace(written, path)
    return steps


def _take_apart(estimator: Any) -> tuple[list[str], FrameScaler | None, NeuralClassifier]:
    """Return the names of steps that stay, the scaler that goes along, and the network."""
    for cls, name in _INSIDE:
        if isinstance(estimator, cls):
            check_is_fitted(estimator)
            return _take_apart(getattr(estimator, name))
    if isinstance(estimator, Pipeline):
        steps = [
            (name, step)
            for name, step in estimator.steps[:-1]
            if step not in (None, "passthrough") and not hasattr(step, "fit_resample")
        ]
        inner_steps, scaler, network = _take_apart(estimator.steps[-1][1])
        if scaler is None and not inner_steps and steps:
            last = steps[-1][1]
            if isinstance(last, FrameScaler) and last.scope == "corpus":
                scaler, steps = last, steps[:-1]
        return [*(name for name, _ in steps), *inner_steps], scaler, network
    if isinstance(estimator, NeuralClassifier):
        return [], None, estimator
    if isinstance(estimator, SegmentAggregationClassifier):
        raise TypeError(
            "SegmentAggregationClassifier cuts utterances and brings posteriors together in "
            "Python: export what classifies segments, export_onnx(model.estimator_, path)"
        )
    raise TypeError(
        f"export_onnx takes fitted networks of serkit that tell classes apart, and pipelines that "
        f"end in one, not {type(estimator).__name__}"
    )


def _in_json(classes: np.ndarray) -> list[Any]:
    if classes.dtype.kind not in "biufU" and not all(isinstance(c, str) for c in classes):
        raise TypeError(f"only strings and numbers have a form in JSON, not {classes.tolist()}")
    return classes.tolist()


def _make_inputs(network: NeuralClassifier, scaler: FrameScaler | None) -> list[np.ndarray]:
    """Return utterances of several lengths, on the scale that the network was trained on."""
    rng = np.random.default_rng(0)
    if network._input_kind == "functionals":
        return list(rng.normal(size=(len(_N_FRAMES), network.n_bins_in_)).astype(np.float32))
    shape = network.n_channels_in_, network.n_bins_in_
    frames = [rng.normal(size=(*shape, n)).astype(np.float32) for n in _N_FRAMES]
    if scaler is None:
        return frames
    mean = 0 if scaler.mean_ is None else scaler.mean_[..., None]
    scale = 1 if scaler.scale_ is None else scaler.scale_[..., None]
    return [(mean + scale * one).astype(np.float32) for one in frames]


def _export(
    network: NeuralClassifier,
    scaler: FrameScaler | None,
    inputs: list[np.ndarray],
    opset: int | None,
) -> Any:
    module, dynamic = network.net_.module_, torch.export.Dim.DYNAMIC
    classifier: torch.nn.Module
    batch: tuple[torch.Tensor, ...]
    shapes: tuple[dict[int, Any], ...]
    if network._input_kind == "functionals":
        classifier = FunctionalsClassifier(module)
        names, batch, shapes = ["functionals"], (torch.tensor(np.stack(inputs)),), ({0: dynamic},)
    else:
        scaling = None if scaler is None else FrameScaling(scaler)
        classifier = FrameClassifier(module, network.n_frames_, scaling)
        names, shapes = ["frames", "lengths"], ({0: dynamic, 3: dynamic}, {0: dynamic})
        batch = tuple(map(torch.tensor, pad_batch(inputs)))
    try:
        with _quiet(), torch.no_grad():
            program = torch.export.export(
                classifier.eval(), batch, dynamic_shapes=shapes, strict=False
            )
            return torch.onnx.export(
                program,
                input_names=names,
                output_names=["posteriors"],
                opset_version=opset,
                verbose=False,
            )
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        raise ValueError(
            f"{type(network).__name__} cannot be written as ONNX: its network has parts that the "
            f"exporter of torch {torch.__version__} does not know ({reason})"
        ) from error


def _compare(
    written: OnnxClassifier,
    network: NeuralClassifier,
    scaler: FrameScaler | None,
    inputs: list[np.ndarray],
) -> None:
    X = np.stack(inputs) if network._input_kind == "functionals" else as_ragged(inputs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of utterances that are cut
        expected = network.predict_proba(X if scaler is None else scaler.transform(X))
        difference = np.abs(written.predict_proba(X) - expected).max()
    if not difference <= _TOLERANCE:
        raise ValueError(
            f"the ONNX form of {type(network).__name__} gives other posteriors than the network, "
            f"by up to {difference:.2g}; nothing was written"
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter from speaking of packages that it could use, and of its own inside."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "torch.export", "onnxscript")]
    loggers += [logging.getLogger(name) for name in ("onnx_ir", "torch.onnx._internal.exporter")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
