"""The command line: ``serkit demo``, ``serkit compare`` and ``serkit reproduce``."""

import argparse
import json
import os
import re
import sys
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import serkit

if TYPE_CHECKING:
    from serkit.datasets import Corpus
    from serkit.evaluation import ComparisonResult

# Everything heavy is imported where it is used, so that --help is instant.

__all__ = ["main"]

_DEMO_PIPELINES = ["mfcc-svm", "egemaps-svm", "mfcc-mlp", "mfcc-crnn", "mfcc-dat"]
_PIPELINES = {
    "mfcc-svm": "MFCC statistics + SVM",
    "egemaps-svm": "eGeMAPSv02 + SVM",
    "compare-svm": "ComParE_2016 + SVM",
    "mfcc-mlp": "MFCC statistics + MLP",
    "mfcc-crnn": "MFCC + CRNN",
    "mfcc-dat": "MFCC + DAT",
}
_PAPERS = ("guizzo2023", "huang2017", "lazarevic2024", "leow2021", "sahu2020")
_DETAILS = """\
pipelines (SVM: linear; all features are standardised):
  mfcc-svm     MFCCs and their deltas, mean, deviation, percentiles; SVM
  egemaps-svm  88 functionals of openSMILE, set eGeMAPSv02; SVM
  compare-svm  6373 functionals of openSMILE, set ComParE_2016; SVM
  mfcc-mlp     features of mfcc-svm; a network with one hidden layer
  mfcc-crnn    frames of MFCCs; convolutions, then a recurrent network
  mfcc-dat     mfcc-crnn, trained not to know who speaks (three speakers or
               more in training)

protocols:
  loso         leave one speaker out
  leave-N      leave N speakers out: leave-2, leave-3, ...
  leow2021     published folds of emodb and ravdess, two speakers out; C or
               alpha are tuned, and epochs of networks chosen, on two more,
               which training leaves out
  random       five random folds, speakers in training and test: too good
               for unseen speakers, to see by how much
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str or None, default=None
        The arguments; ``None`` takes those of the process.

    Returns
    -------
    status : int
        0 if all went well, 1 after an error; wrong usage exits with 2.
    """
    arguments = _parser().parse_args(argv)
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            arguments.run(arguments)
        except KeyboardInterrupt:
            print("serkit: stopped; with --results, finished folds are kept", file=sys.stderr)
            return 130
        except Exception as error:
            if arguments.debug:
                raise
            print(f"serkit: error: {_one_line(error)}", file=sys.stderr)
            return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="serkit", description="Speech emotion recognition, on speakers never heard before."
    )
    parser.add_argument("--version", action="version", version=f"serkit {serkit.__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    demo = commands.add_parser(
        "demo",
        help="compare SVMs and networks on made-up speech, in two minutes",
        description="Write a made-up corpus as audio files (or take a real one), compare SVMs and "
        "networks on unseen speakers, and write a report. Run again, it goes on.",
        epilog="On two cores made-up speech takes two minutes, emodb five, ravdess half an hour, "
        "nearly all of it for the networks. These are small and train for 40 epochs at most; "
        "serkit compare --pipelines does without them.",
    )
    demo.set_defaults(run=_demo, html=None, csv=None, cache=None, json=False, cv="loso")
    demo.set_defaults(pipelines=_DEMO_PIPELINES)
    demo.add_argument("--corpus", default="synthetic", help="as CORPUS of serkit compare")
    _add_data(demo)
    demo.add_argument("--results", type=Path, default=Path("serkit-demo"), metavar="DIR")
    _add_common(demo)

    compare = commands.add_parser(
        "compare",
        help="compare pipelines on a corpus, fold by fold",
        description="Compare pipelines on speakers that they were not trained on.",
        epilog=_DETAILS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    compare.set_defaults(run=_compare)
    compare.add_argument(
        "corpus",
        metavar="CORPUS",
        help="synthetic; emodb, enterface, iemocap, msp_improv, nemo, ravdess, tess (with --data); "
        "or a CSV file with columns file, speaker, emotion",
    )
    _add_data(compare)
    compare.add_argument(
        "--pipelines",
        type=_pipeline_names,
        default=list(_PIPELINES),
        metavar="NAMES",
        help="what to compare, as NAME,NAME,... (default: all)",
    )
    compare.add_argument(
        "--cv", type=_protocol, default="loso", metavar="PROTOCOL", help="default: loso"
    )
    compare.add_argument(
        "--results", type=Path, metavar="DIR", help="keep finished folds and the report here"
    )
    compare.add_argument("--cache", type=Path, metavar="DIR", help="keep features of files here")
    compare.add_argument(
        "--html", type=Path, metavar="FILE", help="the report (default: DIR/report.html)"
    )
    compare.add_argument("--csv", type=Path, metavar="DIR", help="tables (default: DIR/csv)")
    compare.add_argument("--json", action="store_true", help="print JSON instead of text")
    _add_common(compare)
    _add_reproduce(commands)
    return parser


def _add_reproduce(commands: Any) -> None:
    reproduce = commands.add_parser(
        "reproduce",
        help="run the experiments of a paper, ours beside theirs",
        description="Run the experiments of a paper on corpora of yours, and print what was found "
        "beside what was published. Run again, it goes on where it was stopped.",
        epilog="Without --data, and with --scale smoke, made speech shows that all works.",
    )
    reproduce.set_defaults(run=_reproduce)
    reproduce.add_argument("paper", metavar="PAPER", help=", ".join(_PAPERS), choices=_PAPERS)
    reproduce.add_argument(
        "--data",
        nargs="+",
        type=_named_path,
        metavar="NAME=PATH",
        help="the corpora, such as emodb=path/to/emodb",
    )
    reproduce.add_argument("--list", action="store_true", help="list the experiments")
    reproduce.add_argument(
        "--dry-run", action="store_true", help="measure what it would cost, by an epoch or two"
    )
    reproduce.add_argument("--experiments", nargs="+", metavar="NAME", help="default: all")
    reproduce.add_argument(
        "--systems", nargs="+", metavar="NAME", help="beginnings of their names (default: all)"
    )
    reproduce.add_argument(
        "--scale",
        choices=("smoke", "bench", "paper"),
        default="bench",
        help="smoke: seconds; bench: hours, on some folds; paper: as it was (default: bench)",
    )
    reproduce.add_argument(
        "--folds", nargs="+", type=int, metavar="N", help="fewer folds than the scale has"
    )
    reproduce.add_argument("--seeds", nargs="+", type=int, default=[0], metavar="N")
    reproduce.add_argument("--device", default="auto", help="of networks: auto, cpu, cuda, ...")
    reproduce.add_argument(
        "--results",
        type=Path,
        metavar="DIR",
        help="keep finished folds and the tables here (default: results/PAPER)",
    )
    _add_common(reproduce)


def _named_path(text: str) -> tuple[str, str]:
    name, equals, path = text.partition("=")
    if not (name and equals and path):
        raise argparse.ArgumentTypeError(f"{text!r} is no NAME=PATH, such as emodb=path/to/emodb")
    return name, path


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, metavar="PATH", help="folder of the corpus")


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--n-jobs", type=int, default=None, metavar="N", help="-1: all cores")
    parser.add_argument("--quiet", action="store_true", help="no progress bars")
    parser.add_argument("--debug", action="store_true", help="show where an error comes from")


