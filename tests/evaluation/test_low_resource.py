"""Few real rows and many synthetic ones: who sees what, what is kept, what is tested."""

import numpy as np
import pandas as pd
import pytest
from imblearn.combine import SMOTEENN
from imblearn.over_sampling import SMOTE
from joblib import parallel_config
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from serkit.evaluation import low_resource_curve, low_resource_tests, paired_test
from serkit.metrics import uar_score, wa_score
from serkit.over_sampling import GANSampler, GaussianGenerator, RandomOverSampler

FRACTIONS = (0.1, 0.5, 1.0)


def make_corpus(seed, n_rows=120, shift=0.0):
    rng = np.random.default_rng(seed)
    y = rng.choice(["anger", "calm", "joy"], n_rows, p=[0.5, 0.3, 0.2])
    X = rng.normal(size=(n_rows, 4)) + shift
    X[:, 0] += 2 * (y == "calm")
    X[:, 1] += 2 * (y == "joy")
    # What tells a row from all others.
    X[:, 3] = np.arange(n_rows) + 1000 * seed
    return X, y


SOURCE, TARGET = make_corpus(0), make_corpus(1, 80, shift=0.5)
SPEAKERS = np.tile(list("pqrs"), 20)


class Notes(ClassifierMixin, BaseEstimator):
    """A classifier that notes what it is trained on and asked."""

    seen: list = []  # noqa: RUF012

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.X_, self.y_ = X, y
        return self

    def predict(self, X):
        self.seen.append((self.X_, self.y_, X, self.random_state))
        return np.random.default_rng(self.random_state).choice(self.classes_, len(X))


class GeneratorNotes(GaussianGenerator):
    """A generator that notes what it is fitted on."""

    seen: list = []  # noqa: RUF012

    def fit(self, X, y):
        self.seen.append((X, self.random_state))
        return super().fit(X, y)


@pytest.fixture(autouse=True)
def _forget():
    Notes.seen.clear()
    GeneratorNotes.seen.clear()


def run(classifier=None, systems=None, **options):
    options = {"fractions": FRACTIONS, "n_synthetic": [30, 90], "n_repeats": 2} | options
    systems = {"Gaussian": GaussianGenerator()} if systems is None else systems
    return low_resource_curve(classifier or GaussianNB(), systems, *SOURCE, *TARGET, **options)


def rows_of(X):
    """Return which rows of the unscaled source these are."""
    return set(X[:, 3].astype(int))


def test_a_row_of_the_table_for_each_setting_and_speaker():
    table = run(speakers_target=SPEAKERS)
    assert list(table) == [
        "system", "generator_fit", "n_synthetic", "fraction", "repeat", "speaker", "UAR", "WA",
    ]  # fmt: skip
    settings = table.groupby(["system", "n_synthetic", "fraction", "repeat"]).size()
    assert len(settings) == (1 + 2) * 3 * 2
    assert (settings == 5).all()
    assert table["speaker"].unique().tolist() == ["all", "p", "q", "r", "s"]
    assert set(table["generator_fit"]) == {"full"}
    baseline = table[table["system"] == "real only"]
    assert set(baseline["n_synthetic"]) == {0}
    assert set(run()["speaker"]) == {"all"}


def test_scores_are_those_of_a_loop_by_hand():
    scaler = StandardScaler().fit(SOURCE[0])
    X, X_target = scaler.transform(SOURCE[0]), scaler.transform(TARGET[0])
    generator = GaussianGenerator(random_state=1).fit(X, SOURCE[1])
    X_synth, y_synth = generator.sample(90)
    model = GaussianNB().fit(np.r_[X, X_synth], np.r_[SOURCE[1], y_synth])
    y_pred = model.predict(X_target)
    table = run(speakers_target=SPEAKERS).query(
        "system == 'Gaussian' and n_synthetic == 90 and fraction == 1 and repeat == 1"
    )
    for speaker in ("all", "q"):
        rows = np.full(80, True) if speaker == "all" else speaker == SPEAKERS
        found = table.set_index("speaker").loc[speaker]
        assert found["UAR"] == uar_score(TARGET[1][rows], y_pred[rows])
        assert found["WA"] == wa_score(TARGET[1][rows], y_pred[rows])


