import numpy as np
import pytest
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from serkit.inspection import speaker_probe_score


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
