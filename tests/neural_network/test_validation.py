"""Who is trained on, who chooses the epoch, and what must not leak."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
from torch import nn

from serkit.feature_extraction import FrameScaler
from serkit.model_selection import LeaveSpeakersOut, load_protocol
from serkit.neural_network import (
    CRNNClassifier,
    CRNNRegressor,
    DomainAdversarialClassifier,
    MLPClassifier,
    SegmentAggregationClassifier,
)
from serkit.over_sampling import BaseSampler
from serkit.pipeline import Pipeline, make_pipeline
from serkit.preprocessing import FixedLengthSegmenter
from serkit.training import UtteranceNet
from serkit.utils import as_ragged


def spoilt(corpus, rows):
    """Return the corpus with garbage in some rows, lengths and labels included."""
    X, y = list(corpus.X), corpus.y.astype(object)
    for row in np.flatnonzero(rows):
        X[row] = np.full((1, 4, 31), 1e6 * (row + 1), dtype=np.float32)
        y[row] = "garbage"
    return as_ragged(X), y


# What must not leak.


def test_nothing_fitted_depends_on_the_test_speakers(corpus, tiny, assert_equal_fits):
    cv = LeaveSpeakersOut(groups=[("a",), ("b",), ("c",), ("d",)])
    dat = DomainAdversarialClassifier(gamma=3.33, validation=cv.inner(), **tiny)
    pipe = Pipeline([("scale", FrameScaler()), ("dat", dat)])

    def fits(X, y):
        return cross_validate(
            pipe,
            X,
            y,
            groups=corpus.speakers,
            params={"dat__speakers": corpus.speakers},
            cv=cv,
            scoring=lambda *_: 0.0,
            return_estimator=True,
        )["estimator"]

    clean = fits(corpus.X, corpus.y)
    for fold, speaker in enumerate("abcd"):
        X, y = spoilt(corpus, corpus.speakers == speaker)
        poisoned = fits(X, y)[fold]
        np.testing.assert_array_equal(clean[fold]["scale"].mean_, poisoned["scale"].mean_)
        np.testing.assert_array_equal(clean[fold]["scale"].scale_, poisoned["scale"].scale_)
        assert list(clean[fold]["dat"].speakers_) == list(poisoned["dat"].speakers_)
        assert_equal_fits(clean[fold]["dat"], poisoned["dat"])


def test_validation_speakers_are_not_trained_on(corpus, tiny):
    validation = LeaveSpeakersOut(groups=[("a", "b"), ("c",), ("d",)])
    dat = DomainAdversarialClassifier(validation=validation, **tiny)
    dat.fit(corpus.X, corpus.y, speakers=corpus.speakers)
    clean = dat.history_
    assert list(dat.speakers_) == ["c", "d"]
    X, _ = spoilt(corpus, np.isin(corpus.speakers, ["a", "b"]))
    dat.fit(X, corpus.y, speakers=corpus.speakers)
    columns = ["train_loss", "emotion_loss", "speaker_loss", "speaker_accuracy", "lambda"]
    np.testing.assert_array_equal(clean[columns], dat.history_[columns])
    assert (clean["valid_loss"] != dat.history_["valid_loss"]).all()


def test_targets_of_validation_speakers_do_not_scale_those_trained_on(corpus, tiny):
    y = np.linspace(-1, 1, 24)
    validation = LeaveSpeakersOut(groups=[("a",), ("b",), ("c",), ("d",)])
    losses = []
    for shift in (0, 5):
        shifted = y + shift * (corpus.speakers == "a")
        crnn = CRNNRegressor(validation=validation, **tiny)
        losses.append(crnn.fit(corpus.X, shifted, speakers=corpus.speakers).history_["train_loss"])
    np.testing.assert_array_equal(*losses)


#: Fold, its training speakers, as published.
LEOW_EMODB = [
    ("12 13 03 08 10 14", "15 09", "11 16"),
    ("15 09 03 08 10 14", "11 16", "12 13"),
    ("15 09 11 16 10 14", "12 13", "03 08"),
    ("15 09 11 16 12 13", "03 08", "10 14"),
    ("11 16 12 13 03 08", "10 14", "15 09"),
]


def test_inner_validation_reproduces_published_triples():
    speakers = np.repeat(np.array([f"{n:02d}" for n in (3, *range(8, 17))], dtype=object), 4)
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 3)), np.tile([0, 1], 20)
    cv = load_protocol("leow2021-emodb")
    dat = DomainAdversarialClassifier(
        "mlp", encoder_layer_sizes=(4,), max_epochs=1, validation=cv.inner()
    )
    folds = cross_validate(
        dat,
        X,
        y,
        groups=speakers,
        params={"speakers": speakers},
        cv=cv,
        return_estimator=True,
        return_indices=True,
    )
    for (train, validation, test), fitted, rest, left_out in zip(
        LEOW_EMODB,
        folds["estimator"],
        folds["indices"]["train"],
        folds["indices"]["test"],
        strict=True,
    ):
        assert set(fitted.speakers_) == set(train.split())
        assert set(speakers[left_out]) == set(test.split())
        assert set(speakers[rest]) - set(fitted.speakers_) == set(validation.split())


# The parameter.


@pytest.mark.parametrize(("validation", "n_train"), [("auto", 3), (0.5, 2), (None, 4)])
def test_shares_are_of_speakers(corpus, tiny, validation, n_train):
    dat = DomainAdversarialClassifier(validation=validation, **tiny)
    dat.fit(corpus.X, corpus.y, speakers=corpus.speakers)
    assert len(dat.speakers_) == n_train
    assert ("valid_uar" in dat.history_) == (validation is not None)


def test_the_seed_draws_the_validation_speakers(corpus, tiny):
    drawn = {
        tuple(
            DomainAdversarialClassifier(**{**tiny, "random_state": seed, "max_epochs": 1})
            .fit(corpus.X, corpus.y, speakers=corpus.speakers)
            .speakers_
        )
        for seed in range(8)
    }
    assert len(drawn) > 1


def test_auto_without_speakers_keeps_the_last_epoch(corpus, tiny):
    crnn = CRNNClassifier(**tiny).fit(corpus.X, corpus.y)
    assert "valid_loss" not in crnn.history_
    assert crnn.best_epoch_ == 1


@pytest.mark.parametrize("speakers", [None, [None] * 24])
def test_a_share_without_speakers_splits_utterances_with_a_warning(corpus, tiny, speakers):
    crnn = CRNNClassifier(validation=0.25, **tiny)
    with pytest.warns(UserWarning, match=r"validation=0.25 splits utterances.*Pass speakers"):
        crnn.fit(corpus.X, corpus.y, speakers=speakers)
    assert "valid_uar" in crnn.history_


# Segments, whose utterances must not be on both sides.


@pytest.fixture
def sides(monkeypatch):
    """What the networks were trained and validated on, as they saw it."""
    sides = []

    def spy(self, X, *args, **kwargs):
        sides.append([[x.numpy() for x in data._utterances] for data in X])
        return partial_fit(self, X, *args, **kwargs)

    partial_fit = UtteranceNet.partial_fit
    monkeypatch.setattr(UtteranceNet, "partial_fit", spy)
    return sides


def by_segments(tiny, *before, **settings):
    network = CRNNClassifier(**{"validation": 0.3, **tiny, **settings})
    inner = make_pipeline(*before, network) if before else network
    return SegmentAggregationClassifier(inner, FixedLengthSegmenter(4, hop=1))


@pytest.mark.parametrize("before", [(), (FrameScaler(),)], ids=["network", "pipeline"])
@pytest.mark.parametrize("speakers", [None, [None] * 24], ids=["none", "unknown"])
def test_a_share_of_segments_is_one_of_utterances(corpus, tiny, sides, before, speakers):
    X = as_ragged(np.full_like(x, row) for row, x in enumerate(corpus.X))
    model = by_segments(tiny, *before, max_epochs=1)
    with pytest.warns(UserWarning, match=r"validation=0.3 splits utterances.*Pass speakers"):
        model.fit(X, corpus.y, speakers=speakers)
    ((train, valid),) = sides
    train_values, valid_values = ({float(x.flat[0]) for x in side} for side in (train, valid))
    assert not train_values & valid_values
    assert (len(train_values), len(valid_values)) == (16, 8)
    assert len(train) + len(valid) == len(model.segmenter.split(X)[1]) > 24


class Drop(BaseEstimator):
    """Leaves the last utterance of a class out."""

    def fit(self, X, y):
        return self

    def fit_resample(self, X, y):
        self.sample_indices_ = np.arange(len(X) - 1)
        return X[:-1], y[:-1]


class Reverse(Drop):
    """Leaves nothing out, but has another order."""

    def fit_resample(self, X, y):
        self.sample_indices_ = np.arange(len(X))[::-1]
        return X[::-1], y[::-1]


@pytest.mark.parametrize("sampler", [Drop(), Reverse()])
def test_a_share_of_segments_behind_a_sampler_needs_speakers(corpus, tiny, sampler):
    model = by_segments(tiny, sampler)
    with pytest.raises(ValueError, match="which segments are of one utterance.*pass speakers"):
        model.fit(corpus.X, corpus.y)
    model.fit(corpus.X, corpus.y, speakers=corpus.speakers)
    assert "valid_uar" in model.estimator_[-1].history_


def test_a_share_of_segments_in_a_search_needs_speakers(corpus, tiny):
    model = by_segments(tiny)
    search = GridSearchCV(model.estimator, {"lr": [1e-3]}, cv=2, error_score="raise")
    with pytest.raises(ValueError, match="a search has changed the rows"):
        model.set_params(estimator=search).fit(corpus.X, corpus.y)


# Speakers and splitters.


def test_one_speaker_is_all_trained_on_with_a_warning(corpus, tiny):
    crnn = CRNNClassifier(**tiny)
    with pytest.warns(UserWarning, match="all utterances are of one speaker") as caught:
        crnn.fit(corpus.X[:6], corpus.y[:6], speakers=corpus.speakers[:6])
    assert caught[0].filename == __file__
    assert "valid_uar" not in crnn.history_


def test_a_splitter_without_groups_splits_utterances(corpus, tiny):
    crnn = CRNNClassifier(validation=KFold(2), **tiny).fit(corpus.X, corpus.y)
    assert "valid_uar" in crnn.history_


class Splits:
    """Yield the splits given."""

    def __init__(self, *splits):
        self.splits = splits

    def split(self, X, y=None, groups=None):
        yield from self.splits


@pytest.mark.parametrize(
    "validation",
    [Splits(), Splits(([], np.arange(24))), Splits((np.arange(24), []))],
    ids=["no split", "nothing to train on", "nothing to validate on"],
)
def test_a_splitter_that_leaves_nothing_is_refused(corpus, tiny, validation):
    with pytest.raises(ValueError, match="leaves nothing to train on or to validate on"):
        CRNNClassifier(validation=validation, **tiny).fit(corpus.X, corpus.y)


def test_one_utterance_is_not_trained_on(corpus, tiny):
    validation = Splits(([0], np.arange(1, 24)))
    with pytest.raises(ValueError, match="needs two utterances or more"):
        CRNNClassifier(validation=validation, **tiny).fit(corpus.X, corpus.y)


# Synthetic rows.


class Echo(BaseSampler):
    """Add noisy copies of rows, which have no speaker."""

    def _generate(self, X, y, strategy, random_state):
        rows = [random_state.choice(np.flatnonzero(y == k), n) for k, n in strategy.items()]
        rows = np.concatenate([np.empty(0, dtype=int), *rows])
        new = [X[row] + random_state.normal(size=np.shape(X[row])) for row in rows]
        return new, y[rows], None


def test_synthetic_rows_are_trained_on_only(functionals):
    """Whoever is held out, the rows without a speaker are among those trained on."""
    speakers = functionals.speakers.copy()
    speakers[::6] = None
    seen = []

    class Spy(LeaveSpeakersOut):
        def split(self, X, y=None, groups=None):
            seen.append(list(groups))
            return super().split(X, y, groups)

    dat = DomainAdversarialClassifier(
        "mlp",
        encoder_layer_sizes=(4,),
        max_epochs=2,
        batch_size=100,
        validation=Spy(),
        random_state=0,
    )
    dat.fit(functionals.X, functionals.y, speakers=speakers)
    assert seen == [[speaker for speaker in speakers if speaker is not None]]
    assert list(dat.speakers_) == ["b", "c", "d"]
    first = dat.history_
    functionals.X[speakers == None] += 1  # noqa: E711
    dat.fit(functionals.X, functionals.y, speakers=speakers)
    assert (first["emotion_loss"] != dat.history_["emotion_loss"]).all()


def test_speaker_loss_skips_synthetic_rows(functionals):
    """The encoder and the heads have no batch statistics that would mix the rows."""
    speakers = functionals.speakers.copy()
    speakers[::6] = None
    synthetic = speakers == None  # noqa: E711
    dat = DomainAdversarialClassifier(
        nn.Flatten(),
        hidden_layer_sizes=(),
        batch_size=100,
        max_epochs=1,
        validation=None,
        random_state=0,
    )
    X, y = functionals.X[:, None, :, None], functionals.y
    with_synthetic = dat.fit(X, y, speakers=speakers).history_
    without = dat.fit(X[~synthetic], y[~synthetic], speakers=speakers[~synthetic]).history_
    for column in ("speaker_loss", "speaker_accuracy"):
        np.testing.assert_allclose(with_synthetic[column], without[column], rtol=1e-6)
    assert with_synthetic["emotion_loss"][0] != without["emotion_loss"][0]


@pytest.mark.parametrize("routing", [False, True])
def test_a_sampler_before_it_in_a_grid_search(corpus, tiny, routing):
    unbalanced = np.flatnonzero((corpus.y == "joy") | (np.arange(24) % 3 == 0))
    X, y, speakers = corpus.X[unbalanced], corpus.y[unbalanced], corpus.speakers[unbalanced]
    dat = DomainAdversarialClassifier(**{**tiny, "max_epochs": 1})
    pipe = Pipeline([("echo", Echo(random_state=0)), ("dat", dat)])
    search = GridSearchCV(pipe, {"dat__gamma": [1.25, 2.5]}, cv=LeaveSpeakersOut())
    with config_context(enable_metadata_routing=routing):
        if routing:
            search.fit(X, y, speakers=speakers, groups=speakers)
        else:
            search.fit(X, y, groups=speakers, dat__speakers=speakers)
    best = search.best_estimator_["dat"]
    assert len(best.speakers_) == 3
    assert set(best.speakers_) < set("abcd")
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


# Routing.


def test_speakers_are_asked_for():
    for estimator in (CRNNClassifier(), CRNNRegressor(), MLPClassifier()):
        requests = estimator.get_metadata_routing().fit.requests
        assert requests == {"speakers": True, "sample_weight": None}


@pytest.mark.parametrize("routing", [False, True])
def test_speakers_arrive_in_cross_validation(functionals, routing):
    mlp = MLPClassifier((4,), max_epochs=1, random_state=0)
    speakers = functionals.speakers
    with config_context(enable_metadata_routing=routing):
        folds = cross_validate(
            mlp,
            functionals.X,
            functionals.y,
            cv=LeaveSpeakersOut(),
            return_estimator=True,
            **(
                {"params": {"speakers": speakers, "groups": speakers}}
                if routing
                else {"params": {"speakers": speakers}, "groups": speakers}
            ),
        )
    assert all("valid_uar" in fitted.history_ for fitted in folds["estimator"])
