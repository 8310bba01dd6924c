"""``serkit predict``: emotions of audio files, by a saved model."""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from serkit.cli._arguments import (
    UsageError,
    add_command,
    add_common,
    add_device,
    add_n_jobs,
    positive,
    whole_number,
)
from serkit.cli._files import list_audio
from serkit.cli._model import load_model, sampling_rate
from serkit.cli._output import check_folder, complete_file, note, records

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["add_parser"]

_EPILOG = """\
One row per file, or per window of one: file, start and end in seconds, the
emotion, and a column per emotion with its posterior (of an SVM: its decision
value). Rows come as they are computed, in the order of the files, and files
are not held in memory: a folder may be of any size.

examples:
  serkit predict emodb.serkit interview.wav
  serkit predict emodb.serkit recordings/ --output emotions.csv --skip-errors
  serkit predict emodb.serkit interview.wav --window 2 --hop 0.5 --format json
  find . -name '*.wav' -mtime -1 | serkit predict emodb.serkit -
"""


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "predict",
        _run,
        help="tell the emotions of audio files with a saved model",
        description="Tell the emotions of audio files with a model that serkit train has saved.",
        epilog=_EPILOG,
    )
    parser.add_argument("model", type=Path, metavar="MODEL", help="file that serkit train wrote")
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="INPUT",
        help="files, folders, or - (names on standard input, one per line)",
    )
    parser.add_argument(
        "--format", choices=("csv", "json"), default=None, help="default: csv, or as --output ends"
    )
    parser.add_argument(
        "--json", action="store_const", const="json", dest="format", help="as --format json"
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="default: standard output"
    )
    parser.add_argument(
        "--window", type=positive, metavar="SECONDS", help="predict windows, not whole files"
    )
    parser.add_argument(
        "--hop",
        type=positive,
        metavar="SECONDS",
        help="from one window to the next (default: half a window)",
    )
    parser.add_argument(
        "--batch-size", type=whole_number, default=32, metavar="N", help="default: 32"
    )
    parser.add_argument(
        "--skip-errors",
        action="store_true",
        help="go on after a file that cannot be used; its row has the reason",
    )
    add_device(parser)
    add_n_jobs(parser)
    add_common(parser)


def _run(arguments: argparse.Namespace) -> int:
    _check(arguments)
    model = load_model(arguments.model, arguments.device)
    if arguments.output is not None:
        check_folder(arguments.output.parent)
    failed = 0
    with _destination(arguments.output) as file:
        writer = (_JSONWriter if _format(arguments) == "json" else _CSVWriter)(file)
        try:
            for number, frame in enumerate(_predictions(model, arguments)):
                if number == 0 and frame.attrs["score_method"] == "decision_function":
                    note("serkit: note: columns of emotions hold decision values, no probabilities")
                failed += _count_failures(frame)
                writer.write(frame)
        except ValueError:
            # What went out already is a whole document.
            writer.end()
            raise
        writer.end()
    return 3 if failed else 0


def _check(arguments: argparse.Namespace) -> None:
    if arguments.hop is not None and arguments.window is None:
        raise UsageError("--hop needs --window")
    if arguments.output is not None and arguments.output.is_dir():
        raise UsageError(f"--output {arguments.output} is a folder")


def _format(arguments: argparse.Namespace) -> str:
    if arguments.format is not None:
        return arguments.format
    ends = arguments.output is not None and arguments.output.suffix.lower() == ".json"
    return "json" if ends else "csv"


def _predictions(model: Any, arguments: argparse.Namespace) -> "Iterator[pd.DataFrame]":
    from serkit.inference import iter_predictions

    windows = {}
    if arguments.window is not None:
        rate = sampling_rate(model)
        hop = arguments.window / 2 if arguments.hop is None else arguments.hop
        windows = {
            "window_length": round(arguments.window * rate),
            "hop_length": round(hop * rate),
        }
        shortest = min(arguments.window, hop) * rate
        if shortest < 1:
            raise UsageError(f"--window and --hop are one sample at least, {1 / rate:g} s")
    files = list_audio(arguments.inputs)
    try:
        yield from iter_predictions(
            model,
            # How many names are still to come on standard input, nobody knows.
            files if "-" in arguments.inputs else list(files),
            **windows,
            batch_size=arguments.batch_size,
            on_error="skip" if arguments.skip_errors else "raise",
            n_jobs=arguments.n_jobs,
            verbose=not arguments.quiet,
        )
    except ValueError as error:
        raise ValueError(str(error).replace("on_error='skip'", "--skip-errors")) from error


def _count_failures(frame: "pd.DataFrame") -> int:
    if "error" not in frame:
        return 0
    bad = frame[frame["error"].notna()]
    for file, reason in zip(bad["file"], bad["error"], strict=True):
        note(f"serkit: cannot be used: {file}: {reason}")
    return len(bad)


@contextmanager
def _destination(path: Path | None) -> Iterator[IO[str]]:
    if path is None:
        yield sys.stdout
        return
    with complete_file(path) as unfinished, open(unfinished, "w", encoding="utf-8") as file:
        yield file


class _CSVWriter:
    """Write tables below each other, the names of the columns once."""

    def __init__(self, file: IO[str]):
        self._file = file
        self._columns: list[str] | None = None

    def write(self, frame: "pd.DataFrame") -> None:
        first = self._columns is None
        self._columns = self._columns or list(frame.columns)
        frame.to_csv(self._file, index=False, header=first, columns=self._columns)
        self._file.flush()

    def end(self) -> None:
        pass


class _JSONWriter:
    """Write the rows of all tables as one list, an object per line."""

    def __init__(self, file: IO[str]):
        self._file = file
        self._before = "["

    def write(self, frame: "pd.DataFrame") -> None:
        for row in records(frame):
            self._file.write(f"{self._before}\n{json.dumps(row)}")
            self._before = ","
        self._file.flush()

    def end(self) -> None:
        self._file.write("[]\n" if self._before == "[" else "\n]\n")
