"""Look at results in the browser: speakers, folds, utterances; and try models."""

from serkit.app._launch import launch

__all__ = ["launch"]
