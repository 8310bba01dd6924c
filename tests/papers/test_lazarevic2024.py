import numpy as np
import pytest

from serkit.datasets import Corpus, make_emotional_speech
from serkit.model_selection import check_speaker_leakage
from serkit.papers import lazarevic2024
from serkit.papers._lazarevic2024 import four_emotions, protocol
from serkit.papers._setting import Setting

pytestmark = pytest.mark.filterwarnings("ignore")

WAYS = ["in-corpus", "zero-shot", "last 1 tuned", "last 2 tuned", "last 3 tuned"]


@pytest.fixture(scope="module")
def more_speech():
    """Three emotions, of which two are in the other speech."""
    emotions = ["anger", "neutral", "sadness"]
    return make_emotional_speech(6, emotions, n_sentences=1, random_state=1)


def test_experiments():
    table = lazarevic2024.list_experiments()
    assert table["corpora"].to_dict() == {
        "in-corpus": "iemocap, seac",
        "cross-corpus": "iemocap, seac",
    }


@pytest.mark.parametrize(
    ("experiment", "corpus", "system", "metric", "value", "source"),
    [
        ("in-corpus", "iemocap", "ACRNN", "UAR", 55.33, "section 5.1.1, Figure 27"),
        ("in-corpus", "seac", "Modified GLAM", "UAR", 55.46, "section 5.3.1, Figure 44"),
        ("in-corpus", "iemocap", "ACRNN", "recall neutral", 30.12, "Figure 27, neutral"),
        ("in-corpus", "emodb", "ACRNN (Chen et al., 2018)", "UAR", 82.82, "Chen et al. (2018)"),
        ("cross-corpus", "iemocap → seac", "ACRNN, last 3 tuned", "UAR", 43.68, "sections 5.1.3"),
        ("cross-corpus", "iemocap → seac", "GLAM, zero-shot", "UAR", 45.49, "section 5.2.3"),
        ("cross-corpus", "seac → iemocap", "Modified GLAM, last 2 tuned", "UAR", 53.81, "section"),
    ],
)
def test_cells_of_the_published_tables(experiment, corpus, system, metric, value, source):
    table = lazarevic2024.published().set_index(["experiment", "corpus", "system", "metric"])
    cell = table.loc[(experiment, corpus, system, metric)]
    assert cell["published"] == value
    assert cell["source"].startswith(source)


def test_every_cell_is_there_once_and_recalls_average_to_the_uar():
    table = lazarevic2024.published()
    assert not table.duplicated(["experiment", "corpus", "system", "metric"]).any()
    recalls = table[table["source"].str.startswith("Figure 27, ")]
    recalls = recalls[recalls["metric"].str.startswith("recall")]["published"]
    assert recalls.mean() == pytest.approx(55.33, abs=0.006)


def test_in_corpus_is_found_again_and_stands_beside_the_thesis(speech, reproduce_twice):
    twice = Corpus.concat([speech, speech], prefix=["a", "b"])  # ten women and ten men
    made = reproduce_twice(lazarevic2024, "in-corpus", {"seac": twice})
    frame = made.frame().query("metric == 'UAR'").set_index("system")
    assert frame["published"].round(2).to_dict() == {
        "ACRNN [smoke width]": 44.20,
        "GLAM [smoke width]": 56.28,
        "Modified GLAM [smoke width]": 55.46,
    }
    assert "halves of sessions" in made.found[0].details


def test_across_corpora_both_ways(speech, more_speech, reproduce_twice):
    corpora = {"here": speech, "there": more_speech}
    made = reproduce_twice(lazarevic2024, "cross-corpus", corpora, systems=["GLAM"])
    frame = made.frame()
    assert frame["corpus"].unique().tolist() == ["here → there", "there → here"]
    assert frame["system"].unique().tolist() == [f"GLAM, {way} [smoke width]" for way in WAYS]
    for found in made.found:
        assert found.comparison.pipelines == frame["system"].unique().tolist()
        # Of the three emotions those that both have.
        assert found.comparison.labels == ["anger", "sadness"]
        assert "UAR over folds" in found.details


