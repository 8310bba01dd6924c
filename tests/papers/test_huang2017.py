import numpy as np
import pytest
import soundfile
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from serkit.augmentation import NoiseMixer
from serkit.datasets import make_emotional_speech
from serkit.evaluation import HoldoutSearchCV
from serkit.feature_extraction import (
    MFCC,
    CachedTransformer,
    FrameScaler,
    LogMelSpectrogram,
    TemporalPooling,
)
from serkit.model_selection import check_speaker_leakage
from serkit.neural_network import CLDNNClassifier
from serkit.papers import huang2017
from serkit.papers._handed_in import made_noises, sort_out
from serkit.papers._huang2017 import trained_with_noise
from serkit.papers._kernel_search import KernelSearch
from serkit.papers._noise_robustness import NoiseRobustness
from serkit.papers._setting import Folds, Setting, pairs_of_speakers
from serkit.papers._splits import ListedFolds
from serkit.preprocessing import AudioLoader, SilenceTrimmer

pytestmark = pytest.mark.filterwarnings("ignore")

EXPERIMENTS = ["clean", "one-speaker-out", "noisy", "kernel-height", "modules"]


def published(experiment, system, metric):
    table = huang2017.published().set_index(["experiment", "system", "metric"])
    return table.loc[(experiment, system, metric)]


def test_experiments():
    table = huang2017.list_experiments()
    assert table.index.tolist() == EXPERIMENTS
    assert set(table["corpora"]) == {"enterface"}


@pytest.mark.parametrize(
    ("experiment", "system", "metric", "value", "source"),
    [
        ("clean", "IS09 + SVM, speakers standardized", "UAR", 70.83, "Table 3, EC, TVT"),
        ("one-speaker-out", "IS12 + SVM, speakers standardized", "UAR pooled", 81.18, "Table 3"),
        ("clean", "CLDNN s, trained with noise", "UAR", 91.67, "Table 4, S-CLDNN (log-Mels)"),
        ("noisy", "LDNN, MFCC, trained with noise", "UAR noisy", 75.51, "Table 4, LDNN (MFCCs)"),
        ("noisy", "CLDNN fst, trained with noise", "UAR noisy", 86.21, "Table 4, FST-CLDNN"),
        ("kernel-height", "CLDNN s, height 22, trained with noise", "UAR", 95.42, "section 7.4"),
        (
            "modules",
            "CLDNN fst, MFCC, trained with noise",
            "UAR CNN",
            56.25,
            "Table 5, FST-CLDNN (MFCCs), CNN",
        ),
        (
            "modules",
            "CLDNN t, trained with noise",
            "UAR BLSTM",
            93.33,
            "Table 5, T-CLDNN (log-Mels), BLSTM",
        ),
    ],
)
def test_cells_of_the_published_tables(experiment, system, metric, value, source):
    cell = published(experiment, system, metric)
    assert cell["published"] == value
    assert cell["source"].startswith(source)


def test_every_cell_is_there_once():
    table = huang2017.published()
    assert not table.duplicated(["experiment", "corpus", "system", "metric"]).any()
    assert set(table["experiment"]) == set(EXPERIMENTS)
    clean = table[table["source"].str.contains("Table 4.*trained with noise")]["published"]
    # Scores of 240 utterances, six emotions alike.
    np.testing.assert_allclose(clean * 2.4, np.round(clean * 2.4), atol=0.02)


def test_contributions_are_those_of_table_5():
    table = huang2017.published().query("experiment == 'modules' and system != 'all networks'")
    scores = table.pivot(index="system", columns="metric", values="published")
    steps = scores[["UAR Raw", "UAR CNN", "UAR BLSTM", "UAR MLP"]].diff(axis=1).iloc[:, 1:]
    for part in ("CNN", "BLSTM", "MLP"):
        cell = published("modules", "all networks", f"contribution {part}")
        assert steps[f"UAR {part}"].mean() == pytest.approx(cell["published"], abs=0.006)
        assert steps[f"UAR {part}"].std() == pytest.approx(cell["published SD"], abs=0.006)


@pytest.mark.parametrize("experiment", ["clean", "kernel-height"])
def test_a_smoke_run_is_found_again(experiment, speech, reproduce_twice):
    made = reproduce_twice(huang2017, experiment, {"enterface": speech})
    frame = made.frame().query("metric == 'UAR'").set_index("system")
    assert frame["value"].between(0, 100).all()
    name = {"clean": "CLDNN fst [smoke width]", "kernel-height": "CLDNN s, height 22 [smoke width]"}
    # Theirs are trained with noise, even those tested on clean speech.
    assert np.isnan(frame.loc[name[experiment], "published"])


