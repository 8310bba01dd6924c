"""One fold: what was taken for what."""

import numpy as np
import pandas as pd
import streamlit as st
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from serkit.app import _charts
from serkit.app._state import choose
from serkit.evaluation import ComparisonResult

__all__ = ["count", "scores_of_classes", "show"]


def show(results: dict[str, ComparisonResult], folder: str) -> None:
    """Show scores, confusion matrix, and precision, recall, F1 and support of every emotion."""
    choice = choose(results)
    about = choice.about()
    if about is None:
        st.info("This fold is not finished. Run the comparison again: it goes on where it was.")
        return
    rows = choice.rows()
    n_right = int((rows["y_true"] == rows["y_pred"]).sum())
    with st.container(horizontal=True):
        st.metric("UAR", f"{about['UAR']:.1%}", width=130, help="mean recall of the emotions")
        st.metric("WA", f"{about['WA']:.1%}", width=130, help="share of right answers")
        st.metric("right", f"{n_right} of {len(rows)}", width=150)
        st.metric("fit", f"{about['fit_time']:.2g} s", width=130)
    st.caption(f"Tests {about['test_speakers']}. Trained on {about['train_speakers']}.")
    if about["transductive"]:
        st.warning(
            f"{about['transductive']}: other utterances of the test speakers are used, without "
            "their labels.",
            icon=":material/warning:",
        )
    if about["best_params"]:
        st.caption(f"Chosen inside the training part: {about['best_params']}")
    counts = count(rows, choice.result.labels)
    left, right = st.columns(2, gap="large")
    with left:
        st.header("Confusion matrix")
        st.altair_chart(_charts.confusion(counts), alt=_in_words(counts))
        st.caption("Numbers of utterances; the darker, the larger the share of the true emotion.")
    with right:
        st.header("Per emotion")
        table = scores_of_classes(rows, choice.result.labels)
        st.dataframe(
            table.assign(**{name: 100 * table[name] for name in ("precision", "recall", "F1")}),
            hide_index=True,
            column_config={
                name: st.column_config.NumberColumn(name, format="%.1f%%")
                for name in ("precision", "recall", "F1")
            },
        )
        if table.drop(columns="emotion").isna().any(axis=None):
            st.caption("Empty: not defined, as the emotion was never predicted, or is not there.")


def count(rows: pd.DataFrame, labels: list) -> pd.DataFrame:
    """Return how often every emotion was taken for every other."""
    counts = confusion_matrix(rows["y_true"].tolist(), rows["y_pred"].tolist(), labels=labels)
    return pd.DataFrame(counts, pd.Index(labels, name="true"), pd.Index(labels, name="predicted"))


def scores_of_classes(rows: pd.DataFrame, labels: list) -> pd.DataFrame:
    """Return precision, recall, F1 and support of every emotion."""
    precision, recall, f1, support = precision_recall_fscore_support(
        rows["y_true"].tolist(), rows["y_pred"].tolist(), labels=labels, zero_division=np.nan
    )
    return pd.DataFrame(
        {"emotion": labels, "precision": precision, "recall": recall, "F1": f1, "support": support}
    )


def _in_words(counts: pd.DataFrame) -> str:
    rows = (
        f"{true}: " + ", ".join(f"{n} as {label}" for label, n in row.items() if n)
        for true, row in counts.iterrows()
        if row.sum()
    )
    return "Confusion matrix. " + "; ".join(rows)
