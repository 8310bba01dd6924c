from pathlib import Path

import numpy as np
import pytest

from serkit.feature_extraction import KaldiFilterbankPitch

RATE = 16000
REFERENCE = Path(__file__).parent / "reference" / "torchaudio.npz"


@pytest.fixture(scope="module")
def reference():
    with np.load(REFERENCE) as file:
        return dict(file)


@pytest.mark.parametrize(
    ("name", "energy_floor"), [("fbank_40_energy", 1.0), ("fbank_40_energy_no_floor", 0.0)]
)
def test_filterbank_and_energy_equal_those_of_kaldi(name, energy_floor, reference):
    transformer = KaldiFilterbankPitch(energy_floor=energy_floor)
    frames = transformer.transform([reference["signal"]])[0]
    expected = reference[name]
    assert frames.dtype == np.float32
    assert frames.shape == (1, 43, expected.shape[1])
    assert np.abs(frames[0, :41] - expected).max() <= 1e-3


def test_longest_utterance_of_emodb_has_894_frames():
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 143_652)
    transformer = KaldiFilterbankPitch(use_pitch=False, use_nccf=False)
    assert transformer.transform([noise])[0].shape == (1, 41, 894)


@pytest.mark.parametrize("use_energy", [True, False])
@pytest.mark.parametrize("use_pitch", [True, False])
@pytest.mark.parametrize("use_nccf", [True, False])
def test_bins_can_be_left_out(use_energy, use_pitch, use_nccf, reference):
    waveforms = [reference["signal"]]
    every = KaldiFilterbankPitch().transform(waveforms)[0]
    transformer = KaldiFilterbankPitch(
        use_energy=use_energy, use_pitch=use_pitch, use_nccf=use_nccf
    )
    kept = np.array([use_energy, *[True] * 40, use_pitch, use_nccf])
    np.testing.assert_array_equal(transformer.transform(waveforms)[0], every[:, kept])


def test_silence_has_the_lowest_values():
    with pytest.warns(UserWarning, match="only zeros"):
        frames = KaldiFilterbankPitch().transform([np.zeros(RATE)])[0][0]
    np.testing.assert_array_equal(frames[0], 0)
    np.testing.assert_allclose(frames[1:41], -15.9424, atol=1e-4)
    assert ((frames[41] >= 50 - 1e-3) & (frames[41] <= 400 + 1e-3)).all()
    np.testing.assert_array_equal(frames[42], 0)


def test_pitch_and_correlation_of_a_voice_that_begins_late():
    time = np.arange(RATE) / RATE
    voice = sum(np.cos(2 * np.pi * 150 * k * time) / k for k in range(1, 20)) / 10
    late = np.concatenate([np.zeros(RATE // 2), voice])
    frames = KaldiFilterbankPitch(win_length=400).transform([late])[0][0]
    silent, voiced = frames[-2:, :45], frames[-2:, 55:]
    np.testing.assert_allclose(silent[1], 0, atol=1e-6)
    np.testing.assert_allclose(silent[0], 150, rtol=0.05)
    np.testing.assert_allclose(voiced[0], 150, rtol=0.01)
    assert (voiced[1] > 0.9).all()
