"""A picture of two-dimensional codes."""

from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.utils import check_array, check_consistent_length

from serkit.inspection._drawing import GREY, axes_and_figure, class_colors, merge_style
from serkit.utils import import_optional, last_step

__all__ = ["CodeScatterDisplay"]


class CodeScatterDisplay:
    """Draw the codes of an encoder, coloured by class, over the prior they should follow.

    Use :meth:`from_estimator` or :meth:`from_codes` to make one. Of every
    component of the prior the mean is drawn, and an ellipse two standard
    deviations from it.

    Parameters
    ----------
    codes : ndarray of shape (n_rows, 2)
        The codes.
    y : ndarray of shape (n_rows,)
        Their classes.
    classes : array-like of shape (n_classes,) or None, default=None
        The classes of the components of the prior; they keep their colours when
        `y` lacks one of them.
    means : ndarray of shape (n_classes, 2) or None, default=None
        Means of the components of the prior.
    covariances : ndarray of shape (n_classes, 2, 2) or None, default=None
        Their covariances.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure.
    scatter_ : dict of object to matplotlib PathCollection
        The codes, by class.
    ellipses_ : list of matplotlib Ellipse
        The components of the prior.

    See Also
    --------
    EmbeddingDisplay : Draws vectors of any size.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from serkit.inspection import CodeScatterDisplay
    >>> codes = [[5.1, 0.2], [4.8, -0.3], [0.4, 5.0]]
    >>> display = CodeScatterDisplay.from_codes(codes, ["anger", "anger", "sadness"])
    >>> list(display.scatter_)
    ['anger', 'sadness']
    """

    def __init__(self, codes, y, *, classes=None, means=None, covariances=None):
        self.codes = codes
        self.y = y
        self.classes = classes
        self.means = means
        self.covariances = covariances

    def plot(
        self, ax: Any = None, *, name: str | None = None, **scatter_kw: Any
    ) -> "CodeScatterDisplay":
        """Draw the codes.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where; ``None`` makes a figure.
        name : str or None, default=None
            A title.
        **scatter_kw : dict
            Handed to ``scatter`` of matplotlib.

        Returns
        -------
        display : CodeScatterDisplay
        """
        ax, self.figure_ = axes_and_figure(self, ax)
        self.ax_ = ax
        components = [] if self.classes is None else list(self.classes)
        color_of = class_colors(components or self.y, self.y)
        self.scatter_: dict[Any, Any] = {}
        self.ellipses_: list[Any] = []
        for label in color_of:
            rows = self.y == label
            if rows.any():
                style = {"color": color_of[label], "s": 12, "linewidth": 0}
                style = merge_style(style, scatter_kw)
                self.scatter_[label] = ax.scatter(*self.codes[rows].T, label=str(label), **style)
        if self.means is not None:
            ax.scatter(*self.means.T, color="black", marker="+", s=60, label="prior", zorder=3)
            for label, mean, covariance in zip(
                components, self.means, self.covariances, strict=True
            ):
                ellipse = _ellipse(mean, covariance, edgecolor=color_of[label])
                self.ellipses_.append(ax.add_patch(ellipse))
        ax.axhline(0, color=GREY, linewidth=0.4, zorder=0)
        ax.axvline(0, color=GREY, linewidth=0.4, zorder=0)
        ax.set(xlabel="code 1", ylabel="code 2", title=name, aspect="equal")
        ax.legend(frameon=False, fontsize="small")
        return self

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        prior: bool = True,
        projection: str | None = None,
        ax: Any = None,
        name: str | None = None,
        **scatter_kw: Any,
    ) -> "CodeScatterDisplay":
        """Draw the codes that a fitted encoder gives.

        Parameters
        ----------
        estimator : estimator
            A fitted encoder, whose ``transform`` gives codes, or a pipeline that
            ends in one. Its prior is ``prior_``, if it has one.
        X : array-like of shape (n_rows, n_features)
            What is encoded: real or synthetic vectors.
        y : array-like of shape (n_rows,)
            Their classes.
        prior : bool, default=True
            Draw the prior, if it is a mixture with a component for every class.
        projection : {"pca"} or None, default=None
            "pca" draws the two principal components of larger codes.
        ax : matplotlib Axes or None, default=None
            Where; ``None`` makes a figure.
        name : str or None, default=None
            A title.
        **scatter_kw : dict
            Handed to ``scatter`` of matplotlib.

        Returns
        -------
        display : CodeScatterDisplay

        Raises
        ------
        ValueError
            If the codes do not have two dimensions, and there is no projection.
        """
        codes = estimator.transform(X)
        encoder = last_step(estimator)
        components = getattr(encoder, "prior_", None)
        if not prior or not hasattr(components, "means_"):
            components = None
        return cls.from_codes(
            codes,
            y,
            classes=getattr(encoder, "classes_", None),
            means=None if components is None else components.means_,
            covariances=None if components is None else components.covariances_,
            projection=projection,
            ax=ax,
            name=name,
            **scatter_kw,
        )

    @classmethod
    def from_codes(
        cls,
        codes: Any,
        y: Any,
        *,
        classes: Any = None,
        means: Any = None,
        covariances: Any = None,
        projection: str | None = None,
        ax: Any = None,
        name: str | None = None,
        **scatter_kw: Any,
    ) -> "CodeScatterDisplay":
        """Draw codes that are known.

        Parameters
        ----------
        codes : array-like of shape (n_rows, n_dims)
            The codes.
        y : array-like of shape (n_rows,)
            Their classes.
        classes : array-like of shape (n_classes,) or None, default=None
            The classes of the components of the prior; ``None`` takes those of
            `y`, sorted.
        means : array-like of shape (n_classes, n_dims) or None, default=None
            Means of the components of the prior.
        covariances : array-like of shape (n_classes, n_dims, n_dims) or None, default=None
            Their covariances.
        projection : {"pca"} or None, default=None
            "pca" draws the two principal components of larger codes.
        ax : matplotlib Axes or None, default=None
            Where; ``None`` makes a figure.
        name : str or None, default=None
            A title.
        **scatter_kw : dict
            Handed to ``scatter`` of matplotlib.

        Returns
        -------
        display : CodeScatterDisplay

        Raises
        ------
        ValueError
            If the codes do not have two dimensions, and there is no projection.
        """
        codes, y = check_array(codes), np.asarray(y)
        check_consistent_length(codes, y)
        if projection not in (None, "pca"):
            raise ValueError(f'projection is "pca" or None, not {projection!r}')
        if codes.shape[1] < 2 or (codes.shape[1] > 2 and projection is None):
            raise ValueError(
                f"codes of two dimensions are drawn, and these have {codes.shape[1]}"
                + ('; projection="pca" draws two of them' if codes.shape[1] > 2 else "")
            )
        if means is not None:
            classes = np.unique(y) if classes is None else classes
            means, covariances = _check_prior(means, covariances, len(classes), codes.shape[1])
        if codes.shape[1] > 2:
            pca = PCA(2, random_state=0).fit(codes)
            codes = pca.transform(codes)
            if means is not None:
                means = pca.transform(means)
                covariances = pca.components_ @ covariances @ pca.components_.T
        display = cls(codes, y, classes=classes, means=means, covariances=covariances)
        return display.plot(ax, name=name, **scatter_kw)


def _check_prior(
    means: Any, covariances: Any, n_classes: int, n_dims: int
) -> tuple[np.ndarray, np.ndarray]:
    means, covariances = np.asarray(means), np.asarray(covariances)
    if (means.shape, covariances.shape) != ((n_classes, n_dims), (n_classes, n_dims, n_dims)):
        raise ValueError(
            f"a prior of codes of {n_dims} dimensions has a mean and a covariance for each of the "
            f"{n_classes} classes; means has the shape {means.shape}, covariances "
            f"{covariances.shape}"
        )
    return means, covariances


def _ellipse(mean: np.ndarray, covariance: np.ndarray, **style: Any) -> Any:
    """Return the ellipse two standard deviations from a mean."""
    patches = import_optional("matplotlib.patches", extra="plot", caller="CodeScatterDisplay")
    variances, axes = np.linalg.eigh(covariance)
    width, height = 4 * np.sqrt(variances)
    angle = np.degrees(np.arctan2(axes[1, 0], axes[0, 0]))
    return patches.Ellipse(mean, width, height, angle=angle, facecolor="none", **style)
