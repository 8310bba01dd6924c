"""What the pages say can be done: their code runs, and their commands are understood."""

import argparse
import importlib
import re
import shlex
import sys
import textwrap
import types
from pathlib import Path

import pytest

import serkit
from serkit.cli import main

ROOT = Path(__file__).parents[2]
README = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
GUIDE = [*sorted((ROOT / "docs").glob("*.rst")), *sorted((ROOT / "docs/user_guide").glob("*.rst"))]
PAGES = [*README, *GUIDE, *sorted((ROOT / "docs" / "papers").glob("*.rst"))]

MARKDOWN_BLOCK = r"^```{language}\n(.*?)^```"
RST_BLOCK = r"^( *)\.\. code-block:: {language}\n(?:\1   :.*\n)*\n((?:\1   .*\n|\n)+)"
#: What is written to ``path/to``, or is not looked at here; anything else is a corpus.
WRITTEN = {"cache", "results", "scheduler.json"}
PLACES = re.compile(r"path/to/([\w.]+)")


def blocks(page, language):
    """Return the blocks of a page that are in a language."""
    text = page.read_text()
    if page.suffix == ".md":
        found = re.findall(MARKDOWN_BLOCK.format(language=language), text, re.DOTALL | re.MULTILINE)
    else:
        pattern = RST_BLOCK.format(language=language)
        found = [block for _, block in re.findall(pattern, text, re.MULTILINE)]
    return [textwrap.dedent(block) for block in found]


def name_of(page):
    return str(page.relative_to(ROOT))


# Pages of papers run whole protocols, which tests/papers does at the scale "smoke".
WITH_CODE = [page for page in [*README, *GUIDE] if blocks(page, "python")]


@pytest.mark.parametrize("page", WITH_CODE, ids=name_of)
@pytest.mark.filterwarnings("ignore")
def test_code_runs(page, tmp_path, monkeypatch, request):
    """Run the blocks of a page in order, in one module, with small corpora at its paths."""
    monkeypatch.chdir(tmp_path)
    code = blocks(page, "python")
    text = "\n".join(code)
    corpora = set(PLACES.findall(text)) - WRITTEN
    for place in corpora:
        folder = request.getfixturevalue("official_folders")(place)
        (tmp_path / "path" / "to").mkdir(parents=True, exist_ok=True)
        (tmp_path / "path" / "to" / place).symlink_to(folder, target_is_directory=True)
    if corpora:
        request.getfixturevalue("small_scale")
    if '"frames.npz"' in text:  # by the command that the page gives for it
        speech = request.getfixturevalue("official_folders")("musan")
        assert main(["features", str(speech), "--set", "logmel", "--output", "frames.npz"]) == 0
    if "Client(" in text:
        request.getfixturevalue("dask_here")
    if "Display" in text:
        pytest.importorskip("matplotlib.pyplot").switch_backend("agg")
    module = types.ModuleType("page")  # a module, for what it defines is pickled
    monkeypatch.setitem(sys.modules, "page", module)
    for block in code:
        exec(compile(block, name_of(page), "exec"), module.__dict__)


def test_code_stands_in_blocks_that_are_run():
    """A literal block or a doctest of Python would not be found."""
    escaped = re.compile(r"(?<!:)::\n\n +(?:from |import |\w+ = )|^ *>>> ", re.MULTILINE)
    directive = re.compile(r"^ *\.\. .*::.*$", re.MULTILINE)
    assert not [
        name_of(page) for page in PAGES if escaped.search(directive.sub("", page.read_text()))
    ]
    named = {"README.md", "docs/quickstart.rst", "docs/pitfalls.rst", "docs/extending.rst"}
    assert named <= {name_of(page) for page in WITH_CODE}


def commands(page):
    """Return what a page tells the reader to type."""
    for block in blocks(page, "console"):
        for line in block.replace("\\\n", " ").splitlines():
            if line.startswith("$ "):
                yield line.removeprefix("$ ")
    for text in re.findall(r"`((?:serkit |make |python examples/)[^`]*)`", page.read_text()):
        if not re.search(r"[<…]|\.\.\.|COMMAND", text):
            yield " ".join(text.split())


class ParsedError(Exception):
    """The arguments were understood; nothing is run."""


@pytest.fixture
def parse_only(monkeypatch):
    parse = argparse.ArgumentParser.parse_args

    def parse_and_stop(self, *arguments):
        parse(self, *arguments)
        raise ParsedError

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_and_stop)


@pytest.mark.parametrize("page", [page for page in PAGES if [*commands(page)]], ids=name_of)
def test_commands_are_understood(page, parse_only, capsys):
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for command in commands(page):
        for part in re.split(r" \| | && ", re.sub(r" > \S+", "", command)):
            program, *arguments = shlex.split(part, comments=True)
            if program == "serkit":
                check_arguments(command, arguments)
            elif program == "make":
                assert next(name for name in arguments if "=" not in name) in targets, command
            elif program == "python" and arguments[0] != "-m":
                assert (ROOT / arguments[0]).exists(), command
            else:
                assert program in KNOWN_PROGRAMS, command


KNOWN_PROGRAMS = {"cd", "dask", "export", "find", "git", "head", "ls", "open", "pip", "python"}


def check_arguments(command, arguments):
    try:
        main(arguments if len(arguments) > 1 else [*arguments, "--help"])
    except ParsedError:
        return
    except SystemExit as stop:
        if stop.code == 0:  # --help, --version
            return
    raise AssertionError(f"serkit does not understand `{command}`")


@pytest.mark.parametrize("room", [name for name in serkit.__all__ if name != "__version__"])
def test_the_api_page_lists_every_public_name(room):
    page = (ROOT / "docs" / "api.rst").read_text()
    section = re.search(rf"^serkit\.{room}\n-+\n(.*?)(?=^serkit\.|\Z)", page, re.M | re.S)
    listed = re.findall(r"^   (\w+)$", section[1], re.MULTILINE)
    assert sorted(listed) == sorted(importlib.import_module(f"serkit.{room}").__all__)