def test_subsets_are_nested_and_keep_every_class():
    run(Notes(), {}, scaler=None, fractions=(0.01, 0.1, 0.5, 1.0))
    for repeat in range(2):
        subsets = Notes.seen[4 * repeat : 4 * repeat + 4]
        rows = [rows_of(X) for X, *_ in subsets]
        assert rows[0] < rows[1] < rows[2] < rows[3] == set(range(120))
        assert sorted(subsets[0][1]) == ["anger", "calm", "joy"]
        for label in ("anger", "calm", "joy"):
            assert np.sum(subsets[2][1] == label) == round(np.sum(SOURCE[1] == label) / 2)
    assert rows_of(Notes.seen[1][0]) != rows_of(Notes.seen[5][0])
    assert [state for *_, state in Notes.seen] == [0] * 4 + [1] * 4


def test_real_rows_first_then_equally_many_synthetic_ones_of_each_class():
    systems = {"Gaussian": GaussianGenerator(), "SMOTE": SMOTE(), "random": RandomOverSampler()}
    run(Notes(), systems, scaler=None, n_synthetic=[30], n_repeats=1)
    real, *others = [Notes.seen[first : first + 3] for first in (0, 3, 6, 9)]
    for trained in others:
        for (X, y, *_), (X_all, y_all, *_) in zip(real, trained, strict=True):
            np.testing.assert_array_equal(X_all[: len(X)], X)
            np.testing.assert_array_equal(y_all[: len(X)], y)
            labels, counts = np.unique(y_all[len(X) :], return_counts=True)
            assert labels.tolist() == ["anger", "calm", "joy"]
            assert counts.tolist() == [10, 10, 10]


@pytest.mark.parametrize("generator_fit", ["full", "subset"])
def test_what_generators_see(generator_fit):
    """Fitted once per repeat on all rows, or anew on what the classifier learns."""
    systems = {"Gaussian": GeneratorNotes()}
    run(Notes(), systems, scaler=None, generator_fit=generator_fit)
    seen = [(rows_of(X), state) for X, state in GeneratorNotes.seen]
    everything = set(range(120))
    if generator_fit == "full":
        assert seen == [(everything, 0), (everything, 1)]
    else:
        learnt = [(rows_of(X), state) for X, _, _, state in Notes.seen[:6]]
        assert seen == learnt


@pytest.mark.parametrize("generator_fit", ["full", "subset"])
def test_what_samplers_add(generator_fit):
    """With "full", repetition adds real rows that the classifier was not to have."""
    run(Notes(), {"random": RandomOverSampler()}, scaler=None, generator_fit=generator_fit)
    X, y, *_ = Notes.seen[6]
    assert rows_of(X) <= set(range(120))
    n_real = len(y) - 30
    assert (rows_of(X[n_real:]) <= rows_of(X[:n_real])) == (generator_fit == "subset")


@pytest.mark.parametrize("generator_fit", ["full", "subset"])
def test_the_scaler_sees_what_the_generator_sees(generator_fit):
    run(Notes(), {"Gaussian": GeneratorNotes()}, n_synthetic=[30], generator_fit=generator_fit)
    for X, _ in GeneratorNotes.seen:
        np.testing.assert_allclose(X.mean(axis=0), 0, atol=1e-9)
    everything = StandardScaler().fit(SOURCE[0]).transform(TARGET[0])
    for fraction, (*_, X_target, _) in zip(FRACTIONS * 4, Notes.seen, strict=True):
        like_all = generator_fit == "full" or fraction == 1
        assert np.allclose(X_target, everything) == like_all


def test_the_target_teaches_nothing():
    """Other rows of the target leave what is said of a row as it is."""
    poisoned = TARGET[0].copy()
    poisoned[::2] *= 1e6
    seen = []
    for X in (TARGET[0], poisoned):
        Notes.seen.clear()
        low_resource_curve(
            Notes(), {"SMOTE": SMOTE(k_neighbors=1)}, *SOURCE, X, TARGET[1],
            fractions=[0.5], n_synthetic=[30], n_repeats=1,
        )  # fmt: skip
        seen.append(list(Notes.seen))
    for clean, other in zip(*seen, strict=True):
        np.testing.assert_array_equal(clean[0], other[0])
        np.testing.assert_array_equal(clean[2][1::2], other[2][1::2])


