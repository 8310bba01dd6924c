"""Try a model on a recording of one's own."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from serkit import persistence
from serkit.app import _charts, _pictures
from serkit.app._audio import MAX_SECONDS, SILENCE, load_model, play, read_audio, temporary_file
from serkit.app._state import choose
from serkit.evaluation import ComparisonResult
from serkit.inference import iter_predictions
from serkit.utils import AudioSegment, BadAudioError

__all__ = ["show"]

_FORMATS = ["wav", "flac", "ogg", "mp3", "aiff", "aif", "au"]


def show(results: dict[str, ComparisonResult], folder: str) -> None:
    """Let a model and a clip be chosen, and show what the one says of the other."""
    model = _choose_model(results)
    st.header("A clip")
    upload, record = st.columns(2, gap="large")
    with upload:
        uploaded = st.file_uploader(
            f"Upload ({', '.join(_FORMATS[:4])}; {MAX_SECONDS // 60} minutes at most)",
            type=_FORMATS,
            key="upload",
        )
    with record:
        recorded = st.audio_input("Or record")
    clip = uploaded or recorded
    if clip is None:
        st.caption("Nothing leaves this computer, and nothing is kept.")
        return
    name = clip.name if uploaded else "The recording"
    with temporary_file(clip.getvalue(), clip.name) as path:
        _show_clip(path, name, model)


def _choose_model(results: dict[str, ComparisonResult]) -> Any:
    """Return a fitted model, or None with words that say how to get one."""
    st.header("A model")
    source = st.radio(
        "Where from", ["Kept in these results", "From a file"], horizontal=True, key="source"
    )
    try:
        if source == "From a file":
            return _uploaded_model()
        choice = choose(results)
        path = choice.result.models.get((choice.pipeline, choice.seed, choice.fold))
        if path is None:
            st.info(
                "No fitted model of this fold is kept. Run the comparison again with "
                "--keep-models (in Python keep_models=True), or take one from a file."
            )
            return None
        st.caption(f"It has not heard the test speakers, {_tested(choice)}.")
        return load_model(path)
    except (ValueError, TypeError, ImportError, OSError) as error:
        st.error(f"The model cannot be loaded: {error}")
        return None


def _tested(choice: Any) -> str:
    about = choice.about()
    return "" if about is None else str(about["test_speakers"]).replace(" ", ", ")


def _uploaded_model() -> Any:
    file = st.file_uploader(
        "A file that serkit.save or serkit train has written; it can hold no code",
        key="model file",
    )
    if file is None:
        return None
    data = file.getvalue()
    try:
        return _read_model(hashlib.sha256(data).hexdigest(), data, file.name)
    except persistence.ModelFileError as error:
        reason = str(error.__cause__ or error)
        st.error(f"{file.name} is no model that serkit has saved: {reason}")
        return None


@st.cache_resource(show_spinner="Loading the model", max_entries=4)
def _read_model(digest: str, _data: bytes, _name: str) -> Any:
    with temporary_file(_data, _name) as path:
        return persistence.load(path)


def _show_clip(path: Path, name: str, model: Any) -> None:
    try:
        waveform, rate = read_audio(AudioSegment(path))
    except (BadAudioError, OSError) as error:
        reason = str(error).replace(str(path), name)
        st.error(
            f"{name} cannot be used: {reason}. Give a recording as "
            f"{', '.join(_FORMATS[:3])} or {_FORMATS[3]}.",
            icon=":material/error:",
        )
        return
    seconds = len(waveform) / rate
    play(waveform, rate)
    st.caption(f"{name}: {seconds:.1f} s at {rate} Hz")
    if np.abs(waveform).max() < SILENCE:
        st.warning(
            f"{name} is silent, so there is nothing to recognise. If you recorded it, check "
            "which microphone the browser uses.",
            icon=":material/volume_off:",
        )
        return
    if model is None:
        st.info("Choose a model above to see what it says.")
        return
    _predict(path, name, model, waveform, rate)
    with st.expander("Waveform and log-mel spectrogram"):
        st.pyplot(_pictures.waveform_and_mel(waveform, rate), width="stretch")


def _predict(path: Path, name: str, model: Any, waveform: np.ndarray, rate: int) -> None:
    seconds = len(waveform) / rate
    left, right = st.columns(2, gap="large")
    with left:
        window = st.slider("Window, s", 0.5, 10.0, 2.0, 0.5, key="window")
    with right:
        hop = st.slider("Step from window to window, s", 0.25, 5.0, 0.5, 0.25, key="hop")
    target = _sampling_rate(model)
    try:
        with st.spinner("Listening"):
            table = pd.concat(
                iter_predictions(
                    model,
                    [path],
                    window_length=round(window * target),
                    hop_length=round(hop * target),
                    batch_size=64,
                )
            )
    except (ValueError, TypeError, ImportError) as error:
        reason = str(error).replace(str(path), name)
        st.error(f"The model cannot take {name}: {reason}", icon=":material/error:")
        return
    method = table.attrs.get("score_method")
    table = table.drop(columns="file")
    silent = [
        np.abs(waveform[round(start * rate) : max(round(end * rate), 1)]).max(initial=0) < SILENCE
        for start, end in zip(table["start"], table["end"], strict=True)
    ]
    if any(silent):
        st.caption(f"{sum(silent)} of {len(silent)} windows are silent and are left out.")
        columns = table.columns[2:]
        table[columns] = table[columns].astype(object)
        table.loc[np.array(silent), columns] = None
    _show_scores(table, method, seconds, window)


def _show_scores(table: pd.DataFrame, method: str | None, seconds: float, window: float) -> None:
    classes = [str(name) for name in table.columns if name not in ("start", "end", "prediction")]
    table.columns = table.columns.map(str)
    spoken = table.dropna(subset=["prediction"])
    if method is None or not classes:
        st.subheader("Predictions")
    else:
        posterior = method == "predict_proba"
        scores = spoken[classes].astype(float)
        average = scores.mean()
        st.header("Posteriors" if posterior else "Decision values")
        if not posterior:
            st.caption(
                "This model gives decision values, which are no probabilities. The largest is "
                "nearly always that of the prediction, which stands in the table."
            )
        over = f"mean of {len(spoken)} windows" if len(spoken) > 1 else "the whole clip"
        st.markdown(f"Highest on average: **{average.idxmax()}** ({over}).")
        if len(table) > 1:
            shown = table.assign(**{name: table[name].astype(float) for name in classes})
            st.altair_chart(
                _charts.scores_over_time(shown, classes, posterior=posterior),
                alt="A line per emotion over time; the numbers stand in the table below",
            )
        else:
            st.altair_chart(
                _charts.class_scores(
                    average, true=None, predicted=average.idxmax(), posterior=posterior
                ),
                alt=", ".join(f"{label} {value:.2f}" for label, value in average.items()),
            )
            if seconds < window:
                st.caption("The clip is shorter than a window: it is heard as a whole.")
    with st.expander("Table"):
        st.dataframe(table.round(3), hide_index=True)
    st.download_button(
        "Download (CSV)",
        table.to_csv(index=False),
        "predictions.csv",
        "text/csv",
        icon=":material/download:",
    )
    st.caption("A guess by a model that knows the emotions of its corpus and no others.")


def _sampling_rate(model: Any) -> int:
    """Return the rate in which the windows of a model are counted."""
    parameters = model.get_params(deep=True)
    rates = (v for name, v in parameters.items() if name.rpartition("__")[2] == "sampling_rate")
    return next((rate for rate in rates if isinstance(rate, int)), 16000)
