"""Planted leaks of every kind are found, declared ones are named, clean pipelines pass."""

import warnings
from functools import partial

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn.pipeline
import soundfile
from imblearn.over_sampling import SMOTE
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, KFold, PredefinedSplit
from sklearn.pipeline import FeatureUnion
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from serkit.datasets import make_emotional_speech
from serkit.evaluation import HoldoutSearchCV, Leak, LeakageError, check_leakage, compare
from serkit.evaluation._row_independence import Outputs, Rows
from serkit.feature_extraction import MFCC, CachedTransformer, FrameScaler, TemporalPooling
from serkit.model_selection import LeaveSpeakersOut
from serkit.neural_network import (
    AntiTransferClassifier,
    CRNNClassifier,
    MLPClassifier,
    SegmentAggregationClassifier,
)
from serkit.over_sampling import (
    AppendUniform,
    GANSampler,
    GaussianGenerator,
    LeakageWarning,
    RandomOverSampler,
)
from serkit.pipeline import Pipeline, make_pipeline
from serkit.preprocessing import AudioLoader, FixedLengthSegmenter, SpeakerStandardizer
from serkit.utils import as_ragged

MODEL = LogisticRegression()


def leaks_of(evaluation, features, **options):
    """Return the leaks of an evaluation on the features, in one fold."""
    corpus, X = features
    options = {"n_folds": 1, "on_leak": None} | options
    report = check_leakage(evaluation, X, corpus.y, speakers=corpus.speakers, **options)
    assert report.ok == (not report.leaks)
    return report.leaks


# What is done with all rows before the split.


def scaled(X, y, speakers, train, test):
    scaler = StandardScaler().fit(X)
    return MODEL.fit(scaler.transform(X)[train], y[train])


def reduced(X, y, speakers, train, test):
    X = PCA(2).fit_transform(X)
    return SVC().fit(X[train], y[train]).decision_function(X[test])


def selected(X, y, speakers, train, test):
    selector = SelectKBest(k=2).fit(X, y)
    X = selector.transform(X)
    return {"selector": selector, "model": clone(MODEL).fit(X[train], y[train])}


def sampled(sampler, X, y, speakers, train, test):
    """What is added to all rows goes to training."""
    X_more, y_more = clone(sampler).fit_resample(X, y)
    added = np.arange(len(X), len(X_more))
    rows = np.concatenate([train, added])
    return {"trained on": X_more[rows], "model": clone(MODEL).fit(X_more[rows], y_more[rows])}


def sampled_and_asked(sampler, X, y, speakers, train, test):
    return sampled(sampler, X, y, speakers, train, test)["model"].predict_proba(X[test])


def tuned_on_test(X, y, speakers, train, test):
    """The test part chooses C; only the chosen classifier is returned."""
    models = [SVC(C=C).fit(X[train], y[train]) for C in (1e-3, 0.1, 1.0, 10.0, 1e3)]
    return max(models, key=lambda model: model.score(X[test], y[test]))


def searched_with_test(X, y, speakers, train, test):
    search = GridSearchCV(SVC(), {"C": [0.1, 1.0]}, cv=predefined(len(y), test), refit=False)
    return search.fit(X, y)


def stopped_by_test(X, y, speakers, train, test):
    """No weight is trained on the test part, it says which epoch is kept."""
    X = StandardScaler().fit(X[train]).transform(X)
    network = MLPClassifier((4,), max_epochs=3, random_state=0)
    return network.set_params(validation=predefined(len(y), test)).fit(X, y)


def predefined(n_rows, test):
    fold = np.full(n_rows, -1)
    fold[test] = 0
    return PredefinedSplit(fold)


def fitted_before(X, y, speakers, train, test):
    network = MLPClassifier((4,), max_epochs=1, patience=None, random_state=0)
    embedding = FrozenEstimator(network.fit(X, y, speakers=speakers))
    return make_pipeline(embedding, MODEL).fit(X[train], y[train])


