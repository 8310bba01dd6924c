"""Noise in the utterances that a model is tested on."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval

from serkit.augmentation._copies import seeding_digest
from serkit.augmentation._noises import NOISE_CONSTRAINTS, NoiseDraw, check_noises
from serkit.utils import ChangedAudio, WaveformTransformer, as_ragged, check_audio

__all__ = ["NoiseCorruptor"]


class NoiseCorruptor(WaveformTransformer):
    """Add noise to every waveform, at one signal-to-noise ratio.

    For what is tested; :class:`NoiseMixer` adds copies to what is trained on.
    Which noise a waveform gets, and from where in it, is drawn by the seed and
    its samples, whatever the other waveforms are. Silence stays silence, for no
    noise has a ratio to it, and is warned of.

    Parameters
    ----------
    noises : sequence of path-like, AudioSegment or ndarray of shape (n_samples,)
        The noises, as of :class:`NoiseMixer`.
    snr : float or None, default=10.0
        Signal-to-noise ratio in dB, see :func:`mix_noise`. Infinity and ``None``
        leave the waveforms as they are.
    sampling_rate : int, default=16000
        Sampling rate of the waveforms in Hz.
    power : {"full", "active"}, default="full"
        Over what the power of speech is taken: everything, or without pauses.
    rescale : bool, default=True
        Scale mixtures that go beyond [-1, 1] back to there.
    random_state : int, default=0
        Seed of the noises.
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
    serkit.evaluation.robustness_curve : Scores at many ratios.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.augmentation import NoiseCorruptor
    >>> rng = np.random.default_rng(0)
    >>> speech, noise = 0.1 * rng.normal(size=(1, 800)), rng.normal(size=1000)
    >>> added = NoiseCorruptor([noise], snr=3).fit_transform(speech) - speech
    >>> round(float(10 * np.log10(np.mean(speech**2) / np.mean(added**2))), 6)
    3.0
    """

    _parameter_constraints: ClassVar[dict] = {
        **WaveformTransformer._parameter_constraints,
        **NOISE_CONSTRAINTS,
        "snr": [
            Interval(Real, None, None, closed="neither"),
            Interval(Real, 0, None, closed="right"),
            None,
        ],
        "random_state": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(
        self,
        noises,
        snr=10.0,
        *,
        sampling_rate=16000,
        power="full",
        rescale=True,
        random_state=0,
        n_jobs=None,
        verbose=0,
    ):
        self.noises = noises
        self.snr = snr
        self.sampling_rate = sampling_rate
        self.power = power
        self.rescale = rescale
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    def defer(self, X: Any) -> np.ndarray:
        """Return utterances, files too, that get their noise when they are read.

        A file and the waveform in it do not get the same noise.

        Parameters
        ----------
        X : audio
            Paths or waveforms.

        Returns
        -------
        deferred : ndarray of shape (n_utterances,), dtype=object
            :class:`~serkit.utils.ChangedAudio`.
        """
        self._validate_params()
        items, _ = check_audio(self, X, reset=True, allow_paths=True)
        draw = self._draw()
        return as_ragged(
            ChangedAudio(item, next(draw.changes(seeding_digest(item)))) for item in items
        )

    def _make_kernel(self) -> Callable[[np.ndarray], np.ndarray]:
        return _Corrupt(self._draw())

    def _draw(self) -> NoiseDraw:
        snr = math.inf if self.snr is None else float(self.snr)
        noises = check_noises(self.noises, self.sampling_rate)
        return NoiseDraw(noises, snr, 1, self.power, self.rescale, int(self.random_state))

    def _cache_state(self) -> dict[str, Any]:
        return {"noises": [noise.digest for noise in check_noises(self.noises, self.sampling_rate)]}


@dataclass(frozen=True)
class _Corrupt:
    draw: NoiseDraw

    def __call__(self, waveform: np.ndarray) -> np.ndarray:
        if not waveform.any():
            return waveform
        return next(self.draw.changes(seeding_digest(waveform)))(waveform, None)
