"""From the records of all folds to the result."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from serkit.datasets import Corpus
from serkit.evaluation._fold import Task
from serkit.evaluation._result import METRICS, ComparisonResult

__all__ = ["collect_result"]


def collect_result(
    corpus: Corpus,
    outcomes: Sequence[tuple[Task, dict[str, Any]]],
    *,
    protocol: str,
    speaker_dependent: bool,
    crossing: tuple[str, ...],
) -> ComparisonResult:
    """Put the records of all folds into frames."""
    y, speakers = corpus.y, corpus.speakers
    files = corpus.table["file"].to_numpy(dtype=object, na_value=None)
    folds, predictions = [], []
    for task, record in outcomes:
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
        corpus=corpus.name or "unnamed corpus",
        protocol=protocol,
        speaker_dependent=speaker_dependent,
        crossing=crossing,
    )
