"""By what an utterance is known again, wherever it stands."""

from pathlib import Path
from typing import Any

import numpy as np

from serkit.utils._containers import AudioSegment, ChangedAudio, is_path
from serkit.utils._hashing import content_digest, estimator_digest

__all__ = ["utterance_digest"]


def utterance_digest(item: Any) -> str:
    """Return the digest of an utterance: of its samples, or of the bytes of its file.

    Parameters
    ----------
    item : path-like, AudioSegment, ChangedAudio or ndarray
        One utterance. A part of a file is told by where it begins and ends too,
        what is changed by how.

    Returns
    -------
    digest : str
        Hexadecimal digest of 32 characters.

    Raises
    ------
    OSError
        If a file cannot be read.

    Examples
    --------
    >>> import numpy as np
    >>> from serkit.utils import utterance_digest
    >>> utterance_digest(np.zeros(3)) == utterance_digest(np.zeros(3))
    True
    """
    content: tuple
    if isinstance(item, ChangedAudio):
        content = ("changed", utterance_digest(item.source), estimator_digest(item.change))
    elif is_path(item):
        part = item if isinstance(item, AudioSegment) else AudioSegment(item)
        content = ("file", content_digest(Path(part.file)), part.start, part.end)
    else:
        content = ("array", content_digest(np.asarray(item)))
    return content_digest(repr(content).encode())
