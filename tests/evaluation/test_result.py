from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.naive_bayes import GaussianNB

from serkit.datasets import Corpus
from serkit.evaluation import (
    ComparisonResult,
    compare,
    corrected_resampled_t_test,
    paired_test,
    speaker_bootstrap,
)
from serkit.model_selection import LeaveSpeakersOut

# Two speakers. "good": a misses one of three x; "bad": always x.
Y = ["x", "x", "x", "y", "x", "y", "y", "y"]
GOOD = ["x", "x", "y", "y", "x", "y", "y", "y"]


@pytest.fixture
def result():
    predictions = pd.concat(
        [
            pd.DataFrame(
                {
                    "pipeline": name,
                    "seed": 0,
                    "fold": [0] * 4 + [1] * 4,
                    "row": range(8),
                    "file": None,
                    "speaker": ["a"] * 4 + ["b"] * 4,
                    "y_true": Y,
                    "y_pred": y_pred,
                }
            )
            for name, y_pred in (("good", GOOD), ("bad", ["x"] * 8))
        ],
        ignore_index=True,
    )
    folds = pd.DataFrame(
        {
            "pipeline": ["good", "good", "bad", "bad"],
            "seed": 0,
            "fold": [0, 1, 0, 1],
            "UAR": [5 / 6, 1.0, 0.5, 0.5],
            "WA": [0.75, 1.0, 0.75, 0.25],
            "n_train": 4,
            "n_test": 4,
            "fit_time": [1.0, 3.0, 0.0, 0.0],
            "predict_time": 0.5,
            "test_speakers": ["a", "b"] * 2,
            "train_speakers": ["b", "a"] * 2,
            "transductive": ["T()", "T()", "", ""],
            "best_params": "",
        }
    )
    return ComparisonResult(folds, predictions, corpus="c", protocol="by hand")


def test_table_by_hand(result):
    good, bad = result.table().loc["good"], result.table().loc["bad"]
    assert good["UAR"] == pytest.approx((3 / 4 + 1) / 2)
    assert good["WA"] == 7 / 8
    assert good["UAR mean"] == pytest.approx(11 / 12)
    assert good["UAR SD"] == pytest.approx(np.std([5 / 6, 1], ddof=1))
    assert good["WA SD"] == pytest.approx(np.std([0.75, 1], ddof=1))
    assert (good["fit time"], good["predict time"]) == (2.0, 0.5)
    assert (good["speakers"], good["folds"], good["protocol"]) == (2, 2, "by hand")
    assert (good["transductive"], bad["transductive"]) == ("T()", "")
    assert (bad["UAR"], bad["WA"]) == (0.5, 0.5)
    assert "*transductive: T()*" in str(result)


def test_speakers_confusions_and_tests_by_hand(result):
    speakers = result.per_speaker().set_index(["pipeline", "speaker"])
    assert speakers.loc[("good", "a"), "UAR"] == pytest.approx(5 / 6)
    assert speakers.loc[("bad", "b"), "WA"] == 0.25
    assert result.confusion("good").to_numpy().tolist() == [[3, 1], [0, 4]]
    test = result.paired_tests().iloc[0]
    assert test["UAR difference"] == pytest.approx((1 / 3 + 1 / 2) / 2)
    assert test["p permutation"] == 0.5
    assert test["speakers"] == 2
    assert result.paired_tests("WA").iloc[0]["WA difference"] == pytest.approx(0.375)
    with pytest.raises(ValueError, match="no pipeline 'other'"):
        result.confusion("other")


@pytest.fixture
def hostile():
    """Result whose every name is an attack on HTML or on matplotlib."""
    label = "<script>alert('$x$')</script>"
    rng = np.random.default_rng(0)
    corpus = Corpus(
        {
            "file": ["<img src=http://evil.example/x.png>.wav"] * 24,
            "speaker": np.repeat(["<b>a", "$b", "c&d"], 8),
            "emotion": [label, "calm"] * 12,
        },
        waveforms=[np.zeros(1)] * 24,
        sampling_rate=16000,
        name="<h1>",
    )
    pipelines = {"<i>Bayes</i>": GaussianNB(), "chance": DummyClassifier(), "$": DummyClassifier()}
    return compare(corpus, pipelines, X=rng.normal(size=(24, 2)), verbose=0)


