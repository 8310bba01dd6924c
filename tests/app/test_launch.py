"""How the application is started."""

import signal
import subprocess
import sys
import time

import pytest

pytest.importorskip("streamlit")

from serkit.app import _launch, launch


@pytest.fixture
def commands(monkeypatch):
    """Return the commands that would be run; all end at once, and well."""
    commands = []

    class Process(subprocess.Popen):
        def __init__(self, command):
            commands.append(command)
            super().__init__([sys.executable, "-c", "raise SystemExit(0)"])

    monkeypatch.setattr(_launch.subprocess, "Popen", Process)
    return commands


def test_the_server_is_for_this_computer_alone_and_tells_nobody(commands, tmp_path):
    launch(tmp_path, port=8600, browser=False)
    (command,) = commands
    assert command[-2:] == ["--", str(tmp_path)]
    for option in (
        "--server.address=localhost",
        "--server.port=8600",
        "--server.headless=true",
        "--server.showEmailPrompt=false",
        "--browser.gatherUsageStats=false",
    ):
        assert option in command


def test_without_results_the_script_gets_none(commands):
    launch()
    assert commands[0][-1] != "--"
    assert "--server.headless=false" in commands[0]
    assert not any("server.port" in option for option in commands[0])


def test_all_options_are_known_to_streamlit():
    from streamlit import config

    known = config._config_options_template
    assert not set(_launch._OPTIONS) - set(known)


def test_no_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder of results"):
        launch(tmp_path / "none")


def test_a_server_that_does_not_start_is_an_error(monkeypatch):
    monkeypatch.setattr(
        _launch, "_command", lambda *_: [sys.executable, "-c", "raise SystemExit(4)"]
    )
    with pytest.raises(RuntimeError, match="code 4"):
        launch()


def test_without_streamlit_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "streamlit", None)
    with pytest.raises(ImportError, match=r"serkit\[app\]"):
        launch()


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGTERM")
def test_the_server_ends_with_who_started_it(tmp_path):
    mark = tmp_path / "pid"
    server = f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    code = (
        "import sys\nfrom serkit.app import _launch\n"
        f"_launch._command = lambda *_: [sys.executable, '-c', {server!r}]\n_launch.launch()"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    try:
        for _ in range(300):
            if mark.exists() and mark.read_text():
                break
            time.sleep(0.2)
        pid = int(mark.read_text())
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
    finally:
        process.kill()
    alive = subprocess.run(["kill", "-0", str(pid)], capture_output=True).returncode == 0
    assert not alive
