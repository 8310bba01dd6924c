"""Utterances classified by their segments: what goes in, and how it comes together."""

import warnings
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
from imblearn.over_sampling import RandomOverSampler
from imblearn.under_sampling import RandomUnderSampler
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils import get_tags
from torch import nn

from serkit import pipeline as serkit_pipeline
from serkit.datasets import Corpus
from serkit.evaluation import compare
from serkit.feature_extraction import Deltas, FrameScaler, LogMelSpectrogram, TemporalPooling
from serkit.metrics import uar_scorer
from serkit.model_selection import LeaveSpeakersOut
from serkit.modules import UtteranceNetwork
from serkit.neural_network import CRNNClassifier, NeuralClassifier, SegmentAggregationClassifier
from serkit.preprocessing import FixedLengthSegmenter, SpeakerStandardizer
from serkit.testing import RecordingClassifier, parametrize_with_checks
from serkit.utils import SignalWarning, as_ragged

OF_FRAMES = make_pipeline(TemporalPooling(), LogisticRegression())
OF_AUDIO = make_pipeline(
    LogMelSpectrogram(n_mels=5, n_fft=64, hop_length=32),
    TemporalPooling(),
    StandardScaler(),
    LogisticRegression(),
)
#: Cuts the frames of the corpus, 8 to 12, into one to three segments.
SEGMENTER = FixedLengthSegmenter(8, hop=2, tail="drop")


class Told(ClassifierMixin, BaseEstimator):
    """A classifier that is told its posteriors: they are what the segments hold."""

    calls = 0

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        Told.calls += 1
        return np.stack(list(X))

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


# How segments come together.


@pytest.mark.parametrize(
    ("aggregate", "expected"),
    [
        ("max", [[0.9 / 1.7, 0.8 / 1.7], [0.4, 0.6], [0.7 / 1.2, 0.5 / 1.2]]),
        ("mean", [[1.3 / 3, 1.7 / 3], [0.4, 0.6], [0.6, 0.4]]),
        ("vote", [[1 / 3, 2 / 3], [0.0, 1.0], [1.0, 0.0]]),
    ],
)
def test_posteriors_of_three_one_and_two_segments(aggregate, expected):
    X = [np.array([0.9, 0.1, 0.2, 0.8, 0.2, 0.8]), np.array([0.4, 0.6]), np.array([0.7, 0.3] * 2)]
    X[2][2:] = 0.5
    model = SegmentAggregationClassifier(Told(), FixedLengthSegmenter(2), aggregate=aggregate)
    model.fit(X, ["anger", "joy", "anger"])
    posteriors = model.predict_proba(X)
    np.testing.assert_allclose(posteriors, expected, rtol=1e-12)
    np.testing.assert_allclose(posteriors.sum(axis=1), 1, rtol=1e-12)
    first = "anger" if aggregate == "max" else "joy"
    assert model.predict(X).tolist() == [first, "joy", "anger"]
    _, parents = model.predict_segments(X)
    assert parents.tolist() == [0, 0, 0, 1, 2, 2]


@pytest.mark.parametrize("aggregate", ["max", "mean", "vote"])
def test_a_permutation_of_utterances_permutes_predictions(corpus, aggregate):
    model = SegmentAggregationClassifier(OF_FRAMES, SEGMENTER, aggregate=aggregate)
    model.fit(corpus.X, corpus.y)
    order = np.random.default_rng(1).permutation(len(corpus.X))
    np.testing.assert_allclose(
        model.predict_proba(corpus.X[order]), model.predict_proba(corpus.X)[order], rtol=1e-5
    )
    assert model.score(corpus.X, corpus.y) > 0.9


def test_segments_are_predicted_in_one_call(corpus):
    model = SegmentAggregationClassifier(Told(), FixedLengthSegmenter(2))
    X = [np.array([0.3, 0.7] * (row + 1)) for row in range(20)]
    model.fit(X, corpus.y[:20])
    Told.calls = 0
    outputs, _ = model.predict_segments(X)
    assert outputs.shape == (210, 2)
    assert Told.calls == 1


