import sys
from types import ModuleType

import numpy as np
import pytest
from sklearn.decomposition import PCA

from serkit.inspection import EmbeddingDisplay

to_hex = pytest.importorskip("matplotlib.colors").to_hex

pytestmark = pytest.mark.usefixtures("pyplot")


@pytest.fixture
def vectors():
    """Two classes far apart; synthetic vectors that resemble the real ones."""
    rng = np.random.default_rng(0)
    y_real, y_synth = np.repeat(["anger", "joy"], 15), np.repeat(["anger", "joy"], 10)
    X_real, X_synth = rng.normal(size=(30, 6)), rng.normal(size=(20, 6))
    X_real[y_real == "joy"] += 20
    X_synth[y_synth == "joy"] += 20
    return X_real, X_synth, y_real, y_synth


def color(points):
    return to_hex(points.get_facecolor()[0])


def outline(points):
    return points.get_paths()[0].vertices.tolist()


def test_both_sets_are_embedded_together(vectors):
    X_real, X_synth, *_ = vectors
    display = EmbeddingDisplay.from_vectors(X_real, X_synth, method="pca", name="GAN")
    together = PCA(2).fit_transform(np.concatenate([X_real, X_synth]))
    np.testing.assert_allclose(np.abs(display.embedding), np.abs(together))
    real, synthetic = display.scatter_["real"], display.scatter_["synthetic"]
    np.testing.assert_array_equal(real.get_offsets(), display.embedding[:30])
    np.testing.assert_array_equal(synthetic.get_offsets(), display.embedding[30:])
    assert color(real) != color(synthetic)
    assert outline(real) != outline(synthetic)
    assert display.y is None
    assert display.ax_.get_title() == "GAN"


def test_one_embedding_serves_both_colourings(vectors):
    display = EmbeddingDisplay.from_vectors(*vectors, perplexity=5, random_state=0)
    assert list(display.scatter_) == ["real", "synthetic"]
    embedding = display.embedding.copy()
    display.plot(color_by="class")
    np.testing.assert_array_equal(display.embedding, embedding)
    shown = display.scatter_
    assert list(shown) == ["anger, real", "joy, real", "anger, synthetic", "joy, synthetic"]
    for label in ("anger", "joy"):
        assert color(shown[f"{label}, real"]) == color(shown[f"{label}, synthetic"])
    assert color(shown["anger, real"]) != color(shown["joy, real"])
    assert outline(shown["anger, real"]) != outline(shown["anger, synthetic"])
    np.testing.assert_array_equal(shown["joy, synthetic"].get_offsets(), embedding[40:])


def test_tsne_keeps_classes_apart_and_repeats_itself(vectors):
    first, again = (
        EmbeddingDisplay.from_vectors(*vectors, color_by="class", perplexity=5, random_state=3)
        for _ in range(2)
    )
    np.testing.assert_array_equal(first.embedding, again.embedding)
    anger, joy = (first.embedding[first.y == label] for label in ("anger", "joy"))
    across = np.linalg.norm(anger[:, np.newaxis] - joy, axis=-1).min(axis=1)
    inside = np.linalg.norm(anger[:, np.newaxis] - anger, axis=-1)
    np.fill_diagonal(inside, np.inf)
    assert (inside.min(axis=1) < across).all()


def test_of_a_larger_set_some_rows_are_drawn(vectors):
    X_real, X_synth, y_real, y_synth = vectors
    options = {"method": "pca", "max_rows": 12, "random_state": 0}
    X_synth = X_synth[:8]
    display = EmbeddingDisplay.from_vectors(X_real, X_synth, y_real, y_synth[:8], **options)
    assert [len(points.get_offsets()) for points in display.scatter_.values()] == [12, 8]
    # Class and vector go together: the classes lie on either side along the first axis.
    sides = display.embedding[:, 0] > display.embedding[:, 0].mean()
    assert {(label, bool(side)) for label, side in zip(display.y, sides, strict=True)} in (
        {("anger", True), ("joy", False)},
        {("anger", False), ("joy", True)},
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, r"perplexity=30 needs more vectors .* there are 30; lower perplexity, or .*\"pca\""),
        ({"method": "isomap"}, '"tsne", "umap" or "pca", not \'isomap\''),
        ({"color_by": "class"}, "needs the classes, y_real and y_synth"),
        ({"color_by": "speaker"}, "needs speakers"),
        ({"color_by": "gender"}, '"origin", "class" or "speaker", not \'gender\''),
        ({"y_real": ["joy"] * 20}, "give y_real and y_synth, or neither"),
        ({"y_real": ["joy"] * 19, "y_synth": ["joy"] * 10}, "inconsistent"),
    ],
    ids=["few rows", "method", "no classes", "no speakers", "color_by", "half of y", "length of y"],
)
def test_what_cannot_be_drawn_is_refused(vectors, options, message):
    with pytest.raises(ValueError, match=message):
        EmbeddingDisplay.from_vectors(vectors[0][:20], vectors[1][:10], **options)


