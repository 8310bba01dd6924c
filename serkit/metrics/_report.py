"""What was recognised, pooled, fold by fold and speaker by speaker."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.multiclass import unique_labels

from serkit.metrics._classification import uar_score, wa_score

__all__ = ["EmotionReport", "emotion_report"]


@dataclass(frozen=True)
class EmotionReport:
    """Recognition rates of one system; made by :func:`emotion_report`.

    Parameters
    ----------
    pooled : Series with entries uar, wa, n_utterances
        Over all utterances together.
    classes : DataFrame with columns precision, recall, f1, support
        One row per class.
    confusion : DataFrame
        Number of utterances by true (rows) and predicted class (columns).
    folds : DataFrame with columns uar, wa, n_utterances, or None
        One row per fold. UAR is over the classes that occur in the fold.
    speakers : DataFrame with columns uar, wa, n_utterances, or None
        One row per speaker. UAR is over the classes that the speaker has.
    """

    pooled: pd.Series
    classes: pd.DataFrame
    confusion: pd.DataFrame
    folds: pd.DataFrame | None = None
    speakers: pd.DataFrame | None = None

    def summary(self) -> pd.DataFrame:
        """Return pooled rates, and mean and standard deviation over folds and speakers.

        Returns
        -------
        table : DataFrame of shape (2, n_columns)
            Rows uar and wa; columns pooled and, where known, fold_mean, fold_sd,
            speaker_mean, speaker_sd. The deviation has one degree of freedom
            less than there are folds or speakers; it is NaN for a single one.
        """
        rates = ["uar", "wa"]
        columns = {"pooled": self.pooled[rates]}
        for name, table in (("fold", self.folds), ("speaker", self.speakers)):
            if table is not None:
                columns[f"{name}_mean"] = table[rates].mean()
                columns[f"{name}_sd"] = table[rates].std(ddof=1)
        return pd.DataFrame(columns)

    def __str__(self) -> str:
        summary = self.summary()
        lines = []
        for rate in ("uar", "wa"):
            row = summary.loc[rate]
            line = f"{rate.upper():<4}{100 * row['pooled']:5.1f} pooled"
            for name, table in (("fold", self.folds), ("speaker", self.speakers)):
                if table is not None:
                    mean, deviation = 100 * row[f"{name}_mean"], 100 * row[f"{name}_sd"]
                    line += f", {mean:.1f} ± {deviation:.1f} over {len(table)} {name}s"
            lines.append(line)
        blocks = [f"{int(self.pooled['n_utterances'])} utterances, rates in %", "\n".join(lines)]
        for table in (self.folds, self.speakers):
            if table is not None:
                blocks.append(_percent(table, ["uar", "wa"]))
        blocks.append(_percent(self.classes, ["precision", "recall", "f1"]))
        blocks.append(f"true (rows) and predicted\n{self.confusion.to_string()}")
        return "\n\n".join(blocks)


def emotion_report(
    y_true: Any, y_pred: Any, *, speakers: Any = None, folds: Any = None
) -> EmotionReport:
    """Report UAR and WA pooled, per fold and per speaker, and what is taken for what.

    Parameters
    ----------
    y_true : array-like of shape (n_utterances,)
        True emotions of the tested utterances, of all folds together.
    y_pred : array-like of shape (n_utterances,)
        Predicted emotions.
    speakers : array-like of shape (n_utterances,), default=None
        Speaker of every utterance.
    folds : array-like of shape (n_utterances,), default=None
        Fold in which each utterance was tested.

    Returns
    -------
    report : EmotionReport
        Prints as a text of tables.

    See Also
    --------
    uar_score : The definition of UAR.
    wa_score : The definition of WA.

    Examples
    --------
    >>> from serkit.metrics import emotion_report
    >>> report = emotion_report(
    ...     ["anger", "anger", "joy", "joy"],
    ...     ["anger", "joy", "joy", "joy"],
    ...     speakers=["03", "03", "03", "08"],
    ...     folds=[0, 0, 0, 1],
    ... )
    >>> report.speakers
             uar        wa  n_utterances
    speaker
    03      0.75  0.666667             3
    08      1.00  1.000000             1
    >>> print(report)
    4 utterances, rates in %
    <BLANKLINE>
    UAR  75.0 pooled, 87.5 ± 17.7 over 2 folds, 87.5 ± 17.7 over 2 speakers
    WA   75.0 pooled, 83.3 ± 23.6 over 2 folds, 83.3 ± 23.6 over 2 speakers
    ...
    """
    y_true, y_pred = column_or_1d(y_true), column_or_1d(y_pred)
    check_consistent_length(y_true, y_pred, speakers, folds)
    labels = unique_labels(y_true, y_pred)
    precision, recall, f1, support = precision_recall_fscore_support(
        y_true, y_pred, labels=labels, zero_division=np.nan
    )
    index = pd.Index(labels, name="emotion")
    return EmotionReport(
        pooled=pd.Series(_rates(y_true, y_pred), name="pooled"),
        classes=pd.DataFrame(
            {"precision": precision, "recall": recall, "f1": f1, "support": support}, index=index
        ),
        confusion=pd.DataFrame(
            confusion_matrix(y_true, y_pred, labels=labels), index=index, columns=index
        ),
        folds=_rates_by(folds, y_true, y_pred, name="fold"),
        speakers=_rates_by(speakers, y_true, y_pred, name="speaker"),
    )


def _rates(y_true: np.ndarray, y_pred: np.ndarray) -> dict[str, float]:
    return {
        "uar": uar_score(y_true, y_pred),
        "wa": wa_score(y_true, y_pred),
        "n_utterances": len(y_true),
    }


def _rates_by(
    keys: Any, y_true: np.ndarray, y_pred: np.ndarray, *, name: str
) -> pd.DataFrame | None:
    if keys is None:
        return None
    keys = column_or_1d(np.asarray(keys, dtype=object))
    if pd.isna(keys).any():
        raise ValueError(f"every utterance needs a {name}, some have none")
    rows = {key: _rates(y_true[keys == key], y_pred[keys == key]) for key in sorted(set(keys))}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(name)


def _percent(table: pd.DataFrame, columns: list[str]) -> str:
    shown = table.copy()
    shown[columns] = 100 * shown[columns]
    return shown.to_string(float_format="{:.1f}".format)
