import numpy as np
import pytest
from sklearn import config_context
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import cross_val_score

from serkit.model_selection import SpeakerHoldout, check_speaker_leakage

SPEAKERS = np.repeat([f"{k:02d}" for k in range(10)], 3)


def held_out(cv, speakers=SPEAKERS):
    return [sorted(set(speakers[test])) for _, test in cv.split(speakers, groups=speakers)]


@pytest.mark.parametrize(
    ("test_size", "n_speakers", "expected"),
    [(0.2, 10, 2), (0.2, 6, 1), (0.2, 8, 2), (0.2, 2, 1), (0.01, 10, 1), (0.99, 10, 9), (3, 10, 3)],
)
def test_share_of_the_speakers(test_size, n_speakers, expected):
    speakers = np.repeat(np.arange(n_speakers), 4)
    ((train, test),) = SpeakerHoldout(test_size).split(speakers, groups=speakers)
    assert len(set(speakers[test])) == expected
    assert len(train) + len(test) == len(speakers)


def test_random_state():
    cv = SpeakerHoldout(3, n_splits=5, random_state=0)
    assert held_out(cv) == held_out(cv)
    assert len(set(map(tuple, held_out(cv)))) > 1
    assert held_out(cv) != held_out(SpeakerHoldout(3, n_splits=5, random_state=1))
    assert check_speaker_leakage(cv, speakers=SPEAKERS) == {}
    assert cv.get_n_splits() == 5


def test_balance_by_holds_out_strata_in_proportion():
    gender = {f"{k:02d}": "m" if k < 6 else "f" for k in range(10)}
    for seed in range(5):
        (names,) = held_out(SpeakerHoldout(5, balance_by=gender, random_state=seed))
        assert sum(gender[name] == "m" for name in names) == 3


def test_repr():
    expected = "SpeakerHoldout(balance_by=None, n_splits=1, random_state=0, test_size=0.5)"
    assert repr(SpeakerHoldout(0.5, random_state=0)) == expected


@pytest.mark.parametrize("routing", [False, True])
def test_cross_val_score(routing):
    y = np.resize([0, 1], len(SPEAKERS))
    with config_context(enable_metadata_routing=routing):
        how = {"params": {"groups": SPEAKERS}} if routing else {"groups": SPEAKERS}
        cv = SpeakerHoldout(n_splits=3)
        assert len(cross_val_score(DummyClassifier(), y[:, None], y, cv=cv, **how)) == 3


@pytest.mark.parametrize("test_size", [0, 1.0, -1, "all"])
def test_wrong_test_size(test_size):
    with pytest.raises(ValueError, match="test_size must be"):
        SpeakerHoldout(test_size)


def test_wrong_input():
    with pytest.raises(ValueError, match="n_splits"):
        SpeakerHoldout(n_splits=0)
    for cv, groups, message in [
        (SpeakerHoldout(), None, "pass groups=speakers"),
        (SpeakerHoldout(), ["a", "a"], "one speaker"),
        (SpeakerHoldout(), ["a", None], "no speaker"),
        (SpeakerHoldout(2), ["a", "b"], "leaves none to train on"),
        (SpeakerHoldout(balance_by={"a": 0}), ["a", "b"], "no entry for the speakers b"),
    ]:
        with pytest.raises(ValueError, match=message):
            list(cv.split([0, 1], groups=groups))