def test_votes_need_no_posteriors(corpus):
    svc = make_pipeline(TemporalPooling(), SVC())
    model = SegmentAggregationClassifier(svc, SEGMENTER, aggregate="vote")
    outputs, parents = model.fit(corpus.X, corpus.y).predict_segments(corpus.X)
    of_last = outputs[parents == 23]
    shares = model.predict_proba(corpus.X)[23]
    assert shares.tolist() == [(of_last == label).mean() for label in ("anger", "joy")]
    for aggregate in ("max", "mean"):
        with pytest.raises(
            ValueError, match='Pipeline has no predict_proba; use aggregate="vote"$'
        ):
            model.set_params(aggregate=aggregate).fit(corpus.X, corpus.y)
    with pytest.raises(ValueError, match="must be a classifier, not LinearRegression"):
        model.set_params(estimator=LinearRegression()).fit(corpus.X, corpus.y)


# What segments inherit.


def numbered(n_segments):
    """Return utterances of so many segments, each holding the row of its utterance."""
    return as_ragged(np.full((1, 1, 4 * n), row) for row, n in enumerate(n_segments))


def recorder(segmenter=None, **settings):
    return SegmentAggregationClassifier(
        RecordingClassifier(), segmenter or FixedLengthSegmenter(4), aggregate="vote", **settings
    )


def test_segments_have_the_label_speaker_and_weight_of_their_utterance():
    model = recorder()
    model.fit(
        numbered([2, 1, 3]), ["b", "a", "c"], speakers=["x", None, "z"], sample_weight=[1, 2, 3]
    )
    assert model.estimator_.y_.tolist() == list("bbaccc")
    assert model.estimator_.speakers_.tolist() == ["x", "x", None, "z", "z", "z"]
    assert model.estimator_.sample_weight_.tolist() == [1, 1, 2, 3, 3, 3]
    assert [segment[0, 0, 0] for segment in model.estimator_.X_] == [0, 0, 1, 2, 2, 2]
    model.fit(numbered([2, 1, 3]), ["b", "a", "c"])
    assert model.estimator_.speakers_ is model.estimator_.sample_weight_ is None


def test_dropped_utterances_are_left_out_of_training_but_never_of_predictions():
    X = as_ragged([np.ones((1, 1, n)) for n in (8, 3, 5, 2)])
    model = recorder(FixedLengthSegmenter(5, short="drop"))
    with pytest.warns(SignalWarning, match=r"utterances 1, 3: shorter .* dropped \(2 of 4\)"):
        model.fit(X, ["b", "c", "c", "b"], speakers=list("wxyz"), sample_weight=[1, 2, 3, 4])
    assert model.estimator_.y_.tolist() == ["b", "b", "c"]
    assert model.estimator_.speakers_.tolist() == ["w", "w", "y"]
    assert model.estimator_.sample_weight_.tolist() == [1, 1, 3]
    assert model.classes_.tolist() == ["b", "c"]
    assert len(model.predict(X[::2])) == 2
    for method in (model.predict, model.predict_proba, model.predict_segments):
        with (
            pytest.warns(SignalWarning, match="dropped"),
            pytest.raises(ValueError, match="utterances 1, 3: too short .* short='pad' or short="),
        ):
            method(X)


def test_a_class_of_which_every_utterance_is_dropped_is_named():
    X = as_ragged([np.ones((1, 1, n)) for n in (8, 3, 5, 2, 6, 4)])
    model = recorder(FixedLengthSegmenter(5, short="drop"))
    with (
        pytest.warns(SignalWarning, match="dropped"),
        pytest.raises(ValueError, match="all utterances of 'a', 'd' are too short .* short='pad'"),
    ):
        model.fit(X, ["b", "a", "c", "d", "c", "d"])


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"speakers": ["x"] * 3}, "speakers has 3 labels for 2 utterances"),
        ({"sample_weight": [1.0] * 3}, "sample_weight.shape"),
        ({"y": ["a"] * 3}, "inconsistent numbers of samples"),
    ],
    ids=["speakers", "sample_weight", "y"],
)
def test_metadata_are_one_per_utterance(metadata, message):
    with pytest.raises(ValueError, match=message):
        recorder().fit(numbered([2, 1]), **{"y": ["a", "b"], **metadata})


