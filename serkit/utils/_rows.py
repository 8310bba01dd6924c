"""Messages that name the right row where a step sees one utterance at a time."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["SignalWarning", "at_row", "name_rows"]

_ROW: ContextVar[int | None] = ContextVar("row", default=None)
_NOTES: ContextVar[list[str] | None] = ContextVar("notes", default=None)


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
        super().__init__(message if row is None else _rename(message, row), *args)


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
    named = ", ".join(map(str, rows[:5]))
    if len(rows) == 1:
        return f"utterance {named}"
    more = f" and {len(rows) - 5} more" if len(rows) > 5 else ""
    return f"utterances {named}{more}"


def _name_row(error: Exception, row: int) -> None:
    message = error.args[0] if error.args else ""
    if not isinstance(message, str) or str(error) != message:
        error.add_note(f"raised for utterance {row}")
    elif re.search(r"\butterances? \d", message):
        error.args = (_rename(message, row), *error.args[1:])
    else:
        error.args = (f"utterance {row}: {message}", *error.args[1:])


def _rename(message: str, row: int) -> str:
    return re.sub(r"\butterance 0\b", f"utterance {row}", message)
