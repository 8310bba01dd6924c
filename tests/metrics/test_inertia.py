from itertools import permutations

import numpy as np
import pytest

from serkit.metrics import cluster_inertia, cluster_inertia_ratio


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    labels = np.repeat(["anger", "joy", "calm"], [4, 9, 25])
    return rng.normal(size=(38, 5)) + 3 * (labels == "joy")[:, None], labels


def test_the_equations_of_the_paper(rows):
    X, labels = rows
    classes = np.unique(labels)
    means = {label: X[labels == label].mean(axis=0) for label in classes}
    within = np.mean(
        [((X[labels == label] - means[label]) ** 2).sum(axis=1).mean() for label in classes]
    )
    between = np.mean([((means[a] - means[b]) ** 2).sum() for a, b in permutations(classes, 2)])
    inertia = cluster_inertia(X, labels)
    assert inertia == pytest.approx((within, between))
    assert cluster_inertia_ratio(X, labels) == inertia.ratio == pytest.approx(within / between)


def test_rotation_and_common_scale_change_nothing(rows):
    X, labels = rows
    rotation, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(5, 5)))
    ratio = cluster_inertia_ratio(X, labels)
    assert cluster_inertia_ratio(7 * X @ rotation, labels) == pytest.approx(ratio)
    assert cluster_inertia_ratio(X * [9, 1, 1, 1, 1], labels) != pytest.approx(ratio, rel=1e-3)


def test_classes_of_one_mean_are_infinitely_mixed():
    assert cluster_inertia_ratio([[1.0], [-1.0], [2.0], [-2.0]], list("aabb")) == np.inf
    assert cluster_inertia_ratio([[1.0], [1.0], [2.0], [2.0]], list("aabb")) == 0


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="two classes or more .* all 2 rows are alike"):
        cluster_inertia([[1.0], [2.0]], ["a", "a"])
    with pytest.raises(ValueError, match="inconsistent"):
        cluster_inertia([[1.0], [2.0]], ["a"])
