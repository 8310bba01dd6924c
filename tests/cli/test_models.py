"""From training to predictions and scores."""

import io
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.preprocessing import StandardScaler

import serkit
from serkit.cli import main
from serkit.cli._model import load_model
from serkit.datasets import load_manifest

COLUMNS = ["file", "start", "end", "prediction", "anger", "calm"]


@pytest.fixture(scope="module")
def model(manifest, tmp_path_factory):
    """A model that knows the speakers a and b."""
    path = tmp_path_factory.mktemp("models") / "tones.serkit"
    arguments = ["train", str(manifest), "--leave-out", "c", "--output", str(path), "--quiet"]
    assert main([*arguments, "--licence", "none", "--intended-use", "tests"]) == 0
    return path


def predict(model, *arguments):
    return main(["predict", *map(str, (model, *arguments)), "--quiet"])


def evaluate(model, manifest, *arguments):
    return main(["evaluate", str(model), str(manifest), "--quiet", *arguments])


def table(text):
    return pd.read_csv(io.StringIO(text))


def test_a_model_is_a_file_with_a_card(model, manifest):
    loaded = serkit.load(model)
    corpus = load_manifest(manifest)
    assert (loaded.predict(corpus.audio) == corpus.y).all()
    assert "tests" in model.with_name("tones.serkit.md").read_text()


def test_a_network_trains_on_the_device_and_with_the_seed(manifest, tmp_path, capsys):
    probabilities = []
    for number, seed in enumerate((1, 1, 2)):
        path = tmp_path / f"{number}.serkit"
        arguments = ["train", str(manifest), "--pipeline", "mfcc-crnn", "--device", "cpu"]
        assert main([*arguments, "--seed", str(seed), "-o", str(path), "--json"]) == 0
        shown = capsys.readouterr()
        assert "CRNNClassifier:" in shown.err
        found = json.loads(shown.out)
        probabilities.append(serkit.load(path).predict_proba(load_manifest(manifest).audio[:2]))
    assert found["speakers"] == ["a", "b", "c"]
    assert found["emotions"] == ["anger", "calm"]
    # There is a device without memory everywhere, to see that a loaded network moves.
    network = load_model(path, "meta")[-1]
    assert {weights.device.type for weights in network.net_.module_.parameters()} == {"meta"}
    assert network.device == network.net_.device == "meta"
    np.testing.assert_array_equal(probabilities[0], probabilities[1])
    assert np.abs(probabilities[0] - probabilities[2]).max() > 0


def test_part_of_a_corpus(manifest, tmp_path, capsys):
    output = ["--output", str(tmp_path / "x.serkit"), "--quiet"]
    assert main(["train", str(manifest), "--leave-out", "a,b,c", *output]) == 1
    assert "no utterances are left" in capsys.readouterr().err
    assert main(["train", str(manifest), "--speakers", "d", *output]) == 1
    assert "'d'" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["train", str(manifest), "--output", str(tmp_path)])
    assert "is a folder" in capsys.readouterr().err
    lacking = tmp_path / "table.csv"
    lacking.write_text(manifest.read_text().replace("a_calm_0.wav,a,calm", "a_calm_0.wav,a,"))
    assert main(["train", str(lacking), "--data", str(manifest.parent), *output]) == 1
    assert "1 utterances have no emotion, the first is a_calm_0.wav" in capsys.readouterr().err
    assert not (tmp_path / "x.serkit").exists()


def test_folders_become_rows(model, recordings, capsys):
    assert predict(model, recordings / "inside") == 0
    shown = capsys.readouterr()
    found = table(shown.out)
    assert list(found) == COLUMNS
    assert found["prediction"].tolist() == ["anger", "calm"]
    assert found["end"].tolist() == [0.375, 0.375]
    assert "decision values, no probabilities" in shown.err


def test_formats_and_places(model, recordings, tmp_path, capsys):
    inside = recordings / "inside"
    assert predict(model, inside) == 0
    expected = table(capsys.readouterr().out)
    for arguments in (["--json"], ["--format", "json"]):
        assert predict(model, inside, *arguments) == 0
        rows = pd.DataFrame(json.loads(capsys.readouterr().out))
        pd.testing.assert_frame_equal(rows, expected)
    output = tmp_path / "made" / "x.json"
    assert predict(model, inside, "-o", output) == 0
    pd.testing.assert_frame_equal(pd.DataFrame(json.loads(output.read_text())), expected)
    assert predict(model, inside, "-o", tmp_path / "x.csv", "--batch-size", "1") == 0
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "x.csv"), expected)
    assert capsys.readouterr().out == ""


def test_names_come_one_by_one_from_standard_input(model, recordings, capsys, monkeypatch):
    files = sorted(map(str, (recordings / "inside").iterdir()))
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(files)))
    assert predict(model, "-") == 0
    assert table(capsys.readouterr().out)["file"].tolist() == files
    for arguments, nothing in (([], ""), (["--json"], "[]\n")):
        monkeypatch.setattr("sys.stdin", io.StringIO(""))
        assert predict(model, "-", *arguments) == 0
        assert capsys.readouterr().out == nothing


