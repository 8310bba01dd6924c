"""The three shapes of X: audio, frames, functionals; and what comes in goes out.

A *ragged* container (list or 1-D object array, one array per utterance) stays
ragged, a numeric array stays numeric. Only the type of the container decides,
never the lengths of what is in it: a fitted pipeline takes clips of any length.
"""

import os
from collections.abc import Callable, Iterable, Sized
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import issparse

__all__ = [
    "AudioSegment",
    "ChangedAudio",
    "as_ragged",
    "check_container",
    "is_path",
    "is_ragged",
    "stack",
]

Restore = Callable[[Iterable[np.ndarray]], np.ndarray]


@dataclass(frozen=True)
class AudioSegment:
    """A part of an audio file.

    Parameters
    ----------
    file : str or path-like
        The audio file.
    start : float, default=0.0
        Where the part begins, in seconds.
    end : float or None, default=None
        Where it ends, in seconds; ``None`` is the end of the file.
    """

    file: str | os.PathLike
    start: float = 0.0
    end: float | None = None

    def __str__(self) -> str:
        end = "end" if self.end is None else f"{self.end:g} s"
        return f"{self.file} [{self.start:g} s to {end}]"


@dataclass(frozen=True, eq=False)
class ChangedAudio:
    """An utterance that is changed whenever it is read, so that copies take no memory.

    Every reader of waveforms takes it in the place of one, and
    :class:`~serkit.preprocessing.AudioLoader` where it is the change of a file.

    Parameters
    ----------
    source : path-like, AudioSegment, ChangedAudio or ndarray of shape (n_samples,)
        What is changed. A waveform is float, within [-1, 1].
    change : callable
        Takes a waveform and its sampling rate (``None`` if nobody knows it),
        and returns a waveform: the same whenever it is called.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.preprocessing import PreEmphasis
    >>> from serkit.utils import ChangedAudio
    >>> louder = ChangedAudio(np.array([0.1, 0.2]), lambda waveform, sampling_rate: 2 * waveform)
    >>> PreEmphasis(0.5).fit_transform([louder])
    array([array([0.2, 0.3])], dtype=object)
    """

    source: Any
    change: Callable[[np.ndarray, int | None], np.ndarray]

    @property
    def in_memory(self) -> bool:
        """Whether a waveform is changed, rather than a file."""
        if isinstance(self.source, ChangedAudio):
            return self.source.in_memory
        return not is_path(self.source)

    def __str__(self) -> str:
        return f"{self.source if is_path(self.source) else 'a waveform'}, {self.change}"


def is_path(item: Any) -> bool:
    """Say whether an item of audio has yet to be read, rather than being a waveform.

    Parameters
    ----------
    item : object
        One utterance.

    Returns
    -------
    answer : bool
        True for a file, a part of one, and what is changed when it is read.
    """
    return isinstance(item, str | os.PathLike | AudioSegment | ChangedAudio)


def is_ragged(X: Any) -> bool:
    """Say whether X holds one object per utterance rather than one numeric array.

    Parameters
    ----------
    X : object
        Audio or frames.

    Returns
    -------
    answer : bool
        True for lists, tuples, series and 1-D object arrays of arrays or
        paths; one array or path in a list is enough. A list of lists of
        numbers is numeric, as in scikit-learn.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.utils import is_ragged
    >>> is_ragged([np.zeros(3), np.zeros(3)]), is_ragged(np.zeros((2, 3)))
    (True, False)
    """
    if isinstance(X, list | tuple):
        return any(is_path(x) or (hasattr(x, "__array__") and np.ndim(x) > 0) for x in X)
    dtype = getattr(X, "dtype", None)
    if dtype is None or getattr(X, "ndim", None) != 1:
        return False
    return getattr(dtype, "kind", "O") in "OUT"


def check_container(X: Any) -> bool:
    """Refuse what holds no utterances, and say of the rest whether it is ragged.

    Parameters
    ----------
    X : object
        Audio or frames. Numeric arrays and tables pass: scikit-learn checks them.

    Returns
    -------
    ragged : bool
        As :func:`is_ragged` says.

    Raises
    ------
    TypeError
        If X is a single path, a generator or another type that is neither list
        nor array.
    ValueError
        If X has no utterances, or lists of numbers of different lengths.

    Examples
    --------
    >>> from serkit.utils import check_container
    >>> check_container("a.wav")
    Traceback (most recent call last):
    TypeError: X is a single path; give a list of paths: ['a.wav']
    """
    if is_path(X):
        raise TypeError(f"X is a single path; give a list of paths: [{str(X)!r}]")
    is_list = isinstance(X, list | tuple)
    if not (is_list or hasattr(X, "__array__") or issparse(X)) and isinstance(X, Iterable | Sized):
        raise TypeError(
            f"X is of type {type(X).__name__}; give a list of paths or arrays, one per utterance, "
            "or a numeric array"
        )
    ragged = is_ragged(X)
    if (ragged or is_list) and not len(X):
        raise ValueError("X has no utterances")
    if is_list and not ragged:
        lengths = {len(x) if isinstance(x, list | tuple) else None for x in X}
        if len(lengths) > 1:
            raise ValueError(
                "lists of numbers need one length for all utterances; give arrays of any length: "
                "[np.asarray(x) for x in X]"
            )
    return ragged


def as_ragged(items: Iterable[Any]) -> np.ndarray:
    """Put items into a 1-D object array, whatever their lengths.

    Parameters
    ----------
    items : iterable
        One object per utterance.

    Returns
    -------
    ragged : ndarray of shape (n_utterances,), dtype=object
        Never collapses into a numeric array when all lengths agree.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.utils import as_ragged
    >>> as_ragged([np.zeros(2), np.zeros(2)]).shape
    (2,)
    """
    items = list(items)
    ragged = np.empty(len(items), dtype=object)
    for i, item in enumerate(items):
        ragged[i] = item
    return ragged


def stack(outputs: Iterable[np.ndarray], *, length: int) -> np.ndarray:
    """Stack arrays of one shape as they come, without holding them twice.

    Parameters
    ----------
    outputs : iterable of ndarray
        Arrays of equal shape and type.
    length : int
        How many there are, at least one.

    Returns
    -------
    stacked : ndarray of shape (length, ...)

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.utils import stack
    >>> stack((np.full(2, i) for i in range(3)), length=3).shape
    (3, 2)
    """
    outputs = iter(outputs)
    first = next(outputs)
    stacked = np.empty((length, *np.shape(first)), dtype=np.asarray(first).dtype)
    stacked[0] = first
    for i, output in enumerate(outputs, start=1):
        stacked[i] = output
    return stacked
