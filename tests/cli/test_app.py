import sys
from types import ModuleType

import pytest

from serkit.cli import main


@pytest.fixture
def launched(monkeypatch):
    calls = []
    app = ModuleType("serkit.app")
    app.launch = lambda results, port=None, browser=True: calls.append((results, port, browser))
    monkeypatch.setitem(sys.modules, "serkit.app", app)
    return calls


def test_the_application_gets_results_port_and_browser(launched, tmp_path):
    assert main(["app"]) == 0
    assert main(["app", str(tmp_path), "--port", "8600", "--no-browser"]) == 0
    assert launched == [(None, None, True), (tmp_path, 8600, False)]


def test_a_folder_that_is_not_there_is_named(launched, capsys):
    assert main(["app", "nowhere"]) == 1
    assert "nowhere is no folder" in capsys.readouterr().err
    assert not launched
