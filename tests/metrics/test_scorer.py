import pickle
import warnings

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.dummy import DummyClassifier
from sklearn.metrics import balanced_accuracy_score, make_scorer
from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut, cross_val_score, cross_validate
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from serkit.metrics import uar_score, uar_scorer, wa_scorer

RNG = np.random.default_rng(0)
SPEAKERS = np.repeat(["a", "b", "c"], 20)
Y = RNG.choice(["joy", "sad"], 60, p=[0.7, 0.3])
LEVEL = {"a": 0.0, "b": 100.0, "c": -100.0}
#: Separable only after the level of the speaker is taken off.
X = (Y == "joy")[:, None] + np.array([[LEVEL[speaker]] for speaker in SPEAKERS])


class SpeakerCentre(TransformerMixin, BaseEstimator):
    """Subtract the mean of every speaker, at prediction too."""

    __metadata_request__fit = {"speakers": True}  # noqa: RUF012
    __metadata_request__transform = {"speakers": True}  # noqa: RUF012

    def fit(self, X, y=None, *, speakers=None):
        assert speakers is not None
        return self

    def fit_transform(self, X, y=None, *, speakers=None):
        return self.fit(X, y, speakers=speakers).transform(X, speakers=speakers)

    def transform(self, X, *, speakers=None):
        if speakers is None:
            raise ValueError("transform needs speakers")
        out = np.empty_like(X)
        for speaker in np.unique(speakers):
            out[speakers == speaker] = X[speakers == speaker] - X[speakers == speaker].mean(axis=0)
        return out

    def __sklearn_is_fitted__(self):
        return True


class SpeakerRule(ClassifierMixin, BaseEstimator):
    """A classifier whose predict takes speakers itself."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X, speakers=None):
        return np.where(np.asarray(speakers) == "a", *self.classes_)


@pytest.mark.parametrize("routing", [False, True])
def test_plain_estimator(routing):
    with config_context(enable_metadata_routing=routing):
        how = {"params": {"groups": SPEAKERS}} if routing else {"groups": SPEAKERS}
        how |= {"cv": LeaveOneGroupOut()}
        found = cross_val_score(GaussianNB(), X, Y, scoring=uar_scorer, **how)
        expected = cross_val_score(GaussianNB(), X, Y, scoring=make_scorer(uar_score), **how)
        np.testing.assert_array_equal(found, expected)
        search = GridSearchCV(
            GaussianNB(), {"var_smoothing": [1e-9, 1]}, scoring=uar_scorer, cv=LeaveOneGroupOut()
        )
        search.fit(X, Y, groups=SPEAKERS)
        assert 0 < search.best_score_ <= 1


def test_forwards_speakers_through_a_pipeline():
    pipe = make_pipeline(SpeakerCentre(), GaussianNB())
    params = {"groups": SPEAKERS, "speakers": SPEAKERS}
    with config_context(enable_metadata_routing=True):
        scores = cross_validate(
            pipe,
            X,
            Y,
            cv=LeaveOneGroupOut(),
            scoring={"uar": uar_scorer, "wa": wa_scorer},
            params=params,
            error_score="raise",
        )
        np.testing.assert_array_equal(scores["test_uar"], 1.0)
        np.testing.assert_array_equal(scores["test_wa"], 1.0)
        with pytest.raises(ValueError, match="transform needs speakers"):
            cross_val_score(
                pipe,
                X,
                Y,
                cv=LeaveOneGroupOut(),
                scoring=make_scorer(balanced_accuracy_score),
                params=params,
                error_score="raise",
            )


def test_forwards_speakers_through_a_nested_search():
    search = GridSearchCV(
        make_pipeline(SpeakerCentre(), GaussianNB()),
        {"gaussiannb__var_smoothing": [1e-9, 1e-3]},
        scoring=uar_scorer,
        cv=LeaveOneGroupOut(),
        error_score="raise",
    )
    with config_context(enable_metadata_routing=True):
        scores = cross_val_score(
            search,
            X,
            Y,
            cv=LeaveOneGroupOut(),
            scoring=uar_scorer,
            params={"groups": SPEAKERS, "speakers": SPEAKERS},
            error_score="raise",
        )
    np.testing.assert_array_equal(scores, 1.0)


def test_forwards_speakers_to_an_estimator_that_requests_them():
    with config_context(enable_metadata_routing=True):
        rule = SpeakerRule().set_predict_request(speakers=True).fit(X, Y)
        score = uar_scorer(rule, X, Y, speakers=SPEAKERS)
        assert score == uar_score(Y, rule.predict(X, speakers=SPEAKERS))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            dummy = DummyClassifier().fit(X, Y)
            assert uar_scorer(dummy, X, Y, speakers=SPEAKERS) == 0.5


def test_request_makes_a_copy():
    pipe = make_pipeline(SpeakerCentre(), GaussianNB())
    with config_context(enable_metadata_routing=True):
        renamed = uar_scorer.set_score_request(speakers="who")
        params = {"groups": SPEAKERS, "speakers": SPEAKERS, "who": SPEAKERS}
        scores = cross_val_score(
            pipe, X, Y, cv=LeaveOneGroupOut(), scoring=renamed, params=params, error_score="raise"
        )
    np.testing.assert_array_equal(scores, 1.0)
    assert renamed is not uar_scorer
    assert not hasattr(uar_scorer, "_metadata_request")


def test_pickle_and_repr():
    copy = pickle.loads(pickle.dumps(uar_scorer))
    model = GaussianNB().fit(X, Y)
    assert copy(model, X, Y) == uar_scorer(model, X, Y)
    assert repr(uar_scorer) == "make_scorer(uar_score, response_method='predict')"
