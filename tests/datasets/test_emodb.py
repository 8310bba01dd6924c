import pytest

from serkit.datasets import load_emodb
from serkit.datasets._emodb import _all_stems

EMOTIONS = ["anger", "boredom", "disgust", "fear", "happiness", "neutral", "sadness"]
COUNTS = {
    "03": ["male", 14, 5, 1, 4, 7, 11, 7, 49],
    "08": ["female", 12, 10, 0, 6, 11, 10, 9, 58],
    "09": ["female", 13, 4, 8, 1, 4, 9, 4, 43],
    "10": ["male", 10, 8, 1, 8, 4, 4, 3, 38],
    "11": ["male", 11, 8, 2, 10, 8, 9, 7, 55],
    "12": ["male", 12, 5, 2, 6, 2, 4, 4, 35],
    "13": ["female", 12, 10, 8, 7, 10, 9, 5, 61],
    "14": ["female", 16, 8, 8, 12, 8, 7, 10, 69],
    "15": ["male", 13, 9, 5, 8, 6, 11, 4, 56],
    "16": ["female", 14, 14, 11, 7, 11, 5, 9, 71],
}


def check_counts(corpus):
    counts = corpus.describe().drop(columns="duration")
    assert counts.columns.tolist() == ["gender", *EMOTIONS, "all"]
    assert {speaker: row.tolist() for speaker, row in counts.iloc[:-1].iterrows()} == COUNTS
    assert counts.loc["all"].tolist()[1:] == [127, 81, 46, 69, 71, 79, 62, 535]


@pytest.fixture
def official(tmp_path, fill_folder):
    return fill_folder(tmp_path / "emodb", [f"wav/{stem}.wav" for stem in _all_stems()])


def test_official_layout(official):
    (official / "erklaerung.txt").touch()
    (official / "wav" / "._03a01Fa.wav").touch()
    corpus = load_emodb(official, n_jobs=2)
    check_counts(corpus)
    assert corpus.name == "emodb"
    assert corpus.table.loc[0, ["file", "sentence", "version"]].tolist() == [
        "wav/03a01Fa.wav",
        "a01",
        "a",
    ]
    assert (corpus.table["duration"] == 0.02).all()
    assert corpus.audio[0] == str(official / "wav" / "03a01Fa.wav")


def test_folder_of_the_files_itself(official):
    corpus = load_emodb(official / "wav")
    assert corpus.table["file"][534] == "16b10Wb.wav"
    assert len(corpus) == 535


def test_missing_and_foreign_files(official, fill_folder):
    for stem in ("03a01Fa", "16b10Wb"):
        (official / "wav" / f"{stem}.wav").unlink()
    fill_folder(official, ["wav/hello.wav", "wav/03a01Fz.wav"])
    found = (
        r"2 of 535 files are missing: '03a01Fa', '16b10Wb'; "
        r"2 files do not belong to it: 'wav/03a01Fz.wav', 'wav/hello.wav'"
    )
    with pytest.raises(FileNotFoundError, match=found):
        load_emodb(official)
    with pytest.warns(UserWarning, match=found):
        corpus = load_emodb(official, on_missing="warn")
    assert len(corpus) == 533
    assert len(load_emodb(official, on_missing="ignore")) == 533
    with pytest.raises(ValueError, match="got 'skip'"):
        load_emodb(official, on_missing="skip")


def test_foreign_files_alone(official, fill_folder):
    fill_folder(official, ["wav/hello.wav"])
    with pytest.raises(ValueError, match="1 files do not belong to it: 'wav/hello.wav'"):
        load_emodb(official)


def test_many_missing_files_are_counted(tmp_path, fill_folder):
    fill_folder(tmp_path, ["16b10Wb.wav"])
    with pytest.raises(FileNotFoundError, match=r"534 of 535 .*'03a02Nc', .* and 522 more"):
        load_emodb(tmp_path)


def test_wrong_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"files such as 03a01Fa.wav are expected"):
        load_emodb(tmp_path, on_missing="ignore")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        load_emodb(tmp_path / "nowhere")


@pytest.mark.corpus
def test_real_corpus(corpora):
    corpus = load_emodb(corpora / "emodb")
    check_counts(corpus)
    assert corpus.table["duration"].sum() / 60 == pytest.approx(24.8, abs=0.05)
    good, report = corpus.check_audio()
    assert report.empty
    assert good.table["duration"].tolist() == pytest.approx(
        corpus.table["duration"].tolist(), abs=1e-4
    )
