"""What becomes of predicted sequences: slices joined, noise smoothed, scales put right."""

import math
import warnings
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from scipy.signal import butter, sosfilt, sosfilt_zi, sosfiltfilt
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils import check_array, column_or_1d
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from serkit.utils import PlainOutputMixin, as_ragged, check_container, check_speakers, stack

__all__ = ["SequencePostProcessor", "join_slices"]


class SequencePostProcessor(  # type: ignore[call-arg]
    PlainOutputMixin, TransformerMixin, BaseEstimator, auto_wrap_output_keys=None
):
    """Smooth predicted sequences and give them the mean and spread of their speaker.

    ``fit`` takes the *true* sequences of the training set, ``transform`` those that
    were predicted. Each is changed by itself: it is filtered, then shifted and
    scaled to the mean and standard deviation that the speaker had in training.
    Sequences are those of whole recordings: join slices first, for the filter looks
    back for longer than a slice lasts.

    Parameters
    ----------
    cutoff : float, default=0.01
        Frequency in Hz above which a Butterworth filter attenuates.
    order : int, default=1
        Order of the filter.
    sampling_rate : float, default=25
        Values per second.
    zero_phase : bool, default=True
        Filter forwards and backwards, so that nothing is delayed: whole sequences
        must be known, and the filter acts twice. ``False`` filters forwards only.
    rescale : bool, default=True
        Give sequences the mean and standard deviation of their speaker. A sequence
        that is constant gets the mean.

    Attributes
    ----------
    speakers_ : ndarray of shape (n_speakers,), dtype=object
        The training speakers, in the order in which they appeared.
    mean_ : ndarray of shape (n_speakers,)
        Mean of all values of each of them.
    scale_ : ndarray of shape (n_speakers,)
        Standard deviation of all values of each of them.
    global_mean_ : float
        Mean of all training values.
    global_scale_ : float
        Standard deviation of all training values.
    n_features_in_ : int
        Number of values per sequence; only for numeric 2-D input.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, if all are strings.

    See Also
    --------
    join_slices : Makes the sequences of recordings from those of slices.

    References
    ----------
    Guizzo (2023), "Enhancing the Generalization of Convolutional Neural Networks
    for Speech Emotion Recognition", section 3.2.4, with cut-offs from 0.004 to
    0.01 Hz. It does not say in which direction it filters.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.neural_network import SequencePostProcessor
    >>> processor = SequencePostProcessor(cutoff=1).fit([np.array([-0.5, 0.1, 0.7])])
    >>> smooth = processor.transform([np.sin(np.arange(100) / 8), np.arange(60.0)])
    >>> [f"{sequence.mean():.2f} {sequence.std():.2f}" for sequence in smooth]
    ['0.10 0.49', '0.10 0.49']
    """

    #: Without these requests routing would stop at this step with an error.
    __metadata_request__fit: ClassVar = {"speakers": True}
    __metadata_request__transform: ClassVar = {"speakers": True}

    _parameter_constraints: ClassVar[dict] = {
        "cutoff": [Interval(Real, 0, None, closed="neither")],
        "order": [Interval(Integral, 1, None, closed="left")],
        "sampling_rate": [Interval(Real, 0, None, closed="neither")],
        "zero_phase": ["boolean"],
        "rescale": ["boolean"],
    }

    def __init__(self, cutoff=0.01, *, order=1, sampling_rate=25, zero_phase=True, rescale=True):
        self.cutoff = cutoff
        self.order = order
        self.sampling_rate = sampling_rate
        self.zero_phase = zero_phase
        self.rescale = rescale

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None, *, speakers: Any = None) -> "SequencePostProcessor":
        """Learn the mean and the spread of every speaker, and of all together.

        Parameters
        ----------
        X : list of ndarray, or array-like of shape (n_sequences, n_steps)
            True sequences of the training set.
        y : None
            Ignored.
        speakers : array-like of shape (n_sequences,) or None, default=None
            Whose they are; ``None`` as a label marks a sequence without a speaker.

        Returns
        -------
        self : object
        """
        self._filter()
        sequences = self._check_sequences(X, reset=True)
        values = np.concatenate(sequences)
        self.global_mean_, self.global_scale_ = float(values.mean()), float(values.std())
        self._with_speakers = speakers is not None
        own: dict[Any, list[np.ndarray]] = {}
        if speakers is not None:
            labels = check_speakers(speakers, sequences)
            for label, sequence in zip(labels, sequences, strict=True):
                if label is not None:
                    own.setdefault(label, []).append(sequence)
        joined = [np.concatenate(of_speaker) for of_speaker in own.values()]
        self.speakers_ = np.array(list(own), dtype=object)
        self.mean_ = np.array([values.mean() for values in joined])
        self.scale_ = np.array([values.std() for values in joined])
        return self

    def transform(self, X: Any, *, speakers: Any = None) -> np.ndarray:
        """Filter and rescale every sequence by itself.

        Parameters
        ----------
        X : list of ndarray, or array-like of shape (n_sequences, n_steps)
            Predicted sequences.
        speakers : array-like of shape (n_sequences,) or None, default=None
            Whose they are; needed if `rescale` is true and ``fit`` had them. A
            speaker who was not in ``fit`` gets the mean and the spread of all.

        Returns
        -------
        Xt : ndarray
            Ragged (1-D, dtype object) if X is, otherwise (n_sequences, n_steps).

        Raises
        ------
        ValueError
            If speakers are missing.

        Warns
        -----
        UserWarning
            Of speakers who were not in ``fit``, and of sequences shorter than a
            period of `cutoff`, of which little more than the mean is left.
        """
        check_is_fitted(self)
        ragged = check_container(X)
        sequences = self._check_sequences(X, reset=False)
        self._warn_of_short(sequences)
        filter_ = self._filter()
        smooth = [self._smooth(sequence, filter_) for sequence in sequences]
        if self.rescale:
            targets = self._targets(speakers, smooth)
            smooth = [_rescale(x, *target) for x, target in zip(smooth, targets, strict=True)]
        restore = as_ragged if ragged else partial(stack, length=len(smooth))
        return restore(smooth)

    def _check_sequences(self, X: Any, *, reset: bool) -> list[np.ndarray]:
        if not check_container(X):
            return list(validate_data(self, X, reset=reset, dtype=np.float64))
        return [_check_sequence(row, x) for row, x in enumerate(X)]

    def _filter(self) -> np.ndarray:
        if self.cutoff >= self.sampling_rate / 2:
            raise ValueError(
                f"cutoff={self.cutoff} Hz must be below half of sampling_rate={self.sampling_rate}"
            )
        return butter(self.order, self.cutoff, fs=self.sampling_rate, output="sos")

    def _warn_of_short(self, sequences: list[np.ndarray]) -> None:
        period = self.sampling_rate / self.cutoff
        n_short = sum(len(sequence) < period for sequence in sequences)
        if n_short:
            warnings.warn(
                f"{n_short} of {len(sequences)} sequences are shorter than a period of cutoff, "
                f"{period:.0f} values; join slices to recordings first, or raise cutoff",
                UserWarning,
                stacklevel=3,
            )

    def _smooth(self, sequence: np.ndarray, filter_: np.ndarray) -> np.ndarray:
        if not self.zero_phase:  # begun as if the first value had been there forever
            return sosfilt(filter_, sequence, zi=sosfilt_zi(filter_) * sequence[0])[0]
        # Mirrored for a period of the cut-off, as far as the filter looks back.
        mirrored = min(len(sequence) - 1, int(np.ceil(self.sampling_rate / self.cutoff)))
        return sosfiltfilt(filter_, sequence, padtype="even", padlen=mirrored)

    def _targets(self, speakers: Any, sequences: list[np.ndarray]) -> list[tuple[float, float]]:
        """Return the mean and the spread that every sequence is to have."""
        overall = self.global_mean_, self.global_scale_
        if not self._with_speakers and speakers is None:
            return [overall] * len(sequences)
        if speakers is None:
            raise ValueError(
                "this SequencePostProcessor was fitted with speakers, so it needs them to rescale "
                "as well: transform(X, speakers=...)"
            )
        own = dict(zip(self.speakers_, zip(self.mean_, self.scale_, strict=True), strict=True))
        labels = check_speakers(speakers, sequences)
        unknown = sorted({label for label in labels if label is not None} - own.keys())
        if unknown:
            warnings.warn(
                f"{len(unknown)} speakers, such as {unknown[0]!r}, were not in fit and get the "
                "mean and the spread of all training sequences",
                UserWarning,
                stacklevel=3,
            )
        return [own.get(label, overall) for label in labels]


