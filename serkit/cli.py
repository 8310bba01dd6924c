"""The command line: ``serkit demo`` and ``serkit compare``."""

import argparse
import json
import os
import re
import sys
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

_DEMO_PIPELINES = ["mfcc-svm", "egemaps-svm", "mfcc-mlp"]
_PIPELINES = {
    "mfcc-svm": "MFCC statistics + SVM",
    "egemaps-svm": "eGeMAPSv02 + SVM",
    "compare-svm": "ComParE_2016 + SVM",
    "mfcc-mlp": "MFCC statistics + MLP",
}


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
        help="compare classical pipelines on made-up speech, in a minute",
        description="Write a made-up corpus as audio files (or take a real one), compare three "
        "pipelines on unseen speakers, and write a report. Run again, it goes on.",
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
        description="Compare pipelines on a corpus; no speaker is in both training and test.",
    )
    compare.set_defaults(run=_compare)
    compare.add_argument(
        "corpus",
        metavar="CORPUS",
        help="synthetic; emodb, ravdess or nemo (with --data); or a CSV file with the columns "
        "file, speaker, emotion",
    )
    _add_data(compare)
    compare.add_argument(
        "--pipelines",
        nargs="+",
        choices=_PIPELINES,
        default=list(_PIPELINES),
        metavar="NAME",
        help=f"of {', '.join(_PIPELINES)} (default: all)",
    )
    compare.add_argument(
        "--cv",
        type=_protocol,
        default="loso",
        metavar="PROTOCOL",
        help="loso: leave one speaker out (default); leave-2, leave-3, ...; leow2021: published "
        "folds of emodb and ravdess, tuned on two validation speakers",
    )
    compare.add_argument(
        "--results", type=Path, metavar="DIR", help="keep finished folds here, and go on from them"
    )
    compare.add_argument("--cache", type=Path, metavar="DIR", help="keep features of files here")
    compare.add_argument("--html", type=Path, metavar="FILE", help="write a report")
    compare.add_argument("--csv", type=Path, metavar="DIR", help="write tables and predictions")
    compare.add_argument("--json", action="store_true", help="print JSON instead of text")
    _add_common(compare)
    return parser


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, metavar="PATH", help="folder of the corpus")


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--n-jobs", type=int, default=None, metavar="N", help="-1: all cores")
    parser.add_argument("--quiet", action="store_true", help="no progress bars")
    parser.add_argument("--debug", action="store_true", help="show where an error comes from")


def _protocol(text: str) -> str:
    if text not in ("loso", "leow2021") and not re.fullmatch(r"leave-[1-9]\d*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is none of loso, leave-2, leow2021")
    return text


def _demo(arguments: argparse.Namespace) -> None:
    folder = arguments.results
    if arguments.corpus == "synthetic":
        corpus = _written_corpus(folder / "corpus")
    else:
        corpus = _load_corpus(arguments)
    first = os.path.relpath(str(corpus.audio[0]))
    print(f"{corpus}\nReading {len(corpus)} files, the first is {first}\n", flush=True)
    result = _run(corpus, arguments)
    print(result)
    report = result.to_html(folder / "report.html")
    tables = result.to_csv(folder / "csv")
    print(f"\nReport: {report}\nTables: {', '.join(map(str, tables))}")


def _compare(arguments: argparse.Namespace) -> None:
    result = _run(_load_corpus(arguments), arguments)
    written = []
    if arguments.html is not None:
        written.append(result.to_html(arguments.html))
    if arguments.csv is not None:
        written += result.to_csv(arguments.csv)
    if arguments.json:
        print(json.dumps(_as_json(result), indent=2))
        return
    print(result)
    if written:
        print(f"\nWritten: {', '.join(map(str, written))}")


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
        cache="auto" if arguments.cache is None else arguments.cache,
        n_jobs=arguments.n_jobs,
        verbose=not arguments.quiet,
    )


def _splitter(protocol: str, corpus: "Corpus") -> tuple[Any, str]:
    from serkit.model_selection import LeaveSpeakersOut, load_protocol

    if protocol == "leow2021":
        if corpus.name not in ("emodb", "ravdess"):
            raise ValueError(
                "--cv leow2021 names speakers of emodb and ravdess, of no other corpus"
            )
        return load_protocol(f"leow2021-{corpus.name}"), (
            "leave two speakers out (Leow 2021), tuned on two more, fitted on the rest"
        )
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

    name = arguments.corpus
    if name == "synthetic":
        return datasets.make_emotional_speech(random_state=0)
    loaders = {
        "emodb": datasets.load_emodb,
        "ravdess": datasets.load_ravdess,
        "nemo": datasets.load_nemo,
    }
    if name in loaders:
        if arguments.data is None:
            raise ValueError(f"where is {name}? Give its folder: --data PATH")
        return loaders[name](arguments.data)
    if not Path(name).is_file():
        raise ValueError(
            f"{name!r} is no corpus: give synthetic, {', '.join(loaders)}, or an existing CSV file"
        )
    return datasets.load_manifest(name, root=arguments.data)


def _written_corpus(folder: Path) -> "Corpus":
    """Return the made corpus as files, writing them if they are not there."""
    import soundfile

    from serkit.datasets import load_manifest, make_emotional_speech

    manifest = folder / "corpus.csv"
    if not manifest.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        made = make_emotional_speech(random_state=0)
        table = made.table
        table["file"] = table["speaker"] + "_" + table["emotion"] + "_" + table["sentence"] + ".wav"
        for file, waveform in zip(table["file"], made.audio, strict=True):
            soundfile.write(folder / file, waveform, made.sampling_rate)
        # The table comes last and at once: where it is, all files are.
        columns = ["file", "speaker", "gender", "emotion", "sentence"]
        table[columns].to_csv(folder / "corpus.csv.part", index=False)
        os.replace(folder / "corpus.csv.part", manifest)
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