def test_weights_need_somebody_who_takes_them(corpus):
    X, y, weight = corpus.X, corpus.y, np.where(corpus.y == "joy", 0.0, 1.0)
    weight[0] = 2
    model = SegmentAggregationClassifier(OF_FRAMES, SEGMENTER)
    for inner in (OF_FRAMES, KNeighborsClassifier()):
        with pytest.raises(ValueError, match=f"{type(inner).__name__} does not take it"):
            model.set_params(estimator=inner).fit(X, y, sample_weight=weight)
    with config_context(enable_metadata_routing=True):
        logistic = LogisticRegression().set_fit_request(sample_weight=True)
    model.set_params(estimator=make_pipeline(TemporalPooling(), logistic))
    assert model.fit(X, y).score(X, y) > 0.9
    assert set(model.fit(X, y, sample_weight=weight).predict(X)) == {"anger"}


# Speakers.


class Watch(LeaveSpeakersOut):
    """Holds one speaker out, and remembers who was on which side."""

    splits: ClassVar[list] = []

    def split(self, X, y=None, groups=None):
        for train, valid in super().split(X, y, groups):
            Watch.splits.append((groups[train], groups[valid]))
            yield train, valid


@pytest.fixture
def watched(corpus, tiny):
    """A network whose validation is watched; it gets more segments than utterances."""
    Watch.splits = []
    yield SegmentAggregationClassifier(CRNNClassifier(validation=Watch(), **tiny), SEGMENTER)
    assert Watch.splits
    for train, valid in Watch.splits:
        assert not set(train) & set(valid)
    assert max(len(train) + len(valid) for train, valid in Watch.splits) > len(corpus.X)


@pytest.mark.parametrize("routing", [False, True], ids=["without routing", "with routing"])
@pytest.mark.parametrize("inside", [False, True], ids=["bare", "pipeline inside"])
@pytest.mark.parametrize("around", [False, True], ids=["alone", "pipeline around"])
def test_speakers_reach_the_validation_of_the_network(corpus, watched, routing, inside, around):
    if inside:
        network = serkit_pipeline.make_pipeline(Deltas(width=3), FrameScaler(), watched.estimator)
        watched.set_params(estimator=network)
    model = serkit_pipeline.Pipeline([("scale", FrameScaler()), ("segments", watched)])
    prefix = "" if routing else "segments__"
    if not around:
        model, prefix = watched, ""
    with config_context(enable_metadata_routing=routing):
        model.fit(corpus.X, corpus.y, **{f"{prefix}speakers": corpus.speakers})
        assert len(model.predict(corpus.X)) == len(corpus.X)
    ((train, valid),) = Watch.splits
    assert set(valid) == {"a"}
    assert len(train) + len(valid) == len(SEGMENTER.split(corpus.X)[1])


@pytest.mark.parametrize("routing", [False, True], ids=["without routing", "with routing"])
def test_grid_search_over_nested_parameters(corpus, watched, routing):
    grid = {"estimator__lr": [1e-3, 1e-2], "segmenter__hop": [1, 4], "aggregate": ["mean"]}
    search = GridSearchCV(watched, grid, cv=LeaveSpeakersOut(2), scoring=uar_scorer)
    with config_context(enable_metadata_routing=routing):
        search.fit(corpus.X, corpus.y, groups=corpus.speakers, speakers=corpus.speakers)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_estimator_.estimator_.lr == search.best_params_["estimator__lr"]
    in_search = [set(train) | set(valid) for train, valid in Watch.splits[:-1]]
    assert {len(speakers) for speakers in in_search} == {2}


