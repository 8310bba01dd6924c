"""``serkit evaluate``: a saved model on a corpus of other speakers."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serkit.cli._arguments import (
    add_command,
    add_common,
    add_corpus,
    add_device,
    add_json,
    add_n_jobs,
    add_selection,
    load_corpus,
    require_labels,
    whole_number,
)
from serkit.cli._model import load_model, sampling_rate, trained_on
from serkit.cli._notes import named_rows
from serkit.cli._output import print_json, records

if TYPE_CHECKING:
    import numpy as np

    from serkit.datasets import Corpus
    from serkit.metrics import EmotionReport

__all__ = ["add_parser"]

_EPILOG = """\
Refused when the model was trained on speakers of the corpus: such scores say
nothing about new speakers. Speakers that training left out can be named, and
other corpora have other speakers. Intervals are of 95 %, over speakers.

examples:
  serkit evaluate emodb.serkit emodb --data path/to/emodb --speakers 03,08
  serkit evaluate emodb.serkit ravdess --data path/to/ravdess \\
      --emotions anger,disgust,fear,happiness,neutral,sadness
"""


def add_parser(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "evaluate",
        _run,
        help="score a saved model on a corpus of other speakers",
        description="Predict a corpus with a saved model, and say how much is right: in all, per "
        "emotion and per speaker.",
        epilog=_EPILOG,
    )
    parser.add_argument("model", type=Path, metavar="MODEL", help="file that serkit train wrote")
    add_corpus(parser)
    add_selection(parser)
    parser.add_argument(
        "--allow-training-data",
        action="store_true",
        help="score speakers that the model was trained on, and say so",
    )
    parser.add_argument(
        "--batch-size", type=whole_number, default=32, metavar="N", help="default: 32"
    )
    add_device(parser)
    add_n_jobs(parser)
    add_json(parser)
    add_common(parser)


def _run(arguments: argparse.Namespace) -> None:
    from serkit.evaluation import speaker_bootstrap
    from serkit.metrics import emotion_report

    corpus = load_corpus(arguments)
    require_labels(corpus)
    known = trained_on(arguments.model, corpus)
    if known and not arguments.allow_training_data:
        raise ValueError(
            f"the model was trained on {known}: the scores would be too good. Leave speakers out "
            "in serkit train and name them here by --speakers, take another corpus, or give "
            "--allow-training-data"
        )
    model = load_model(arguments.model, arguments.device)
    _check_corpus(model, corpus)
    y_pred = _predict(model, corpus, arguments)
    report = emotion_report(corpus.y, y_pred, speakers=corpus.speakers)
    intervals = {
        metric: speaker_bootstrap(corpus.y, y_pred, corpus.speakers, metric=metric)
        for metric in ("UAR", "WA")
    }
    if arguments.json:
        print_json(_as_json(arguments, corpus, report, intervals, known))
    else:
        print(_as_text(arguments, corpus, report, intervals, known))


def _check_corpus(model: Any, corpus: "Corpus") -> None:
    from sklearn.base import is_classifier

    if not is_classifier(model):
        raise ValueError(f"the model, a {type(model).__name__}, predicts no emotions")
    known = set(model.classes_)
    unknown = [emotion for emotion in corpus.emotions if emotion not in known]
    if unknown:
        both = [emotion for emotion in corpus.emotions if emotion in known]
        way_out = f"leave them out with --emotions {','.join(both)}" if both else "none is common"
        raise ValueError(
            f"the model does not know {', '.join(unknown)}, only "
            f"{', '.join(map(str, sorted(known)))}; {way_out}"
        )
    rate = sampling_rate(model)
    if corpus.sampling_rate not in (None, rate):
        raise ValueError(f"the corpus is made at {corpus.sampling_rate} Hz, the model wants {rate}")


def _predict(model: Any, corpus: "Corpus", arguments: argparse.Namespace) -> "np.ndarray":
    import numpy as np
    from joblib import parallel_config
    from sklearn import config_context
    from tqdm.auto import tqdm

    from serkit.utils import requested_speakers

    audio, speakers, size = corpus.audio, corpus.speakers, arguments.batch_size
    names = corpus.table["file"].fillna("made-up speech").tolist()
    found = []
    with (
        config_context(enable_metadata_routing=True),
        parallel_config(n_jobs=arguments.n_jobs),
        tqdm(total=len(audio), desc="Predictions", disable=arguments.quiet) as bar,
    ):
        for start in range(0, len(audio), size):
            rows = slice(start, start + size)
            asked = requested_speakers(model, "predict", speakers[rows])
            with named_rows(names[rows]):
                found.append(np.asarray(model.predict(audio[rows], **asked), dtype=object))
            bar.update(len(found[-1]))
    return np.concatenate(found)


def _as_text(
    arguments: argparse.Namespace,
    corpus: "Corpus",
    report: "EmotionReport",
    intervals: dict[str, Any],
    known: str | None,
) -> str:
    lines = [f"{arguments.model} on {corpus.name or arguments.corpus}"]
    if known:
        lines += [f"TRAINED ON {known}: too good for new speakers"]
    for metric, found in intervals.items():
        within = f"{100 * found.low:.1f} to {100 * found.high:.1f}"
        lines.append(
            f"{metric:<4}{100 * found.score:5.1f} %, 95 % interval over {found.n_speakers} "
            f"speakers {within}"
            if found.n_speakers > 1
            else f"{metric:<4}{100 * found.score:5.1f} %, one speaker: no interval"
        )
    return "\n".join([*lines, "", str(report)])


def _as_json(
    arguments: argparse.Namespace,
    corpus: "Corpus",
    report: "EmotionReport",
    intervals: dict[str, Any],
    known: str | None,
) -> dict[str, Any]:
    assert report.speakers is not None, "it was made with them"
    return {
        "model": str(arguments.model),
        "corpus": corpus.name,
        "trained_on": known,
        "utterances": len(corpus),
        "speakers": sorted(set(corpus.speakers)),
        "scores": [
            {"metric": metric, "score": found.score, "low": _finite(found.low)}
            | {"high": _finite(found.high)}
            for metric, found in intervals.items()
        ],
        "emotions": records(report.classes.reset_index()),
        "per_speaker": records(report.speakers.reset_index()),
        "confusion": {
            "labels": list(report.confusion),
            "true_by_predicted": report.confusion.to_numpy().tolist(),
        },
    }


def _finite(value: float) -> float | None:
    return value if value == value else None
