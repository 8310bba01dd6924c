"""All pairs of corpora: what stands where, with which labels, and that a run goes on."""

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from serkit.datasets import load_emodb, load_nemo, load_ravdess, make_emotional_speech
from serkit.evaluation import compare, cross_corpus_matrix, cross_corpus_validate
from serkit.feature_extraction import LogMelSpectrogram, TemporalPooling
from serkit.model_selection import LeaveSpeakersOut
from serkit.neural_network import MLPClassifier
from serkit.pipeline import make_pipeline
from serkit.preprocessing import AudioLoader, SpeakerStandardizer

STATISTICS = make_pipeline(
    LogMelSpectrogram(n_mels=8, n_fft=512, hop_length=256), TemporalPooling()
)


def make_corpus(name, *, seed=0, emotions=("anger", "sadness"), n_speakers=3):
    corpus = make_emotional_speech(n_speakers, list(emotions), n_sentences=2, random_state=seed)
    corpus.name = name
    return corpus


@pytest.fixture(scope="module")
def made():
    """Three corpora whose speakers have the same names; the last one has an emotion more."""
    emotions = ("anger", "fear", "sadness")
    return [
        make_corpus("one"),
        make_corpus("two", seed=1),
        make_corpus("three", seed=2, emotions=emotions, n_speakers=2),
    ]


def svm(scaler=None):
    return make_pipeline(*[step for _, step in STATISTICS.steps], scaler or StandardScaler(), SVC())


def network(**options):
    options = {"dropout": 0.0, "lr": 0.05, "max_epochs": 2, "batch_size": 8} | options
    mlp = MLPClassifier((8,), **options)
    return make_pipeline(*[step for _, step in STATISTICS.steps], StandardScaler(), mlp)


def run(made, estimators=None, **options):
    return cross_corpus_matrix(estimators or {"SVM": svm()}, made, verbose=0, **options)


def test_every_pair_stands_in_its_place(made):
    scores = run(made)
    matrix = scores.matrix("SVM")
    names = ["one", "two", "three"]
    assert list(matrix.columns) == names
    assert list(matrix.index) == [*names, "all others"]
    assert matrix.notna().all().all()
    assert len(scores.frame) == 3 + 6 + 3
    assert (scores.frame["training"] == "in-corpus").sum() == 3
    expected = cross_corpus_validate(
        svm(), made[0], made[2], labels=["anger", "sadness"], unfreeze=0, in_corpus=False
    )
    assert expected.pipelines == ["zero-shot"]
    assert matrix.loc["one", "three"] == expected.table().loc["zero-shot", "UAR"]
    alone = compare(made[0], {"SVM": svm()}, verbose=0).table().loc["SVM"]
    assert matrix.loc["one", "one"] == alone["UAR"]
    assert scores.matrix("SVM", "WA mean").loc["one", "one"] == alone["WA mean"]


def test_all_others_are_trained_on_together(made, monkeypatch):
    """What was fitted has seen every utterance but those of the target, and no name twice."""
    seen = []
    original = MLPClassifier.fit

    def watch(self, X, y, *, speakers):
        seen.append(set(speakers))
        return original(self, X, y, speakers=speakers)

    monkeypatch.setattr(MLPClassifier, "fit", watch)
    run(made, {"MLP": network()}, in_corpus=False)
    together = [speakers for speakers in seen if len(speakers) > 3]
    assert together == [
        {"two:01", "two:02", "two:03", "three:01", "three:02"},
        {"one:01", "one:02", "one:03", "three:01", "three:02"},
        {"one:01", "one:02", "one:03", "two:01", "two:02", "two:03"},
    ]
    assert len(seen) == 6  # every source once, for all targets


def test_emotions_of_each_pair(made):
    emotions = run(made, labels="pair", pooled=False).frame.set_index(["source", "target"])
    assert emotions.loc[("one", "three"), "emotions"] == "anger, sadness"
    assert emotions.loc[("three", "three"), "emotions"] == "anger, fear, sadness"
    assert emotions.loc[("three", "three"), "utterances"] == 12
    mapping = {"anger": "active", "sadness": "passive", "fear": "passive"}
    mapped = run(made, labels=mapping, pooled=False)
    assert set(mapped.frame["emotions"]) == {"active, passive"}
    assert mapped.frame["utterances"].tolist() == [12] * 9
    assert "emotions: active, passive." in str(mapped)


