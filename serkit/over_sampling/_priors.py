"""What the codes of generative models are drawn from."""

from numbers import Real
from typing import ClassVar, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval
from torch import Tensor

__all__ = ["GaussianMixturePrior", "StandardNormalPrior"]


class GaussianMixturePrior(BaseEstimator):
    """A Gaussian for every class, apart from those of the others.

    In two dimensions the means are the corners of a regular polygon around the
    origin, the first one on the first axis. With as many dimensions as classes,
    or more, every class has an axis of its own. In between, the polygon lies in
    the first two dimensions, and in one dimension the means are evenly spaced.

    Parameters
    ----------
    radius : float, default=5.0
        Distance of the means from the origin; in one dimension, from each
        other.
    scale : float, default=1.0
        Standard deviation of every component along every axis.
    means : array-like of shape (n_classes, n_dims) or None, default=None
        The means, in the order of the sorted classes, instead of those above.

    Attributes
    ----------
    means_ : ndarray of shape (n_classes, n_dims)
        The means.
    covariances_ : ndarray of shape (n_classes, n_dims, n_dims)
        The covariances.

    Notes
    -----
    Many classes lie close together on a polygon of radius 5: the means of seven
    are 4.3 apart, of four 7.1.

    References
    ----------
    Sahu et al. (2020), "Modeling Feature Representations for Affective Speech
    using Generative Adversarial Networks", section 4.2.

    Examples
    --------
    >>> from serkit.over_sampling import GaussianMixturePrior
    >>> prior = GaussianMixturePrior(radius=3.0).build(n_classes=4, n_dims=2)
    >>> prior.means_.round(6) + 0.0
    array([[ 3.,  0.],
           [ 0.,  3.],
           [-3.,  0.],
           [ 0., -3.]])
    """

    _parameter_constraints: ClassVar[dict] = {
        "radius": [Interval(Real, 0, None, closed="left")],
        "scale": [Interval(Real, 0, None, closed="neither")],
        "means": ["array-like", None],
    }

    def __init__(self, radius=5.0, scale=1.0, *, means=None):
        self.radius = radius
        self.scale = scale
        self.means = means

    def build(self, n_classes: int, n_dims: int) -> Self:
        """Place the components.

        Parameters
        ----------
        n_classes : int
            Number of components.
        n_dims : int
            Size of a code.

        Returns
        -------
        self : object
        """
        self._validate_params()
        if self.means is None:
            self.means_ = self.radius * _directions(n_classes, n_dims)
        else:
            self.means_ = np.asarray(self.means, dtype=float)
        if self.means_.shape != (n_classes, n_dims):
            raise ValueError(
                f"means must have a row for each of the {n_classes} classes and a column for each "
                f"of the {n_dims} dimensions of a code, got the shape {self.means_.shape}"
            )
        self.covariances_ = np.tile(self.scale**2 * np.eye(n_dims), (n_classes, 1, 1))
        return self

    def sample(self, classes: Tensor) -> Tensor:
        """Draw a code for every class named, by torch's generator.

        Parameters
        ----------
        classes : Tensor of int, of shape (n_codes,)
            Numbers of the classes.

        Returns
        -------
        codes : Tensor of shape (n_codes, n_dims)
        """
        means = torch.as_tensor(self.means_, dtype=torch.float32, device=classes.device)[classes]
        return means + self.scale * torch.randn_like(means)


class StandardNormalPrior(BaseEstimator):
    """Independent standard normal numbers, whatever the class.

    Examples
    --------
    >>> import torch
    >>> from serkit.over_sampling import StandardNormalPrior
    >>> prior = StandardNormalPrior().build(n_classes=4, n_dims=20)
    >>> prior.sample(torch.tensor([0, 1, 1])).shape
    torch.Size([3, 20])
    """

    def build(self, n_classes: int, n_dims: int) -> Self:
        """Remember the size of a draw.

        Parameters
        ----------
        n_classes : int
            Has no effect.
        n_dims : int
            Size of a draw.

        Returns
        -------
        self : object
        """
        self.n_dims_ = n_dims
        return self

    def sample(self, classes: Tensor) -> Tensor:
        """Draw numbers for every class named, by torch's generator.

        Parameters
        ----------
        classes : Tensor of int, of shape (n_draws,)
            Numbers of the classes.

        Returns
        -------
        draws : Tensor of shape (n_draws, n_dims)
        """
        return torch.randn(len(classes), self.n_dims_, device=classes.device)


def _directions(n_classes: int, n_dims: int) -> np.ndarray:
    """Return unit vectors that are far from each other."""
    if n_dims == 1:
        return np.arange(n_classes)[:, np.newaxis] - (n_classes - 1) / 2
    directions = np.zeros((n_classes, n_dims))
    if n_dims > 2 and n_dims >= n_classes:
        np.fill_diagonal(directions, 1.0)
    else:
        angles = 2 * np.pi * np.arange(n_classes) / n_classes
        directions[:, 0], directions[:, 1] = np.cos(angles), np.sin(angles)
    return directions
