"""Messages that name the right row where a step sees one utterance at a time."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = [
    "SignalWarning",
    "at_names",
    "at_row",
    "at_segments",
    "name_rows",
    "segment_parents",
]

_ROW: ContextVar[int | None] = ContextVar("row", default=None)
_NOTES: ContextVar[list[str] | None] = ContextVar("notes", default=None)
_PARENTS: ContextVar[Sequence[int] | None] = ContextVar("parents", default=None)
_NAMES: ContextVar[Sequence[str] | None] = ContextVar("names", default=None)


class SignalWarning(UserWarning):
    """A signal was accepted, but is silent, too short or out of range.

    Give :func:`warnings.warn` an instance: Python tells warnings apart by their
    text, and that of an instance already names the row of the outer call.

    Parameters
    ----------
    message : str, default=""
        What was done, with the rows of the utterances.
    *args : object
        More arguments of an exception.
    """

    def __init__(self, message: str = "", *args: object):
        row, notes = _ROW.get(), _NOTES.get()
        if notes is not None:
            notes.append(message)
        super().__init__(message if row is None else _rename(message, _name([row])), *args)


@contextmanager
def at_row(row: int) -> Iterator[list[str]]:
    """Let errors and :class:`SignalWarning` name a row of the outer call.

    Inside, a step gets a single utterance and calls it "utterance 0".

    Parameters
    ----------
    row : int
        What that utterance is in the outer call.

    Yields
    ------
    notes : list of str
        Grows by the text of every :class:`SignalWarning` that is made, as the
        step worded it: a cache gives it again where the step does not run.

    Examples
    --------
    >>> from serkit.utils import at_row
    >>> with at_row(7):
    ...     raise ValueError("utterance 0 has no samples")
    Traceback (most recent call last):
    ValueError: utterance 7 has no samples
    """
    outer, outer_notes = _ROW.get(), _NOTES.get()
    notes: list[str] = []
    row_token, notes_token = _ROW.set(row if outer is None else outer), _NOTES.set(notes)
    try:
        yield notes
    except Exception as error:
        _name_row(error, row)
        raise
    finally:
        _ROW.reset(row_token)
        _NOTES.reset(notes_token)
        if outer_notes is not None:
            outer_notes.extend(notes)


@contextmanager
def at_names(names: Sequence[str]) -> Iterator[None]:
    """Let :class:`SignalWarning` and :func:`name_rows` name rows by something better than numbers.

    Parameters
    ----------
    names : sequence of str
        The name of every row, such as its file.

    Examples
    --------
    >>> from serkit.utils import at_names, name_rows
    >>> with at_names(["a.wav", "b.wav"]):
    ...     name_rows([1])
    'b.wav'
    """
    token = _NAMES.set(names)
    try:
        yield
    finally:
        _NAMES.reset(token)


@contextmanager
def at_segments(parents: Sequence[int]) -> Iterator[None]:
    """Let errors and warnings name utterances where a step sees segments of them.

    What divides rows inside can keep segments of one utterance together, see
    :func:`segment_parents`.

    Parameters
    ----------
    parents : sequence of int
        The utterance that each segment is from.

    Examples
    --------
    >>> from serkit.utils import at_segments, name_rows
    >>> with at_segments([0, 0, 1, 2, 2]):
    ...     name_rows([1]), name_rows([2, 3, 4])
    ('a segment of utterance 0', 'segments of utterances 1, 2')
    """
    token = _PARENTS.set(parents)
    try:
        yield
    except Exception as error:
        _name_parents(error)
        raise
    finally:
        _PARENTS.reset(token)


def segment_parents() -> Sequence[int] | None:
    """Return the utterance that each segment is from, inside :func:`at_segments`.

    A step behind a sampler, or in a search, has other rows than these.

    Returns
    -------
    parents : sequence of int or None
        ``None`` outside.

    Examples
    --------
    >>> from serkit.utils import at_segments, segment_parents
    >>> with at_segments([0, 0, 1]):
    ...     segment_parents()
    [0, 0, 1]
    """
    return _PARENTS.get()


def name_rows(rows: Sequence[int]) -> str:
    """Name utterances by their rows, the first five of them.

    Parameters
    ----------
    rows : sequence of int
        One or more rows.

    Returns
    -------
    names : str

    Examples
    --------
    >>> from serkit.utils import name_rows
    >>> name_rows([3])
    'utterance 3'
    >>> name_rows(range(14))
    'utterances 0, 1, 2, 3, 4 and 9 more'
    """
    return _name(rows) if _ROW.get() is None else _list("utterance", rows)


def _name(rows: Sequence[int]) -> str:
    parents = _PARENTS.get()
    if parents is None:
        return _by_name(rows)
    if max(rows) >= len(parents):  # A sampler has made more of them.
        return _list("segment", rows)
    utterances = _by_name(list(dict.fromkeys(int(parents[row]) for row in rows)))
    return f"{'a segment' if len(rows) == 1 else 'segments'} of {utterances}"


def _by_name(rows: Sequence[int]) -> str:
    names = _NAMES.get()
    if names is None or max(rows) >= len(names):
        return _list("utterance", rows)
    more = f" and {len(rows) - 5} more" if len(rows) > 5 else ""
    return ", ".join(names[row] for row in rows[:5]) + more


def _list(noun: str, rows: Sequence[int]) -> str:
    named = ", ".join(map(str, rows[:5]))
    if len(rows) == 1:
        return f"{noun} {named}"
    more = f" and {len(rows) - 5} more" if len(rows) > 5 else ""
    return f"{noun}s {named}{more}"


def _name_row(error: Exception, row: int) -> None:
    message = error.args[0] if error.args else ""
    if not isinstance(message, str) or str(error) != message:
        error.add_note(f"raised for utterance {row}")
    elif re.search(r"\butterances? \d", message):
        error.args = (_rename(message, f"utterance {row}"), *error.args[1:])
    else:
        error.args = (f"utterance {row}: {message}", *error.args[1:])


def _rename(message: str, name: str) -> str:
    return re.sub(r"\butterance 0\b", name, message)


def _name_parents(error: Exception) -> None:
    message = error.args[0] if error.args else ""
    if isinstance(message, str) and str(error) == message:
        # What name_rows has written names utterances already.
        pattern = r"(?<!segment of )(?<!segments of )\butterance (\d+)\b"
        named = re.sub(pattern, lambda found: _name([int(found[1])]), message)
        error.args = (named, *error.args[1:])
