import json
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from serkit.cli import _DEMO_PIPELINES, _PIPELINES, main
from serkit.evaluation import baseline_pipelines
from serkit.evaluation._fold import evaluate_fold


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    """Corpus of three speakers on disk: a low and a high tone."""
    folder = tmp_path_factory.mktemp("corpus")
    rng = np.random.default_rng(0)
    lines = ["file,speaker,emotion"]
    for speaker in ("a", "b", "c"):
        for emotion, pitch in (("calm", 200), ("anger", 900)):
            for take in range(3):
                time = np.arange(6000) / 16000
                tone = 0.3 * np.sin(2 * np.pi * pitch * time) + 0.01 * rng.normal(size=6000)
                file = f"{speaker}_{emotion}_{take}.wav"
                soundfile.write(folder / file, tone, 16000)
                lines.append(f"{file},{speaker},{emotion}")
    path = folder / "table.csv"
    path.write_text("\n".join(lines))
    return path


def compare(manifest, *arguments):
    return main(["compare", str(manifest), "--pipelines", "mfcc-svm", "--quiet", *arguments])


def test_files_become_a_table_and_a_report(manifest, tmp_path, capsys):
    arguments = ["--results", str(tmp_path)]
    assert compare(manifest, *arguments) == 0
    shown = capsys.readouterr().out
    assert "MFCC statistics + SVM" in shown
    assert "leave one speaker out, 3 folds, 3 speakers, 18 utterances" in shown
    assert f"Report: {tmp_path / 'report.html'}" in shown
    assert (tmp_path / "report.html").is_file()
    assert (tmp_path / "csv" / "predictions.csv").is_file()
    stored = sorted((tmp_path / "folds").iterdir())
    assert len(stored) == 3
    assert compare(manifest, *arguments) == 0
    assert sorted((tmp_path / "folds").iterdir()) == stored
    assert capsys.readouterr().out == shown


def test_report_and_tables_go_where_they_are_told(manifest, tmp_path):
    html, csv = tmp_path / "a" / "page.html", tmp_path / "b"
    assert compare(manifest, "--html", str(html), "--csv", str(csv)) == 0
    assert html.is_file()
    assert (csv / "table.csv").is_file()
    assert sorted(tmp_path.iterdir()) == [tmp_path / "a", csv]


@pytest.mark.parametrize("option", ["--html", "--csv", "--results"])
def test_places_that_cannot_be_written_are_found_before_the_run(
    option, manifest, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr("serkit.evaluation.compare", None)
    (tmp_path / "file").touch()
    assert compare(manifest, option, str(tmp_path / "file" / "x")) == 1
    assert str(tmp_path / "file") in capsys.readouterr().err
    assert compare(manifest, "--html", str(tmp_path)) == 1
    assert "it is a folder" in capsys.readouterr().err


def test_the_table_is_printed_even_if_the_report_fails(manifest, tmp_path, capsys, monkeypatch):
    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("serkit.evaluation.ComparisonResult.to_html", fail)
    assert compare(manifest, "--results", str(tmp_path)) == 1
    shown = capsys.readouterr()
    assert "MFCC statistics + SVM" in shown.out
    assert "disk full" in shown.err


def test_ctrl_c_keeps_finished_folds(manifest, tmp_path, capsys, monkeypatch):
    folds = []

    def press_in_second_fold(*arguments, **options):
        folds.append(arguments)
        if len(folds) == 2:
            raise KeyboardInterrupt
        return evaluate_fold(*arguments, **options)

    monkeypatch.setattr("serkit.evaluation._run.evaluate_fold", press_in_second_fold)
    assert compare(manifest, "--results", str(tmp_path)) == 130
    assert "finished folds are kept" in capsys.readouterr().err
    assert len(list((tmp_path / "folds").glob("*.json"))) == 1
    assert compare(manifest, "--results", str(tmp_path)) == 0
    assert len(folds) == 4


def test_several_pipelines_are_one_word(manifest, capsys):
    arguments = ["compare", "--pipelines", "mfcc-svm,mfcc-mlp", str(manifest), "--quiet"]
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert "MFCC statistics + SVM" in shown
    assert "MFCC statistics + MLP" in shown


def test_every_pipeline_has_a_short_name():
    assert set(_PIPELINES.values()) == set(baseline_pipelines())
    assert set(_DEMO_PIPELINES) <= set(_PIPELINES)


def test_random_folds_are_labelled(manifest, capsys):
    assert compare(manifest, "--cv", "random") == 0
    assert "5 random folds (speaker-DEPENDENT), 5 folds" in capsys.readouterr().out


def test_a_table_without_rows_is_named(tmp_path, capsys):
    (tmp_path / "table.csv").write_text("file,speaker,emotion\n")
    assert compare(tmp_path / "table.csv") == 1
    assert "no utterances" in capsys.readouterr().err


def test_json_is_the_table(manifest, capsys):
    assert compare(manifest, "--json", "--cv", "leave-2") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["table"][0]["UAR"] == 1.0
    assert found["speakers"] == 3
    assert found["protocol"] == "leave 2 speakers out"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["emodb"], "Give its folder: --data PATH"),
        (["nowhere.csv"], "'nowhere.csv' is no corpus"),
        (["synthetic", "--cv", "leow2021"], "of no other corpus"),
        (["emodb", "--data", "/nowhere"], "/nowhere"),
    ],
)
def test_an_error_is_one_line(arguments, message, capsys):
    assert main(["compare", *arguments]) == 1
    error = capsys.readouterr().err
    assert error.startswith("serkit: error: ")
    assert message in error
    assert error.count("\n") == 1


