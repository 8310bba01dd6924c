import numpy as np
import pandas as pd
import pytest
from imblearn.combine import SMOTEENN
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.under_sampling import ClusterCentroids, RandomUnderSampler
from scipy.sparse import csr_array
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from sklearn.cluster import KMeans
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from serkit.metrics import uar_scorer
from serkit.model_selection import LeaveSpeakersOut
from serkit.over_sampling import BaseSampler
from serkit.pipeline import Pipeline, make_pipeline
from serkit.preprocessing import SpeakerStandardizer
from serkit.utils import as_ragged

N = 60
SPEAKERS = np.random.default_rng(0).permutation(np.repeat(["03", "08", "09", "10"], N // 4))
Y = np.where(np.arange(N) % 3 == 0, "anger", "joy")
WEIGHT = 2.0 + np.arange(N)
#: The first column is the number of the row, so that every row says who it is.
X = np.column_stack([np.arange(N), np.random.default_rng(1).normal(size=(N, 2))])
ROUTING = pytest.mark.parametrize("routing", [False, True], ids=["routing off", "routing on"])
SAMPLERS = {
    "SMOTE": SMOTE(random_state=0),
    "RandomOverSampler": RandomOverSampler(random_state=0),
    "RandomUnderSampler": RandomUnderSampler(random_state=0),
}


class Witness(ClassifierMixin, BaseEstimator):
    """Keep what it was fitted with."""

    __metadata_request__fit = {"speakers": True, "sample_weight": True}  # noqa: RUF012

    def __init__(self, setting=0):
        self.setting = setting

    def fit(self, X, y, *, speakers=None, sample_weight=None):
        self.classes_ = np.unique(y)
        self.X_, self.y_, self.speakers_, self.sample_weight_ = X, y, speakers, sample_weight
        return self

    def predict(self, X):
        return np.resize(self.classes_, len(X))

    def fit_predict(self, X, y, *, speakers=None, sample_weight=None):
        return self.fit(X, y, speakers=speakers, sample_weight=sample_weight).predict(X)


class WitnessTransformer(TransformerMixin, BaseEstimator):
    """Keep the speakers; take the mean of every speaker off, at prediction too."""

    __metadata_request__fit = {"speakers": True}  # noqa: RUF012
    __metadata_request__transform = {"speakers": True}  # noqa: RUF012

    def fit(self, X, y=None, *, speakers=None):
        self.speakers_ = speakers
        return self

    def fit_transform(self, X, y=None, *, speakers=None):
        return self.fit(X, y, speakers=speakers).transform(X, speakers=speakers)

    def transform(self, X, *, speakers=None):
        if speakers is None:
            raise ValueError("transform needs speakers")
        self.transformed_speakers_ = speakers
        assert len(speakers) == len(X)
        return X


class Copies(BaseSampler):
    """Add copies of rows, or, without `known`, rows of nobody."""

    def __init__(self, known=True, *, sampling_strategy="auto", random_state=0):
        super().__init__(sampling_strategy=sampling_strategy, random_state=random_state)
        self.known = known

    def _generate(self, X, y, strategy, random_state):
        rows = [random_state.choice(np.flatnonzero(y == k), n) for k, n in strategy.items()]
        rows = np.concatenate(rows)
        return X[rows], y[rows], rows if self.known else None


def fit_params(pipe, routing, **metadata):
    """Name the metadata of the last step as either kind of routing wants it."""
    prefix = "" if routing else f"{pipe.steps[-1][0]}__"
    return {prefix + name: value for name, value in metadata.items()}


def assert_aligned(witness, ids=None):
    """Check every row: real ones have their own entries, synthetic ones none."""
    ids = witness.X_[:, 0] if ids is None else ids
    n_rows = len(witness.X_)
    assert len(witness.y_) == len(witness.speakers_) == len(witness.sample_weight_) == n_rows
    for row in range(n_rows):
        if witness.speakers_[row] is None:
            assert witness.sample_weight_[row] == 1
        else:
            number = int(ids[row])
            assert number == ids[row]
            assert witness.speakers_[row] == SPEAKERS[number]
            assert witness.sample_weight_[row] == WEIGHT[number]
            assert witness.y_[row] == Y[number]


@ROUTING
@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("method", ["fit", "fit_predict"])
def test_speakers_and_weights_follow_every_sampler(name, routing, method):
    with config_context(enable_metadata_routing=routing):
        pipe = make_pipeline(clone(SAMPLERS[name]), Witness())
        getattr(pipe, method)(
            X, Y, **fit_params(pipe, routing, speakers=SPEAKERS, sample_weight=WEIGHT)
        )
    witness = pipe[-1]
    assert len(set(np.unique(witness.y_, return_counts=True)[1])) == 1
    assert_aligned(witness)
    n_synthetic = sum(speaker is None for speaker in witness.speakers_)
    assert n_synthetic == (20 if name == "SMOTE" else 0)


@ROUTING
def test_two_samplers_and_a_transformer_between_them(routing):
    with config_context(enable_metadata_routing=routing):
        pipe = Pipeline(
            [
                ("before", FunctionTransformer()),
                ("smote", SMOTE(sampling_strategy={"anger": 30}, random_state=0)),
                ("skipped", "passthrough"),
                ("between", WitnessTransformer() if routing else FunctionTransformer()),
                ("over", RandomOverSampler(random_state=0)),
                ("under", RandomUnderSampler(sampling_strategy={"joy": 35}, random_state=0)),
                ("witness", Witness()),
            ]
        )
        pipe.fit(X, Y, **fit_params(pipe, routing, speakers=SPEAKERS, sample_weight=WEIGHT))
    assert_aligned(pipe[-1])
    assert len(pipe[-1].X_) == 75
    if routing:
        np.testing.assert_array_equal(pipe["between"].speakers_[:N], SPEAKERS)
        assert set(pipe["between"].speakers_[N:]) == {None}


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("shape", ["audio", "frames", "numeric frames", "frame"])
def test_every_container(shape, known):
    containers = {
        "audio": as_ragged(np.full(3 + k % 5, float(k)) for k in range(N)),
        "frames": as_ragged(np.full((1, 2, 3 + k % 5), float(k)) for k in range(N)),
        "numeric frames": np.arange(float(N))[:, None, None, None] * np.ones((1, 1, 2, 3)),
        "frame": pd.DataFrame(X, columns=list("abc")),
    }
    pipe = make_pipeline(FunctionTransformer(), Copies(known), Witness())
    pipe.fit(containers[shape], Y, witness__speakers=SPEAKERS, witness__sample_weight=WEIGHT)
    witness = pipe[-1]
    rows = witness.X_.to_numpy() if shape == "frame" else witness.X_
    assert_aligned(witness, ids=[np.ravel(row)[0] for row in rows])
    assert [speaker is None for speaker in witness.speakers_] == [False] * N + [not known] * 20
    assert len(pipe.predict(containers[shape])) == N


@pytest.mark.parametrize(
    "given", [list, tuple, pd.Series, lambda values: pd.Series(values).astype("category")]
)
def test_kinds_of_metadata(given):
    pipe = make_pipeline(SMOTE(random_state=0), Witness())
    pipe.fit(X, Y, witness__speakers=given(SPEAKERS), witness__sample_weight=given(WEIGHT))
    assert_aligned(pipe[-1])


def test_what_is_not_per_utterance_stays_as_it_is():
    pipe = make_pipeline(RandomOverSampler(random_state=0), Witness())
    text = "a" * N
    pipe.fit(X, Y, witness__speakers=text, witness__sample_weight=np.float64(3))
    assert pipe[-1].speakers_ is text
    assert pipe[-1].sample_weight_ == 3


def test_numbers_of_speakers_become_none_too():
    pipe = make_pipeline(SMOTE(random_state=0), Witness())
    numbers = SPEAKERS.astype(int)
    pipe.fit(X, Y, witness__speakers=numbers)
    assert list(pipe[-1].speakers_[:N]) == list(numbers)
    assert set(pipe[-1].speakers_[N:]) == {None}


def test_integer_weights_and_untouched_arguments():
    pipe = make_pipeline(SMOTE(random_state=0), Witness())
    weight, before = WEIGHT.astype(int), SPEAKERS.copy()
    pipe.fit(X, Y, witness__speakers=SPEAKERS, witness__sample_weight=weight)
    assert_aligned(pipe[-1])
    assert len(weight) == N
    np.testing.assert_array_equal(SPEAKERS, before)


def test_sparse_input():
    pipe = make_pipeline(SMOTE(random_state=0), Witness())
    pipe.fit(csr_array(X), Y, witness__speakers=SPEAKERS)
    assert list(pipe[-1].speakers_) == [*SPEAKERS, *[None] * 20]


class Unfaithful(BaseEstimator):
    """Say or do something wrong about the rows."""

    def __init__(self, how):
        self.how = how

    def fit_resample(self, X, y):
        if self.how == "reversed":
            return X[::-1], y[::-1]
        if self.how == "labels":
            return X, y[::-1]
        self.sample_indices_ = np.arange(3)
        return X, y


@pytest.mark.parametrize(
    ("sampler", "message"),
    [
        (
            ClusterCentroids(estimator=KMeans(n_init=1)),
            "'sampler' .ClusterCentroids. has no sample",
        ),
        (SMOTEENN(random_state=0), "SMOTEENN"),
        (Unfaithful("reversed"), "does not begin its output with the rows it was given"),
        (Unfaithful("labels"), "does not begin its output with the rows it was given"),
        (Unfaithful("indices"), "returned 60 rows, but its sample_indices_ has 3 entries"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_sampler_that_loses_track(sampler, message):
    pipe = Pipeline([("sampler", sampler), ("witness", Witness())])
    with pytest.raises(ValueError, match=message):
        pipe.fit(X, Y, witness__speakers=SPEAKERS)
    assert pipe.fit(X, Y).predict(X).shape == (N,)


@ROUTING
def test_cross_validation_keeps_test_speakers_from_samplers(routing):
    """The speakers left out never reach a sampler or a fit."""

    class Strict(Copies):
        def fit_resample(self, X, y):
            seen.append({int(row[0]) for row in X})
            return super().fit_resample(X, y)

    seen = []
    with config_context(enable_metadata_routing=routing):
        pipe = Pipeline([("sampler", Strict()), ("witness", Witness())])
        groups = {} if routing else {"groups": SPEAKERS}
        params = fit_params(pipe, routing, speakers=SPEAKERS, sample_weight=WEIGHT)
        scorer = uar_scorer
        if routing:
            params["groups"] = SPEAKERS
            scorer = uar_scorer.set_score_request(sample_weight=False)
        result = cross_validate(
            pipe,
            X,
            Y,
            cv=LeaveSpeakersOut(),
            params=params,
            scoring=scorer,
            return_estimator=True,
            return_indices=True,
            error_score="raise",
            **groups,
        )
    assert len(result["estimator"]) == 4
    for fitted, met, test in zip(result["estimator"], seen, result["indices"]["test"], strict=True):
        assert_aligned(fitted[-1])
        assert met.isdisjoint(test)
        assert set(fitted[-1].speakers_).isdisjoint(SPEAKERS[test])


@ROUTING
def test_grid_search_with_groups(routing):
    with config_context(enable_metadata_routing=routing):
        pipe = Pipeline([("smote", SMOTE(random_state=0)), ("witness", Witness())])
        search = GridSearchCV(
            pipe,
            {"smote__k_neighbors": [2, 3], "witness__setting": [0, 1]},
            cv=LeaveSpeakersOut(2),
            scoring=uar_scorer.set_score_request(sample_weight=False) if routing else uar_scorer,
            error_score="raise",
        )
        params = fit_params(pipe, routing, speakers=SPEAKERS, sample_weight=WEIGHT)
        search.fit(X, Y, groups=SPEAKERS, **params)
    assert_aligned(search.best_estimator_[-1])
    assert len(search.best_estimator_[-1].speakers_) == 80


def test_speakers_at_prediction_with_routing_on():
    with config_context(enable_metadata_routing=True):
        pipe = make_pipeline(WitnessTransformer(), SMOTE(random_state=0), Witness())
        pipe.fit(X, Y, speakers=SPEAKERS)
        pipe.predict(X[:5], speakers=SPEAKERS[:5])
        np.testing.assert_array_equal(pipe[0].transformed_speakers_, SPEAKERS[:5])
        with pytest.raises(ValueError, match="transform needs speakers"):
            pipe.predict(X[:5])
        scores = cross_val_score(
            pipe,
            X,
            Y,
            cv=LeaveSpeakersOut(),
            scoring=uar_scorer,
            params={"speakers": SPEAKERS, "groups": SPEAKERS},
            error_score="raise",
        )
        assert len(scores) == 4


def test_speaker_standardizer_and_sampler_in_a_nested_search():
    cv = LeaveSpeakersOut()
    search = GridSearchCV(
        make_pipeline(SpeakerStandardizer(), SMOTE(random_state=0), SVC()),
        {"svc__C": [0.1, 1]},
        cv=cv.inner(SPEAKERS),
        scoring=uar_scorer,
        error_score="raise",
    )
    level = {"03": -50, "08": 0, "09": 50, "10": 100}
    speech = (Y == "joy")[:, None] + np.array([[level[speaker]] for speaker in SPEAKERS])
    with config_context(enable_metadata_routing=True):
        scores = cross_val_score(
            search,
            speech,
            Y,
            cv=cv,
            scoring=uar_scorer,
            params={"groups": SPEAKERS, "speakers": SPEAKERS},
            error_score="raise",
        )
    np.testing.assert_array_equal(scores, 1)


@ROUTING
def test_fit_transform_ends_in_a_transformer(routing):
    with config_context(enable_metadata_routing=routing):
        pipe = make_pipeline(SMOTE(random_state=0), WitnessTransformer())
        Xt = pipe.fit_transform(X, Y, **fit_params(pipe, routing, speakers=SPEAKERS))
    assert len(Xt) == 80
    assert list(pipe[-1].speakers_) == [*SPEAKERS, *[None] * 20]


@ROUTING
def test_fit_resample_ends_in_a_sampler(routing):
    with config_context(enable_metadata_routing=routing):
        X_res, y_res = make_pipeline(StandardScaler(), SMOTE(random_state=0)).fit_resample(X, Y)
    assert len(X_res) == len(y_res) == 80


def test_cache(tmp_path):
    pipe = make_pipeline(StandardScaler(), SMOTE(random_state=0), Witness(), memory=str(tmp_path))
    for _ in range(2):
        pipe.fit(X, Y, witness__speakers=SPEAKERS)
        assert list(pipe[-1].speakers_) == [*SPEAKERS, *[None] * 20]
    assert hasattr(pipe[0], "scale_")


def test_set_output_and_verbose(capsys):
    pipe = make_pipeline(StandardScaler(), Witness(), verbose=True).set_output(transform="pandas")
    pipe.fit(pd.DataFrame(X, columns=list("abc")), Y)
    assert list(pipe[-1].X_.columns) == list("abc")
    assert "(step 1 of 2) Processing standardscaler" in capsys.readouterr().out


def test_clone_slice_and_params():
    pipe = make_pipeline(SMOTE(), Witness())
    assert type(clone(pipe)) is type(pipe[:1]) is Pipeline
    assert pipe.set_params(smote__k_neighbors=2)["smote"].k_neighbors == 2


def test_transform_input_is_left_alone():
    """A validation set of as many rows as there are training rows is no metadata of theirs."""

    class Validated(Witness):
        def fit(self, X, y, X_val=None):
            self.X_val_ = X_val
            return super().fit(X, y)

    with config_context(enable_metadata_routing=True):
        last = Validated().set_fit_request(X_val=True)
        pipe = make_pipeline(
            SMOTE(random_state=0), StandardScaler(), last, transform_input=["X_val"]
        )
        pipe.fit(X, Y, X_val=X)
    assert len(pipe[-1].X_) == 80
    np.testing.assert_allclose(pipe[-1].X_val_, pipe[1].transform(X))
