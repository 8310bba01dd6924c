import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_validate
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from serkit.metrics import uar_scorer
from serkit.preprocessing import SpeakerStandardizer


@pytest.fixture
def data():
    """Four speakers with offsets and spreads of their own, and two classes."""
    rng = np.random.default_rng(0)
    speakers = np.repeat(np.array(["a", "b", "c", "d"], dtype=object), 12)
    y = np.tile(["anger", "sadness"], 24)
    X = rng.normal(size=(48, 3)) + 4.0 * (y == "anger")[:, None]
    offsets = {"a": 0.0, "b": 30.0, "c": -20.0, "d": 90.0}
    spread = {"a": 1.0, "b": 5.0, "c": 0.2, "d": 9.0}
    X = X * [[spread[s]] for s in speakers] + [[offsets[s]] for s in speakers]
    return X, y, speakers


def by_speaker(X, speakers):
    return {speaker: X[speakers == speaker] for speaker in dict.fromkeys(speakers)}


@pytest.fixture
def pipeline():
    return Pipeline([("scale", SpeakerStandardizer()), ("classify", LogisticRegression())])


def test_every_training_speaker_is_standardized(data):
    X, _, speakers = data
    standardizer = SpeakerStandardizer()
    Xt = standardizer.fit_transform(X, speakers=speakers)
    for speaker, rows in by_speaker(X, speakers).items():
        expected = StandardScaler().fit_transform(rows)
        np.testing.assert_allclose(Xt[speakers == speaker], expected, atol=1e-12)
    assert standardizer.speakers_.tolist() == ["a", "b", "c", "d"]
    np.testing.assert_allclose(standardizer.mean_[1], X[12:24].mean(axis=0))
    np.testing.assert_allclose(standardizer.scale_[1], X[12:24].std(axis=0))
    np.testing.assert_allclose(standardizer.global_mean_, X.mean(axis=0))
    np.testing.assert_allclose(standardizer.global_scale_, X.std(axis=0))


def test_known_speaker_is_scaled_with_training_statistics(data):
    X, _, speakers = data
    standardizer = SpeakerStandardizer().fit(X, speakers=speakers)
    whole = standardizer.transform(X, speakers=speakers)
    one_by_one = [standardizer.transform(X[[i]], speakers=speakers[[i]])[0] for i in range(48)]
    np.testing.assert_allclose(whole, one_by_one)


@pytest.mark.parametrize("unseen", ["own", "global"])
def test_unseen_speaker(data, unseen):
    X, _, speakers = data
    train, test = speakers != "d", speakers == "d"
    standardizer = SpeakerStandardizer(unseen=unseen).fit(X[train], speakers=speakers[train])
    Xt = standardizer.transform(X[test], speakers=speakers[test])
    own, pooled = StandardScaler().fit(X[test]), StandardScaler().fit(X[train])
    expected = (own if unseen == "own" else pooled).transform(X[test])
    np.testing.assert_allclose(Xt, expected, atol=1e-12)
    assert standardizer.transductive_ == (unseen == "own")


def test_single_utterance_of_an_unseen_speaker_is_scaled_with_all(data):
    X, _, speakers = data
    standardizer = SpeakerStandardizer().fit(X, speakers=speakers)
    with pytest.warns(UserWarning, match=r"single utterance \(1, such as 'new'\)"):
        Xt = standardizer.transform(X[:3] + 1, speakers=["new", "a", "a"])
    np.testing.assert_allclose(Xt[0], StandardScaler().fit(X).transform(X[:1] + 1)[0])


def test_single_utterance_of_a_training_speaker_is_scaled_with_all(data):
    X, _, speakers = data
    speakers[0] = "once"
    standardizer = SpeakerStandardizer()
    with pytest.warns(UserWarning, match="such as 'once'"):
        Xt = standardizer.fit_transform(X, speakers=speakers)
    assert "once" not in standardizer.speakers_
    np.testing.assert_allclose(Xt[0], StandardScaler().fit_transform(X)[0])


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_rows_without_speaker_are_scaled_with_all(data, missing):
    X, _, speakers = data
    speakers[[5, 40]] = missing
    standardizer = SpeakerStandardizer()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Xt = standardizer.fit_transform(X, speakers=speakers)
    assert standardizer.speakers_.tolist() == ["a", "b", "c", "d"]
    np.testing.assert_allclose(Xt[[5, 40]], StandardScaler().fit(X).transform(X[[5, 40]]))


def test_constant_features_stay_finite(data):
    X, _, speakers = data
    X[:12, 1] = 7.0
    Xt = SpeakerStandardizer().fit_transform(X, speakers=speakers)
    np.testing.assert_array_equal(Xt[:12, 1], 0)
    assert np.isfinite(Xt).all()


@pytest.mark.parametrize(("with_mean", "with_std"), [(True, False), (False, True), (False, False)])
def test_parts_of_the_standardization(data, with_mean, with_std):
    X, _, speakers = data
    options = {"with_mean": with_mean, "with_std": with_std}
    Xt = SpeakerStandardizer(**options).fit_transform(X, speakers=speakers)
    expected = [StandardScaler(**options).fit_transform(X[i : i + 12]) for i in range(0, 48, 12)]
    np.testing.assert_allclose(Xt, np.concatenate(expected), atol=1e-12)


