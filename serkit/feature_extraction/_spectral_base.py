"""What all transformers that look at a waveform through short windows have in common."""

import warnings
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch
from sklearn.utils._param_validation import Interval, StrOptions

from serkit.feature_extraction._spectral_conventions import CONVENTIONS, Settings, resolve
from serkit.feature_extraction._spectral_frames import PowerSpectra
from serkit.feature_extraction._spectral_threads import ONE_THREAD
from serkit.utils import AudioTransformer, SignalWarning, name_rows

__all__ = ["LEVEL_CONSTRAINTS", "WindowTransformer"]

_AUTO = StrOptions({"auto"})
_POSITIVE_INT = Interval(Integral, 1, None, closed="left")
_POSITIVE = Interval(Real, 0, None, closed="neither")

LEVEL_CONSTRAINTS: dict[str, list] = {
    "power": [_POSITIVE],
    "log": [StrOptions({"auto", "db", "ln", "log10"}), None],
    "ref": [_POSITIVE, StrOptions({"max"})],
    "amin": [_POSITIVE, _AUTO],
    "top_db": [Interval(Real, 0, None, closed="left"), _AUTO, None],
}


class WindowTransformer(AudioTransformer):
    """Base of the transformers from waveforms to frames.

    A subclass has the parameters that :class:`PowerSpectra` is built from.
    """

    _parameter_constraints: ClassVar[dict] = {
        **AudioTransformer._parameter_constraints,
        "sampling_rate": [_POSITIVE_INT],
        "n_fft": [Interval(Integral, 2, None, closed="left"), _AUTO],
        "win_length": [Interval(Integral, 2, None, closed="left"), _AUTO],
        "hop_length": [_POSITIVE_INT, _AUTO],
        "window": [str, tuple],
        "center": ["boolean", _AUTO],
        "pad_mode": [StrOptions({"auto", "constant", "edge", "reflect", "symmetric"})],
        "preemphasis": [Interval(Real, 0, 1, closed="left"), _AUTO, None],
        "remove_dc": ["boolean", _AUTO],
        "convention": [StrOptions(set(CONVENTIONS))],
        "device": [str, torch.device, None],
    }

    def _apply(self, kernel: Callable[[Any], np.ndarray], X: Any) -> np.ndarray:
        with ONE_THREAD:
            return super()._apply(kernel, X)

    def _settings(self) -> Settings:
        """Return the parameters with every "auto" resolved."""
        return resolve(self)

    def _spectra(self) -> PowerSpectra:
        return PowerSpectra.from_settings(self._settings())

    def _check_input(self, X: Any, *, reset: bool) -> Any:
        waveforms, restore = super()._check_input(X, reset=reset)
        if reset:
            self._make_kernel()  # Parameters that contradict each other are found in fit.
        else:
            self._warn_of_short(waveforms)
        return waveforms, restore

    def _warn_of_short(self, waveforms: list[Any]) -> None:
        length = self._spectra().frame_length
        short = [row for row, waveform in enumerate(waveforms) if len(waveform) < length]
        if short:
            warnings.warn(
                SignalWarning(
                    f"padded {name_rows(short)} with zeros to one window of {length} samples"
                ),
                stacklevel=4,
            )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
