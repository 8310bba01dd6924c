"""Which segments are cut, what is in them, and what is refused."""

import tracemalloc

import numpy as np
import pytest
from sklearn.base import clone

from serkit.preprocessing import FixedLengthSegmenter
from serkit.utils import SignalWarning, as_ragged


def cut(n, segment_length, **settings):
    """Return the segments of the numbers 1 to n."""
    segments, _ = FixedLengthSegmenter(segment_length, **settings).split([np.arange(1, n + 1)])
    return [segment.tolist() for segment in segments]


@pytest.mark.parametrize(
    ("n_samples", "n_segments"), [(32000, 1), (38399, 1), (38400, 2), (80000, 8)]
)
def test_number_of_segments_of_two_seconds_overlapping_by_1_6(n_samples, n_segments):
    segmenter = FixedLengthSegmenter(32000, hop=6400, tail="drop")
    segments, parents = segmenter.split([np.zeros(n_samples)])
    assert {segment.shape for segment in segments} == {(32000,)}
    assert parents.tolist() == [0] * n_segments


@pytest.mark.parametrize(("n_frames", "n_segments"), [(299, 1), (300, 1), (301, 2), (600, 2)])
def test_number_of_segments_of_300_frames(n_frames, n_segments):
    X = [np.broadcast_to(np.arange(1.0, n_frames + 1), (3, 2, n_frames))]
    segments, _ = FixedLengthSegmenter(300).split(X)
    assert [segment.shape for segment in segments] == [(3, 2, 300)] * n_segments
    assert segments[-1][0, 0, -1] == (0 if n_frames == 299 else n_frames)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, [[1, 2, 3], [4, 5, 6], [5, 6, 7]]),
        ({"tail": "drop"}, [[1, 2, 3], [4, 5, 6]]),
        ({"tail": "pad"}, [[1, 2, 3], [4, 5, 6], [7, 0, 0]]),
        ({"hop": 2}, [[1, 2, 3], [3, 4, 5], [5, 6, 7]]),
        ({"hop": 2, "tail": "pad"}, [[1, 2, 3], [3, 4, 5], [5, 6, 7]]),
        ({"hop": 3, "tail": "pad"}, [[1, 2, 3], [4, 5, 6], [7, 0, 0]]),
        ({"hop": 5}, [[1, 2, 3], [5, 6, 7]]),
        ({"hop": 6}, [[1, 2, 3], [5, 6, 7]]),
        ({"hop": 6, "tail": "pad"}, [[1, 2, 3], [7, 0, 0]]),
        ({"hop": 7}, [[1, 2, 3]]),
        ({"hop": 7, "tail": "pad"}, [[1, 2, 3]]),
        ({"strategy": "first_last"}, [[1, 2, 3], [5, 6, 7]]),
        ({"strategy": "first_last", "hop": 1, "tail": "drop"}, [[1, 2, 3], [5, 6, 7]]),
    ],
    ids=str,
)
def test_where_seven_samples_are_cut(settings, expected):
    assert cut(7, 3, **settings) == expected


@pytest.mark.parametrize("strategy", ["sliding", "first_last"])
@pytest.mark.parametrize(
    ("short", "expected"), [("pad", [[1, 2, 0, 0, 0]]), ("repeat", [[1, 2, 1, 2, 1]])]
)
def test_short_utterances(strategy, short, expected):
    assert cut(2, 5, strategy=strategy, short=short) == expected
    assert cut(5, 5, strategy=strategy, short=short) == [[1, 2, 3, 4, 5]]


def test_short_utterances_are_dropped_with_a_warning():
    X = [np.ones(2), np.ones(9), np.ones(3), np.ones(4)]
    segmenter = FixedLengthSegmenter(4, short="drop")
    message = r"utterances 0, 2: shorter than a segment of 4, dropped \(2 of 4\)"
    with pytest.warns(SignalWarning, match=message):
        segments, parents = segmenter.split(X)
    assert len(segments) == 4
    assert parents.tolist() == [1, 1, 1, 3]
    with pytest.raises(ValueError, match="0, 1: shorter .* nothing is left; set short='pad'"):
        segmenter.split(X[::2])


def test_utterances_of_many_lengths_keep_their_order():
    rng = np.random.default_rng(0)
    X = [np.full((1, 2, n), row) for row, n in enumerate(rng.integers(1, 30, size=20))]
    segments, parents = FixedLengthSegmenter(5, hop=2, short="repeat").split(X)
    assert parents.tolist() == [segment[0, 0, 0] for segment in segments]
    assert sorted(parents) == parents.tolist()
    assert set(parents) == set(range(20))


