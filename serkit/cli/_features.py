"""``serkit features``: from files to a table, or to frames."""

import argparse
import os
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serkit.cli._arguments import (
    CORPORA,
    UsageError,
    add_command,
    add_common,
    add_data,
    add_json,
    add_n_jobs,
    load_corpus,
    whole_number,
)
from serkit.cli._feature_sets import DETAILS, FRAMES, FUNCTIONALS, make_features
from serkit.cli._files import list_audio
from serkit.cli._notes import named_rows
from serkit.cli._output import check_folder, note, print_json

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["add_parser"]

_SUFFIXES = (".csv", ".npz", ".parquet")
_TABLES = (".csv", ".tsv", ".parquet")
#: Files at a time: as many as keep all cores at work between two looks at the progress bar.
_CHUNK = 16
#: What is known of an utterance beside its audio, if anything is.
_KNOWN = ("speaker", "gender", "emotion", "sentence", "session", "start", "end")

_EPILOG = f"""\
{DETAILS}
examples:
  serkit features recordings/ --set egemaps --output features.csv
  serkit features emodb --data path/to/emodb --set compare \\
      --output emodb.parquet --cache cache --n-jobs -1
  find . -name '*.wav' | serkit features - --set logmel --output frames.npz
"""


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "features",
        _run,
        help="compute features of audio files, as a table or as frames",
        description="Compute features of audio files, one row per utterance. Files that cannot be "
        "used are listed, and the others are written.",
        epilog=_EPILOG,
    )
    parser.set_defaults(kept="with --cache, features of finished files are kept")
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="INPUT",
        help="files, folders, - (names on standard input), or one CORPUS of serkit compare",
    )
    add_data(parser)
    parser.add_argument(
        "--set", required=True, choices=(*FUNCTIONALS, *FRAMES), metavar="NAME", help="see below"
    )
    parser.add_argument(
        "--output", required=True, type=Path, metavar="FILE", help=".csv, .parquet or .npz"
    )
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keep features of files here")
    parser.add_argument(
        "--sampling-rate",
        type=whole_number,
        default=16000,
        metavar="HZ",
        help="to which audio is brought (default: 16000)",
    )
    parser.add_argument(
        "--strict", action="store_true", help="write nothing if a file cannot be used"
    )
    add_n_jobs(parser)
    add_json(parser)
    add_common(parser)


def _run(arguments: argparse.Namespace) -> int:
    _check_output(arguments)
    items, known = _utterances(arguments)
    check_folder(arguments.output.parent)
    from serkit.cli._feature_writers import FramesWriter, TableWriter

    writer = (FramesWriter if arguments.set in FRAMES else TableWriter)(arguments.output)
    failed = []
    with writer:
        for row, value in _compute(items, writer, arguments):
            if isinstance(value, str):
                failed.append({"file": str(known["file"].iloc[row]), "reason": value})
                if arguments.strict:
                    raise ValueError(_failure(failed[0]))
            else:
                writer.add(row, value)
        if not writer.rows:
            raise ValueError(f"none of {len(items)} files can be used: {_failure(failed[0])}")
        writer.write(known.iloc[writer.rows].reset_index(drop=True))
    _say(arguments, writer, failed)
    return 3 if failed else 0


def _check_output(arguments: argparse.Namespace) -> None:
    suffix = arguments.output.suffix.lower()
    if suffix not in _SUFFIXES:
        raise UsageError(f"--output {arguments.output} has to end in {', '.join(_SUFFIXES)}")
    if arguments.set in FRAMES and suffix != ".npz":
        raise UsageError(
            f"--set {arguments.set} are frames, as many as an utterance is long, which no table "
            "holds: let --output end in .npz"
        )
    if arguments.output.is_dir():
        raise UsageError(f"--output {arguments.output} is a folder")
    if suffix == ".parquet":
        from serkit.utils import import_optional

        import_optional("pyarrow", extra="parquet", caller="Writing parquet")


