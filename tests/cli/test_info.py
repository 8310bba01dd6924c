import json
import tomllib
from pathlib import Path

import pytest

import serkit
from serkit.cli import main
from serkit.cli._info import OPTIONAL

PYPROJECT = Path(serkit.__file__).parents[1] / "pyproject.toml"


def test_versions_devices_and_optional_parts_are_listed(capsys):
    assert main(["info"]) == 0
    shown = capsys.readouterr().out
    assert f"serkit {serkit.__version__}" in shown
    assert all(f"\n  {name} " in shown for name in ("torch", "scikit-learn", "cpu", *OPTIONAL))


def test_json_says_the_same(capsys):
    assert main(["info", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["serkit"] == serkit.__version__
    assert found["devices"]["cpu_cores"] >= found["devices"]["cpu_cores_usable"] >= 1
    assert [part["extra"] for part in found["optional"]] == list(OPTIONAL)


def test_what_is_missing_says_how_it_is_installed(capsys, monkeypatch):
    monkeypatch.setitem(OPTIONAL, "umap", (("no-such-package",), "scatter plots"))
    assert main(["info"]) == 0
    assert 'missing: pip install "serkit[umap]"' in capsys.readouterr().out


@pytest.mark.skipif(not PYPROJECT.is_file(), reason="serkit is installed without its sources")
def test_optional_parts_are_the_extras_of_the_package():
    extras = tomllib.loads(PYPROJECT.read_text())["project"]["optional-dependencies"]
    assert set(OPTIONAL) == set(extras) - {"all", "docs", "test"}
    for extra, (packages, _) in OPTIONAL.items():
        assert all(any(line.startswith(name) for line in extras[extra]) for name in packages)