def _pipeline_names(text: str) -> list[str]:
    names = text.split(",")
    unknown = [name for name in names if name not in _PIPELINES]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(_PIPELINES)}")
    return names


def _protocol(text: str) -> str:
    if text not in ("loso", "leow2021", "random") and not re.fullmatch(r"leave-[1-9]\d*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is none of loso, leave-2, leow2021, random")
    return text


def _demo(arguments: argparse.Namespace) -> None:
    if arguments.corpus == "synthetic":
        corpus = _written_corpus(arguments.results / "corpus")
    else:
        corpus = _load_corpus(arguments)
    first = os.path.relpath(str(corpus.audio[0]))
    print(f"{corpus}\nReading {len(corpus)} files, the first is {first}\n", flush=True)
    _report(corpus, arguments)


def _compare(arguments: argparse.Namespace) -> None:
    _report(_load_corpus(arguments), arguments)


def _reproduce(arguments: argparse.Namespace) -> None:
    from serkit import papers

    paper = getattr(papers, arguments.paper)
    if arguments.list:
        print(f"{paper.reference}\n\n{paper.list_experiments().to_string()}")
        return
    what = {
        "corpora": dict(arguments.data) if arguments.data else None,
        **{name: getattr(arguments, name) for name in _WHAT},
    }
    if arguments.dry_run:
        print(paper.estimate(**what).round(2).to_string(index=False))
        return
    results = arguments.results or Path("results") / paper.name
    found = paper.reproduce(
        **what, results_dir=results, n_jobs=arguments.n_jobs, verbose=not arguments.quiet
    )
    print(found, flush=True)
    print(f"\nTables: {', '.join(map(str, found.to_csv(results / 'csv')))}")


