"""From the records of all folds to the result."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from serkit.evaluation._fold import Task
from serkit.evaluation._manifest import KeptPlan, KeptTask, utterances_of
from serkit.evaluation._metrics import METRICS, FailedFold
from serkit.evaluation._models import list_models
from serkit.evaluation._plan import Plan
from serkit.evaluation._result import ComparisonResult
from serkit.evaluation._run import one_line
from serkit.evaluation._store import ResultsStore

__all__ = ["collect_result", "failed_folds"]


def collect_result(
    plan: Plan | KeptPlan,
    records: Mapping[str, dict[str, Any]],
    errors: Mapping[str, Exception],
    store: ResultsStore,
) -> ComparisonResult:
    """Put the records of all folds into frames, and name those that failed."""
    y, speakers = plan.y, plan.speakers
    root: str | Path | None
    if isinstance(plan, KeptPlan):
        utterances, root = plan.utterances, plan.root
    else:
        utterances, root = utterances_of(plan), plan.corpus.root
    files = utterances["file"].to_numpy()
    folds, predictions = [], []
    for task in plan.tasks:
        if task.key in errors:
            continue
        record = records[task.key]
        place = {"pipeline": task.pipeline, "seed": task.seed, "fold": task.fold}
        y_true, y_pred = y[task.test], np.asarray(record["y_pred"], dtype=object)
        folds.append(
            {
                **place,
                **{name: metric(y_true, y_pred) for name, metric in METRICS.items()},
                **{f"train {name}": score for name, score in record["train_scores"].items()},
                "n_train": len(task.train),
                "n_test": len(task.test),
                "fit_time": record["fit_time"],
                "predict_time": record["predict_time"],
                "test_speakers": " ".join(sorted(set(speakers[task.test]))),
                "train_speakers": " ".join(sorted(set(speakers[task.train]))),
                "transductive": ", ".join(record["transductive"]),
                "best_params": ", ".join(f"{k}={v}" for k, v in record["best_params"].items()),
            }
        )
        columns = {
            **place,
            "row": task.test,
            "file": files[task.test],
            "speaker": speakers[task.test],
            "y_true": y_true,
            "y_pred": y_pred,
            "score_method": record["score_method"],
        }
        if record["scores"] is not None:
            scores = np.asarray(record["scores"], dtype=float).T
            columns |= {f"score[{c}]": s for c, s in zip(record["classes"], scores, strict=True)}
        predictions.append(pd.DataFrame(columns))
    return ComparisonResult(
        pd.DataFrame(folds),
        pd.concat(predictions, ignore_index=True),
        corpus=plan.name,
        protocol=plan.protocol,
        speaker_dependent=plan.speaker_dependent,
        crossing=plan.crossing,
        failures=failed_folds(plan.tasks, errors),
        models=dict(list_models(plan.tasks, store)),
        utterances=utterances,
        root=None if root is None else Path(root),
    )


def failed_folds(
    tasks: Sequence[Task] | Sequence[KeptTask], errors: Mapping[str, Exception]
) -> tuple[FailedFold, ...]:
    """Return what failed, in the order of the tasks, with the errors in a line each."""
    return tuple(
        FailedFold(task.pipeline, task.seed, task.fold, one_line(errors[task.key]))
        for task in tasks
        if task.key in errors
    )