def referred_before(X, y, speakers, train, test):
    X = as_ragged(row[None, None].repeat(5, axis=1) for row in X)
    network = CRNNClassifier(n_filters=2, rnn_hidden_size=2, max_epochs=1, random_state=0)
    reference = FrozenEstimator(clone(network).fit(X, y, speakers=speakers))
    model = AntiTransferClassifier(network, reference, layers=[1], leakage="ignore")
    return model.fit(X[train], y[train], speakers=speakers[train])


def drawn_before(X, y, speakers, train, test):
    generator = FrozenEstimator(GaussianGenerator().fit(X, y))
    sampler = GANSampler(generator, sampling_strategy=AppendUniform(6))
    return make_pipeline(sampler, MODEL).fit(X[train], y[train])


BOTH, UTTERANCES, LABELS = ("utterances", "labels"), ("utterances",), ("labels",)


@pytest.mark.parametrize(
    ("evaluation", "kind", "step", "depends_on"),
    [
        (scaled, "fit", "LogisticRegression", UTTERANCES),
        (reduced, "output", "", UTTERANCES),
        (selected, "fit", "selector", BOTH),
        (partial(sampled, SMOTE(k_neighbors=1, random_state=0)), "fit", "trained on", BOTH),
        (partial(sampled_and_asked, SMOTE(k_neighbors=1, random_state=0)), "output", "", BOTH),
        (
            partial(sampled, RandomOverSampler(sampling_strategy={"anger": 40}, random_state=0)),
            "fit",
            "trained on",
            BOTH,
        ),
        (
            partial(sampled, GANSampler(GaussianGenerator(), sampling_strategy=AppendUniform(9))),
            "fit",
            "trained on",
            BOTH,
        ),
        (tuned_on_test, "fit", "SVC", None),
        (searched_with_test, "fit", "GridSearchCV", BOTH),
        (stopped_by_test, "fit", "MLPClassifier", BOTH),
        (fitted_before, "fit", "Pipeline__frozenestimator", BOTH),
        (referred_before, "fit", None, BOTH),
        (drawn_before, "fit", "Pipeline__gansampler__generator", BOTH),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_what_is_done_before_the_split_is_found(features, evaluation, kind, step, depends_on):
    unequal = features[0].y != "calm"
    unequal[:30] = True  # or there would be nothing to sample
    corpus, X = features
    leaks = leaks_of(evaluation, (corpus[unequal], X[unequal]))
    (leak,) = [leak for leak in leaks if leak.kind != "frozen"]
    assert leak.kind == kind
    assert step in (None, leak.step)
    if depends_on:
        assert leak.depends_on == depends_on


# What a cache brings back.


class ByRow:
    """Features behind a scaler of an earlier fold, looked up by what is no content."""

    def __init__(self):
        self.known = {}

    def __call__(self, X, y, speakers, train, test):
        scaler = StandardScaler().fit(X[train])
        rows = [self.known.setdefault(n, scaler.transform(x[None])[0]) for n, x in enumerate(X)]
        X = np.stack(rows)
        return SVC().fit(X[train], y[train]).decision_function(X[test])


class Remembering(TransformerMixin, BaseEstimator):
    """A fitted scaler that goes by the number of a row."""

    known: dict = {}  # noqa: RUF012

    def fit(self, X, y=None):
        self.scaler_ = StandardScaler().fit(X)
        return self

    def transform(self, X):
        Xt = self.scaler_.transform(X)
        return np.stack([self.known.setdefault((len(X), n), x) for n, x in enumerate(Xt)])


def test_what_is_remembered_by_something_else_than_content_is_found(features):
    (leak,) = leaks_of(ByRow(), features)
    assert (leak.kind, leak.step) == ("cache", "")
    assert "remembered by something else than their content" in str(leak)
    Remembering.known.clear()
    (leak,) = leaks_of(make_pipeline(Remembering(), MODEL), features)
    assert (leak.kind, leak.step) == ("cache", "remembering")


def test_features_remembered_by_file_name_are_found(tmp_path):
    """The poisoned files have the names of those whose place they take."""
    corpus = make_emotional_speech(3, ["anger", "sadness"], n_sentences=3, random_state=0)
    paths = [tmp_path / f"{row}.wav" for row in range(len(corpus))]
    for path, waveform in zip(paths, corpus.audio, strict=True):
        soundfile.write(path, waveform, 16000)
    labels = {"speakers": corpus.speakers, "n_folds": 1, "on_leak": None}
    for ignored, found in ((["folder"], ["cache"]), ([], [])):
        memory = joblib.Memory(tmp_path / f"memory {len(ignored)}", verbose=0)

        def evaluate(X, y, speakers, train, test, memory=memory, ignored=ignored):
            mean_level = memory.cache(read_level, ignore=ignored)
            X = np.array([mean_level(path.name, path.parent) for path in X])
            return LogisticRegression().fit(X[train], y[train]).decision_function(X[test])

        report = check_leakage(evaluate, paths, corpus.y, **labels)
        assert [leak.kind for leak in report.leaks] == found


def read_level(name, folder):
    waveform, _ = soundfile.read(folder / name)
    return np.abs(waveform).mean(), np.abs(np.diff(waveform)).mean()


def test_a_cache_of_fitted_steps_is_refused(features):
    corpus, X = features
    pipeline = make_pipeline(CachedTransformer(StandardScaler()), MODEL)
    with pytest.raises(ValueError, match="'StandardScaler' .* has something to learn"):
        check_leakage(pipeline, X, corpus.y, speakers=corpus.speakers)


# Splits, frozen parts, steps that look at other rows.


def test_speakers_on_both_sides_are_found(features):
    leaks = leaks_of(MODEL, features, cv=KFold(5))
    assert {leak.kind for leak in leaks} == {"speakers"}
    assert str(leaks[0]) == "fold 0: speakers s1 in training and test"


def known_network(corpus, X):
    network = MLPClassifier((4,), max_epochs=1, patience=None, random_state=0)
    return FrozenEstimator(network.fit(X, corpus.y, speakers=corpus.speakers))


def test_frozen_parts_that_know_test_speakers_are_found(features):
    corpus, X = features
    network = known_network(corpus, X)
    generator = FrozenEstimator(GaussianGenerator().fit(X, corpus.y))
    sampler = GANSampler(generator, sampling_strategy=AppendUniform(6), random_state=0)
    frames = as_ragged(row[None, None].repeat(5, axis=1) for row in X)
    crnn = CRNNClassifier(n_filters=2, rnn_hidden_size=2, max_epochs=1, random_state=0)
    reference = FrozenEstimator(clone(crnn).fit(frames, corpus.y, speakers=corpus.speakers))
    pipelines = {
        "was fitted on the speakers s1, and": (make_pipeline(network, MODEL), X),
        "fitted on 12 rows that are not among": (make_pipeline(sampler, MODEL), X),
        "trained on the speakers s1 and 12 utt": (
            AntiTransferClassifier(crnn, reference, layers=[1]),
            frames,
        ),
    }
    for message, (pipeline, data) in pipelines.items():
        leaks = leaks_of(pipeline, (corpus, data))
        assert {leak.kind for leak in leaks} == {"frozen"}
        assert message in str(leaks[0])


def test_whoever_silences_the_warning_of_a_frozen_part_is_not_told_again(features):
    pipeline = make_pipeline(known_network(*features), MODEL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LeakageWarning)
        assert leaks_of(pipeline, features) == ()


def centre(X):
    return X - X.mean(axis=0)


def test_steps_that_look_at_other_rows_are_found_at_any_depth(features):
    mixing = FunctionTransformer(centre)
    pipelines = {
        "functiontransformer": make_pipeline(StandardScaler(), mixing, StandardScaler(), MODEL),
        "inner__mixing": sklearn.pipeline.Pipeline(
            [("inner", Pipeline([("scale", StandardScaler()), ("mixing", mixing)])), ("m", MODEL)]
        ),
        "featureunion": make_pipeline(FeatureUnion([("a", mixing), ("b", "passthrough")]), MODEL),
        "mixing": GridSearchCV(
            Pipeline([("mixing", mixing), ("svc", SVC())]),
            {"svc__C": [1.0]},
            cv=LeaveSpeakersOut(),
        ),
    }
    for step, pipeline in pipelines.items():
        (leak,) = leaks_of(pipeline, features)
        assert leak == Leak("output", 0, step, depends_on=("utterances",))


class Balancing(LogisticRegression):
    """As many of every class in a batch, by honest scores."""

    def predict(self, X):
        ranks = self.decision_function(X)[:, 0].argsort().argsort()
        return self.classes_[ranks * len(self.classes_) // len(X)]


class Looking(LogisticRegression):
    """Classes by the number of a row, honest scores."""

    def predict(self, X):
        return self.classes_[np.arange(len(X)) // 2 % len(self.classes_)]


class Numbering(Balancing):
    """Classes that are large numbers."""

    def fit(self, X, y):
        return super().fit(X, 10**6 + np.unique(y, return_inverse=True)[1])


def test_classes_are_looked_at_and_not_only_scores(features):
    search = GridSearchCV(make_pipeline(Balancing()), {"balancing__C": [1.0]}, cv=3)
    for evaluation, kind, step in (
        (Balancing(), "output", "Balancing"),
        (make_pipeline(StandardScaler(), Balancing()), "output", "balancing"),
        (search, "output", "balancing"),
        (Numbering(), "output", "Numbering"),
        (make_pipeline(StandardScaler(), Looking()), "cache", "looking"),
    ):
        (leak,) = leaks_of(evaluation, features)
        assert (leak.kind, leak.step) == (kind, step)


def test_classes_that_stay_by_chance_are_not_taken_for_remembered():
    """Classes that go with the scores may well be those of before, others may not."""
    kept = np.array([True] * 3 + [False] * 3)
    classes = np.array([0, 1, 0, 1, 0, 1])
    predicted = Rows(classes, classes.copy(), kept)
    scores = np.eye(2)[classes]
    assert predicted.are_remembered()
    assert not Outputs("", Rows(scores, scores * 0.9, kept), (), predicted).are_remembered()
    assert Outputs("", Rows(scores, 1 - scores, kept), (), predicted).are_remembered()


def standardised(X, y, speakers, train, test):
    scaler = SpeakerStandardizer().fit(X[train], speakers=speakers[train])
    model = MODEL.fit(scaler.transform(X[train], speakers=speakers[train]), y[train])
    scores = model.decision_function(scaler.transform(X[test], speakers=speakers[test]))
    return {"scaler": scaler, "model": model, "scores": scores}


def test_declared_transductive_steps_are_named(features):
    corpus, X = features
    options = {"speakers": corpus.speakers, "n_folds": 1}
    pipeline = make_pipeline(StandardScaler(), SpeakerStandardizer(), MODEL)
    for evaluation in (pipeline, standardised):
        report = check_leakage(evaluation, X, corpus.y, **options)
        assert report.ok
        assert report.transductive == ("SpeakerStandardizer(unseen='own')",)
        assert "transductive: SpeakerStandardizer(unseen='own'): other utt" in str(report)
    whole = clone(pipeline).set_params(speakerstandardizer__unseen="global")
    assert check_leakage(whole, X, corpus.y, **options).transductive == ()


def test_a_declared_step_answers_for_itself_alone(features):
    """Neither what is fitted nor what stands behind it is excused."""

    def fitted_on_all(X, y, speakers, train, test):
        return standardised(X, y, speakers, np.arange(len(X)), test)

    (leak,) = leaks_of(fitted_on_all, features)
    assert (leak.kind, leak.step) == ("fit", "scaler")

    def told(X, y, speakers, train, test):
        results = standardised(X, y, speakers, train, test)
        return results | {"scores": results["scores"] + (y[test] == "fear")[:, None]}

    (leak,) = leaks_of(told, features)
    assert leak == Leak("output", 0, "scores", depends_on=("labels",))
    behind = make_pipeline(SpeakerStandardizer(), FunctionTransformer(centre), MODEL)
    (leak,) = leaks_of(behind, features)
    assert (leak.kind, leak.step) == ("output", "functiontransformer")


# What is clean passes.


@pytest.fixture(scope="module")
def speech():
    return make_emotional_speech(3, ["anger", "sadness"], n_sentences=2, random_state=0)


CRNN = CRNNClassifier(n_filters=2, rnn_hidden_size=2, max_epochs=1, random_state=0)
MFCCS = MFCC(n_mfcc=8)
CLEAN = {
    "statistics": make_pipeline(MFCCS, TemporalPooling(), StandardScaler(), SVC()),
    "network": make_pipeline(MFCCS, FrameScaler(), CRNN),
    "network without a seed": make_pipeline(MFCCS, clone(CRNN).set_params(random_state=None)),
    "segments": make_pipeline(
        MFCCS, SegmentAggregationClassifier(CRNN, FixedLengthSegmenter(30), aggregate="mean")
    ),
    "generated": make_pipeline(
        CachedTransformer(make_pipeline(MFCCS, TemporalPooling())),
        StandardScaler(),
        GANSampler(GaussianGenerator(), sampling_strategy=AppendUniform(6)),
        RandomForestClassifier(3),
    ),
    "search": HoldoutSearchCV(
        make_pipeline(MFCCS, TemporalPooling(), PCA(2), SelectKBest(k=1), SVC()),
        {"svc__C": [0.1, 1.0], "pca__n_components": [1, 2]},
    ),
}


@pytest.mark.parametrize("name", CLEAN)
@pytest.mark.filterwarnings("ignore")
def test_clean_pipelines_pass(speech, name):
    report = check_leakage(CLEAN[name], speech, random_state=3)
    assert str(report) == "no leak in folds 0, 2"


def scaled_inside(X, y, speakers, train, test):
    model = make_pipeline(StandardScaler(), RandomForestClassifier(3)).fit(X[train], y[train])
    return {"model": model, "classes": model.predict(X[test]), "p": model.predict_proba(X[test])}


def test_clean_evaluations_pass(features):
    corpus, X = features
    table = pd.DataFrame(X, columns=list("abcd")).assign(e=np.arange(48))
    options = {"speakers": corpus.speakers, "n_folds": None}
    for evaluation, X, y in (  # noqa: B020
        (scaled_inside, X, corpus.y),
        (make_pipeline(StandardScaler(), MODEL), table, corpus.y),
        (make_pipeline(StandardScaler(), Ridge()), table, np.arange(48.0)),
    ):
        report = check_leakage(evaluation, X, y, **options)
        assert report.ok
        assert report.folds == (0, 1, 2, 3)


def test_files_are_exchanged_too(speech, tmp_path):
    for row, waveform in enumerate(speech.audio):
        soundfile.write(tmp_path / f"{row}.wav", waveform, 16000)
    paths = [str(tmp_path / f"{row}.wav") for row in range(len(speech))]
    seen = []

    def evaluate(X, y, speakers, train, test):
        seen.append([X[row] for row in test])
        pipeline = make_pipeline(AudioLoader(), MFCCS, TemporalPooling(), SVC())
        return pipeline.fit(X[train], y[train]).decision_function(X[test])

    options = {"speakers": speech.speakers, "n_folds": 1}
    assert check_leakage(evaluate, paths, speech.y, **options).ok
    clean, first, second = seen
    assert [a != b for a, b in zip(clean, first, strict=True)] == [True, False] * 2
    assert [a != b for a, b in zip(clean, second, strict=True)] == [False, True] * 2


# Reports, arguments, compare.


def test_what_to_do_about_leaks(features):
    corpus, X = features
    options = {"speakers": corpus.speakers, "n_folds": 2}
    with pytest.raises(LeakageError, match="2 leaks in folds 0, 3\n  fold 0: what LogisticR"):
        check_leakage(scaled, X, corpus.y, **options)
    with pytest.warns(UserWarning, match="2 leaks in folds 0, 3"):
        report = check_leakage(scaled, X, corpus.y, on_leak="warn", **options)
    assert [leak.fold for leak in report.leaks] == [0, 3]
    with pytest.raises(LeakageError):
        report.raise_for_leaks()


def test_tuning_across_speakers_is_told(features):
    corpus, X = features
    search = GridSearchCV(MODEL, {"C": [1.0]}, cv=KFold(5))
    with pytest.warns(UserWarning, match="inner splits of 'GridSearchCV'"):
        report = check_leakage(search, X, corpus.y, speakers=corpus.speakers, n_folds=1)
    assert report.crossing
    assert "tuned across speakers" in str(report)


def test_chance_is_not_taken_for_a_leak(features):
    def by_chance(X, y, speakers, train, test):
        return np.random.default_rng().normal(size=len(test))

    def by_shared_chance(X, y, speakers, train, test):
        return scaled_inside(X, y, speakers, train, test)["p"] + np.random.rand()  # noqa: NPY002

    with pytest.raises(ValueError, match="two equal runs differ in what is returned"):
        leaks_of(by_chance, features)
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    assert leaks_of(by_shared_chance, features) == ()
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"evaluation": lambda *rows: 0.7}, TypeError, "returned 0.7: .* a score depends"),
        ({"evaluation": lambda *rows: {"C": {}}}, TypeError, "return estimators"),
        ({"evaluation": "svm"}, TypeError, "must be an estimator or a function"),
        ({"on_leak": "stop"}, ValueError, 'on_leak must be "raise"'),
        ({"n_folds": 0}, ValueError, "n_folds must be 1 or more"),
        ({"speakers": None}, ValueError, "y and speakers are needed"),
        ({"X": np.array([["a"]] * 48)}, TypeError, "utterances to be exchanged are"),
        ({"cv": [([0], [1], [2])]}, ValueError, "fold 0 has 3 parts"),
    ],
)
def test_mistakes_are_named(features, options, error, message):
    corpus, X = features
    given = {"evaluation": DummyClassifier(), "X": X, "y": corpus.y, "speakers": corpus.speakers}
    with pytest.raises(error, match=message):
        check_leakage(**given | options)


