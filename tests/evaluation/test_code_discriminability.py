"""What codes cost a classifier, with everything fitted inside the folds."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.model_selection import KFold, LeaveOneGroupOut
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from serkit.evaluation import code_discriminability
from serkit.metrics import uar_score
from serkit.model_selection import LeaveSpeakersOut, SpeakerLeakageError

SPEAKERS = np.repeat(["a", "b", "c"], 24)
Y = np.tile(["anger", "calm", "joy"], 24)
X = np.random.default_rng(0).normal(size=(72, 5)) * [1, 1, 9, 1, 1]
X[:, 0] += 3 * (Y == "calm")
X[:, 1] += 3 * (Y == "joy")


class Columns(TransformerMixin, BaseEstimator):
    """Keep the first columns; note on which rows it was fitted."""

    fitted_on: list = []  # noqa: RUF012

    def __init__(self, n_columns=1):
        self.n_columns = n_columns

    def fit(self, X, y):
        self.fitted_on.append((X, y))
        return self

    def transform(self, X):
        return X[:, : self.n_columns]


def test_codes_that_lack_a_class_cost_uar():
    table = code_discriminability(Columns(1), X, Y, SPEAKERS, cv=LeaveSpeakersOut(1))
    assert list(table) == ["fold", "UAR_raw", "UAR_codes", "difference"]
    assert table["fold"].tolist() == [0, 1, 2]
    assert_allclose(table["difference"], table["UAR_raw"] - table["UAR_codes"])
    assert table["difference"].mean() > 0.15
    whole = code_discriminability(Columns(5), X, Y, SPEAKERS, cv=LeaveSpeakersOut(1))
    assert_allclose(whole["UAR_codes"], whole["UAR_raw"])
    assert_allclose(whole["UAR_raw"], table["UAR_raw"])


@pytest.mark.parametrize("classifier", [None, GaussianNB()])
def test_every_fold_is_a_pipeline_of_its_own(classifier):
    table = code_discriminability(
        PCA(2), X, Y, SPEAKERS, cv=LeaveOneGroupOut(), classifier=classifier
    )
    for fold, speaker in enumerate("abc"):
        test = speaker == SPEAKERS
        steps = {"raw": [], "codes": [PCA(2), StandardScaler()]}
        for kind, between in steps.items():
            n_features = {"raw": 5, "codes": 2}[kind]
            model = classifier or SVC(kernel="linear", C=1 / n_features)
            pipe = make_pipeline(StandardScaler(), *between, model).fit(X[~test], Y[~test])
            expected = uar_score(Y[test], pipe.predict(X[test]))
            assert table.loc[fold, f"UAR_{kind}"] == pytest.approx(expected)


def test_the_encoder_sees_scaled_training_rows_only():
    Columns.fitted_on.clear()
    encoder = Columns(2)
    code_discriminability(encoder, X, Y, SPEAKERS, cv=LeaveSpeakersOut(1))
    for speaker, (rows, labels) in zip("abc", Columns.fitted_on, strict=True):
        train = speaker != SPEAKERS
        assert_allclose(rows, StandardScaler().fit_transform(X[train]))
        assert labels.tolist() == Y[train].tolist()


def test_a_group_on_both_sides_is_refused():
    with pytest.raises(SpeakerLeakageError):
        code_discriminability(PCA(1), X, Y, SPEAKERS, cv=KFold(2, shuffle=True, random_state=0))
