"""Two pipelines on the same fold."""

from dataclasses import replace

import pandas as pd
import streamlit as st

from serkit.app import _charts
from serkit.app._fold import scores_of_classes
from serkit.app._state import Choice, choose, select
from serkit.evaluation import ComparisonResult

__all__ = ["show"]


def show(results: dict[str, ComparisonResult], folder: str) -> None:
    """Show where two pipelines agree, where not, and whether the difference is more than chance."""
    choice = choose(results)
    others = [name for name in choice.result.pipelines if name != choice.pipeline]
    if not others:
        st.info("This result holds one pipeline; there is nothing to compare it with.")
        return
    other = select("Compared with", others, "other")
    first, second = choice.rows(), choice.rows(other)
    common = first.index.intersection(second.index)
    if common.empty:
        st.info("The fold is not finished for both pipelines.")
        return
    first, second = first.loc[common], second.loc[common]
    is_right, other_is_right = (rows["y_true"] == rows["y_pred"] for rows in (first, second))
    counts = {
        "both right": is_right & other_is_right,
        f"only {choice.pipeline} right": is_right & ~other_is_right,
        f"only {other} right": ~is_right & other_is_right,
        "both wrong": ~is_right & ~other_is_right,
    }
    with st.container(horizontal=True):
        for name, rows in counts.items():
            st.metric(name, int(rows.sum()), width=220)
    labels = choice.result.labels
    recalls = pd.DataFrame(
        {
            name: scores_of_classes(rows, labels).set_index("emotion")["recall"]
            for name, rows in ((choice.pipeline, first), (other, second))
        }
    )
    left, right = st.columns(2, gap="large")
    with left:
        st.header("Recall per emotion")
        st.altair_chart(_charts.recalls_of_two(recalls), alt=recalls.round(2).to_string())
    with right:
        st.header("Where they differ")
        _differences(choice, other, first, second)
    st.header("Over all folds")
    _test(choice, other, folder)


def _differences(choice: Choice, other: str, first: pd.DataFrame, second: pd.DataFrame) -> None:
    differ = first["y_pred"] != second["y_pred"]
    if not differ.any():
        st.caption("Nowhere: both predict the same.")
        return
    table = pd.DataFrame({"number": first["row"], "speaker": first["speaker"]})
    table["true"] = first["y_true"]
    for name, rows in ((choice.pipeline, first), (other, second)):
        marks = (rows["y_true"] == rows["y_pred"]).map({True: "✓ ", False: "✗ "})
        table[name] = marks + rows["y_pred"].astype(str)
    numbers = table.loc[differ, "number"].tolist()
    st.dataframe(
        table[differ],
        hide_index=True,
        key="differing",
        on_select=lambda: _listen(numbers),
        selection_mode="single-row",
        height=min(500, 37 + 35 * len(numbers)),
    )
    st.caption("Choose a row to listen to it.")


def _listen(numbers: list[int]) -> None:
    rows = st.session_state["differing"]["selection"]["rows"]
    if rows and rows[0] < len(numbers):
        st.session_state["utterance"] = numbers[rows[0]]
        st.session_state["view"] = "Utterances"


def _test(choice: Choice, other: str, folder: str) -> None:
    key = (folder, choice.place, choice.pipeline, other, len(choice.result.predictions))
    test = _tested(key, choice.result, choice.pipeline, other)
    n_speakers = int(test["speakers"]) if "speakers" in test else len(choice.result.speakers)
    p = next(value for name, value in test.items() if str(name).startswith("p "))
    st.markdown(
        f"UAR of **{choice.pipeline}** minus that of **{other}**: "
        f"**{test['pooled difference']:+.1%}**, 95 % interval {test['low']:+.1%} to "
        f"{test['high']:+.1%} over {n_speakers} speakers; sign-flip permutation test p = {p:.3f}."
    )


@st.cache_data(show_spinner="Testing the difference", max_entries=32)
def _tested(key: tuple, _result: ComparisonResult, first: str, second: str) -> dict:
    parts = {
        name: table[table["pipeline"].isin([first, second])]
        for name, table in (("folds", _result.folds), ("predictions", _result.predictions))
    }
    row = replace(_result, **parts).paired_tests(n_resamples=9_999).iloc[0]
    if row["first"] != first:
        swapped = {"pooled difference": -row["pooled difference"]}
        return {**row, **swapped, "low": -row["high"], "high": -row["low"]}
    return dict(row)
