"""What an ONNX file says of frames."""

import json
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from serkit.utils import check_frames, import_optional

__all__ = ["METADATA", "OnnxClassifier", "pad_batch"]

#: The entry of the metadata of a file that says what is in it.
METADATA = "serkit"


class OnnxClassifier(ClassifierMixin, BaseEstimator):
    """Run a network that was written by :func:`export_onnx`.

    It runs by onnxruntime on the CPU. There is nothing to fit, so it is no step of
    a pipeline: give it what the fitted steps that stayed in Python make of speech,
    ``OnnxClassifier(path).predict_proba(model[:-1].transform(X))``, or one step less
    if a scaler went into the file.

    Parameters
    ----------
    path : path-like
        The file.
    batch_size : int, default=32
        How many utterances run together.
    num_threads : int, default=1
        Threads of onnxruntime.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes, in the order of the columns of posteriors.
    steps_before_ : list of str
        Names of the steps of the exported pipeline whose output the file takes.
    n_channels_in_ : int
        Channels of the frames that the file takes.
    n_bins_in_ : int
        Bins of the frames that the file takes, or the number of functionals.

    Raises
    ------
    ValueError
        If the file was not written by :func:`export_onnx`.
    ImportError
        If onnxruntime is missing.

    See Also
    --------
    export_onnx : Writes the file; it has an example.
    """

    def __init__(self, path, *, batch_size=32, num_threads=1):
        self.path = path
        self.batch_size = batch_size
        self.num_threads = num_threads
        self._open()

    def _open(self) -> None:
        runtime = import_optional("onnxruntime", extra="onnx", caller="OnnxClassifier")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = self.num_threads
        options.log_severity_level = 3  # errors only
        path = os.fspath(self.path)
        self._session = runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        metadata = self._session.get_modelmeta().custom_metadata_map
        if METADATA not in metadata:
            raise ValueError(
                f"{path!r} does not say what its classes are: OnnxClassifier runs what "
                "export_onnx has written"
            )
        about = json.loads(metadata[METADATA])
        self._input_kind = about["input"]
        self.classes_ = np.array(about["classes"])
        self.steps_before_ = list(about["steps_before"])
        self.n_channels_in_, self.n_bins_in_ = about["n_channels"], about["n_bins"]

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        return {name: value for name, value in state.items() if name != "_session"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._open()

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of every class.

        Parameters
        ----------
        X : frames or functionals
            The utterances, as the exported estimator takes them.

        Returns
        -------
        probabilities : ndarray of shape (n_utterances, n_classes), float32

        Raises
        ------
        ValueError
            If they have other channels, bins or features than the file takes.
        """
        utterances = self._check_input(X)
        # Of similar length, so that little is padded.
        order = np.argsort([utterance.shape[-1] for utterance in utterances], kind="stable")
        posteriors = np.empty((len(utterances), len(self.classes_)), dtype=np.float32)
        for first in range(0, len(order), self.batch_size):
            rows = order[first : first + self.batch_size]
            batch = [utterances[row] for row in rows]
            (posteriors[rows],) = self._session.run(["posteriors"], self._feed(batch))
        return posteriors

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable class of every utterance.

        Parameters
        ----------
        X : frames or functionals
            The utterances, as the exported estimator takes them.

        Returns
        -------
        y_pred : ndarray of shape (n_utterances,)
        """
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _check_input(self, X: Any) -> list[np.ndarray]:
        if self._input_kind == "frames":
            return check_frames(self, X, reset=False)[0]
        X = np.asarray(X, dtype=np.float32)
        if X.ndim != 2 or X.shape[1] != self.n_bins_in_:
            raise ValueError(
                f"X has shape {X.shape}; the file takes (n_utterances, {self.n_bins_in_})"
            )
        return list(X)

    def _feed(self, batch: list[np.ndarray]) -> dict[str, np.ndarray]:
        if self._input_kind == "functionals":
            return {"functionals": np.stack(batch)}
        frames, lengths = pad_batch(batch)
        return {"frames": frames, "lengths": lengths}


def pad_batch(utterances: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return frames padded by zeros to the longest utterance, and the length of each."""
    lengths = np.array([utterance.shape[-1] for utterance in utterances], dtype=np.int64)
    frames = np.zeros((len(utterances), *utterances[0].shape[:-1], lengths.max()), dtype=np.float32)
    for place, utterance in zip(frames, utterances, strict=True):
        place[..., : utterance.shape[-1]] = utterance
    return frames, lengths
