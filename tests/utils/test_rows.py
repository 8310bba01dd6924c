import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from serkit.utils import SignalWarning, at_row, check_audio


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
