"""Who speaks, how much, and in which fold they are tested."""

import pandas as pd
import streamlit as st

from serkit.app._state import choose
from serkit.evaluation import ComparisonResult

__all__ = ["show"]


def show(results: dict[str, ComparisonResult], folder: str) -> None:
    """Show a profile of every speaker, and the folds."""
    choice = choose(results, fold=False)
    st.header("Speakers")
    st.dataframe(
        profiles(choice.result, choice.pipeline),
        hide_index=True,
        column_config={
            name: st.column_config.ProgressColumn(name, min_value=0, max_value=100, format="%.1f%%")
            for name in ("UAR", "WA")
        },
    )
    st.caption(f"UAR and WA are those of {choice.pipeline} where the speaker was tested.")
    st.header("Cross-validation")
    folds = choice.result.folds
    folds = folds[(folds["pipeline"] == choice.pipeline) & (folds["seed"] == choice.seed)]
    st.dataframe(
        pd.DataFrame(
            {
                "fold": folds["fold"],
                "tests": folds["test_speakers"],
                "trains on": folds["train_speakers"],
                "test utterances": folds["n_test"],
                "training utterances": folds["n_train"],
                "UAR": folds["UAR"].map("{:.1%}".format),
                "WA": folds["WA"].map("{:.1%}".format),
            }
        ),
        hide_index=True,
    )


def profiles(result: ComparisonResult, pipeline: str) -> pd.DataFrame:
    """Return one row per speaker, with scores in percent."""
    utterances = result.utterances
    of_speaker = utterances.groupby("speaker", sort=True)
    table = pd.DataFrame({"gender": of_speaker["gender"].first().fillna("not known")})
    scores = result.per_speaker().reset_index()
    scores = scores[scores["pipeline"] == pipeline].set_index("speaker")
    table["UAR"], table["WA"] = 100 * scores["UAR"], 100 * scores["WA"]
    folds = result.predictions[result.predictions["pipeline"] == pipeline]
    tested = folds.groupby("speaker")["fold"].unique()
    table["tested in fold"] = tested.map(lambda found: ", ".join(map(str, sorted(found))))
    table["utterances"] = of_speaker.size()
    durations = pd.to_numeric(utterances["duration"], errors="coerce")
    if durations.notna().all():
        table["minutes"] = (durations.groupby(utterances["speaker"]).sum() / 60).round(1)
    counts = pd.crosstab(utterances["speaker"], utterances["emotion"])
    counts = counts.rename(columns=lambda name: f"{name} (emotion)" if name in table else name)
    return table.join(counts).rename_axis("speaker").reset_index()
