"""Long runs that are killed at any moment lose nothing that was finished."""

import importlib
import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

TIMES = ["fit_time", "predict_time"]

_RUN = '''
import os, time
import numpy as np
from sklearn.dummy import DummyClassifier
from serkit.datasets import Corpus
from serkit.evaluation import benchmark

class Slow(DummyClassifier):
    """Takes its time, and leaves a byte for every finished fit."""

    def fit(self, X, y):
        time.sleep(float(os.environ["DELAY"]))
        with open(os.environ["FITS"], "ab") as file:
            file.write(b".")
        return super().fit(X, y)

def make_corpus(name, n_speakers):
    n_rows = 4 * n_speakers
    return Corpus(
        {"speaker": np.repeat([f"{name}{i}" for i in range(n_speakers)], 4),
         "emotion": ["x", "y"] * (n_rows // 2)},
        waveforms=[np.full(2, row / n_rows) for row in range(n_rows)],
        sampling_rate=16000, name=name,
    )

def main(folder, fits, delay, n_jobs):
    os.environ |= {"DELAY": str(delay), "FITS": str(fits)}
    if delay:  # as of a slow disk: many kills fall between writing and renaming
        os.fsync = lambda file: time.sleep(delay)
    corpora = [make_corpus("one", 6), make_corpus("two", 14)]
    pipelines = {name: Slow(strategy=name) for name in ("stratified", "uniform")}
    features = {corpus.name: np.array([w[:1] for w in corpus.audio]) for corpus in corpora}
    result = benchmark(corpora, pipelines, X=features, results_dir=folder, n_jobs=n_jobs, verbose=0)
    result.frame().to_pickle(folder / "frame.pickle")
'''
N_FOLDS = 2 * (6 + 14)
N_KILLS = 10


@pytest.fixture(scope="module")
def start(tmp_path_factory, forkserver):
    """Start a run in a process of its own."""
    home = tmp_path_factory.mktemp("script")
    (home / "serkit_long_run.py").write_text(_RUN)
    sys.path.insert(0, str(home))
    main = importlib.import_module("serkit_long_run").main

    def run(folder, *, delay=0.0, n_jobs=None):
        folder.mkdir(exist_ok=True)
        process = forkserver.Process(target=main, args=(folder, folder / "fits", delay, n_jobs))
        process.start()
        return process

    yield run
    sys.path.remove(str(home))


@pytest.fixture(scope="module")
def undisturbed(start, tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed") / "results"
    return finish(start(folder), folder)


def finish(process, folder):
    process.join(60)
    assert process.exitcode == 0
    return pd.read_pickle(folder / "frame.pickle").drop(columns=TIMES)


def entries(folder):
    return {
        path: (path.stat().st_mtime_ns, path.read_bytes())
        for path in (folder / "folds").glob("*.json")
    }


def kill(process):
    process.kill()
    process.join(10)
    assert process.exitcode == -9


def check_entries(folder, kept):
    """What was there is there as it was, and everything can be read."""
    found = entries(folder)
    assert {path: found.get(path) for path in kept} == kept
    for path, (_, content) in found.items():
        assert json.loads(content)["key"] == path.stem
    return found


def test_nothing_that_was_finished_is_lost_or_done_again(start, undisturbed, tmp_path):
    rng = np.random.default_rng(0)
    kept = {}
    for _ in range(N_KILLS):
        process = start(tmp_path, delay=0.03)
        deadline = time.monotonic() + 30
        # Let it get somewhere, for a machine may be slow to start.
        while len(entries(tmp_path)) == len(kept) and process.is_alive():
            assert time.monotonic() < deadline
            time.sleep(0.005)
        time.sleep(rng.uniform(0, 0.06))
        assert process.is_alive()
        kill(process)
        kept = check_entries(tmp_path, kept)
    assert N_KILLS <= len(kept) < N_FOLDS
    pd.testing.assert_frame_equal(finish(start(tmp_path), tmp_path), undisturbed)
    assert len(check_entries(tmp_path, kept)) == N_FOLDS
    n_fits = len((tmp_path / "fits").read_bytes())
    assert N_FOLDS <= n_fits <= N_FOLDS + N_KILLS


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs /proc")
def test_workers_of_a_killed_run_leave_and_break_nothing(start, undisturbed, tmp_path):
    process = start(tmp_path, delay=0.2, n_jobs=2)
    deadline = time.monotonic() + 120
    while len(entries(tmp_path)) < 3:
        assert process.is_alive()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    workers = children(process.pid)
    assert len(workers) >= 2
    kill(process)
    deadline = time.monotonic() + 10
    while any(map(is_running, workers)):
        assert time.monotonic() < deadline, "workers outlive the run"
        time.sleep(0.05)
    kept = check_entries(tmp_path, {})
    assert len(kept) < N_FOLDS
    pd.testing.assert_frame_equal(finish(start(tmp_path), tmp_path), undisturbed)
    assert len(check_entries(tmp_path, kept)) == N_FOLDS
    # Two in work, and two whose result was not written yet.
    assert len((tmp_path / "fits").read_bytes()) <= N_FOLDS + 4


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_running(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
