import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate

from serkit.model_selection import LeaveSpeakersOut, load_protocol

#: Speakers to train on, to validate on and to test on, as printed.
EMODB = [
    ("12 13 03 08 10 14", "15 09", "11 16"),
    ("15 09 03 08 10 14", "11 16", "12 13"),
    ("15 09 11 16 10 14", "12 13", "03 08"),
    ("15 09 11 16 12 13", "03 08", "10 14"),
    ("11 16 12 13 03 08", "10 14", "15 09"),
]
RAVDESS = [  # validation and test; the other twenty actors are for training
    ("01 02", "03 04"),
    ("03 04", "05 06"),
    ("05 06", "07 08"),
    ("07 08", "09 10"),
    ("09 10", "11 12"),
    ("11 12", "13 14"),
    ("13 14", "15 16"),
    ("15 16", "17 18"),
    ("17 18", "19 20"),
    ("19 20", "21 22"),
    ("21 22", "23 24"),
    ("23 24", "01 02"),
]
ACTORS = {f"{actor:02d}" for actor in range(1, 25)}
EMODB_SIZES = {
    "03": 49, "08": 58, "09": 43, "10": 38, "11": 55, "12": 35, "13": 61, "14": 69, "15": 56,
    "16": 71,
}  # fmt: skip
FOLDS = {
    "leow2021-emodb": [tuple(set(part.split()) for part in fold) for fold in EMODB],
    "leow2021-ravdess": [
        (ACTORS - {*validation.split(), *test.split()}, set(validation.split()), set(test.split()))
        for validation, test in RAVDESS
    ],
}
PROTOCOLS = list(FOLDS)


def corpus_of(protocol, n_each=3):
    """Rows that hold their own number, two classes, and speakers in mixed order."""
    names = sorted(set().union(*FOLDS[protocol][0]))
    speakers = np.random.default_rng(0).permutation(np.repeat(names, n_each))
    X = np.arange(len(speakers), dtype=float)[:, None]
    return X, np.resize(["anger", "joy"], len(speakers)), speakers


class RowRecorder(ClassifierMixin, BaseEstimator):
    """Remember the rows of the last fit and predict, whatever the parameter is."""

    def __init__(self, setting=0, log=None):
        self.setting = setting
        self.log = log

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.fitted_rows_ = set(X[:, 0].astype(int))
        return self

    def predict(self, X):
        if self.log is not None:
            self.log.append((self.setting, self.fitted_rows_, set(X[:, 0].astype(int))))
        return np.resize(self.classes_, len(X))

    def __deepcopy__(self, memo):
        return self

    def __sklearn_clone__(self):
        return RowRecorder(self.setting, self.log)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_printed_folds(protocol):
    X, y, speakers = corpus_of(protocol)
    cv = load_protocol(protocol)
    triples = list(cv.split_with_validation(X, y, speakers))
    found = [tuple(set(speakers[part]) for part in triple) for triple in triples]
    assert found == FOLDS[protocol]
    assert cv.get_n_splits() == cv.get_n_splits(X, y, speakers) == len(FOLDS[protocol])
    for (train, test), triple in zip(cv.split(X, y, speakers), triples, strict=True):
        np.testing.assert_array_equal(train, np.union1d(triple[0], triple[1]))
        np.testing.assert_array_equal(test, triple[2])