#: What a reproduction and an estimate of its costs are told in the same words.
_WHAT = ("experiments", "scale", "seeds", "folds", "systems", "device")


def _report(corpus: "Corpus", arguments: argparse.Namespace) -> None:
    """Run the comparison, print what it found, and then write it."""
    html, csv = arguments.html, arguments.csv
    if arguments.results is not None:
        html = html or arguments.results / "report.html"
        csv = csv or arguments.results / "csv"
    _check_writable(html, csv)
    result = _run(corpus, arguments)
    print(json.dumps(_as_json(result), indent=2) if arguments.json else result, flush=True)
    written = []
    if html is not None:
        written.append(f"Report: {result.to_html(html)}")
    if csv is not None:
        written.append(f"Tables: {', '.join(map(str, result.to_csv(csv)))}")
    if written and not arguments.json:
        print("", *written, sep="\n")


def _check_writable(html: Path | None, csv: Path | None) -> None:
    """Raise now, not after a long run, if a file cannot be written."""
    if html is not None and html.is_dir():
        raise ValueError(f"the report cannot be written to {html}: it is a folder")
    for folder in (html and html.parent, csv):
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass


def _run(corpus: "Corpus", arguments: argparse.Namespace) -> "ComparisonResult":
    from serkit.evaluation import baseline_pipelines, compare

    cv, protocol = _splitter(arguments.cv, corpus)
    available = baseline_pipelines(validation=cv.inner() if arguments.cv == "leow2021" else None)
    names = [_PIPELINES[key] for key in arguments.pipelines]
    pipelines = {name: available[name] for name in names if name in available}
    if not pipelines:
        raise ValueError("none of the pipelines can be run; name others with --pipelines")
    return compare(
        corpus,
        pipelines,
        cv=cv,
        protocol=protocol,
        results_dir=arguments.results,
        allow_speaker_overlap=arguments.cv == "random",
        cache="auto" if arguments.cache is None else arguments.cache,
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


def _load_corpus(arguments: argparse.Namespace) -> "Corpus":
    from serkit import datasets

    if arguments.corpus == "synthetic":
        return datasets.make_emotional_speech(random_state=0)
    return datasets.load_corpus(arguments.corpus, arguments.data)


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


def _as_json(result: "ComparisonResult") -> dict[str, Any]:
    def records(frame):
        return json.loads(frame.to_json(orient="records", double_precision=15))

    return {
        "corpus": result.corpus,
        "protocol": result.protocol,
        "speaker_dependent": result.speaker_dependent,
        "speakers": len(result.speakers),
        "table": records(result.table().reset_index()),
        "paired_tests": records(result.paired_tests()),
    }


def _one_line(error: BaseException) -> str:
    parts = [str(error) or type(error).__name__, *getattr(error, "__notes__", ())]
    return " ".join(" ".join(parts).split())


def _show_warning(message: Any, category: type[Warning], *_: Any, **__: Any) -> None:
    print(f"serkit: note: {' '.join(str(message).split())}", file=sys.stderr)
