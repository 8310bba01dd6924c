"""Waveforms of one length."""

import warnings
from collections.abc import Callable
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from serkit.utils import SignalWarning, WaveformTransformer, name_rows

__all__ = ["PadOrTruncate"]


class PadOrTruncate(WaveformTransformer):
    """Bring every waveform to one length.

    By default the length of the longest training utterance is learnt in ``fit``,
    from the training folds alone; a given length needs no fit. What is longer
    is cut, with a warning.

    Filters whose result depends on the whole signal, as that of
    :class:`WienerFilter`, belong before this step.

    Parameters
    ----------
    length : "max" or int, default="max"
        The length in samples; "max" is that of the longest utterance in ``fit``.
    side : {"right", "left", "both"}, default="right"
        Where samples are added, and where they are taken away.
    constant_value : float, default=0.0
        Value of the added samples.
    truncate : bool, default=True
        Cut longer utterances; if False they are an error.

    Attributes
    ----------
    length_ : int
        The length in samples.
    n_features_in_ : int
        Number of samples seen in ``fit``; only for numeric input.

    See Also
    --------
    SilenceTrimmer : Cuts silence at both ends.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.preprocessing import PadOrTruncate
    >>> padder = PadOrTruncate().fit([np.ones(3), np.ones(5)])
    >>> padder.length_
    5
    >>> padder.transform([np.ones(2)])[0]
    array([1., 1., 0., 0., 0.])
    """

    _parameter_constraints: ClassVar[dict] = {
        "length": [StrOptions({"max"}), Interval(Integral, 1, None, closed="left")],
        "side": [StrOptions({"right", "left", "both"})],
        "constant_value": [Interval(Real, None, None, closed="neither")],
        "truncate": ["boolean"],
    }

    def __init__(self, length="max", *, side="right", constant_value=0.0, truncate=True):
        self.length = length
        self.side = side
        self.constant_value = constant_value
        self.truncate = truncate

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> "PadOrTruncate":
        """Check the parameters and the input, and learn the length.

        Parameters
        ----------
        X : audio
            The utterances.
        y : None
            Ignored.

        Returns
        -------
        self : object
        """
        waveforms, _ = self._check_input(X, reset=True)
        self.length_ = max(map(len, waveforms)) if self.length == "max" else self.length
        return self

    def _make_kernel(self) -> Callable[[np.ndarray], np.ndarray]:
        return partial(
            _pad_or_cut, length=self._length(), side=self.side, constant_value=self.constant_value
        )

    def _length(self) -> int:
        if self.length != "max":
            return self.length
        check_is_fitted(self)
        return self.length_

    def _apply(self, kernel: Callable[[np.ndarray], np.ndarray], X: Any) -> np.ndarray:
        waveforms, restore = self._check_input(X, reset=False)
        length = self._length()
        longer = [row for row, waveform in enumerate(waveforms) if len(waveform) > length]
        if longer:
            self._report(longer, length)
        return restore(map(kernel, waveforms))

    def _report(self, longer: list[int], length: int) -> None:
        if not self.truncate:
            raise ValueError(
                f"{name_rows(longer)}: longer than {length} samples; set truncate=True to "
                "cut, or a greater length"
            )
        warnings.warn(
            SignalWarning(
                f"{name_rows(longer)}: longer than {length} samples, cut ({len(longer)} in all)"
            ),
            stacklevel=4,
        )

    def __sklearn_is_fitted__(self) -> bool:
        return self.length != "max" or hasattr(self, "length_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = self.length == "max"
        return tags


def _pad_or_cut(
    waveform: np.ndarray, *, length: int, side: str, constant_value: float
) -> np.ndarray:
    missing = length - len(waveform)
    before = {"right": 0, "left": missing, "both": int(missing / 2)}[side]
    if missing <= 0:
        return waveform[-before : length - before]
    return np.pad(waveform, (before, missing - before), constant_values=constant_value)
