"""A picture of real and synthetic vectors in two dimensions."""

from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.utils import check_array, check_consistent_length, check_random_state

from serkit.inspection._drawing import axes_and_figure, class_colors, merge_style

__all__ = ["EmbeddingDisplay"]

_MARKER = {"real": "o", "synthetic": "^"}


class EmbeddingDisplay:
    """Draw real and synthetic vectors side by side in two dimensions.

    Use :meth:`from_vectors` to make one. Both sets are embedded together. The
    marker tells where a vector comes from, the colour that or its class; one
    embedding serves both pictures, ``display.plot(color_by="class")`` draws the
    second.

    Parameters
    ----------
    embedding : ndarray of shape (n_rows, 2)
        The vectors in two dimensions.
    origin : ndarray of shape (n_rows,)
        "real" or "synthetic".
    y : ndarray of shape (n_rows,) or None, default=None
        Classes of the vectors.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure.
    scatter_ : dict of str to matplotlib PathCollection
        The points, by their label in the legend.

    See Also
    --------
    CodeScatterDisplay : Draws two-dimensional codes as they are.

    Notes
    -----
    Neither the size of a cluster in t-SNE nor the distance between two of them
    says much; that real and synthetic vectors lie in clusters of their own does.

    References
    ----------
    van der Maaten and Hinton, "Visualizing Data using t-SNE", JMLR 2008.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> import numpy as np
    >>> from serkit.inspection import EmbeddingDisplay
    >>> rng = np.random.default_rng(0)
    >>> real, synthetic = rng.normal(size=(40, 5)), rng.normal(size=(20, 5))
    >>> display = EmbeddingDisplay.from_vectors(real, synthetic, method="pca")
    >>> {origin: len(points.get_offsets()) for origin, points in display.scatter_.items()}
    {'real': 40, 'synthetic': 20}
    """

    def __init__(self, embedding, origin, y=None):
        self.embedding = embedding
        self.origin = origin
        self.y = y

    def plot(
        self,
        ax: Any = None,
        *,
        name: str | None = None,
        color_by: str = "origin",
        **scatter_kw: Any,
    ) -> "EmbeddingDisplay":
        """Draw the vectors.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where; ``None`` makes a figure.
        name : str or None, default=None
            A title.
        color_by : {"origin", "class"}, default="origin"
            What the colour tells.
        **scatter_kw : dict
            Handed to ``scatter`` of matplotlib.

        Returns
        -------
        display : EmbeddingDisplay

        Raises
        ------
        ValueError
            If the classes are not known.
        """
        _check_color_by(color_by, self.y)
        ax, self.figure_ = axes_and_figure(self, ax)
        self.ax_ = ax
        shown = self.origin if color_by == "origin" else np.asarray(self.y)
        self.scatter_: dict[str, Any] = {}
        for origin, marker in _MARKER.items():
            for label, color in class_colors(shown).items():
                rows = (self.origin == origin) & (shown == label)
                if not rows.any():
                    continue
                label = origin if color_by == "origin" else f"{label}, {origin}"
                style = {"marker": marker, "color": color, "s": 14, "linewidth": 0, "alpha": 0.7}
                self.scatter_[label] = ax.scatter(
                    *self.embedding[rows].T, label=label, **merge_style(style, scatter_kw)
                )
        ax.set(xticks=[], yticks=[], title=name)
        ax.legend(frameon=False, fontsize="small")
        return self

    @classmethod
    def from_vectors(
        cls,
        X_real: Any,
        X_synth: Any,
        y_real: Any = None,
        y_synth: Any = None,
        *,
        color_by: str = "origin",
        method: str = "tsne",
        perplexity: float = 30.0,
        random_state: Any = None,
        max_rows: int = 2000,
        ax: Any = None,
        name: str | None = None,
        **scatter_kw: Any,
    ) -> "EmbeddingDisplay":
        """Embed real and synthetic vectors together, and draw them.

        Parameters
        ----------
        X_real : array-like of shape (n_real, n_features)
            Real vectors.
        X_synth : array-like of shape (n_synth, n_features)
            Synthetic vectors, scaled as the real ones are.
        y_real : array-like of shape (n_real,) or None, default=None
            Classes of the real vectors.
        y_synth : array-like of shape (n_synth,) or None, default=None
            Classes of the synthetic vectors; given with `y_real` or not at all.
        color_by : {"origin", "class"}, default="origin"
            What the colour tells.
        method : {"tsne", "pca"}, default="tsne"
            How the vectors are embedded: by t-SNE, or as their first two
            principal components.
        perplexity : float, default=30.0
            About how many neighbours of a vector t-SNE keeps close. It must be
            less than the number of vectors.
        random_state : int, RandomState instance or None, default=None
            Pass an int for the same picture at every call.
        max_rows : int, default=2000
            Of a larger set, that many vectors are drawn by lot.
        ax : matplotlib Axes or None, default=None
            Where; ``None`` makes a figure.
        name : str or None, default=None
            A title.
        **scatter_kw : dict
            Handed to ``scatter`` of matplotlib.

        Returns
        -------
        display : EmbeddingDisplay

        Raises
        ------
        ValueError
            If the two sets do not go together, or are too small for t-SNE.
        """
        X_real, X_synth = check_array(X_real), check_array(X_synth)
        if X_real.shape[1] != X_synth.shape[1]:
            raise ValueError(
                f"real vectors have {X_real.shape[1]} features, synthetic ones {X_synth.shape[1]}"
            )
        if (y_real is None) != (y_synth is None):
            raise ValueError("give y_real and y_synth, or neither")
        _check_color_by(color_by, y_real)
        check_consistent_length(X_real, y_real)
        check_consistent_length(X_synth, y_synth)
        random_state = check_random_state(random_state)
        sets = []
        for name_of_set, X, y in (("real", X_real, y_real), ("synthetic", X_synth, y_synth)):
            rows = np.sort(random_state.permutation(len(X))[:max_rows])
            known = np.full(len(X), None) if y is None else np.asarray(y)
            sets.append((X[rows], np.full(len(rows), name_of_set), known[rows]))
        X, origin, y = (np.concatenate(parts) for parts in zip(*sets, strict=True))
        embedding = _embed(X, method, perplexity, random_state)
        display = cls(embedding, origin, None if y_real is None else y)
        return display.plot(ax, name=name, color_by=color_by, **scatter_kw)


def _check_color_by(color_by: str, y: Any) -> None:
    if color_by not in ("origin", "class"):
        raise ValueError(f'color_by is "origin" or "class", not {color_by!r}')
    if color_by == "class" and y is None:
        raise ValueError('color_by="class" needs the classes, y_real and y_synth')


def _embed(
    X: np.ndarray, method: str, perplexity: float, random_state: np.random.RandomState
) -> np.ndarray:
    if method == "pca":
        return PCA(2, random_state=random_state).fit_transform(X)
    if method != "tsne":
        raise ValueError(f'method is "tsne" or "pca", not {method!r}')
    if perplexity >= len(X):
        raise ValueError(
            f"t-SNE with perplexity={perplexity:g} needs more vectors than that, and there are "
            f'{len(X)}; lower perplexity, or choose method="pca"'
        )
    return TSNE(init="pca", perplexity=perplexity, random_state=random_state).fit_transform(X)
