import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from serkit.inspection import CodeScatterDisplay

to_hex = pytest.importorskip("matplotlib.colors").to_hex

pytestmark = pytest.mark.usefixtures("pyplot")


class Prior:
    def __init__(self, means, covariances):
        self.means_, self.covariances_ = np.asarray(means), np.asarray(covariances)


class Encoder(TransformerMixin, BaseEstimator):
    """Gives its input as code; its prior has a component for each of three classes."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        directions = np.eye(len(self.classes_), X.shape[1])
        covariances = [np.diag(1.0 + np.arange(X.shape[1]))] * len(self.classes_)
        self.prior_ = Prior(5 * directions, covariances)
        return self

    def transform(self, X):
        return X


@pytest.fixture
def codes():
    return np.random.default_rng(0).normal(size=(30, 2))


@pytest.fixture
def y():
    return np.array(["anger", "joy", "sadness"])[np.arange(30) % 3]


@pytest.mark.parametrize("in_pipeline", [False, True])
def test_codes_are_drawn_by_class_over_the_prior(codes, y, in_pipeline):
    encoder = Encoder().fit(codes, y)
    if in_pipeline:
        encoder = make_pipeline(FunctionTransformer(np.asarray), encoder)
    display = CodeScatterDisplay.from_estimator(encoder, codes, y, name="codes")
    assert list(display.scatter_) == ["anger", "joy", "sadness"]
    edges = [to_hex(ellipse.get_edgecolor()) for ellipse in display.ellipses_]
    for (label, points), edge in zip(display.scatter_.items(), edges, strict=True):
        np.testing.assert_array_equal(points.get_offsets(), codes[y == label])
        assert to_hex(points.get_facecolor()[0]) == edge
    assert len(set(edges)) == 3
    centers = [ellipse.center for ellipse in display.ellipses_]
    np.testing.assert_array_equal(centers, [[5, 0], [0, 5], [0, 0]])
    assert display.ax_.get_aspect() == 1
    assert display.ax_.get_title() == "codes"


def test_an_ellipse_is_two_standard_deviations_from_the_mean():
    covariance = np.array([[5.0, 4.0], [4.0, 5.0]])  # 9 along the diagonal, 1 across
    display = CodeScatterDisplay.from_codes(
        [[0.0, 0.0]], ["a"], means=[[1.0, 2.0]], covariances=[covariance]
    )
    (ellipse,) = display.ellipses_
    outline = display.ax_.transData.inverted().transform(ellipse.get_verts()) - [1, 2]
    distance = np.sqrt(np.einsum("ni,ij,nj->n", outline, np.linalg.inv(covariance), outline))
    np.testing.assert_allclose(distance, 2, rtol=1e-3)


def test_the_prior_can_be_left_out_and_may_be_missing(codes, y):
    encoder = Encoder().fit(codes, y)
    assert CodeScatterDisplay.from_estimator(encoder, codes, y, prior=False).ellipses_ == []
    encoder.prior_ = object()
    display = CodeScatterDisplay.from_estimator(encoder, codes, y)
    assert display.ellipses_ == []
    assert display.means is None


def test_a_class_keeps_its_colour_where_another_is_absent(codes, y):
    encoder = Encoder().fit(codes, y)
    both = [y != "nothing", y != "anger"]
    joys = [
        CodeScatterDisplay.from_estimator(encoder, codes[rows], y[rows]).scatter_["joy"]
        for rows in both
    ]
    np.testing.assert_array_equal(joys[0].get_facecolor(), joys[1].get_facecolor())


def test_larger_codes_are_projected_with_their_prior():
    codes = np.zeros((6, 4))
    codes[:2, 2], codes[2:4, 0], codes[4:, 1] = [9, -9], [5, -5], [0.1, -0.1]
    y = np.repeat(["anger", "joy", "sadness"], 2)
    encoder = Encoder().fit(codes, y)
    with pytest.raises(ValueError, match=r'these have 4; projection="pca"'):
        CodeScatterDisplay.from_estimator(encoder, codes, y)
    display = CodeScatterDisplay.from_estimator(encoder, codes, y, projection="pca")
    extent = [np.ptp(display.scatter_[label].get_offsets(), axis=0) for label in ("anger", "joy")]
    np.testing.assert_allclose(extent, [[18, 0], [0, 10]], atol=1e-9)
    # The third axis becomes the first, the first the second; their variances are 3 and 1.
    anger = display.ellipses_[0]
    np.testing.assert_allclose(np.abs(anger.center), [0, 5], atol=1e-9)
    outline = display.ax_.transData.inverted().transform(anger.get_verts())
    np.testing.assert_allclose(np.ptp(outline, axis=0), [4 * np.sqrt(3), 4], rtol=1e-3)


def test_what_cannot_be_drawn_is_refused(codes, y):
    with pytest.raises(ValueError, match="codes of two dimensions are drawn, and these have 1$"):
        CodeScatterDisplay.from_codes(codes[:, :1], y, projection="pca")
    with pytest.raises(ValueError, match="\"pca\" or None, not 'tsne'"):
        CodeScatterDisplay.from_codes(codes, y, projection="tsne")
    with pytest.raises(ValueError, match="inconsistent"):
        CodeScatterDisplay.from_codes(codes, y[:-1])
    with pytest.raises(ValueError, match=r"each of the 3 classes; means has the shape \(2, 2\)"):
        CodeScatterDisplay.from_codes(codes, y, means=np.eye(2), covariances=[np.eye(2)] * 2)


def test_many_classes_have_as_many_colours(codes):
    display = CodeScatterDisplay.from_codes(codes, np.arange(30) % 10)
    assert len({to_hex(points.get_facecolor()[0]) for points in display.scatter_.values()}) == 10


def test_the_axes_given_are_used(pyplot, codes, y):
    _, ax = pyplot.subplots()
    display = CodeScatterDisplay.from_codes(codes, y, ax=ax, s=40)
    assert display.ax_ is ax
    assert display.scatter_["joy"].get_sizes().tolist() == [40]
    assert display.plot().ax_ is not ax


@pytest.mark.parametrize("name", ["c", "color"])
def test_a_colour_may_be_given(pyplot, codes, y, name):
    display = CodeScatterDisplay.from_codes(codes, y, **{name: "red"})
    for points in display.scatter_.values():
        assert to_hex(points.get_facecolor()[0]) == "#ff0000"
