import json

import pytest

from serkit.cli import main
from serkit.evaluation._fold import evaluate_fold


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


def test_models_are_kept_beside_results_only(manifest, tmp_path, capsys):
    with pytest.raises(SystemExit) as caught:
        compare(manifest, "--keep-models")
    assert caught.value.code == 2
    assert "--keep-models needs --results" in capsys.readouterr().err
    assert compare(manifest, "--keep-models", "--results", str(tmp_path)) == 0
    assert len([path for path in (tmp_path / "models").rglob("*") if path.is_file()]) >= 3
