"""Raise of high frequencies."""

from collections.abc import Callable
from functools import partial
from numbers import Real
from typing import ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from serkit.utils import WaveformTransformer

__all__ = ["PreEmphasis"]


class PreEmphasis(WaveformTransformer):
    """Raise high frequencies: subtract from every sample a part of the one before.

    Parameters
    ----------
    coefficient : float, default=0.97
        The part, in [0, 1].
    initial : {"zero", "repeat"}, default="zero"
        What the sample before the first is taken to be. "zero" keeps the first
        sample as it is, as torchaudio does; "repeat" takes the first sample
        itself, as Kaldi does within each frame.
    n_jobs : int or None, default=None
        Number of parallel jobs over utterances.
    verbose : int or bool, default=0
        Show a progress bar when positive.

    Attributes
    ----------
    n_features_in_ : int
        Number of samples seen in ``fit``; only for numeric input.

    See Also
    --------
    HighPassFilter : Removes low frequencies.

    Notes
    -----
    Features in the convention of Kaldi apply pre-emphasis to every frame by
    themselves; this step before them would be a second one.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.preprocessing import PreEmphasis
    >>> PreEmphasis(0.5).fit_transform(np.array([[0.4, 0.4, 0.8]]))
    array([[0.4, 0.2, 0.6]])
    >>> PreEmphasis(0.5, initial="repeat").fit_transform(np.array([[0.4, 0.4, 0.8]]))
    array([[0.2, 0.2, 0.6]])
    """

    _parameter_constraints: ClassVar[dict] = {
        **WaveformTransformer._parameter_constraints,
        "coefficient": [Interval(Real, 0, 1, closed="both")],
        "initial": [StrOptions({"zero", "repeat"})],
    }

    def __init__(self, coefficient=0.97, *, initial="zero", n_jobs=None, verbose=0):
        self.coefficient = coefficient
        self.initial = initial
        self.n_jobs = n_jobs
        self.verbose = verbose

    def _make_kernel(self) -> Callable[[np.ndarray], np.ndarray]:
        return partial(_emphasize, coefficient=self.coefficient, repeat=self.initial == "repeat")


def _emphasize(waveform: np.ndarray, *, coefficient: float, repeat: bool) -> np.ndarray:
    emphasized = waveform.copy()
    emphasized[1:] -= coefficient * waveform[:-1]
    if repeat:
        emphasized[0] -= coefficient * waveform[0]
    return emphasized
