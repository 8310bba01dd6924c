"""The script that streamlit runs."""

from pathlib import Path

import streamlit as st

from serkit.app import _fold, _overview, _speakers, _start, _try, _utterances, _versus
from serkit.app._state import given_folder, keep_choices, read_results

_VIEWS = {
    "Overview": _overview.show,
    "Speakers": _speakers.show,
    "Fold": _fold.show,
    "Utterances": _utterances.show,
    "Compare two": _versus.show,
    "Try it": _try.show,
}

_STYLE = """<style>
.block-container { padding-top: 3.5rem; padding-bottom: 4rem; max-width: 76rem; }
@media (max-width: 640px) { .block-container { padding-left: 1rem; padding-right: 1rem; } }
h1 { font-size: 1.7rem !important; padding-bottom: 0 !important; }
h2 { font-size: 1.2rem !important; }
button:focus-visible, summary:focus-visible, a:focus-visible {
  outline: 3px solid #0b5cab !important; outline-offset: 2px;
}
</style>"""


def main() -> None:
    """Show the view that is chosen, of the folder that is chosen."""
    st.set_page_config(page_title="serkit", page_icon=":material/graphic_eq:", layout="wide")
    st.html(_STYLE)
    keep_choices()
    if "next folder" in st.session_state:
        st.session_state["folder"] = st.session_state.pop("next folder")
    st.session_state.setdefault("folder", given_folder())
    st.title("Speech emotion recognition")
    folder = st.session_state["folder"]
    if not folder:
        _start.show()
        return
    try:
        results = read_results(folder)
    except (OSError, ValueError) as error:
        st.error(str(error), icon=":material/error:")
        _start.show()
        return
    st.caption(f"Results in {Path(folder).name}")
    st.session_state.setdefault("view", "Overview")
    view = st.segmented_control(
        "View", list(_VIEWS), key="view", required=True, wrap=True, label_visibility="collapsed"
    )
    _VIEWS[view or "Overview"](results, folder)
    with st.expander("Open another folder of results"):
        _start.ask_for_folder()


if __name__ == "__main__":
    main()
