import numpy as np
import pytest

from serkit.datasets import make_emotional_speech
from serkit.model_selection import load_protocol
from serkit.papers import leow2021
from serkit.papers._leow2021 import settings
from serkit.papers._measured import Measured
from serkit.papers._setting import Setting

pytestmark = pytest.mark.filterwarnings("ignore")


def test_experiments_name_their_tables():
    table = leow2021.list_experiments()
    assert table["part"].to_dict() == {
        "mfcc": "Table 1",
        "lms": "Table 2",
        "encoders": "Table 3",
        "settings": "not in the paper",
        "speaker-probe": "not in the paper",
    }
    assert set(table["corpora"]) == {"emodb, ravdess"}
    assert "Nanyang" in leow2021.reference


@pytest.mark.parametrize(
    ("experiment", "corpus", "system", "value", "spread"),
    [
        ("mfcc", "emodb", "CRNN, 1 block", 67.3, 6.5),
        ("mfcc", "ravdess", "DAT, gamma 2.5, 1 block", 61.2, 8.4),
        ("mfcc", "ravdess", "DAT, gamma 3.33, 4 blocks", 51.3, 11.1),
        ("lms", "emodb", "DAT, gamma 3.33, 4 blocks", 55.8, 8.8),
        ("lms", "ravdess", "CRNN, 1 block", 43.3, 6.2),
        ("encoders", "ravdess", "CNN1D-GRU, DAT, gamma 2.5", 30.5, 4.6),
    ],
)
def test_cells_of_the_published_tables(experiment, corpus, system, value, spread):
    table = leow2021.published().set_index(["experiment", "corpus", "system"])
    cell = table.loc[(experiment, corpus, system)]
    assert (cell["metric"], cell["published"], cell["published SD"]) == ("WA", value, spread)


def test_every_cell_is_there_once():
    table = leow2021.published()
    assert not table.duplicated(["experiment", "corpus", "system", "metric"]).any()
    assert table.groupby("experiment").size().to_dict() == {"encoders": 4, "lms": 32, "mfcc": 32}


def test_folds_are_the_printed_ones_and_validate_on_other_speakers():
    corpus = make_emotional_speech(10, ["anger", "sadness"], n_sentences=1, random_state=0)
    speakers = ["03", "08", "09", "10", "11", "12", "13", "14", "15", "16"]
    table = corpus.table
    table["speaker"] = np.repeat(speakers, 2)
    emodb = type(corpus)(table, waveforms=corpus.audio, sampling_rate=16000, name="emodb")
    assert leow2021.folds(emodb).groups == load_protocol("leow2021-emodb").groups
    for name, system in leow2021.pipelines("mfcc", emodb).items():
        splitter = system.cv if name.endswith("SVM") else system[-1].validation
        train, test = next(leow2021.folds(emodb).split(emodb.audio, groups=emodb.speakers))
        inner, validation = next(splitter.split(train, groups=emodb.speakers[train]))
        sides = [set(emodb.speakers[rows]) for rows in (train[inner], train[validation], test)]
        assert [len(side) for side in sides] == [6, 2, 2]
        assert len(set.union(*sides)) == 10


@pytest.mark.parametrize("experiment", ["mfcc", "lms", "encoders", "settings", "speaker-probe"])
def test_every_experiment_runs_and_is_found_again(experiment, reproduce_twice):
    speech = make_emotional_speech(6, ["anger", "sadness"], n_sentences=3, random_state=0)
    made = reproduce_twice(leow2021, experiment, {"made": speech})
    frame = made.frame()
    assert len(frame)
    assert frame["value"].between(0, 100).all()


@pytest.mark.parametrize("n_speakers", [2, 6])
def test_settings_are_measured_for_every_seed(n_speakers):
    speech = make_emotional_speech(n_speakers, ["anger", "sadness"], n_sentences=4, random_state=0)
    options = {"systems": ["batch 16"], "seeds": (0, 1), "scale": "smoke", "verbose": 0}
    frame = leow2021.reproduce({"made": speech}, "settings", **options).frame()
    assert frame["seeds"].tolist() == [2]
    assert frame["value"].between(0, 100).all()


def test_networks_get_every_seed():
    speech = make_emotional_speech(6, ["anger", "sadness"], n_sentences=1, random_state=0)
    experiment = Measured(
        *("seeds", "", "", ()),
        measure=lambda fitted, *_: {"seed": fitted[-1].random_state / 100},
        systems=settings,
    )
    setting = Setting({"made": speech}, "smoke", seeds=(1, 4), folds=(0, 1), systems=("batch 16",))
    (row,) = next(experiment.run(setting)).rows.to_dict("records")
    # The mean over seeds is taken first: folds have the same.
    assert (row["value"], row["SD"]) == pytest.approx((2.5, 0))
    assert (row["folds"], row["seeds"]) == (2, 2)


def test_ours_stand_beside_theirs():
    corpus = make_emotional_speech(6, ["anger", "sadness"], n_sentences=1, random_state=0)
    made = leow2021.reproduce({"emodb-like": corpus}, "mfcc", scale="smoke", verbose=0)
    assert made.frame()["published"].isna().all()
    for found in made.found:
        found.corpus = "emodb"
    shown = made.table("mfcc", "emodb")
    assert shown.loc["CRNN, 1 block", "WA published"] == (
        "67.3 ± 6.5 (Table 1, without DAT, 1 block)"
    )
    assert "Ours beside theirs" in str(made)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"experiments": "mfc"}, "no experiment 'mfc'; it has mfcc, lms"),
        ({"scale": "large"}, "scale must be one of smoke, bench, paper"),
        ({"scale": "bench"}, "corpora are needed at scale 'bench'"),
        ({"scale": "smoke", "seeds": ["a"]}, "seeds has to hold whole numbers"),
        ({"scale": "smoke", "folds": [7], "experiments": "mfcc"}, "no \\[7\\]"),
        ({"scale": "smoke", "folds": [-1], "experiments": "mfcc"}, "no \\[-1\\]"),
        ({"scale": "smoke", "systems": "XYZ", "experiments": "mfcc"}, "begins with 'XYZ'"),
    ],
)
def test_what_cannot_be_run_is_said(arguments, message):
    with pytest.raises(ValueError, match=message):
        leow2021.reproduce(verbose=0, **arguments)


@pytest.mark.corpus
def test_a_fold_of_real_speech_stands_beside_the_paper(corpora, tmp_path):
    pytest.importorskip("opensmile")
    made = leow2021.reproduce(
        {"emodb": corpora / "emodb"},
        "mfcc",
        systems=["CRNN"],
        folds=[0],
        scale="bench",
        results_dir=tmp_path,
        verbose=0,
    )
    frame = made.frame().set_index("metric")
    assert frame.loc["UAR", "value"] > 40  # guessing has 14.3
    assert frame.loc["WA", "published"] == 67.3


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (None, ["CLDNN s [8 filters]", "CLDNN st", "ComParE_2016 + SVM"]),
        (["cldnn"], ["CLDNN s [8 filters]", "CLDNN st"]),
        (["CLDNN s"], ["CLDNN s [8 filters]"]),
        (["CLDNN st", "ComParE"], ["CLDNN st", "ComParE_2016 + SVM"]),
        (["CL"], []),
    ],
)
def test_systems_are_named_by_their_first_words(words, wanted):
    setting = Setting({}, "smoke", systems=words)
    names = ["CLDNN s [8 filters]", "CLDNN st", "ComParE_2016 + SVM"]
    assert [name for name in names if setting.wants(name)] == wanted
