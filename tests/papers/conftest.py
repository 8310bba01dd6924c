import numpy as np
import pandas as pd
import pytest

from serkit.datasets import Corpus, make_emotional_speech


@pytest.fixture(scope="session")
def two_corpora():
    """Made speech of three speakers, under two names."""
    made = {}
    for seed, name in enumerate(("one", "other")):
        made[name] = make_emotional_speech(
            3, ["anger", "sadness"], n_sentences=2, random_state=seed
        )
        made[name].name = name
    return made


@pytest.fixture(scope="session")
def speech():
    """Two utterances of each of ten speakers."""
    return make_emotional_speech(10, ["anger", "sadness"], n_sentences=1, random_state=0)


@pytest.fixture
def make_table():
    """Return what makes a corpus of silence, for tests of folds."""

    def make(name, speakers, **columns):
        table = pd.DataFrame({"speaker": speakers, "emotion": "anger", **columns})
        silence = [np.zeros(1)] * len(table)
        return Corpus(table, waveforms=silence, sampling_rate=16000, name=name)

    return make


@pytest.fixture
def reproduce_twice(two_corpora, tmp_path):
    """Run an experiment at scale "smoke", again from what is kept, and return the first."""

    def run(paper, experiment, corpora=two_corpora, **others):
        options = {"experiments": experiment, "scale": "smoke", "verbose": 0, **others}
        first = paper.reproduce(corpora, results_dir=tmp_path, **options)
        written = stamps(tmp_path)
        again = paper.reproduce(corpora, results_dir=tmp_path, **options)
        assert str(again) == str(first)
        assert again.frame().equals(first.frame())
        assert stamps(tmp_path) == written, "something was computed again"
        return first

    return run


def stamps(folder):
    """Return when results were written, by file."""
    names = ("*.json", "output.pkl")
    found = (path for name in names for path in folder.rglob(name))
    # What was asked for last is noted anew every time.
    return {path: path.stat().st_mtime_ns for path in found if path.parent.name != "comparisons"}
