"""The model card: what a model is, what it learnt from, how well it does, what it is not for."""

from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, is_classifier, is_regressor
from sklearn.pipeline import Pipeline

__all__ = ["card_facts", "write_card"]

_UNKNOWN = "not stated"

_LIMITS = """\
- It names the emotion that a voice *sounds* like, among the labels below, and only among them. It
  does not know what somebody feels.
- Labels of acted speech are what actors were asked to play. Scores on it do not carry over to
  spontaneous speech, to other languages, other microphones or other ages without a test there.
- Scores differ between speakers, see below; groups that the training data leave out may fare worse.
- Do not use it to decide about people: in work, education, health, insurance, border control or
  policing. Several laws forbid or restrict emotion recognition there."""


def card_facts(
    estimator: BaseEstimator,
    *,
    result: Any = None,
    intended_use: str | None = None,
    licence: str | None = None,
) -> dict[str, Any]:
    """Return what a card tells, as JSON knows it."""
    kind = "classifier" if is_classifier(estimator) else "estimator"
    labels = getattr(estimator, "classes_", None) if is_classifier(estimator) else None
    return {
        "kind": "regressor" if is_regressor(estimator) else kind,
        "steps": _steps(estimator),
        "labels": None if labels is None else [str(label) for label in np.ravel(labels)],
        "intended_use": intended_use,
        "licence": licence,
        "evaluation": None if result is None else _evaluation(result),
    }


def write_card(path: Path, name: str, description: dict[str, Any]) -> None:
    """Write a card as Markdown."""
    path.write_text(_render(name, description), encoding="utf-8")


def _steps(estimator: BaseEstimator) -> list[str]:
    """Return the steps as text: those of a search are of its best estimator."""
    estimator = getattr(estimator, "best_estimator_", estimator)
    if isinstance(estimator, Pipeline):
        steps = (step for _, step in estimator.steps if step not in (None, "passthrough"))
        return [text for step in steps for text in _steps(step)]
    inner = getattr(estimator, "transformer", None)
    if isinstance(inner, Pipeline):
        return _steps(inner)
    return [" ".join(repr(estimator).split())[:500]]


def _evaluation(result: Any) -> dict[str, Any]:
    """Return the tables of a comparison; other results are what they print."""
    if not hasattr(result, "per_speaker"):
        return {"text": str(result)}
    columns = ["UAR", "low", "high", "WA", "n_folds", "n_speakers"]
    table = result.table()
    return {
        "corpus": str(result.corpus),
        "protocol": str(result.protocol),
        "speaker_dependent": bool(result.speaker_dependent),
        "table": _records(table[[name for name in columns if name in table]].reset_index()),
        "per_speaker": _records(result.per_speaker().reset_index()),
    }


def _records(table: Any) -> list[dict[str, Any]]:
    records = table.loc[:, table.columns != "index"].to_dict("records")
    return [{str(key): _plain(value) for key, value in row.items()} for row in records]


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return None if value != value else round(value, 4)
    return value if isinstance(value, bool | int | str) or value is None else str(value)


def _render(name: str, description: dict[str, Any]) -> str:
    card, data = description["card"], description["data"]
    parts = [
        f"# Model card: {name}",
        "## Model",
        f"A {card['kind']} made with serkit {description['serkit']}:",
        "\n".join(f"{number}. `{step}`" for number, step in enumerate(card["steps"], 1)),
    ]
    if card["labels"] is not None:
        parts.append(f"Labels: {', '.join(card['labels'])}.")
    parts += [
        "## Intended use",
        card["intended_use"] or f"{_UNKNOWN.capitalize()}. Meant for research.",
        "## Training data",
        *_render_data(data),
        f"Licence of the training data: {card['licence'] or _UNKNOWN}.",
        "## Evaluation",
        *_render_evaluation(card["evaluation"]),
        "## Limits",
        _LIMITS,
        "## Versions",
        _table([{"package": key, "version": v} for key, v in description["versions"].items()]),
    ]
    return "\n\n".join(parts) + "\n"


def _render_data(data: dict[str, Any] | None) -> list[str]:
    if data is None:
        return [f"Corpus: {_UNKNOWN}."]
    hours = "" if data["hours"] is None else f", {data['hours']:.2f} hours"
    emotions = ", ".join(f"{emotion} {count}" for emotion, count in data["emotions"].items())
    return [
        f"Corpus: {data['name']}, {data['n_utterances']} utterances of {len(data['speakers'])} "
        f"speakers{hours}.",
        f"Utterances per emotion: {emotions}.",
        f"Speakers: {', '.join(data['speakers'])}. The model cannot be tested on them.",
        f"Fingerprint of audio and labels: `{data['fingerprint']}`.",
    ]


def _render_evaluation(evaluation: dict[str, Any] | None) -> list[str]:
    if evaluation is None:
        return ["None is on record: nothing is known of how well it does."]
    if "text" in evaluation:
        return [f"```\n{evaluation['text']}\n```"]
    speakers = (
        "a speaker may be in training and test"
        if evaluation["speaker_dependent"]
        else ("no speaker is in training and test")
    )
    return [
        f"Corpus {evaluation['corpus']}, protocol {evaluation['protocol']}; {speakers}. UAR is the "
        "unweighted average recall, pooled, with its 95 % interval over speakers. The models that "
        "were tested were made by the same recipe as this one, from fewer speakers.",
        _table(evaluation["table"]),
        "Per speaker:",
        _table(evaluation["per_speaker"]),
    ]


def _table(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return "(empty)"
    names = list(rows[0])
    lines = [names, ["---"] * len(names), *([row[name] for name in names] for row in rows)]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    return "" if value is None else str(value).replace("|", "\\|")
