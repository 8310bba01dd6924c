import json
import os
import re
import shlex
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import serkit
from serkit.cli import main
from serkit.cli._main import _COMMANDS, _parser

ROOT = Path(serkit.__file__).parents[1]
COMMANDS = [command.__name__.rpartition("._")[2] for command in _COMMANDS]


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


def test_help_fits_on_a_screen_and_imports_nothing_heavy():
    script = (
        "import sys\nfrom serkit.cli import main\n"
        f"for command in {[[], *([name] for name in COMMANDS)]}:\n"
        "    try: main([*command, '--help'])\n"
        "    except SystemExit: print('\\f', end='')\n"
        "assert not {'numpy', 'sklearn', 'torch', 'pandas'} & set(sys.modules)"
    )
    environment = {**os.environ, "COLUMNS": "80"}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    first, *others = done.stdout.split("\f")[:-1]
    assert len(others) == len(COMMANDS)
    assert 0 < first.count("\n") <= 24
    assert all(f"\n    {name} " in first for name in COMMANDS)
    for text in others:
        assert 0 < text.count("\n") <= 48
        assert max(map(len, text.splitlines())) <= 80
        assert "example" in text


def examples():
    """Return the commands that README, documentation and help show."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.rst"))]
    texts = [page.read_text() for page in pages if "auto_examples" not in page.parts]
    texts += [
        re.sub("^  (?=[a-z])", "$ ", command._EPILOG, flags=re.MULTILINE) for command in _COMMANDS
    ]
    for line in "\n".join(texts).replace("\\\n", " ").splitlines():
        prompt, _, shown = line.strip().partition("$ ")
        for part in re.split(r"&&|[|#>]", "" if prompt else shown):
            if part.split()[:1] == ["serkit"]:
                yield shlex.split(part)[1:]


@pytest.mark.skipif(not (ROOT / "docs").is_dir(), reason="there are no sources here")
def test_every_command_that_is_shown_can_be_given():
    shown = list(examples())
    assert {words[0] for words in shown} == set(COMMANDS)
    for words in shown:
        _parser().parse_args(words)


def test_a_warning_is_a_note_on_standard_error(capsys, monkeypatch):
    def warn(_):
        warnings.warn("look\n  here", UserWarning, stacklevel=1)

    monkeypatch.setattr("serkit.cli._info._run", warn)
    assert main(["info"]) == 0
    assert capsys.readouterr() == ("", "serkit: note: look here\n")


def test_notes_of_an_error_are_in_its_line(capsys, monkeypatch):
    def fail(_):
        error = ValueError("bad\nthing")
        error.add_note("in fold 2")
        raise error

    monkeypatch.setattr("serkit.cli._info._run", fail)
    assert main(["info"]) == 1
    assert capsys.readouterr().err == "serkit: error: bad thing in fold 2\n"


def test_a_closed_pipe_ends_quietly():
    process = subprocess.Popen(
        [sys.executable, "-m", "serkit", "info"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(timeout=60) == 141


def test_standard_output_of_json_is_json_and_errors_have_a_status(manifest, tmp_path):
    arguments = ["features", str(manifest.parent), "--set", "mfcc", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "serkit", *arguments, "--output", str(tmp_path / "x.npz")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["utterances"] == 18
    assert "18/18" in done.stderr