def test_what_is_published_of_clean_speech_says_how_it_was_trained():
    table = huang2017.published().query("experiment in ('clean', 'kernel-height')")
    networks = table[table["system"].str.contains("LDNN")]["system"]
    assert len(networks) == 9
    assert networks.str.endswith(", trained with noise").all()
    assert published("clean", "SVM (ComParE)", "UAR")["published"] == 80.83


def test_modules_are_probed(speech, reproduce_twice):
    made = reproduce_twice(huang2017, "modules", {"here": speech}, systems=["CLDNN st"])
    metrics = made.frame()["metric"].tolist()
    assert metrics == ["UAR Raw", "UAR CNN", "UAR BLSTM", "UAR MLP"]
    assert "Scatter within over distance between classes of speaker" in str(made)


def test_modules_are_probed_for_every_seed_with_one_speaker_to_learn_from():
    speech = make_emotional_speech(2, ["anger", "sadness"], n_sentences=4, random_state=0)
    made = huang2017.reproduce(
        {"tess": speech}, "modules", systems=["CLDNN st"], seeds=(0, 1), scale="smoke", verbose=0
    )
    frame = made.frame()
    assert frame["metric"].tolist() == ["UAR Raw", "UAR CNN", "UAR BLSTM", "UAR MLP"]
    assert (frame["seeds"] == 2).all()
    assert "between classes of emotion" in str(made)
    assert "between classes of speaker" not in str(made)


def test_noise_is_trained_and_tested_with(speech, reproduce_twice):
    corpora = {"enterface": speech, "noise": made_noises()}
    made = reproduce_twice(huang2017, "noisy", corpora)
    frame = made.frame().set_index(["system", "metric"])
    trained = frame.loc["CLDNN fst, trained with noise [smoke width]"]
    assert trained.loc["UAR noisy", "published"] == 86.21
    assert {"UAR clean", "UAR -10 dB", "UAR 15 dB"} <= set(trained.index)
    assert "2 noises trained with, 2 tested with" in str(made)


def test_features_of_noisy_copies_are_kept_and_not_their_audio(speech, tmp_path):
    noises = made_noises()
    setting = Setting({}, scale="smoke", results_dir=tmp_path, noises=noises)
    folds = Folds(speech, setting, pairs_of_speakers(speech))

    def search():
        pipeline = make_pipeline(AudioLoader(), MFCC(), TemporalPooling(), StandardScaler(), SVC())
        return HoldoutSearchCV(pipeline, {"svc__C": [1.0]}, cv=folds.validation)

    experiment = NoiseRobustness(
        *("noisy", "", "", ()),
        systems=lambda folds: {**trained_with_noise(folds), "SVM": search},
        copies={"smoke": 2},
    )
    systems = setting.wanted(experiment.makers(folds))
    train, _ = folds.parts[0]
    fitted = systems["CLDNN fst, trained with noise [smoke width]"].fit(
        speech.audio[train], speech.y[train], cldnnclassifier__speakers=speech.speakers[train]
    )
    kinds = [NoiseMixer, CachedTransformer, FrameScaler, CLDNNClassifier]
    assert [type(step) for _, step in fitted.steps] == kinds
    head = [type(step) for _, step in fitted[1].transformer.steps]
    assert head == [AudioLoader, SilenceTrimmer, LogMelSpectrogram]
    assert len(list((tmp_path / "cache").rglob("*/*/*"))) == 3 * len(train)
    of_search = systems["SVM, trained with noise"].estimator
    kinds = [NoiseMixer, CachedTransformer, StandardScaler, SVC]
    assert [type(step) for _, step in of_search.steps] == kinds
    found = systems["SVM, trained with noise"].fit(
        speech.audio[train], speech.y[train], groups=speech.speakers[train]
    )
    assert set(found.predict(speech.audio)) <= set(speech.y)


def test_without_noise_nothing_is_noisy(speech):
    made = huang2017.reproduce({"here": speech}, "noisy", scale="smoke", verbose=0)
    assert made.not_run == {"noisy": "it needs noise or musan, a folder of noises, beside a corpus"}
    assert "noisy: not run, it needs noise" in str(made)


