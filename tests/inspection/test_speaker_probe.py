import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from serkit.inspection import speaker_probe, speaker_probe_score


@pytest.fixture
def data():
    """One column that tells three speakers apart, and one that does not."""
    rng = np.random.default_rng(0)
    speakers = np.repeat(np.array(["a", "b", "c"], dtype=object), 20)
    X = rng.normal(size=(60, 2))
    X[:, 0] += 10 * np.repeat([0, 1, 2], 20)
    return X, speakers


def test_score_is_one_if_speakers_are_known_and_chance_if_not(data):
    X, speakers = data
    identity = FunctionTransformer().fit(X)
    assert speaker_probe_score(identity, X, speakers) == 1
    assert speaker_probe_score(identity, X[:, 1:], speakers) < 0.5


def test_the_embedding_is_probed_and_the_estimator_left_alone(data):
    X, speakers = data
    scaler = StandardScaler().fit(X)
    before = scaler.mean_.copy()
    blind = FunctionTransformer(lambda X: X[:, 1:])
    assert speaker_probe_score(scaler, X, speakers) == 1
    assert speaker_probe_score(blind, X, speakers) < 0.5
    np.testing.assert_array_equal(scaler.mean_, before)


def test_speakers_count_alike(data):
    """The accuracy is balanced: a speaker of many utterances does not decide it."""
    _, speakers = data
    many = np.r_[np.arange(60), np.repeat(np.arange(20), 10)]
    rng = np.random.default_rng(0)
    score = speaker_probe_score(
        FunctionTransformer(), rng.normal(size=(len(many), 1)), speakers[many]
    )
    assert score == pytest.approx(1 / 3, abs=0.05)


def test_utterances_without_a_speaker_are_left_out(data):
    X, speakers = data
    more = np.r_[X, np.full((10, 2), 1e6)]
    score = speaker_probe_score(FunctionTransformer(), more, [*speakers, *[None] * 10])
    assert score == speaker_probe_score(FunctionTransformer(), X, speakers)


@pytest.mark.parametrize(
    ("speakers", "message"),
    [
        (["a"] * 60, r"two speakers or more.*\{'a': 60\}"),
        (["a"] * 57 + ["b"] * 3, r"of each 5 utterances or more \(cv=5\).*'b': 3"),
        ([None] * 60, "two speakers or more"),
        (["a"] * 59, "59"),
    ],
)
def test_too_few_speakers_and_utterances_are_named(data, speakers, message):
    with pytest.raises(ValueError, match=message):
        speaker_probe_score(FunctionTransformer(), data[0], speakers)


def test_what_is_no_embedding_is_refused(data):
    X, speakers = data
    cube = FunctionTransformer(lambda X: X[:, :, None])
    with pytest.raises(ValueError, match="no vector per utterance"):
        speaker_probe_score(cube, X, speakers)


def test_every_part_of_a_network_is_probed(speech, cldnn):
    X, _, speakers = speech
    table = speaker_probe(cldnn, X, speakers)
    assert table["stage"].tolist() == ["input", *cldnn.stages_[:-1], "output"]
    assert (table["chance"] == 0.25).all()
    by_stage = table.set_index("stage")
    # The bins raised for a speaker are in the input, and the posteriors know little of them.
    assert by_stage.loc["input", "accuracy"] == 1
    assert by_stage.loc["output", "accuracy"] < 0.6
    assert by_stage.loc["output", "n_values"] == 2
    assert ((table["low"] <= table["accuracy"]) & (table["accuracy"] <= table["high"])).all()


def test_the_embedding_has_the_accuracy_of_the_short_form(speech, cldnn):
    X, _, speakers = speech
    (row,) = speaker_probe(cldnn, X, speakers, stages="pooling").itertuples()
    assert row.accuracy == pytest.approx(speaker_probe_score(cldnn, X, speakers))


def test_the_accuracy_is_that_of_scikit_learn(data):
    """Also where speakers have numbers of utterances that the folds do not divide."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    from sklearn.pipeline import make_pipeline

    X, speakers = data
    rows = np.r_[:13, 20:37, 40:60]
    X, speakers = X[rows] * [0.1, 1], speakers[rows].astype(str)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    probe = make_pipeline(StandardScaler(), LogisticRegression())
    scores = cross_val_score(probe, X, speakers, cv=folds, scoring="balanced_accuracy")
    assert speaker_probe_score(FunctionTransformer(), X, speakers) == pytest.approx(scores.mean())


def test_probes_may_be_chosen(speech, cldnn):
    X, _, speakers = speech
    own, mlp = (
        speaker_probe(cldnn, X, speakers, stages="recurrence", probe=probe, cv=3)["accuracy"][0]
        for probe in (GaussianNB(), "mlp")
    )
    assert own != mlp
    assert min(own, mlp) >= 0.2
    with pytest.raises(ValueError, match='"linear", "mlp" or a classifier, not \'svm\''):
        speaker_probe(cldnn, X, speakers, probe="svm")


def test_shuffled_speakers_say_what_chance_may_do(speech, cldnn):
    X, _, speakers = speech
    table = speaker_probe(
        cldnn, X, speakers, stages=["input", "output"], n_permutations=19, probe=GaussianNB(), cv=3
    )
    assert table["p_value"][0] == pytest.approx(1 / 20)
    shuffled = np.random.default_rng(1).permutation(speakers)
    p_value = speaker_probe(
        cldnn, X, shuffled, stages="input", n_permutations=19, probe=GaussianNB(), cv=3
    )["p_value"][0]
    assert p_value > 1 / 20


def test_the_interval_is_wider_the_surer_it_is_to_be(speech, cldnn):
    X, _, speakers = speech
    options = {"stages": "recurrence", "probe": GaussianNB()}
    wide, narrow = (
        speaker_probe(cldnn, X, speakers, confidence=confidence, **options).iloc[0]
        for confidence in (0.99, 0.5)
    )
    assert wide["low"] < narrow["low"] < narrow["high"] < wide["high"]
