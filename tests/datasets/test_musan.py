import pytest

from serkit.datasets import load_musan

FILES = [
    "music/fma/music-fma-0000.wav",
    "noise/free-sound/noise-free-sound-0000.wav",
    "noise/free-sound/noise-free-sound-0001.wav",
    "noise/sound-bible/noise-sound-bible-0000.wav",
    "speech/us-gov/speech-us-gov-0000.wav",
]


@pytest.fixture
def official(tmp_path, fill_folder):
    folder = fill_folder(tmp_path / "musan", FILES)
    for source in ("music/fma", "noise/free-sound", "speech/us-gov"):
        (folder / source / "ANNOTATIONS").write_text("music-fma-0000 rock Y someone\n")
    (folder / "noise" / "README").touch()
    return folder


def test_noises(official):
    corpus = load_musan(official)
    assert corpus.name == "musan"
    assert corpus.audio.tolist() == [str(official / name) for name in FILES[1:4]]
    assert corpus.table["source"].tolist() == ["free-sound", "free-sound", "sound-bible"]
    assert corpus.table["duration"].tolist() == [0.02] * 3
    assert corpus.y.tolist() == corpus.speakers.tolist() == [None] * 3
    assert "3 utterances, 0 speakers" in repr(corpus)


def test_parts(official):
    assert load_musan(official.parent, part="music").table["file"].tolist() == FILES[:1]
    everything = load_musan(official, part="all", n_jobs=2)
    assert everything.table["file"].tolist() == FILES
    assert everything.select(part="speech").table["source"].tolist() == ["us-gov"]
    with pytest.raises(ValueError, match="'all', got 'babble'"):
        load_musan(official, part="babble")


def test_the_noises_alone(tmp_path, fill_folder):
    fill_folder(tmp_path, FILES[1:4])
    assert len(load_musan(tmp_path)) == 3
    (tmp_path / "music").mkdir()
    with pytest.raises(FileNotFoundError, match=r"no audio is in the folders .*music/\*"):
        load_musan(tmp_path, part="all")
    with pytest.raises(FileNotFoundError, match="no file of musan is in .* 'speech' is expected"):
        load_musan(tmp_path, part="speech")
