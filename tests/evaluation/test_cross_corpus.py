"""From corpus to corpus: who sees what, what is kept, and that tuning helps."""

import os

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.model_selection import GroupShuffleSplit, KFold
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from serkit.datasets import Corpus
from serkit.evaluation import cross_corpus_validate
from serkit.feature_extraction import LogMelSpectrogram, TemporalPooling
from serkit.model_selection import LeaveSpeakersOut, SpeakerLeakageError
from serkit.neural_network import MLPClassifier
from serkit.pipeline import make_pipeline
from serkit.preprocessing import SpeakerStandardizer

TUNED = ["in-corpus", "zero-shot", "last 1 tuned", "last 2 tuned"]


def make_corpus(name, octave=0, *, seed=0, emotions=("anger", "sadness"), speakers="123"):
    """Make a corpus of tones: the emotion is the pitch, the "language" shifts it by octaves."""
    rng = np.random.default_rng(seed)
    time = np.arange(2000) / 16000
    rows = [(s, e) for s in speakers for e in emotions for _ in range(4)]
    pitches = {emotion: 500 * 2 ** (n + octave) for n, emotion in enumerate(emotions)}
    tones = [
        np.sin(2 * np.pi * pitches[emotion] * rng.uniform(0.9, 1.1) * time) * rng.uniform(0.2, 0.8)
        for _, emotion in rows
    ]
    return Corpus(
        {"speaker": [s for s, _ in rows], "emotion": [e for _, e in rows]},
        waveforms=[tone + 0.01 * rng.normal(size=2000) for tone in tones],
        sampling_rate=16000,
        name=name,
    )


@pytest.fixture(scope="module")
def here():
    return make_corpus("here")


@pytest.fixture(scope="module")
def there():
    return make_corpus("there", octave=1, seed=1)


def make_system(**options):
    options = {"dropout": 0.0, "lr": 0.05, "max_epochs": 2, "batch_size": 8} | options
    spectrogram = LogMelSpectrogram(n_mels=8, n_fft=512, hop_length=256)
    return make_pipeline(
        spectrogram, TemporalPooling(), StandardScaler(), MLPClassifier((8,), **options)
    )


def run(here, there, system=None, **options):
    options = {"unfreeze": (0, 1, 2), "fine_tune": {"lr": 0.05, "max_epochs": 2}} | options
    return cross_corpus_validate(system or make_system(), here, there, verbose=0, **options)


def predictions(result, pipeline):
    chosen = result.predictions.query("pipeline == @pipeline").set_index("row").sort_index()
    return chosen.filter(like="score[")


def test_tuning_recovers_what_the_other_corpus_costs(here, there):
    long = {"lr": 0.05, "max_epochs": 20}
    result = run(here, there, make_system(**long), fine_tune=long)
    assert result.pipelines == TUNED
    uar = result.table()["UAR"]
    assert uar["in-corpus"] > 0.9
    assert uar["zero-shot"] < 0.7
    assert uar["last 2 tuned"] > 0.9
    assert result.confusion("zero-shot").to_numpy().sum() == len(there)
    assert result.protocol.startswith("here → there on anger, sadness; statistics of the source")


def test_a_classifier_without_a_network_answers_as_it_is(here, there, tmp_path):
    """Also one that asks for speakers where it predicts."""
    front = [step for _, step in make_system().steps[:2]]
    svm = make_pipeline(*front, SpeakerStandardizer(), SVC())
    options = {"unfreeze": 0, "in_corpus": False, "results_dir": tmp_path}
    result = run(here, there, svm, **options)
    with sklearn.config_context(enable_metadata_routing=True):
        seeded = clone(svm).set_params(svc__random_state=0)
        seeded.fit(here.audio, here.y, speakers=np.char.add("here:", here.speakers.astype(str)))
        speaker = there.speakers == "2"
        asked = {"X": there.audio[speaker], "speakers": there.speakers[speaker]}
        expected = seeded.decision_function(**asked)
    found = predictions(result, "zero-shot").loc[np.flatnonzero(speaker)]
    np.testing.assert_allclose(found["score[sadness]"], expected, atol=1e-6)
    assert result.table()["transductive"].tolist() == ["SpeakerStandardizer(unseen='own')"]
    other = run(make_corpus("here", seed=7), there, svm, **options)
    assert not predictions(other, "zero-shot").equals(predictions(result, "zero-shot"))
    with pytest.raises(TypeError, match="no network to tune in Pipeline"):
        run(here, there, svm, unfreeze=(0, 1))


