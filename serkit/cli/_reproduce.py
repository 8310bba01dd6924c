"""``serkit reproduce``: the experiments of a paper."""

import argparse
from pathlib import Path
from typing import Any

from serkit.cli._arguments import add_command, add_common, add_device, add_json, add_n_jobs
from serkit.cli._output import print_json, records

__all__ = ["add_parser"]

PAPERS = ("guizzo2023", "huang2017", "lazarevic2024", "leow2021", "sahu2020")

_EPILOG = """\
Without --data, and with --scale smoke, made speech shows that all works.

examples:
  serkit reproduce leow2021 --list
  serkit reproduce leow2021 --scale smoke
  serkit reproduce leow2021 --data emodb=path/to/emodb --experiments mfcc
"""

#: What a reproduction and an estimate of its costs are told in the same words.
_WHAT = ("experiments", "scale", "seeds", "folds", "systems", "device")


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "reproduce",
        _run,
        help="run the experiments of a paper, ours beside theirs",
        description="Run the experiments of a paper on corpora of yours, and print what was found "
        "beside what was published. Run again, it goes on where it was stopped.",
        epilog=_EPILOG,
    )
    parser.set_defaults(kept="finished folds are kept: run it again to go on")
    parser.add_argument("paper", metavar="PAPER", help=", ".join(PAPERS), choices=PAPERS)
    parser.add_argument(
        "--data",
        nargs="+",
        type=_named_path,
        metavar="NAME=PATH",
        help="the corpora, such as emodb=path/to/emodb",
    )
    parser.add_argument("--list", action="store_true", help="list the experiments")
    parser.add_argument(
        "--dry-run", action="store_true", help="measure what it would cost, by an epoch or two"
    )
    parser.add_argument("--experiments", nargs="+", metavar="NAME", help="default: all")
    parser.add_argument(
        "--systems", nargs="+", metavar="NAME", help="beginnings of their names (default: all)"
    )
    parser.add_argument(
        "--scale",
        choices=("smoke", "bench", "paper"),
        default="bench",
        help="smoke: seconds; bench: hours, on some folds; paper: as it was (default: bench)",
    )
    parser.add_argument(
        "--folds", nargs="+", type=int, metavar="N", help="fewer folds than the scale has"
    )
    parser.add_argument(
        "--seeds", nargs="+", type=int, default=[0], metavar="N", help="one run for each"
    )
    parser.add_argument(
        "--results",
        type=Path,
        metavar="DIR",
        help="keep finished folds and the tables here (default: results/PAPER)",
    )
    add_device(parser)
    add_n_jobs(parser)
    add_json(parser)
    add_common(parser)


def _named_path(text: str) -> tuple[str, str]:
    name, equals, path = text.partition("=")
    if not (name and equals and path):
        raise argparse.ArgumentTypeError(f"{text!r} is no NAME=PATH, such as emodb=path/to/emodb")
    return name, path


def _run(arguments: argparse.Namespace) -> None:
    from serkit import papers

    paper = getattr(papers, arguments.paper)
    if arguments.list:
        experiments = paper.list_experiments()
        if arguments.json:
            found = records(experiments.reset_index())
            print_json({"reference": paper.reference, "experiments": found})
        else:
            print(f"{paper.reference}\n\n{experiments.to_string()}")
        return
    what = {
        "corpora": dict(arguments.data) if arguments.data else None,
        **{name: getattr(arguments, name) for name in _WHAT},
    }
    if arguments.dry_run:
        costs = paper.estimate(**what)
        if arguments.json:
            print_json(records(costs))
        else:
            print(costs.round(2).to_string(index=False))
        return
    results = arguments.results or Path("results") / paper.name
    found = paper.reproduce(
        **what, results_dir=results, n_jobs=arguments.n_jobs, verbose=not arguments.quiet
    )
    if arguments.json:
        print_json(
            {"paper": found.paper, "found": records(found.frame()), "not_run": dict(found.not_run)}
        )
    else:
        print(found, flush=True)
    tables = found.to_csv(results / "csv")
    if not arguments.json:
        print(f"\nTables: {', '.join(map(str, tables))}")
