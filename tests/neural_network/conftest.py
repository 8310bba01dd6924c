"""Made utterances and settings that make every network small."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from serkit.utils import as_ragged

SIZES = {"n_filters": 4, "rnn_hidden_size": 4, "hidden_layer_sizes": (8,)}


@pytest.fixture
def tiny():
    """Parameters of a small convolutional and recurrent network."""
    return {**SIZES, "max_epochs": 2, "batch_size": 8, "random_state": 0}


@pytest.fixture
def corpus():
    """Frames of four speakers, two emotions and unequal lengths."""
    rng = np.random.default_rng(0)
    n = 24
    y = np.array(["anger", "joy"])[np.arange(n) % 2]
    speakers = np.repeat(np.array(["a", "b", "c", "d"], dtype=object), n // 4)
    X = [rng.normal(size=(1, 4, 8 + row % 5)) + (y[row] == "joy") for row in range(n)]
    return SimpleNamespace(X=as_ragged(x.astype(np.float32) for x in X), y=y, speakers=speakers)


@pytest.fixture
def functionals():
    """Functionals of four speakers and two emotions."""
    rng = np.random.default_rng(0)
    n = 24
    y = np.array(["anger", "joy"])[np.arange(n) % 2]
    speakers = np.repeat(np.array(["a", "b", "c", "d"], dtype=object), n // 4)
    X = rng.normal(size=(n, 5)) + (y == "joy")[:, None]
    return SimpleNamespace(X=X, y=y, speakers=speakers)


@pytest.fixture
def assert_equal_fits():
    """Assert that two networks are the same, bit by bit, weights and history."""

    def check(one, other):
        weights, others = (fitted.net_.module_.state_dict() for fitted in (one, other))
        assert weights.keys() == others.keys()
        for name, value in weights.items():
            np.testing.assert_array_equal(value, others[name], err_msg=name)
        assert list(one.classes_) == list(other.classes_)
        pd.testing.assert_frame_equal(one.history_, other.history_, check_exact=True)

    return check