@pytest.mark.parametrize("statistics", ["source", "target"])
def test_rows_that_are_tested_teach_nothing(here, there, statistics):
    """What is said of some test rows does not depend on the others, whatever these hold."""
    test = np.flatnonzero(there.speakers == "3")
    cv = [(np.flatnonzero(there.speakers != "3"), test)]
    waveforms = list(there.audio)
    for row in test[::2]:
        waveforms[row] = 0.5 * np.random.default_rng(row).normal(size=3000).clip(-1, 1)
    poisoned = Corpus(there.table, waveforms=waveforms, sampling_rate=16000, name="there")
    clean, other = (run(here, corpus, cv=cv, statistics=statistics) for corpus in (there, poisoned))
    for name in TUNED:
        one, two = predictions(clean, name), predictions(other, name)
        np.testing.assert_array_equal(one.loc[test[1::2]], two.loc[test[1::2]])
        assert (one.loc[test[::2]] != two.loc[test[::2]]).to_numpy().any()


def test_without_tuning_nothing_of_the_target_is_seen(here, there):
    """Other folds, and statistics of the target, leave the answers as they are."""
    folds = {"unfreeze": [0], "in_corpus": False}
    expected = predictions(run(here, there, **folds), "zero-shot")
    for options in (
        {"statistics": "target"},
        {"cv": LeaveSpeakersOut(groups=[("1", "2"), ("3",)])},
    ):
        found = predictions(run(here, there, **folds, **options), "zero-shot")
        np.testing.assert_array_equal(found, expected)


def test_statistics_of_the_target_make_a_difference_where_tuned(here, there):
    one, other = (run(here, there, statistics=kind) for kind in ("source", "target"))
    assert "statistics of the target where tuned" in other.protocol
    for name in TUNED:
        equal = np.array_equal(predictions(one, name), predictions(other, name))
        assert equal == (name in ("in-corpus", "zero-shot"))


def test_in_corpus_is_what_compare_does(here, there):
    alone = run(here, there, unfreeze=[])
    assert alone.pipelines == ["in-corpus"]
    speaker = there.speakers == "2"
    network = make_system(random_state=0)
    network.fit(
        there.audio[~speaker], there.y[~speaker], mlpclassifier__speakers=there.speakers[~speaker]
    )
    found = predictions(alone, "in-corpus").loc[np.flatnonzero(speaker)]
    np.testing.assert_allclose(found, network.predict_proba(there.audio[speaker]), atol=1e-6)


@pytest.fixture
def fits(monkeypatch):
    """The numbers of utterances of all fits of a network from now on."""
    numbers = []
    original = MLPClassifier.fit

    def count(self, X, y, **metadata):
        numbers.append(len(y))
        return original(self, X, y, **metadata)

    monkeypatch.setattr(MLPClassifier, "fit", count)
    return numbers


def test_a_stopped_run_goes_on(here, there, tmp_path, fits):
    options = {"results_dir": tmp_path, "seeds": (0, 1), "unfreeze": (0, 1)}
    first = run(here, there, **options)
    sources = {path: path.stat().st_mtime_ns for path in (tmp_path / "sources").iterdir()}
    entries = (tmp_path / "folds").glob("*.json")
    lost, *_ = (path for path in entries if "FineTuneClassifier" not in path.read_text())
    lost.unlink()
    fits.clear()
    again = run(here, there, **options)
    assert fits == [16]  # of in-corpus: two of three speakers of the target
    assert again.predictions.equals(first.predictions)
    assert sources == {path: path.stat().st_mtime_ns for path in (tmp_path / "sources").iterdir()}
    run(here, there, **options)
    assert len(fits) == 1


