"""The rooms of the house import downwards only, and importing serkit is instant."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import serkit

ROOT = Path(serkit.__file__).parent

#: Rooms from bottom to top; rooms of one line do not import each other.
LEVELS = [
    {"utils"},
    {"metrics"},
    {"model_selection"},
    {"datasets"},
    {"preprocessing", "feature_extraction"},
    {"modules"},
    {"training"},
    {"over_sampling"},
    {"augmentation"},
    {"neural_network"},
    {"pipeline"},
    {"persistence"},
    {"inference"},
    {"evaluation"},
    {"inspection"},
    {"papers"},
    {"app"},
    {"cli", "__main__"},
    {"testing"},
]
LEVEL = {room: level for level, rooms in enumerate(LEVELS) for room in rooms}


def room_of(path: Path) -> str:
    first = path.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    modules = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: relative import"
            modules.add(node.module)
            if node.module == "serkit":
                modules.update(f"serkit.{alias.name}" for alias in node.names)
    rooms = {module.split(".")[1] for module in modules if module.startswith("serkit.")}
    return rooms & LEVEL.keys()


def source_files() -> list[Path]:
    package = {ROOT / "__init__.py", ROOT / "_version.py"}
    return sorted(set(ROOT.rglob("*.py")) - package)


@pytest.mark.parametrize("path", source_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_down_only(path):
    room = room_of(path)
    assert room in LEVEL, f"{room} has no place in the order of rooms"
    for other in imported_rooms(path) - {room}:
        if {room, other} <= {"cli", "__main__"}:
            continue
        assert LEVEL[other] < LEVEL[room], f"{room} must not import {other}"


@pytest.mark.parametrize("path", source_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_private_files_are_imported_by_their_own_room_only(path):
    room = room_of(path)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("serkit."):
            parts = node.module.split(".")[1:]
            if any(part.startswith("_") and part != "_version" for part in parts):
                assert parts[0] == room, f"{path.name} reaches into {node.module}"


def run_python(code: str) -> str:
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return result.stdout


def test_importing_serkit_imports_nothing_heavy():
    heavy = {"sklearn", "numpy", "torch", "librosa", "pandas", "scipy"}
    loaded = run_python("import serkit, sys; print(*sys.modules)").split()
    assert not heavy & set(loaded)


def test_rooms_are_reached_by_name_and_need_no_optional_package():
    optional = ("librosa", "opensmile", "matplotlib", "torchaudio", "streamlit")
    loaded = run_python(
        "import serkit, sys\n"
        "rooms = [getattr(serkit, room) for room in serkit.__all__ if room != '__version__']\n"
        "print(*sys.modules)"
    ).split()
    assert not set(optional) & set(loaded)


def test_unknown_attribute():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = serkit.nothing