def test_seeds_reach_nested_parts_and_make_runs_repeatable():
    nested = make_pipeline(StandardScaler(), Notes())
    run(nested, {}, random_state=7)
    assert {state for *_, state in Notes.seen} == {7, 8}
    first = run(Notes(), random_state=3)
    pd.testing.assert_frame_equal(first, run(Notes(), random_state=3))
    assert not first["UAR"].equals(run(Notes(), random_state=4)["UAR"])
    more = run(Notes(), random_state=3, n_repeats=3)
    pd.testing.assert_frame_equal(more[more["repeat"] < 2].reset_index(drop=True), first)


def test_parallel_runs_give_the_same_table():
    expected = run()
    with parallel_config(backend="threading", n_jobs=2):
        pd.testing.assert_frame_equal(run(), expected)


def test_a_frozen_generator_is_used_as_it_is():
    scaled = StandardScaler().fit_transform(SOURCE[0])
    fitted = GeneratorNotes().fit(scaled, SOURCE[1])
    GeneratorNotes.seen.clear()
    found = run(systems={"Gaussian": FrozenEstimator(fitted)})
    assert not GeneratorNotes.seen
    pd.testing.assert_frame_equal(found, run())


def test_a_frozen_generator_of_more_classes_gives_those_of_the_source():
    X, y = make_corpus(2)
    fitted = GaussianGenerator().fit(np.r_[X, X + 9], np.r_[y, np.repeat("boredom", 120)])
    run(Notes(), {"Gaussian": FrozenEstimator(fitted)}, n_synthetic=[30])
    assert all("boredom" not in y for _, y, *_ in Notes.seen)


def test_a_stopped_run_goes_on(tmp_path):
    options = {"n_repeats": 1, "speakers_target": SPEAKERS}
    fitted = GaussianGenerator().fit(*SOURCE)
    systems = {"SMOTE": SMOTE(k_neighbors=1), "frozen": FrozenEstimator(fitted)}
    expected = run(Notes(), systems, **options)
    trained = []
    for lost in (None, 1, 0):
        for entry in list((tmp_path / "folds").glob("*.json"))[:lost]:
            entry.unlink()
        Notes.seen.clear()  # which counts as code of the class
        found = run(Notes(), systems, results_dir=tmp_path, **options)
        pd.testing.assert_frame_equal(found, expected)
        trained.append(len(Notes.seen))
    assert trained == [15, 1, 0]


@pytest.mark.parametrize(
    "change",
    [
        {"generator_fit": "subset"},
        {"scaler": None},
        {"random_state": 5},
        {"systems": {"Gaussian": SMOTE(k_neighbors=1)}},
        {"classifier": make_pipeline(Notes())},
    ],
    ids=lambda change: "-".join(change),
)
def test_results_of_other_settings_are_not_taken(tmp_path, change):
    options = {"results_dir": tmp_path, "n_repeats": 1, "fractions": (0.5,), "n_synthetic": [30]}
    trained = []
    for settings in ({}, {}, change):
        Notes.seen.clear()
        run(**{"classifier": Notes()} | options | settings)
        trained.append(len(Notes.seen))
    # A system takes the baseline over, all else changes that too.
    assert trained == [2, 0, 1 if "systems" in change else 2]


def test_fractions_that_look_alike_are_kept_apart():
    fractions = (0.125, 0.12, 0.5)
    together = run(systems={}, fractions=fractions, n_repeats=1)
    for fraction in fractions:
        alone = run(systems={}, fractions=(fraction,), n_repeats=1)
        both = together[together["fraction"] == fraction].reset_index(drop=True)
        pd.testing.assert_frame_equal(both, alone)


def test_a_sampler_of_a_frozen_generator_does_not_learn_subsets():
    fitted = GaussianGenerator().fit(*SOURCE)
    systems = {"frozen": GANSampler(FrozenEstimator(fitted))}
    with pytest.raises(ValueError, match="'frozen' has a FrozenEstimator"):
        run(systems=systems, generator_fit="subset")


def test_an_error_names_the_setting():
    with pytest.raises(ValueError, match="n_neighbors") as caught:
        run(systems={"SMOTE": SMOTE()}, generator_fit="subset")
    assert caught.value.__notes__ == [
        "in system 'SMOTE', 30 synthetic rows, 10% of the source, repeat 0"
    ]


