"""Every page and every control, without a browser."""

import io
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

pytest.importorskip("streamlit")

from streamlit.testing.v1 import AppTest

import serkit.app
from serkit.evaluation import load_results

SCRIPT = Path(serkit.app.__file__).with_name("_main.py")


@pytest.fixture
def start(monkeypatch):
    def start(folder=None, view=None):
        arguments = [] if folder is None else [str(folder)]
        monkeypatch.setattr(sys, "argv", ["_main.py", *arguments])
        page = AppTest.from_file(str(SCRIPT), default_timeout=120).run()
        return page if view is None else look_at(page, view)

    return start


def look_at(page, view):
    page.segmented_control(key="view").set_value(view).run()
    assert not page.exception
    return page


def texts(page):
    kinds = ("markdown", "caption", "info", "error", "warning", "success", "header")
    return "\n".join(str(element.value) for kind in kinds for element in getattr(page, kind))


def upload(page, name, data):
    page.file_uploader(key="upload").set_value((name, data, "audio/wav")).run()
    assert not page.exception
    return page


def wav(waveform, rate=16000):
    file = io.BytesIO()
    soundfile.write(file, waveform, rate, format="WAV")
    return file.getvalue()


def test_overview_shows_the_table_of_the_result(start, results):
    page = start(results)
    assert not page.exception
    (result,) = load_results(results).values()
    expected = result.formatted_table().reset_index()
    pd.testing.assert_frame_equal(page.dataframe[0].value, expected, check_dtype=False)
    numbers = {metric.label: metric.value for metric in page.metric}
    assert numbers == {"utterances": "24", "speakers tested": "4", "emotions": "2", "folds": "4"}
    page.radio(key="metric").set_value("WA").run()
    assert not page.exception
    assert page.download_button[0].label == "Download the report (HTML)"


def test_speakers_have_profiles_and_folds(start, results):
    page = start(results, "Speakers")
    profiles, folds = (table.value for table in page.dataframe)
    assert profiles["utterances"].tolist() == [6] * 4
    assert profiles[["anger", "sadness"]].eq(3).all(axis=None)
    assert set(profiles["gender"]) == {"female", "male"}
    assert folds["tests"].tolist() == sorted(profiles["speaker"])
    before = profiles["UAR"].tolist()
    page.selectbox(key="pipeline").set_value("weak").run()
    assert page.dataframe[0].value["UAR"].tolist() != before


def test_fold_shows_the_scores_of_its_own_utterances(start, results):
    page = start(results, "Fold")
    page.selectbox(key="fold").set_value(2).run()
    (result,) = load_results(results).values()
    rows = result.predictions.query("pipeline == 'SVM' and fold == 2")
    right = (rows["y_true"] == rows["y_pred"]).sum()
    assert page.metric[2].value == f"{right} of 6"
    table = page.dataframe[0].value.set_index("emotion")
    assert table["support"].tolist() == [3, 3]
    of_anger = rows[rows["y_true"] == "anger"]
    assert table.loc["anger", "recall"] == pytest.approx(
        100 * (of_anger["y_pred"] == "anger").mean()
    )


def test_choices_last_from_view_to_view(start, results):
    page = start(results, "Fold")
    page.selectbox(key="fold").set_value(3)
    page.selectbox(key="pipeline").set_value("ACRNN").run()
    look_at(page, "Overview")
    look_at(page, "Utterances")
    assert page.selectbox(key="fold").value == 3
    assert page.selectbox(key="pipeline").value == "ACRNN"


def test_utterances_by_list_grid_and_buttons(start, results):
    page = start(results, "Utterances")
    page.selectbox(key="pipeline").set_value("weak").run()
    (result,) = load_results(results).values()
    rows = result.predictions.query("pipeline == 'weak' and fold == 0").set_index("row")
    wrong = rows.index[rows["y_true"] != rows["y_pred"]]
    assert page.selectbox(key="utterance").value in wrong  # begins with what went wrong
    assert f"{len(rows) - len(wrong)} right, {len(wrong)} wrong" in texts(page)
    labels = page.pills(key="grid").options
    assert sum("✗" in label for label in labels) == len(wrong)
    assert sum("✓" in label for label in labels) == len(rows) - len(wrong)
    page.pills(key="grid").set_value(rows.index[1]).run()
    assert page.selectbox(key="utterance").value == rows.index[1]
    next(button for button in page.button if button.label == "Next").click().run()
    assert page.selectbox(key="utterance").value == rows.index[2]
    for button in [button for button in page.button if button.label == "Previous"]:
        button.click().run()
    assert page.pills(key="grid").value == rows.index[1]
    right = rows.index[rows["y_true"] == rows["y_pred"]][0]
    page.selectbox(key="utterance").set_value(right).run()
    assert "and recognised" in texts(page)
    assert not page.exception


