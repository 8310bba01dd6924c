"""Trees of neighbours, which are made again of the neighbours."""

from typing import Any

from sklearn.neighbors import BallTree, KDTree

__all__ = ["plant_tree"]

_TREES = {"ball_tree": BallTree, "kd_tree": KDTree}


def plant_tree(estimator: Any) -> None:
    """Give an estimator the tree in which it looks for neighbours, if it had one."""
    tree = _TREES.get(getattr(estimator, "_fit_method", ""))
    if tree is not None:
        estimator._tree = tree(
            estimator._fit_X,
            estimator.leaf_size,
            metric=estimator.effective_metric_,
            **estimator.effective_metric_params_,
        )