def _utterances(arguments: argparse.Namespace) -> "tuple[np.ndarray, pd.DataFrame]":
    """Return the audio, and a table of what is known of it: its file at least."""
    import pandas as pd

    from serkit.utils import as_ragged

    first = arguments.inputs[0]
    if not _is_corpus(first, arguments):
        files = list(list_audio(arguments.inputs))
        if not files:
            raise ValueError("no files are named")
        return as_ragged(files), pd.DataFrame({"file": files})
    if len(arguments.inputs) > 1:
        raise UsageError(f"the corpus {first} has to stand alone, without other files")
    arguments.corpus = first
    corpus = load_corpus(arguments)
    if corpus.sampling_rate not in (None, arguments.sampling_rate):
        raise UsageError(f"{first} is made at {corpus.sampling_rate} Hz: leave --sampling-rate out")
    table = corpus.table
    if table["file"].isna().all():
        table["file"] = [f"{corpus.name or first}:{row}" for row in range(len(table))]
    columns = ["file", *(name for name in _KNOWN if table[name].notna().any())]
    return corpus.audio, table[columns]


def _is_corpus(name: str, arguments: argparse.Namespace) -> bool:
    if arguments.data is not None or name == "synthetic":
        return True
    if os.path.exists(name) or name == "-":
        return Path(name).suffix.lower() in _TABLES
    return name in CORPORA  # and then asks for --data


def _compute(
    items: "np.ndarray", writer: Any, arguments: argparse.Namespace
) -> "Iterator[tuple[int, np.ndarray | str]]":
    """Yield the row of every utterance with its features, or with what is wrong with it."""
    from tqdm.auto import tqdm

    from serkit.feature_extraction import CachedTransformer

    features = make_features(arguments.set, arguments.sampling_rate)
    cached = CachedTransformer(features, arguments.cache, n_jobs=arguments.n_jobs)
    with tqdm(total=len(items), desc="Features", disable=arguments.quiet) as bar:
        for start in range(0, len(items), _CHUNK):
            chunk = items[start : start + _CHUNK]
            for row, value in enumerate(_of_chunk(cached, chunk), start):
                if writer.names is None and not isinstance(value, str):
                    writer.names = _names(cached, items[row : row + 1])
                yield row, value
            bar.update(len(chunk))


def _of_chunk(cached: Any, chunk: "np.ndarray") -> "list[np.ndarray | str]":
    try:
        with named_rows(chunk):
            return list(cached.transform(chunk))
    except ValueError:
        # What is wrong with one file does not keep the others of the chunk.
        return [_of_one(cached, chunk[row : row + 1]) for row in range(len(chunk))]


def _of_one(cached: Any, alone: "np.ndarray") -> "np.ndarray | str":
    from serkit.utils import SignalWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SignalWarning)  # said already, of the whole chunk
        try:
            return cached.transform(alone)[0]
        except ValueError as error:
            return _reason(error, str(alone[0]))


def _names(cached: Any, one: "np.ndarray") -> list[str]:
    """Return the names of the features; none of frames, whose bins have no names."""
    if not hasattr(cached, "get_feature_names_out"):
        return []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return list(cached.fit(one).get_feature_names_out())


def _reason(error: ValueError, file: str) -> str:
    """Return what is wrong with a file: the line that speaks of it, without its name."""
    lines = [line.strip() for line in str(error).splitlines()] or [type(error).__name__]
    line = next((line for line in lines if re.search(r"\butterance 0\b", line)), lines[0])
    return re.sub(rf"^utterance 0( \({re.escape(file)}\))?:? ", "", line)


def _failure(failed: dict[str, str]) -> str:
    return f"{failed['file']}: {failed['reason']}"


def _say(arguments: argparse.Namespace, writer: Any, failed: list[dict[str, str]]) -> None:
    for one in failed:
        note(f"serkit: cannot be used: {_failure(one)}")
    if arguments.json:
        print_json(
            {
                "output": str(arguments.output),
                "set": arguments.set,
                "utterances": len(writer.rows),
                "features": writer.n_features,
                "failed": failed,
            }
        )
        return
    what = "bins per frame" if arguments.set in FRAMES else "features"
    print(f"{arguments.output}: {len(writer.rows)} utterances, {writer.n_features} {what}")
