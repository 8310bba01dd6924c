import numpy as np
import pandas as pd
import pytest

from serkit.datasets import Corpus, make_emotional_speech


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
def found_again():
    """Return what runs twice: nothing is computed again, and all is the same."""

    def run(paper, corpora, experiment, folder, **options):
        options = {"experiments": experiment, "scale": "smoke", "verbose": 0, **options}
        made = paper.reproduce(corpora, results_dir=folder, **options)
        written = {path: path.stat().st_mtime_ns for path in folder.rglob("*.[jp]*")}
        again = paper.reproduce(corpora, results_dir=folder, **options)
        assert written
        assert written == {path: path.stat().st_mtime_ns for path in folder.rglob("*.[jp]*")}
        pd.testing.assert_frame_equal(made.frame(), again.frame())
        return made

    return run


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


@pytest.fixture
def reproduce_twice(two_corpora, found_again, tmp_path):
    """Return what runs an experiment on both corpora, twice."""

    def run(paper, experiment, **options):
        return found_again(paper, two_corpora, experiment, tmp_path, **options)

    return run
