"""Fitted models at work: folders of files, windows of long recordings, ONNX."""

from serkit.inference._onnx import export_onnx
from serkit.inference._onnx_classifier import OnnxClassifier
from serkit.inference._predictions import iter_predictions
from serkit.inference._windows import window_posteriors

__all__ = ["OnnxClassifier", "export_onnx", "iter_predictions", "window_posteriors"]
