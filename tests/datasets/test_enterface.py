from itertools import product

import numpy as np
import pytest
import soundfile

from serkit.datasets import load_enterface
from serkit.preprocessing import AudioLoader

EMOTIONS = {
    "anger": "an",
    "disgust": "di",
    "fear": "fe",
    "happiness": "ha",
    "sadness": "sa",
    "surprise": "su",
}
INCOMPLETE = [(23, "happiness", sentence) for sentence in (1, 3, 4)]


def stem(subject, emotion, sentence):
    """Return the name of a recording as the archive has it, mistakes and all."""
    prefix = {3: "s_3", 11: "s12"}.get(subject, f"s{subject}")
    name = f"{prefix}_{EMOTIONS[emotion]}_{sentence}"
    return f"subject {subject}/{emotion}/sentence {sentence}/{name}"


STEMS = [
    stem(*fields)
    for fields in product([n for n in range(1, 45) if n != 6], EMOTIONS, range(1, 6))
    if fields not in INCOMPLETE
]


@pytest.fixture
def official(tmp_path, fill_folder):
    folder = tmp_path / "enterface database"
    (folder / "subject 6" / "anger").mkdir(parents=True)
    (folder / "subject 6" / "anger" / "s6_an.avi").touch()
    return fill_folder(folder, [f"{stem}.wav" for stem in STEMS])


def test_official_layout(official):
    (official / f"{STEMS[0]}.avi").touch()
    (official / "subject 1" / "Thumbs.db").touch()
    corpus = load_enterface(official)
    assert corpus.name == "enterface"
    counts = corpus.describe().iloc[:-1][list(EMOTIONS)]
    assert counts.loc["subject 23"].tolist() == [5, 5, 5, 2, 5, 5]
    assert (counts.drop("subject 23") == 5).all(axis=None)
    assert len(corpus) == 1287
    row = corpus.table[corpus.speakers == "subject 11"].iloc[0]
    assert row[["file", "emotion", "sentence"]].tolist() == [
        "subject 11/anger/sentence 1/s12_an_1.wav",
        "anger",
        "anger 1",
    ]
    assert corpus.genders.tolist() == [None] * 1287


def test_folder_above(official):
    assert load_enterface(official.parent).root == official


def test_videos_alone(official):
    for name in STEMS:
        (official / f"{name}.wav").rename(official / f"{name}.avi")
    with pytest.raises(FileNotFoundError, match=r"has 1288 \.avi files, but no audio.*ffmpeg") as e:
        load_enterface(official)
    assert '"${1%.avi}.wav"' in str(e.value)


def test_missing_and_superfluous_files(official, fill_folder):
    (official / f"{STEMS[0]}.wav").unlink()
    fill_folder(official, [f"{STEMS[1]}_again.wav", "subject 45/anger/sentence 1/s45_an_1.wav"])
    found = (
        "1 of 1287 files are missing: 'subject 1/anger/sentence 1'; 2 files do not belong to it: "
        "'subject 1/anger/sentence 2/s1_an_2_again.wav', 'subject 45"
    )
    with pytest.raises(FileNotFoundError, match=found):
        load_enterface(official)
    with pytest.warns(UserWarning, match=found):
        assert len(load_enterface(official, on_missing="warn")) == 1286


def test_stereo_and_empty_files(official):
    soundfile.write(official / f"{STEMS[0]}.wav", np.full((4800, 2), [0.5, 0.25]), 48000)
    (official / f"{STEMS[1]}.wav").write_bytes(b"")
    corpus = load_enterface(official)
    assert corpus.table["duration"].iloc[0] == 0.1
    good, report = corpus.check_audio(on_error="skip")
    assert report["file"].tolist() == [f"{STEMS[1]}.wav"]
    (loaded,) = AudioLoader().fit_transform(good.audio[:1])
    assert loaded.shape == (1600,)
    np.testing.assert_allclose(loaded[400:1200], 0.375, atol=1e-3)


def test_wrong_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"'subject \*' is expected"):
        load_enterface(tmp_path)
    (tmp_path / "subject 1").mkdir()
    with pytest.raises(FileNotFoundError, match="files such as subject 1/anger/sentence 1"):
        load_enterface(tmp_path)
