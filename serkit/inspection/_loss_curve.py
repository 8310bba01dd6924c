"""A picture of how a training went."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from serkit.inspection._drawing import GREY, axes_and_figure, colors
from serkit.utils import last_step

__all__ = ["LossCurveDisplay"]

#: Opponents in a game have opposite colours: discriminators blue, those who deceive them red.
_COLOR_OF = {
    "reconstruction_loss": "#009E73",
    "code_discriminator_loss": "#0072B2",
    "encoder_loss": "#D55E00",
    "feature_discriminator_loss": "#56B4E9",
    "generator_loss": "#E69F00",
    "aux_loss": "#CC79A7",
}
#: The losses that are ln 2 where neither side of a game is ahead.
_ADVERSARIAL = frozenset(_COLOR_OF) - {"reconstruction_loss", "aux_loss"}
#: What holds the model that was trained, in estimators around one.
_INNER = ("generator_", "estimator_", "best_estimator_")


class LossCurveDisplay:
    """Draw the losses of a training over its epochs.

    Use :meth:`from_estimator` or :meth:`from_history` to make one. Losses on
    training rows are solid, those on validation rows dashed and of the same
    colour. A dotted line at ln 2 shows where the two sides of an adversarial
    game are even, if one is drawn.

    Parameters
    ----------
    history : DataFrame
        A row per epoch; the columns that end in ``_loss`` are losses, those that
        begin with ``valid_`` too are losses on validation rows.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure.
    lines_ : dict of str to matplotlib Line2D
        The curves, by column of `history`.

    See Also
    --------
    serkit.neural_network.NeuralEstimator : Keeps its ``history_``, as every
        network does.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from serkit.inspection import LossCurveDisplay
    >>> history = {"epoch": [0, 1], "train_loss": [1.4, 0.9], "valid_loss": [1.4, 1.1]}
    >>> display = LossCurveDisplay.from_history(history)
    >>> list(display.lines_)
    ['train_loss', 'valid_loss']
    """

    def __init__(self, history):
        self.history = history

    def plot(
        self,
        ax: Any = None,
        *,
        name: str | None = None,
        losses: Sequence[str] | None = None,
        valid: bool = True,
        smooth: int = 1,
        **line_kw: Any,
    ) -> "LossCurveDisplay":
        """Draw the losses.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where; ``None`` makes a figure.
        name : str or None, default=None
            A title.
        losses : sequence of str or None, default=None
            The columns of losses on training rows that are drawn; ``None`` draws
            all of them.
        valid : bool, default=True
            Draw the losses on validation rows beside them, if there are any.
        smooth : int, default=1
            Number of epochs over which a moving mean is taken; 1 leaves the
            losses as they are.
        **line_kw : dict
            Handed to ``plot`` of matplotlib.

        Returns
        -------
        display : LossCurveDisplay

        Raises
        ------
        ValueError
            If a loss is not in the history.
        """
        known = [
            column
            for column in self.history.columns
            if column.endswith("_loss") and not column.startswith("valid_")
        ]
        losses = known if losses is None else list(losses)
        if unknown := [loss for loss in losses if loss not in known]:
            raise ValueError(f"no losses {unknown} in the history, which has {known}")
        ax, self.figure_ = axes_and_figure(self, ax)
        self.ax_ = ax
        self.lines_: dict[str, Any] = {}
        for loss, color in _colors(known).items():
            if loss not in losses:
                continue
            label = "loss" if loss == "train_loss" else loss.removesuffix("_loss").replace("_", " ")
            style = {"color": color, **line_kw}
            self._draw(loss, smooth, label=label, **style)
            on_validation = f"valid_{loss.removeprefix('train_')}"
            if valid and on_validation in self.history:
                self._draw(on_validation, smooth, **style | {"linestyle": "--"})
        if any(loss.startswith("valid_") for loss in self.lines_):
            ax.plot([], [], color=GREY, linestyle="--", label="validation")
        if _ADVERSARIAL & set(losses):
            ax.axhline(np.log(2), color=GREY, linestyle=":", linewidth=1, label="ln 2")
        ax.set(xlabel="epoch", ylabel="loss", title=name)
        ax.legend(frameon=False, fontsize="small")
        return self

    def _draw(self, column: str, smooth: int, **style: Any) -> None:
        values = self.history[column].rolling(smooth, min_periods=1, center=True).mean()
        epochs = self.history.get("epoch", self.history.index)
        (self.lines_[column],) = self.ax_.plot(epochs, values, **style)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        losses: Sequence[str] | None = None,
        valid: bool = True,
        smooth: int = 1,
        ax: Any = None,
        name: str | None = None,
        **line_kw: Any,
    ) -> "LossCurveDisplay":
        """Draw how a fitted model was trained.

        Parameters
        ----------
        estimator : estimator
            A fitted model with ``history_``: a network or an adversarial
            autoencoder; or a pipeline that ends in one, or an estimator around
            one, such as a sampler with its generator.
        losses : sequence of str or None, default=None
            The columns of ``history_`` that are drawn, without those of
            validation rows; ``None`` draws all losses.
        valid : bool, default=True
            Draw the losses on validation rows beside them, if there are any.
        smooth : int, default=1
            Number of epochs over which a moving mean is taken.
        ax : matplotlib Axes or None, default=None
            Where; ``None`` makes a figure.
        name : str or None, default=None
            A title.
        **line_kw : dict
            Handed to ``plot`` of matplotlib.

        Returns
        -------
        display : LossCurveDisplay

        Raises
        ------
        TypeError
            If the model keeps no history.
        """
        return cls.from_history(
            _history_of(estimator),
            losses=losses,
            valid=valid,
            smooth=smooth,
            ax=ax,
            name=name,
            **line_kw,
        )

    @classmethod
    def from_history(
        cls,
        history: Any,
        *,
        losses: Sequence[str] | None = None,
        valid: bool = True,
        smooth: int = 1,
        ax: Any = None,
        name: str | None = None,
        **line_kw: Any,
    ) -> "LossCurveDisplay":
        """Draw losses that are known.

        Parameters
        ----------
        history : DataFrame, or what makes one
            A row per epoch, with the columns ``epoch``, ``<name>_loss`` and
            ``valid_<name>_loss``; for networks ``train_loss`` and ``valid_loss``.
        losses : sequence of str or None, default=None
            The columns that are drawn, without those of validation rows;
            ``None`` draws all losses.
        valid : bool, default=True
            Draw the losses on validation rows beside them, if there are any.
        smooth : int, default=1
            Number of epochs over which a moving mean is taken.
        ax : matplotlib Axes or None, default=None
            Where; ``None`` makes a figure.
        name : str or None, default=None
            A title.
        **line_kw : dict
            Handed to ``plot`` of matplotlib.

        Returns
        -------
        display : LossCurveDisplay

        Raises
        ------
        ValueError
            If a loss is not in the history.
        """
        display = cls(pd.DataFrame(history))
        return display.plot(ax, name=name, losses=losses, valid=valid, smooth=smooth, **line_kw)


def _colors(losses: Sequence[str]) -> dict[str, Any]:
    """Return a colour for every loss; those that have none of their own take what is left."""
    own = [_COLOR_OF[loss] for loss in losses if loss in _COLOR_OF]
    others = [loss for loss in losses if loss not in _COLOR_OF]
    left = [color for color in colors(len(losses)) if color not in own]
    return {**_COLOR_OF, **dict(zip(others, left, strict=False))}


def _history_of(estimator: Any) -> Any:
    name = type(last_step(estimator)).__name__
    while not hasattr(estimator := last_step(estimator), "history_"):
        inner = [attribute for attribute in _INNER if hasattr(estimator, attribute)]
        if not inner:
            check_is_fitted(estimator)
            raise TypeError(
                f"{name} keeps no history of its training; networks and adversarial "
                "autoencoders do, in history_"
            )
        estimator = getattr(estimator, inner[0])
    return estimator.history_
