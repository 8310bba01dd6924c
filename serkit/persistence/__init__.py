"""Fitted estimators in files that hold no code: save, load, and say what is inside."""

from serkit.persistence._describe import describe
from serkit.persistence._errors import ModelFileError
from serkit.persistence._load import load
from serkit.persistence._registry import register
from serkit.persistence._save import save

__all__ = ["ModelFileError", "describe", "load", "register", "save"]
