import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from serkit.datasets import Corpus
from serkit.evaluation import BenchmarkResult, benchmark, compare, paired_test, rank_systems
from serkit.model_selection import LeaveSpeakersOut, SpeakerLeakageError
from serkit.preprocessing import SpeakerStandardizer

TIMES = ["fit_time", "predict_time"]
EMOTIONS = ("anger", "calm", "fear")
PIPELINES = {
    "chance": DummyClassifier(),
    "Bayes": GaussianNB(),
    "forest": RandomForestClassifier(3),
}
PROTOCOLS = {"loso": LeaveSpeakersOut(1), "leave 2": LeaveSpeakersOut(2)}


def make_corpus(name, n_speakers, seed):
    rng = np.random.default_rng(seed)
    y = np.tile(EMOTIONS, 3 * n_speakers)
    X = rng.normal(size=(len(y), 2)) + np.searchsorted(EMOTIONS, y)[:, None]
    table = {"speaker": np.repeat([f"s{i}" for i in range(n_speakers)], 9), "emotion": y}
    return Corpus(table, waveforms=list(X), sampling_rate=16000, name=name)


CORPORA = [make_corpus("one", 4, 0), make_corpus("two", 6, 1)]


def run(corpora=CORPORA, pipelines=PIPELINES, protocols=PROTOCOLS, **options):
    named = corpora if isinstance(corpora, dict) else {c.name: c for c in corpora}
    features = {name: np.stack(corpus.audio) for name, corpus in named.items()}
    return benchmark(corpora, pipelines, protocols, **{"X": features, "verbose": 0} | options)


@pytest.fixture(scope="module")
def result():
    return run(seeds=[0, 1])


def test_a_row_for_everything_measured(result):
    frame = result.frame()
    keys = ["corpus", "protocol", "pipeline", "seed", "fold"]
    assert not frame.duplicated(keys).any()
    assert len(frame) == 3 * 2 * (4 + 2 + 6 + 3)
    assert set(frame.columns) >= {*keys, "UAR", "WA", "test_speakers", *TIMES}
    assert result.pipelines == list(PIPELINES)
    assert list(result.results) == [(c, p) for c in ("one", "two") for p in PROTOCOLS]


def test_each_cell_is_a_comparison(result):
    corpus, cv = CORPORA[1], PROTOCOLS["leave 2"]
    alone = compare(corpus, PIPELINES, cv=cv, X=np.stack(corpus.audio), seeds=[0, 1], verbose=0)
    pd.testing.assert_frame_equal(result.results["two", "leave 2"].predictions, alone.predictions)
    assert result.results["two", "leave 2"].protocol == "leave 2"


def test_leaderboard_by_hand(result):
    board = result.leaderboard()
    tables = {cell: found.table() for cell, found in result.results.items()}
    scores = pd.DataFrame({", ".join(cell): table["UAR"] for cell, table in tables.items()})
    scores = scores.round(12)  # equal recalls, added up in another order
    ranks = scores.rank(ascending=False)
    for column in scores:
        np.testing.assert_allclose(board[f"UAR {column}"], scores.loc[board.index, column])
    low = board["UAR one, loso low"]
    np.testing.assert_array_equal(low, tables["one", "loso"]["UAR low"].loc[board.index])
    np.testing.assert_allclose(board["mean rank"], ranks.mean(axis=1).loc[board.index])
    assert board["mean rank"].is_monotonic_increasing
    assert board["wins"].to_dict() == (scores == scores.max()).sum(axis=1).to_dict()
    assert board.index[-1] == "chance"
    np.testing.assert_allclose(board["mean score"], scores.mean(axis=1).loc[board.index])


