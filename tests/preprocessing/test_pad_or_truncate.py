import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.utils import get_tags

from serkit.feature_extraction import CachedTransformer
from serkit.preprocessing import PadOrTruncate
from serkit.utils import SignalWarning


@pytest.fixture
def waveforms():
    return [np.array([1.0, 2.0, 3.0]) / 4, np.array([1.0, 2.0], dtype=np.float32) / 4]


def test_length_is_learnt_from_training_utterances(waveforms):
    padder = PadOrTruncate().fit(waveforms)
    assert padder.length_ == 3
    Xt = padder.transform(waveforms)
    assert Xt.dtype == object
    assert [waveform.dtype for waveform in Xt] == [np.float64, np.float32]
    np.testing.assert_array_equal(Xt[1], [0.25, 0.5, 0.0])
    assert PadOrTruncate(length=7).fit(waveforms).length_ == 7


@pytest.mark.parametrize(
    ("side", "padded", "cut"),
    [
        ("right", [1, 2, 3, 0, 0, 0], [1, 2, 3, 4, 5, 6]),
        ("left", [0, 0, 0, 1, 2, 3], [4, 5, 6, 7, 8, 9]),
        ("both", [0, 1, 2, 3, 0, 0], [2, 3, 4, 5, 6, 7]),
    ],
)
def test_sides(side, padded, cut):
    padder = PadOrTruncate(length=6, side=side).fit([np.ones(1)])
    short, long, fitting = (np.arange(1.0, n + 1) / 10 for n in (3, 9, 6))
    with pytest.warns(SignalWarning, match=r"utterance 1: longer than 6 .* cut \(1 in all\)"):
        Xt = padder.transform([short, long, fitting])
    np.testing.assert_array_equal(Xt[0], np.array(padded) / 10)
    np.testing.assert_array_equal(Xt[1], np.array(cut) / 10)
    np.testing.assert_array_equal(Xt[2], fitting)


def test_constant_value(waveforms):
    Xt = PadOrTruncate(length=4, constant_value=-1.0).fit_transform(waveforms)
    np.testing.assert_array_equal(Xt[1], [0.25, 0.5, -1.0, -1.0])


def test_longer_utterances_are_an_error_on_request(waveforms):
    padder = PadOrTruncate(truncate=False).fit(waveforms[1:])
    with pytest.raises(ValueError, match="utterance 0: longer than 2 samples; set truncate=True"):
        padder.transform(waveforms)


def test_numeric_stays_numeric():
    X = np.ones((3, 4), dtype=np.float32)
    Xt = PadOrTruncate(length=6).fit_transform(X)
    assert Xt.shape == (3, 6)
    assert Xt.dtype == np.float32


def test_needs_fit_to_learn_the_length_only(waveforms):
    with pytest.raises(NotFittedError):
        PadOrTruncate().transform(waveforms)
    assert get_tags(PadOrTruncate()).requires_fit
    given = PadOrTruncate(length=4)
    assert not get_tags(given).requires_fit
    np.testing.assert_array_equal(given.transform(waveforms)[1], [0.25, 0.5, 0.0, 0.0])
    cached = CachedTransformer(given).fit_transform(waveforms)
    np.testing.assert_array_equal(cached[0], given.transform(waveforms)[0])