def test_a_source_that_cannot_be_read_is_trained_again(here, there, tmp_path, fits):
    options = {"results_dir": tmp_path, "unfreeze": [1], "in_corpus": False}
    first = run(here, there, **options)
    (path,) = (tmp_path / "sources").iterdir()
    whole = path.stat().st_size
    path.write_bytes(path.read_bytes()[:100])
    fits.clear()
    with pytest.warns(UserWarning, match=f"{path.name} cannot be read .* trained again"):
        again = run(here, there, **options)
    assert fits == [24]
    assert again.predictions.equals(first.predictions)
    assert path.stat().st_size == pytest.approx(whole, rel=0.01)
    run(here, there, **options)
    assert len(fits) == 1


def test_a_source_is_written_whole_or_not_at_all(here, there, tmp_path, monkeypatch):
    options = {"results_dir": tmp_path, "unfreeze": [0], "in_corpus": False}
    folder = tmp_path / "sources"
    folder.mkdir()
    abandoned = folder / ".abandoned.part"
    abandoned.write_bytes(b"half")
    os.utime(abandoned, (0, 0))

    def stop(fitted, file):
        file.write(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("serkit.evaluation._source.joblib.dump", stop)
        with pytest.raises(KeyboardInterrupt):
            run(here, there, **options)
    assert list(folder.iterdir()) == []
    run(here, there, **options)
    assert [path.suffix for path in folder.iterdir()] == [".joblib"]


@pytest.mark.parametrize(
    ("unfreeze", "message"), [((0, 9), "unfreeze=9, but only 2"), ("pooling", "no stage 'pooling'")]
)
def test_stages_are_looked_up_before_any_fold(here, there, fits, unfreeze, message):
    with pytest.raises(ValueError, match=message):
        run(here, there, unfreeze=unfreeze)
    assert fits == [24]  # the source


def test_all_seeds_have_the_same_folds(here):
    six = make_corpus("there", speakers="abcdef")
    result = run(here, six, cv=GroupShuffleSplit(3, test_size=2), seeds=(0, 1), unfreeze=0)
    tested = result.folds.groupby(["pipeline", "fold"])["test_speakers"].nunique()
    assert tested.tolist() == [1] * 6
    assert "GroupShuffleSplit" in result.protocol


def test_folds_can_be_a_number(here, there):
    """Rows are sorted by speaker, so thirds of the classes are speakers."""
    result = run(here, there, cv=3, unfreeze=0)
    assert result.folds["test_speakers"].tolist() == ["1", "2", "3"] * 2
    assert result.protocol.endswith("; 3")


@pytest.mark.parametrize(
    ("unfreeze", "name"), [(1, "last 1 tuned"), ("head", "head tuned"), ([["head"]], "head tuned")]
)
def test_one_entry_needs_no_list(here, there, unfreeze, name):
    assert run(here, there, unfreeze=unfreeze, in_corpus=False).pipelines == [name]


def test_another_source_or_tuning_is_another_result(here, there, tmp_path):
    options = {"results_dir": tmp_path, "unfreeze": [1], "in_corpus": False}
    n_folds = 3
    for n_runs, (source, further) in enumerate(
        [
            (here, {}),
            (make_corpus("here", seed=5), {}),
            (here, {"fine_tune": {"lr": 0.01, "max_epochs": 2}}),
            (here, {"statistics": "target"}),
            (here, {"system": make_system(lr=0.02)}),
        ],
        start=1,
    ):
        run(source, there, **options, **further)
        assert len(list((tmp_path / "folds").glob("*.json"))) == n_runs * n_folds
    assert len(list((tmp_path / "sources").iterdir())) == 3


def test_seeds_are_averaged_and_their_deviation_is_told(here, there):
    result = run(here, there, seeds=(0, 1), unfreeze=[1], fine_tune={"max_epochs": 1})
    assert sorted(result.folds["seed"].unique()) == [0, 1]
    means = result.folds.query("pipeline == 'last 1 tuned'").groupby("seed")["UAR"].mean()
    assert result.table()["UAR SD of seeds"]["last 1 tuned"] == pytest.approx(means.std())
    assert "2 seeds" in result.header()


class Watched:
    """A splitter of the validation that notes the speakers it is given."""

    seen: list = []  # noqa: RUF012

    def split(self, X, y=None, groups=None):
        self.seen.append(set(groups))
        yield np.flatnonzero(groups != max(groups)), np.flatnonzero(groups == max(groups))


def test_speakers_named_alike_are_told_apart(there):
    Watched.seen.clear()
    here = make_corpus("here", speakers="34")
    system = make_system(validation=Watched(), max_epochs=1)
    run(here, there, system, in_corpus=True, unfreeze=[])
    assert Watched.seen[0] == {"here:3", "4"}
    assert {"1", "2", "3"} == set().union(*Watched.seen[1:])


def test_emotions_in_common_are_used(here):
    three = make_corpus("there", emotions=("anger", "calm", "sadness"), seed=2)
    result = run(here, three, unfreeze=[0])
    assert result.labels == ["anger", "sadness"]
    assert len(result.predictions.query("pipeline == 'zero-shot'")) == 24
    mapping = {"anger": "active", "sadness": "passive", "calm": "passive"}
    result = run(here, three, unfreeze=[0], labels=mapping)
    assert result.labels == ["active", "passive"]
    assert len(result.predictions.query("pipeline == 'zero-shot'")) == 36


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"there": make_corpus("there", emotions=("anger", "calm"))}, ValueError, "two emotions"),
        ({"labels": ["anger"]}, ValueError, r"source has \['anger', 'sadness'\]"),
        ({"labels": ["anger", "joy"]}, ValueError, r"neither corpus has the labels \['joy'\]"),
        ({"labels": {"anger": "a", "sadness": "a", "joy": "b"}}, ValueError, "two emotions"),
        (
            {
                "there": make_corpus("there", emotions=("anger", "calm", "sadness")),
                "labels": ["anger", "calm", "sadness"],
            },
            ValueError,
            r"the source has \['anger', 'sadness'\] and the target \['anger', 'calm', 'sadness'\]",
        ),
        ({"there": make_corpus("here", speakers="14")}, ValueError, "called 'here' .* common: 1"),
        ({"fine_tune": {"rate": 1}}, TypeError, "rate"),
        (
            {"fine_tune": {"random_state": 1}},
            ValueError,
            "'random_state': use .* 'seeds'",
        ),
        ({"fine_tune": {"unfreeze": 1}}, ValueError, "'unfreeze': use the parameter 'unfreeze'"),
        ({"unfreeze": (1, 1, "head", ["head"])}, ValueError, "twice: head tuned, last 1 tuned"),
        ({"unfreeze": (), "in_corpus": False}, ValueError, "nothing to compare"),
        ({"cv": KFold(4)}, SpeakerLeakageError, "both sides of a split"),
        ({"system": make_pipeline(TemporalPooling(), SVC())}, TypeError, "no network to tune"),
        ({"statistics": "own"}, ValueError, "statistics"),
        ({"seeds": ()}, ValueError, "seeds"),
    ],
    ids=[
        "common",
        "few",
        "in neither",
        "few after mapping",
        "unequal",
        "same speakers",
        "unknown",
        "reserved seed",
        "reserved",
        "twice",
        "nothing",
        "leak",
        "no network",
        "statistics",
        "seeds",
    ],
)
def test_mistakes_are_found_before_anything_is_trained(here, there, options, error, message):
    system = make_system(callbacks=["would fail in fit"])
    with pytest.raises(error, match=message):
        run(**{"here": here, "there": there, "system": system} | options)