def test_the_best_is_tested_over_persons(result):
    blocks = []
    for corpus in ("one", "two"):
        both = [result.results[corpus, name].per_speaker() for name in PROTOCOLS]
        mean = pd.concat(both).groupby(["pipeline", "speaker"])["UAR"].mean().unstack(0)
        blocks.append(mean.set_index(corpus + mean.index))
    persons = pd.concat(blocks)
    board = result.leaderboard()
    best = board.index[0]
    assert np.isnan(board["p against best"].iloc[0])
    for name, row in board.iloc[1:].iterrows():
        test = paired_test(persons[name], persons[best])
        assert row["p against best"] == test.p_permutation
        assert row["difference to best"] == pytest.approx(test.difference)
        assert row["speakers"] == 10
    p = board["p against best"].iloc[1:]
    assert board["p against best (Holm)"].max() == pytest.approx(max(2 * p.min(), p.max()))
    ranks = result.ranks()
    assert ranks.n_blocks == 10
    pd.testing.assert_series_equal(
        ranks.average_ranks,
        rank_systems(persons[list(PIPELINES)]).average_ranks,
        check_names=False,
    )


def test_pairs_are_corrected_for_all_cells_together(result):
    tests = result.paired_tests("WA", correction="benjamini-hochberg")
    assert len(tests) == 4 * 3
    alone = result.results["two", "loso"].paired_tests("WA")
    here = tests.query("corpus == 'two' and protocol == 'loso'").reset_index(drop=True)
    pd.testing.assert_series_equal(here["p permutation"], alone["p permutation"])
    smallest = tests["p permutation"].min()
    assert tests["p permutation (BH)"].min() >= smallest
    assert (here["p permutation (BH)"] >= here["p permutation"]).all()


def test_pipelines_and_protocols_may_depend_on_the_corpus():
    seen = []

    def pipelines(corpus, cv):
        seen.append((corpus.name, cv.get_n_splits(groups=corpus.speakers)))
        found = {"chance": DummyClassifier()}
        if corpus.name == "two":
            found["Bayes"] = GaussianNB()
        return found

    protocols = {
        "loso": LeaveSpeakersOut(1),
        "halves": lambda corpus: LeaveSpeakersOut(3) if corpus.name == "two" else None,
    }
    result = run(pipelines=pipelines, protocols=protocols)
    assert seen == [("one", 4), ("two", 6), ("two", 2)]
    assert list(result.results) == [("one", "loso"), ("two", "loso"), ("two", "halves")]
    board = result.leaderboard()
    holes = ["UAR one, loso", "UAR one, loso low", "mean rank", "mean score"]
    assert board.loc["Bayes", holes].isna().all()
    assert board.loc["Bayes", ["wins", "cells"]].tolist() == [2, 2]
    assert board.loc["chance", ["wins", "cells", "mean rank"]].tolist() == [1, 3, 1]
    assert "Bayes is missing from one, loso: not ranked." in str(result)
    assert " – " in str(result)