def test_decision_values_are_never_called_posteriors(start, results):
    page = start(results, "Utterances")
    assert "Decision values are no probabilities" in texts(page)
    assert "Posteriors" not in texts(page)
    page.selectbox(key="pipeline").set_value("ACRNN").run()
    assert "Posteriors" in texts(page)
    assert "Decision values" not in texts(page)


def test_attention_of_a_network_is_drawn(start, results):
    page = start(results, "Utterances")
    assert "attends" not in texts(page)
    page.selectbox(key="pipeline").set_value("ACRNN").run()
    assert "The weight of every part of the utterance" in texts(page)


def test_without_models_the_page_says_how_to_keep_them(start, results, tmp_path):
    folder = shutil.copytree(results, tmp_path / "copy", ignore=shutil.ignore_patterns("models"))
    page = start(folder, "Utterances")
    assert "--keep-models" in texts(page)
    look_at(page, "Try it")
    assert "--keep-models" in texts(page)


def test_a_corpus_that_has_moved_is_asked_for(start, results, tmp_path):
    corpus = results.parent / "corpus"
    moved = tmp_path / "elsewhere"
    corpus.rename(moved)
    try:
        page = start(results, "Utterances")
        assert "The audio is not to be found" in texts(page)
        field = next(field for field in page.text_input if field.label == "Folder of the corpus")
        field.set_value(str(tmp_path / "nowhere"))
        look = next(button for button in page.button if button.label == "Look there")
        look.click().run()
        assert "is no folder on this computer" in texts(page)
        field = next(field for field in page.text_input if field.label == "Folder of the corpus")
        field.set_value(str(moved))
        next(button for button in page.button if button.label == "Look there").click().run()
        assert not page.exception
        assert "not to be found" not in texts(page)
        assert "Waveform and log-mel spectrogram" in texts(page)
    finally:
        moved.rename(corpus)


def test_two_pipelines_on_a_fold(start, results):
    page = start(results, "Compare two")
    (result,) = load_results(results).values()
    page.selectbox(key="other").set_value("weak").run()
    assert not page.exception
    right = {
        name: result.predictions.query("pipeline == @name and fold == 0")
        .eval("y_true == y_pred")
        .to_numpy()
        for name in ("SVM", "weak")
    }
    numbers = {metric.label: int(metric.value) for metric in page.metric}
    assert numbers["both right"] == (right["SVM"] & right["weak"]).sum()
    assert numbers["only SVM right"] == (right["SVM"] & ~right["weak"]).sum()
    assert sum(numbers.values()) == 6
    assert "sign-flip permutation test" in texts(page)


def test_the_order_of_two_pipelines_turns_the_difference_round(start, results):
    page = start(results, "Compare two")
    page.selectbox(key="pipeline").set_value("weak").run()
    page.selectbox(key="other").set_value("SVM").run()
    (result,) = load_results(results).values()
    table = result.table()["UAR"]
    assert f"**{table['weak'] - table['SVM']:+.1%}**" in texts(page)


def test_a_clip_is_heard_window_by_window(start, results, clip):
    page = start(results, "Try it")
    page.selectbox(key="pipeline").set_value("ACRNN").run()
    upload(page, "mine.wav", clip)
    table = page.dataframe[-1].value
    assert table["start"].tolist() == [0, 0.5, 1.0]
    assert table[["anger", "sadness"]].sum(axis=1).to_numpy() == pytest.approx([1, 1, 1], abs=2e-3)
    page.slider(key="window").set_value(1.0).run()
    page.slider(key="hop").set_value(1.0).run()
    assert page.dataframe[-1].value["start"].tolist() == [0, 1, 2]
    page.selectbox(key="pipeline").set_value("SVM").run()
    assert "decision values, which are no probabilities" in texts(page)
    assert not page.exception


