import numpy as np
import pandas as pd
import pytest
import soundfile

from serkit.datasets import Corpus


def bad_folder(folder, write_audio):
    """Return a corpus of good and of bad files, with the expected reasons."""
    good = write_audio(folder / "good.wav")
    write_audio(folder / "stereo.flac", seconds=0.5, sampling_rate=22050)
    soundfile.write(folder / "no_samples.wav", np.zeros(0), 16000)
    soundfile.write(folder / "nan.wav", np.array([0.0, np.nan]), 16000, subtype="FLOAT")
    (folder / "empty.wav").touch()
    (folder / "noise.wav").write_bytes(b"not audio at all" * 10)
    (folder / "cut.wav").write_bytes(good.read_bytes()[:-1000])
    flac = write_audio(folder / "whole.flac", seconds=1)
    (folder / "cut.flac").write_bytes(flac.read_bytes()[:-4000])
    reasons = {
        "good.wav": None,
        "no_samples.wav": "no samples",
        "nan.wav": "NaN",
        "empty.wav": "the file is empty",
        "noise.wav": "[Ff]ormat",
        "cut.wav": "breaks off",
        "stereo.flac": None,
        "cut.flac": "breaks off|internal|[Dd]ecod|[Ee]rror",
        "missing.wav": "no such file",
    }
    return Corpus({"file": list(reasons)}, root=folder), reasons


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_bad_files_are_skipped_and_reported(tmp_path, write_audio, n_jobs):
    corpus, reasons = bad_folder(tmp_path, write_audio)
    good, report = corpus.check_audio(on_error="skip", n_jobs=n_jobs)
    assert good.table["file"].tolist() == ["good.wav", "stereo.flac"]
    assert good.table["duration"].tolist() == pytest.approx([0.1, 0.5], abs=1e-4)
    bad = {file: reason for file, reason in reasons.items() if reason}
    assert report["file"].tolist() == list(bad)
    assert report.index.tolist() == [1, 2, 3, 4, 5, 7, 8]
    for found, expected in zip(report["reason"], bad.values(), strict=True):
        assert pd.Series([found]).str.contains(expected).all(), (found, expected)


def test_all_bad_files_are_in_one_error(tmp_path, write_audio):
    corpus, reasons = bad_folder(tmp_path, write_audio)
    with pytest.raises(ValueError, match="7 of 9 utterances cannot be used") as caught:
        corpus.check_audio()
    for file, reason in reasons.items():
        assert (f"{file}: " in str(caught.value)) == (reason is not None)


def test_parts_of_files(tmp_path, write_audio):
    write_audio(tmp_path / "1.wav", seconds=1)
    table = {"file": ["1.wav"] * 3, "start": [0.25, 0.5, 1.5], "end": [0.75, 1.5, None]}
    good, report = Corpus(table, root=tmp_path).check_audio(on_error="skip")
    assert good.table["duration"].tolist() == [0.5]
    assert report["reason"].str.contains("is no part of its 1 s").all()
    assert report.index.tolist() == [1, 2]


def test_min_duration(tmp_path, write_audio):
    write_audio(tmp_path / "1.wav", seconds=0.1)
    corpus = Corpus({"file": ["1.wav"]}, root=tmp_path)
    assert len(corpus.check_audio(min_duration=0.1)[0]) == 1
    with pytest.raises(ValueError, match=r"1\.wav: lasts 0\.100 s, less than 0\.2 s"):
        corpus.check_audio(min_duration=0.2)


def test_long_files_are_read_in_blocks(tmp_path):
    length = 3 * (1 << 18) + 5
    soundfile.write(tmp_path / "long.wav", np.zeros(length), 16000)
    good, report = Corpus({"file": ["long.wav"]}, root=tmp_path).check_audio()
    assert good.table["duration"].tolist() == [length / 16000]
    assert report.empty


def test_waveforms_in_memory():
    waveforms = [np.ones(10), np.ones(0), np.array([0.0, np.inf]), np.ones(4, np.int16)]
    corpus = Corpus({"file": ["a", "b", "c", None]}, waveforms=waveforms, sampling_rate=10)
    good, report = corpus.check_audio(on_error="skip", min_duration=0.5)
    assert [item.size for item in good.audio] == [10]
    assert good.table["duration"].tolist() == [1.0]
    assert report["reason"].tolist() == [
        "no samples",
        "contains NaN or infinity",
        "lasts 0.400 s, less than 0.5 s",
    ]


@pytest.mark.parametrize("announced", [0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFFF00, 0x7FFFF000])
def test_a_stream_of_unknown_length_is_whole(tmp_path, write_audio, announced):
    path = write_audio(tmp_path / "stream.wav")
    content = bytearray(path.read_bytes())
    content[40:44] = announced.to_bytes(4, "little")
    path.write_bytes(content)
    good, _ = Corpus({"file": ["stream.wav"]}, root=tmp_path).check_audio()
    assert good.table["duration"].tolist() == [0.1]


def test_unknown_treatment():
    with pytest.raises(ValueError, match="'raise' or 'skip', got 'drop'"):
        Corpus({"file": []}).check_audio(on_error="drop")