def test_noises_are_found_in_a_folder(tmp_path):
    with pytest.raises(ValueError, match="no WAV or FLAC file"):
        sort_out({"noise": tmp_path})
    (tmp_path / "deeper").mkdir()
    soundfile.write(tmp_path / "deeper" / "hum.wav", made_noises()[0], 16000)
    speech, noises = sort_out({"noise": tmp_path})
    assert not speech
    assert [path.name for path in noises] == ["hum.wav"]


# Who is trained on.


def test_the_one_split_of_enterface(make_table):
    speakers = [f"subject {n}" for n in range(1, 43) for _ in range(27 if n == 23 else 30)]
    corpus = make_table("enterface", speakers)
    cv = huang2017.folds(corpus)
    ((train, test),) = cv.split(speakers, groups=corpus.speakers)
    assert len(set(corpus.speakers[test])) == 8
    assert len(test) == 240
    check_speaker_leakage([(train, test)], speakers=corpus.speakers)
    groups = corpus.speakers[train]
    ((learnt, validation),) = cv.inner().split(train, groups=groups)
    assert (len(set(groups[learnt])), len(set(groups[validation]))) == (30, 4)


def test_other_corpora_have_the_folds_of_leow(speech):
    folds = list(huang2017.folds(speech).split(speech.audio, groups=speech.speakers))
    assert len(folds) == 5
    check_speaker_leakage(folds, speakers=speech.speakers)


def test_listed_folds_know_their_validation_speakers():
    cv = ListedFolds([(("a",), ("b",)), (("b",), ("a",))])
    speakers = np.array(["a", "b", "c"], dtype=object)
    assert cv.get_n_splits() == 2
    splits = [(train.tolist(), test.tolist()) for train, test in cv.split(speakers, None, speakers)]
    assert splits == [([0, 2], [1]), ([1, 2], [0])]
    ((train, validation),) = cv.inner().split(speakers[1:], groups=speakers[1:])
    assert (train.tolist(), validation.tolist()) == ([1], [0])
    with pytest.raises(ValueError, match="a, b, c are the training speakers of 0 of the 2 folds"):
        next(cv.inner().split(speakers, groups=speakers))


# What is run at the scale of the paper.


def test_networks_of_the_paper_search_their_kernels(speech):
    systems = huang2017.pipelines("clean", speech, scale="paper")
    networks = {name: system[-1] for name, system in systems.items() if "DNN" in name}
    assert len(networks) == 8
    assert {name for name, last in networks.items() if isinstance(last, KernelSearch)} == {
        *("CLDNN s", "CLDNN t", "CLDNN st", "CLDNN fst", "CLDNN t, MFCC", "CLDNN fst, MFCC")
    }
    assert systems["CLDNN fst"][1].n_mels == 40
    assert systems["LDNN, MFCC"][1].n_mfcc == 13
    assert systems["LDNN"][-1].patience == 3
    heights = huang2017.pipelines("kernel-height", speech, scale="paper")
    sizes = [system[-1].kernel_sizes for name, system in heights.items() if "height" in name]
    assert sizes == [((height, 1), (3, 1)) for height in range(4, 31)]


@pytest.mark.parametrize("experiment", ["clean", "one-speaker-out"])
def test_five_sets_of_functionals(experiment, speech):
    pytest.importorskip("opensmile")
    systems = huang2017.pipelines(experiment, speech)
    names = [name for name in systems if name.startswith("IS")]
    assert [name[:4] for name in names] == ["IS09", "IS10", "IS11", "IS12", "IS13"]
    assert names[3].endswith("[6125 functionals, not 5757]")
    assert all(isinstance(systems[name], HoldoutSearchCV) for name in names)
    assert "ComParE_2016 + SVM" in systems


def test_the_kernel_that_validates_best_is_kept(speech):
    X = LogMelSpectrogram(n_mels=24).fit_transform(speech.audio)
    network = CLDNNClassifier("st", n_filters=2, lstm_hidden_size=2, max_epochs=1, random_state=0)
    search = KernelSearch(network, n_best=1).fit(X, speech.y, speakers=speech.speakers)
    sizes = np.array(search.network_.kernel_sizes)
    assert search.network_.convolution == "st"
    assert (sizes > 1).all()
    assert set(search.predict(X)) <= set(speech.y)
    assert search.predict_proba(X[:3]).shape == (3, 2)