def test_windows_without_sound_have_no_prediction(start, results):
    page = start(results, "Try it")
    rng = np.random.default_rng(0)
    upload(page, "half.wav", wav(np.append(0.1 * rng.normal(size=32000), np.zeros(32000))))
    assert "1 of 5 windows are silent" in texts(page)
    assert page.dataframe[-1].value["prediction"].isna().tolist() == [False] * 4 + [True]


HOSTILE = {
    "empty": (b"", "the file is empty"),
    "text": (b"this is no audio" * 100, "cannot be used"),
    "header only": (wav(np.zeros(0)), "no samples"),
    "cut off": (wav(np.ones(16000))[:9000], "breaks off"),
    "not finite": (None, "NaN or infinity"),
    "silence": (wav(np.zeros(16000)), "is silent"),
    "too long": (wav(np.zeros(100 * 661), rate=100), "11 minutes, and 10 are the most"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_cannot_be_used_is_said_by_its_name(start, results, kind):
    data, words = HOSTILE[kind]
    if data is None:
        file = io.BytesIO()
        soundfile.write(file, np.full(1600, np.nan), 16000, format="WAV", subtype="FLOAT")
        data = file.getvalue()
    page = upload(start(results, "Try it"), "strange.wav", data)
    said = "\n".join(str(element.value) for element in [*page.error, *page.warning])
    assert "strange.wav" in said
    assert words in said
    assert "serkit-app-" not in said  # the temporary file
    assert not page.metric


def test_ten_minutes_of_silence_are_silence(start, results):
    page = upload(start(results, "Try it"), "long.wav", wav(np.zeros(600 * 8000), rate=8000))
    assert "long.wav is silent" in texts(page)


def test_a_model_from_a_file(start, results, clip):
    page = start(results, "Try it")
    page.radio(key="source").set_value("From a file").run()
    model = next((results / "models").glob("*.serkit"))
    page.file_uploader(key="model file").set_value(("m.serkit", model.read_bytes(), "")).run()
    assert not page.exception
    assert not page.error
    upload(page, "mine.wav", clip)
    assert len(page.dataframe[-1].value)
    page.file_uploader(key="model file").set_value(("bad.serkit", b"cos\nsystem\n", "")).run()
    assert not page.exception
    assert "bad.serkit is no model" in page.error[0].value


def test_without_results_a_folder_can_be_opened(start, results, tmp_path):
    page = start()
    assert not page.exception
    assert "Run the demonstration" in [button.label for button in page.button]
    open_button = next(button for button in page.button if button.label == "Open")
    page.text_input[-1].set_value(str(tmp_path))
    open_button.click().run()
    assert "no fold is finished" in page.error[0].value
    page.text_input[-1].set_value(str(results))
    next(button for button in page.button if button.label == "Open").click().run()
    assert not page.exception
    assert page.segmented_control(key="view").value == "Overview"


def test_a_folder_that_is_gone_is_an_error_with_a_way_on(start, tmp_path):
    page = start(tmp_path / "gone")
    assert not page.exception
    assert "is no folder" in page.error[0].value
    assert page.text_input


def test_the_demonstration_runs_and_is_shown(start, results, tmp_path, monkeypatch):
    from serkit.app import _start

    copy = "import shutil, sys; shutil.copytree(sys.argv[1], sys.argv[2], dirs_exist_ok=True)"
    monkeypatch.setattr(_start, "DEMO", [sys.executable, "-c", copy, str(results)])
    page = start()
    page.text_input(key="demo folder").set_value(str(tmp_path / "made"))
    run = next(button for button in page.button if button.label == "Run the demonstration")
    run.click().run()
    assert not page.exception
    if _start._runs():
        _start._runs()[-1].process.wait()
    page.run()
    assert not page.exception
    assert page.metric[0].value == "24"


def test_a_demonstration_that_fails_says_why(start, tmp_path, monkeypatch):
    from serkit.app import _start

    code = "import sys; print('no disk'); sys.exit(3)"
    monkeypatch.setattr(_start, "DEMO", [sys.executable, "-c", code])
    page = start()
    page.text_input(key="demo folder").set_value(str(tmp_path / "made"))
    next(b for b in page.button if b.label == "Run the demonstration").click().run()
    if _start._runs():
        _start._runs()[-1].process.wait()
        page.run()
    assert "ended with code 3" in page.error[0].value
    assert "no disk" in page.code[0].value
