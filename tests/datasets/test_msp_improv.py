import warnings

import pytest

from serkit.datasets import load_msp_improv

LABELS = """\
UTD-IMPROV-S01A-F01-P-FM01.avi; N; A:2.800000; V:3.400000; D:3.000000 ; N:4.200000;
p-WORKER; Neutral; Neutral; A:3.000000; V:3.000000; D:NaN ; N:4.000000;

UTD-IMPROV-S02H-M01-R-FM02.avi; H; A:3.500000; V:4.100000; D:NaN ; N:NaN;
p-WORKER; Happy; Happy,Excited; A:3.000000; V:3.000000; D:3.000000 ; N:4.000000;

UTD-IMPROV-S20S-F06-T-FM01.avi; S; A:2.000000; V:1.500000; D:2.000000 ; N:4.000000;
UTD-IMPROV-S20S-M06-S-MF03.avi; A; A:4.000000; V:1.500000; D:4.000000;
UTD-IMPROV-S20N-M06-S-MM01.avi; X; A:3.000000; V:3.000000; D:3.000000 ; N:4.000000;
UTD-IMPROV-S20N-M06-S-MM02.avi; O; A:3.000000; V:3.000000; D:3.000000 ; N:4.000000;
"""
FILES = [
    "session1/S01A/P/MSP-IMPROV-S01A-F01-P-FM01.wav",
    "session1/S02H/R/MSP-IMPROV-S02H-M01-R-FM02.wav",
    "session6/S20S/T/MSP-IMPROV-S20S-F06-T-FM01.wav",
    "session6/S20S/S/MSP-IMPROV-S20S-M06-S-MF03.wav",
    "session6/S20N/S/MSP-IMPROV-S20N-M06-S-MM01.wav",
    "session6/S20N/S/MSP-IMPROV-S20N-M06-S-MM02.wav",
]


@pytest.fixture
def official(tmp_path, fill_folder):
    (tmp_path / "Evalution.txt").write_text(LABELS)
    return fill_folder(tmp_path, FILES)


def test_official_layout(official):
    corpus = load_msp_improv(official)
    assert corpus.name == "msp_improv"
    table = corpus.table.sort_values("file", ignore_index=True)
    columns = ["speaker", "gender", "emotion", "sentence", "session", "part", "target_emotion"]
    assert table[columns].fillna("?").to_numpy().tolist() == [
        ["F01", "female", "neutral", "?", "01", "natural", "anger"],
        ["M01", "male", "happiness", "02", "01", "target-read", "happiness"],
        ["M06", "male", "anger", "?", "06", "other-improvised", "sadness"],
        ["F06", "female", "sadness", "20", "06", "target-improvised", "sadness"],
    ]
    ratings = table[["arousal", "valence", "dominance", "naturalness"]].fillna(-1)
    assert ratings.to_numpy().tolist() == [
        [2.8, 3.4, 3.0, 4.2],
        [3.5, 4.1, -1, -1],
        [4.0, 1.5, 4.0, -1],
        [2.0, 1.5, 2.0, 4.0],
    ]
    assert table["scenario"].tolist() == ["S01A", "S02H", "S20S", "S20S"]
    assert (table["duration"] == 0.02).all()


def test_audio_in_a_folder_of_its_own(tmp_path, fill_folder):
    (tmp_path / "MSP").mkdir()
    (tmp_path / "MSP" / "Evaluation.txt").write_text(LABELS)
    fill_folder(tmp_path / "MSP" / "Audio", FILES)
    corpus = load_msp_improv(tmp_path)
    assert corpus.root == tmp_path / "MSP"
    assert len(corpus) == 4


def test_parts_and_emotions(official):
    assert load_msp_improv(official, part="natural").y.tolist() == ["neutral"]
    with pytest.raises(ValueError, match="'target-read', 'other-improvised'.*, got 'read'"):
        load_msp_improv(official, part="read")
    with pytest.warns(UserWarning, match="msp_improv: 1 utterances"):
        assert load_msp_improv(official, emotions=None).emotions[-2:] == ["other", "sadness"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(load_msp_improv(official, emotions=None, keep_unlabelled=True)) == 6


def test_missing_and_foreign_files(official, fill_folder):
    (official / FILES[0]).unlink()
    fill_folder(official, ["session1/S01A/P/MSP-IMPROV-S01A-F01-P-FM77.wav"])
    found = "1 of 4 files are missing: 'MSP-IMPROV-S01A-F01-P-FM01'; 1 files do not belong"
    with pytest.raises(FileNotFoundError, match=found):
        load_msp_improv(official)
    with pytest.warns(UserWarning, match=found):
        assert len(load_msp_improv(official, on_missing="warn")) == 3


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("UTD-IMPROV-S01A-F01-P-FM01.avi; N; A:2.8; V:high; D:3.0;", "txt, line 4 is not 'UTD-IMP"),
        ("UTD-IMPROV-S01A-F01-Q-FM01.avi; N; A:2.8; V:3.4; D:3.0;", "line 4 is not"),
        ("UTD-IMPROV-S01A-F01-P-FM01.avi; J; A:2.8; V:3.4; D:3.0;", "line 4: 'J' is no emotion"),
    ],
)
def test_a_line_that_cannot_be_read(official, line, message):
    lines = LABELS.splitlines()
    (official / "Evalution.txt").write_text("\n".join([*lines[:3], line, *lines[4:]]))
    with pytest.raises(ValueError, match=message):
        load_msp_improv(official)


def test_no_labels(official):
    (official / "Evalution.txt").write_text("nothing\n")
    with pytest.raises(ValueError, match="it is no label file"):
        load_msp_improv(official)
    (official / "Evalution.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"no file of msp_improv .* 'Eval\*tion.txt'"):
        load_msp_improv(official)
