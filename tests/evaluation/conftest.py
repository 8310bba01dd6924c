import numpy as np
import pytest

from serkit.datasets import Corpus

EMOTIONS = ("anger", "calm", "fear")


@pytest.fixture
def features():
    """Corpus of four speakers, and features that tell emotions apart with some errors."""
    rng = np.random.default_rng(0)
    speakers = np.repeat(["s1", "s2", "s3", "s4"], 12)
    y = np.tile(EMOTIONS, 16)
    X = rng.normal(size=(48, 4))
    X[:, 0] += [EMOTIONS.index(label) for label in y]
    corpus = Corpus(
        {"speaker": speakers, "emotion": y},
        waveforms=[np.full(4, row / 48) for row in range(48)],
        sampling_rate=16000,
        name="tiny",
    )
    return corpus, X
