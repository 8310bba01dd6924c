"""As many synthetic utterances of one class as of another."""

from collections.abc import Hashable
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from serkit.over_sampling._class_counts import equal_shares

__all__ = ["AppendUniform"]


@dataclass(frozen=True)
class AppendUniform:
    """Ask a sampler for a number of utterances, equally many of every class.

    A `sampling_strategy` for the samplers of serkit and of imbalanced-learn.
    Whatever imbalance the real utterances have, stays.

    Parameters
    ----------
    n_synthetic : int
        Number of utterances to add. If it cannot be divided by the number of
        classes, the first classes get one more.

    See Also
    --------
    GANSampler : Adds what a generator draws.

    Examples
    --------
    >>> from serkit.over_sampling import AppendUniform
    >>> AppendUniform(5)(["joy", "calm", "joy"])
    {'calm': 4, 'joy': 4}
    """

    n_synthetic: int

    def __post_init__(self) -> None:
        if not isinstance(self.n_synthetic, Integral) or self.n_synthetic < 0:
            raise ValueError(f"n_synthetic must be an int of 0 or more, got {self.n_synthetic!r}")

    def __call__(self, y: Any) -> dict[Hashable, int]:
        """Return the number of utterances that every class will have.

        Parameters
        ----------
        y : array-like of shape (n_utterances,)
            The classes of the real utterances.

        Returns
        -------
        counts : dict
            Number of utterances by class, real and added.
        """
        classes, counts = np.unique(np.asarray(y), return_counts=True)
        totals = counts + equal_shares(self.n_synthetic, len(classes))
        return dict(zip(classes.tolist(), totals.tolist(), strict=True))