def test_networks_are_tuned_and_others_are_not(made, tmp_path):
    options = {"unfreeze": (0, 1), "fine_tune": {"max_epochs": 1}, "pooled": False}
    scores = run(made[:2], {"SVM": svm(), "MLP": network()}, **options)
    trained = scores.frame.groupby("estimator")["training"].agg(set)
    assert trained["SVM"] == {"in-corpus", "zero-shot"}
    assert trained["MLP"] == {"in-corpus", "zero-shot", "last 1 tuned"}
    assert scores.matrix("SVM", training="last 1 tuned").isna().sum().sum() == 2
    assert "MLP, last 1 tuned: UAR in percent" in str(scores)
    assert "SVM, last 1 tuned" not in str(scores)
    path = scores.to_csv(tmp_path / "across" / "scores.csv")
    assert len(path.read_text().splitlines()) == 1 + len(scores.frame)


def test_classifiers_that_need_speakers_get_them(made):
    search = GridSearchCV(svm(SpeakerStandardizer()), {"svc__C": [1.0]}, cv=LeaveSpeakersOut())
    scores = run(made[:2], {"own": svm(SpeakerStandardizer()), "search": search})
    assert set(scores.frame["transductive"]) == {"SpeakerStandardizer(unseen='own')"}
    assert "*transductive: SpeakerStandardizer" in str(scores)


def test_folds_of_each_corpus(made):
    cv = {
        "three": LeaveSpeakersOut(groups=[("three:01",), ("three:02",)]),
        "one": LeaveSpeakersOut(2),
    }
    folds = run(made, cv=cv, pooled=False).frame.groupby("target")["folds"].agg(set)
    assert folds.to_dict() == {"three": {2}, "one": {2}, "two": {3}}


def test_a_stopped_run_goes_on(made, tmp_path, monkeypatch):
    fits = []
    original = GaussianNB.fit

    def count(self, X, y, **metadata):
        fits.append(len(y))
        return original(self, X, y, **metadata)

    monkeypatch.setattr(GaussianNB, "fit", count)
    estimators = {"Bayes": make_pipeline(*[step for _, step in STATISTICS.steps], GaussianNB())}
    first = run(made, estimators, results_dir=tmp_path, in_corpus=False)
    assert len(fits) == 6
    again = run(made, estimators, results_dir=tmp_path, in_corpus=False)
    assert len(fits) == 6
    assert again.frame.equals(first.frame)


@pytest.mark.parametrize(
    ("corpora", "options", "message"),
    [
        ([make_corpus("one")], {}, "two or more with different names"),
        ([make_corpus("one"), make_corpus("one")], {}, "different names"),
        ([make_corpus("one"), make_corpus("all others")], {}, "none is 'all others'"),
        (
            [make_corpus("one"), make_corpus("two", emotions=("anger", "fear"))],
            {},
            r"two emotions that all corpora have are needed; one has \['anger', 'sadness'\]",
        ),
        ([make_corpus("one"), make_corpus("two")], {"labels": "both"}, 'must be "all", "pair"'),
        ([make_corpus("one"), make_corpus("two")], {"estimators": {}}, "with one or more"),
    ],
)
def test_mistakes_are_named(corpora, options, message):
    with pytest.raises(ValueError, match=message):
        cross_corpus_matrix(**{"estimators": {"SVM": svm()}, "corpora": corpora, **options})


def test_what_is_not_there_is_named(made):
    scores = run(made[:2])
    for options, message in (
        ({"estimator": "CRNN"}, "no estimator 'CRNN'; there are .'SVM'."),
        ({"estimator": "SVM", "metric": "CCC"}, "no metric 'CCC'"),
        ({"estimator": "SVM", "training": "tuned"}, "no training 'tuned'"),
    ):
        with pytest.raises(ValueError, match=message):
            scores.matrix(**options)


@pytest.mark.corpus
def test_real_corpora_lose_most_of_what_they_have_alone(corpora_of_three_languages):
    features = [
        AudioLoader(),
        LogMelSpectrogram(n_mels=20, n_fft=512, hop_length=512),
        TemporalPooling(("mean", "std")),
    ]
    pipeline = make_pipeline(*features, StandardScaler(), SVC(kernel="linear", C=0.1))
    scores = run(corpora_of_three_languages, {"SVM": pipeline}, cv=LeaveSpeakersOut(4))
    matrix = 100 * scores.matrix("SVM")
    assert set(scores.frame["emotions"]) == {"anger, fear, happiness, neutral, sadness"}
    alone = np.diag(matrix)
    assert (alone > 25).all()
    across = matrix.to_numpy()[:3][~np.eye(3, dtype=bool)]
    assert across.mean() < alone.mean() - 5


@pytest.fixture
def corpora_of_three_languages(corpora):
    """Every sixth utterance, so that it takes seconds."""
    loaders = {"emodb": load_emodb, "nemo": load_nemo, "ravdess": load_ravdess}
    whole = [load(corpora / name) for name, load in loaders.items()]
    return [corpus[np.arange(0, len(corpus), 6)] for corpus in whole]