def test_without_speakers_it_is_a_standard_scaler(data):
    X, _, _ = data
    standardizer = SpeakerStandardizer().fit(X)
    np.testing.assert_allclose(standardizer.transform(X), StandardScaler().fit_transform(X))
    assert standardizer.transductive_ is False
    assert standardizer.mean_.shape == (0, 3)


def test_dtype_names_and_frames(data):
    X, _, speakers = data
    assert SpeakerStandardizer().fit_transform(X.astype(np.float32)).dtype == np.float32
    table = pd.DataFrame(X, columns=["f0", "loudness", "jitter"])
    standardizer = SpeakerStandardizer().set_output(transform="pandas")
    Xt = standardizer.fit_transform(table, speakers=speakers)
    assert Xt.columns.tolist() == ["f0", "loudness", "jitter"]
    assert standardizer.get_feature_names_out().tolist() == ["f0", "loudness", "jitter"]


def test_speakers_that_are_missing_in_transform_are_asked_for(data):
    X, _, speakers = data
    standardizer = SpeakerStandardizer().fit(X, speakers=speakers)
    with pytest.raises(ValueError, match="fitted with speakers") as caught:
        standardizer.transform(X)
    for way in ("pipeline.predict(X, speakers=...)", "uar_scorer", "evaluation.compare"):
        assert way in str(caught.value)
    with pytest.raises(ValueError, match="fitted without speakers"):
        SpeakerStandardizer().fit(X).transform(X, speakers=speakers)
    with pytest.raises(ValueError, match="speakers has 3 labels for 48 utterances"):
        standardizer.transform(X, speakers=speakers[:3])


def test_transductive_needs_fit():
    with pytest.raises(NotFittedError):
        _ = SpeakerStandardizer().transductive_
    assert not hasattr(SpeakerStandardizer(), "transductive_")


def test_pipeline_with_routing(data, pipeline):
    X, y, speakers = data
    train, test = speakers != "d", speakers == "d"
    with config_context(enable_metadata_routing=True):
        pipeline.fit(X[train], y[train], speakers=speakers[train])
        y_pred = pipeline.predict(X[test], speakers=speakers[test])
        with pytest.raises(ValueError, match="fitted with speakers"):
            pipeline.predict(X[test])
    assert (y_pred == y[test]).all()
    assert pipeline["scale"].speakers_.tolist() == ["a", "b", "c"]


def test_pipeline_without_routing(data, pipeline):
    X, y, speakers = data
    pipeline.fit(X, y, scale__speakers=speakers)
    assert len(pipeline["scale"].speakers_) == 4
    with pytest.raises(ValueError, match="enable_metadata_routing=True"):
        pipeline.predict(X)
    assert (pipeline.fit(X, y).predict(X) == y).mean() < 1


def test_scorer_hands_the_speakers_on(data, pipeline):
    X, y, speakers = data
    with config_context(enable_metadata_routing=True):
        params = {"speakers": speakers, "groups": speakers}
        result = cross_validate(
            pipeline,
            X,
            y,
            cv=GroupKFold(4),
            scoring=uar_scorer,
            params=params,
            error_score="raise",
        )
        search = GridSearchCV(
            pipeline,
            {"scale__unseen": ["own", "global"], "classify__C": [0.1, 1.0]},
            cv=GroupKFold(4),
            scoring=uar_scorer,
            error_score="raise",
        ).fit(X, y, **params)
        y_pred = search.best_estimator_.predict(X, speakers=speakers)
    assert (result["test_score"] == 1).all()
    assert search.best_params_["scale__unseen"] == "own"
    by_unseen = pd.DataFrame(search.cv_results_).groupby("param_scale__unseen")["mean_test_score"]
    assert by_unseen.max()["own"] > by_unseen.max()["global"]
    assert (y_pred == y).all()


def test_grid_search_without_routing_needs_no_speakers_if_fitted_without(data, pipeline):
    X, y, speakers = data
    search = GridSearchCV(pipeline, {"classify__C": [1.0]}, cv=GroupKFold(4), scoring=uar_scorer)
    search.fit(X, y, groups=speakers)
    assert np.isfinite(search.best_score_)


@pytest.mark.parametrize(("fitted", "given"), [([3, 3, 8], "3"), (["3", "3", "8"], 3)])
def test_numbers_are_not_mistaken_for_strings(fitted, given):
    X = np.arange(3.0)[:, None]
    scaler = SpeakerStandardizer().fit(X, speakers=fitted)
    with pytest.raises(ValueError, match="in fit .* are of type .*: give strings to both"):
        scaler.transform(X, speakers=[given] * 3)
    with pytest.raises(ValueError, match="speakers mixes strings and numbers"):
        scaler.transform(X, speakers=["3", 3, None])
