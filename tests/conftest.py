"""Fixtures that all tests share."""

import os
from pathlib import Path

import pytest

# One thread per test process: small tensors gain nothing from more, and the
# workers of pytest-xdist would fight for the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def corpora() -> Path:
    """Folder with the real corpora; tests that need it are skipped without it."""
    folder = os.environ.get("SERKIT_DATA")
    if not folder:
        pytest.skip("set SERKIT_DATA to the folder with emodb/, ravdess/ and nemo/")
    return Path(folder)
