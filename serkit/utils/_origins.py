"""What samplers have made of the rows that the last step of a pipeline sees."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

__all__ = ["follow_rows", "note_resampling", "row_origins"]

_ORIGINS: ContextVar[np.ndarray | None] = ContextVar("origins", default=None)


@contextmanager
def follow_rows() -> Iterator[None]:
    """Let :func:`note_resampling` and :func:`row_origins` work; forget at the end.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.utils import follow_rows, note_resampling, row_origins
    >>> with follow_rows():
    ...     note_resampling(np.array([0, 1, 2, 2]), n_before=3)
    ...     note_resampling(np.array([0, 1, 2, 3, 3, -1]), n_before=4)
    ...     row_origins(6)
    array([ 0,  1,  2,  2,  2, -1])
    """
    token = _ORIGINS.set(_ORIGINS.get())
    try:
        yield
    finally:
        _ORIGINS.reset(token)


def note_resampling(rows: np.ndarray, *, n_before: int) -> None:
    """Note that rows were resampled, inside :func:`follow_rows`.

    Parameters
    ----------
    rows : ndarray of shape (n_after,)
        The row before for every row after; -1 for a synthetic one.
    n_before : int
        Number of rows before.
    """
    before = row_origins(n_before)
    rows = np.asarray(rows)
    _ORIGINS.set(rows if before is None else np.where(rows < 0, -1, before[rows]))


def row_origins(n_rows: int) -> np.ndarray | None:
    """Return the row that each row was before all sampling, -1 for a synthetic one.

    Parameters
    ----------
    n_rows : int
        Number of rows now.

    Returns
    -------
    origins : ndarray of shape (n_rows,) or None
        ``None`` if no sampler has noted it, or other rows than these.
    """
    origins = _ORIGINS.get()
    return None if origins is None or len(origins) != n_rows else origins
