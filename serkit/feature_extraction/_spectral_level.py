"""Logarithms of spectra: decibels, natural and decadic."""

import math
from dataclasses import dataclass
from typing import Any

import torch

__all__ = ["Level"]


@dataclass(frozen=True)
class Level:
    """Take the logarithm of spectra, in place.

    Parameters
    ----------
    log : {"db", "ln", "log10"} or None
        Which logarithm; ``None`` leaves the values as they are.
    power : float
        Power of the magnitude that the spectra are; decibels are those of power 2.
    ref : float or "max"
        The value of level 0; ``"max"`` is the largest of each utterance.
    amin : float
        Smaller values are raised to this one.
    top_db : float or None
        Levels further below the highest of the utterance are raised.
    """

    log: str | None
    power: float
    ref: float | str
    amin: float
    top_db: float | None

    @classmethod
    def from_settings(cls, settings: dict[str, Any]) -> "Level":
        """Build from the resolved parameters of an estimator."""
        names = ("log", "power", "ref", "amin", "top_db")
        level = cls(**{name: settings[name] for name in names})
        if level.top_db is not None and level.log != "db":
            raise ValueError(f'top_db needs log="db", got log={level.log!r}')
        return level

    def __call__(self, spectra: torch.Tensor) -> torch.Tensor:
        """Return the levels of the spectra of one utterance."""
        if self.log is None:
            return spectra
        levels = spectra.clamp_(min=self.amin)
        levels = levels.log_() if self.log == "ln" else levels.log10_()
        factor = 20 / self.power if self.log == "db" else 1.0
        if factor != 1:
            levels.mul_(factor)
        if self.ref == "max":
            levels.sub_(levels.max())
        elif self.ref != 1:
            ref = max(float(self.ref), self.amin)
            levels.sub_(factor * (math.log(ref) if self.log == "ln" else math.log10(ref)))
        if self.top_db is not None:
            levels.clamp_(min=levels.max() - self.top_db)
        return levels
