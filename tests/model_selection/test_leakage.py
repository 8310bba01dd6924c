import numpy as np
import pytest
from sklearn.model_selection import GroupKFold, KFold, LeaveOneGroupOut, StratifiedKFold

from serkit.model_selection import (
    LeaveSpeakersOut,
    SpeakerHoldout,
    SpeakerLeakageError,
    check_speaker_leakage,
)

SPEAKERS = np.repeat(["a", "b", "c"], 4)


@pytest.mark.parametrize(
    "cv", [LeaveSpeakersOut(), SpeakerHoldout(), GroupKFold(3), LeaveOneGroupOut()], ids=str
)
def test_splitters_by_speaker(cv):
    assert check_speaker_leakage(cv, speakers=SPEAKERS) == {}


def test_random_folds_leak_and_are_named():
    with pytest.raises(SpeakerLeakageError, match=r"fold 0: a, b; fold 1: a, b"):
        check_speaker_leakage([([0, 4], [1, 5]), ([0, 4, 8], [1, 5])], speakers=SPEAKERS)
    cv = KFold(4)  # three rows each, four per speaker
    leaks = {0: ["a"], 1: ["a", "b"], 2: ["b", "c"], 3: ["c"]}
    assert check_speaker_leakage(cv, speakers=SPEAKERS, on_leak=None) == leaks
    with pytest.warns(UserWarning, match="speakers on both sides of a split: fold 0: a; fold 1"):
        assert check_speaker_leakage(cv, speakers=SPEAKERS, on_leak="warn") == leaks


def test_stratifying_splitter_gets_the_labels():
    y = np.resize([0, 1], len(SPEAKERS))
    X = np.zeros((len(y), 2))
    leaks = check_speaker_leakage(StratifiedKFold(2), X, y, speakers=SPEAKERS, on_leak=None)
    assert set(leaks) == {0, 1}


def test_triples_and_masks():
    triples = LeaveSpeakersOut().split_with_validation(SPEAKERS, groups=SPEAKERS)
    assert check_speaker_leakage(triples, speakers=SPEAKERS) == {}
    leaky = [([0], [4], [5])]
    assert check_speaker_leakage(leaky, speakers=SPEAKERS, on_leak=None) == {0: ["b"]}
    mask = SPEAKERS == "a"
    assert check_speaker_leakage([(mask, ~mask)], speakers=SPEAKERS) == {}


def test_wrong_input():
    with pytest.raises(ValueError, match="no speaker"):
        check_speaker_leakage([([0], [1])], speakers=["a", None])
    with pytest.raises(ValueError, match="on_leak"):
        check_speaker_leakage([], speakers=SPEAKERS, on_leak="ignore")
