"""What is shown without results: make some, or open a folder."""

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from serkit.app._state import given_folder
from serkit.evaluation import load_results

__all__ = ["ask_for_folder", "show"]

#: What makes the results of the demonstration; the folder is put behind it.
DEMO = [sys.executable, "-m", "serkit", "demo", "--quiet", "--results"]


class _Run(NamedTuple):
    folder: Path
    process: subprocess.Popen
    log: Path


def show() -> None:
    """Offer to run the demonstration, and to open a folder."""
    if _runs():
        _progress()
        return
    st.markdown(
        "Look at how well systems recognise emotions in the voices of people whom they have "
        "never heard, listen to what they got wrong, and try them on your own voice."
    )
    left, right = st.columns(2, gap="large")
    with left:
        st.header("Make results")
        st.markdown(
            "The demonstration makes up a small corpus and compares five systems on it. It takes "
            "two to six minutes, and nothing has to be downloaded."
        )
        folder = st.text_input("Folder for it", "serkit-demo", key="demo folder")
        if st.button("Run the demonstration", type="primary") and folder.strip():
            _start(Path(folder).expanduser().absolute())
            st.rerun()
    with right:
        st.header("Open results")
        st.markdown("A folder that serkit demo, or serkit compare with --results, has written.")
        ask_for_folder()


def ask_for_folder() -> None:
    """Ask for a folder of results."""
    with st.form("open", border=False):
        folder = st.text_input("Folder of results", placeholder=given_folder() or "results/emodb")
        if st.form_submit_button("Open") and folder.strip():
            path = Path(folder.strip()).expanduser().absolute()
            try:
                load_results(path)
            except (OSError, ValueError) as error:
                st.error(str(error))
                return
            _open(path)


def _open(folder: Path) -> None:
    st.session_state["next folder"] = str(folder)
    st.rerun()


@st.cache_resource
def _runs() -> list[_Run]:
    """Return the demonstration that runs, which outlives the page that started it."""
    return []


def _start(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        log = folder / "demo.log"
        with log.open("wb") as file:
            process = subprocess.Popen([*DEMO, str(folder)], stdout=file, stderr=subprocess.STDOUT)
    except OSError as error:
        st.error(f"{folder} cannot be used: {error}")
        st.stop()
    _runs().append(_Run(folder, process, log))


@st.fragment(run_every=2)
def _progress() -> None:
    if not _runs():
        st.rerun()
    run = _runs()[-1]
    code = run.process.poll()
    done, total = _count(run.folder)
    share = done / total if total else 0.0
    st.progress(min(share, 1.0), f"{done} of {total or 'some'} folds are finished in {run.folder}")
    if code is None:
        st.caption("You may leave this page; the demonstration goes on.")
        if st.button("Stop"):
            run.process.terminate()
            run.process.wait()
            _runs().clear()
            st.rerun()
        return
    _runs().clear()
    if code == 0:
        _open(run.folder)
    st.error(f"The demonstration ended with code {code}. Finished folds are kept: run it again.")
    st.code(run.log.read_text(errors="replace")[-2000:])
    st.button("Back")


def _count(folder: Path) -> tuple[int, int]:
    """Return how many folds are finished, and how many there are going to be."""
    try:
        results = load_results(folder).values()
    except (OSError, ValueError):
        return 0, 0
    done = sum(len(result.folds) for result in results)
    return done, done + sum(len(result.failures) for result in results)
