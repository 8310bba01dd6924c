"""``serkit demo``: the main job on made speech, or on a real corpus."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serkit.cli._arguments import (
    add_command,
    add_common,
    add_data,
    add_device,
    add_json,
    add_n_jobs,
    load_corpus,
)
from serkit.cli._compare import report
from serkit.cli._output import note
from serkit.cli._pipelines import DEMO_PIPELINES

if TYPE_CHECKING:
    from serkit.datasets import Corpus

__all__ = ["add_parser"]

_EPILOG = """\
On two cores made-up speech takes two minutes, emodb five, ravdess half an hour,
nearly all of it for the networks. These are small and train for 40 epochs at
most; serkit compare --pipelines does without them. The models of all folds are
kept beside the results, and serkit app shows both.

examples:
  serkit demo
  serkit demo --corpus emodb --data path/to/emodb --results results/emodb
  serkit app results/emodb
"""


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "demo",
        _run,
        help="compare SVMs and networks on made-up speech, in two minutes",
        description="Write a made-up corpus as audio files (or take a real one), compare SVMs and "
        "networks on unseen speakers, and write a report. Run again, it goes on.",
        epilog=_EPILOG,
    )
    parser.set_defaults(kept="finished folds are kept: run it again to go on")
    parser.set_defaults(pipelines=DEMO_PIPELINES, html=None, csv=None, cache=None, cv="loso")
    parser.set_defaults(keep_models=True)
    parser.add_argument("--corpus", default="synthetic", help="as CORPUS of serkit compare")
    add_data(parser)
    parser.add_argument(
        "--results",
        type=Path,
        default=Path("serkit-demo"),
        metavar="DIR",
        help="folds, models and the report (default: serkit-demo)",
    )
    add_device(parser)
    add_n_jobs(parser)
    add_json(parser)
    add_common(parser)


def _run(arguments: argparse.Namespace) -> None:
    if arguments.corpus == "synthetic":
        corpus = _written_corpus(arguments.results / "corpus")
    else:
        corpus = load_corpus(arguments)
    first = os.path.relpath(str(corpus.audio[0]))
    say = note if arguments.json else _print
    say(f"{corpus}\nReading {len(corpus)} files, the first is {first}\n")
    report(corpus, arguments)


def _print(text: str) -> None:
    print(text, flush=True)


def _written_corpus(folder: Path) -> "Corpus":
    """Write the made corpus as files, anew in every run, and return it."""
    import soundfile

    from serkit.datasets import load_manifest, make_emotional_speech

    folder.mkdir(parents=True, exist_ok=True)
    made = make_emotional_speech(random_state=0)
    table = made.table
    table["file"] = table["speaker"] + "_" + table["emotion"] + "_" + table["sentence"] + ".wav"
    for file, waveform in zip(table["file"], made.audio, strict=True):
        soundfile.write(folder / file, waveform, made.sampling_rate)
    manifest = folder / "corpus.csv"
    columns = ["file", "speaker", "gender", "emotion", "sentence"]
    table[columns].to_csv(manifest, index=False)
    return load_manifest(manifest, name="synthetic")
