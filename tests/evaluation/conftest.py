import importlib.util
import multiprocessing
import sys

import numpy as np
import pytest

from serkit.datasets import Corpus

EMOTIONS = ("anger", "calm", "fear")


@pytest.fixture
def features():
    """Corpus of four speakers, and features that tell emotions apart with some errors."""
    rng = np.random.default_rng(0)
    speakers = np.repeat(["s1", "s2", "s3", "s4"], 12)
    y = np.tile(EMOTIONS, 16)
    X = rng.normal(size=(48, 4))
    X[:, 0] += [EMOTIONS.index(label) for label in y]
    corpus = Corpus(
        {"speaker": speakers, "emotion": y},
        waveforms=[np.full(4, row / 48) for row in range(48)],
        sampling_rate=16000,
        name="tiny",
    )
    return corpus, X


@pytest.fixture(scope="session")
def forkserver():
    """Context of processes that are forked from one that has imported serkit: seconds faster."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        pytest.skip("needs a forkserver")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["serkit.evaluation"])
    process = context.Process(target=int)  # starts the server, with this preload for good
    process.start()
    process.join()
    return context


@pytest.fixture
def load_own(monkeypatch):
    """Load a class of the user from a file, whose code depends on a number."""
    monkeypatch.setitem(sys.modules, "own_module", None)

    def load(path, offset):
        path.write_text(
            "from sklearn.dummy import DummyClassifier\n"
            f"class Own(DummyClassifier):\n    offset = {offset}\n"
        )
        spec = importlib.util.spec_from_file_location("own_module", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        sys.modules["own_module"] = module
        return module.Own()

    return load
