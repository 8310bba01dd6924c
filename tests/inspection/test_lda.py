import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from serkit.inspection import LDADisplay
from serkit.metrics import cluster_inertia_ratio

to_hex = pytest.importorskip("matplotlib.colors").to_hex

pytestmark = pytest.mark.usefixtures("pyplot")

PAPER = {"CNN": "context", "BLSTM": "recurrence", "MLP": "output"}


@pytest.fixture
def vectors():
    rng = np.random.default_rng(0)
    y = np.repeat(["anger", "joy", "sadness"], 12)
    X = rng.normal(size=(36, 6)) + 3 * np.eye(6)[np.repeat([0, 1, 2], 12)]
    return {"CNN": X, "MLP": X[:, :3]}, y


def test_a_panel_for_every_part_and_kind_of_classes(speech, cldnn):
    X, y, speakers = speech
    labels = {"emotion": y, "speaker": speakers}
    display = LDADisplay.from_estimator(cldnn, X, labels, stages=PAPER)
    assert display.axes_.shape == (2, 3)
    assert list(display.scatter_) == [(kind, part) for kind in labels for part in PAPER]
    assert [ax.get_ylabel() for ax in display.axes_[:, 0]] == ["emotion", "speaker"]
    posteriors = cldnn.predict_proba(X)
    assert display.ratios["emotion", "MLP"] == pytest.approx(
        cluster_inertia_ratio(posteriors, y), rel=1e-4
    )
    title = display.axes_[0, 2].get_title()
    assert title == f"MLP, $\\rho$ = {display.ratios['emotion', 'MLP']:.3g}"
    assert display.axes_[1, 2].get_title().startswith("$")


def test_deeper_parts_separate_emotions_better_and_speakers_worse(speech, cldnn):
    X, y, speakers = speech
    display = LDADisplay.from_estimator(cldnn, X, {"emotion": y, "speaker": speakers}, stages=PAPER)
    ratios = display.ratios
    assert ratios["emotion", "MLP"] < ratios["emotion", "CNN"]
    assert ratios["speaker", "MLP"] > ratios["speaker", "CNN"]


def test_the_first_two_discriminants_are_drawn(vectors):
    X, y = vectors
    display = LDADisplay.from_vectors(X, {"emotion": y})
    analysis = LinearDiscriminantAnalysis(n_components=2).fit_transform(X["CNN"], y)
    for label, points in display.scatter_["emotion", "CNN"].items():
        np.testing.assert_allclose(points.get_offsets(), analysis[y == label])
    texts = {text.get_text(): text.xy for text in display.axes_[0, 0].texts}
    assert list(texts) == ["anger", "joy", "sadness"]
    np.testing.assert_allclose(texts["joy"], analysis[y == "joy"].mean(axis=0))


def test_two_classes_have_one_component_and_even_heights(vectors):
    X, y = vectors
    display = LDADisplay.from_vectors(X, y == "joy", annotate=False)
    points = display.projections["", "CNN"]
    analysis = LinearDiscriminantAnalysis().fit_transform(X["CNN"], y == "joy")
    np.testing.assert_allclose(points[:, :1], analysis)
    assert ((points[:, 1] >= 0) & (points[:, 1] < 1)).all()
    assert not display.axes_[0, 0].texts


def test_many_classes_differ_in_colour_or_marker(vectors):
    X, _ = vectors
    display = LDADisplay.from_vectors(X, np.arange(36) % 12)
    looks = {
        (to_hex(points.get_facecolor()[0]), str(points.get_paths()[0].vertices))
        for points in display.scatter_["", "CNN"].values()
    }
    assert len(looks) == 12


def test_the_axes_given_are_used(pyplot, vectors):
    X, y = vectors
    _, axes = pyplot.subplots(1, 2)
    display = LDADisplay.from_vectors(X, y, axes=axes)
    assert display.axes_.ravel().tolist() == axes.tolist()
    with pytest.raises(ValueError, match="draws 2 panels, and 1 axes are given"):
        display.plot(axes[0])


def test_what_cannot_be_drawn_is_refused(vectors):
    X, y = vectors
    with pytest.raises(ValueError, match="two classes or more"):
        LDADisplay.from_vectors(X, ["joy"] * 36)
    with pytest.raises(ValueError, match="inconsistent"):
        LDADisplay.from_vectors(X, y[:-1])
