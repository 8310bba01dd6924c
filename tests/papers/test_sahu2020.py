import numpy as np
import pandas as pd
import pytest

from serkit.datasets import Corpus
from serkit.papers import sahu2020
from serkit.papers._kept import kept
from serkit.papers._sahu2020_models import Vectors, draw, make_model, make_systems, repeats
from serkit.papers._sahu2020_tables import as_rows
from serkit.papers._setting import Setting, pairs_of_speakers

pytestmark = pytest.mark.filterwarnings("ignore")

SYSTEMS = ["M1", "M2", "M3", "Gaussian per class", "SMOTE", "repetition"]


def published(**cell):
    table = sahu2020.published()
    for column, value in cell.items():
        table = table[table[column] == value]
    return table["published"].item()


def test_experiments_are_listed():
    names = ["rates", "in-domain", "codes", "cross-corpus", "low-resource"]
    assert sahu2020.list_experiments().index.tolist() == names
    assert sahu2020.list_experiments().loc["cross-corpus", "part"] == "Table 4"


@pytest.mark.parametrize(
    ("system", "metric", "value"),
    [
        ("M1", "TRTS train", 85.60),
        ("M2", "TRTS held out", 74.75),
        ("M3", "TSTR train", 52.24),
        ("M3", "TSTR held out", 51.58),
        ("M2", "Fréchet all", 13.24),
    ],
)
def test_published_in_domain(system, metric, value):
    cell = {"experiment": "in-domain", "corpus": "iemocap", "system": system, "metric": metric}
    assert published(**cell) == value


def test_published_across_corpora():
    cell = {"experiment": "cross-corpus", "corpus": "iemocap → msp_improv", "system": "M2"}
    assert [published(**cell, metric=m) for m in ("TRTS", "TSTR", "Fréchet")] == [49.6, 38.61, 15.6]


def test_in_domain(reproduce_twice):
    made = reproduce_twice(sahu2020, "in-domain")
    frame = made.frame()
    assert set(frame["corpus"]) == {"one", "other"}
    assert frame["system"].unique().tolist() == [*SYSTEMS, "real rows"]
    metrics = set(frame.loc[frame["system"] == "M1", "metric"])
    theirs = sahu2020.published().query("experiment == 'in-domain'")
    assert metrics >= set(theirs["metric"]), "a published figure would stand beside nothing"
    scores = frame[frame["metric"].str.match("TRTS|TSTR")]["value"]
    assert scores.between(0, 100).all()
    assert scores.max() > 1, "in percent"


def test_rates(reproduce_twice):
    made = reproduce_twice(sahu2020, "rates")
    assert set(made.frame()["corpus"]) == {"one"}, "the first corpus alone"
    assert "M3, preset paper" in str(made)


def test_codes(reproduce_twice):
    table = reproduce_twice(sahu2020, "codes").table("codes", "one")
    assert table.index.tolist() == ["M1", "M2", "M3"]
    assert set(table.columns) == {"UAR codes", "UAR vectors", "lost"}


def test_cross_corpus(reproduce_twice):
    frame = reproduce_twice(sahu2020, "cross-corpus").frame()
    assert set(frame["corpus"]) == {"one → other"}
    assert frame["system"].unique().tolist() == [*SYSTEMS, "real rows"]
    assert (frame["speakers"] == 3).all()


def test_low_resource(reproduce_twice):
    made = reproduce_twice(sahu2020, "low-resource")
    table = made.table("low-resource", "one → other")
    assert table.columns.tolist() == ["UAR at 50%", "UAR at 100%"]
    for known in ("all rows", "the same rows"):
        assert f"real only, generators learnt {known}" in table.index
        assert f"real + 40 of M1, generators learnt {known}" in table.index
    assert "p permutation (Holm)" in str(made)


def test_two_corpora_are_needed_to_go_from_one_to_another(two_corpora):
    made = sahu2020.reproduce(
        {"one": two_corpora["one"]}, ["cross-corpus", "low-resource"], scale="smoke", verbose=0
    )
    assert not made.found
    assert "cross-corpus: not run, it needs two corpora, such as iemocap and msp_improv" in str(
        made
    )


def test_published_figures_stand_beside_those_of_the_same_corpora(two_corpora):
    renamed = {}
    for name, corpus in zip(("iemocap", "msp_improv"), two_corpora.values(), strict=True):
        emotions = np.where(corpus.y == "anger", "anger", "sadness")
        renamed[name] = Corpus(
            corpus.table.assign(emotion=emotions),
            waveforms=corpus.audio,
            sampling_rate=corpus.sampling_rate,
            name=name,
        )
    made = sahu2020.reproduce(renamed, "cross-corpus", scale="smoke", systems=["M3"], verbose=0)
    row = made.frame().query("metric == 'TRTS'").iloc[0]
    assert (row["system"], row["published"]) == ("M3", 49.98)
    assert "49.98" not in str(made)  # rounded like ours
    assert "50.0 (Table 4, M3, metric 1)" in str(made)


