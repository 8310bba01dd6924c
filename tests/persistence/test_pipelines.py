"""Pipelines, searches and plain parts of scikit-learn in files, and what is refused."""

import warnings

import numpy as np
import pytest
import sklearn
from imblearn.over_sampling import SMOTE
from numpy.testing import assert_array_equal
from scipy.stats import loguniform
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, StackingClassifier, VotingClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier as PlainMLPClassifier
from sklearn.pipeline import FeatureUnion
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    OneHotEncoder,
    SplineTransformer,
    StandardScaler,
)
from sklearn.svm import SVC, LinearSVC

import serkit
from serkit.augmentation import NoiseMixer, SpecAugment
from serkit.datasets import make_emotional_speech
from serkit.evaluation import HoldoutSearchCV
from serkit.feature_extraction import (
    MFCC,
    CachedTransformer,
    FrameScaler,
    LogMelSpectrogram,
    OpenSmileFunctionals,
    TemporalPooling,
)
from serkit.metrics import uar_scorer
from serkit.model_selection import LeaveSpeakersOut
from serkit.neural_network import CRNNClassifier, MLPClassifier
from serkit.over_sampling import GANSampler, GaussianGenerator
from serkit.persistence import describe
from serkit.pipeline import make_pipeline
from serkit.preprocessing import AudioLoader, SpeakerStandardizer

CORPUS = make_emotional_speech(n_speakers=4, n_sentences=1, random_state=0)
AUDIO, Y, SPEAKERS = CORPUS.audio, CORPUS.y, CORPUS.speakers
NOISE = np.random.default_rng(0).normal(size=8000)
FOLDS = {"cv": LeaveSpeakersOut(2), "scoring": uar_scorer}


def features():
    return make_pipeline(AudioLoader(), MFCC(n_mfcc=5), TemporalPooling())


VECTORS = features().fit_transform(AUDIO)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "model.serkit"


def mel(**options):
    return make_pipeline(AudioLoader(), LogMelSpectrogram(n_mels=8), **options)


OF_AUDIO = {
    "sampler": make_pipeline(
        NoiseMixer([NOISE], random_state=0), *features(), StandardScaler(), LinearSVC()
    ),
    "network": make_pipeline(
        *mel(),
        FrameScaler(),
        CRNNClassifier(n_filters=4, rnn_hidden_size=4, max_epochs=1, augment=SpecAugment()),
    ),
    "union": make_pipeline(
        FeatureUnion([("mfcc", features()), ("mel", make_pipeline(*mel(), TemporalPooling()))]),
        ColumnTransformer([("one", StandardScaler(), slice(0, 3)), ("two", MinMaxScaler(), [3])]),
        LogisticRegression(),
    ),
}
OF_VECTORS = {
    "SMOTE": make_pipeline(StandardScaler(), SMOTE(k_neighbors=2), SVC()),
    "generator": make_pipeline(StandardScaler(), GANSampler(GaussianGenerator()), SVC()),
    "search": GridSearchCV(make_pipeline(StandardScaler(), SVC()), {"svc__C": [1, 2]}, **FOLDS),
    "plain search": GridSearchCV(SVC(), {"C": [1, 2]}, cv=KFold(2)),
    "random search": RandomizedSearchCV(SVC(), {"C": [1, 2]}, n_iter=1, cv=GroupKFold(2)),
    "holdout": HoldoutSearchCV(LinearSVC(), {"C": [1, 2]}, **FOLDS),
    "voting": VotingClassifier([("lr", LogisticRegression()), ("mlp", MLPClassifier((4,)))]),
    "stacking": StackingClassifier([("lr", LogisticRegression()), ("svc", SVC())], cv=2),
    "calibrated": CalibratedClassifierCV(LinearSVC(), cv=2),
    "neighbours": KNeighborsClassifier(algorithm="kd_tree"),
    "selection": make_pipeline(SelectKBest(k=2), SGDClassifier(random_state=0)),
    "plain network": PlainMLPClassifier((4,), max_iter=5),
    "imputer": make_pipeline(SimpleImputer(), KNNImputer(), SVC()),
    "bins": make_pipeline(KBinsDiscretizer(3), LogisticRegression()),
    "types": make_pipeline(
        OneHotEncoder(dtype=np.float32, sparse_output=False), MLPClassifier((4,))
    ),
    "function": make_pipeline(FunctionTransformer(np.abs), SVC()),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [*OF_AUDIO, *OF_VECTORS])
def test_a_loaded_model_predicts_what_the_saved_one_did(name, file):
    model, X = (OF_AUDIO[name], AUDIO) if name in OF_AUDIO else (OF_VECTORS[name], VECTORS)
    if isinstance(model, VotingClassifier):
        model.set_params(mlp__max_epochs=1)
    groups = {"groups": SPEAKERS} if hasattr(model, "cv") and hasattr(model, "scoring") else {}
    model.fit(X, Y, **groups)
    serkit.save(model, file, card=False)
    loaded = serkit.load(file)
    assert type(loaded) is type(model)
    assert_array_equal(loaded.predict(X), model.predict(X))
    assert loaded.score(X, Y) == model.score(X, Y)
    if hasattr(model, "best_params_"):
        assert loaded.best_params_ == model.best_params_
        assert loaded.cv_results_.keys() == model.cv_results_.keys()


