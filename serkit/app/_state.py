"""What the reader has chosen, and what is read for it."""

import os
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from serkit.evaluation import ComparisonResult, load_results

__all__ = ["Choice", "choose", "given_folder", "keep_choices", "read_results", "select"]

#: Streamlit forgets the widgets of views that are not shown; these are to last.
_LASTING = ("folder", "view", "place", "pipeline", "seed", "fold", "utterance", "other")


class Choice:
    """A result of the folder, and of that a pipeline, a seed and a fold."""

    def __init__(self, place: str, result: ComparisonResult, pipeline: str, seed: int, fold: int):
        self.place = place
        self.result = result
        self.pipeline = pipeline
        self.seed = seed
        self.fold = fold

    def rows(self, pipeline: str | None = None) -> pd.DataFrame:
        """Return the predictions of the fold, by the number of the utterance in the corpus."""
        table = self.result.predictions
        chosen = (
            (table["pipeline"] == (pipeline or self.pipeline))
            & (table["seed"] == self.seed)
            & (table["fold"] == self.fold)
        )
        return table[chosen].set_index("row", drop=False)

    def about(self) -> pd.Series | None:
        """Return scores, speakers and times of the fold; None if it is not finished."""
        table = self.result.folds
        chosen = (
            (table["pipeline"] == self.pipeline)
            & (table["seed"] == self.seed)
            & (table["fold"] == self.fold)
        )
        return table[chosen].iloc[0] if chosen.any() else None


def given_folder() -> str:
    """Return the folder that the application was started with, or nothing."""
    return sys.argv[1] if len(sys.argv) > 1 else ""


def keep_choices() -> None:
    """Hold on to what was chosen in other views."""
    for key in _LASTING:
        if key in st.session_state:
            st.session_state[key] = st.session_state[key]


def read_results(folder: str) -> dict[str, ComparisonResult]:
    """Return the results of a folder, read anew if anything in it was finished since."""
    return _read(folder, _stamp(Path(folder)))


@st.cache_resource(show_spinner="Reading the results", max_entries=4)
def _read(folder: str, stamp: tuple) -> dict[str, ComparisonResult]:
    return load_results(folder)


def _stamp(folder: Path) -> tuple:
    parts = (folder / name for name in ("comparisons", "folds", "models"))
    return tuple(os.stat(part).st_mtime_ns if part.exists() else 0 for part in parts)


def select(label: str, options: list[Any], key: str, **kwargs: Any) -> Any:
    """Show a list to choose from; what was chosen before stays, if it is still there."""
    if st.session_state.get(key) not in options:
        st.session_state[key] = options[0]
    return st.selectbox(label, options, key=key, **kwargs)


def choose(results: dict[str, ComparisonResult], *, fold: bool = True) -> Choice:
    """Let corpus, pipeline, seed and fold be chosen."""
    columns = st.columns([3, 3, 2] if fold else [1, 1], vertical_alignment="bottom")
    with columns[0]:
        place = select("Corpus and protocol", list(results), "place")
    result = results[place]
    with columns[1]:
        pipeline = select("Pipeline", result.pipelines, "pipeline")
    of_pipeline = result.folds[result.folds["pipeline"] == pipeline]
    seeds = of_pipeline["seed"].unique().tolist()
    folds = sorted(of_pipeline["fold"].unique().tolist())
    if not fold:
        return Choice(place, result, pipeline, seeds[0], folds[0])
    tested = dict(zip(of_pipeline["fold"], of_pipeline["test_speakers"], strict=True))
    with columns[2]:
        number = select(
            "Fold", folds, "fold", format_func=lambda fold: _fold_name(fold, tested.get(fold, ""))
        )
        seed = select("Seed", seeds, "seed") if len(seeds) > 1 else seeds[0]
    return Choice(place, result, pipeline, seed, number)


def _fold_name(fold: int, speakers: str) -> str:
    names = speakers.split()
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return f"{fold}: tests {shown}" if shown else str(fold)
