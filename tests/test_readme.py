"""The code of README and user guide runs, and the page of the API is complete."""

import importlib
import re
import textwrap
from pathlib import Path

import pytest

import serkit

ROOT = Path(__file__).parents[1]
MARKDOWN = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
RST = re.compile(r"^\.\. code-block:: python\n\n((?:   .*\n|\n)+)", re.MULTILINE)


@pytest.mark.parametrize(
    ("page", "block", "n_blocks"),
    [
        ("README.md", MARKDOWN, 9),
        ("docs/user_guide/augmentation.rst", RST, 8),
        ("docs/user_guide/comparison.rst", RST, 3),
        ("docs/user_guide/features.rst", RST, 1),
        ("docs/user_guide/networks.rst", RST, 8),
        ("docs/user_guide/saving.rst", RST, 5),
        ("docs/user_guide/speakers.rst", RST, 2),
    ],
    ids=["README", "augmentation", "comparison", "features", "networks", "saving", "speakers"],
)
@pytest.mark.filterwarnings("ignore::serkit.utils.SignalWarning")
def test_code_runs(page, block, n_blocks, tmp_path, monkeypatch):
    """Run the blocks of a page in order, in one namespace, if they need no path of the reader."""
    monkeypatch.chdir(tmp_path)
    found = block.findall((ROOT / page).read_text())
    blocks = [code for code in found if "path/to" not in code]
    assert len(blocks) >= n_blocks
    namespace = {}
    for code in blocks:
        exec(compile(textwrap.dedent(code), page, "exec"), namespace)


@pytest.mark.parametrize("room", [name for name in serkit.__all__ if name != "__version__"])
def test_the_api_page_lists_every_public_name(room):
    page = (ROOT / "docs" / "api.rst").read_text()
    section = re.search(rf"^serkit\.{room}\n-+\n(.*?)(?=^serkit\.|\Z)", page, re.M | re.S)
    listed = re.findall(r"^   (\w+)$", section[1], re.MULTILINE)
    assert sorted(listed) == sorted(importlib.import_module(f"serkit.{room}").__all__)
