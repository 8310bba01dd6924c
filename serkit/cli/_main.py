"""``serkit``: choose the command, and turn whatever goes wrong into one line and a status."""

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from serkit import __version__
from serkit.cli import (
    _app,
    _compare,
    _demo,
    _evaluate,
    _features,
    _info,
    _predict,
    _reproduce,
    _train,
)
from serkit.cli._arguments import UsageError
from serkit.cli._output import note

# Everything heavy is imported where it is used, so that --help is instant.

__all__ = ["main"]

_COMMANDS = (_demo, _compare, _reproduce, _features, _train, _predict, _evaluate, _app, _info)
_EPILOG = """\
exit codes: 0 done, 1 error, 2 wrong usage, 3 done except for some files,
130 stopped by Ctrl-C. serkit COMMAND --help has options and examples.
"""

#: As a shell says of a program that wrote into a closed pipe, such as ``| head``.
_CLOSED_PIPE = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str or None, default=None
        The arguments; ``None`` takes those of the process.

    Returns
    -------
    status : int
        0 if all went well, 1 after an error, 3 if some files could not be used
        and the others are done, 130 after Ctrl-C; wrong usage exits with 2.
    """
    arguments = _parser().parse_args(argv)
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            status = arguments.run(arguments)
            sys.stdout.flush()
        except KeyboardInterrupt:
            kept = getattr(arguments, "kept", None)
            print("serkit: stopped" + (f"; {kept}" if kept else ""), file=sys.stderr)
            return 130
        except BrokenPipeError:
            _leave_pipe()
            return _CLOSED_PIPE
        except UsageError as error:
            arguments.parser.error(str(error))
        except Exception as error:
            if arguments.debug:
                raise
            print(f"serkit: error: {_one_line(error)}", file=sys.stderr)
            return 1
    return status or 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="serkit",
        description="Speech emotion recognition, on speakers never heard before.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "-V",
        "--version",
        action="version",
        version=f"serkit {__version__}",
        help="show the version",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in _COMMANDS:
        command.add_parser(commands)
    return parser


def _leave_pipe() -> None:
    """Let Python flush what nobody reads into nothing, not into another error at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _one_line(error: BaseException) -> str:
    parts = [str(error) or type(error).__name__, *getattr(error, "__notes__", ())]
    return " ".join(" ".join(parts).split())


def _show_warning(message: Any, category: type[Warning], *_: Any, **__: Any) -> None:
    note(f"serkit: note: {' '.join(str(message).split())}")