def _check_sequence(row: int, x: Any) -> np.ndarray:
    name = f"sequence {row}"
    sequence = check_array(x, dtype=np.float64, ensure_2d=False, input_name=name)
    if sequence.ndim != 1:
        raise ValueError(f"{name} must be a 1-D array, got shape {sequence.shape}")
    return sequence


def _rescale(sequence: np.ndarray, mean: float, scale: float) -> np.ndarray:
    deviation = sequence - sequence.mean()
    spread = deviation.std()
    # What is left of a constant is rounding error.
    constant = spread <= 1e-12 * max(1.0, np.abs(sequence).max())
    return np.full_like(sequence, mean) if constant else mean + deviation * (scale / spread)


def join_slices(y_pred: Any, recording: Any, hop: int, *, lengths: Any = None) -> np.ndarray:
    """Join the sequences of slices to one per recording, the mean where slices overlap.

    Parameters
    ----------
    y_pred : array-like of shape (n_slices, n_steps)
        The sequences of the slices, those of one recording in order of time.
    recording : array-like of shape (n_slices,)
        The recording that each slice is from, such as the ``parent_index`` of
        :class:`~serkit.preprocessing.FixedLengthSegmenter`.
    hop : int
        Values from the start of a slice to the start of the next.
    lengths : array-like of shape (n_recordings,), default=None
        Number of values of every recording. Its slices must be as many as a
        segmenter with ``tail="align_end"`` cuts, of which the last ends with its
        recording; of a recording shorter than a slice the beginning of the slice
        is left. ``None`` takes every slice to begin at a multiple of `hop`.

    Returns
    -------
    sequences : ndarray of shape (n_recordings,), dtype=object
        One 1-D array per recording, in the order in which they first appear.

    Raises
    ------
    ValueError
        If `hop` leaves gaps between slices, a slice has no recording, or the
        slices of a recording are not as many as its length and `hop` ask for.

    Examples
    --------
    >>> from serkit.neural_network import join_slices
    >>> slices = [[1, 1, 1, 1], [3, 3, 3, 3], [5, 5, 5, 5]]
    >>> join_slices(slices, ["first", "first", "second"], hop=3)
    array([array([1., 1., 1., 2., 3., 3., 3.]), array([5., 5., 5., 5.])],
          dtype=object)
    """
    slices = check_array(y_pred, dtype=np.float64, input_name="y_pred")
    recording = column_or_1d(np.asarray(recording))
    check_consistent_length(slices, recording)
    n_steps = slices.shape[1]
    if not isinstance(hop, Integral) or not 1 <= hop <= n_steps:
        raise ValueError(
            f"hop must be a whole number from 1 to the {n_steps} values of a slice, got {hop!r}"
        )
    codes, names = pd.factorize(recording)
    nobody = np.flatnonzero(codes < 0)
    if len(nobody):
        raise ValueError(f"recording is None or NaN for the slices {nobody.tolist()}")
    lengths = [None] * len(names) if lengths is None else column_or_1d(lengths)
    if len(lengths) != len(names):
        raise ValueError(f"lengths has {len(lengths)} entries for {len(names)} recordings")
    return as_ragged(
        _join(slices[codes == code], hop, length, name)
        for code, (name, length) in enumerate(zip(names, lengths, strict=True))
    )


def _join(slices: np.ndarray, hop: int, length: int | None, name: Any) -> np.ndarray:
    n_slices, n_steps = slices.shape
    if length is None:
        length = (n_slices - 1) * hop + n_steps
    elif length < 1 or length % 1:
        raise ValueError(f"recording {name} cannot have {length} values")
    length = int(length)
    expected = 1 + math.ceil(max(0, length - n_steps) / hop)
    if n_slices != expected:
        raise ValueError(
            f"recording {name} has {n_slices} slices, but {length} values in slices of {n_steps} "
            f"every {hop} make {expected}; check hop and lengths, and cut recordings with "
            'tail="align_end"'
        )
    starts = np.minimum(np.arange(n_slices) * hop, max(0, length - n_steps))
    places = starts[:, None] + np.arange(n_steps)
    total = np.bincount(places.ravel(), weights=slices.ravel())
    return (total / np.bincount(places.ravel()))[:length]
