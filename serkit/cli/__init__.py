"""The command line: ``serkit --help`` lists what it does."""

from serkit.cli._main import main

__all__ = ["main"]
