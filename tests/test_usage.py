"""The idioms of scikit-learn work with audio, metadata routing off and on."""

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn import config_context
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from serkit.datasets import load_manifest, make_emotional_speech
from serkit.feature_extraction import (
    MFCC,
    CachedTransformer,
    Deltas,
    FrameScaler,
    TemporalPooling,
)
from serkit.metrics import uar_scorer
from serkit.model_selection import LeaveSpeakersOut
from serkit.neural_network import DomainAdversarialClassifier
from serkit.preprocessing import AudioLoader, SilenceTrimmer, SpeakerStandardizer


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Files of speech with a manifest, as a user has them."""
    folder = tmp_path_factory.mktemp("corpus")
    made = make_emotional_speech(4, ["anger", "sadness"], n_sentences=3, random_state=0)
    table = made.table.assign(file=[f"{row}.wav" for row in range(len(made))])
    for file, waveform in zip(table["file"], made.audio, strict=True):
        soundfile.write(folder / file, waveform, made.sampling_rate)
    table[["file", "speaker", "emotion"]].to_csv(folder / "table.csv", index=False)
    return load_manifest(folder / "table.csv")


def make_steps(scaler=None):
    return [
        ("load", AudioLoader()),
        ("trim", SilenceTrimmer()),
        ("mfcc", MFCC(n_mfcc=13, n_fft=512, hop_length=160)),
        ("deltas", Deltas()),
        ("pool", TemporalPooling()),
        ("scale", scaler or StandardScaler()),
    ]


def make_classifier(scaler=None):
    return Pipeline([*make_steps(scaler), ("svm", SVC(kernel="linear", C=0.1))])


def test_fit_and_predict(corpus):
    pipeline = make_classifier().fit(corpus.audio, corpus.y)
    assert set(pipeline.predict(list(corpus.audio))) == {"anger", "sadness"}


@pytest.mark.parametrize("routing", [False, True])
def test_cross_val_score(corpus, routing):
    with config_context(enable_metadata_routing=routing):
        groups = {"params": {"groups": corpus.speakers}} if routing else {"groups": corpus.speakers}
        scores = cross_val_score(
            make_classifier(),
            corpus.audio,
            corpus.y,
            cv=LeaveSpeakersOut(2),
            scoring="balanced_accuracy",
            **groups,
        )
    assert len(scores) == 2
    assert scores.mean() > 0.7


@pytest.mark.parametrize("routing", [False, True])
def test_grid_over_transformer_and_model(corpus, routing):
    grid = {"mfcc__n_mfcc": [5, 13], "trim__top_db": [25, 60], "svm__C": [0.01, 0.1]}
    with config_context(enable_metadata_routing=routing):
        search = GridSearchCV(
            make_classifier(), grid, cv=LeaveSpeakersOut(2), scoring="balanced_accuracy"
        )
        search.fit(corpus.audio, corpus.y, groups=corpus.speakers)
    assert len(search.cv_results_["params"]) == 8
    assert search.best_params_.keys() == grid.keys()
    assert search.best_score_ > 0.7


def test_cross_val_score_of_a_network_that_needs_speakers(corpus):
    network = DomainAdversarialClassifier(
        n_filters=8, rnn_hidden_size=8, lr=1e-2, max_epochs=10, random_state=0
    )
    mfcc = MFCC(n_mfcc=13, n_fft=2048, hop_length=512)
    pipeline = Pipeline(
        [("load", AudioLoader()), ("mfcc", mfcc), ("scale", FrameScaler()), ("dat", network)]
    )
    data = (corpus.audio, corpus.y)
    options = {"cv": LeaveSpeakersOut(1), "scoring": uar_scorer}
    by_step = {"groups": corpus.speakers, "params": {"dat__speakers": corpus.speakers}}
    scores = cross_val_score(pipeline, *data, **options, **by_step)
    with config_context(enable_metadata_routing=True):
        routed = {"params": {"groups": corpus.speakers, "speakers": corpus.speakers}}
        np.testing.assert_array_equal(cross_val_score(pipeline, *data, **options, **routed), scores)
    assert scores.mean() > 0.6


def test_speakers_reach_scaler_and_scorer_with_routing(corpus):
    pipeline = make_classifier(SpeakerStandardizer())
    with config_context(enable_metadata_routing=True):
        scores = cross_validate(
            pipeline,
            corpus.audio,
            corpus.y,
            cv=LeaveSpeakersOut(1),
            scoring=uar_scorer,
            params={"groups": corpus.speakers, "speakers": corpus.speakers},
        )
    assert scores["test_score"].mean() > 0.7


@pytest.mark.parametrize("cached", [False, True])
def test_set_output_reaches_functionals(corpus, cached, tmp_path):
    steps = make_steps()
    if cached:
        steps = [("features", CachedTransformer(Pipeline(steps[:-1]), tmp_path)), steps[-1]]
    pipeline = Pipeline(steps).set_output(transform="pandas")
    frame = pipeline.fit_transform(corpus.audio)
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.columns) == list(pipeline[-2].get_feature_names_out())
    plain = Pipeline(make_steps()).fit_transform(corpus.audio)
    np.testing.assert_allclose(frame.to_numpy(), plain, rtol=1e-6)


def test_cached_features_give_the_same_scores(corpus, tmp_path):
    steps = make_steps()
    cached = Pipeline(
        [
            ("features", CachedTransformer(Pipeline(steps[:-1]), tmp_path)),
            steps[-1],
            ("svm", SVC(kernel="linear", C=0.1)),
        ]
    )
    options = {"groups": corpus.speakers, "cv": LeaveSpeakersOut(2)}
    plain = cross_val_score(make_classifier(), corpus.audio, corpus.y, **options)
    for _ in ("cold", "warm"):
        scores = cross_val_score(cached, corpus.audio, corpus.y, **options)
        np.testing.assert_array_equal(scores, plain)
