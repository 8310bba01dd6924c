import numpy as np
import pytest

from serkit.datasets import Corpus, load_omg_empathy, read_valence
from serkit.feature_extraction import Spectrogram
from serkit.neural_network import BiGRURegressor
from serkit.preprocessing import AudioLoader, FixedLengthSegmenter

FOLDERS = {
    **dict.fromkeys("2458", "OMG_Empathy2019/Training"),
    "1": "OMG_Empathy2019/Validation",
    **dict.fromkeys("367", "OMG_Empathy2019_testSet"),
}


def valence(n_values):
    return np.round(np.sin(np.arange(n_values)), 4)


def annotate(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("valence\n" + "".join(f"{value}\n" for value in values))


@pytest.fixture
def official(tmp_path, write_audio):
    """All 80 conversations, of 0.4 seconds."""
    for subject in range(1, 11):
        for story, folder in FOLDERS.items():
            name = f"Subject_{subject}_Story_{story}"
            write_audio(tmp_path / folder / "Videos" / f"{name}.wav", seconds=0.4)
            labels = "Annotations" if "test" in folder else f"{folder}/Annotations"
            annotate(tmp_path / labels / f"{name}.csv", valence(10))
    return tmp_path


def only(folder, subject, story):
    """Return the audio of a conversation, where it is looked for."""
    return folder / FOLDERS[story] / "Videos" / f"Subject_{subject}_Story_{story}.wav"


def test_official_layout(official):
    corpus = load_omg_empathy(official)
    assert corpus.name == "omg_empathy"
    assert len(corpus) == 80
    assert len(set(corpus.speakers)) == 10
    assert corpus.y.tolist() == [None] * 80
    parts = corpus.table.groupby("partition")["story"].unique().map(sorted).to_dict()
    assert parts == {
        "test": ["3", "6", "7"],
        "train": ["2", "4", "5", "8"],
        "validation": ["1"],
    }
    row = corpus.select(speaker="Subject_10", story="3").table.iloc[0]
    assert row["annotation"] == str(official / "Annotations" / "Subject_10_Story_3.csv")
    assert row[["end", "duration"]].tolist() == [0.4, 0.4]


def test_valence_is_as_long_as_audio(official, write_audio):
    write_audio(only(official, 1, "1"), seconds=0.45)  # 11.25 values
    write_audio(only(official, 2, "1"), seconds=0.39, sampling_rate=44100)  # 9.75 values
    part = load_omg_empathy(official).select(story="1", speaker=["Subject_1", "Subject_2"])
    audio = AudioLoader().fit_transform(part.audio)
    tracks = read_valence(part)
    assert [len(track) for track in tracks] == [10, 9]
    assert [len(waveform) for waveform in audio] == [6400, 5760]
    np.testing.assert_array_equal(tracks[1], valence(9))
    slices, parents = FixedLengthSegmenter(2560, hop=1920).split(audio)
    targets, of_track = FixedLengthSegmenter(4, hop=3).split(tracks)
    np.testing.assert_array_equal(parents, of_track)
    spectrograms = Spectrogram(n_fft=256, hop_length=160).fit_transform(slices)
    network = BiGRURegressor(4, max_epochs=1, patience=None, validation=None, random_state=0)
    assert network.fit(spectrograms, np.stack(targets)).predict(spectrograms).shape == (6, 4)


def test_valence_of_joined_parts_and_in_memory(official):
    corpus = load_omg_empathy(official)
    both = Corpus.concat([corpus.select(story="1"), corpus.select(story="3")], name="both")
    loaded = AudioLoader().fit_transform(both.audio)
    in_memory = Corpus(both.table, waveforms=loaded, sampling_rate=16000)
    for track in [*read_valence(both), *read_valence(in_memory)]:
        np.testing.assert_array_equal(track, valence(10))


def test_blank_lines_may_follow(official):
    with (official / "Annotations" / "Subject_1_Story_3.csv").open("a") as file:
        file.write("\n\n")
    assert load_omg_empathy(official).select(story="3").table["end"].tolist() == [0.4] * 10


def test_names_of_the_official_script(official):
    for file in (official / "OMG_Empathy2019_testSet" / "Videos").glob("*.wav"):
        file.rename(file.with_suffix(".mp4.wav"))
    assert len(load_omg_empathy(official)) == 80


def test_other_lengths_are_told(official):
    name = "Subject_4_Story_2"
    annotate(official / f"OMG_Empathy2019/Training/Annotations/{name}.csv", valence(100))
    told = rf"'{name} \(0\.4 s of audio, 4\.0 s of valence\)'"
    with pytest.warns(UserWarning, match=told) as caught:
        corpus = load_omg_empathy(official)
    assert caught[0].filename == __file__
    (track,) = read_valence(corpus.select(speaker="Subject_4", story="2"))
    assert len(track) == 10


def test_missing_and_foreign_files(official, write_audio):
    only(official, 1, "1").unlink()
    (official / "Annotations" / "Subject_3_Story_6.csv").unlink()
    write_audio(official / "Subject_11_Story_1.wav")
    found = (
        "2 of 80 files are missing: 'Subject_1_Story_1', 'Subject_3_Story_6'; "
        r"1 files do not belong to it: 'Subject_11_Story_1\.wav'"
    )
    with pytest.raises(FileNotFoundError, match=found):
        load_omg_empathy(official)
    with pytest.warns(UserWarning, match=found):
        assert len(load_omg_empathy(official, on_missing="warn")) == 78


def test_videos_alone(tmp_path):
    folder = tmp_path / "Training" / "Videos"
    folder.mkdir(parents=True)
    (folder / "Subject_1_Story_2.mp4").touch()
    with pytest.raises(FileNotFoundError, match=r"has 1 \.mp4 files, but no audio.*ffmpeg"):
        load_omg_empathy(tmp_path)


def test_an_annotation_that_is_there_twice(official):
    second = official / "listener" / "Annotations" / "Subject_1_Story_1.csv"
    annotate(second, valence(10))
    assert len(load_omg_empathy(official)) == 80
    annotate(second, valence(11))
    with pytest.raises(ValueError, match="Subject_1_Story_1 has two annotations, "):
        load_omg_empathy(official)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "Story_3.csv cannot be read as a column of valence"),
        ("arousal\n0.5\n", "is no column of numbers below the header 'valence'"),
        ("valence\n", "is no column of numbers"),
        ("valence\n0.1\nhigh\n", r"Story_3\.csv, line 3: 'high' is no valence"),
        ("valence\n0.1\n\n0.2\n", "line 3: nan is no valence"),
    ],
)
def test_an_annotation_that_cannot_be_read(official, content, message):
    (official / "Annotations" / "Subject_1_Story_3.csv").write_text(content)
    with pytest.raises(ValueError, match=message):
        load_omg_empathy(official)


def test_corpus_without_annotations():
    with pytest.raises(ValueError, match="emodb has no column 'annotation'"):
        read_valence(Corpus({"file": ["a.wav"]}, name="emodb"))


def test_wrong_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"files such as Subject_1_Story_1\.wav"):
        load_omg_empathy(tmp_path)


def test_a_file_without_a_readable_header(official):
    only(official, 1, "1").write_bytes(b"")
    corpus = load_omg_empathy(official)
    assert corpus.select(story="1").table["end"].tolist() == [0.4] * 10
    assert corpus.check_audio(on_error="skip")[1]["reason"].str.contains("empty").tolist() == [True]
