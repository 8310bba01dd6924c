"""Fitted networks in files that hold no code: save and load."""

from serkit.persistence._networks import load, save

__all__ = ["load", "save"]
