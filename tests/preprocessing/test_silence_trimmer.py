import numpy as np
import pytest
import soundfile

from serkit.preprocessing import SilenceTrimmer
from serkit.utils import SignalWarning


def burst(rng, n_samples):
    """Noise whose level rises and falls over 80 dB."""
    knots = rng.uniform(-80, -5, size=8)
    level = np.interp(np.linspace(0, 7, n_samples), np.arange(8), knots)
    return (10 ** (level / 20) * rng.uniform(-1, 1, size=n_samples)).astype(np.float32)


@pytest.mark.parametrize("top_db", [10, 25, 60])
@pytest.mark.parametrize(
    ("frame_length", "hop_length"), [(2048, 512), (400, 160), (255, 100), (64, 64), (100, 300)]
)
def test_interval_equals_librosa(librosa, top_db, frame_length, hop_length):
    rng = np.random.default_rng(0)
    options = {"top_db": top_db, "frame_length": frame_length, "hop_length": hop_length}
    waveforms = [burst(rng, n) for n in (1, 50, 700, 5000, 16000, 16001, 30011)]
    trimmed = SilenceTrimmer(**options).fit_transform(waveforms)
    for waveform, ours in zip(waveforms, trimmed, strict=True):
        expected, _ = librosa.effects.trim(waveform, **options)
        np.testing.assert_array_equal(ours, expected if len(expected) else waveform)


def test_fixed_reference_equals_librosa(librosa):
    waveform = burst(np.random.default_rng(3), 30000)
    (ours,) = SilenceTrimmer(top_db=20, ref=0.3).fit_transform([waveform])
    expected, _ = librosa.effects.trim(waveform, top_db=20, ref=0.3)
    assert 0 < len(expected) < len(waveform)
    np.testing.assert_array_equal(ours, expected)


def test_silence_stays_whole():
    with pytest.warns(SignalWarning, match="utterance 0 contains only zeros"):
        (trimmed,) = SilenceTrimmer().fit_transform([np.zeros(5000)])
    assert len(trimmed) == 5000


def test_below_a_fixed_reference_stays_whole_with_a_warning():
    waveforms = [np.full(5000, 0.5), np.full(5000, 0.001), np.full(4000, 0.001)]
    trimmer = SilenceTrimmer(ref=1.0).fit(waveforms)
    with pytest.warns(SignalWarning, match="utterances 1, 2: silent throughout"):
        trimmed = trimmer.transform(waveforms)
    assert [len(waveform) for waveform in trimmed] == [5000, 5000, 4000]


def test_pauses_inside_stay():
    rng = np.random.default_rng(0)
    waveform = rng.uniform(-0.5, 0.5, size=30000)
    waveform[10000:20000] = 0
    assert len(SilenceTrimmer().fit_transform([waveform])[0]) == 30000


def test_numeric_rows_move_to_the_left():
    X = np.zeros((2, 16000))
    X[0, 6000:9000] = 0.5
    X[1] = 0.25
    Xt = SilenceTrimmer().fit_transform(X)
    (trimmed,) = SilenceTrimmer().fit_transform([X[0]])
    assert Xt.shape == X.shape
    np.testing.assert_array_equal(Xt[0, : len(trimmed)], trimmed)
    assert not Xt[0, len(trimmed) :].any()
    np.testing.assert_array_equal(Xt[1], X[1])


@pytest.mark.corpus
def test_real_speech_equals_librosa(corpora, librosa):
    paths = sorted((corpora / "emodb").glob("*.flac"))[::40]
    waveforms = [soundfile.read(path, dtype="float32")[0] for path in paths]
    for waveform, ours in zip(
        waveforms, SilenceTrimmer(top_db=25).fit_transform(waveforms), strict=True
    ):
        np.testing.assert_array_equal(ours, librosa.effects.trim(waveform, top_db=25)[0])