def test_the_baseline_goes_across_corpora_too(speech, more_speech, tmp_path):
    pytest.importorskip("opensmile")
    made = lazarevic2024.reproduce(
        {"here": speech, "there": more_speech},
        "cross-corpus",
        systems=["ComParE"],
        folds=[0],
        results_dir=tmp_path,
        verbose=0,
    )
    names = [f"ComParE_2016 + SVM, {way}" for way in ("in-corpus", "zero-shot")]
    assert made.frame()["system"].unique().tolist() == names
    folds = made.found[0].comparison.folds.set_index("pipeline")
    # Trained on the source alone: none of these is a speaker of the target.
    trained = set(folds.loc[names[1], "train_speakers"].split())
    assert trained == {f"here:{speaker}" for speaker in speech.speakers}


def test_one_corpus_is_not_enough(speech):
    made = lazarevic2024.reproduce({"here": speech}, "cross-corpus", scale="smoke", verbose=0)
    assert made.not_run == {"cross-corpus": "it needs two corpora, such as iemocap and seac"}


def test_costs_are_told_both_ways(speech, more_speech):
    corpora = {"here": speech, "there": more_speech}
    costs = lazarevic2024.estimate(corpora, "cross-corpus", scale="smoke", systems=["GLAM"])
    assert costs["corpus"].tolist() == ["here → there", "there → here"]
    # One on the source, one there, and three that are tuned.
    assert costs["fits"].tolist() == [5, 5]


# Who is trained on.


def test_partners_of_iemocap_validate(make_table):
    speakers = [f"Ses0{n}{gender}" for n in range(1, 6) for gender in "FM" for _ in range(3)]
    corpus = make_table("iemocap", speakers, session=[name[:5] for name in speakers])
    cv = lazarevic2024.folds(corpus)
    folds = list(cv.split(speakers, groups=corpus.speakers))
    assert len(folds) == 10
    check_speaker_leakage(folds, speakers=corpus.speakers)
    for train, test in folds:
        groups = corpus.speakers[train]
        ((_, validation),) = cv.inner().split(train, groups=groups)
        (tested,), (validated,) = set(corpus.speakers[test]), set(groups[validation])
        assert tested[:5] == validated[:5]
        assert tested != validated


def test_pseudo_sessions_of_seac(make_table):
    names = [f"{gender[0]}{n:02}" for gender in ("female", "male") for n in range(14)]
    genders = ["female" if name.startswith("f") else "male" for name in names]
    corpus = make_table("seac", names, gender=genders)
    folds = protocol(corpus, Setting({}, scale="paper"))
    assert len(set(folds.corpus.speakers)) == 20
    assert len(folds.parts) == 10
    tested = []
    for train, test in folds.parts.values():
        groups = folds.corpus.speakers[train]
        ((learnt, validation),) = folds.cv.inner().split(train, groups=groups)
        sizes = len(learnt), len(validation), len(test)
        assert sizes == (16, 2, 2)
        assert sorted(folds.corpus.genders[test]) == ["female", "male"]
        tested += folds.corpus.speakers[test].tolist()
    assert len(set(tested)) == 20
    with pytest.raises(ValueError, match="has 9 female speakers, and 10 are drawn"):
        lazarevic2024.folds(corpus[5:])


@pytest.mark.parametrize("name", ["iemocap", "seac", "emodb-like"])
def test_four_emotions_within_the_corpora_of_the_thesis(name, make_table):
    emotions = ["anger", "excitement", "happiness", "neutral", "sadness", "fear", "frustration"]
    rows = [(f"s{n:02}", emotion) for n in range(20) for emotion in emotions]
    speakers = [speaker for speaker, _ in rows]
    corpus = make_table(
        name,
        speakers,
        emotion=[emotion for _, emotion in rows],
        gender=[("female", "male")[int(speaker[1:]) % 2] for speaker in speakers],
        session=[f"{int(speaker[1:]) // 2}" for speaker in speakers],
    )
    folds = protocol(corpus, Setting({}, scale="paper"))
    if name == "emodb-like":
        assert folds.corpus.emotions == sorted(emotions)
    else:
        assert folds.corpus.emotions == ["anger", "happiness", "neutral", "sadness"]
        assert len(folds.corpus) == 20 * 5
        assert folds.corpus.name == name


def test_excitement_is_happiness(make_table):
    corpus = make_table("iemocap", ["a", "b", "c"])
    table = corpus.table.assign(emotion=["excitement", "anger", "fear"])
    corpus = Corpus(table, waveforms=[np.zeros(1)] * 3, sampling_rate=16000)
    assert four_emotions(corpus).y.tolist() == ["happiness", "anger"]