def test_no_speaker_is_on_both_sides(two_corpora):
    vectors = Vectors(two_corpora["one"], Setting(two_corpora, scale="paper"))
    assert len(vectors.folds.parts) == 3
    for fold, parts in vectors.folds.parts.items():
        for first, second in (parts, vectors.inner(fold)):
            assert not set(vectors.speakers[first]) & set(vectors.speakers[second])


def test_only_four_emotions_of_the_papers_corpora():
    rows = [(f"Ses0{k}{g}", f"Ses0{k}", e) for k in "123" for g in "FM" for e in ("anger", "fear")]
    table = pd.DataFrame(rows, columns=["speaker", "session", "emotion"])
    corpus = Corpus(table, waveforms=[np.zeros(9)] * 12, sampling_rate=16000, name="iemocap")
    vectors = Vectors(corpus, Setting({"iemocap": corpus}))
    assert set(vectors.y) == {"anger"}
    assert vectors.folds.cv.groups[0] == ("Ses01F", "Ses01M"), "a session is left out"


def test_the_judge_fits_on_training_rows_alone(two_corpora):
    vectors = Vectors(two_corpora["one"], Setting(two_corpora, scale="smoke"))
    train, valid = vectors.folds.parts[0]
    X = vectors.values
    changed = X.copy()
    changed[valid] = 1e6 * np.random.default_rng(0).normal(size=changed[valid].shape)
    system = make_systems(vectors.setting)["Gaussian per class"]
    of_training = ("TRTS_train", "TSTR_train", "sd_ratio", "separation_synth")
    reports = [vectors.judge(system, x, vectors.y, train, valid, 0, False) for x in (X, changed)]
    assert [reports[0][name] for name in of_training] == [reports[1][name] for name in of_training]


def test_what_diverges_is_told(two_corpora):
    setting = Setting(two_corpora, scale="smoke")
    vectors = Vectors(two_corpora["one"], setting)
    model = make_model("M1", "smoke", preset="paper", lr_reconstruction=1e6)
    train, valid = vectors.folds.parts[0]
    report = vectors.judge(model, vectors.values, vectors.y, train, valid, 0, False)
    assert list(report) == ["diverged"]


def test_synthetic_rows_are_as_many_as_asked_for(two_corpora):
    vectors = Vectors(two_corpora["one"], Setting(two_corpora, scale="smoke"))
    for system in make_systems(vectors.setting).values():
        X, y = draw(system, vectors.values, vectors.y, 0, 40)
        assert len(X) == len(y) == 40
        assert set(y) == {"anger", "sadness"}


def test_repeats():
    assert repeats(Setting({}, scale="bench")) == (0, 1, 2)
    assert repeats(Setting({}, scale="bench", seeds=(7,))) == (7,)


def test_deviations_are_over_folds_not_repeats():
    reports = [
        {"system": "M1", "fold": fold, "repeat": repeat, "TRTS_valid": fold / 2}
        for fold in (0, 1)
        for repeat in (0, 1, 2)
    ]
    row = as_rows(reports).iloc[0]
    assert (row["metric"], row["value"], row["folds"], row["seeds"]) == ("TRTS held out", 25, 2, 3)
    assert row["SD"] == pytest.approx(50 / np.sqrt(2))


def test_costs_are_measured_for_every_model(two_corpora):
    names = ["in-domain", "low-resource"]
    costs = sahu2020.estimate(two_corpora, names, scale="smoke", systems=["M1"])
    assert costs.groupby("experiment")["corpus"].unique().map(list).to_dict() == {
        "in-domain": ["one", "other"],
        "low-resource": ["one"],
    }
    assert (costs["hours"] >= 0).all()
    assert costs["epochs"].iloc[0] == 20  # one batch holds all rows


def test_pipelines_augment_training_data(two_corpora):
    corpus = two_corpora["one"]
    pipelines = sahu2020.pipelines("in-domain", corpus, scale="smoke")
    assert list(pipelines) == ["M1", "M2", "M3"]
    for train, test in pairs_of_speakers(corpus).split(corpus.audio, groups=corpus.speakers):
        predicted = (
            pipelines["M1"].fit(corpus.audio[train], corpus.y[train]).predict(corpus.audio[test])
        )
        assert set(predicted) <= {"anger", "sadness"}
        break


def test_a_seed_that_would_be_ignored_is_told(two_corpora):
    with pytest.warns(
        UserWarning, match=r"codes is run once, with the first of the seeds \(3, 4\)"
    ):
        sahu2020.reproduce(two_corpora, "codes", scale="smoke", seeds=(3, 4), verbose=0)


def test_what_is_kept_at_one_scale_is_not_taken_for_another(tmp_path):
    seen = []

    def measure(estimator, X):
        seen.append(len(X))
        return len(seen)

    for scale in ("smoke", "bench", "smoke"):
        setting = Setting({}, scale, results_dir=tmp_path)
        kept(measure, setting, "system", np.zeros((2, 1)))
    assert len(seen) == 2
