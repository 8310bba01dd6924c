"""The commands of the docs, on made speech and for an epoch."""

import importlib.util
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture(autouse=True)
def folder_of_scripts(monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLES))


def run(name, *arguments):
    specification = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    module.main(["--scale", "smoke", *map(str, arguments)])


@pytest.mark.parametrize(
    ("name", "systems", "shown"),
    [
        ("recipes", [], ["kernel ridge, by speaker", "best on validation speakers: "]),
        (
            "leakage_price",
            [],
            ["synthetic, 4 speakers", "random folds", "SMOTE on all rows", "held out"],
        ),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_a_smoke_run_prints_its_table_and_is_found_again(name, systems, shown, tmp_path, capsys):
    arguments = [*systems, "--results", tmp_path]
    run(name, *arguments)
    first = capsys.readouterr()
    for text in shown:
        assert text in first.out
    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "folds").glob("*.json")}
    run(name, *arguments)
    again = capsys.readouterr()
    assert again.out == first.out
    assert written == {path: path.stat().st_mtime_ns for path in (tmp_path / "folds").glob("*")}
