import numpy as np
import pandas as pd
import pytest

from serkit.metrics import emotion_report, uar_score, wa_score

RNG = np.random.default_rng(0)
Y_TRUE = RNG.choice(["anger", "joy", "sad"], 90)
Y_PRED = np.where(RNG.random(90) < 0.6, Y_TRUE, RNG.choice(["anger", "joy", "sad"], 90))
SPEAKERS = np.repeat(["03", "08", "09"], 30)
FOLDS = np.repeat([0, 1], [60, 30])


@pytest.fixture(scope="module")
def report():
    return emotion_report(Y_TRUE, Y_PRED, speakers=SPEAKERS, folds=FOLDS)


def test_rates(report):
    assert report.pooled["uar"] == uar_score(Y_TRUE, Y_PRED)
    assert report.pooled["wa"] == wa_score(Y_TRUE, Y_PRED)
    for table, keys in ((report.folds, FOLDS), (report.speakers, SPEAKERS)):
        assert list(table.index) == sorted(set(keys))
        for key, row in table.iterrows():
            part = keys == key
            assert row["uar"] == uar_score(Y_TRUE[part], Y_PRED[part])
            assert row["wa"] == wa_score(Y_TRUE[part], Y_PRED[part])
            assert row["n_utterances"] == part.sum()


def test_classes_and_confusion(report):
    assert report.confusion.to_numpy().sum() == 90
    true_joy, hits = (Y_TRUE == "joy").sum(), ((Y_TRUE == "joy") & (Y_PRED == "joy")).sum()
    assert report.confusion.loc["joy", "joy"] == hits
    assert report.classes.loc["joy", "support"] == true_joy
    assert report.classes.loc["joy", "recall"] == pytest.approx(hits / true_joy)
    assert report.classes["recall"].mean() == pytest.approx(report.pooled["uar"])


def test_summary_has_the_sample_standard_deviation(report):
    summary = report.summary()
    assert summary.loc["uar", "fold_mean"] == pytest.approx(report.folds["uar"].mean())
    assert summary.loc["uar", "fold_sd"] == pytest.approx(np.std(report.folds["uar"], ddof=1))
    assert summary.loc["wa", "speaker_sd"] == pytest.approx(np.std(report.speakers["wa"], ddof=1))


def test_text(report):
    text = str(report)
    uar, folds = 100 * report.pooled["uar"], 100 * report.folds["uar"]
    assert (
        f"UAR  {uar:.1f} pooled, {folds.mean():.1f} ± {folds.std(ddof=1):.1f} over 2 folds" in text
    )
    for part in ("90 utterances", "over 3 speakers", "precision", "support", "sad"):
        assert part in text


def test_without_folds_and_speakers():
    report = emotion_report(pd.Series(["a", "b"]), ["a", "a"])
    assert report.folds is None
    assert report.speakers is None
    assert list(report.summary().columns) == ["pooled"]
    assert "fold" not in str(report)
    assert np.isnan(report.classes.loc["b", "precision"])


def test_wrong_input():
    with pytest.raises(ValueError, match="inconsistent"):
        emotion_report(["a", "b"], ["a", "b"], speakers=["s"])
    with pytest.raises(ValueError, match="needs a speaker"):
        emotion_report(["a", "b"], ["a", "b"], speakers=["s", None])
