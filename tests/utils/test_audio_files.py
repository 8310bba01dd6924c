import numpy as np
import pytest
import soundfile

from serkit.datasets import Corpus
from serkit.preprocessing import AudioLoader
from serkit.utils import AudioSegment, BadAudioError, open_audio


@pytest.fixture
def ramp(tmp_path):
    """A file of one second whose samples count up."""
    path = tmp_path / "ramp.wav"
    soundfile.write(path, np.arange(16000, dtype=np.int16), 16000)
    return path


def counts(samples):
    return (samples * 32768).astype(int).tolist()


def test_parts_are_read_in_any_order(ramp):
    with open_audio(AudioSegment(ramp, 0.25, 0.5)) as audio:
        assert (audio.sampling_rate, audio.n_samples) == (16000, 4000)
        assert counts(audio.read(0, 2)) == [4000, 4001]
        assert counts(audio.read(2, 3)) == [4002]
        assert counts(audio.read(1, 3, dtype="float64")) == [4001, 4002]


@pytest.mark.parametrize("end", [0.9999, 1.0, 1.0004, 1.01])
def test_an_end_beyond_the_file_by_rounding_is_its_end(ramp, end):
    with open_audio(AudioSegment(ramp, 0.5, end)) as audio:
        assert audio.n_samples == min(round(end * 16000), 16000) - 8000
    (waveform,) = AudioLoader().fit_transform([AudioSegment(ramp, 0.5, end)])
    table = {"file": [str(ramp)], "start": [0.5], "end": [end]}
    checked, _ = Corpus(table).check_audio()
    assert checked.table["duration"].tolist() == [len(waveform) / 16000]


@pytest.mark.parametrize(("start", "end"), [(0.5, 1.02), (1.0, None), (1.0, 1.005), (0.5, 0.5)])
def test_what_is_no_part_of_the_file(ramp, start, end):
    part = AudioSegment(ramp, start, end)
    with pytest.raises(BadAudioError, match="is no part of its 1 s"), open_audio(part):
        pass


@pytest.mark.parametrize("kind", ["wav", "aiff", "au", "flac"])
def test_a_file_that_was_cut_off_is_refused_everywhere(tmp_path, kind):
    path = tmp_path / f"cut.{kind}"
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 16000)
    soundfile.write(path, noise, 16000)
    AudioLoader().fit_transform([path])
    path.write_bytes(path.read_bytes()[:-9000])
    with pytest.raises(BadAudioError), open_audio(path) as audio:
        audio.read(0, audio.n_samples)
    with pytest.raises(ValueError, match="1 of 1 utterances cannot be loaded"):
        AudioLoader().fit_transform([path])
    _, report = Corpus({"file": [str(path)]}).check_audio(on_error="skip")
    assert len(report) == 1


def test_not_a_number_in_any_channel_is_refused_everywhere(tmp_path):
    path = tmp_path / "nan.wav"
    soundfile.write(path, np.array([[0.0, 0.1], [0.2, np.nan]]), 16000, subtype="FLOAT")
    with pytest.raises(ValueError, match="contains NaN"):
        AudioLoader(channel=0).fit_transform([path])
    _, report = Corpus({"file": [str(path)]}).check_audio(on_error="skip")
    assert report["reason"].tolist() == ["contains NaN or infinity"]


def test_raw_samples_are_bad_audio(tmp_path):
    path = tmp_path / "a.raw"
    path.write_bytes(b"0123")
    with pytest.raises(BadAudioError, match="samplerate"), open_audio(path):
        pass