class Page(HTMLParser):
    """What a browser would see: tags, and everything that it would fetch."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.links = set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name in ("src", "href", "data")]


def check_page(text):
    page = Page(text)
    assert not page.tags & {"script", "i", "b", "link", "iframe", "object"}
    assert all(link.startswith("data:image/svg+xml;base64,") for link in page.links)
    assert "@import" not in text
    assert "url(" not in text
    assert "&lt;script&gt;" in text
    assert text.count("<details") >= 4
    return page


def test_report_is_self_contained_and_escaped(hostile, tmp_path):
    page = hostile.to_html(tmp_path / "folder" / "report.html").read_text(encoding="utf-8")
    assert len(check_page(page).links) == 4
    assert "Holm" in page


def test_report_without_matplotlib_has_tables_instead(hostile, tmp_path, monkeypatch):
    def missing(name, **_):
        raise ImportError(name)

    monkeypatch.setattr("serkit.evaluation._plots.import_optional", missing)
    page = hostile.to_html(tmp_path / "report.html").read_text(encoding="utf-8")
    assert check_page(page).links == []


def test_csv_files_hold_every_prediction(hostile, tmp_path):
    paths = hostile.to_csv(tmp_path)
    names = {path.name for path in paths}
    assert names == {
        "table.csv",
        "folds.csv",
        "predictions.csv",
        "per_speaker.csv",
        "paired_tests.csv",
    }
    predictions = pd.read_csv(tmp_path / "predictions.csv")
    assert len(predictions) == 72
    assert predictions["y_true"].tolist() == hostile.predictions["y_true"].tolist()


def test_tests_are_computed_once_and_handed_out_as_copies(result, monkeypatch):
    table, tests = result.table(), result.paired_tests()
    table.loc["good", "UAR"] = tests.loc[0, "p permutation"] = -1
    monkeypatch.setattr("serkit.evaluation._summary.paired_test", None)
    assert result.paired_tests().loc[0, "p permutation"] == 0.5
    assert result.table().loc["good", "UAR"] == pytest.approx(7 / 8)
    assert "good" in str(result)
    with pytest.raises(TypeError):
        result.paired_tests("WA")


def test_deviations_of_folds_and_of_seeds_are_kept_apart(result):
    # UAR of fold 0 with seeds 0 and 1: 5/6 and 1/2; of fold 1: 1 and 3/4.
    again = result.folds.query("pipeline == 'good'").assign(seed=1, UAR=[1 / 2, 3 / 4])
    twice = result.predictions.query("pipeline == 'good'").assign(seed=1)
    both = ComparisonResult(
        pd.concat([result.folds.query("pipeline == 'good'"), again], ignore_index=True),
        pd.concat([result.predictions.query("pipeline == 'good'"), twice], ignore_index=True),
        corpus="c",
        protocol="by hand",
    )
    row = both.table().loc["good"]
    assert row["UAR mean"] == pytest.approx((5 / 6 + 1 / 2 + 1 + 3 / 4) / 4)
    assert row["UAR SD"] == pytest.approx(np.std([(5 / 6 + 1 / 2) / 2, (1 + 3 / 4) / 2], ddof=1))
    seeds = [(5 / 6 + 1) / 2, (1 / 2 + 3 / 4) / 2]
    assert row["UAR SD of seeds"] == pytest.approx(np.std(seeds, ddof=1))
    assert row["folds"] == 2
    assert "77.1 ± 20.6 %" in str(both)
    assert "UAR SD of seeds" not in result.table()


def test_intervals_and_sizes_are_those_of_the_functions(hostile):
    table = hostile.table()
    tests = hostile.paired_tests().set_index(["first", "second"])
    of = dict(list(hostile.predictions.groupby("pipeline")))
    bayes, chance = of["<i>Bayes</i>"], of["chance"]
    columns = bayes["y_true"], bayes["y_pred"], bayes["speaker"]
    for metric in ("UAR", "WA"):
        interval = speaker_bootstrap(*columns, metric=metric)
        found = table.loc["<i>Bayes</i>", [metric, f"{metric} low", f"{metric} high"]]
        assert found.tolist() == pytest.approx(interval[:3])
    row = tests.loc[("<i>Bayes</i>", "chance")]
    difference = speaker_bootstrap(*columns, other=chance["y_pred"])
    assert row[["pooled difference", "low", "high"]].tolist() == pytest.approx(difference[:3])
    speakers = hostile.per_speaker().pivot(index="speaker", columns="pipeline", values="UAR")
    sizes = paired_test(speakers["<i>Bayes</i>"], speakers["chance"])
    assert row["Hedges g"] == sizes.hedges_g
    assert row["rank-biserial"] == sizes.rank_biserial
    folds = hostile.folds.pivot(index="fold", columns="pipeline", values="UAR")
    t = corrected_resampled_t_test(folds["<i>Bayes</i>"], folds["chance"], n_train=16, n_test=8)
    assert row["p resampled t"] == pytest.approx(t.p_value)
    assert tests["p resampled t (Holm)"].min() >= tests["p resampled t"].min()
    assert "p permutation (BH)" in hostile.paired_tests(correction="benjamini-hochberg")


def test_rows_that_are_tested_twice_are_paired_by_fold(features):
    corpus, X = features
    folds = list(LeaveSpeakersOut(2).split(X, corpus.y, corpus.speakers))
    pipelines = {"Bayes": GaussianNB(), "chance": DummyClassifier(strategy="stratified")}
    once = compare(corpus, pipelines, cv=folds, X=X, verbose=0).paired_tests()
    twice = compare(corpus, pipelines, cv=folds * 2, X=X, verbose=0).paired_tests()
    columns = ["UAR difference", "pooled difference", "low", "high", "p permutation"]
    np.testing.assert_allclose(once[columns], twice[columns])
