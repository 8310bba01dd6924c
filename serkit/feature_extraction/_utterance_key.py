"""By what an entry of the cache is found."""

from pathlib import Path
from typing import Any

import numpy as np

from serkit.utils import AudioSegment, content_digest, is_path

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
    content: tuple
    if is_path(item):
        part = item if isinstance(item, AudioSegment) else AudioSegment(item)
        try:
            content = ("file", content_digest(Path(part.file)), part.start, part.end)
        except OSError:
            return None
    else:
        content = ("array", content_digest(np.asarray(item)))
    return content_digest(repr((content, description)).encode())