FITTED = GaussianGenerator().fit(*SOURCE)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"systems": {"x": GaussianNB()}}, TypeError, "'x' must be a generator.*got GaussianNB"),
        ({"systems": {"x": FITTED}}, TypeError, "fitted already.*FrozenEstimator"),
        (
            {"systems": {"x": FrozenEstimator(FITTED)}, "generator_fit": "subset"},
            ValueError,
            "cannot be fitted on every subset",
        ),
        ({"systems": {"x": SMOTEENN()}}, ValueError, "SMOTEENN was to add 30 rows behind the 120"),
        ({"systems": {"real only": SMOTE()}}, ValueError, "name of the baseline"),
        ({"fractions": (0, 1)}, ValueError, "above 0 and at most 1"),
        ({"fractions": ()}, ValueError, "one or more different numbers"),
        ({"n_synthetic": (0, 30)}, ValueError, "1 or more.*'real only' is always there"),
        ({"n_repeats": 0}, ValueError, "n_repeats must be 1 or more"),
        ({"random_state": None}, TypeError, "random_state must be an int"),
        ({"generator_fit": "all"}, ValueError, "'full' or 'subset', got 'all'"),
        ({"speakers_target": ["all"] * 80}, ValueError, "none may be called 'all'"),
    ],
    ids=[
        "classifier", "fitted", "frozen", "cleaning", "name", "fraction", "empty", "zero",
        "repeats", "seed", "fit", "speaker",
    ],
)  # fmt: skip
def test_arguments_that_do_not_fit_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        run(**options)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (TARGET[0][:, :3], TARGET[1], "source has 4, the target 3"),
        (TARGET[0], np.where(TARGET[1] == "joy", "fear", TARGET[1]), r"\['fear'\].*source lacks"),
    ],
    ids=["features", "emotions"],
)
def test_a_target_of_another_kind_is_refused(X, y, message):
    with pytest.raises(ValueError, match=message):
        low_resource_curve(GaussianNB(), {}, *SOURCE, X, y)


def test_tests_are_over_speakers_after_the_mean_over_repeats():
    systems = {"Gaussian": GaussianGenerator(), "SMOTE": SMOTE(k_neighbors=1)}
    table = run(LogisticRegression(), systems, speakers_target=SPEAKERS)
    tests = low_resource_tests(table)
    assert len(tests) == 2 * 2 * 3
    assert (tests["speakers"] == 4).all()
    assert (tests["p permutation (Holm)"] >= tests["p permutation"]).all()
    means = table[table["speaker"] != "all"].groupby(
        ["system", "n_synthetic", "fraction", "speaker"]
    )["UAR"].mean()  # fmt: skip
    for _, row in tests.iterrows():
        own = means[row["system"], row["n_synthetic"], row["fraction"]]
        expected = paired_test(own, means["real only", 0, row["fraction"]])
        assert row["UAR difference"] == pytest.approx(expected.difference)
        assert row["p permutation"] == expected.p_permutation
    assert tests["UAR difference"].any()


def test_a_baseline_with_synthetic_rows_is_compared_at_the_same_number():
    systems = {"Gaussian": GaussianGenerator(), "SMOTE": SMOTE(k_neighbors=1)}
    options = {"speakers_target": SPEAKERS, "fractions": (0.5, 1.0)}
    tables = [run(systems=systems, generator_fit=kind, **options) for kind in ("full", "subset")]
    tests = low_resource_tests(pd.concat(tables), "SMOTE")
    assert set(tests["system"]) == {"Gaussian"}
    assert len(tests) == 2 * 2 * 2
    swapped = low_resource_tests(pd.concat(tables), "Gaussian")
    np.testing.assert_allclose(swapped["UAR difference"], -tests["UAR difference"])


def test_tests_need_speakers_and_a_baseline():
    with pytest.raises(ValueError, match="give low_resource_curve speakers_target"):
        low_resource_tests(run())
    table = run(speakers_target=SPEAKERS)
    with pytest.raises(ValueError, match="nothing to compare with 'GAN'.*'Gaussian', 'real only'"):
        low_resource_tests(table, "GAN")