def test_printed_numbers_of_utterances():
    speakers = np.repeat(list(EMODB_SIZES), list(EMODB_SIZES.values()))
    triples = load_protocol("leow2021-emodb").split_with_validation(speakers, groups=speakers)
    assert [tuple(map(len, triple)) for triple in triples] == [
        (310, 99, 126),
        (313, 126, 96),
        (332, 96, 107),
        (321, 107, 107),
        (329, 107, 99),
    ]


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_printed_triples_in_nested_cross_validation(protocol, routing):
    X, y, speakers = corpus_of(protocol)
    cv = load_protocol(protocol)
    log = []
    recorder = RowRecorder(log=log)
    with config_context(enable_metadata_routing=routing):
        search = GridSearchCV(recorder, {"setting": [1, 2]}, cv=cv.inner())
        groups = {} if routing else {"groups": speakers}
        cross_validate(search, X, y, cv=cv, params={"groups": speakers}, **groups)
    seen = [
        tuple({speakers[row] for row in rows} for rows in (fitted, predicted))
        for setting, fitted, predicted in log
    ]
    # Per fold: both settings on the validation speakers, the refitted one on the test speakers.
    expected = []
    for train, validation, test in FOLDS[protocol]:
        expected += 2 * [(train, validation)] + [(train | validation, test)]
    assert seen == expected


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_inner_of_the_inner_training_part_steps_back_once_more(protocol):
    X, y, speakers = corpus_of(protocol)
    cv = load_protocol(protocol)
    for fold, (train, _, _) in enumerate(cv.split_with_validation(X, y, speakers)):
        ((rest, held_out),) = cv.inner().split(X[train], y[train], speakers[train])
        assert set(speakers[train][held_out]) == set(cv.groups[fold - 2])
        assert len(rest) + len(held_out) == len(train)


def test_inner_of_tuples_that_follow_from_the_speakers():
    X, y, speakers = corpus_of("leow2021-emodb")
    cv = LeaveSpeakersOut(2)
    inner = cv.inner(speakers)
    assert inner.get_n_splits() == 1
    for (train, _), triple in zip(
        cv.split(X, y, speakers), cv.split_with_validation(X, y, speakers), strict=True
    ):
        ((rest, held_out),) = inner.split(X[train], y[train], speakers[train])
        np.testing.assert_array_equal(train[rest], triple[0])
        np.testing.assert_array_equal(train[held_out], triple[1])
    with pytest.raises(ValueError, match=r"inner\(groups=speakers\)"):
        cv.inner()


def test_every_speaker_is_tested_once_and_sizes_are_even():
    speakers = np.repeat(np.arange(10), 2)
    tested = [
        set(speakers[test]) for _, test in LeaveSpeakersOut(3).split(speakers, None, speakers)
    ]
    assert sorted(map(len, tested)) == [2, 2, 3, 3]
    assert set.union(*tested) == set(range(10))
    assert LeaveSpeakersOut().get_n_splits(groups=speakers) == 10


@pytest.mark.parametrize("n_speakers", [2, 4])
@pytest.mark.parametrize("n_men", [5, 6, 8])
def test_balance_by(n_speakers, n_men):
    gender = {f"{k:02d}": "m" if k < n_men else "f" for k in range(10)}
    speakers = np.array(list(gender))
    cv = LeaveSpeakersOut(n_speakers, balance_by=gender)
    tested = [speakers[test] for _, test in cv.split(speakers, groups=speakers)]
    assert sorted(np.concatenate(tested)) == sorted(gender)
    for stratum in "mf":
        counts = [sum(gender[speaker] == stratum for speaker in test) for test in tested]
        assert max(counts) - min(counts) <= 1
    assert max(map(len, tested)) <= n_speakers


def test_kinds_of_labels():
    names = ["b", "a", "c", "a"]
    expected = [[1, 3], [0], [2]]
    for groups in (names, np.array(names), pd.Series(names, index=[3, 2, 1, 0]), tuple(names)):
        assert [list(test) for _, test in LeaveSpeakersOut().split(names, None, groups)] == expected
    waveforms = [np.zeros(3), np.zeros(4), np.zeros(3), np.zeros(3)]
    assert [list(test) for _, test in LeaveSpeakersOut().split(waveforms, None, names)] == expected


@pytest.mark.parametrize("routing", [False, True])
def test_cross_val_score(routing):
    X, y, speakers = corpus_of("leow2021-emodb")
    with config_context(enable_metadata_routing=routing):
        how = {"params": {"groups": speakers}} if routing else {"groups": speakers}
        assert len(cross_val_score(RowRecorder(), X, y, cv=LeaveSpeakersOut(2), **how)) == 5


