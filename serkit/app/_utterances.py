"""One utterance after the other: heard, seen, and what was taken for what."""

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from serkit.app import _charts, _pictures
from serkit.app._audio import audio_item, load_model, play, read_audio
from serkit.app._state import Choice, choose
from serkit.evaluation import ComparisonResult
from serkit.neural_network import NeuralEstimator
from serkit.utils import AudioSegment, BadAudioError, last_step

__all__ = ["score_columns", "show"]

#: More buttons than these are shown page by page.
_PAGE = 120


def show(results: dict[str, ComparisonResult], folder: str) -> None:
    """Show the grid of the fold, the wrong ones, and everything about one utterance."""
    choice = choose(results)
    rows = choice.rows()
    if rows.empty:
        st.info("This fold is not finished. Run the comparison again: it goes on where it was.")
        return
    right = rows["y_true"] == rows["y_pred"]
    numbers = rows.index.tolist()
    if st.session_state.get("utterance") not in numbers:
        wrong = rows.index[~right]
        st.session_state["utterance"] = int(wrong[0] if len(wrong) else numbers[0])
    st.header(f"{right.sum()} right, {(~right).sum()} wrong")
    _grid(numbers, right)
    one, wrong = st.columns([3, 2], gap="large")
    with one:
        _one(choice, rows, folder)
    with wrong:
        _wrong(rows[~right])


def _grid(numbers: list[int], right: pd.Series) -> None:
    """Show a button per utterance, green with ✓ or red with ✗."""
    shown = numbers
    if len(numbers) > _PAGE:
        pages = [numbers[first : first + _PAGE] for first in range(0, len(numbers), _PAGE)]
        current = numbers.index(st.session_state["utterance"]) // _PAGE
        page = st.selectbox(
            "Part of the fold",
            range(len(pages)),
            index=current,
            format_func=lambda page: f"{pages[page][0]} to {pages[page][-1]}",
        )
        shown = pages[page]
    chosen = st.session_state["utterance"]
    st.session_state["grid"] = chosen if chosen in shown else None
    st.pills(
        "Utterances, by their number in the corpus",
        shown,
        format_func=lambda n: (
            f":green-background[✓ {n}]" if right[n] else f":red-background[**✗ {n}**]"
        ),
        key="grid",
        wrap=True,
        on_change=_take_from_grid,
    )


def _take_from_grid() -> None:
    # A second click on the same button takes the choice back, which means nothing here.
    if st.session_state["grid"] is not None:
        st.session_state["utterance"] = st.session_state["grid"]


def _wrong(wrong: pd.DataFrame) -> None:
    st.header("The wrong ones")
    if wrong.empty:
        st.caption("None.")
        return
    table = wrong[["row", "speaker", "y_true", "y_pred"]]
    st.dataframe(
        table.set_axis(["number", "speaker", "true", "predicted"], axis=1),
        hide_index=True,
        key="wrong",
        on_select=lambda: _take_from_table(table["row"].tolist()),
        selection_mode="single-row",
        height=min(400, 37 + 35 * len(table)),
    )


def _take_from_table(numbers: list[int]) -> None:
    rows = st.session_state["wrong"]["selection"]["rows"]
    if rows and rows[0] < len(numbers):
        st.session_state["utterance"] = numbers[rows[0]]