def test_compare(corpus, watched):
    rng = np.random.default_rng(0)
    waveforms = [rng.normal(size=800 + 90 * (row % 5)) / 9 for row in range(24)]
    audio = Corpus(
        {"speaker": corpus.speakers, "emotion": corpus.y},
        waveforms=waveforms,
        sampling_rate=16000,
    )
    pipeline = serkit_pipeline.make_pipeline(
        LogMelSpectrogram(n_mels=5, n_fft=128, hop_length=64), Deltas(), FrameScaler(), watched
    )
    cut_first = SegmentAggregationClassifier(OF_AUDIO, FixedLengthSegmenter(400, hop=100))
    pipelines = {"frames": pipeline, "audio": cut_first}
    result = compare(audio, pipelines, cv=LeaveSpeakersOut(2), verbose=0)
    predictions = result.predictions.query("pipeline == 'audio'").set_index("row")["y_pred"]
    for train, test in LeaveSpeakersOut(2).split(waveforms, corpus.y, corpus.speakers):
        by_hand = clone(cut_first).fit(audio.audio[train], corpus.y[train])
        assert predictions[test].tolist() == by_hand.predict(audio.audio[test]).tolist()


def test_a_search_inside_keeps_speakers_apart(corpus, watched):
    search = GridSearchCV(OF_FRAMES, {"logisticregression__C": [0.1, 1.0]}, cv=Watch())
    model = watched.set_params(estimator=search)
    assert model.fit(corpus.X, corpus.y, speakers=corpus.speakers).score(corpus.X, corpus.y) > 0.9


def test_steps_inside_that_need_speakers_to_predict(corpus):
    """Without them, the mean of speakers who are louder would be taken for an emotion."""
    level = np.array([10 * "abcd".index(speaker) for speaker in corpus.speakers])
    X = as_ragged(x + offset for x, offset in zip(corpus.X, level, strict=True))
    steps = (TemporalPooling(statistics=("mean",)), SpeakerStandardizer(), LogisticRegression())
    model = SegmentAggregationClassifier(serkit_pipeline.make_pipeline(*steps), SEGMENTER)
    model.fit(X, corpus.y, speakers=corpus.speakers)
    assert (model.predict(X, speakers=corpus.speakers) == corpus.y).mean() > 0.9
    with config_context(enable_metadata_routing=True):
        assert uar_scorer(model, X, corpus.y, speakers=corpus.speakers) > 0.9
    with pytest.raises(ValueError, match="speakers"):
        model.predict(X)


# Samplers.


@pytest.mark.parametrize(
    ("sampler", "expected"), [(RandomOverSampler, [6, 6]), (RandomUnderSampler, [2, 2])]
)
def test_samplers_act_on_segments(sampler, expected):
    """One utterance of each class, but segments of one are three times as many."""
    last = RecordingClassifier()
    steps = (TemporalPooling(statistics=("mean",)), sampler(random_state=0), last)
    model = recorder().set_params(estimator=serkit_pipeline.make_pipeline(*steps))
    model.fit(numbered([6, 2]), ["a", "b"], speakers=["x", "y"], sample_weight=[1.0, 2.0])
    seen = model.estimator_[-1]
    assert np.unique(seen.y_, return_counts=True)[1].tolist() == expected
    rows = np.asarray(seen.X_)[:, 0].astype(int)
    assert seen.y_.tolist() == np.array(["a", "b"])[rows].tolist()
    assert list(seen.speakers_) == np.array(["x", "y"])[rows].tolist()
    assert list(seen.sample_weight_) == np.array([1.0, 2.0])[rows].tolist()


# Networks.


class FixedLength(NeuralClassifier):
    """Has weights for every frame, so utterances must be of one length."""

    def _make_module(self, n_channels, n_bins, n_outputs):
        n_values = n_channels * n_bins * self.n_frames_
        return UtteranceNetwork(nn.Flatten(), nn.Linear(n_values, n_outputs))


