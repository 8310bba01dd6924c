import warnings

import pandas as pd
import pytest

from serkit.datasets import load_iemocap

TURNS = {
    "Ses01F_impro01": ["F000 neu 2.5000", "M000 xxx 3.0000", "F001 exc 4.5000", "M001 fru 2.0000"],
    "Ses01M_script01_1b": ["F003 hap 4.0000", "MXX0 ang 1.5000"],
    "Ses02F_impro05b": ["M000 sad 1.0000"],
    "Ses03M_script03_2": ["F000 sur 3.3333"],
    "Ses04F_impro01": ["F000 oth 2.6667", "M000 dis 2.0000"],
    "Ses05M_impro02": ["F000 fea 2.0000", "M012 xxx 2.5000"],
}


def label_file(dialog):
    """Return the evaluation of a dialogue as the release has it, with a line per annotator."""
    blocks = ["% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n"]
    for number, turn in enumerate(TURNS[dialog]):
        name, code, valence = turn.split()
        blocks.append(
            f"[{number}.2901 - {number}.9357]\t{dialog}_{name}\t{code}\t"
            f"[{valence}, 2.5000, 3.5000]\n"
            "C-E2:\tNeutral;\t()\nA-E3:\tval 3; act 2; dom  2;\t(caf\u00e9)\n"
        )
    return "\n".join(blocks)


@pytest.fixture
def official(tmp_path, fill_folder):
    folder = tmp_path / "IEMOCAP_full_release"
    names = []
    for dialog, turns in TURNS.items():
        session = f"Session{dialog[4]}"
        labels = folder / session / "dialog" / "EmoEvaluation"
        labels.mkdir(parents=True, exist_ok=True)
        (labels / f"{dialog}.txt").write_text(label_file(dialog), "latin-1")
        (labels / f"._{dialog}.txt").write_bytes(b"\x00[\x00")
        names += [f"{session}/sentences/wav/{dialog}/{dialog}_{turn.split()[0]}" for turn in turns]
    return fill_folder(folder, [f"{name}.wav" for name in names])


def loaded(corpus):
    return dict(zip(corpus.table["file"].str.split("/").str[-1].str[:-4], corpus.y, strict=True))


def test_four_emotions(official):
    corpus = load_iemocap(official, n_jobs=2)
    assert corpus.name == "iemocap"
    assert loaded(corpus) == {
        "Ses01F_impro01_F000": "neutral",
        "Ses01F_impro01_F001": "happiness",
        "Ses01M_script01_1b_F003": "happiness",
        "Ses01M_script01_1b_MXX0": "anger",
        "Ses02F_impro05b_M000": "sadness",
    }
    assert corpus.speakers.tolist() == ["Ses01F", "Ses01F", "Ses01F", "Ses01M", "Ses02M"]
    assert corpus.genders.tolist() == ["female", "female", "female", "male", "male"]
    row = corpus.table.iloc[3]
    assert row[["file", "session", "part", "dialog"]].tolist() == [
        "Session1/sentences/wav/Ses01M_script01_1b/Ses01M_script01_1b_MXX0.wav",
        "Ses01",
        "scripted",
        "Ses01M_script01_1b",
    ]
    assert row[["valence", "arousal", "dominance", "duration"]].tolist() == [1.5, 2.5, 3.5, 0.02]


def test_happiness_without_excitement(official):
    assert "Ses01F_impro01_F001" not in loaded(load_iemocap(official, merge_excited=False))
    wanted = {"emotions": ["excitement"], "merge_excited": False}
    assert loaded(load_iemocap(official, **wanted)) == {"Ses01F_impro01_F001": "excitement"}
    with pytest.raises(ValueError, match="set merge_excited=False"):
        load_iemocap(official, emotions=["excitement"])


def test_parts(official):
    assert len(load_iemocap(official, part="improvised")) == 3
    assert len(load_iemocap(official, part="scripted")) == 2
    with pytest.raises(ValueError, match="'improvised', 'scripted', 'all', got 'impro'"):
        load_iemocap(official, part="impro")