def test_debug_shows_where_an_error_comes_from():
    with pytest.raises(ValueError, match="Give its folder"):
        main(["compare", "emodb", "--debug"])


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["compare"],
        ["compare", "synthetic", "--cv", "ten"],
        ["compare", "synthetic", "--pipelines", "mfcc-svm,none"],
    ],
)
def test_wrong_usage_exits_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: serkit" in capsys.readouterr().err


@pytest.mark.parametrize("command", [[], ["compare"], ["demo"]])
def test_help_fits_on_a_screen_and_imports_nothing_heavy(command):
    script = (
        "import sys\nfrom serkit.cli import main\n"
        f"try: main({[*command, '--help']})\nexcept SystemExit: pass\n"
        "assert not {'sklearn', 'torch', 'pandas'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert 0 < done.stdout.count("\n") <= 48
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_demo_writes_files_and_reads_them(tmp_path, capsys, monkeypatch):
    from serkit import datasets

    make = datasets.make_emotional_speech

    def small(**kwargs):
        return make(3, ("anger", "sadness"), 2, **kwargs)

    monkeypatch.setattr(datasets, "make_emotional_speech", small)
    monkeypatch.setattr("serkit.cli._DEMO_PIPELINES", ["mfcc-svm"])
    for _ in range(2):
        assert main(["demo", "--results", str(tmp_path), "--quiet"]) == 0
        shown = capsys.readouterr().out
        assert "Reading 12 files" in shown
        assert "MFCC statistics + SVM" in shown
    assert len(list((tmp_path / "corpus").glob("*.wav"))) == 12
    assert (tmp_path / "report.html").is_file()
    # What is lost, or was made by an older version, is made anew.
    first, second, third, *_ = sorted((tmp_path / "corpus").glob("*.wav"))
    made = second.read_bytes()
    first.unlink()
    second.write_bytes(third.read_bytes())
    assert main(["demo", "--results", str(tmp_path), "--quiet"]) == 0
    assert first.is_file()
    assert second.read_bytes() == made


def test_papers_of_the_command_line_are_those_of_the_package():
    from serkit import papers
    from serkit.cli import _PAPERS

    assert set(_PAPERS) == {
        name for name in papers.__all__ if isinstance(getattr(papers, name), papers.Paper)
    }


def test_reproduce_prints_ours_and_writes_tables(tmp_path, capsys):
    arguments = ["reproduce", "leow2021", "--scale", "smoke", "--experiments", "mfcc", "--quiet"]
    arguments += ["--systems", "CRNN", "--results", str(tmp_path)]
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert "leow2021, mfcc, one" in shown
    assert "CRNN, 1 block" in shown
    assert (tmp_path / "csv" / "leow2021.csv").is_file()
    assert main(arguments) == 0
    assert capsys.readouterr().out == shown


def test_reproduce_lists_experiments_and_costs(capsys):
    assert main(["reproduce", "leow2021", "--list"]) == 0
    assert "Table 1" in capsys.readouterr().out
    arguments = ["reproduce", "leow2021", "--scale", "smoke", "--experiments", "mfcc"]
    assert main([*arguments, "--systems", "CRNN", "--dry-run"]) == 0
    assert "seconds per epoch" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["leow2021"], "corpora are needed at scale 'bench'"),
        (["leow2021", "--experiments", "x", "--scale", "smoke"], "it has mfcc, lms"),
        (["leow2021", "--data", "emodb=nowhere"], "nowhere"),
    ],
)
def test_reproduce_says_what_is_wrong(arguments, message, capsys):
    assert main(["reproduce", *arguments]) == 1
    assert message in capsys.readouterr().err


def test_reproduce_wants_names_and_paths(capsys):
    with pytest.raises(SystemExit):
        main(["reproduce", "leow2021", "--data", "emodb"])
    assert "NAME=PATH" in capsys.readouterr().err