def test_split_request_renames_groups():
    X, y, speakers = corpus_of("leow2021-emodb")
    with config_context(enable_metadata_routing=True):
        cv = LeaveSpeakersOut(5).set_split_request(groups="speakers")
        scores = cross_val_score(RowRecorder(), X, y, cv=cv, params={"speakers": speakers})
    assert len(scores) == 2


def test_grid_search():
    X, y, speakers = corpus_of("leow2021-emodb")
    search = GridSearchCV(RowRecorder(), {"setting": [1, 2]}, cv=LeaveSpeakersOut(2))
    search.fit(X, y, groups=speakers)
    assert search.n_splits_ == 5


def test_repr_and_pickle():
    assert repr(LeaveSpeakersOut(2)) == "LeaveSpeakersOut(2)"
    assert (
        repr(LeaveSpeakersOut(balance_by={"a": "f"}))
        == "LeaveSpeakersOut(1, balance_by={'a': 'f'})"
    )
    cv = LeaveSpeakersOut(groups=[("a",), ("b", "c")])
    assert repr(cv) == "LeaveSpeakersOut(groups=[('a',), ('b', 'c')])"
    assert repr(pickle.loads(pickle.dumps(cv))) == repr(cv)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_speakers": 0}, "n_speakers must be a positive integer"),
        ({"groups": [("a", "b")]}, "two or more non-empty tuples"),
        ({"groups": [("a",), ()]}, "two or more non-empty tuples"),
        ({"groups": ["ab", "cd"]}, "two or more non-empty tuples"),
        ({"groups": [("a", "b"), ("b",)]}, "more than once: b"),
        ({"groups": [("a",), ("b",)], "balance_by": {"a": 0}}, "omit balance_by"),
    ],
)
def test_wrong_parameters(params, message):
    with pytest.raises(ValueError, match=message):
        LeaveSpeakersOut(**params)


@pytest.mark.parametrize(
    ("cv", "groups", "message"),
    [
        (LeaveSpeakersOut(), None, "pass groups=speakers"),
        (LeaveSpeakersOut(), ["a", "a", "a"], r"one speaker \(a\)"),
        (LeaveSpeakersOut(), ["a", None, "b"], r"no speaker \(rows 1\)"),
        (LeaveSpeakersOut(), ["a", np.nan, pd.NA], r"no speaker \(rows 1, 2\)"),
        (LeaveSpeakersOut(), ["a", "b"], "inconsistent numbers of samples"),
        (LeaveSpeakersOut(3), ["a", "b", "c"], "leaves none to train on"),
        (LeaveSpeakersOut(balance_by={"a": "m"}), ["a", "b", "a"], "no entry for the speakers b"),
        (LeaveSpeakersOut(groups=[("a",), ("z",)]), ["a", "b", "a"], "without utterances: z"),
        (LeaveSpeakersOut(groups=[("a",), ("b",)]), ["a", "b", "c"], "in no tuple: c"),
    ],
)
def test_wrong_speakers(cv, groups, message):
    with pytest.raises(ValueError, match=message):
        list(cv.split(np.zeros((3, 1)), groups=groups))


def test_wrong_speakers_for_validation():
    cv = LeaveSpeakersOut(groups=[("a",), ("b",), ("c",), ("d",), ("e",)])
    with pytest.raises(ValueError, match="need three tuples"):
        list(LeaveSpeakersOut().split_with_validation(["a", "b"], groups=["a", "b"]))
    for groups, message in [
        (list("abcde"), "no tuple of speakers is missing"),
        (list("abx"), "speakers x are in none of the tuples"),
        (list("acd"), "have utterances: 0, 2, 3"),
        (list("aaa"), "two or more"),
    ]:
        with pytest.raises(ValueError, match=message):
            list(cv.inner().split(groups, groups=groups))


def test_unknown_protocol():
    with pytest.raises(ValueError, match="'leow2021-emodb', 'leow2021-ravdess'"):
        load_protocol("leow2021")


def test_strings_and_numbers_together_are_refused():
    speakers = ["03", 8, "09"]
    with pytest.raises(ValueError, match="groups mixes strings and numbers, such as '03' and 8"):
        next(LeaveSpeakersOut().split(speakers, groups=speakers))