def _one(choice: Choice, rows: pd.DataFrame, folder: str) -> None:
    numbers = rows.index.tolist()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Utterance", numbers, key="utterance", format_func=lambda n: _name(rows.loc[n])
        )
        st.button("Previous", on_click=_step, args=(numbers, -1))
        st.button("Next", on_click=_step, args=(numbers, 1))
    row = rows.loc[st.session_state["utterance"]]
    if row["y_true"] == row["y_pred"]:
        st.success(f"✓ **{row['y_true']}**, and recognised", icon=None)
    else:
        st.error(f"✗ **{row['y_true']}** is true, **{row['y_pred']}** was predicted", icon=None)
    _speaker(choice, row)
    item = audio_item(choice, row["row"], folder)
    waveform = None
    if item is None:
        _ask_for_corpus(choice)
    else:
        try:
            waveform, rate = read_audio(item)
            play(waveform, rate)
        except (BadAudioError, OSError) as error:
            st.error(f"{Path(item.file).name} cannot be played: {error}")
    _scores(row)
    if item is not None and waveform is not None:
        st.header("Waveform and log-mel spectrogram")
        with st.spinner("Drawing"):
            st.pyplot(_pictures.waveform_and_mel(waveform, rate), width="stretch")
        _attention(choice, item)


def _name(row: pd.Series) -> str:
    mark = "✓" if row["y_true"] == row["y_pred"] else "✗"
    file = Path(row["file"]).name if isinstance(row["file"], str) else f"of {row['speaker']}"
    return f"{mark} {row['row']}: {file}"


def _step(numbers: list[int], step: int) -> None:
    place = numbers.index(st.session_state["utterance"]) + step
    st.session_state["utterance"] = numbers[place % len(numbers)]


def _speaker(choice: Choice, row: pd.Series) -> None:
    gender = choice.result.utterances.loc[row["row"], "gender"]
    known = f", {gender}" if isinstance(gender, str) else ""
    st.caption(f"Speaker {row['speaker']}{known}")


def _ask_for_corpus(choice: Choice) -> None:
    """Say that there is no audio, and ask for it where a corpus has files."""
    if not choice.result.utterances["file"].map(lambda file: isinstance(file, str)).any():
        st.info("No audio: the corpus was in memory when the results were made, not in files.")
        return
    root = choice.result.root
    where = f" It was in {root}." if root else ""
    st.info(f"The audio is not to be found.{where} Say where the corpus is now.")
    with st.form("root", border=False):
        folder = st.text_input("Folder of the corpus")
        if st.form_submit_button("Look there") and folder:
            if Path(folder).expanduser().is_dir():
                st.session_state[f"root of {choice.place}"] = folder
                st.rerun()
            st.error(f"{folder} is no folder on this computer.")


def _scores(row: pd.Series) -> None:
    scores = score_columns(row)
    if scores.empty:
        st.caption("This pipeline gives no scores of the emotions, only its prediction.")
        return
    posterior = row["score_method"] == "predict_proba"
    st.header("Posteriors" if posterior else "Decision values")
    st.altair_chart(
        _charts.class_scores(
            scores, true=row["y_true"], predicted=row["y_pred"], posterior=posterior
        ),
        alt=", ".join(f"{label} {value:.2f}" for label, value in scores.items()),
    )
    if not posterior:
        st.caption(
            "Decision values are no probabilities; the largest is nearly always the prediction."
        )


def score_columns(row: pd.Series) -> pd.Series:
    """Return the score of every emotion that the pipeline knows."""
    scores = {
        column[len("score[") : -1]: row[column]
        for column in row.index
        if column.startswith("score[") and pd.notna(row[column])
    }
    return pd.Series(scores, dtype=float)


def _attention(choice: Choice, item: AudioSegment) -> None:
    """Show attention, where a network is."""
    key = (choice.pipeline, choice.seed, choice.fold)
    path = choice.result.models.get(key)
    if path is None:
        st.header("What a network attends to")
        st.caption(
            "For this the fitted models have to be kept: serkit compare --keep-models, or "
            "compare(..., keep_models=True)."
        )
        return
    try:
        model: Any = load_model(path)
        if not isinstance(last_step(model), NeuralEstimator):
            return
        st.header("What the network attends to")
        with st.spinner("Asking the network"):
            figure, words = _pictures.attention(model, item)
    except (ValueError, TypeError, ImportError, OSError) as error:
        st.caption(f"Nothing to show: {error}")
        return
    st.pyplot(figure, width="stretch")
    st.caption(words)
