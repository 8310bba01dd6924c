import numpy as np
import pytest

from serkit.preprocessing import PreEmphasis


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_equal_librosa_behind_the_first_sample(librosa, dtype):
    waveform = np.random.default_rng(0).uniform(-1, 1, size=500).astype(dtype)
    (emphasized,) = PreEmphasis(0.9).fit_transform([waveform])
    expected = librosa.effects.preemphasis(waveform, coef=0.9)
    assert emphasized.dtype == dtype
    np.testing.assert_allclose(emphasized[1:], expected[1:], atol=1e-6)


def test_first_sample():
    waveform = np.array([0.5, 0.25])
    for initial, first in (("zero", 0.5), ("repeat", 0.125)):
        (emphasized,) = PreEmphasis(0.75, initial=initial).fit_transform([waveform])
        np.testing.assert_allclose(emphasized, [first, -0.125])
        (single,) = PreEmphasis(0.75, initial=initial).fit_transform([waveform[:1]])
        np.testing.assert_allclose(single, [first])
