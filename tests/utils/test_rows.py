import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from serkit.utils import SignalWarning, at_row, at_segments, check_audio, name_rows


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("utterance 0 is empty", "utterance 7 is empty"),
        ("utterance 0 (a.wav) is bad", "utterance 7 (a.wav) is bad"),
        ("no such thing", "utterance 7: no such thing"),
    ],
)
def test_errors_name_the_row_of_the_outer_call(message, expected):
    with pytest.raises(TypeError) as caught, at_row(7):
        raise TypeError(message)
    assert str(caught.value) == expected


def test_errors_with_other_arguments_get_a_note():
    with pytest.raises(OSError, match="gone") as caught, at_row(7):
        raise OSError(2, "gone")
    assert caught.value.__notes__ == ["raised for utterance 7"]


def test_warnings_name_the_row_of_the_outermost_call():
    with pytest.warns(SignalWarning, match="utterance 7 is loud"), at_row(7), at_row(0):
        warnings.warn("utterance 0 is loud", SignalWarning, stacklevel=1)
    with pytest.warns(SignalWarning, match="utterance 0 is loud"):
        warnings.warn("utterance 0 is loud", SignalWarning, stacklevel=1)


def test_the_same_warning_is_shown_for_every_row():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for row in (2, 5, 5):
            with at_row(row):
                check_audio(BaseEstimator(), [np.zeros(3)], reset=False)
    assert [str(warning.message)[:11] for warning in caught] == ["utterance 2", "utterance 5"]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([3], "a segment of utterance 1"),
        ([3, 4], "segments of utterance 1"),
        ([0, 1, 5], "segments of utterances 0, 2"),
        ([6], "segment 6"),  # made by a sampler
        ([0, 6], "segments 0, 6"),
    ],
)
def test_rows_of_segments_are_named_by_utterance(rows, expected):
    with at_segments([0, 0, 0, 1, 1, 2]):
        assert name_rows(rows) == expected
    assert "segment" not in name_rows(rows)


def test_errors_name_the_utterance_of_a_segment():
    parents = [0, 0, 0, 1]
    with pytest.raises(ValueError, match="^a segment of utterance 1 is bad$"), at_segments(parents):
        raise ValueError("utterance 3 is bad")
    with pytest.raises(ValueError, match="^a segment of utterance 1 is bad$"), at_segments(parents):
        raise ValueError(f"{name_rows([3])} is bad")
    with pytest.raises(OSError, match="gone"), at_segments(parents):
        raise OSError(2, "gone")


def test_a_step_that_sees_one_segment_names_its_utterance():
    parents = [0, 0, 0, 4]
    step = BaseEstimator()
    message = "^a segment of utterance 4 contains only zeros"
    with pytest.warns(SignalWarning, match=message), at_segments(parents), at_row(3):
        check_audio(step, [np.zeros(3)], reset=False)
    message = "^a segment of utterance 4 has no samples"
    with pytest.raises(ValueError, match=message), at_segments(parents), at_row(3):
        check_audio(step, [np.zeros(0)], reset=False)
