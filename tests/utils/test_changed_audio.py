import numpy as np
import pytest
import soundfile
from torch import nn

from serkit.feature_extraction import LogMelSpectrogram, TorchTransformer
from serkit.preprocessing import AudioLoader, PadOrTruncate, PreEmphasis, SilenceTrimmer
from serkit.utils import (
    AudioSegment,
    ChangedAudio,
    check_audio,
    check_container,
    is_path,
    is_ragged,
    row_origins,
    utterance_digest,
)


class Louder:
    """Counts how often it is asked."""

    def __init__(self, factor=2.0):
        self.factor, self.rates = factor, []

    def __call__(self, waveform, sampling_rate):
        self.rates.append(sampling_rate)
        return self.factor * waveform

    def __str__(self):
        return f"times {self.factor}"


WAVEFORM = np.linspace(-0.4, 0.4, 4000)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, WAVEFORM, 16000, subtype="FLOAT")
    return str(path)


def test_is_an_utterance_like_a_path(file):
    changed = ChangedAudio(file, Louder())
    assert is_path(changed)
    assert is_ragged([changed])
    assert not changed.in_memory
    assert str(changed) == f"{file}, times 2.0"
    twice = ChangedAudio(ChangedAudio(WAVEFORM, Louder()), Louder(3.0))
    assert twice.in_memory
    assert str(twice) == "a waveform, times 2.0, times 3.0"
    with pytest.raises(TypeError, match="X is a single path"):
        check_container(changed)


def test_the_loader_changes_what_it_has_loaded(file):
    change = Louder()
    X = [
        ChangedAudio(file, change),
        ChangedAudio(WAVEFORM, change),
        ChangedAudio(ChangedAudio(AudioSegment(file, 0.1), change), change),
        WAVEFORM,
    ]
    loader = AudioLoader(8000, end=0.05, dtype="float64")
    one, two, part, plain = loader.fit_transform(X)
    plain_file, plain_part = loader.transform([file, AudioSegment(file, 0.1)])
    np.testing.assert_allclose(one, 2 * plain_file)
    np.testing.assert_allclose(two, 2 * plain)
    np.testing.assert_allclose(part, 4 * plain_part)
    assert set(change.rates) == {8000}


def test_the_loader_names_what_cannot_be_changed(file):
    def fail(waveform, sampling_rate):
        raise ValueError("too loud")

    with pytest.raises(ValueError, match=r"utterance 1 .*a.wav, .*: too loud"):
        AudioLoader().fit_transform([file, ChangedAudio(file, fail)])
    with pytest.raises(ValueError, match=r"utterance 0 .*no such file"):
        AudioLoader().fit_transform([ChangedAudio("nowhere.wav", fail)])


@pytest.mark.parametrize(
    "step",
    [
        PreEmphasis(),
        SilenceTrimmer(),
        PadOrTruncate(),
        LogMelSpectrogram(),
        TorchTransformer(nn.Unflatten(1, (1, -1))),
    ],
    ids=lambda step: type(step).__name__,
)
def test_steps_change_waveforms_as_they_come(step):
    change = Louder()
    X = [WAVEFORM, ChangedAudio(WAVEFORM, change)]
    expected = step.fit_transform([WAVEFORM, 2 * WAVEFORM])
    for a, b in zip(step.fit_transform(X), expected, strict=True):
        np.testing.assert_array_equal(a, b)
    assert set(change.rates) == {getattr(step, "sampling_rate", None)}


def test_only_what_is_taken_is_changed():
    change = Louder()
    X = [ChangedAudio(WAVEFORM, change) for _ in range(5)]
    waveforms, _ = check_audio(PreEmphasis(), X, reset=False)
    assert len(waveforms) == 5
    assert not change.rates
    np.testing.assert_array_equal(waveforms[-1], 2 * WAVEFORM)
    assert len(waveforms[1:3]) == 2
    assert len(change.rates) == 3


def test_digests_tell_source_and_change(file):
    digests = {
        utterance_digest(item)
        for item in (
            file,
            AudioSegment(file, 0.1),
            WAVEFORM,
            ChangedAudio(file, Louder()),
            ChangedAudio(file, Louder(3.0)),
            ChangedAudio(WAVEFORM, Louder()),
            ChangedAudio(ChangedAudio(WAVEFORM, Louder()), Louder()),
        )
    }
    assert len(digests) == 7
    assert utterance_digest(AudioSegment(file)) == utterance_digest(file)
    assert utterance_digest(ChangedAudio(file, Louder())) in digests


def test_no_origins_are_known_outside_of_a_pipeline():
    assert row_origins(3) is None
