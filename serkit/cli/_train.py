"""``serkit train``: fit a pipeline on a whole corpus and save it."""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serkit.cli._arguments import (
    UsageError,
    add_command,
    add_common,
    add_corpus,
    add_device,
    add_json,
    add_n_jobs,
    add_selection,
    load_corpus,
    require_labels,
)
from serkit.cli._output import check_folder, print_json
from serkit.cli._pipelines import DETAILS, PIPELINES, make_pipelines, progress_bars

if TYPE_CHECKING:
    from serkit.datasets import Corpus

__all__ = ["add_parser"]

_EPILOG = f"""\
{DETAILS}
Networks choose their best epoch on a fifth of the speakers, which they are
not trained on. How good a model is on new speakers is not known from the ones
it was trained on: serkit compare measures that, or --leave-out and evaluate.

examples:
  serkit train emodb --data path/to/emodb --pipeline mfcc-crnn -o emodb.serkit
  serkit train emodb --data path/to/emodb --leave-out 03,08 -o emodb.serkit
  serkit evaluate emodb.serkit emodb --data path/to/emodb --speakers 03,08
"""


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "train",
        _run,
        help="fit a pipeline on a whole corpus and save it",
        description="Fit a pipeline on a corpus, and save it with a model card beside it.",
        epilog=_EPILOG,
    )
    add_corpus(parser)
    parser.add_argument(
        "--pipeline",
        choices=tuple(PIPELINES),
        default="mfcc-svm",
        metavar="NAME",
        help="see below (default: mfcc-svm)",
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="such as model.serkit"
    )
    add_selection(parser)
    parser.add_argument("--licence", metavar="TEXT", help="of the corpus, for the model card")
    parser.add_argument("--intended-use", metavar="TEXT", help="for the model card")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="default: 0")
    add_device(parser)
    add_n_jobs(parser)
    add_json(parser)
    add_common(parser)


def _run(arguments: argparse.Namespace) -> None:
    if arguments.output.is_dir():
        raise UsageError(f"--output {arguments.output} is a folder: name a file in it")
    corpus = load_corpus(arguments)
    require_labels(corpus)
    check_folder(arguments.output.parent)
    pipeline = make_pipelines([arguments.pipeline], device=arguments.device)
    (name, model), *_ = pipeline.items()
    start = time.perf_counter()
    _fit(model, corpus, arguments)
    seconds = time.perf_counter() - start
    card = _save(model, corpus, arguments)
    if arguments.json:
        print_json(
            {
                "model": str(arguments.output),
                "card": str(card),
                "pipeline": name,
                "corpus": corpus.name,
                "utterances": len(corpus),
                "speakers": sorted(set(corpus.speakers)),
                "emotions": corpus.emotions,
                "seconds": round(seconds, 3),
            }
        )
        return
    print(
        f"{name}, fitted on {len(corpus)} utterances of {len(set(corpus.speakers))} speakers "
        f"({', '.join(corpus.emotions)}) in {seconds:.0f} s\n"
        f"Model: {arguments.output}\nCard:  {card}"
    )


def _fit(model: Any, corpus: "Corpus", arguments: argparse.Namespace) -> None:
    """Fit the pipeline in place; whatever asks for the speakers gets them."""
    from joblib import parallel_config
    from sklearn import config_context

    from serkit.utils import requested_speakers

    seeds = [name for name in model.get_params() if name.rpartition("__")[2] == "random_state"]
    model.set_params(**dict.fromkeys(seeds, arguments.seed))
    with (
        config_context(enable_metadata_routing=True),
        parallel_config(n_jobs=arguments.n_jobs),
        progress_bars(model, show=not arguments.quiet),
    ):
        model.fit(corpus.audio, corpus.y, **requested_speakers(model, "fit", corpus.speakers))


def _save(model: Any, corpus: "Corpus", arguments: argparse.Namespace) -> Path:
    """Write the model and its card, and return where the card is."""
    import serkit

    serkit.save(
        model,
        arguments.output,
        corpus=corpus,
        intended_use=arguments.intended_use,
        licence=arguments.licence,
    )
    return arguments.output.with_name(f"{arguments.output.name}.md")
