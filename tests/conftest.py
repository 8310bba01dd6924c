"""Fixtures that all tests share, and the choice of what runs."""

import os
from collections import Counter
from pathlib import Path

# One thread per test process: small tensors gain nothing from more, and the
# workers of pytest-xdist would fight for the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest


def pytest_addoption(parser):
    parser.addoption("--run-slow", action="store_true", help="also run the slow corpus tests")


def pytest_configure(config):
    config.pluginmanager.register(_CorpusCounter(config), "corpus-counter")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--run-slow"):
        return
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="slow: run by `make test-all`"))


class _CorpusCounter:
    """Count the corpus tests, so that the last line says what a green run did not see."""

    def __init__(self, config):
        self.config = config
        self.counts = Counter()

    def pytest_runtest_logreport(self, report):
        if "corpus" not in report.keywords:
            return
        if report.skipped:
            slow = "slow" in report.keywords and not self.config.getoption("--run-slow")
            self.counts["slow" if slow else "skipped"] += 1
        elif report.when == "call":
            self.counts["run"] += 1

    def pytest_unconfigure(self, config):
        if hasattr(config, "workerinput") or not self.counts:
            return
        why = "" if os.environ.get("SERKIT_DATA") else " because SERKIT_DATA is not set"
        print(
            f"corpus tests: {self.counts['run']} run, {self.counts['skipped']} skipped{why}, "
            f"{self.counts['slow']} slow ones left to `make test-all`"
        )


@pytest.fixture(scope="session")
def corpora() -> Path:
    """Folder with the real corpora; tests that need it are skipped without it."""
    folder = os.environ.get("SERKIT_DATA")
    if not folder:
        pytest.skip("set SERKIT_DATA to the folder with emodb/, ravdess/ and nemo/")
    return Path(folder)
