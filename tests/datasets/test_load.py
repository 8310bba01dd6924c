import inspect

import pytest

from serkit import datasets
from serkit.datasets import load_corpus
from serkit.datasets._load import LOADERS


def test_every_loader_has_its_name():
    loaders = {name for name in datasets.__all__ if name.startswith("load_")}
    assert {f"load_{name}" for name in LOADERS} == loaders - {"load_corpus", "load_manifest"}
    for name, loader in LOADERS.items():
        assert loader is getattr(datasets, f"load_{name}")
        assert f'"{name}"' in inspect.getdoc(load_corpus)


def test_options_reach_the_loader(tmp_path, fill_folder):
    fill_folder(tmp_path, ["music/fma/music-fma-0000.wav"])
    corpus = load_corpus("musan", tmp_path, part="music", n_jobs=1)
    assert (corpus.name, len(corpus)) == ("musan", 1)


def test_a_table(tmp_path, fill_folder):
    fill_folder(tmp_path, ["wav/a.wav"])
    (tmp_path / "mine.csv").write_text("file,speaker,emotion\na.wav,x,anger\n")
    corpus = load_corpus(tmp_path / "mine.csv", tmp_path / "wav", name="other")
    assert (corpus.name, corpus.y.tolist()) == ("other", ["anger"])


def test_neither_a_corpus_nor_a_table(tmp_path):
    with pytest.raises(ValueError, match="'emo-db' is no corpus: give emodb, enterface, iemocap"):
        load_corpus("emo-db", tmp_path)
    with pytest.raises(ValueError, match=r"mine\.csv' is no corpus"):
        load_corpus(tmp_path / "mine.csv")
    with pytest.raises(ValueError, match="where is tess"):
        load_corpus("tess")