def test_a_corpus_has_speakers_of_its_own(features):
    corpus, _ = features
    with pytest.raises(ValueError, match="of its own"):
        check_leakage(DummyClassifier(), corpus, corpus.y)


def test_an_evaluation_that_fails_on_other_rows_says_why(features):
    def picky(X, y, speakers, train, test):
        if np.abs(X).max() > 9:
            raise RuntimeError("too loud")
        return DummyClassifier().fit(X[train], y[train])

    with pytest.raises(RuntimeError, match="too loud") as caught:
        leaks_of(picky, features)
    assert "test rows are exchanged for others" in caught.value.__notes__[0]


def test_compare_checks_what_it_is_about_to_run(features, tmp_path):
    corpus, X = features
    options = {"X": X, "results_dir": tmp_path, "verbose": 0}
    leaking = make_pipeline(FunctionTransformer(centre), MODEL)
    pipelines = {"clean": make_pipeline(SpeakerStandardizer(), MODEL), "leaking": leaking}
    with pytest.raises(LeakageError, match="functiontransformer") as caught:
        compare(corpus, pipelines, check_leakage=True, **options)
    assert caught.value.__notes__ == ["in pipeline 'leaking'"]
    assert not list((tmp_path / "folds").iterdir())
    compare(corpus, pipelines, **options)
    compare(corpus, pipelines, check_leakage=True, **options)  # nothing is left to run