def test_rows_come_before_all_names_are_known(model, manifest):
    """A program that writes names as it finds them sees predictions at once."""
    process = subprocess.Popen(
        [sys.executable, "-m", "serkit", "predict", str(model), "-", "--batch-size", "1"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        process.stdin.write(f"{manifest.parent / 'a_calm_0.wav'}\n" * 3)
        process.stdin.flush()
        assert process.stdout.readline().startswith("file,start,end,prediction")
        assert ",calm," in process.stdout.readline()
        rest, _ = process.communicate()
        assert rest.count(",calm,") == 2
    assert process.returncode == 0


def test_ctrl_c_leaves_nothing_half_done(model, manifest, tmp_path):
    arguments = ["predict", str(model), "-", "--batch-size", "1", "--output", str(tmp_path / "x")]
    process = subprocess.Popen(
        [sys.executable, "-m", "serkit", *arguments],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # What runs in the background ignores the signal, and so do its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        process.stdin.write(f"{manifest.parent / 'a_calm_0.wav'}\n" * 2)
        process.stdin.flush()
        deadline = time.monotonic() + 120
        while not any(path.stat().st_size for path in tmp_path.iterdir()):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        # Its standard input stays open: only the signal ends it.
        process.wait(timeout=60)
        assert "serkit: stopped" in process.stderr.read()
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130
    assert not list(tmp_path.iterdir())


def test_windows_are_in_seconds(model, tmp_path, capsys):
    seconds = np.arange(16000) / 16000
    tones = [0.3 * np.sin(2 * np.pi * pitch * seconds) for pitch in (200, 900)]
    soundfile.write(tmp_path / "both.wav", np.concatenate(tones), 16000)
    assert predict(model, tmp_path / "both.wav", "--window", "0.5", "--hop", "0.5") == 0
    found = table(capsys.readouterr().out)
    assert found["start"].tolist() == [0, 0.5, 1, 1.5]
    assert found["prediction"].tolist() == ["calm", "calm", "anger", "anger"]
    assert predict(model, tmp_path / "both.wav", "--window", "0.5") == 0
    assert len(table(capsys.readouterr().out)) == 7


def test_files_that_cannot_be_used(model, recordings, tmp_path, capsys):
    output = tmp_path / "x.csv"
    assert predict(model, recordings, "--output", output) == 1
    shown = capsys.readouterr().err
    assert f"{recordings / 'broken.wav'}: Format not recognised" in shown
    assert "go on without: --skip-errors" in shown
    assert not output.exists()
    assert predict(model, recordings, "--output", output, "--skip-errors") == 3
    assert f"cannot be used: {recordings / 'broken.wav'}" in capsys.readouterr().err
    found = pd.read_csv(output)
    assert list(found) == [*COLUMNS, "error"]
    assert found["error"].notna().tolist() == [True, False, False]
    assert found["prediction"].isna().tolist() == [True, False, False]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_names_that_are_not_utf8(model, manifest, tmp_path, capsys):
    (tmp_path / "ä Ω.wav").write_bytes((manifest.parent / "a_calm_0.wav").read_bytes())
    assert predict(model, tmp_path) == 0
    assert table(capsys.readouterr().out)["file"].tolist() == [str(tmp_path / "ä Ω.wav")]
    assert predict(model, tmp_path, "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["file"] == str(tmp_path / "ä Ω.wav")
    (tmp_path / os.fsdecode(b"\xff.wav")).touch()
    assert predict(model, tmp_path) == 1
    assert "\\udcff.wav' has a name that is not UTF-8" in capsys.readouterr().err


def test_notes_name_files(model, tmp_path, capsys):
    lines = ["file,speaker,emotion"]
    for number in range(3):
        soundfile.write(tmp_path / f"{number}.wav", np.full(200 + number, 0.1), 16000)
        lines.append(f"{number}.wav,d,calm")
    assert predict(model, tmp_path, "--batch-size", "2") == 0
    notes = capsys.readouterr().err
    assert all(str(tmp_path / f"{number}.wav") in notes for number in range(3))
    assert "utterance" not in notes
    (tmp_path / "table.csv").write_text("\n".join(lines))
    assert evaluate(model, tmp_path / "table.csv", "--batch-size", "2") == 0
    notes = capsys.readouterr().err
    assert "note: 0.wav, 1.wav " in notes
    assert "note: 2.wav " in notes


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["x.wav", "--hop", "1"], "--hop needs --window"),
        (["x.wav", "--window", "0"], "'0' is no number above zero"),
        (["x.wav", "--batch-size", "many"], "'many' is no whole number above zero"),
        (["x.wav", "--format", "xml"], "invalid choice: 'xml'"),
    ],
)
def test_wrong_usage_of_predict(arguments, message, model, capsys):
    with pytest.raises(SystemExit) as caught:
        predict(model, *arguments)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_a_file_that_is_no_model(manifest, tmp_path, capsys):
    assert predict(tmp_path / "none.serkit", "x.wav") == 1
    assert "there is no model" in capsys.readouterr().err
    (tmp_path / "pickle.serkit").write_bytes(b"\x80\x04.")
    for arguments in (["predict", "x.wav"], ["info"], ["evaluate", str(manifest)]):
        command, *others = arguments
        assert main([command, str(tmp_path / "pickle.serkit"), *others]) == 1
        assert "pickle.serkit is refused" in capsys.readouterr().err


def test_new_speakers_are_scored(model, manifest, capsys):
    assert evaluate(model, manifest, "--speakers", "c") == 0
    shown = capsys.readouterr()
    assert "UAR 100.0 %, one speaker: no interval" in shown.out
    assert "precision" in shown.out
    assert "true (rows) and predicted" in shown.out
    assert shown.err == ""
    assert evaluate(model, manifest, "--speakers", "c", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["trained_on"] is None
    assert found["scores"][0] == {"metric": "UAR", "score": 1.0, "low": None, "high": None}
    assert found["confusion"]["true_by_predicted"] == [[3, 0], [0, 3]]
    assert found["per_speaker"][0]["speaker"] == "c"


def test_speakers_of_training_are_refused(model, manifest, capsys):
    assert evaluate(model, manifest) == 1
    error = capsys.readouterr().err
    assert "trained on speakers a, b of" in error
    assert "12 of these 18 utterances among them" in error
    assert evaluate(model, manifest, "--allow-training-data") == 0
    shown = capsys.readouterr().out
    assert "TRAINED ON speakers a, b of" in shown
    assert "over 3 speakers" in shown


def test_renamed_copies_of_training_files_are_refused(model, manifest, tmp_path, capsys):
    (tmp_path / "copy.wav").write_bytes((manifest.parent / "a_calm_0.wav").read_bytes())
    (tmp_path / "other.csv").write_text("file,speaker,emotion\ncopy.wav,somebody,calm\n")
    assert evaluate(model, tmp_path / "other.csv") == 1
    assert "trained on speakers somebody" in capsys.readouterr().err


def test_namesakes_in_another_corpus_are_noted(model, manifest, tmp_path, capsys):
    waveform, rate = soundfile.read(manifest.parent / "a_calm_0.wav")
    soundfile.write(tmp_path / "other.wav", 0.9 * waveform, rate)
    (tmp_path / "other.csv").write_text("file,speaker,emotion\nother.wav,a,calm\n")
    assert evaluate(model, tmp_path / "other.csv") == 0
    assert "the same names: a. If they are the same persons" in capsys.readouterr().err


def test_a_model_without_a_corpus_says_so(model, manifest, tmp_path, capsys):
    serkit.save(serkit.load(model), tmp_path / "x.serkit")
    assert evaluate(tmp_path / "x.serkit", manifest) == 0
    assert "does not say what the model was trained on" in capsys.readouterr().err


def test_emotions_that_the_model_does_not_know(model, manifest, tmp_path, capsys):
    text = manifest.read_text().replace("c_calm_0.wav,c,calm", "c_calm_0.wav,c,boredom")
    (tmp_path / "other.csv").write_text(text)
    arguments = ["--data", str(manifest.parent), "--speakers", "c"]
    assert evaluate(model, tmp_path / "other.csv", *arguments) == 1
    error = capsys.readouterr().err
    assert "does not know boredom, only anger, calm" in error
    assert "--emotions anger,calm" in error
    assert evaluate(model, tmp_path / "other.csv", *arguments, "--emotions", "anger,calm") == 0


def test_a_model_that_predicts_no_emotions(manifest, tmp_path, capsys):
    serkit.save(StandardScaler().fit([[0.0], [1.0]]), tmp_path / "x.serkit")
    assert evaluate(tmp_path / "x.serkit", manifest) == 1
    assert "a StandardScaler, predicts no emotions" in capsys.readouterr().err


def test_info_describes_a_model(model, capsys):
    assert main(["info", str(model)]) == 0
    shown = capsys.readouterr().out
    assert "speakers: a, b" in shown
    assert "MFCC" in shown
    assert main(["info", str(model), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["data"]["speakers"] == ["a", "b"]


def test_rows_before_a_file_that_cannot_be_used_are_whole_json(model, recordings, capsys):
    files = [recordings / "inside" / "a_calm_0.wav", recordings / "broken.wav"]
    assert predict(model, *files, "--batch-size", "1", "--json", "--quiet") == 1
    shown = capsys.readouterr()
    assert len(json.loads(shown.out)) == 1
    assert "Format not recognised. Repair it" in shown.err


def test_windows_have_a_sample_at_least(model, recordings, capsys):
    with pytest.raises(SystemExit, match="2"):
        predict(model, recordings, "--window", "0.5", "--hop", "0.00001")
    assert "one sample at least" in capsys.readouterr().err