@pytest.mark.parametrize("shape", [(8,), (3, 8), (2, 3, 8)], ids=str)
def test_container_is_kept(shape):
    numeric = np.random.default_rng(0).normal(size=(4, *shape)).astype(np.float32)
    ragged = as_ragged(numeric)
    segmenter = FixedLengthSegmenter(3)
    from_numeric, parents = segmenter.split(numeric)
    assert from_numeric.shape == (12, *shape[:-1], 3)
    assert from_numeric.dtype == np.float32
    assert parents.tolist() == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3
    for X in (ragged, list(ragged)):
        from_ragged, parents_too = segmenter.split(X)
        assert from_ragged.shape == (12,)
        np.testing.assert_array_equal(np.stack(list(from_ragged)), from_numeric)
        assert parents_too.tolist() == parents.tolist()
    one_each, _ = FixedLengthSegmenter(8).split(ragged)
    assert one_each.dtype == object


@pytest.mark.parametrize("dtype", ["int16", "float32", "float64"])
@pytest.mark.parametrize("settings", [{}, {"tail": "pad"}, {"short": "repeat"}], ids=str)
def test_type_is_kept(dtype, settings):
    segmenter = FixedLengthSegmenter(4, **settings)
    for X in (np.ones((2, 6), dtype=dtype), np.ones((2, 3), dtype=dtype)):
        assert segmenter.split(X)[0].dtype == dtype
        assert all(segment.dtype == dtype for segment in segmenter.split(as_ragged(X))[0])


def test_segments_are_views():
    """Windows of 1.6 seconds of overlap would otherwise take five times the memory."""
    rng = np.random.default_rng(0)
    X = as_ragged(rng.normal(size=n) for n in rng.integers(1000, 3000, size=100))
    tracemalloc.start()
    segments, parents = FixedLengthSegmenter(500, hop=50).split(X)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < sum(waveform.nbytes for waveform in X)
    assert sum(segment.nbytes for segment in segments) > 3 * peak
    assert all(
        np.shares_memory(segment, X[row]) for segment, row in zip(segments, parents, strict=True)
    )


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ("a.wav", TypeError, r"utterance 1 is a path \(a.wav\).*put an AudioLoader before"),
        (np.zeros(0), ValueError, r"utterance 1 is empty \(shape \(0,\)\)"),
        (np.zeros((1, 2, 0)), ValueError, "utterance 1 is empty"),
        (np.array([1.0, np.nan]), ValueError, "utterance 1 contains NaN or infinity"),
        (np.array([[1.0, -np.inf]]), ValueError, "utterance 1 contains NaN or infinity"),
        (np.array(["a", "b"]), TypeError, "utterance 1 is of type ndarray .* real numbers"),
        (np.array([1j]), TypeError, r"utterance 1 is of type ndarray \(complex128\)"),
        (3.0, TypeError, "utterance 1 is of type float"),
    ],
    ids=str,
)
def test_bad_rows_are_named(bad, error, message):
    with pytest.raises(error, match=message):
        FixedLengthSegmenter(2).split([np.ones(3), bad, np.ones(4)])


def test_bad_rows_of_numeric_arrays_are_named():
    X = np.ones((3, 2, 6))
    X[2, 1, 5] = np.inf
    with pytest.raises(ValueError, match="utterance 2 contains NaN or infinity"):
        FixedLengthSegmenter(2).split(X)


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ("a.wav", TypeError, "single path"),
        ([], ValueError, "no utterances"),
        (np.ones(4), ValueError, "Expected 2D array"),
    ],
    ids=["path", "nothing", "one axis"],
)
def test_bad_containers(X, error, message):
    with pytest.raises(error, match=message):
        FixedLengthSegmenter(2).split(X)


@pytest.mark.parametrize(
    "settings",
    [
        {"segment_length": 0},
        {"segment_length": 2.5},
        {"hop": 0},
        {"strategy": "random"},
        {"tail": "repeat"},
        {"short": "error"},
    ],
    ids=str,
)
def test_bad_parameters_are_refused_when_used(settings):
    segmenter = FixedLengthSegmenter(**{"segment_length": 2, **settings})
    with pytest.raises(ValueError, match=f"The '{next(iter(settings))}' parameter"):
        segmenter.split([np.ones(4)])


def test_parameters():
    segmenter = FixedLengthSegmenter(300, short="repeat")
    copied = clone(segmenter).set_params(hop=100)
    assert copied.get_params() == {
        "segment_length": 300,
        "hop": 100,
        "strategy": "sliding",
        "tail": "align_end",
        "short": "repeat",
    }
    assert repr(segmenter) == "FixedLengthSegmenter(segment_length=300, short='repeat')"
    assert not hasattr(segmenter, "fit")