def test_networks_of_fixed_length_get_equal_segments(corpus):
    network = FixedLength(lr=0.05, max_epochs=20, random_state=0)
    model = SegmentAggregationClassifier(network, SEGMENTER, aggregate="mean")
    longer = as_ragged(np.concatenate([x, x, x], axis=-1) for x in corpus.X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(corpus.X, corpus.y)
        assert (model.predict(longer) == corpus.y).mean() > 0.9
    assert model.estimator_.n_frames_ == 8
    with pytest.warns(UserWarning, match="were cut"):
        network.fit(corpus.X, corpus.y).predict(longer)


def test_warm_start_goes_on_with_the_fitted_classifier(corpus, tiny):
    network = CRNNClassifier(warm_start=True, **tiny)
    model = SegmentAggregationClassifier(network, SEGMENTER, warm_start=True)
    first = model.fit(corpus.X, corpus.y).estimator_
    assert model.fit(corpus.X[:12], corpus.y[:12]).estimator_ is first
    assert len(first.history_) == 4
    assert model.set_params(warm_start=False).fit(corpus.X, corpus.y).estimator_ is not first
    assert len(model.estimator_.history_) == 2
    assert not hasattr(network, "net_")


def test_tags_are_those_of_the_classifier_inside():
    of_frames = SegmentAggregationClassifier(CRNNClassifier(), SEGMENTER)
    of_rows = SegmentAggregationClassifier(LogisticRegression(), SEGMENTER)
    assert get_tags(of_frames).input_tags.three_d_array
    assert not get_tags(of_rows).input_tags.three_d_array
    assert not get_tags(of_rows).input_tags.sparse  # as LogisticRegression takes, but no segmenter


# Input.


@parametrize_with_checks(
    [SegmentAggregationClassifier(OF_AUDIO, FixedLengthSegmenter(160, hop=80), aggregate="mean")]
)
def test_audio(estimator, check):
    check(estimator)


@pytest.fixture
def audio():
    rng = np.random.default_rng(0)
    X = as_ragged(rng.normal(size=400) / 9 for _ in range(6))
    model = SegmentAggregationClassifier(OF_AUDIO, FixedLengthSegmenter(160))
    return SimpleNamespace(X=X, model=model.fit(X, list("ababab")))


def test_numeric_rows_are_utterances(audio):
    numeric = np.stack(list(audio.X))
    expected = audio.model.predict_proba(audio.X)
    assert not hasattr(audio.model, "n_features_in_")
    audio.model.fit(numeric, list("ababab"))
    np.testing.assert_allclose(audio.model.predict_proba(numeric), expected, rtol=1e-4)
    assert audio.model.n_features_in_ == 400
    with pytest.raises(ValueError, match="expecting 400 features"):
        audio.model.predict(numeric[:, 1:])
    audio.model.set_params(warm_start=True).fit(numeric[:, 1:], list("ababab"))
    assert audio.model.n_features_in_ == 399
    assert not hasattr(audio.model.fit(audio.X, list("ababab")), "n_features_in_")
    with pytest.raises(TypeError, match=r"utterance 0 is a path \(a.wav\).*put an AudioLoader"):
        audio.model.predict(["a.wav", "b.wav"])


def test_messages_name_utterances_not_segments(audio, corpus):
    audio.X[4][160:320] = 0
    with pytest.warns(SignalWarning, match="^a segment of utterance 4 contains only zeros"):
        audio.model.predict(audio.X)
    audio.X[2][:320] = 0
    with pytest.warns(SignalWarning, match="^segments of utterances 2, 4 contain only zeros"):
        audio.model.predict(audio.X)
    corpus.X[7] = corpus.X[7][:, 1:]
    model = SegmentAggregationClassifier(OF_FRAMES, SEGMENTER)
    with pytest.raises(ValueError, match="^a segment of utterance 7 has 1 channels and 3 bins"):
        model.fit(corpus.X, corpus.y)
