"""What a model was trained on, in a form that its file can keep."""

from typing import Any

import numpy as np

from serkit.datasets import Corpus
from serkit.utils import content_digest, utterance_digest

__all__ = ["describe_data"]


def describe_data(corpus: Corpus) -> dict[str, Any]:
    """Return facts of a corpus, and digests by which it and its utterances are known again.

    Every file is read. The digests say nothing about what is spoken.
    """
    digests = [utterance_digest(item) for item in corpus.audio]
    labelled = sorted(map(repr, zip(digests, corpus.y, corpus.speakers, strict=True)))
    speakers = sorted({speaker for speaker in corpus.speakers if speaker is not None})
    emotions, counts = np.unique([str(label) for label in corpus.y], return_counts=True)
    hours = corpus.table["duration"].sum(min_count=len(corpus)) / 3600
    return {
        "name": corpus.name or "unnamed corpus",
        "fingerprint": content_digest("\n".join(labelled).encode()),
        "n_utterances": len(corpus),
        "hours": None if hours != hours else round(float(hours), 4),
        "speakers": list(map(str, speakers)),
        "emotions": dict(zip(emotions.tolist(), counts.tolist(), strict=True)),
        "utterances": sorted(digest[:16] for digest in digests),
    }
