"""``serkit compare``: pipelines on a corpus, fold by fold."""

import argparse
import re
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
    load_corpus,
)
from serkit.cli._output import check_folder, print_json, records
from serkit.cli._pipelines import DETAILS, PIPELINES, make_pipelines, pipeline_names

if TYPE_CHECKING:
    from serkit.datasets import Corpus
    from serkit.evaluation import ComparisonResult

__all__ = ["add_parser", "report"]

_EPILOG = f"""\
{DETAILS}
protocols:
  loso         leave one speaker out
  leave-N      leave N speakers out: leave-2, leave-3, ...
  leow2021     published folds of emodb and ravdess, two speakers out; C or
               alpha are tuned, and epochs of networks chosen, on two more
  random       five random folds, speakers in training and test: too good
               for unseen speakers, to see by how much

example:
  serkit compare emodb --data path/to/emodb --results results/emodb
"""


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "compare",
        _run,
        help="compare pipelines on a corpus, fold by fold",
        description="Compare pipelines on speakers that they were not trained on.",
        epilog=_EPILOG,
    )
    parser.set_defaults(kept="with --results, finished folds are kept")
    add_corpus(parser)
    parser.add_argument(
        "--pipelines",
        type=pipeline_names,
        default=list(PIPELINES),
        metavar="NAMES",
        help="what to compare, as NAME,NAME,... (default: all)",
    )
    parser.add_argument(
        "--cv", type=_protocol, default="loso", metavar="PROTOCOL", help="default: loso"
    )
    parser.add_argument(
        "--results", type=Path, metavar="DIR", help="keep finished folds and the report here"
    )
    parser.add_argument(
        "--keep-models", action="store_true", help="keep the model of every fold, too"
    )
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keep features of files here")
    parser.add_argument(
        "--html", type=Path, metavar="FILE", help="the report (default: DIR/report.html)"
    )
    parser.add_argument("--csv", type=Path, metavar="DIR", help="tables (default: DIR/csv)")
    add_device(parser)
    add_n_jobs(parser)
    add_json(parser)
    add_common(parser)


def _protocol(text: str) -> str:
    if text not in ("loso", "leow2021", "random") and not re.fullmatch(r"leave-[1-9]\d*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is none of loso, leave-2, leow2021, random")
    return text


def _run(arguments: argparse.Namespace) -> None:
    if arguments.keep_models and arguments.results is None:
        raise UsageError("--keep-models needs --results DIR: that is where models are kept")
    report(load_corpus(arguments), arguments)


def report(corpus: "Corpus", arguments: argparse.Namespace) -> None:
    """Run the comparison, print what it found, and then write it."""
    html, csv = arguments.html, arguments.csv
    if arguments.results is not None:
        html = html or arguments.results / "report.html"
        csv = csv or arguments.results / "csv"
    if html is not None and html.is_dir():
        raise ValueError(f"the report cannot be written to {html}: it is a folder")
    check_folder(html and html.parent, csv)
    result = _compare(corpus, arguments)
    if arguments.json:
        print_json(_as_json(result))
    else:
        print(result, flush=True)
    written = []
    if html is not None:
        written.append(f"Report: {result.to_html(html)}")
    if csv is not None:
        written.append(f"Tables: {', '.join(map(str, result.to_csv(csv)))}")
    if written and not arguments.json:
        print("", *written, sep="\n")


def _compare(corpus: "Corpus", arguments: argparse.Namespace) -> "ComparisonResult":
    from serkit.evaluation import compare

    cv, protocol = _splitter(arguments.cv, corpus)
    return compare(
        corpus,
        make_pipelines(
            arguments.pipelines,
            device=arguments.device,
            validation=cv.inner() if arguments.cv == "leow2021" else None,
        ),
        cv=cv,
        protocol=protocol,
        results_dir=arguments.results,
        allow_speaker_overlap=arguments.cv == "random",
        cache="auto" if arguments.cache is None else arguments.cache,
        keep_models=arguments.keep_models,
        n_jobs=arguments.n_jobs,
        verbose=not arguments.quiet,
    )


def _splitter(protocol: str, corpus: "Corpus") -> tuple[Any, str]:
    from sklearn.model_selection import StratifiedKFold

    from serkit.model_selection import LeaveSpeakersOut, load_protocol

    if protocol == "leow2021":
        if corpus.name not in ("emodb", "ravdess"):
            raise ValueError(
                "--cv leow2021 names speakers of emodb and ravdess, of no other corpus"
            )
        return load_protocol(f"leow2021-{corpus.name}"), (
            "leave two speakers out (Leow 2021), tuned on two more, fitted on the rest"
        )
    if protocol == "random":
        return StratifiedKFold(5, shuffle=True, random_state=0), "5 random folds"
    n_speakers = 1 if protocol == "loso" else int(protocol.removeprefix("leave-"))
    if n_speakers == 1:
        return LeaveSpeakersOut(1), "leave one speaker out"
    genders = dict(zip(corpus.speakers, corpus.genders, strict=True))
    balance_by = None if None in genders.values() else genders
    balanced = "" if balance_by is None else ", balanced by gender"
    cv = LeaveSpeakersOut(n_speakers, balance_by=balance_by)
    return cv, f"leave {n_speakers} speakers out{balanced}"


def _as_json(result: "ComparisonResult") -> dict[str, Any]:
    return {
        "corpus": result.corpus,
        "protocol": result.protocol,
        "speaker_dependent": result.speaker_dependent,
        "speakers": len(result.speakers),
        "table": records(result.table().reset_index()),
        "paired_tests": records(result.paired_tests()),
    }
