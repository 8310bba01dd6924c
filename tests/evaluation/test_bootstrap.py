import numpy as np
import pytest
from scipy import stats

from serkit.evaluation import speaker_bootstrap
from serkit.evaluation._bootstrap import SpeakerCounts, bootstrap_counts
from serkit.metrics import uar_score, wa_score

EMOTIONS = np.array(["anger", "calm", "fear"], dtype=object)
METRICS = {"UAR": uar_score, "WA": wa_score}


@pytest.fixture(scope="module")
def utterances():
    """Utterances of nine speakers, some much easier than others; one is never afraid."""
    rng = np.random.default_rng(0)
    speakers = np.repeat([f"s{i}" for i in range(9)], 20)
    y_true = EMOTIONS[rng.integers(3, size=180)]
    y_true[speakers == "s3"] = "calm"
    easy = np.repeat(rng.uniform(0.3, 1, 9), 20)
    guess = EMOTIONS[rng.integers(3, size=180)]
    y_pred, other = (np.where(rng.uniform(size=180) < easy, y_true, guess) for _ in range(2))
    return y_true, y_pred, other, speakers


def naive(utterances, metric, *, difference, method):
    """Draw speakers by hand, utterance by utterance."""
    y_true, y_pred, other, speakers = utterances
    rows = [np.flatnonzero(speakers == name) for name in np.unique(speakers)]

    def statistic(drawn):
        chosen = np.concatenate([rows[i] for i in drawn])
        scores = [METRICS[metric](y_true[chosen], y[chosen]) for y in (y_pred, other)]
        return scores[0] - scores[1] if difference else scores[0]

    found = stats.bootstrap(
        (np.arange(9),),
        statistic,
        n_resamples=60,
        vectorized=False,
        method=method,
        rng=np.random.default_rng(0),
    )
    return statistic(range(9)), *found.confidence_interval


@pytest.mark.parametrize("method", ["BCa", "percentile"])
@pytest.mark.parametrize(("metric", "difference"), [("UAR", True), ("WA", False)])
def test_equals_draws_by_hand(utterances, metric, difference, method):
    y_true, y_pred, other, speakers = utterances
    interval = speaker_bootstrap(
        y_true,
        y_pred,
        speakers,
        other=other if difference else None,
        metric=metric,
        method=method,
        n_resamples=60,
    )
    expected = naive(utterances, metric, difference=difference, method=method)
    assert interval[:3] == pytest.approx(expected)
    assert interval.n_speakers == 9


def test_speakers_are_drawn_not_utterances(utterances):
    y_true, y_pred, _, speakers = utterances
    clustered = speaker_bootstrap(y_true, y_pred, speakers)
    single = speaker_bootstrap(y_true, y_pred, [f"u{i}" for i in range(180)])
    assert clustered.high - clustered.low > 1.3 * (single.high - single.low)


def test_several_runs_are_averaged():
    rng = np.random.default_rng(0)
    totals = np.full((3, 8, 4), 5.0)
    hits = rng.integers(0, 6, size=totals.shape).astype(float)
    whole = bootstrap_counts(SpeakerCounts(hits, totals), n_resamples=500)
    alike = SpeakerCounts(hits.mean(axis=0, keepdims=True), totals[:1])
    assert whole == pytest.approx(bootstrap_counts(alike, n_resamples=500))


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(0)
    held = {"BCa": 0, "percentile": 0}
    for trial in range(200):
        chances = rng.beta(4, 2, size=(24, 1))  # of mean 2 / 3, one per speaker
        hits = rng.binomial(8, chances, size=(24, 5))
        counts = SpeakerCounts(hits[None].astype(float), np.full((1, 24, 5), 8.0))
        for method in held:
            interval = bootstrap_counts(counts, method=method, n_resamples=999, random_state=trial)
            held[method] += interval.low <= 2 / 3 <= interval.high
    assert 0.86 <= min(held.values()) / 200
    assert max(held.values()) / 200 <= 0.98


def test_what_does_not_vary_has_a_narrow_interval():
    y = ["anger", "calm"] * 4
    speakers = list("aabbccdd")
    assert speaker_bootstrap(y, y, speakers)[:3] == (1, 1, 1)
    alone = speaker_bootstrap(y, y, ["a"] * 8)
    assert alone.score == 1
    assert np.isnan([alone.low, alone.high]).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"metric": "F1"}, "metric must be one of"),
        ({"method": "basic"}, "method must be one of"),
        ({"confidence_level": 95}, "confidence_level must be between"),
        ({"other": ["anger"]}, "one prediction per utterance"),
        ({"speakers": ["a", None]}, "each with a speaker"),
    ],
)
def test_wrong_arguments_are_refused(change, message):
    arguments = {"y_true": ["x", "y"], "y_pred": ["x", "x"], "speakers": ["a", "b"]}
    with pytest.raises(ValueError, match=message):
        speaker_bootstrap(**arguments | change)
