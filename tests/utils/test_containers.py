from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from serkit.utils import (
    AudioSegment,
    as_ragged,
    check_container,
    is_path,
    is_ragged,
    stack,
)


def test_as_ragged_never_collapses():
    ragged = as_ragged([np.zeros(3), np.zeros(3)])
    assert ragged.shape == (2,)
    assert ragged.dtype == object


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        ([np.zeros(2), np.zeros(3)], True),
        ([np.zeros(2), np.zeros(2)], True),
        (["a.wav", "b.wav"], True),
        ([AudioSegment("a.wav")], True),
        (np.array(["a.wav"]), True),
        (pd.Series(["a.wav"]), True),
        (pd.Series([np.zeros(2)]), True),
        ([[0.0, 1.0], [2.0, 3.0]], False),
        (np.zeros((2, 3)), False),
        (np.zeros((2, 3), dtype=object), False),
        (pd.DataFrame([[0.0, 1.0]]), False),
        (np.zeros(3), False),
        ([], False),
        ([None, "a.wav"], True),
        ([[0.0, 1.0], np.zeros(3)], True),
    ],
)
def test_is_ragged_looks_at_the_container_only(X, expected):
    assert is_ragged(X) is expected


def test_segment_reads_well():
    assert is_path(AudioSegment("a.wav"))
    assert str(AudioSegment("a.wav", 1.5, 2)) == "a.wav [1.5 s to 2 s]"
    assert str(AudioSegment("a.wav", 1.5)) == "a.wav [1.5 s to end]"


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ("a.wav", TypeError, r"X is a single path; give a list of paths: \['a.wav'\]"),
        (AudioSegment("a.wav"), TypeError, "X is a single path"),
        (Path().glob("*.wav"), TypeError, "X is of type .*; give a list of paths or arrays"),
        ({"a": np.zeros(3)}, TypeError, "X is of type dict; give a list"),
        ([], ValueError, "X has no utterances"),
        (as_ragged([]), ValueError, "X has no utterances"),
        ([[0.1, 0.2], [0.3]], ValueError, "one length .*np.asarray"),
        ([[0.1, 0.2], None], ValueError, "one length .*np.asarray"),
    ],
)
def test_what_holds_no_utterances_is_refused(X, error, message):
    with pytest.raises(error, match=message):
        check_container(X)


def test_containers_pass():
    assert check_container(["a.wav"])
    assert not check_container([[0.1, 0.2], [0.3, 0.4]])
    for left_to_sklearn in (np.zeros(3), np.zeros((0, 3)), csr_array(np.eye(2)), None):
        assert not check_container(left_to_sklearn)


def test_stack_fills_as_it_goes():
    rows = (np.full((2, 2), i, dtype=np.float32) for i in range(3))
    stacked = stack(rows, length=3)
    assert stacked.dtype == np.float32
    np.testing.assert_array_equal(stacked[:, 0, 0], [0, 1, 2])
