"""By what an entry of the cache is found."""

from typing import Any

import numpy as np

from serkit.utils import content_digest, utterance_digest

__all__ = ["utterance_key"]


def utterance_key(utterance: np.ndarray, description: str) -> str | None:
    """Return the key of an entry, or None for a file that cannot be read.

    Parameters
    ----------
    utterance : ndarray of length 1
        The utterance, in the container that it came in.
    description : str
        Digest of what is done with it.

    Returns
    -------
    key : str or None
    """
    item: Any = utterance if utterance.dtype != object else utterance[0]
    try:
        content = utterance_digest(item)
    except OSError:
        return None
    return content_digest(repr((content, description)).encode())
