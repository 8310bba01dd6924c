"""Noisy copies of the utterances that a model is trained on."""

from collections.abc import Callable, Iterator
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval

from serkit.augmentation._copies import CopySampler
from serkit.augmentation._noises import NOISE_CONSTRAINTS, NoiseChange, NoiseDraw, check_noises

__all__ = ["NoiseMixer"]


class NoiseMixer(CopySampler):
    """Add noisy copies of every utterance to a training set.

    Which noises an utterance gets, from where in them and how loud, is drawn by
    a seed and its content (the samples, or the bytes of its file): it gets the
    same whatever the other utterances are, in any order and in every fold.

    Nothing is mixed yet. A copy is a :class:`~serkit.utils.ChangedAudio`, mixed
    when :class:`~serkit.preprocessing.AudioLoader` or another step of audio
    takes it, so that of sixty copies of every utterance one at a time is in
    memory. Only the copies of a numeric array are mixed at once.

    Parameters
    ----------
    noises : sequence of path-like, AudioSegment or ndarray of shape (n_samples,)
        The noises. Files of other sampling rates are resampled, their channels
        averaged; they are read when they are needed. Waveforms in memory are
        taken to have `sampling_rate`.
    snr : float, tuple of (low, high) or list of float, default=(-10.0, 15.0)
        Signal-to-noise ratio in dB, see :func:`mix_noise`: always the same,
        uniform in a range (a tuple), or one of a list.
    n_copies : int or tuple of (n_noises, n_snrs), default=1
        Number of copies per utterance, each with a noise and a ratio of its
        own; a noise comes again only after all others. Or that many noises, each
        at that many ratios, where ``None`` is all of them: ``(20, 3)`` is the
        design of [1]_, sixty copies.
    sampling_rate : int, default=16000
        Sampling rate of the utterances in Hz. A loader of another rate is an
        error.
    power : {"full", "active"}, default="full"
        Over what the power of speech is taken: everything, or without pauses.
    rescale : bool, default=True
        Scale mixtures that go beyond [-1, 1] back to there.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same copies at every call.

    Attributes
    ----------
    noise_indices_ : ndarray of shape (n_resampled,)
        Which of the noises is in every row that came out; -1 for none.
    snr_ : ndarray of shape (n_resampled,)
        At which ratio in dB; infinity without noise.
    sample_indices_ : ndarray of shape (n_resampled,)
        For every row that came out, the row of the input that it is, or is a
        noisy copy of.
    sampling_strategy_ : dict
        Number of copies added of each class.
    n_features_in_ : int
        Number of samples; only for numeric input.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns; only for data frames.

    Raises
    ------
    ValueError
        If an utterance or a noise is silent, or if `n_copies` asks for more
        noises or ratios than there are.

    See Also
    --------
    NoiseCorruptor : Noise in what is tested.
    AudioAugmenter : Copies that are changed in other ways.
    serkit.evaluation.robustness_curve : Scores at many ratios.

    References
    ----------
    .. [1] C.-W. Huang and S. Narayanan, "Characterizing Types of Convolution in
       Deep Convolutional Recurrent Neural Networks for Robust Speech Emotion
       Recognition", arXiv:1706.02901, 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.augmentation import NoiseMixer
    >>> from serkit.preprocessing import AudioLoader
    >>> rng = np.random.default_rng(0)
    >>> speech = [0.1 * rng.normal(size=800), 0.1 * rng.normal(size=900)]
    >>> noises = [rng.normal(size=500), rng.normal(size=2000)]
    >>> mixer = NoiseMixer(noises, snr=[0, 10], n_copies=(None, None), random_state=0)
    >>> X, y = mixer.fit_resample(speech, ["calm", "joy"])
    >>> mixer.sample_indices_
    array([0, 1, 0, 0, 0, 0, 1, 1, 1, 1])
    >>> mixer.snr_
    array([inf, inf,  0., 10.,  0., 10.,  0., 10.,  0., 10.])
    >>> [len(waveform) for waveform in AudioLoader().fit_transform(X)[:4]]
    [800, 900, 800, 800]
    """

    _parameter_constraints: ClassVar[dict] = {
        **CopySampler._parameter_constraints,
        **NOISE_CONSTRAINTS,
        "snr": [Real, tuple, "array-like"],
        "n_copies": [Interval(Integral, 1, None, closed="left"), tuple],
    }

    def __init__(
        self,
        noises,
        *,
        snr=(-10.0, 15.0),
        n_copies=1,
        sampling_rate=16000,
        power="full",
        rescale=True,
        random_state=None,
    ):
        super().__init__(random_state=random_state)
        self.noises = noises
        self.snr = snr
        self.n_copies = n_copies
        self.sampling_rate = sampling_rate
        self.power = power
        self.rescale = rescale

    def _plan(self, seed: int) -> Callable[[str], Iterator[NoiseChange]]:
        noises = check_noises(self.noises, self.sampling_rate)
        return NoiseDraw(noises, self.snr, self.n_copies, self.power, self.rescale, seed).changes

    def _note(self, n_real: int, changes: list[NoiseChange]) -> None:
        rows, snrs = [change.noise.row for change in changes], [change.snr for change in changes]
        self.noise_indices_ = np.concatenate([np.full(n_real, -1), rows])
        self.snr_ = np.concatenate([np.full(n_real, np.inf), snrs])

    def _check_utterances(self, X: np.ndarray) -> list[Any]:
        items = super()._check_utterances(X)
        for row, item in enumerate(items):
            if isinstance(item, np.ndarray) and not item.any():
                raise ValueError(
                    f"utterance {row} is silent, so no noise has a ratio to it; remove it"
                )
        return items