def test_vectors_of_other_sizes_are_refused(vectors):
    with pytest.raises(ValueError, match="real vectors have 6 features, synthetic ones 5"):
        EmbeddingDisplay.from_vectors(vectors[0], vectors[1][:, :5])


def test_the_axes_given_are_used(pyplot, vectors):
    _, ax = pyplot.subplots()
    display = EmbeddingDisplay.from_vectors(*vectors, method="pca", ax=ax, alpha=0.3)
    assert display.ax_ is ax
    assert display.scatter_["real"].get_alpha() == 0.3
    assert display.plot().ax_ is not ax


def test_parts_of_a_network_are_drawn_by_emotion_and_by_speaker(speech, cldnn):
    X, y, speakers = speech
    options = {"speakers": speakers, "method": "pca"}
    display = EmbeddingDisplay.from_estimator(cldnn, X, y, **options)
    assert list(display.scatter_) == ["anger", "calm"]
    expected = PCA(2).fit_transform(cldnn.transform(X))
    np.testing.assert_allclose(np.abs(display.embedding), np.abs(expected), atol=1e-5)
    anger = display.scatter_["anger"].get_offsets()
    np.testing.assert_array_equal(anger, display.embedding[y == "anger"])
    display.plot(color_by="speaker")
    assert list(display.scatter_) == ["a", "b", "c", "d"]
    assert len({color(points) for points in display.scatter_.values()}) == 4
    posteriors = EmbeddingDisplay.from_estimator(cldnn, X, y, stage="output", **options)
    assert not np.allclose(posteriors.embedding, display.embedding)


def test_synthetic_vectors_have_no_speaker(vectors):
    X_real, X_synth, *_ = vectors
    speakers = [None, *["a", "b"] * 14, "a"]
    display = EmbeddingDisplay.from_vectors(
        X_real, X_synth, speakers=speakers, color_by="speaker", method="pca"
    )
    counts = {label: len(points.get_offsets()) for label, points in display.scatter_.items()}
    assert counts == {"a, real": 15, "b, real": 14, "real": 1, "synthetic": 20}
    assert color(display.scatter_["synthetic"]) == color(display.scatter_["real"]) == "#666666"


def test_many_speakers_differ_and_their_legend_is_beside(vectors):
    X_real, *_ = vectors
    speakers = [f"{number:02d}" for number in range(30)]
    display = EmbeddingDisplay.from_vectors(
        X_real, speakers=speakers, color_by="speaker", method="pca"
    )
    looks = {(color(points), str(outline(points))) for points in display.scatter_.values()}
    assert len(looks) == 30
    display.figure_.canvas.draw()
    legend = display.ax_.get_legend().get_window_extent()
    assert legend.x0 >= display.ax_.get_window_extent().x1
    assert legend.x1 <= display.figure_.bbox.x1


def test_umap_is_asked_for_neighbours(vectors, monkeypatch):
    class UMAP:
        def __init__(self, *, n_neighbors, random_state):
            self.n_neighbors = n_neighbors

        def fit_transform(self, X):
            return np.full((len(X), 2), self.n_neighbors)

    stand_in = ModuleType("umap")
    stand_in.UMAP = UMAP
    monkeypatch.setitem(sys.modules, "umap", stand_in)
    display = EmbeddingDisplay.from_vectors(*vectors, method="umap", perplexity=7.2)
    assert (display.embedding == 7).all()
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(ImportError, match=r"needs the package 'umap'.*serkit\[umap\]"):
        EmbeddingDisplay.from_vectors(*vectors, method="umap", perplexity=7)
