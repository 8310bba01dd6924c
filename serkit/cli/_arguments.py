"""Arguments that commands share, and what is made of them."""

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from serkit.datasets import Corpus

__all__ = [
    "CORPORA",
    "UsageError",
    "add_command",
    "add_common",
    "add_corpus",
    "add_data",
    "add_debug",
    "add_device",
    "add_json",
    "add_n_jobs",
    "add_selection",
    "load_corpus",
    "names",
    "positive",
    "require_labels",
    "whole_number",
]

#: Corpora that are loaded by name, from the folder that --data names.
CORPORA = ("emodb", "enterface", "iemocap", "msp_improv", "nemo", "ravdess", "tess")


class UsageError(Exception):
    """Arguments that do not go together; the command says so as argparse does."""


def add_command(
    commands: Any,
    name: str,
    run: Callable[[argparse.Namespace], int | None],
    *,
    help: str,
    description: str,
    epilog: str,
) -> argparse.ArgumentParser:
    """Return the parser of a new command; line breaks of its epilog stay."""
    parser = commands.add_parser(
        name,
        help=help,
        description=description,
        epilog=epilog,
        formatter_class=_Formatter,
    )
    parser.set_defaults(run=run, parser=parser)
    return parser


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Fill descriptions, as argparse does by itself; epilogs are written line by line."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if "\n" in text:
            return super()._fill_text(text, width, indent)
        return argparse.HelpFormatter._fill_text(self, text, width, indent)


def add_common(parser: argparse.ArgumentParser) -> None:
    """Add what every command takes that works for a while."""
    parser.add_argument("--quiet", action="store_true", help="no progress bars")
    add_debug(parser)


def add_debug(parser: argparse.ArgumentParser) -> None:
    """Add the option that shows tracebacks."""
    parser.add_argument("--debug", action="store_true", help="show where an error comes from")


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add the option that makes standard output one JSON document."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def add_n_jobs(parser: argparse.ArgumentParser) -> None:
    """Add the number of parallel jobs."""
    parser.add_argument("--n-jobs", type=_jobs, default=None, metavar="N", help="-1: all cores")


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add the device of networks."""
    parser.add_argument(
        "--device", default="auto", metavar="NAME", help="of networks: auto, cpu, cuda, cuda:1, ..."
    )


def add_corpus(parser: argparse.ArgumentParser) -> None:
    """Add a corpus and its folder."""
    parser.add_argument(
        "corpus",
        metavar="CORPUS",
        help=f"synthetic; {', '.join(CORPORA)} (with --data); or a CSV file with columns file, "
        "speaker, emotion",
    )
    add_data(parser)


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add the folder of the corpus."""
    parser.add_argument("--data", type=Path, metavar="PATH", help="folder of the corpus")


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Add what to take of a corpus."""
    parser.add_argument("--emotions", type=names, metavar="NAMES", help="only these: anger,joy,...")
    parser.add_argument("--speakers", type=names, metavar="NAMES", help="only these")
    parser.add_argument(
        "--leave-out", type=names, metavar="NAMES", help="all speakers except these"
    )


def names(text: str) -> list[str]:
    """Split NAME,NAME,..."""
    found = [name.strip() for name in text.split(",")]
    if not all(found):
        raise argparse.ArgumentTypeError(f"{text!r} is no list NAME,NAME,...")
    return list(dict.fromkeys(found))


def positive(text: str) -> float:
    """Read a number above zero."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number above zero")
    return number


def whole_number(text: str) -> int:
    """Read a whole number above zero."""
    if not re.fullmatch(r"[1-9]\d*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above zero")
    return int(text)


def _jobs(text: str) -> int:
    if not re.fullmatch(r"-?[1-9]\d*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of jobs: give 1, 2, ... or -1")
    return int(text)


def load_corpus(arguments: argparse.Namespace) -> "Corpus":
    """Return the corpus that is asked for, or the part of it that is."""
    from serkit import datasets

    if arguments.corpus == "synthetic":
        corpus = datasets.make_emotional_speech(random_state=0)
    else:
        corpus = datasets.load_corpus(arguments.corpus, arguments.data)
    return _select(corpus, arguments)


def _select(corpus: "Corpus", arguments: argparse.Namespace) -> "Corpus":
    wanted = {
        column: list(chosen)
        for column in ("emotion", "speaker")
        if (chosen := getattr(arguments, f"{column}s", None))
    }
    left_out = getattr(arguments, "leave_out", None)
    if wanted:
        corpus = corpus.select(**wanted)
    if left_out:
        corpus.select(speaker=left_out)  # raises if one of them does not occur
        corpus = corpus[[name not in left_out for name in corpus.speakers]]
    if not len(corpus):
        raise ValueError("no utterances are left of the corpus; choose fewer speakers to leave out")
    return corpus


def require_labels(corpus: "Corpus") -> None:
    """Raise if there is an utterance without speaker or emotion."""
    for what, labels in (("speaker", corpus.speakers), ("emotion", corpus.y)):
        missing = [row for row, label in enumerate(labels) if label is None]
        if missing:
            first = corpus.table["file"].iloc[missing[0]]
            raise ValueError(
                f"{len(missing)} utterances have no {what}, the first is {first}; complete the "
                "table, or take them out of it"
            )
