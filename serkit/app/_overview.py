"""All pipelines beside each other."""

from pathlib import Path

import pandas as pd
import streamlit as st

from serkit.app import _charts
from serkit.app._state import select
from serkit.evaluation import ComparisonResult

__all__ = ["show"]


def show(results: dict[str, ComparisonResult], folder: str) -> None:
    """Show scores with intervals, cautions, paired tests and the report."""
    place = select("Corpus and protocol", list(results), "place")
    result = results[place]
    facts = {
        "utterances": result.predictions["row"].nunique(),
        "speakers tested": len(result.speakers),
        "emotions": len(result.labels),
        "folds": result.folds["fold"].nunique(),
    }
    with st.container(horizontal=True):
        for name, value in facts.items():
            st.metric(name, value, width=130)
    for caution in result.cautions():
        st.warning(caution, icon=":material/warning:")
    metric = st.radio(
        "Score",
        ["UAR", "WA"],
        horizontal=True,
        key="metric",
        captions=["mean recall of the emotions", "share of right answers"],
    )
    table = result.table()
    st.altair_chart(
        _charts.pipelines_with_intervals(table, metric),
        alt=f"{metric} of every pipeline; the numbers stand in the table below",
    )
    st.dataframe(result.formatted_table().reset_index(), hide_index=True)
    if len(result.pipelines) > 1:
        with st.expander("Are the differences more than chance? Paired tests over speakers"):
            st.dataframe(_tests(place, result, folder), hide_index=True)
    for note in result.notes()[len(result.cautions()) :]:
        st.caption(note)
    report = Path(folder) / "report.html"
    if report.is_file():
        st.download_button(
            "Download the report (HTML)",
            report.read_bytes(),
            "report.html",
            "text/html",
            icon=":material/download:",
        )


def _tests(place: str, result: ComparisonResult, folder: str) -> pd.DataFrame:
    key = (folder, place, len(result.predictions), tuple(result.folds["UAR"]))
    tests = _tested(key, result)
    shown = pd.DataFrame({"first": tests["first"], "second": tests["second"]})
    shown["difference"] = tests["pooled difference"].map("{:+.1%}".format)
    shown["95 % interval"] = [
        f"{low:+.1%} to {high:+.1%}" for low, high in zip(tests["low"], tests["high"], strict=True)
    ]
    for column in tests.columns[tests.columns.str.startswith("p ")]:
        shown[column] = tests[column].map(lambda p: "" if pd.isna(p) else f"{p:.3f}")
    return shown


@st.cache_data(show_spinner="Testing the differences", max_entries=16)
def _tested(key: tuple, _result: ComparisonResult) -> pd.DataFrame:
    return _result.paired_tests(n_resamples=9_999)
