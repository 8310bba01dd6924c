"""``serkit app``: the web application."""

import argparse
from pathlib import Path
from typing import Any

from serkit.cli._arguments import add_command, add_debug, whole_number

__all__ = ["add_parser"]

_EPILOG = """\
Needs the extra "app" (pip install "serkit[app]"). Ctrl-C stops it.

examples:
  serkit demo && serkit app serkit-demo
  serkit app results/emodb --port 8600 --no-browser
"""


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "app",
        _run,
        help="look at results, and try models, in the browser",
        description="Look at the results of serkit demo or serkit compare in the browser, listen "
        "to what was taken for what, and try models on recordings of your own.",
        epilog=_EPILOG,
    )
    parser.add_argument(
        "results",
        nargs="?",
        type=Path,
        metavar="RESULTS",
        help="folder of results; without it, the application offers to make some",
    )
    parser.add_argument(
        "--port", type=whole_number, metavar="N", help="of the application (default: a free one)"
    )
    parser.add_argument("--no-browser", action="store_true", help="print the address only")
    add_debug(parser)


def _run(arguments: argparse.Namespace) -> None:
    from serkit.app import launch

    if arguments.results is not None and not arguments.results.is_dir():
        raise FileNotFoundError(
            f"{arguments.results} is no folder: give the one of --results of serkit demo or "
            "serkit compare"
        )
    launch(arguments.results, port=arguments.port, browser=not arguments.no_browser)
