import json

import pytest

from serkit.cli import main


def test_papers_of_the_command_line_are_those_of_the_package():
    from serkit import papers
    from serkit.cli._reproduce import PAPERS

    assert set(PAPERS) == {
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


def test_json_of_experiments_costs_and_results(tmp_path, capsys):
    assert main(["reproduce", "leow2021", "--list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert "Leow" in listed["reference"]
    assert listed["experiments"]
    arguments = ["reproduce", "leow2021", "--scale", "smoke", "--experiments", "mfcc", "--json"]
    arguments += ["--systems", "CRNN", "--quiet"]
    assert main([*arguments, "--dry-run"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["fits"] > 0
    assert main([*arguments, "--results", str(tmp_path)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {row["experiment"] for row in found["found"]} == {"mfcc"}
    assert (tmp_path / "csv" / "leow2021.csv").is_file()
