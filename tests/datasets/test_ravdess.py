from itertools import product

import pytest

from serkit.datasets import load_ravdess

EMOTIONS = ["anger", "calm", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"]
SONG_EMOTIONS = ["anger", "calm", "fear", "happiness", "neutral", "sadness"]


def names(channel, actor, emotions):
    """Return the files of an actor as the archives hold them."""
    return [
        f"Actor_{actor:02d}/03-{channel}-{emotion:02d}-{intensity:02d}-{statement:02d}"
        f"-{repetition:02d}-{actor:02d}.wav"
        for emotion, intensity, statement, repetition in product(emotions, *[(1, 2)] * 3)
        if (emotion, intensity) != (1, 2)
    ]


SPEECH = [name for actor in range(1, 25) for name in names("01", actor, range(1, 9))]
SONG = [name for actor in range(1, 25) if actor != 18 for name in names("02", actor, range(1, 7))]


def check_counts(corpus):
    counts = corpus.describe()
    assert counts.columns.tolist() == ["gender", *EMOTIONS, "all", "duration"]
    assert (counts.iloc[:-1][EMOTIONS] == [8, 8, 8, 8, 8, 4, 8, 8]).all(axis=None)
    assert counts.loc["all", [*EMOTIONS, "all"]].tolist() == [192] * 5 + [96, 192, 192, 1440]
    assert counts["gender"].tolist()[:-1] == ["male", "female"] * 12
    assert counts.index.tolist()[:-1] == [f"{actor:02d}" for actor in range(1, 25)]


def test_official_layout(tmp_path, fill_folder):
    fill_folder(tmp_path, SPEECH)
    corpus = load_ravdess(tmp_path)
    check_counts(corpus)
    assert corpus.name == "ravdess"
    row = corpus.table.set_index("file").loc["Actor_12/03-01-06-02-01-02-12.wav"]
    assert row[
        ["speaker", "emotion", "intensity", "sentence", "repetition", "vocal_channel"]
    ].tolist() == ["12", "fear", "strong", "01", "02", "speech"]
    assert row["duration"] == 0.02


def test_folder_above_the_unpacked_archive(tmp_path, fill_folder):
    fill_folder(tmp_path / "Audio_Speech_Actors_01-24", SPEECH)
    corpus = load_ravdess(tmp_path)
    assert len(corpus) == 1440
    assert corpus.table["file"][0].startswith("Audio_Speech_Actors_01-24/Actor_01/")


def test_song(tmp_path, fill_folder):
    fill_folder(tmp_path, [*SPEECH, *SONG])
    with pytest.raises(ValueError, match=r"1012 files do not belong to it: 'Actor_01/03-02-01"):
        load_ravdess(tmp_path)
    song = load_ravdess(tmp_path, vocal_channel="song", on_missing="ignore")
    assert len(song) == 1012
    assert song.emotions == SONG_EMOTIONS
    assert set(song.table["vocal_channel"]) == {"song"}
    assert len(set(song.speakers)) == 23
    assert len(load_ravdess(tmp_path, vocal_channel="both")) == 1440 + 1012
    with pytest.raises(ValueError, match="got 'sing'"):
        load_ravdess(tmp_path, vocal_channel="sing")


def test_missing_and_foreign_files(tmp_path, fill_folder):
    foreign = ["Actor_01/01-01-01-01-01-01-01.wav", "Actor_01/03-01-09-01-01-01-01.wav"]
    fill_folder(tmp_path, [*SPEECH[1:], *foreign])
    with pytest.raises(
        FileNotFoundError,
        match=r"1 of 1440 files are missing: '03-01-01-01-01-01-01'; 2 files do not belong",
    ):
        load_ravdess(tmp_path)
    with pytest.warns(UserWarning, match="1 of 1440 files are missing"):
        assert len(load_ravdess(tmp_path, on_missing="warn")) == 1439


def test_wrong_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"files such as 03-01-01-01-01-01-01.wav"):
        load_ravdess(tmp_path)


@pytest.mark.corpus
def test_real_corpus(corpora):
    corpus = load_ravdess(corpora / "ravdess")
    check_counts(corpus)
    assert corpus.table["duration"].sum() / 60 == pytest.approx(88.8, abs=0.05)
    assert len(corpus.select(gender="male")) == 720


@pytest.mark.corpus
@pytest.mark.slow
def test_real_corpus_is_decoded_whole(corpora):
    corpus = load_ravdess(corpora / "ravdess")
    good, report = corpus.check_audio()
    assert report.empty
    assert good.table["duration"].tolist() == pytest.approx(
        corpus.table["duration"].tolist(), abs=1e-4
    )