def test_all_emotions(official):
    with pytest.warns(UserWarning, match="iemocap: 2 utterances .* are left out") as caught:
        corpus = load_iemocap(official, emotions=None)
    assert caught[0].filename == __file__
    assert len(corpus) == 10
    assert {"disgust", "fear", "frustration", "other", "surprise"} < set(corpus.emotions)


def test_unlabelled_are_kept_on_request(official):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        everything = load_iemocap(official, emotions=None, keep_unlabelled=True)
        sad = load_iemocap(official, emotions="sadness", keep_unlabelled=True)
    assert len(everything) == 12
    assert everything.table["valence"].notna().all()
    assert sad.y.tolist() == [None, "sadness", None]
    assert pd.isna(sad.table["emotion"][0])


def test_unknown_emotion(official):
    with pytest.raises(ValueError, match="iemocap has no emotion 'joy'; it has 'anger', 'dis"):
        load_iemocap(official, emotions=["joy", "anger"])
    with pytest.raises(ValueError, match=r"no utterance with emotions=\['fear'\] and part='scri"):
        load_iemocap(official, emotions=["fear"], part="scripted")


def test_folder_above(official):
    assert len(load_iemocap(official.parent)) == 5


def test_missing_and_foreign_files(official, fill_folder):
    (official / "Session2/sentences/wav/Ses02F_impro05b/Ses02F_impro05b_M000.wav").unlink()
    fill_folder(official, ["Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F099.wav"])
    found = (
        "1 of 5 files are missing: 'Ses02F_impro05b_M000'; 1 files do not belong to it: "
        "'Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F099.wav'"
    )
    with pytest.raises(FileNotFoundError, match=found):
        load_iemocap(official)
    with pytest.warns(UserWarning, match=found) as caught:
        assert len(load_iemocap(official, on_missing="warn")) == 4
    assert caught[0].filename == __file__
    with pytest.raises(ValueError, match="got 'skip'"):
        load_iemocap(official, on_missing="skip")


def test_a_missing_session(official):
    for file in (official / "Session2" / "dialog" / "EmoEvaluation").iterdir():
        file.unlink()
    (official / "Session2/sentences/wav/Ses02F_impro05b/Ses02F_impro05b_M000.wav").unlink()
    with pytest.raises(FileNotFoundError, match=r"missing: 'Session2/dialog/EmoEvaluation/\*.txt'"):
        load_iemocap(official)
    assert len(load_iemocap(official, on_missing="ignore")) == 4


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[1.0 - 2.0]\tSes01F_impro01_F000\tneu\t[2.5, 2.5]", r"line 9 is not '\[start - end\]"),
        ("[1.0 - 2.0]\tSes01F_impro01_X000\tneu\t[2.5, 2.5, 3.0]", r"impro01.txt, line 9 is not"),
        ("[1.0 - 2.0]\tSes01F_impro01_F000\tjoy\t[2.5, 2.5, 3.0]", "line 9: 'joy' is no emotion"),
    ],
)
def test_a_line_that_cannot_be_read(official, line, message):
    file = official / "Session1" / "dialog" / "EmoEvaluation" / "Ses01F_impro01.txt"
    lines = label_file("Ses01F_impro01").splitlines()
    lines[8] = line
    file.write_text("\n".join(lines))
    with pytest.raises(ValueError, match=message):
        load_iemocap(official)


def test_wrong_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        load_iemocap(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"no file of iemocap .* 'Session\[1-5\]' is exp"):
        load_iemocap(tmp_path)
    (tmp_path / "Session1").mkdir()
    with pytest.raises(FileNotFoundError, match="no label is in"):
        load_iemocap(tmp_path)


def test_two_copies(tmp_path):
    for copy in ("IEMOCAP", "IEMOCAP_full_release", "__MACOSX"):
        (tmp_path / copy / "Session1").mkdir(parents=True)
    with pytest.raises(ValueError, match="more than once, in 'IEMOCAP', 'IEMOCAP_full_release';"):
        load_iemocap(tmp_path)
