import pytest

from serkit.datasets import load_nemo

EMOTIONS = ["anger", "fear", "happiness", "neutral", "sadness", "surprise"]
SHEET = (
    "file_id\temotion\traw_text\tnormalized_text\tspeaker_id\tgender\tage\n"
    'WR0_surprised_64.wav\tsurprised\tUcho "wykrywa" dźwięki.\tucho\t        WR0\tmale\t23\n'
    'EB0_neutral_13.wav\tneutral\t"Interesuje mnie historia.\thistoria\tEB0\tfemale\t27\n'
    "KD0_anger_1.wav\tanger\tLubię czytać.\tlubię czytać\tKD0\tfemale\t28\n"
)


@pytest.fixture
def official(tmp_path, fill_folder):
    (tmp_path / "data.tsv").write_text(SHEET, "utf-8")
    names = ("WR0_surprised_64", "EB0_neutral_13", "KD0_anger_1")
    return fill_folder(tmp_path, [f"samples/{name}.wav" for name in names])


def test_official_layout(official):
    corpus = load_nemo(official)
    assert corpus.name == "nemo"
    columns = ["file", "speaker", "gender", "emotion", "sentence", "duration"]
    assert corpus.table[columns].to_numpy().tolist() == [
        ["samples/EB0_neutral_13.wav", "EB0", "female", "neutral", "13", 0.02],
        ["samples/KD0_anger_1.wav", "KD0", "female", "anger", "1", 0.02],
        ["samples/WR0_surprised_64.wav", "WR0", "male", "surprise", "64", 0.02],
    ]


def test_missing_and_foreign_files(official, fill_folder):
    (official / "samples" / "KD0_anger_1.wav").unlink()
    fill_folder(official, ["samples/KD0_anger_2.wav"])
    found = (
        "1 of 3 files are missing: 'KD0_anger_1'; 1 files do not belong to it: "
        "'samples/KD0_anger_2.wav'"
    )
    with pytest.raises(FileNotFoundError, match=found):
        load_nemo(official)
    with pytest.warns(UserWarning, match=found):
        assert len(load_nemo(official, on_missing="warn")) == 2


def test_a_part_with_an_index(tmp_path, fill_folder):
    fill_folder(tmp_path, ["MK0_fear_3.wav", "TP0_sadness_4.wav"])
    (tmp_path / "index.csv").write_text("file\nMK0_fear_3.wav\nTP0_sadness_4.wav\n")
    corpus = load_nemo(tmp_path)
    assert corpus.genders.tolist() == ["female", "male"]
    assert corpus.table["duration"].tolist() == [0.02, 0.02]


def test_durations_of_the_index_are_taken(tmp_path, fill_folder):
    fill_folder(tmp_path, ["MK0_fear_3.wav", "TP0_sadness_4.wav"])
    (tmp_path / "index.csv").write_text("file,duration_s\nMK0_fear_3.wav,1.5\nTP0_sadness_4.wav,\n")
    assert load_nemo(tmp_path).table["duration"].tolist() == [1.5, 0.02]


def test_folder_without_a_list(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"neither data\.tsv nor index\.csv"):
        load_nemo(tmp_path)


@pytest.mark.corpus
def test_real_corpus(corpora):
    corpus = load_nemo(corpora / "nemo")
    counts = corpus.describe().drop(columns="duration")
    assert counts.columns.tolist() == ["gender", *EMOTIONS, "all"]
    assert {speaker: row.tolist() for speaker, row in counts.iloc[:-1].iterrows()} == {
        "EB0": ["female", 40, 40, 40, 40, 40, 40, 240],
        "IC0": ["female", 40, 40, 40, 40, 40, 40, 240],
        "MP0": ["male", 10, 11, 15, 40, 25, 21, 122],
        "SM0": ["male", 40, 40, 40, 40, 40, 40, 240],
        "WR0": ["male", 40, 40, 40, 40, 40, 40, 240],
    }
    assert counts.loc["all"].tolist()[1:] == [170, 171, 175, 200, 185, 181, 1082]
    assert corpus.table["duration"].sum() / 60 == pytest.approx(44.4, abs=0.05)
