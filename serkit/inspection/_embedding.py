"""A picture of vectors in two dimensions."""

from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.utils import check_array, check_consistent_length, check_random_state

from serkit.inspection._drawing import (
    GREY,
    add_legend,
    axes_and_figure,
    class_colors,
    class_styles,
    merge_style,
)
from serkit.inspection._networks import network_and_input, stage_vectors
from serkit.utils import check_speakers, import_optional

__all__ = ["EmbeddingDisplay"]

_MARKER = {"real": "o", "synthetic": "^"}
_METHODS = ("tsne", "umap", "pca")
#: What the colour may tell, and what of the display knows it.
_COLOR_BY = {"origin": "origin", "class": "y", "speaker": "speakers"}


class EmbeddingDisplay:
    """Draw vectors in two dimensions: real beside synthetic ones, by emotion, or by speaker.

    Use :meth:`from_vectors` or :meth:`from_estimator` to make one. Real and
    synthetic vectors are embedded together, and the marker tells which is which.
    The colour tells that too, or the class, or the speaker; one embedding serves
    all pictures, ``display.plot(color_by="class")`` draws another.

    Parameters
    ----------
    embedding : ndarray of shape (n_rows, 2)
        The vectors in two dimensions.
    origin : ndarray of shape (n_rows,)
        "real" or "synthetic".
    y : ndarray of shape (n_rows,) or None, default=None
        Classes of the vectors.
    speakers : ndarray of shape (n_rows,) or None, default=None
        Their speakers; ``None`` for a vector that has none.

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
    LDADisplay : Draws the directions in which classes differ most.

    Notes
    -----
    Neither the size of a cluster in t-SNE or UMAP nor the distance between two of
    them says much; that real and synthetic vectors lie in clusters of their own does.

    References
    ----------
    .. [1] L. van der Maaten and G. Hinton, "Visualizing Data using t-SNE", Journal of
       Machine Learning Research 9, 2008, pp. 2579-2605.
    .. [2] L. McInnes, J. Healy and J. Melville, "UMAP: Uniform Manifold Approximation
       and Projection for Dimension Reduction", arXiv:1802.03426, 2018.

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

    def __init__(self, embedding, origin, y=None, *, speakers=None):
        self.embedding = embedding
        self.origin = origin
        self.y = y
        self.speakers = speakers

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
        color_by : {"origin", "class", "speaker"}, default="origin"
            What the colour tells.
        **scatter_kw : dict
            Handed to ``scatter`` of matplotlib.

        Returns
        -------
        display : EmbeddingDisplay

        Raises
        ------
        ValueError
            If the classes, or the speakers, are not known.
        """
        _check_color_by(color_by, {"class": self.y, "speaker": self.speakers})
        self.ax_, self.figure_ = axes_and_figure(self, ax)
        shown = np.asarray(getattr(self, _COLOR_BY[color_by]), dtype=object)
        has = np.array([label is not None for label in shown])
        both = len(np.unique(self.origin)) > 1
        if both or color_by == "origin":
            look = {label: {"color": color} for label, color in class_colors(shown[has]).items()}
        else:  # markers, which are free, tell more classes apart
            look = class_styles(shown[has])
        self.scatter_: dict[str, Any] = {}
        for origin, marker in _MARKER.items():
            rows = self.origin == origin
            for label, own in look.items():
                name_of = f"{label}, {origin}" if both and color_by != "origin" else str(label)
                self._draw(rows & (shown == label), name_of, {"marker": marker, **own}, scatter_kw)
            self._draw(rows & ~has, origin, {"marker": marker, "color": GREY}, scatter_kw)
        self.ax_.set(xticks=[], yticks=[], title=name)
        add_legend(self.ax_, len(self.scatter_))
        return self

    def _draw(self, rows: np.ndarray, label: str, look: dict, scatter_kw: dict) -> None:
        if rows.any():
            style = {"s": 14, "linewidth": 0, "alpha": 0.7, **look}
            self.scatter_[label] = self.ax_.scatter(
                *self.embedding[rows].T, label=label, **merge_style(style, scatter_kw)
            )

    @classmethod
    def from_vectors(
        cls,
        X_real: Any,
        X_synth: Any = None,
        y_real: Any = None,
        y_synth: Any = None,
        *,
        speakers: Any = None,
        color_by: str = "origin",
        method: str = "tsne",
        perplexity: float = 30.0,
        random_state: Any = None,
        max_rows: int = 2000,
        ax: Any = None,
        name: str | None = None,
        **scatter_kw: Any,
    ) -> "EmbeddingDisplay":
        """Embed real vectors, and synthetic ones together with them, and draw them.

        Parameters
        ----------
        X_real : array-like of shape (n_real, n_features)
            Real vectors.
        X_synth : array-like of shape (n_synth, n_features) or None, default=None
            Synthetic vectors, scaled as the real ones are.
        y_real : array-like of shape (n_real,) or None, default=None
            Classes of the real vectors.
        y_synth : array-like of shape (n_synth,) or None, default=None
            Classes of the synthetic vectors; given with `y_real` or not at all.
        speakers : array-like of shape (n_real,) or None, default=None
            Speakers of the real vectors; synthetic ones have none, and are grey.
        color_by : {"origin", "class", "speaker"}, default="origin"
            What the colour tells.
        method : {"tsne", "umap", "pca"}, default="tsne"
            How the vectors are embedded: by t-SNE [1]_, by UMAP [2]_, which needs
            the package ``umap-learn``, or as their first two principal components.
        perplexity : float, default=30.0
            About how many neighbours of a vector t-SNE or UMAP keeps close. It
            must be less than the number of vectors.
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
        X_real = check_array(X_real)
        X_synth = X_real[:0] if X_synth is None else check_array(X_synth)
        if X_real.shape[1] != X_synth.shape[1]:
            raise ValueError(
                f"real vectors have {X_real.shape[1]} features, synthetic ones {X_synth.shape[1]}"
            )
        if len(X_synth) and (y_real is None) != (y_synth is None):
            raise ValueError("give y_real and y_synth, or neither")
        _check_color_by(color_by, {"class": y_real, "speaker": speakers})
        check_consistent_length(X_real, y_real)
        check_consistent_length(X_synth, y_synth)
        speakers = (
            np.full(len(X_real), None) if speakers is None else check_speakers(speakers, X_real)
        )
        random_state = check_random_state(random_state)
        sets = []
        for origin, X, y, own in (
            ("real", X_real, y_real, speakers),
            ("synthetic", X_synth, y_synth, np.full(len(X_synth), None)),
        ):
            rows = np.sort(random_state.permutation(len(X))[:max_rows])
            known = np.full(len(X), None) if y is None else np.asarray(y)
            sets.append((X[rows], np.full(len(rows), origin), known[rows], own[rows]))
        drawn = sets if len(X_synth) else sets[:1]
        X, origins, y, speakers = (np.concatenate(parts) for parts in zip(*drawn, strict=True))
        embedding = _embed(X, method, perplexity, random_state)
        y = None if y_real is None else y
        speakers = speakers if any(speaker is not None for speaker in speakers) else None
        display = cls(embedding, origins, y, speakers=speakers)
        return display.plot(ax, name=name, color_by=color_by, **scatter_kw)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        speakers: Any = None,
        stage: str | None = None,
        pooling: Any = "mean",
        color_by: str = "class",
        method: str = "tsne",
        perplexity: float = 30.0,
        random_state: Any = None,
        max_rows: int = 2000,
        ax: Any = None,
        name: str | None = None,
        **scatter_kw: Any,
    ) -> "EmbeddingDisplay":
        """Embed what a part of a fitted network makes of utterances, and draw it.

        Parameters
        ----------
        estimator : estimator
            A fitted network, or what ends in one, such as a pipeline.
        X : audio, frames or functionals
            Utterances that the estimator takes.
        y : array-like of shape (n_utterances,) or None, default=None
            Their classes.
        speakers : array-like of shape (n_utterances,) or None, default=None
            Their speakers.
        stage : str or None, default=None
            The part, as of :class:`ModuleFeatureExtractor`; ``None`` is the
            embedding, which the head reads.
        pooling : str or iterable of str, default="mean"
            Statistics over time of what has one.
        color_by : {"class", "speaker"}, default="class"
            What the colour tells.
        method : {"tsne", "umap", "pca"}, default="tsne"
            As of :meth:`from_vectors`.
        perplexity : float, default=30.0
            About how many neighbours of a vector are kept close.
        random_state : int, RandomState instance or None, default=None
            Pass an int for the same picture at every call.
        max_rows : int, default=2000
            Of more utterances, that many are drawn by lot.
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
            If the classes, or the speakers, are not known, or if there are too few
            utterances for t-SNE.
        """
        network, X = network_and_input(estimator, X, caller=cls.__name__)
        stage = network.stages_[-2] if stage is None else stage
        return cls.from_vectors(
            stage_vectors(network, X, stage, pooling),
            y_real=y,
            speakers=speakers,
            color_by=color_by,
            method=method,
            perplexity=perplexity,
            random_state=random_state,
            max_rows=max_rows,
            ax=ax,
            name=name,
            **scatter_kw,
        )


def _check_color_by(color_by: str, known: dict[str, Any]) -> None:
    if color_by not in _COLOR_BY:
        raise ValueError(f'color_by is "origin", "class" or "speaker", not {color_by!r}')
    if color_by in known and known[color_by] is None:
        what = "the classes, y_real and y_synth" if color_by == "class" else "speakers"
        raise ValueError(f'color_by="{color_by}" needs {what}')


def _embed(
    X: np.ndarray, method: str, perplexity: float, random_state: np.random.RandomState
) -> np.ndarray:
    if method not in _METHODS:
        raise ValueError(f'method is "tsne", "umap" or "pca", not {method!r}')
    if method == "pca":
        return PCA(2, random_state=random_state).fit_transform(X)
    if perplexity >= len(X):
        raise ValueError(
            f"{'t-SNE' if method == 'tsne' else 'UMAP'} with perplexity={perplexity:g} needs more "
            f"vectors than that, and there are {len(X)}; lower perplexity, or choose "
            'method="pca"'
        )
    if method == "umap":
        umap = import_optional("umap", extra="umap", caller='EmbeddingDisplay(method="umap")')
        reducer = umap.UMAP(n_neighbors=round(perplexity), random_state=random_state)
        return np.asarray(reducer.fit_transform(X))
    return TSNE(init="pca", perplexity=perplexity, random_state=random_state).fit_transform(X)
