"""Digests of rows, by which a generator remembers what it was fitted on."""

from hashlib import blake2b

import numpy as np

__all__ = ["row_digests"]


def row_digests(X: np.ndarray) -> np.ndarray:
    """Return a digest of every row, the same in single and in double precision.

    Parameters
    ----------
    X : array-like of shape (n_rows, ...)
        Numeric rows.

    Returns
    -------
    digests : ndarray of shape (n_rows,), dtype uint64
        In the order of the rows; equal rows have equal digests.
    """
    # Adding zero makes no difference but for a negative zero, which is equal to zero.
    rows = np.ascontiguousarray(X, dtype=np.float32) + np.float32(0)
    digests = b"".join(blake2b(row.tobytes(), digest_size=8).digest() for row in rows)
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)
