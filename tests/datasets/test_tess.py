from itertools import product

import pytest

from serkit.datasets import load_tess

EMOTIONS = ["anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"]
CODES = ["angry", "disgust", "fear", "happy", "neutral", "ps", "sad"]
WORDS = ["bite", *(f"word{number}" for number in range(199))]
NAMES = ["_".join(fields) for fields in product(["OAF", "YAF"], WORDS, CODES)]
NAMES[NAMES.index("OAF_bite_neutral")] = "OA_bite_neutral"


@pytest.fixture
def flat(tmp_path, fill_folder):
    return fill_folder(tmp_path / "tess", [f"{name}.wav" for name in NAMES])


def test_one_folder(flat):
    corpus = load_tess(flat)
    assert corpus.name == "tess"
    counts = corpus.describe().iloc[:-1]
    assert counts["gender"].to_dict() == {"OAF": "female", "YAF": "female"}
    assert (counts[EMOTIONS] == 200).all(axis=None)
    table = corpus.table.set_index("file")
    columns = ["speaker", "emotion", "sentence"]
    assert table.loc["OA_bite_neutral.wav", columns].tolist() == ["OAF", "neutral", "bite"]
    assert table.loc["YAF_word7_ps.wav", columns].tolist() == ["YAF", "surprise", "word7"]


def test_folders_of_emotions_and_a_second_copy(tmp_path, fill_folder):
    folders = {"OA": "OAF", "OAF": "OAF", "YAF": "YAF"}
    endings = dict(zip(CODES, ["angry", "disgust", "Fear", "happy", "neutral", "Pleasant_surprise",
                               "Sad"], strict=True))  # fmt: skip
    names = []
    for name in NAMES:
        speaker, _, code = name.split("_")
        names.append(f"{folders[speaker]}_{endings[code]}/{name}.wav")
    data = "TESS Toronto emotional speech set data"
    fill_folder(tmp_path / data, names)
    fill_folder(tmp_path / data / data, names[:3])
    corpus = load_tess(tmp_path)
    assert len(corpus) == 2800
    assert corpus.root == tmp_path / data


def test_missing_and_foreign_files(flat, fill_folder):
    (flat / "YAF_word3_sad.wav").unlink()
    fill_folder(flat, ["YAF_word3_bored.wav", "hello.wav"])
    found = (
        "1 of 2800 files are missing: 'YAF_word3_sad'; 2 files do not belong to it: "
        "'YAF_word3_bored.wav', 'hello.wav'"
    )
    with pytest.raises(FileNotFoundError, match=found):
        load_tess(flat)
    with pytest.warns(UserWarning, match=found):
        assert len(load_tess(flat, on_missing="warn")) == 2799


def test_words_that_are_missing_altogether(flat):
    for file in [*flat.glob("*_word1_*"), *flat.glob("*_word2_*")]:
        file.unlink()
    with pytest.raises(FileNotFoundError, match="missing: 'all of 2 more words'"):
        load_tess(flat)
    assert len(load_tess(flat, on_missing="ignore")) == 2772


def test_wrong_folder(tmp_path, fill_folder):
    with pytest.raises(FileNotFoundError, match=r"no file of tess is in .*'\[OY\]AF_\*' is expec"):
        load_tess(tmp_path)
    fill_folder(tmp_path, ["OAF_.wav"])
    with pytest.raises(FileNotFoundError, match="no file of tess is in"):
        load_tess(tmp_path)