def test_one_protocol_for_all_and_names_of_corpora():
    default = run({"a": CORPORA[0], "b": CORPORA[1]}, protocols=None)
    assert list(default.results) == [("a", "LeaveSpeakersOut(1)"), ("b", "LeaveSpeakersOut(1)")]
    assert default.results["a", "LeaveSpeakersOut(1)"].corpus == "a"
    called = run(protocols=lambda corpus: LeaveSpeakersOut(len(set(corpus.speakers)) // 2))
    assert [protocol for _, protocol in called.results] == [
        "LeaveSpeakersOut(2)",
        "LeaveSpeakersOut(3)",
    ]


def test_what_makes_scores_less_honest_is_marked(tmp_path):
    shuffled = KFold(3, shuffle=True, random_state=0)
    pipelines = {
        "own": make_pipeline(SpeakerStandardizer(), LogisticRegression()),
        "grid": GridSearchCV(LogisticRegression(), {"C": [1, 2]}, cv=2),
    }
    with pytest.raises(SpeakerLeakageError) as caught:
        run(pipelines=pipelines, protocols={"random": shuffled})
    assert "on one, random" in caught.value.__notes__
    with pytest.warns(UserWarning, match="inner splits of 'grid'"):
        result = run(
            pipelines=pipelines,
            protocols={"random": shuffled, "loso": LeaveSpeakersOut(1)},
            allow_speaker_overlap=True,
        )
    assert "UAR one, random (speaker-DEPENDENT)" in result.leaderboard()
    assert set(result.frame()["protocol"]) == {"random (speaker-DEPENDENT)", "loso"}
    page = result.to_html(tmp_path / "report.html").read_text(encoding="utf-8")
    for text in (str(result), page):
        assert "own *" in text
        assert "grid †" in text
        assert "speaker-DEPENDENT" in text


def test_reports(result, tmp_path):
    page = result.to_html(tmp_path / "folder" / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert page.count("data:image/svg+xml;base64,") == 1 + 4 * 3
    for cell in result.results.values():
        assert cell.header() in page
    paths = {path.stem: pd.read_csv(path) for path in result.to_csv(tmp_path / "csv")}
    assert len(paths["folds"]) == len(result.frame())
    assert paths["leaderboard"]["pipeline"].tolist() == list(result.leaderboard().index)
    assert len(paths["predictions"]) == 2 * 3 * 2 * 9 * (4 + 6)
    assert len(paths["table"]) == 3 * 4
    assert paths["failures"].empty


def test_report_without_matplotlib(result, tmp_path, monkeypatch):
    def missing(name, **_):
        raise ImportError(name)

    monkeypatch.setattr("serkit.evaluation._plots.import_optional", missing)
    page = result.to_html(tmp_path / "report.html").read_text(encoding="utf-8")
    assert "data:image" not in page
    assert "mean rank" in page


def n_entries(folder):
    return len(list((folder / "folds").glob("*.json")))


def test_results_of_other_settings_code_or_audio_never_mix(tmp_path, monkeypatch, load_own):
    options = {"protocols": PROTOCOLS["loso"], "results_dir": tmp_path}
    own = load_own(tmp_path / "a.py", 1)

    def count(corpora=CORPORA, pipeline=own):
        result = run(corpora, {"own": pipeline}, **options)
        assert len(result.frame()) == 10
        return n_entries(tmp_path)

    assert count() == count() == 10
    assert count(pipeline=load_own(tmp_path / "b.py", 1)) == 10
    assert count(pipeline=load_own(tmp_path / "c.py", 2)) == 20
    assert count(pipeline=DummyClassifier(strategy="uniform")) == 30
    louder = [make_corpus("one", 4, 0), make_corpus("two", 6, 2)]
    assert count(corpora=louder) == 36
    monkeypatch.setattr("serkit.evaluation._provenance.source_digest", lambda: "edited")
    assert count() == 46


def test_more_of_it_costs_only_what_is_more(tmp_path, capsys):
    options = {"results_dir": tmp_path, "protocols": PROTOCOLS["loso"]}
    first = run(CORPORA[:1], {"Bayes": GaussianNB()}, **options)
    assert n_entries(tmp_path) == 4
    wide = run(pipelines={"Bayes": GaussianNB(), "chance": DummyClassifier()}, **options)
    assert n_entries(tmp_path) == 4 + 4 + 2 * 6
    kept = wide.frame().query("corpus == 'one' and pipeline == 'Bayes'").reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, first.frame())
    run(CORPORA[:1], {"Bayes": GaussianNB()}, verbose=1, **options)
    assert "4 of 4 folds found" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"corpora": []}, "no corpora"),
        ({"corpora": [CORPORA[0], CORPORA[0]]}, "a name of its own"),
        ({"pipelines": {}}, "pipelines must be a dict"),
        ({"protocols": lambda corpus: None}, "no protocol exists"),
        ({"X": {"three": None}}, "not there: \\['three'\\]"),
        ({"on_error": "ignore"}, "on_error must be"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_runs(change, message):
    with pytest.raises(ValueError, match=message):
        run(**change)


def test_unknown_metrics_are_refused(result):
    assert isinstance(result, BenchmarkResult)
    for method in (result.leaderboard, result.paired_tests, result.ranks):
        with pytest.raises(ValueError, match="metric must be one of"):
            method("F1")
    with pytest.raises(ValueError, match="method must be one of"):
        result.leaderboard(correction="none")