@pytest.mark.parametrize("scaler", [StandardScaler(), SpeakerStandardizer()])
def test_a_tuned_threshold_is_kept(scaler, file):
    model = make_pipeline(scaler, LogisticRegression())
    tuned = TunedThresholdClassifierCV(model, scoring="f1", cv=2)
    y = np.arange(len(VECTORS)) % 2
    tuned.fit(VECTORS, y)
    serkit.save(tuned, file, card=False)
    loaded = serkit.load(file)
    assert loaded.best_threshold_ == tuned.best_threshold_
    assert_array_equal(loaded.predict(VECTORS), tuned.predict(VECTORS))
    loaded.fit(VECTORS, y)


def test_types_of_numpy_are_kept(file):
    types = [np.float32, np.dtype("i2"), np.bool_, np.dtype("U3"), np.dtype(object)]
    model = SpeakerStandardizer().fit(VECTORS)
    model.types_ = types
    serkit.save(model, file, card=False)
    assert serkit.load(file).types_ == types


def test_a_cache_stays_on_the_machine_that_has_it(file, tmp_path):
    cache = tmp_path / "cache"
    steps = (CachedTransformer(features(), cache), StandardScaler(), SVC())
    model = make_pipeline(*steps, memory=str(tmp_path / "memory")).fit(AUDIO, Y)
    serkit.save(model, file, card=False)
    assert str(tmp_path).encode() not in file.read_bytes()
    loaded = serkit.load(file)
    assert loaded[0].location is None
    assert loaded.memory is None
    before = sorted(cache.rglob("*"))
    assert_array_equal(loaded.predict(AUDIO), model.predict(AUDIO))
    assert sorted(cache.rglob("*")) == before


def test_requests_for_speakers_are_kept(file):
    with sklearn.config_context(enable_metadata_routing=True):
        model = make_pipeline(StandardScaler(), SpeakerStandardizer(), LogisticRegression())
        model[-1].set_fit_request(sample_weight=True)
        model[0].set_fit_request(sample_weight=False)
        model.fit(VECTORS, Y, speakers=SPEAKERS, sample_weight=np.ones(len(Y)))
        serkit.save(model, file, card=False)
        loaded = serkit.load(file)
        expected = model.predict(VECTORS, speakers=SPEAKERS)
        assert_array_equal(loaded.predict(VECTORS, speakers=SPEAKERS), expected)
        loaded.fit(VECTORS, Y, speakers=SPEAKERS, sample_weight=np.ones(len(Y)))


def test_a_search_does_without_what_no_file_can_hold(file):
    search = RandomizedSearchCV(
        SVC(), {"C": loguniform(0.1, 1)}, n_iter=1, cv=2, scoring=lambda model, X, y: 0.5
    )
    search.fit(VECTORS, Y)
    with pytest.warns(UserWarning, match="default: param_distributions, scoring"):
        serkit.save(search, file, card=False)
    assert_array_equal(serkit.load(file).predict(VECTORS), search.predict(VECTORS))


def test_what_is_shared_stays_shared(file):
    scaler = StandardScaler().fit(VECTORS)
    model = FeatureUnion([("one", scaler), ("two", scaler), ("net", SpeakerStandardizer())])
    model.transformer_list[2][1].fit(VECTORS)
    serkit.save(model, file, card=False)
    (_, one), (_, two), _ = serkit.load(file).transformer_list
    assert one is two


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            HistGradientBoostingClassifier(max_iter=2),
            "TreePredictor, which a file made by someone else could use to crash",
        ),
        (SplineTransformer(), "SplineTransformer holds .*BSpline"),
        (GaussianProcessClassifier(), "GaussianProcessClassifier.*holds .*kernels"),
        (
            make_pipeline(FunctionTransformer(lambda X: X), SVC()),
            r"Pipeline.steps\[0\]\[1\].*FunctionTransformer.*<lambda>",
        ),
    ],
)
def test_what_cannot_be_saved_is_named(model, message, file):
    model.fit(VECTORS, Y)
    with pytest.raises(TypeError, match=message):
        serkit.save(model, file)
    assert not file.exists()


def test_a_configuration_file_is_no_part_of_a_model(file):
    with pytest.raises(
        TypeError, match=r"OpenSmileFunctionals\.config_path names the file my\.conf"
    ):
        serkit.save(make_pipeline(OpenSmileFunctionals(config_path="my.conf")), file)


def test_another_version_of_scikit_learn_is_warned_of(file, monkeypatch):
    model = make_pipeline(SpeakerStandardizer(), SVC()).fit(VECTORS, Y)
    monkeypatch.setattr("sklearn.base.__version__", "1.0")
    serkit.save(model, file, card=False)
    monkeypatch.undo()
    with pytest.warns(sklearn.exceptions.InconsistentVersionWarning, match="1.0"):
        serkit.load(file)


def test_networks_need_no_skops(file, monkeypatch):
    model = make_pipeline(SpeakerStandardizer(), MLPClassifier((4,), max_epochs=1))
    model.fit(VECTORS, Y)
    monkeypatch.setitem(__import__("sys").modules, "skops.io", None)
    serkit.save(model, file, card=False)
    assert_array_equal(serkit.load(file).predict(VECTORS), model.predict(VECTORS))
    with pytest.raises(ImportError, match=r'serkit\.save needs.*pip install "serkit\[persist\]"'):
        serkit.save(SVC().fit(VECTORS, Y), file)


def test_nothing_is_lost_without_a_word(file):
    model = make_pipeline(StandardScaler(), SVC()).fit(VECTORS, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        serkit.save(model, file, card=False)
    assert describe(file)["classes"] == [
        "serkit.pipeline:Pipeline",
        "sklearn.preprocessing:StandardScaler",
        "sklearn.svm:SVC",
    ]
